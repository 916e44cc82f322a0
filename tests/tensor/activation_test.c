#include "tensor/activation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

/* torch.nn.functional of PyTorch 1.13 in float64 at these points, printed to 17 digits. */
static const float points[5] = {-3, -0.5f, 0, 1, 2.5f};
static const float gelu_at[5] = {-0.0036373920817729943f, -0.15428599017485606f, 0,
                                 0.84119199060827676f, 2.4849157339100012f};
static const float gelu_exact_at[5] = {-0.0040496940948903104f, -0.15426876936299344f, 0,
                                       0.84134474606854304f, 2.4844758366855597f};
static const float silu_at[5] = {-0.14227761953270035f, -0.1887703343990727f, 0,
                                 0.7310585786300049f, 2.3103545499468914f};

static void values_are_those_of_another_library(void **state)
{
    (void)state;
    float out[5];
    gelu_forward(NULL, out, points, 5);
    numbers_assert_close("gelu", out, gelu_at, 5, 1e-7);
    gelu_exact_forward(NULL, out, points, 5);
    numbers_assert_close("gelu_exact", out, gelu_exact_at, 5, 1e-7);
    silu_forward(NULL, out, points, 5);
    numbers_assert_close("silu", out, silu_at, 5, 1e-7);
    relu_forward(NULL, out, points, 5);
    assert_true(out[0] == 0 && out[1] == 0 && out[3] == 1 && out[4] == 2.5f);
}

struct function {
    const char *name;
    void (*forward)(struct pool *, float *, const float *, size_t);
    void (*backward)(struct pool *, float *, const float *, const float *, size_t);
    void (*forward_plain)(float *, const float *, size_t);
    void (*backward_plain)(float *, const float *, const float *, size_t);
};

