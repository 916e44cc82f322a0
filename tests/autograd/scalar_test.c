#include "autograd/scalar.h"

#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double got, double want, double tolerance)
{
    if (fabs(got - want) <= tolerance * fmax(1, fabs(want))) return;
    print_error("%.17g instead of %.17g\n", got, want);
    fail();
}

/* ---- each primitive against a complex step: Im f(x + ih) / h has no cancellation ---- */

static double complex relu_complex(double complex x) { return creal(x) > 0 ? x : 0; }

static double complex sigmoid_complex(double complex x) { return 1 / (1 + cexp(-x)); }

static double complex negate_complex(double complex x) { return -x; }

static double complex add_complex(double complex a, double complex b) { return a + b; }

static double complex subtract_complex(double complex a, double complex b) { return a - b; }

static double complex multiply_complex(double complex a, double complex b) { return a * b; }

static double complex divide_complex(double complex a, double complex b) { return a / b; }

static const struct {
    const char *name;
    struct scalar (*make)(struct scalar a);
    double complex (*value)(double complex x);
    double from, to;
} one[] = {
    {"negate", scalar_negate, negate_complex, -3, 3},
    {"exp", scalar_exp, cexp, -5, 5},
    {"log", scalar_log, clog, 0.1, 9},
    {"tanh", scalar_tanh, ctanh, -4, 4},
    {"relu", scalar_relu, relu_complex, -3, 3},
    {"sigmoid", scalar_sigmoid, sigmoid_complex, -20, 20},
    {"sin", scalar_sin, csin, -7, 7},
    {"cos", scalar_cos, ccos, -7, 7},
};

static const struct {
    const char *name;
    struct scalar (*make)(struct scalar a, struct scalar b);
    double complex (*value)(double complex a, double complex b);
    bool positive;
} two[] = {
    {"+", scalar_add, add_complex, false},
    {"-", scalar_subtract, subtract_complex, false},
    {"*", scalar_multiply, multiply_complex, false},
    {"/", scalar_divide, divide_complex, false},
    {"pow", scalar_power, cpow, true},
};

enum { ONE = sizeof one / sizeof one[0], TWO = sizeof two / sizeof two[0] };
static const double step = 1e-30;

static void functions_of_one_number_agree_with_a_complex_step(void **state)
{
    (void)state;
    for (int f = 0; f < ONE; f++) {
        for (int i = 0; i < 24; i++) { /* never at 0, where relu has its corner */
            const double at = one[f].from + (one[f].to - one[f].from) * (i + 0.5) / 24;
            struct scalar_graph graph;
            scalar_graph_init(&graph);
            struct scalar x = scalar_variable(&graph, at), y = one[f].make(x), dx;
            scalar_backward(y);
            scalar_derivatives(y, &x, 1, &dx);
            const double want = cimag(one[f].value(at + step * I)) / step;
            assert_near(scalar_value(y), creal(one[f].value(at)), 1e-12);
            assert_near(scalar_gradient(x), want, 1e-9);
            assert_near(scalar_value(dx), want, 1e-9);
            scalar_graph_done(&graph);
        }
    }
}

static void functions_of_two_numbers_agree_with_a_complex_step(void **state)
{
    (void)state;
    for (int f = 0; f < TWO; f++) {
        for (int i = 0; i < 8; i++) {
            for (int j = 0; j < 8; j++) {
                const double low = two[f].positive ? 0.2 : -3;
                const double at_a = low + 0.7 * i, at_b = -2.3 + 0.61 * j;
                struct scalar_graph graph;
                scalar_graph_init(&graph);
                struct scalar x[2] = {scalar_variable(&graph, at_a), scalar_variable(&graph, at_b)};
                struct scalar y = two[f].make(x[0], x[1]), dx[2];
                scalar_backward(y);
                scalar_derivatives(y, x, 2, dx);
                const double want[2] = {cimag(two[f].value(at_a + step * I, at_b)) / step,
                                        cimag(two[f].value(at_a, at_b + step * I)) / step};
                for (int k = 0; k < 2; k++) {
                    assert_near(scalar_gradient(x[k]), want[k], 1e-9);
                    assert_near(scalar_value(dx[k]), want[k], 1e-9);
                }
                scalar_graph_done(&graph);
            }
        }
    }
}

