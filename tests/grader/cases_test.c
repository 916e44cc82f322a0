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

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

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

static void what_numpy_prints_is_capped_as_in_c_and_ends_nothing(void **state)
{
    (void)state;
    if (!trial_has(LANE_NUMPY)) skip();
    struct text source = {0};
    assert_int_equal(drill_read(&source, trial_drill("01"), "reference", LANE_NUMPY, NULL),
                     STATUS_OK);
    text_add(&source, "\nprint('first')\nprint('x' * 1_000_000)\nprint('last')\n");
    struct result result = trial_grade("01", LANE_NUMPY, text_string(&source));
    assert_int_equal(result.verdict, VERDICT_PASS);
    assert_in_range(strlen(result.printed), 64 * 1024, 65 * 1024);
    assert_memory_equal(result.printed, "first\n", 6);
    assert_non_null(strstr(result.printed, "bytes left out"));
    assert_string_equal(result.printed + strlen(result.printed) - 5, "last\n");
    result_done(&result);
    text_done(&source);
}

/* ---- uid 0, whose runs are another's, and a clone that is closed to all others ---- */

static void copy_helper(const char *folder, const char *name)
{
    struct text bytes = {0};
    char *from = path_join(HELPERS, name), *to = path_join(folder, name);
    assert_int_equal(file_read(&bytes, from, 64 << 20, NULL), STATUS_OK);
    assert_int_equal(file_scratch(to, text_string(&bytes), bytes.size, 0755, NULL), STATUS_OK);
    text_done(&bytes);
    free(from);
    free(to);
}

static void assert_passes_from(const char *helpers, enum lane lane)
{
    struct text source = {0};
    struct result result;
    struct grader grader = {.helpers = helpers};
    assert_int_equal(drill_read(&source, trial_drill("01"), "reference", lane, NULL), STATUS_OK);
    const struct grade_request request = {.drill = trial_drill("01"),
                                          .lane = lane,
                                          .mode = "blank",
                                          .source = text_string(&source),
                                          .seed = 11,
                                          .timing = true};
    grade(&result, &grader, &request);
    if (result.verdict != VERDICT_PASS) fail_msg("%d: %s", result.verdict, result.trouble.message);
    /* ours, which the run's user may read and not write; and gone with the grader */
    struct stat info;
    assert_non_null(grader.stage);
    assert_int_equal(stat(grader.stage, &info), 0);
    assert_int_equal(info.st_uid, 0);
    assert_int_equal(info.st_mode & 07777, 0711);
    char *stage = text_copy(grader.stage);
    grader_done(&grader);
    assert_false(file_exists(stage));
    free(stage);
    result_done(&result);
    text_done(&source);
}

static void a_closed_clone_is_graded_as_uid_0_without_namespaces(void **state)
{
    (void)state;
    if (geteuid() != 0 || !trial_has(LANE_NUMPY)) skip();
    static const char *const names[] = {"call-01.o", "reference-01", "worker.py", "libconfine.so",
                                        "lcx-confine"};
    char closed[] = "/tmp/lynx-cortex-closed-XXXXXX";
    struct error err;
    sandbox_pretend(SANDBOX_NO_NAMESPACES);
    assert_non_null(mkdtemp(closed)); /* 0700 */
    char *helpers = path_join(closed, "helpers");
    assert_int_equal(mkdir(helpers, 0755), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) copy_helper(helpers, names[i]);
    sandbox_init(helpers);

    assert_passes_from(helpers, LANE_C);
    assert_passes_from(helpers, LANE_NUMPY);

    /* killed before it could clear up */
    const pid_t lcx = fork();
    if (lcx == 0) {
        char *stage = NULL, *place = NULL, *from = path_join(helpers, "worker.py");
        const bool staged = !sandbox_stage(&place, &stage, from, closed, NULL);
        _exit(staged && strcmp(place, from) != 0 && file_exists(place) ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(lcx, &status, 0), lcx);
    assert_int_equal(status, 0);
    if (sandbox_sweep(closed, &err)) fail_msg("%s", err.message);
    if (sandbox_folder_remove(helpers, &err)) fail_msg("%s", err.message);
    assert_int_equal(rmdir(closed), 0); /* nothing else is left in it */

    free(helpers);
    sandbox_init(HELPERS);
    sandbox_pretend(SANDBOX_AS_IS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_seed_has_cases_of_its_own),
        cmocka_unit_test(a_check_runs_the_visible_cases_and_a_submission_all),
        cmocka_unit_test(a_flood_from_c_ends_at_the_limit_and_is_capped),
        cmocka_unit_test(what_numpy_prints_is_capped_as_in_c_and_ends_nothing),
        cmocka_unit_test(a_closed_clone_is_graded_as_uid_0_without_namespaces),
    };
    return cmocka_run_group_tests(tests, trial_begin, trial_end);
}
