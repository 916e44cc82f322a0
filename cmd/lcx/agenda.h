/* agenda.h -- the drills, what is remembered of them, and the plan made from both.
 *
 * What lcx today and lcx progress share. A drill's weight in the plan is the number of interview
 * rounds that it prepares.
 */
#ifndef LCX_AGENDA_H
#define LCX_AGENDA_H

#include "app.h"
#include "progress/plan.h"

struct agenda {
    int64_t today;           /* day.h */
    struct plan_item *items; /* [n]: items[i] is about app->drills.drills[i] */
    int n;
    int minutes_done; /* practised today */
    struct plan plan;
};

/* Open what is needed and make the plan of `n_days` days. 0, or the exit status after the
 * reason was printed. agenda_done() releases it. */
MUST_CHECK int agenda_make(struct agenda *agenda, struct app *app, int n_days);
void agenda_done(struct agenda *agenda);

/* "drill/01" for the plan and the log; the caller frees it. */
char *agenda_item_id(const struct drill *drill);

/* The lane that the user took last, or "numpy". Into `out`; returns `out`. */
const char *agenda_lane(char out[LANE_SIZE], struct app *app);

#endif
