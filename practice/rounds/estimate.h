/* estimate.h -- the estimate of a design, recomputed from the candidate's own assumptions.
 *
 *   name = number unit      an assumption (a variable of the brief) or an estimate
 *
 * Each estimate is computed from the candidate's assumptions, what is not assumed from the brief's
 * figures, and compared: equal at one significant figure is close, within a factor of two is the order
 * of magnitude, a factor that a unit explains is named. Every line is stored as it is typed; a name
 * given again replaces what was said before.
 * Tests: tests/rounds/estimate_test.c
 */
#ifndef ROUNDS_ESTIMATE_H
#define ROUNDS_ESTIMATE_H

#include "content/brief.h"
#include "rounds/round.h"

struct estimate {
    struct progress *progress;
    const struct round *round;
    const struct step *step;
    const struct brief *brief;
    struct expression_value *assumed; /* [variables + estimates], the brief's unless said */
    double *said;                     /* [estimates], NAN when not said */
    bool *assumption;                 /* [variables], said by the candidate */
};

/* Everything is borrowed while it is open; what was typed before an interruption is read again. */
MUST_CHECK enum status estimate_open(struct estimate *estimate, struct progress *progress,
                                     const struct round *round, const struct step *step,
                                     const struct brief *brief,
                                     const struct expression_value *figures, struct error *err);
void estimate_done(struct estimate *estimate);

/* Take and store one line. STATUS_USAGE when it is no line, names nothing of the sheet or has
 * another unit (what was expected is in the message): nothing is stored then. */
MUST_CHECK enum status estimate_line(struct estimate *estimate, const char *line,
                                     struct error *err);

/* Score the sheet and store it as the step's last answer, the caller's (answer_done). */
MUST_CHECK enum status estimate_end(struct answer *answer, struct estimate *estimate,
                                    struct error *err);

#endif
