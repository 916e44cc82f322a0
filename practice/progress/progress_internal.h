/* progress_internal.h -- what the files of this room share and nobody else needs. */
#ifndef PROGRESS_INTERNAL_H
#define PROGRESS_INTERNAL_H

#include "progress/progress.h"
#include "progress/sitting.h"

static inline int64_t progress_now(const struct progress *progress)
{
    return clock_wall_ms(progress->clock);
}

/* Mark the attempts whose grader is gone. Inside a transaction. */
MUST_CHECK enum status attempt_mark_interrupted(struct progress *progress, struct error *err);

/* End, and rate, the sittings whose time is over and whose snapshot was taken: the others are left
 * to sitting_overdue(). Inside a transaction. */
MUST_CHECK enum status sitting_end_overdue(struct progress *progress, struct error *err);

/* End one, and rate it. Inside a transaction. `attempt` is the passing one, else NULL. */
MUST_CHECK enum status sitting_end(struct progress *progress, const struct sitting *sitting,
                                   enum sitting_state state, int64_t ended_ms, const char *attempt,
                                   struct error *err);

/* The clock of a paused sitting goes on. Inside a transaction; `sitting` is brought up to date. */
MUST_CHECK enum status sitting_unpause(struct progress *progress, struct sitting *sitting,
                                       struct error *err);

/* [[from,to],...]: finished pauses in order, their sum into *sum_ms. False when it is not that. */
bool sitting_pauses_parse(const char *json, int64_t *sum_ms);

/* Whether its snapshot was taken. */
MUST_CHECK enum status sitting_has_snapshot(bool *taken, struct progress *progress, const char *id,
                                            struct error *err);

/* What the tables accept as names. */
bool progress_drill_valid(const char *drill);
bool progress_id_valid(const char *id);

#endif
