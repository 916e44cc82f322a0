/* findings.h -- what a grading found, in the order in which it is told.
 *
 *   build -> contract -> shape -> finite -> numbers -> gradient -> edge cases
 *         -> properties -> complexity -> speed
 *
 * The first that explains the failure is shown; all are kept.
 * Tests: tests/grader/compare_test.c
 */
#ifndef GRADER_FINDINGS_H
#define GRADER_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "grader/oracle.h"

enum check {
    CHECK_BUILD,
    CHECK_CONTRACT,
    CHECK_SHAPE,
    CHECK_FINITE,
    CHECK_NUMBERS,
    CHECK_GRADIENT,
    CHECK_EDGE,
    CHECK_PROPERTIES,
    CHECK_COMPLEXITY,
    CHECK_SPEED,
    CHECK_COUNT
};

const char *check_name(enum check check); /* "build", ...: in result.json; _() for people */

struct finding {
    enum check check;
    int case_index;      /* of the case's kind in the oracle; -1: not about one case */
    const char *mistake; /* named by the check that found it; NULL. Lives with the oracle */
    char *message;

    /* Where numbers differ; field is "" otherwise. */
    char field[RECORD_NAME_LIMIT + 1];
    int ndim;
    int64_t index[RECORD_NDIM_LIMIT]; /* of the worst element */
    double got, want;
    double error_abs, error_rel; /* the worst of each */
    double share_wrong;          /* 0..1 */
};

enum { FINDING_LIMIT = 200 };

struct findings {
    struct finding *list;
    int n;
};

/* Add a finding and return it for more facts; the oldest stay when there are too many. */
struct finding *findings_add(struct findings *findings, enum check check, int case_index,
                             const char *format, ...) PRINTF_LIKE(4, 5);

/* The one to show: the earliest check, then the earliest case; NULL when there is none. */
const struct finding *findings_first(const struct findings *findings);

void findings_done(struct findings *findings);

#endif