/* A function that uses all primitives, twice over. */
static struct scalar all_of_them(struct scalar x, struct scalar y)
{
    struct scalar a = scalar_multiply(scalar_tanh(x), scalar_sigmoid(y));
    struct scalar b = scalar_divide(scalar_sin(scalar_add(x, y)), scalar_exp(y));
    struct scalar c = scalar_power(scalar_exp(x), scalar_subtract(y, a));
    struct scalar d = scalar_log(scalar_add(scalar_multiply(b, b), scalar_relu(c)));
    return scalar_add(scalar_multiply(d, scalar_cos(a)), scalar_negate(scalar_multiply(c, x)));
}

static double complex all_of_them_complex(double complex x, double complex y)
{
    const double complex a = ctanh(x) * sigmoid_complex(y), b = csin(x + y) / cexp(y);
    const double complex c = cpow(cexp(x), y - a), d = clog(b * b + relu_complex(c));
    return d * ccos(a) - c * x;
}

static void second_derivatives_agree_with_a_complex_step_of_the_first(void **state)
{
    (void)state;
    const double at[2] = {0.7, -0.4};
    struct scalar_graph graph;
    scalar_graph_init(&graph);
    struct scalar x[2] = {scalar_variable(&graph, at[0]), scalar_variable(&graph, at[1])};
    struct scalar dx[2], second[2][2];
    scalar_derivatives(all_of_them(x[0], x[1]), x, 2, dx);
    for (int i = 0; i < 2; i++) scalar_derivatives(dx[i], x, 2, second[i]);

    /* d/dx is a complex step; the second one a central difference of it, good to h^2. */
    const double h = 1e-5;
    for (int j = 0; j < 2; j++) {
        double complex slopes[2][2];
        for (int side = 0; side < 2; side++) {
            double moved[2] = {at[0], at[1]};
            moved[j] += side ? h : -h;
            slopes[side][0] = all_of_them_complex(moved[0] + step * I, moved[1]);
            slopes[side][1] = all_of_them_complex(moved[0], moved[1] + step * I);
        }
        for (int i = 0; i < 2; i++) {
            const double want = (cimag(slopes[1][i]) - cimag(slopes[0][i])) / step / (2 * h);
            assert_near(scalar_value(second[i][j]), want, 1e-8);
        }
    }
    assert_near(scalar_value(second[0][1]), scalar_value(second[1][0]), 1e-12);

    /* The gradient of a derivative, as numbers, is the same as the derivative as nodes. */
    scalar_backward(dx[0]);
    assert_near(scalar_gradient(x[0]), scalar_value(second[0][0]), 1e-12);
    assert_near(scalar_gradient(x[1]), scalar_value(second[0][1]), 1e-12);
    scalar_graph_done(&graph);
}

static void the_third_derivative_of_a_cube_is_six(void **state)
{
    (void)state;
    struct scalar_graph graph;
    scalar_graph_init(&graph);
    struct scalar x = scalar_variable(&graph, 2), d = scalar_power(x, scalar_constant(&graph, 3));
    const double want[4] = {12, 12, 6, 0};
    for (int order = 0; order < 4; order++) {
        scalar_derivatives(d, &x, 1, &d);
        assert_near(scalar_value(d), want[order], 1e-12);
    }
    scalar_graph_done(&graph);
}

static void what_is_used_twice_gets_both_shares(void **state)
{
    (void)state;
    struct scalar_graph graph;
    scalar_graph_init(&graph);
    struct scalar x = scalar_variable(&graph, 3), other = scalar_variable(&graph, 5);
    struct scalar square = scalar_multiply(x, x), y = scalar_add(square, scalar_add(square, x));
    scalar_backward(y); /* 2 x^2 + x */
    assert_true(scalar_gradient(x) == 13);
    assert_true(scalar_gradient(square) == 2);
    assert_true(scalar_gradient(y) == 1);
    assert_true(scalar_gradient(other) == 0);

    /* Another pass adds as much again: what the first left inside does not pass through twice. */
    scalar_backward(y);
    assert_true(scalar_gradient(x) == 26);
    assert_true(scalar_gradient(square) == 4);
    scalar_forget_gradients(&graph);
    assert_true(scalar_gradient(x) == 0);
    scalar_backward(square);
    assert_true(scalar_gradient(x) == 6);
    assert_true(scalar_gradient(y) == 0);
    scalar_graph_done(&graph);
}

