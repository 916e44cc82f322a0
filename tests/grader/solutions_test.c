/* No false verdicts: solutions in many styles, written from the task text alone.
 *
 *   tests/solutions/NN-name/LANE/right-STYLE.*   must pass
 *   tests/solutions/NN-name/LANE/wrong-WHAT.*    must fail; a line `Told: words` in it: with
 *                                                these words
 *
 * Where a drill has one starter for both Python lanes, its numpy files serve both.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "trial.h"

enum { LEAST = 3 };

static int n_graded, n_wrong;
static const char *only; /* the number of one drill, from the command line; NULL: all */

/* What the summary must say: the rest of the line after "Told: "; NULL: anything. */
static char *words_to_be_told(const char *source)
{
    static const char mark[] = "Told: ";
    const char *p = strstr(source, mark);
    if (!p) return NULL;
    p += strlen(mark);
    return text_printf("%.*s", (int)strcspn(p, "\n"), p);
}

static void grade_file(const struct drill *drill, enum lane lane, const char *folder,
                       const char *name)
{
    char *path = path_join(folder, name);
    struct text source = {0};
    assert_int_equal(file_read(&source, path, 1 << 20, NULL), STATUS_OK);
    struct result result = trial_grade(drill->number, lane, text_string(&source));
    if (text_starts_with(name, "wrong-timed-") && result.verdict != VERDICT_FAIL) {
        /* Only the clock can tell it, and a busy machine blurs a clock: the second look decides. */
        print_message("%s (%s): %s at first; graded again\n", path, lane_name(lane),
                      verdict_name(result.verdict));
        result_done(&result);
        result = trial_grade(drill->number, lane, text_string(&source));
    }
    const enum verdict expected = text_starts_with(name, "right-") ? VERDICT_PASS : VERDICT_FAIL;
    n_graded++;
    char *words = result_summary(&result, "en");
    char *told = words_to_be_told(text_string(&source));
    if (result.verdict != expected || (told && !strstr(words, told))) {
        print_error("%s (%s): %s, expected %s%s%s\n   %s\n", path, lane_name(lane),
                    verdict_name(result.verdict), verdict_name(expected), told ? ": " : "",
                    told ? told : "", words);
        n_wrong++;
    }
    free(words);
    free(told);
    result_done(&result);
    text_done(&source);
    free(path);
}

static void grade_lane(const struct drill *drill, enum lane lane)
{
    char *folder = text_printf("%s/tests/solutions/%s-%s/%s", SOURCE_ROOT, drill->number,
                               drill->name, lane_name(lane));
    if (lane == LANE_TORCH && !file_is_folder(folder)) {
        free(folder);
        folder =
            text_printf("%s/tests/solutions/%s-%s/numpy", SOURCE_ROOT, drill->number, drill->name);
    }
    int right = 0, wrong = 0;
    DIR *entries = opendir(folder);
    if (!entries) {
        print_error("%s is missing\n", folder);
        n_wrong++;
        free(folder);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (entry->d_name[0] == '.') continue;
        right += text_starts_with(entry->d_name, "right-");
        wrong += text_starts_with(entry->d_name, "wrong-");
        grade_file(drill, lane, folder, entry->d_name);
    }
    closedir(entries);
    if (right < LEAST || wrong < LEAST) {
        print_error("%s: %d right and %d wrong, expected %d of each\n", folder, right, wrong,
                    LEAST);
        n_wrong++;
    }
    free(folder);
}

static void grade_all(enum lane lane)
{
    if (!trial_has(lane)) skip();
    n_graded = n_wrong = 0;
    for (int i = 0; i < trial_drills.n_drills; i++)
        if (!only || strcmp(only, trial_drills.drills[i]->number) == 0)
            grade_lane(trial_drills.drills[i], lane);
    print_message("%d solutions graded, %d with a false verdict\n", n_graded, n_wrong);
    assert_int_equal(n_wrong, 0);
}

static void no_c_solution_gets_a_false_verdict(void **state)
{
    (void)state;
    grade_all(LANE_C);
}

static void no_numpy_solution_gets_a_false_verdict(void **state)
{
    (void)state;
    grade_all(LANE_NUMPY);
}

static void no_torch_solution_gets_a_false_verdict(void **state)
{
    (void)state;
    grade_all(LANE_TORCH);
}

int main(int argc, char **argv)
{
    if (argc > 1) only = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_c_solution_gets_a_false_verdict),
        cmocka_unit_test(no_numpy_solution_gets_a_false_verdict),
        cmocka_unit_test(no_torch_solution_gets_a_false_verdict),
    };
    return cmocka_run_group_tests(tests, trial_begin, trial_end);
}
