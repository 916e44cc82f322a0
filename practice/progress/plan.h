/* plan.h -- what to do today, and what the coming days look like.
 *
 * One rule, applied day by day from today:
 *   1. a running sitting, its overtime first;
 *   2. reviews that are due, lowest recall first;
 *   3. at most one new drill, the heaviest first;
 * as long as the day's minutes last (what does not fit is passed over for what does; a day
 * with nothing on it takes one item even when it is longer than the day). Tomorrow is today's
 * outcome with every review Good.
 *
 * With an interview date, an item seen fewer than twice is due again before it, and a new drill is
 * begun only when it can be seen twice before it; the lightest that cannot are left out, and said.
 *
 * Pure: no clock, no database. plan_item_of() fills an item from the database.
 * Tests: tests/progress/plan_test.c
 */
#ifndef PROGRESS_PLAN_H
#define PROGRESS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"
#include "progress/review.h"

enum { PLAN_ITEM_LIMIT = 1000, PLAN_DAY_LIMIT = 366 };

enum plan_state {
    PLAN_STATE_IDLE,
    PLAN_STATE_RUNNING,  /* a sitting is open, time left */
    PLAN_STATE_OVERTIME, /* a sitting is open, past zero */
};

struct plan_item {
    const char *id; /* borrowed, "drill/01" */
    int minutes;    /* what a sitting takes */
    double weight;  /* how much it matters, >= 0 */
    enum plan_state state;
    int minutes_left;            /* of the running sitting */
    struct review_memory memory; /* memory.reviews == 0: new */
};

struct plan_question {
    const struct plan_item *items; /* borrowed; ids differ */
    int n_items;                   /* at most PLAN_ITEM_LIMIT */
    int64_t today;
    int64_t interview_day; /* DAY_NONE, or a day: the plan ends the day before */
    int daily_minutes;     /* > 0 */
    double retention;
    int minutes_done; /* already practised today */
    int new_done;     /* new drills already begun today */
    int n_days;       /* of forecast wanted, 1 .. PLAN_DAY_LIMIT */
};

enum plan_reason { PLAN_FINISH, PLAN_REVIEW, PLAN_NEW };

struct plan_entry {
    int item; /* index into the question's items */
    enum plan_reason reason;
    int minutes;
    double recall; /* today; -1 for a new one */
};

struct plan_day {
    int64_t day;
    int reviews, fresh; /* how many of each */
    int minutes;
    int backlog; /* reviews due that did not fit */
};

/* How an item ends up before the interview. */
struct plan_outlook {
    int item;
    int sightings; /* before the interview, past ones included */
    bool fits;     /* at least two */
    double recall; /* on the interview day if the plan is kept; -1 when never seen */
};

struct plan {
    struct plan_entry *today;
    int n_today;
    int minutes;           /* of today's entries */
    int left_out;          /* reviews due today that did not fit */
    struct plan_day *days; /* [n_days], days[0] is today */
    int n_days;
    struct plan_outlook *outlook; /* one per item by weight, heaviest first; NULL without a date */
    int n_outlook;
};

/* Cannot fail; wrong questions abort. plan_done() releases it. */
void plan_make(struct plan *plan, const struct plan_question *question);
void plan_done(struct plan *plan);

/* Fill state, minutes_left and memory of `item` (whose id is "drill/NN") from the database. */
MUST_CHECK enum status plan_item_read(struct plan_item *item, struct progress *progress,
                                      double retention, struct error *err);

/* Minutes practised and new drills begun on the question's day, for minutes_done and new_done. */
MUST_CHECK enum status plan_done_today(int *minutes_done, int *new_done, struct progress *progress,
                                       int64_t today, struct error *err);

#endif
