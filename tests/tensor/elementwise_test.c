#include "tensor/elementwise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

/* The difference in units of the last place of the wanted f32. */
static double units(float got, double want)
{
    const float rounded = (float)want;
    if (got == rounded || (isnan(got) && isnan(rounded))) return 0;
    if (!isfinite(rounded) || !isfinite(got)) return INFINITY;
    const float size = fabsf(rounded) < 0x1p-126f ? 0x1p-126f : fabsf(rounded);
    int exponent;
    frexpf(size, &exponent);
    return fabs((double)got - want) / ldexp(1, exponent - 24);
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static const struct {
    const char *name;
    void (*map)(struct pool *, float *, const float *, size_t);
    double (*oracle)(double);
    double limit; /* units in the last place, with FMA */
} maps[] = {
    {"exp", elementwise_exp, exp, 1},        {"log", elementwise_log, log, 2},
    {"tanh", elementwise_tanh, tanh, 2},     {"sigmoid", elementwise_sigmoid, sigmoid, 3},
    {"sqrt", elementwise_sqrt, sqrt, 0.501},
};
enum { MAPS = sizeof maps / sizeof maps[0], BLOCK = 4096 };

/* Every 997th of all bit patterns: 4.3 million floats, all signs and exponents, NaN among them. */
static void over_all_floats_the_error_is_what_the_header_says(void **state)
{
    (void)state;
    static float x[BLOCK], out[BLOCK];
    const double more = cpu_isa() == ISA_SCALAR ? 1 : 0;
    for (int m = 0; m < MAPS; m++) {
        double worst = 0;
        float where = 0;
        for (uint64_t bits = 0; bits < UINT32_MAX;) {
            for (int i = 0; i < BLOCK; i++, bits += 997) {
                const uint32_t word = (uint32_t)bits;
                memcpy(&x[i], &word, sizeof word);
            }
            maps[m].map(NULL, out, x, BLOCK);
            for (int i = 0; i < BLOCK; i++) {
                const double error = units(out[i], maps[m].oracle((double)x[i]));
                if (error > worst) worst = error, where = x[i];
            }
        }
        if (worst > maps[m].limit + more)
            fail_msg("%s(%.9g): off by %.3g units in the last place, %g is allowed", maps[m].name,
                     (double)where, worst, maps[m].limit + more);
    }
}

static void corners_are_as_in_c(void **state)
{
    (void)state;
    const float x[8] = {0, -0.0f, INFINITY, -INFINITY, NAN, -1, 1, 0x1p-149f};
    float out[8];
    elementwise_exp(NULL, out, x, 8);
    assert_true(out[0] == 1 && out[1] == 1 && out[2] == INFINITY && out[3] == 0 && isnan(out[4]));
    elementwise_log(NULL, out, x, 8);
    assert_true(out[0] == -INFINITY && out[1] == -INFINITY && out[2] == INFINITY);
    assert_true(isnan(out[3]) && isnan(out[4]) && isnan(out[5]) && out[6] == 0);
    elementwise_tanh(NULL, out, x, 8);
    assert_true(out[0] == 0 && !signbit(out[0]) && out[1] == 0 && signbit(out[1]));
    assert_true(out[2] == 1 && out[3] == -1 && isnan(out[4]));
}

static void arithmetic_is_that_of_c_at_every_size(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40000; n = n * 5 / 3 + 1) {
        float *a = numbers_new(n, 1, 1), *b = numbers_new(n, 2, 1), *out = numbers_new(n, 3, 1);
        elementwise_add(NULL, out, a, b, n);
        for (size_t i = 0; i < n; i++) assert_true(out[i] == a[i] + b[i]);
        elementwise_subtract(NULL, out, a, b, n);
        for (size_t i = 0; i < n; i++) assert_true(out[i] == a[i] - b[i]);
        elementwise_multiply(NULL, out, a, b, n);
        for (size_t i = 0; i < n; i++) assert_true(out[i] == a[i] * b[i]);
        elementwise_divide(NULL, out, a, b, n);
        for (size_t i = 0; i < n; i++) assert_true(out[i] == a[i] / b[i]);
        memcpy(out, b, n * sizeof *b);
        elementwise_add_scaled(NULL, out, 0.5f, a, n); /* exact product: one rounding either way */
        for (size_t i = 0; i < n; i++) assert_true(out[i] == b[i] + 0.5f * a[i]);
        free(a), free(b), free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_all_floats_the_error_is_what_the_header_says),
        cmocka_unit_test(corners_are_as_in_c),
        cmocka_unit_test(arithmetic_is_that_of_c_at_every_size),
    };
    NUMBERS_RUN(tests);
}
