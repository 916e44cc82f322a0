/* agenda.h -- all there is to practise, what is remembered of it, and the plan made from both.
 *
 * What lcx today, review and progress share.
 */
#ifndef LCX_AGENDA_H
#define LCX_AGENDA_H

#include "app.h"
#include "content/library.h"
#include "progress/plan.h"
#include "rounds/study.h"

struct agenda {
    int64_t today; /* day.h */
    struct library library;
    struct study study;          /* items[i] is about app->drills.drills[i] for i < n_drills */
    struct plan_done_today done; /* practised today */
    struct plan plan;
};

/* Open what is needed and make the plan of `n_days` days. 0, or the exit status after the
 * reason was printed. agenda_done() releases it. */
MUST_CHECK int agenda_make(struct agenda *agenda, struct app *app, int n_days);
void agenda_done(struct agenda *agenda);

/* The title of an item for people; "" when there is none. */
const char *agenda_title(const struct agenda *agenda, const struct app *app, int item);

/* "01" of "question/01/0" and of "drill/01". Into `out`; returns `out`. */
const char *agenda_number(char out[24], const struct plan_item *item);

/* "lcx ask 01": how the item is practised. Into `out`; returns `out`. */
const char *agenda_command(char out[64], struct app *app, const struct plan_item *item,
                           enum plan_reason reason);

/* "drill", "question", "node" or "card": what an item is, for programs. */
const char *agenda_kind(const struct plan_item *item);

/* The names of the drills and questions that cannot be seen twice before the date, and how many
 * others; "" when all fit. The caller frees it. */
char *agenda_left_out(const struct agenda *agenda, const struct app *app);

#endif
