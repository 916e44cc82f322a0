#include "autograd/gradcheck.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* y[0] = x0^2 x1,  y[1] = sin(x2) + x0; the context is an error in dy[1]/dx[2]. */
static void three_to_two(void *context, double *y, const double *x)
{
    (void)context;
    y[0] = x[0] * x[0] * x[1];
    y[1] = sin(x[2]) + x[0];
}

static void three_to_two_backward(void *context, double *dx, const double *dy, const double *x)
{
    const double *mistake = context;
    dx[0] = dy[0] * 2 * x[0] * x[1] + dy[1];
    dx[1] = dy[0] * x[0] * x[0];
    dx[2] = dy[1] * (cos(x[2]) + *mistake);
}

static const double at[3] = {1.5, -2, 0};
static const struct gradcheck_input inputs[2] = {{"w", 2}, {"bias", 1}};

static struct gradcheck problem(double *mistake)
{
    return (struct gradcheck){.forward = three_to_two,
                              .backward = three_to_two_backward,
                              .context = mistake,
                              .x = at,
                              .n = 3,
                              .m = 2,
                              .inputs = inputs,
                              .n_inputs = 2};
}

static void a_right_backward_pass_is_right(void **state)
{
    (void)state;
    double mistake = 0;
    struct gradcheck check = problem(&mistake);
    struct gradcheck_report report;
    assert_true(gradcheck_run(&check, &report));
    assert_int_equal(report.checked, 6);
    assert_int_equal(report.wrong, 0);
    assert_int_equal(report.kinks, 0);
    assert_string_equal(report.message, "");
}

static void a_mistake_is_named_with_its_element_and_the_numbers(void **state)
{
    (void)state;
    double mistake = 0.5;
    struct gradcheck check = problem(&mistake);
    struct gradcheck_report report;
    assert_false(gradcheck_run(&check, &report));
    assert_int_equal(report.wrong, 1);
    assert_int_equal(report.output, 1);
    assert_int_equal(report.input, 2);
    assert_true(report.backward == 1.5);
    assert_true(fabs(report.numeric - 1) < 1e-9);
    assert_non_null(strstr(report.message, "bias[0], output 1: the backward pass says 1.5, "));
    assert_non_null(strstr(report.message, "1 of 6 elements are wrong"));
    check.n_inputs = 0;
    assert_false(gradcheck_run(&check, &report));
    assert_non_null(strstr(report.message, "x[2], output 1"));
}

static void the_defaults_are_those_of_torch(void **state)
{
    (void)state;
    struct gradcheck_report report;
    double mistake = 0.00095; /* atol 1e-5 + rtol 1e-3 * 1 = 0.00101 */
    struct gradcheck check = problem(&mistake);
    assert_true(gradcheck_run(&check, &report));
    mistake = 0.00105;
    assert_false(gradcheck_run(&check, &report));
    check.rtol = 2e-3;
    assert_true(gradcheck_run(&check, &report));
    mistake = NAN;
    assert_false(gradcheck_run(&check, &report));
    assert_int_equal(report.input, 2);
}

/* y = max(x0, 0) + x0 x1; the context is the slope that the backward pass claims for the max. */
static void corner(void *context, double *y, const double *x)
{
    (void)context;
    y[0] = (x[0] > 0 ? x[0] : 0) + x[0] * x[1];
}

static void corner_backward(void *context, double *dx, const double *dy, const double *x)
{
    const double *claim = context;
    dx[0] = dy[0] * (*claim + x[1]);
    dx[1] = dy[0] * x[0];
}

static void at_a_kink_any_slope_between_the_sides_is_right(void **state)
{
    (void)state;
    double claim, x[2] = {0, 3};
    struct gradcheck check = {
        .forward = corner, .backward = corner_backward, .context = &claim, .x = x, .n = 2, .m = 1};
    struct gradcheck_report report;
    for (claim = 0; claim <= 1; claim += 0.25) {
        assert_true(gradcheck_run(&check, &report));
        assert_int_equal(report.kinks, 1);
    }
    claim = 1.2;
    assert_false(gradcheck_run(&check, &report));
    assert_true(fabs(report.left - 3) < 1e-6 && fabs(report.right - 4) < 1e-6);
    claim = -0.2;
    assert_false(gradcheck_run(&check, &report));
}

static void beside_a_kink_only_the_side_of_x_is_right(void **state)
{
    (void)state;
    double claim = 1, x[2] = {3e-7, 2}; /* within the first step, outside the smaller ones */
    struct gradcheck check = {
        .forward = corner, .backward = corner_backward, .context = &claim, .x = x, .n = 2, .m = 1};
    struct gradcheck_report report;
    assert_true(gradcheck_run(&check, &report));
    assert_int_equal(report.kinks, 1);
    claim = 0.65; /* what the wide step says: right by accident only */
    assert_false(gradcheck_run(&check, &report));
    claim = 0;
    assert_false(gradcheck_run(&check, &report));
}

static void half_a_root(void *context, double *y, const double *x)
{
    (void)context;
    y[0] = (double)sqrtf((float)x[0]);
}

static void half_a_root_backward(void *context, double *dx, const double *dy, const double *x)
{
    const double *factor = context;
    dx[0] = dy[0] * *factor / sqrt(x[0]);
}

static void a_pass_in_f32_is_checked_with_coarser_steps(void **state)
{
    (void)state;
    double factor = 0.5, x[1] = {1.7};
    struct gradcheck check = {.forward = half_a_root,
                              .backward = half_a_root_backward,
                              .context = &factor,
                              .x = x,
                              .n = 1,
                              .m = 1,
                              .single = true};
    struct gradcheck_report report;
    assert_true(gradcheck_run(&check, &report));
    assert_int_equal(report.kinks, 0);
    factor = 0.505;
    assert_false(gradcheck_run(&check, &report));
}

static void forgetful_backward(void *context, double *dx, const double *dy, const double *x)
{
    double *kept = context;
    three_to_two_backward(&(double){0}, dx, dy, x);
    dx[1] += *kept;
    *kept += 1e-12; /* a gradient that leaks into the next pass */
}

static void two_backward_passes_must_give_the_same_bits(void **state)
{
    (void)state;
    double kept = 0;
    struct gradcheck check = problem(&kept);
    struct gradcheck_report report;
    check.backward = forgetful_backward;
    assert_false(gradcheck_run(&check, &report));
    assert_non_null(strstr(report.message, "w[1], output 0: two backward passes differ"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_backward_pass_is_right),
        cmocka_unit_test(a_mistake_is_named_with_its_element_and_the_numbers),
        cmocka_unit_test(the_defaults_are_those_of_torch),
        cmocka_unit_test(at_a_kink_any_slope_between_the_sides_is_right),
        cmocka_unit_test(beside_a_kink_only_the_side_of_x_is_right),
        cmocka_unit_test(a_pass_in_f32_is_checked_with_coarser_steps),
        cmocka_unit_test(two_backward_passes_must_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
