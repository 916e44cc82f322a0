/* numbers.h -- what the kernels' tests share: random numbers, comparisons, finite differences.
 *
 * Include after cmocka.h.
 */
#ifndef TESTS_TENSOR_NUMBERS_H
#define TESTS_TENSOR_NUMBERS_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/rng.h"
#include "base/text.h"
#include "tensor/cpu.h"

/* n normal numbers times `deviation`; the caller frees them. The allocation ends where the last
 * number does, so that the sanitizer sees any step outside. */
static inline float *numbers_new(size_t n, uint64_t seed, double deviation)
{
    struct rng rng;
    float *x = memory_new(n ? n : 1, sizeof *x);
    rng_init(&rng, seed, 0);
    for (size_t i = 0; i < n; i++) x[i] = (float)(deviation * rng_normal(&rng));
    return x;
}

static inline float *numbers_copy(const float *from, size_t n)
{
    float *x = memory_new(n ? n : 1, sizeof *x);
    memcpy(x, from, n * sizeof *x);
    return x;
}

/* The largest difference, as a share of the largest number that is wanted (or of `floor`). Equal
 * infinities and two NaN differ by nothing. */
static inline double numbers_difference(const float *got, const float *want, size_t n, double floor)
{
    double largest = floor, difference = 0;
    for (size_t i = 0; i < n; i++) {
        const double a = (double)got[i], b = (double)want[i];
        if (a == b || (isnan(a) && isnan(b))) {
            if (isfinite(b) && fabs(b) > largest) largest = fabs(b);
            continue;
        }
        if (!isfinite(a) || !isfinite(b)) return INFINITY;
        if (fabs(b) > largest) largest = fabs(b);
        if (fabs(a - b) > difference) difference = fabs(a - b);
    }
    return difference / largest;
}

static inline void numbers_assert_close(const char *what, const float *got, const float *want,
                                        size_t n, double tolerance)
{
    const double difference = numbers_difference(got, want, n, 1e-30);
    if (difference <= tolerance) return;
    for (size_t i = 0; i < n; i++) {
        if (got[i] == want[i] || (isnan(got[i]) && isnan(want[i]))) continue;
        print_error("%s[%zu]: %.9g instead of %.9g\n", what, i, (double)got[i], (double)want[i]);
        break;
    }
    print_error("%s: differs by %g of its largest number, %g is allowed\n", what, difference,
                tolerance);
    fail();
}

/* dx[i] against (4 D(h/2) - D(h)) / 3, D(h) = (loss(x + h) - loss(x - h)) / 2h: what is left is of
 * order h^4. loss() sums f32 results in double; they are rounded, so a step of 1/16 and 3e-4 of the
 * largest element leave a factor of ten between the rounding and the tolerance. */
static inline void numbers_assert_gradient(const char *what, const float *dx, float *x, size_t n,
                                           double (*loss)(void *context), void *context)
{
    double largest = 0, worst = 0;
    size_t where = 0;
    double at_worst = 0;

    for (size_t i = 0; i < n; i++) {
        const float kept = x[i];
        double slope[2];
        for (int half = 0; half < 2; half++) {
            const float h = half ? 0x1p-5f : 0x1p-4f;
            x[i] = kept + h;
            const double above = (double)x[i], up = loss(context);
            x[i] = kept - h;
            const double below = (double)x[i], down = loss(context);
            slope[half] = (up - down) / (above - below);
        }
        x[i] = kept;
        const double want = (4 * slope[1] - slope[0]) / 3;
        const double difference = fabs((double)dx[i] - want);
        if (fabs(want) > largest) largest = fabs(want);
        if (!(difference <= worst)) worst = difference, where = i, at_worst = want;
    }
    if (worst <= 3e-4 * largest + 1e-6) return;
    print_error("%s[%zu]: %.9g, finite differences say %.9g\n", what, where, (double)dx[where],
                at_worst);
    fail();
}

static inline double numbers_dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* The whole group of tests once for each instruction set that the machine has. */
#define NUMBERS_RUN(tests) \
    int failed = 0; \
    for (int isa = ISA_SCALAR; isa < ISA_COUNT; isa++) { \
        cpu_limit((enum isa)isa); \
        if (cpu_isa() == (enum isa)isa) \
            failed += cmocka_run_group_tests_name(isa_name((enum isa)isa), tests, NULL, NULL); \
    } \
    return failed

/* Run `work` with 1, 2, 3 and 4 threads and no pool at all: n floats at `out` must be the same bits
 * each time. */
static inline void numbers_assert_any_threads(void (*work)(struct pool *pool, void *context),
                                              void *context, float *out, size_t n)
{
    work(NULL, context);
    float *want = numbers_copy(out, n);
    for (int threads = 1; threads <= 4; threads++) {
        struct pool *pool;
        assert_int_equal(pool_open(&pool, threads, NULL), STATUS_OK);
        for (size_t i = 0; i < n; i++) out[i] = -77;
        work(pool, context);
        assert_memory_equal(out, want, n * sizeof *out);
        pool_close(pool);
    }
    free(want);
}

#endif
