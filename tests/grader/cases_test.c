/* Which cases a grading runs: new ones for each seed, the visible ones only at `check`; and that a
 * flood ends in the C lane as it does in the others. */
#include "grader/grade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trial.h"

#define C_SIGNATURE \
    "#include \"attention.h\"\n#include <stdio.h>\n#include <string.h>\n" \
    "void attention(float *out, const float *q, const float *k, const float *v," \
    " const bool *m, bool c, int B, int H, int T, int D)\n"

static const char zeros[] =
    C_SIGNATURE "{ memset(out, 0, sizeof *out * (size_t)B * H * T * D); }\n";

static struct result grade_zeros(uint64_t seed, bool visible_only)
{
    const struct grade_request request = {.drill = trial_drill("01"),
                                          .lane = LANE_C,
                                          .mode = "blank",
                                          .source = zeros,
                                          .seed = seed,
                                          .visible_only = visible_only};
    struct result result;
    grade(&result, &trial_grader, &request);
    assert_int_equal(result.verdict, VERDICT_FAIL);
    assert_non_null(result.failing_input);
    return result;
}

static void each_seed_has_cases_of_its_own(void **state)
{
    (void)state;
    struct result a = grade_zeros(11, false), again = grade_zeros(11, false);
    struct result b = grade_zeros(12, false);
    assert_string_equal(a.failing_input, again.failing_input);
    assert_string_not_equal(a.failing_input, b.failing_input);
    assert_string_not_equal(result_first(&a)->message, result_first(&b)->message);
    int same = 0;
    for (int i = 0; i < a.findings.n && i < b.findings.n; i++)
        same += a.findings.list[i].want == b.findings.list[i].want;
    assert_true(a.findings.n >= 5 && same == 0);
    result_done(&a);
    result_done(&again);
    result_done(&b);
}

static void a_check_runs_the_visible_cases_and_a_submission_all(void **state)
{
    (void)state;
    const struct oracle *oracle = oracle_find(trial_drill("01")->name);
    int n_visible = 0;
    for (int i = 0; i < oracle->n_kinds; i++) n_visible += oracle->kinds[i].visible;

    struct result check = grade_zeros(SEED_VISIBLE, true), submission = grade_zeros(11, false);
    assert_int_equal(check.n_cases, n_visible);
    assert_int_equal(submission.n_cases, oracle->n_kinds);
    bool hidden = false;
    for (int i = 0; i < check.findings.n; i++) {
        const int kind = check.findings.list[i].case_index;
        assert_true(kind < 0 || oracle->kinds[kind].visible);
    }
    for (int i = 0; i < submission.findings.n; i++) {
        const int kind = submission.findings.list[i].case_index;
        if (kind >= 0 && !oracle->kinds[kind].visible) hidden = true;
    }
    assert_true(hidden);
    result_done(&check);
    result_done(&submission);
}

static void a_flood_from_c_ends_at_the_limit_and_is_capped(void **state)
{
    (void)state;
    struct result result =
        trial_grade("01", LANE_C, C_SIGNATURE "{ for (;;) puts(\"all work and no play\"); }\n");
    assert_int_equal(result.verdict, VERDICT_LIMIT);
    assert_int_equal(result.trouble.limit, SANDBOX_LIMIT_OUTPUT);
    /* 64 KiB of the program's words, after the compiler's */
    assert_in_range(strlen(result.printed), 64 * 1024, 72 * 1024);
    result_done(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_seed_has_cases_of_its_own),
        cmocka_unit_test(a_check_runs_the_visible_cases_and_a_submission_all),
        cmocka_unit_test(a_flood_from_c_ends_at_the_limit_and_is_capped),
    };
    return cmocka_run_group_tests(tests, trial_begin, trial_end);
}
