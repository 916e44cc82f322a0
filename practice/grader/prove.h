/* prove.h -- is a drill fit to judge people?
 *
 *   reference   must pass          starter, empty   must fail
 *   mutant      must fail, and the diagnosis must name it
 *
 * Every case is a real submission in its lane and goes the whole way, sandbox included.
 */
#ifndef GRADER_PROVE_H
#define GRADER_PROVE_H

#include "grader/grade.h"

struct prove_row {
    const struct drill *drill;
    enum lane lane;
    char name[64]; /* "reference", "starter", "empty", "mutant:no-scale" */
    enum verdict verdict;
    const char *diagnosis; /* NULL when none */
    bool ok;
    double total_ms;
    const char *summary; /* what the candidate would be told */
};

typedef void prove_told(void *context, const struct prove_row *row);

/* Prove one drill in one lane, telling each row as it is known. *failed counts the rows that
 * were not ok. STATUS_FORMAT when the drill's own files contradict each other. */
MUST_CHECK enum status prove(int *failed, struct grader *grader, const struct drill *drill,
                             enum lane lane, uint64_t seed, const char *language, prove_told *told,
                             void *context, struct error *err);

#endif