static void constants_get_no_gradient(void **state)
{
    (void)state;
    struct scalar_graph graph;
    scalar_graph_init(&graph);
    struct scalar two_of_them = scalar_constant(&graph, 2), x = scalar_variable(&graph, 3), dx[2];
    struct scalar y = scalar_multiply(scalar_exp(two_of_them), x);
    scalar_backward(y);
    scalar_backward(two_of_them);
    assert_true(scalar_gradient(two_of_them) == 0);
    assert_true(scalar_gradient(x) == exp(2));
    const struct scalar both[2] = {two_of_them, x};
    scalar_derivatives(y, both, 2, dx);
    assert_true(scalar_value(dx[0]) == 0 && scalar_value(dx[1]) == exp(2));
    scalar_graph_done(&graph);
}

static void corners_have_the_derivative_that_the_header_says(void **state)
{
    (void)state;
    struct scalar_graph graph;
    scalar_graph_init(&graph);
    struct scalar zero = scalar_variable(&graph, 0), three = scalar_variable(&graph, 3);
    struct scalar nothing = scalar_variable(&graph, 0), dx[2];
    scalar_backward(scalar_relu(zero));
    assert_true(scalar_gradient(zero) == 0);
    scalar_backward(scalar_power(zero, three));
    assert_true(scalar_gradient(zero) == 0 && scalar_gradient(three) == 0);
    struct scalar operands[2] = {zero, three};
    scalar_derivatives(scalar_power(zero, three), operands, 2, dx);
    assert_true(scalar_value(dx[0]) == 0 && scalar_value(dx[1]) == 0);
    scalar_derivatives(scalar_power(zero, nothing), &zero, 1, dx);
    assert_true(scalar_value(dx[0]) == 0);
    /* Far out, where exp() overflows and 1 - sigmoid has no digits left. */
    struct scalar far = scalar_variable(&graph, 700), minus = scalar_variable(&graph, -800);
    scalar_backward(scalar_sigmoid(far));
    scalar_backward(scalar_sigmoid(minus));
    assert_near(scalar_gradient(far) / exp(-700), 1, 1e-12);
    assert_true(scalar_gradient(minus) == 0);
    struct text sentence = {0};
    assert_false(scalar_explain_nan(&graph, &sentence));
    scalar_graph_done(&graph);
}

static void a_million_nodes_in_a_row_need_no_stack(void **state)
{
    (void)state;
    struct scalar_graph graph;
    scalar_graph_init(&graph);
    struct scalar x = scalar_variable(&graph, 1), y = x, dx;
    for (int i = 0; i < 1000000; i++) y = i % 2 ? scalar_negate(y) : scalar_add(y, x);
    scalar_backward(y);
    scalar_derivatives(y, &x, 1, &dx);
    /* y -> -(y + x): 1, -2, 1, -2, ...; after an even number of rounds 1 again */
    assert_true(scalar_value(y) == 1);
    assert_true(scalar_gradient(x) == 1);
    assert_true(scalar_value(dx) == 1);
    scalar_graph_done(&graph);
}

static void rewinding_drops_what_came_after_the_mark(void **state)
{
    (void)state;
    struct scalar_graph graph;
    scalar_graph_init(&graph);
    struct scalar w = scalar_variable(&graph, 4);
    const int32_t mark = scalar_mark(&graph);
    int32_t capacity = 0;
    for (int i = 0; i < 200; i++) { /* w goes down (w - 1)^2 */
        struct scalar miss = scalar_subtract(w, scalar_constant(&graph, 1));
        scalar_backward(scalar_multiply(miss, miss));
        scalar_set(w, scalar_value(w) - 0.1 * scalar_gradient(w));
        scalar_rewind(&graph, mark);
        scalar_forget_gradients(&graph);
        if (i == 0) capacity = graph.capacity;
    }
    assert_near(scalar_value(w), 1, 1e-12);
    assert_int_equal(graph.count, 1);
    assert_int_equal(graph.capacity, capacity);

    /* A gradient from before the mark stays; one from after does not come back to a new node. */
    scalar_backward(scalar_multiply(w, scalar_constant(&graph, 3)));
    scalar_rewind(&graph, mark);
    struct scalar fresh = scalar_variable(&graph, 1);
    assert_near(scalar_gradient(w), 3, 1e-12);
    assert_true(scalar_gradient(fresh) == 0);
    scalar_backward(fresh);
    assert_true(scalar_gradient(fresh) == 1);
    scalar_graph_done(&graph);
    scalar_graph_done(&graph);
}

