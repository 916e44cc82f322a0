/* result.h -- the verdict of one attempt, and its result.json.
 *
 *   pass          everything asked for is right
 *   fail          the candidate's code is wrong; the findings say how
 *   limit         a limit was hit: which, and how much was used
 *   unavailable   the lane's tools are missing here
 *   error         our fault
 *
 * Promises: the page, the command line and the store read the same JSON, whose form is
 * docs/result.schema.json (schema version 1).
 * Tests: tests/grader/result_test.c, tests/cli/
 */
#ifndef GRADER_RESULT_H
#define GRADER_RESULT_H

#include "base/json.h"
#include "grader/findings.h"
#include "grader/runner.h"

enum { RESULT_SCHEMA = 1, DIAGNOSIS_LIMIT = 8 };

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_LIMIT, VERDICT_UNAVAILABLE, VERDICT_ERROR };

const char *verdict_name(enum verdict verdict); /* "pass", "fail", ... */

enum check_state { CHECK_NOT_RUN, CHECK_PASSED, CHECK_FAILED };

struct result {
    const struct drill *drill; /* borrowed, as is the oracle behind case names */
    const struct oracle *oracle;
    enum lane lane;
    const char *mode; /* "blank", "bugs" */
    bool exam, visible_only;
    uint64_t seed;

    enum verdict verdict;
    struct findings findings;
    enum check_state checks[CHECK_COUNT];
    struct trouble trouble; /* what ended it, when something did */
    int n_cases, n_passed;

    const char *diagnosis[DIAGNOSIS_LIMIT]; /* names of mistakes still in, simplest first */
    int n_diagnosis;
    const char *const *planted; /* bug hunt: the mistakes that were planted; borrowed */
    int n_planted;

    char *failing_input; /* JSON of the smallest failing input; NULL when not shown */
    char *printed;       /* by the compiler, the import or the submission; capped */

    double exponent, exponent_limit; /* 0: not measured */
    double speed_ratio;              /* time per call / reference's; 0: not measured */
    double speed_low, speed_high;
    double call_us, reference_us;
    double cpu_ms, build_ms, total_ms;
    uint64_t memory_bytes;
};

void result_done(struct result *result);

/* The finding to show; NULL when it passed. */
const struct finding *result_first(const struct result *result);

/* One to three sentences for the candidate, in a language. The caller frees it. */
char *result_summary(const struct result *result, const char *language);

/* result.json. New reference. */
json_t *result_json(const struct result *result, const char *language);

#endif
