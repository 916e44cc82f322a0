/* review.h -- the log of reviews; memory is its replay.
 *
 *   item   "drill/01"   "question/01/0"   "question/01/1-1"   "card/softmax-shift"
 *   row    when, rating, derived rating, algo, weights, days since the one before,
 *          stability and difficulty before and after
 *
 * Promise, checked by review_verify(): for every item, replaying its rows in order (time, then id)
 * gives the stored numbers. So a newer algorithm is a replay.
 *
 * Tests: tests/progress/review_test.c
 */
#ifndef PROGRESS_REVIEW_H
#define PROGRESS_REVIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "progress/fsrs.h"
#include "progress/progress.h"

enum { ITEM_SIZE = 48 };

struct review {
    char id[ID_SIZE];
    char item[ITEM_SIZE];
    char sitting[ID_SIZE]; /* "" when none */
    int64_t reviewed_ms;
    int64_t day; /* day.h */
    enum fsrs_rating rating, derived;
    int64_t elapsed_days;      /* -1 at the first */
    struct fsrs_memory before; /* stability 0 at the first */
    struct fsrs_memory after;
};

/* What is remembered of an item now. */
struct review_memory {
    int reviews; /* 0: never seen; the rest is then empty */
    struct fsrs_memory memory;
    int64_t first_day, last_day;
    int64_t due_day; /* at the desired retention */
};

/* Add one row, inside the caller's transaction. `sitting` may be NULL. */
MUST_CHECK enum status review_add(struct progress *progress, const char *item, const char *sitting,
                                  int64_t reviewed_ms, enum fsrs_rating rating, struct error *err);

/* The same in a transaction of its own. */
MUST_CHECK enum status review_keep(struct progress *progress, const char *item, int64_t reviewed_ms,
                                   enum fsrs_rating rating, struct error *err);

/* Lower the item's newest rating, and compute its rows again. STATUS_USAGE when `rating` is higher
 * than what was derived, STATUS_NOT_FOUND when it was never reviewed. */
MUST_CHECK enum status review_lower(struct progress *progress, const char *item,
                                    enum fsrs_rating rating, struct error *err);

MUST_CHECK enum status review_memory(struct review_memory *memory, struct progress *progress,
                                     const char *item, double retention, struct error *err);

/* Chance to recall the item on `day`; -1 when it was never seen. */
double review_recall(const struct review_memory *memory, int64_t day);

/* The same, read from the log: recall on the interview date, for one. */
MUST_CHECK enum status review_recall_on(double *recall, struct progress *progress, const char *item,
                                        int64_t day, struct error *err);

/* The rows of an item (NULL: of all), oldest first; the caller frees them. */
MUST_CHECK enum status review_list(struct review **out, int *n, struct progress *progress,
                                   const char *item, struct error *err);

/* Compute the item's rows again, inside the caller's transaction. */
MUST_CHECK enum status review_replay(struct progress *progress, const char *item,
                                     struct error *err);

/* STATUS_OK when every item's rows are their replay; STATUS_FORMAT naming the first that is not. */
MUST_CHECK enum status review_verify(struct progress *progress, struct error *err);

#endif
