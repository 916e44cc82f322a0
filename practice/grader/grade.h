/* grade.h -- one submission, from its source to its verdict.
 *
 *   cases from the seed -> run in the sandbox -> compare -> judge -> diagnose
 *                                             -> complexity -> speed
 *
 * Promises: three outcomes are never mixed; the same seed grades the same way;
 * grading an unchanged file again is always possible.
 * Does not know: attempts, clocks, where the source came from.
 * Tests: tests/grader/grade_test.c, and `lcx drill prove`
 */
#ifndef GRADER_GRADE_H
#define GRADER_GRADE_H

#include "grader/result.h"

enum { SEED_VISIBLE = 1 }; /* the visible cases are always the same */

struct grade_request {
    const struct drill *drill;
    enum lane lane;
    const char *mode; /* "blank" or "bugs" */
    const char *source;
    uint64_t seed;
    bool exam;
    bool visible_only;          /* `check`: the visible cases; C also with sanitizers */
    bool timing;                /* complexity and speed, when all else is right */
    bool speed;                 /* false: complexity only */
    const char *const *planted; /* bug hunt: names of the planted mistakes */
    int n_planted;
};

/* Always fills *result; the caller frees it with result_done(). */
void grade(struct result *result, struct grader *grader, const struct grade_request *request);

#endif
