#include "content/expression.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static const struct expression_value values[] = {{"users", 20e6}, {"turns", 4}, {"d_head", 64}};

static void expect(const char *text, double expected)
{
    double value;
    struct error err;
    if (expression_evaluate(&value, text, values, 3, &err)) fail_msg("%s", err.message);
    if (fabs(value - expected) > 1e-12 * fabs(expected)) fail_msg("%s is %.17g", text, value);
}

static void refuse(const char *text, const char *why)
{
    double value = 1;
    struct error err;
    const enum status status = expression_evaluate(&value, text, values, 3, &err);
    if (!status || !strstr(err.message, why)) fail_msg("%s: %s", text, status ? err.message : "ok");
    assert_true(value == 0);
}

static void products_bind_tighter_than_sums_and_both_go_left_to_right(void **state)
{
    (void)state;
    expect("2+3*4", 14);
    expect("10-4-3", 3);
    expect("64/4/2", 8);
    expect("(2+3)*4", 20);
    expect(" 2 + 3 ", 5);
}

static void powers_go_right_to_left_and_bind_tighter_than_a_sign(void **state)
{
    (void)state;
    expect("2^3^2", 512);
    expect("-2^2", -4);
    expect("2^-1", 0.5);
    expect("2*3^2", 18);
}

static void functions_are_those_of_the_header(void **state)
{
    (void)state;
    expect("sqrt(64)", 8);
    expect("log(exp(1))", 1);
    expect("log2(1024)+log10(1000)", 13);
    expect("ceil(7.2)+floor(7.8)", 15);
    expect("min(3,1,2)*max(4,5)", 5);
}

static void names_are_the_callers_values(void **state)
{
    (void)state;
    expect("users*turns/86400", 20e6 * 4 / 86400);
    expect("sqrt(d_head)", 8);
    refuse("heads*2", "unknown name");
    refuse("tan(1)", "unknown function");
}

static void what_is_no_expression_is_refused_with_its_place(void **state)
{
    (void)state;
    refuse("", "expected a number at character 1");
    refuse("1+", "at character 3");
    refuse("(1", "expected )");
    refuse("1)", "expected the end");
    refuse("1 2", "expected the end");
    refuse("sqrt(1,2)", "one argument");
    refuse("sqrt()", "expected a number");
    refuse(".", "expected a number");
    refuse("1+é", "expected a number");
}

static void a_step_that_is_not_finite_is_no_figure(void **state)
{
    (void)state;
    refuse("1/0", "not finite");
    refuse("1/(1/0)", "not finite");
    refuse("min(sqrt(-1),3)", "not finite");
    refuse("10^400", "not finite");
    refuse("1e400", "not finite");
    refuse("log(0)", "not finite");
}

static void nesting_and_length_have_limits(void **state)
{
    char text[2000];
    (void)state;
    memset(text, '(', 500);
    strcpy(text + 500, "1");
    refuse(text, "nested too deeply");
    memset(text, '-', 900);
    strcpy(text + 900, "1");
    refuse(text, "nested too deeply");
    memset(text, '1', 1500);
    text[1500] = '\0';
    refuse(text, "at most");
    strcpy(text, "((((((((((1))))))))))");
    expect(text, 1);
    refuse("max(1,2,3,4,5,6,7,8,9)", "too many arguments");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_bind_tighter_than_sums_and_both_go_left_to_right),
        cmocka_unit_test(powers_go_right_to_left_and_bind_tighter_than_a_sign),
        cmocka_unit_test(functions_are_those_of_the_header),
        cmocka_unit_test(names_are_the_callers_values),
        cmocka_unit_test(what_is_no_expression_is_refused_with_its_place),
        cmocka_unit_test(a_step_that_is_not_finite_is_no_figure),
        cmocka_unit_test(nesting_and_length_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
