#include "tensor/elementwise_kernel.h"

#include "tensor/vector.h"

#define MAP(name, of) \
    static void name(float *out, const float *x, size_t n) \
    { \
        for (size_t i = 0; i < n; i += LANES) { \
            const ptrdiff_t left = (ptrdiff_t)(n - i); \
            floats_give(out + i, of(floats_take(x + i, left, 1)), left); \
        } \
    }

#define PAIR(name, sign) \
    static void name(float *out, const float *a, const float *b, size_t n) \
    { \
        size_t i = 0; \
        for (; i + 2 * LANES <= n; i += 2 * LANES) { \
            const floats a0 = floats_load(a + i), a1 = floats_load(a + i + LANES); \
            const floats b0 = floats_load(b + i), b1 = floats_load(b + i + LANES); \
            floats_store(out + i, a0 sign b0); \
            floats_store(out + i + LANES, a1 sign b1); \
        } \
        for (; i < n; i += LANES) { \
            const ptrdiff_t left = (ptrdiff_t)(n - i); \
            floats_give(out + i, floats_take(a + i, left, 1) sign floats_take(b + i, left, 1), \
                        left); \
        } \
    }

MAP(map_exp, floats_exp)
MAP(map_log, floats_log)
MAP(map_tanh, floats_tanh)
MAP(map_sigmoid, floats_sigmoid)
MAP(map_sqrt, floats_sqrt)
PAIR(pair_add, +)
PAIR(pair_subtract, -)
PAIR(pair_multiply, *)
PAIR(pair_divide, /)

static void add_scaled(float *y, float a, const float *x, size_t n)
{
    const floats times = floats_set(a);
    for (size_t i = 0; i < n; i += LANES) {
        const ptrdiff_t left = (ptrdiff_t)(n - i);
        const floats sum =
            floats_fma(times, floats_take(x + i, left, 0), floats_take(y + i, left, 0));
        floats_give(y + i, sum, left);
    }
}

const struct elementwise_kernel KERNEL(elementwise_kernel) = {
    .map = {map_exp, map_log, map_tanh, map_sigmoid, map_sqrt},
    .pair = {pair_add, pair_subtract, pair_multiply, pair_divide},
    .add_scaled = add_scaled,
};
