/* plan.h -- what to do today, and what the coming days look like.
 *
 *   a drill   a sitting with the clock                 new: at most one a day
 *   a tree    a whole question with its follow-ups     new: at most one a day; it comes back as
 *             its root with one follow-up that was never asked, and those
 *             that were come back as nodes
 *   a node    one follow-up by itself                  never new: an item once its tree asked it
 *   a card    a line of the rapid quiz                 new: as many as fill the rest
 *
 * One rule, applied day by day from today:
 *   1. a running sitting, its overtime first;
 *   2. reviews that are due, lowest recall first;
 *   3. one new drill and one new tree, the heavier first; between equals the kind of which less
 *      was begun;
 *   4. new cards;
 * as long as the day's minutes last (what does not fit is passed over for what does; a day
 * with nothing on it takes one item even when it is longer than the day). Tomorrow is today's
 * outcome with every review Good.
 *
 * With an interview date, an item seen fewer than twice is due again before it, and a new one is
 * begun only when it can be seen twice before it; the lightest that cannot are left out, and said.
 *
 * Pure: no clock, no database. plan_item.c fills an item from the database.
 * Tests: tests/progress/plan_test.c, tests/progress/simulation_test.c
 */
#ifndef PROGRESS_PLAN_H
#define PROGRESS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"
#include "progress/review.h"

enum { PLAN_ITEM_LIMIT = 4000, PLAN_DAY_LIMIT = 366, PLAN_ROUND_LIMIT = 16 };

/* How many follow-ups a new tree is taken to ask. */
enum { PLAN_TREE_NODES = 4 };

enum plan_kind { PLAN_DRILL, PLAN_TREE, PLAN_NODE, PLAN_CARD };

enum plan_state {
    PLAN_STATE_IDLE,
    PLAN_STATE_RUNNING,  /* a sitting is open, time left */
    PLAN_STATE_OVERTIME, /* a sitting is open, past zero */
};

struct plan_item {
    const char *id; /* borrowed: "drill/01", "question/01/0", "question/01/1-1", "card/NAME" */
    enum plan_kind kind;
    const char *tree; /* PLAN_NODE: borrowed id of its tree's item; NULL when there is none */
    int minutes;      /* what a sitting takes */
    int again;        /* what a review takes; 0: the same */
    double weight;    /* how much it matters, >= 0 */
    unsigned rounds;  /* bit i: it prepares round i */
    enum plan_state state;
    int minutes_left;            /* of the running sitting */
    struct review_memory memory; /* memory.reviews == 0: new */
};

struct plan_question {
    const struct plan_item *items; /* borrowed; ids differ; a tree stands before its nodes */
    int n_items;                   /* at most PLAN_ITEM_LIMIT */
    int64_t today;
    int64_t interview_day; /* DAY_NONE, or a day: the plan ends the day before */
    int daily_minutes;     /* > 0 */
    double retention;
    int minutes_done;          /* already practised today */
    int new_drills, new_trees; /* already begun today */
    int n_days;                /* of forecast wanted, 1 .. PLAN_DAY_LIMIT */
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
    int reviews;
    int fresh; /* new drills and trees */
    int cards; /* new cards */
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

/* Recall of a round's items on the interview day, weighted; -1 when none was seen. */
struct plan_recall {
    int items;           /* nodes that were never asked are none */
    int seen, seen_kept; /* today; by then, if the plan is kept */
    double recall;       /* if nothing more is done, over what was seen */
    double recall_kept;  /* if the plan is kept, over what will have been seen */
};

struct plan {
    struct plan_entry *today;
    int n_today;
    int minutes;           /* of today's entries */
    int left_out;          /* reviews due today that did not fit */
    struct plan_day *days; /* [n_days], days[0] is today */
    int n_days;
    struct plan_outlook *outlook; /* by weight, heaviest first, without nodes never asked;
                                   * NULL without a date */
    int n_outlook;
    struct plan_recall rounds[PLAN_ROUND_LIMIT]; /* zero without a date */
};

/* Cannot fail; wrong questions abort. plan_done() releases it. */
void plan_make(struct plan *plan, const struct plan_question *question);
void plan_done(struct plan *plan);

/* Fill memory of `item` from the database; of a drill state and minutes_left too. */
MUST_CHECK enum status plan_item_read(struct plan_item *item, struct progress *progress,
                                      double retention, struct error *err);

/* What was done on a day: minutes of drills and of answers, and the drills that were begun. */
struct plan_done_today {
    int minutes, new_drills;
};
MUST_CHECK enum status plan_done_today(struct plan_done_today *done, struct progress *progress,
                                       int64_t today, struct error *err);

#endif