static const struct function functions[] = {
    {"gelu", gelu_forward, gelu_backward, gelu_forward_plain, gelu_backward_plain},
    {"gelu_exact", gelu_exact_forward, gelu_exact_backward, gelu_exact_forward_plain,
     gelu_exact_backward_plain},
    {"silu", silu_forward, silu_backward, silu_forward_plain, silu_backward_plain},
    {"relu", relu_forward, relu_backward, relu_forward_plain, relu_backward_plain},
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static void far_out_the_limits_are_reached_and_nan_stays(void **state)
{
    (void)state;
    const float x[6] = {-INFINITY, INFINITY, NAN, -1e30f, 1e30f, -0.0f},
                ones[6] = {1, 1, 1, 1, 1, 1};
    for (int f = 0; f < FUNCTIONS; f++) {
        float out[6], dx[6];
        functions[f].forward(NULL, out, x, 6);
        functions[f].backward(NULL, dx, ones, x, 6);
        if (out[0] != 0 || !isinf(out[1]) || !isnan(out[2]) || out[3] != 0 || out[4] != 1e30f ||
            out[5] != 0)
            fail_msg("%s: %g %g %g %g %g %g", functions[f].name, (double)out[0], (double)out[1],
                     (double)out[2], (double)out[3], (double)out[4], (double)out[5]);
        if (dx[0] != 0 || dx[1] != 1 || !isnan(dx[2]) || dx[3] != 0 || dx[4] != 1)
            fail_msg("%s backward: %g %g %g %g %g", functions[f].name, (double)dx[0], (double)dx[1],
                     (double)dx[2], (double)dx[3], (double)dx[4]);
    }
}

struct problem {
    const struct function *function; /* NULL: swiglu */
    float *x, *out, *dout;
    int M, F;
};

static double loss(void *context)
{
    struct problem *p = context;
    const size_t n = (size_t)(p->M * p->F);
    if (p->function) p->function->forward_plain(p->out, p->x, n);
    else swiglu_forward_plain(p->out, p->x, p->M, p->F);
    return numbers_dot(p->out, p->dout, n);
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    enum { M = 3, F = 13, N = M * F };
    float *x = numbers_new(2 * N, 1, 1.5), *out = numbers_new(N, 2, 1),
          *dx = numbers_new(2 * N, 3, 1);
    float *dout = numbers_new(N, 4, 1);
    for (int f = 0; f < FUNCTIONS; f++) {
        struct problem p = {&functions[f], x, out, dout, M, F};
        if (functions[f].forward == relu_forward) /* away from the kink */
            for (int i = 0; i < N; i++)
                if (fabsf(x[i]) < 0.1f) x[i] = 0.25f;
        functions[f].backward(NULL, dx, dout, x, N);
        numbers_assert_gradient(functions[f].name, dx, x, N, loss, &p);
    }
    struct problem p = {NULL, x, out, dout, M, F};
    swiglu_backward(NULL, dx, dout, x, M, F);
    numbers_assert_gradient("swiglu", dx, x, 2 * N, loss, &p);
    free(x), free(out), free(dx), free(dout);
}

static void swiglu_is_silu_of_the_first_half_times_the_second(void **state)
{
    (void)state;
    const float gate_up[8] = {1, -3, 2, 10, -0.5f, 2.5f, -2, 1};
    const float want[4] = {0.7310585786300049f * 2, -0.14227761953270035f * 10,
                           -0.1887703343990727f * -2, 2.3103545499468914f};
    float out[4];
    swiglu_forward(NULL, out, gate_up, 2, 2);
    numbers_assert_close("swiglu", out, want, 4, 2e-7);
}

static const size_t sizes[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 100, 20000, 40001};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void at_every_size_it_is_the_plain_one(void **state)
{
    (void)state;
    for (int s = 0; s < SIZES; s++) {
        const size_t n = sizes[s];
        float *x = numbers_new(2 * n, 1, 3), *dout = numbers_new(n, 2, 1);
        float *got = numbers_new(2 * n, 3, 1), *want = numbers_new(2 * n, 4, 1);
        for (int f = 0; f < FUNCTIONS; f++) {
            functions[f].forward(NULL, got, x, n);
            functions[f].forward_plain(want, x, n);
            numbers_assert_close(functions[f].name, got, want, n, 3e-7);
            functions[f].backward(NULL, got, dout, x, n);
            functions[f].backward_plain(want, dout, x, n);
            numbers_assert_close(functions[f].name, got, want, n, 2e-6);
        }
        const int M = n % 2 ? 1 : 2, F = (int)n / M;
        swiglu_forward(NULL, got, x, M, F);
        swiglu_forward_plain(want, x, M, F);
        numbers_assert_close("swiglu", got, want, n, 3e-7);
        swiglu_backward(NULL, got, dout, x, M, F);
        swiglu_backward_plain(want, dout, x, M, F);
        numbers_assert_close("swiglu backward", got, want, 2 * n, 2e-6);
        free(x), free(dout), free(got), free(want);
    }
}

static void over_the_whole_range_the_error_stays_small(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    float *x = numbers_new(N, 1, 1), *ones = numbers_new(N, 2, 1);
    float *got = numbers_new(N, 3, 1), *want = numbers_new(N, 4, 1);
    for (int i = 0; i < N; i++) x[i] = -16 + (float)i / 2048, ones[i] = 1;
    for (int f = 0; f < FUNCTIONS; f++)
        for (int way = 0; way < 2; way++) {
            if (way) functions[f].backward(NULL, got, ones, x, N);
            else functions[f].forward(NULL, got, x, N);
            if (way) functions[f].backward_plain(want, ones, x, N);
            else functions[f].forward_plain(want, x, N);
            for (int i = 0; i < N; i++) /* of the number itself, or of the smallest that matters */
                if (fabsf(got[i] - want[i]) > 1.2e-6f * fmaxf(fabsf(want[i]), 5e-2f))
                    fail_msg("%s %s(%g): %.9g, not %.9g", functions[f].name, way ? "backward" : "",
                             (double)x[i], (double)got[i], (double)want[i]);
        }
    free(x), free(ones), free(got), free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_another_library),
        cmocka_unit_test(far_out_the_limits_are_reached_and_nan_stays),
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(swiglu_is_silu_of_the_first_half_times_the_second),
        cmocka_unit_test(at_every_size_it_is_the_plain_one),
        cmocka_unit_test(over_the_whole_range_the_error_stays_small),
    };
    NUMBERS_RUN(tests);
}
