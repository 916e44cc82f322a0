/* rating.h -- what a sitting says about memory.
 *
 *   ended without a pass                                              Again
 *   passed, with a hint or in overtime                                Hard
 *   passed in time                                                    Good
 *   passed at the first submission, under 60 % of the time            Easy
 *   rehearsal; or every submission met a limit of ours, not of theirs (none)
 *
 * The user may lower a rating, never raise it.
 * Tests: tests/progress/rating_test.c
 */
#ifndef PROGRESS_RATING_H
#define PROGRESS_RATING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "progress/fsrs.h"
#include "progress/progress.h"

struct rating_facts {
    bool rehearsal;
    bool passed;
    int hints;
    int submissions;    /* graded pass, fail or limit, the passing one included */
    int our_faults;     /* graded unavailable or error */
    int64_t elapsed_ms; /* on the clock, at the passing submission */
    int64_t budget_ms;
};

enum fsrs_rating rating_derive(const struct rating_facts *facts);

/* Lower the rating of an ended sitting; memory is replayed from there. STATUS_USAGE when `rating` is
 * not lower than it is now; STATUS_NOT_FOUND when the sitting was not rated. */
MUST_CHECK enum status rating_lower(struct progress *progress, const char *sitting,
                                    enum fsrs_rating rating, struct error *err);

#endif
