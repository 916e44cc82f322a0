/* draw.h -- the steps of a round: which content, in which order, for how long.
 *
 *   recruiter    pitch, why this lab, fit, pay, your questions
 *   phone        a whiteboard question 30', a drill of at most 30'
 *   systems      clarify 8', estimate 12', architecture 18', deep dive 12', failures 2 x 5'
 *   coding       one or two drills that fill the hour
 *   research     presenting 45', being probed 45'
 *   paper        claim 2', figures 3', method 7', experiment 4', untested 2', opinion 2', oral 3 x 5'
 *   behavioral   two questions on values, three stories
 *   manager      three weak points of the packet, what is being built, your questions
 *   ask          one whiteboard question
 *   story        one story of the candidate's own, with all five probes
 *
 * What was answered least often comes first; a seed decides between equals.
 * Tests: tests/rounds/draw_test.c
 */
#ifndef ROUNDS_DRAW_H
#define ROUNDS_DRAW_H

#include "content/drill.h"
#include "content/library.h"
#include "rounds/round.h"

/* The steps of `round` (its name, content and seed) into `steps`, [ROUND_STEP_LIMIT].
 * STATUS_NOT_FOUND when what was asked for does not exist or nothing fits. */
MUST_CHECK enum status round_draw(struct step *steps, int *n, const struct round *round,
                                  const struct library *library, const struct drills *drills,
                                  struct progress *progress, struct error *err);

/* A step's phase, or a round's name, for people, in the user's language. */
const char *phase_title(const char *phase);

/* A step for people: "method: Attention Is All You Need"; of a set only its question's title. The caller
 * frees it. */
char *step_title(const struct library *library, const char *phase, const char *item,
                 const char *language);

#endif