static void the_first_value_that_is_not_a_number_is_named(void **state)
{
    (void)state;
    struct scalar_graph graph;
    struct text sentence = {0};
    scalar_graph_init(&graph);
    struct scalar x = scalar_variable(&graph, -1);
    assert_false(scalar_explain_nan(&graph, &sentence));
    assert_int_equal(sentence.size, 0);
    const int32_t mark = scalar_mark(&graph);
    struct scalar y = scalar_log(x);
    scalar_exp(scalar_add(y, x));
    scalar_log(x);
    assert_true(scalar_explain_nan(&graph, &sentence));
    assert_string_equal(text_string(&sentence),
                        "node 1 (log): the first value that is not a number: log(-1)");
    scalar_rewind(&graph, mark);
    text_clear(&sentence);
    assert_false(scalar_explain_nan(&graph, &sentence));

    /* An infinity is not yet NaN: the product of it with zero is. */
    struct scalar zero = scalar_constant(&graph, 0);
    scalar_multiply(zero, scalar_log(zero));
    assert_true(scalar_explain_nan(&graph, &sentence));
    assert_string_equal(text_string(&sentence),
                        "node 3 (*): the first value that is not a number: *(0, -inf)");
    text_done(&sentence);
    scalar_graph_done(&graph);
}

static void the_first_gradient_that_is_not_a_number_is_named(void **state)
{
    (void)state;
    struct scalar_graph graph;
    struct text sentence = {0};
    scalar_graph_init(&graph);
    /* 0 * sqrt(0): the value is 0; on the way back 0 meets sqrt's infinite slope. */
    struct scalar x = scalar_variable(&graph, 0);
    struct scalar root = scalar_power(x, scalar_constant(&graph, 0.5));
    scalar_name(root, "root");
    struct scalar y = scalar_multiply(root, scalar_constant(&graph, 0));
    scalar_backward(y);
    assert_true(isnan(scalar_gradient(x)));
    assert_true(scalar_explain_nan(&graph, &sentence));
    assert_string_equal(text_string(&sentence),
                        "node 2 (root): the first gradient that is not a number is made on the way "
                        "back through pow(0, 0.5)");
    scalar_forget_gradients(&graph);
    text_clear(&sentence);
    assert_false(scalar_explain_nan(&graph, &sentence));
    text_done(&sentence);
    scalar_graph_done(&graph);
}

static void dot_shows_what_the_result_was_made_of_and_no_more(void **state)
{
    (void)state;
    struct scalar_graph graph;
    struct text dot = {0};
    scalar_graph_init(&graph);
    struct scalar x = scalar_variable(&graph, 2), unused = scalar_variable(&graph, 7);
    scalar_name(x, "the \"x\"");
    scalar_exp(unused);
    struct scalar y = scalar_multiply(x, scalar_constant(&graph, 3));
    scalar_backward(y);
    scalar_dot(y, 100, &dot);
    assert_string_equal(text_string(&dot), "digraph scalar {\n"
                                           "    rankdir=LR;\n"
                                           "    node [shape=box];\n"
                                           "    n4 [label=\"*\\n6\\ngradient 1\"];\n"
                                           "    n0 -> n4;\n"
                                           "    n3 -> n4;\n"
                                           "    n3 [label=\"constant\\n3\"];\n"
                                           "    n0 [label=\"the \\\"x\\\"\\n2\\ngradient 3\"];\n"
                                           "}\n");
    text_clear(&dot);
    scalar_dot(y, 1, &dot);
    assert_non_null(strstr(text_string(&dot), "label=\"+2\""));
    text_done(&dot);
    scalar_graph_done(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_of_one_number_agree_with_a_complex_step),
        cmocka_unit_test(functions_of_two_numbers_agree_with_a_complex_step),
        cmocka_unit_test(second_derivatives_agree_with_a_complex_step_of_the_first),
        cmocka_unit_test(the_third_derivative_of_a_cube_is_six),
        cmocka_unit_test(what_is_used_twice_gets_both_shares),
        cmocka_unit_test(constants_get_no_gradient),
        cmocka_unit_test(corners_have_the_derivative_that_the_header_says),
        cmocka_unit_test(a_million_nodes_in_a_row_need_no_stack),
        cmocka_unit_test(rewinding_drops_what_came_after_the_mark),
        cmocka_unit_test(the_first_value_that_is_not_a_number_is_named),
        cmocka_unit_test(the_first_gradient_that_is_not_a_number_is_named),
        cmocka_unit_test(dot_shows_what_the_result_was_made_of_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
