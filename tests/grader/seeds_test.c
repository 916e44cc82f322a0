/* No false alarm on any seed: the shipped references, float32 as a candidate's, through the whole
 * pipeline. The drills that only a judge decides are tried here as well. */
#include "grader/grade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trial.h"

enum { SEEDS_C = 20, SEEDS_PYTHON = 5 };

static void grade_references(enum lane lane, int n_seeds)
{
    int n_wrong = 0;
    if (!trial_has(lane)) skip();
    for (int i = 0; i < trial_drills.n_drills; i++)
        for (int s = 0; s < n_seeds; s++) {
            const uint64_t seed = SEED_VISIBLE + 104729u * (uint64_t)(s + 1);
            const struct grade_request request = {
                .drill = trial_drills.drills[i], .lane = lane, .mode = "blank", .seed = seed};
            struct result result;
            grade(&result, &trial_grader, &request);
            if (result.verdict != VERDICT_PASS) {
                char *words = result_summary(&result, "en");
                print_error("drill %s, %s, seed %llu: %s: %s\n", trial_drills.drills[i]->number,
                            lane_name(lane), (unsigned long long)seed, verdict_name(result.verdict),
                            words);
                free(words);
                n_wrong++;
            }
            result_done(&result);
        }
    assert_int_equal(n_wrong, 0);
}

static void the_c_references_pass_on_every_seed(void **state)
{
    (void)state;
    grade_references(LANE_C, SEEDS_C);
}

static void the_numpy_references_pass_on_every_seed(void **state)
{
    (void)state;
    grade_references(LANE_NUMPY, SEEDS_PYTHON);
}

static void the_torch_references_pass_on_every_seed(void **state)
{
    (void)state;
    grade_references(LANE_TORCH, SEEDS_PYTHON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_c_references_pass_on_every_seed),
        cmocka_unit_test(the_numpy_references_pass_on_every_seed),
        cmocka_unit_test(the_torch_references_pass_on_every_seed),
    };
    return cmocka_run_group_tests(tests, trial_begin, trial_end);
}
