/* weak.h -- where the candidate was weakest, from what was answered.
 *
 * A weak point is an answer with its heaviest item that was missed or contradicted, or a drill that
 * was not passed; the candidate's own verdicts count where they were given. Lowest score first; of
 * equals an answer before a passed-over question, a contradiction before an omission. One per content
 * item.
 * Tests: tests/rounds/report_test.c
 */
#ifndef ROUNDS_WEAK_H
#define ROUNDS_WEAK_H

#include "rounds/round.h"

struct weak_point {
    char item[STEP_ITEM_SIZE]; /* "question/01/0" */
    char round[ROUND_NAME_SIZE];
    double score;
    char *ask;
    char *missing;    /* what was looked for and not found, in the answer's language */
    char *sentence;   /* what was said instead; "" when nothing was */
    bool passed_over; /* nothing was answered */
    int weight;       /* of the missing item; 10 more when it was contradicted */
};

/* The weakest points of a packet (NULL: of all rounds so far), weakest first, at most `limit`;
 * weak_points_done() releases them. */
MUST_CHECK enum status weak_points(struct weak_point **out, int *n, struct progress *progress,
                                   const char *packet, int limit, struct error *err);
void weak_points_done(struct weak_point *points, int n);

#endif
