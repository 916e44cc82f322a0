/* readiness.h -- how ready for a round, and how sure that is.
 *
 *   readiness = sum over the round's skills of weight * R(date) * p
 *   p         = Beta(1 + passes, 1 + fails)     exam results count 1, practice 1/2, a hinted pass 1/4
 *
 * A skill is what one drill, one question with its follow-ups, one paper, brief or story asks for.
 * A drill's results are its ended sittings; those of words are answers: a score of at least 0.6 is
 * a pass. Rehearsals and what the candidate marks himself count nothing.
 *
 * The mean is exact; low and high are the 5th and 95th percentile of 2,000 draws. A skill never
 * tried stays at the prior: p uniform, R part of it. What is not known about untried skills is the
 * same thing (the person), so they share one draw: an empty history is as wide as one skill,
 * however many there are, instead of averaging to a confident half.
 *
 * Draws are Philox, keyed by (seed, skill's place): the same input gives the same numbers.
 * Nothing here predicts "hired".
 * Tests: tests/progress/readiness_test.c
 */
#ifndef PROGRESS_READINESS_H
#define PROGRESS_READINESS_H

#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"

#define READINESS_PASS 0.6

enum { READINESS_DRAWS = 2000, READINESS_SEED = 2026 };

struct readiness_skill {
    double weight;        /* > 0; only their proportions matter */
    double recall;        /* on the date, 0 .. 1; ignored when never tried */
    double passes, fails; /* weighted results; both 0: never tried */
};

struct readiness {
    double mean, low, high; /* 0 .. 1 */
    int n_tried;            /* skills with any result */
};

struct readiness readiness_of(const struct readiness_skill *skills, int n, uint64_t seed);

/* The evidence about "drill/01", or about "question/01", "paper/NAME", "brief/1", "story/NAME" with
 * all its nodes; and recall on `day` (of nodes the mean). `weight` of `skill` is kept. */
MUST_CHECK enum status readiness_evidence(struct readiness_skill *skill, struct progress *progress,
                                          const char *item, int64_t day, struct error *err);

#endif
