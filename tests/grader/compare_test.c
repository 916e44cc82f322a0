#include "grader/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "grader/timing.h"

static const struct case_kind kinds[] = {{"plain", CASE_NUMBERS, true}, {"edge", CASE_EDGE, false}};
static int64_t hundred(const struct record *in)
{
    (void)in;
    return 100;
}
static const struct output_rule rules[] = {{.field = "y", .axes = "BT"},
                                           {.field = "dx", .gradient = true},
                                           {.field = "ids", .exact = true},
                                           {.field = "sum", .reduction = hundred}};
static const struct oracle oracle = {
    .name = "test", .kinds = kinds, .n_kinds = 2, .rules = rules, .n_rules = 4};
static const struct record no_inputs;

/* Compare a [2,3] field `name` whose expected values are 1..6 with got[i] = values[i]. */
static struct findings compare(const char *name, const float *values, int kind)
{
    struct record want = {0}, got = {0};
    struct findings findings = {0};
    double *w = record_add_f64(&want, name, SHAPE(2, 3));
    float *g = record_add_f32(&got, name, SHAPE(2, 3));
    for (int i = 0; i < 6; i++) {
        w[i] = i + 1;
        g[i] = values[i];
    }
    compare_case(&findings, &oracle, kind, kind, &no_inputs, &want, &got);
    record_done(&want);
    record_done(&got);
    return findings;
}

static void expect_words(struct findings findings, enum check check, const char *words)
{
    const struct finding *first = findings_first(&findings);
    assert_non_null(first);
    assert_int_equal(first->check, check);
    if (!strstr(first->message, words))
        fail_msg("\"%s\" does not say \"%s\"", first->message, words);
    findings_done(&findings);
}

static void rounding_is_right_and_one_wrong_element_is_found(void **state)
{
    (void)state;
    struct findings none = compare("y", (float[]){1.00005f, 2, 3, 4, 5.0002f, 6}, 0);
    assert_int_equal(none.n, 0);
    struct findings one = compare("y", (float[]){1, 2, 3, 4, 5.01f, 6}, 0);
    assert_int_equal(one.n, 1);
    assert_int_equal(one.list[0].index[0], 1);
    assert_int_equal(one.list[0].index[1], 1);
    assert_true(fabs(one.list[0].share_wrong - 1.0 / 6) < 1e-12);
    assert_true(fabs(one.list[0].error_abs - 0.01) < 1e-6);
    findings_done(&one);
}

static void the_tolerance_widens_with_the_root_of_the_reduction(void **state)
{
    (void)state;
    const float off = 6.0f * (1 + 5e-4f); /* 5 times rtol: inside 10 rtol, outside 1 */
    struct findings wide = compare("sum", (float[]){1, 2, 3, 4, 5, off}, 0);
    assert_int_equal(wide.n, 0);
    expect_words(compare("y", (float[]){1, 2, 3, 4, 5, off}, 0), CHECK_NUMBERS, "y[1,2]");
}

static void nan_equals_nothing(void **state)
{
    (void)state;
    expect_words(compare("y", (float[]){1, 2, 3, NAN, 5, 6}, 0), CHECK_FINITE, "y[1,0] is nan");
    expect_words(compare("y", (float[]){1, 2, INFINITY, 4, 5, 6}, 1), CHECK_FINITE, "inf");
}

static void patterns_are_named(void **state)
{
    (void)state;
    expect_words(compare("dx", (float[]){2, 4, 6, 8, 10, 12}, 0), CHECK_GRADIENT, "counted twice");
    expect_words(compare("y", (float[]){-1, -2, -3, -4, -5, -6}, 0), CHECK_NUMBERS, "the sign?");
    expect_words(compare("y", (float[]){1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f}, 0), CHECK_NUMBERS,
                 "off by 0.5");
    expect_words(compare("y", (float[]){1, 2, 9, 4, 5, 7}, 1), CHECK_EDGE,
                 "last position of axis T");
    expect_words(compare("y", (float[]){1, 2, 3, 9, 1, 7}, 0), CHECK_NUMBERS,
                 "last position of axis B");
    expect_words(compare("y", (float[]){0, 0, 0, 0, 0, 0}, 0), CHECK_NUMBERS, "is 0");
}

static void a_wrong_shape_says_which_axes(void **state)
{
    (void)state;
    struct record want = {0}, got = {0};
    struct findings findings = {0};
    record_add_f64(&want, "y", SHAPE(2, 3));
    record_add_f32(&got, "y", SHAPE(3, 2));
    assert_false(compare_case(&findings, &oracle, 0, 0, &no_inputs, &want, &got));
    expect_words(findings, CHECK_SHAPE, "axes B and T are swapped");
    record_done(&want);
    record_done(&got);
}

static void missing_fields_and_other_kinds_of_numbers_break_the_contract(void **state)
{
    (void)state;
    struct record want = {0}, got = {0};
    struct findings findings = {0};
    record_add_f64(&want, "y", SHAPE(2));
    record_add_i64(&want, "ids", SHAPE(2));
    record_add_f32(&got, "ids", SHAPE(2));
    assert_false(compare_case(&findings, &oracle, 0, 0, &no_inputs, &want, &got));
    assert_int_equal(findings.n, 2);
    assert_int_equal(findings.list[0].check, CHECK_CONTRACT);
    assert_int_equal(findings.list[1].check, CHECK_CONTRACT);
    findings_done(&findings);
    record_done(&want);
    record_done(&got);
}

static void a_mistake_matches_with_its_non_finite_places(void **state)
{
    (void)state;
    struct record other = {0}, got = {0};
    double *o = record_add_f64(&other, "y", SHAPE(3));
    float *g = record_add_f32(&got, "y", SHAPE(3));
    o[0] = g[0] = 1;
    o[1] = (double)NAN;
    g[1] = -INFINITY;
    o[2] = g[2] = 3;
    assert_true(compare_matches(&oracle, &no_inputs, &other, &got));
    g[2] = NAN;
    assert_false(compare_matches(&oracle, &no_inputs, &other, &got));
    g[2] = 3.1f;
    assert_false(compare_matches(&oracle, &no_inputs, &other, &got));
    record_done(&other);
    record_done(&got);
}

static void the_exponent_of_a_power_is_found(void **state)
{
    (void)state;
    const int64_t sizes[] = {100, 200, 400, 800};
    double times[4];
    for (int i = 0; i < 4; i++) times[i] = 3.0 * pow((double)sizes[i], 1.7);
    assert_true(fabs(timing_exponent(sizes, times, 4) - 1.7) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_right_and_one_wrong_element_is_found),
        cmocka_unit_test(the_tolerance_widens_with_the_root_of_the_reduction),
        cmocka_unit_test(nan_equals_nothing),
        cmocka_unit_test(patterns_are_named),
        cmocka_unit_test(a_wrong_shape_says_which_axes),
        cmocka_unit_test(missing_fields_and_other_kinds_of_numbers_break_the_contract),
        cmocka_unit_test(a_mistake_matches_with_its_non_finite_places),
        cmocka_unit_test(the_exponent_of_a_power_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
