#include "tensor/softmax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

static void two_equal_numbers_and_log_three_are_done_on_paper(void **state)
{
    (void)state;
    const float in[6] = {0, 0, 1.0986123f, -5, -5, -INFINITY};
    const float want[6] = {0.2f, 0.2f, 0.6f, 0.5f, 0.5f, 0};
    float out[6];
    softmax_rows(NULL, out, in, 2, 3);
    numbers_assert_close("softmax", out, want, 6, 2e-7);

    const float want_log[6] = {logf(0.2f), logf(0.2f), logf(0.6f),
                               logf(0.5f), logf(0.5f), -INFINITY};
    log_softmax_rows(NULL, out, in, 2, 3);
    numbers_assert_close("log_softmax", out, want_log, 6, 3e-7);
}

static void a_row_of_minus_infinity_is_a_row_of_zeros(void **state)
{
    (void)state;
    const float in[8] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY, 1, -INFINITY, -INFINITY, 1};
    const float want[8] = {0, 0, 0, 0, 0.5f, 0, 0, 0.5f};
    float out[8], din[8], dout[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    softmax_rows(NULL, out, in, 2, 4);
    assert_memory_equal(out, want, sizeof out);
    softmax_rows_backward(NULL, din, dout, out, 2, 4);
    for (int j = 0; j < 4; j++) assert_true(din[j] == 0);
}

static void what_is_not_a_number_stays_so(void **state)
{
    (void)state;
    float x[40], out[40];
    for (int at = 0; at < 40; at++) {
        for (int j = 0; j < 40; j++) x[j] = 0.5f;
        x[at] = NAN;
        softmax_rows(NULL, out, x, 1, 40);
        for (int j = 0; j < 40; j++) assert_true(isnan(out[j]));
        x[at] = INFINITY;
        softmax_rows(NULL, out, x, 1, 40);
        assert_true(isnan(out[at]));
    }
}

static void huge_numbers_and_a_shift_change_nothing(void **state)
{
    (void)state;
    float *x = numbers_new(5 * 67, 1, 3), *shifted = numbers_copy(x, 5 * 67);
    float *a = numbers_new(5 * 67, 2, 1), *b = numbers_new(5 * 67, 2, 1);
    for (int j = 0; j < 5 * 67; j++) {
        x[j] = roundf(x[j] * 64) / 64; /* so that the shift is exact */
        shifted[j] = x[j] + 65536;
    }
    softmax_rows(NULL, a, x, 5, 67);
    softmax_rows(NULL, b, shifted, 5, 67);
    assert_memory_equal(a, b, 5 * 67 * sizeof *a);
    for (int i = 0; i < 5; i++) {
        double sum = 0;
        for (int j = 0; j < 67; j++) sum += (double)a[i * 67 + j];
        assert_true(fabs(sum - 1) < 1e-6);
    }
    free(x), free(shifted), free(a), free(b);
}

struct case_of {
    float *x, *upstream, *out;
    int rows, n;
    bool logarithm;
};

static double loss(void *context)
{
    struct case_of *c = context;
    softmax_rows_plain(c->out, c->x, c->rows, c->n);
    return numbers_dot(c->out, c->upstream, (size_t)(c->rows * c->n));
}

static void the_gradient_agrees_with_finite_differences(void **state)
{
    (void)state;
    enum { ROWS = 3, N = 19, ALL = ROWS * N };
    struct case_of c = {
        numbers_new(ALL, 1, 1), numbers_new(ALL, 2, 1), numbers_new(ALL, 3, 1), ROWS, N, false};
    float *dx = numbers_new(ALL, 4, 1);
    loss(&c);
    softmax_rows_backward(NULL, dx, c.upstream, c.out, ROWS, N);
    numbers_assert_gradient("dx", dx, c.x, ALL, loss, &c);
    free(c.x), free(c.upstream), free(c.out), free(dx);
}

static const int sizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 50, 100, 257, 1000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void at_every_size_it_is_the_plain_one(void **state)
{
    (void)state;
    for (int s = 0; s < SIZES; s++) {
        const int n = sizes[s], rows = 3;
        const size_t all = (size_t)(rows * n);
        float *x = numbers_new(all, 1, 4), *dout = numbers_new(all, 2, 1);
        float *got = numbers_new(all, 3, 1), *want = numbers_new(all, 4, 1);
        softmax_rows(NULL, got, x, rows, n);
        softmax_rows_plain(want, x, rows, n);
        numbers_assert_close("softmax", got, want, all, 2e-6); /* one lane: a sum of 1000 in f32 */
        softmax_rows_backward(NULL, got, dout, want, rows, n);
        float *slow = numbers_new(all, 5, 1);
        softmax_rows_backward_plain(slow, dout, want, rows, n);
        numbers_assert_close("backward", got, slow, all, 2e-6);
        log_softmax_rows(NULL, got, x, rows, n);
        log_softmax_rows_plain(want, x, rows, n);
        numbers_assert_close("log_softmax", got, want, all, 4e-7);
        memcpy(got, x, all * sizeof *x); /* in place */
        softmax_rows(NULL, got, got, rows, n);
        softmax_rows(NULL, want, x, rows, n);
        assert_memory_equal(got, want, all * sizeof *x);
        free(x), free(dout), free(got), free(want), free(slow);
    }
}

static void softmax_of(struct pool *pool, void *context)
{
    struct case_of *c = context;
    if (c->logarithm) log_softmax_rows(pool, c->out, c->x, c->rows, c->n);
    else softmax_rows(pool, c->out, c->x, c->rows, c->n);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    struct case_of c = {
        numbers_new(700 * 101, 1, 2), NULL, numbers_new(700 * 101, 2, 1), 700, 101, false};
    numbers_assert_any_threads(softmax_of, &c, c.out, 700 * 101);
    c.logarithm = true;
    numbers_assert_any_threads(softmax_of, &c, c.out, 700 * 101);
    free(c.x), free(c.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_equal_numbers_and_log_three_are_done_on_paper),
        cmocka_unit_test(a_row_of_minus_infinity_is_a_row_of_zeros),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(huge_numbers_and_a_shift_change_nothing),
        cmocka_unit_test(the_gradient_agrees_with_finite_differences),
        cmocka_unit_test(at_every_size_it_is_the_plain_one),
        cmocka_unit_test(threads_do_not_change_a_bit),
    };
    NUMBERS_RUN(tests);
}
