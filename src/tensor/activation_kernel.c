#include "tensor/activation_kernel.h"

#include "tensor/row.h"
#include "tensor/vector.h"

/* Beyond the limits a sigmoid is 0 or 1 in f32: x is held there, so that no infinity meets a 0. */
#define GELU_LIMIT 12.0f
#define SILU_LIMIT 105.0f
#define TWICE_SQRT_2_OVER_PI 1.5957691216057308f
#define CUBIC 0.044715f

VECTOR_INLINE floats at_least(floats x, float low) { return floats_max(floats_set(low), x); }
VECTOR_INLINE floats within(floats x, float limit)
{
    return floats_min(floats_set(limit), floats_max(floats_set(-limit), x));
}

/* 0.5 (1 + tanh(u)) = sigmoid(2u), 2u = c x (1 + 0.044715 x^2) */
VECTOR_INLINE floats gelu_sigmoid(floats x, floats *rest)
{
    const floats inner = floats_fma(x * x, floats_set(CUBIC), floats_set(1));
    return floats_sigmoid_both(floats_set(TWICE_SQRT_2_OVER_PI) * x * inner, rest);
}

VECTOR_INLINE floats gelu_of(floats x)
{
    floats rest;
    return at_least(x, -GELU_LIMIT) * gelu_sigmoid(within(x, GELU_LIMIT), &rest);
}

VECTOR_INLINE floats gelu_slope(floats x)
{
    x = within(x, GELU_LIMIT);
    floats rest;
    const floats s = gelu_sigmoid(x, &rest);
    const floats inner = floats_fma(x * x, floats_set(3 * CUBIC), floats_set(1));
    return floats_fma(x * s * rest, floats_set(TWICE_SQRT_2_OVER_PI) * inner, s);
}

VECTOR_INLINE floats silu_of(floats x)
{
    x = at_least(x, -SILU_LIMIT);
    return x * floats_sigmoid(x);
}

VECTOR_INLINE floats silu_slope(floats x)
{
    x = within(x, SILU_LIMIT);
    floats rest;
    const floats s = floats_sigmoid_both(x, &rest);
    return floats_fma(x * s, rest, s);
}

VECTOR_INLINE floats relu_of(floats x) { return floats_max(floats_set(0), x); }
VECTOR_INLINE floats relu_slope(floats x)
{
    const floats zero = floats_set(0), step = floats_where_less(zero, x, floats_set(1), zero);
    return step + (within(x, 0) - within(x, 0)); /* NaN stays NaN */
}

#define FORWARD(name, of) \
    static void name(float *out, const float *x, size_t n) \
    { \
        size_t i = 0; \
        for (; i + 2 * LANES <= n; i += 2 * LANES) { \
            const floats a = of(floats_load(x + i)), b = of(floats_load(x + i + LANES)); \
            floats_store(out + i, a); \
            floats_store(out + i + LANES, b); \
        } \
        for (; i < n; i += LANES) { \
            const ptrdiff_t left = (ptrdiff_t)(n - i); \
            floats_give(out + i, of(floats_take(x + i, left, 0)), left); \
        } \
    }

#define BACKWARD(name, slope) \
    static void name(float *dx, const float *dout, const float *x, size_t n) \
    { \
        size_t i = 0; \
        for (; i + 2 * LANES <= n; i += 2 * LANES) { \
            const floats a = slope(floats_load(x + i)), b = slope(floats_load(x + i + LANES)); \
            const floats c = floats_load(dout + i), d = floats_load(dout + i + LANES); \
            floats_store(dx + i, a * c); \
            floats_store(dx + i + LANES, b * d); \
        } \
        for (; i < n; i += LANES) { \
            const ptrdiff_t left = (ptrdiff_t)(n - i); \
            const floats d = floats_take(dout + i, left, 0); \
            floats_give(dx + i, d * slope(floats_take(x + i, left, 0)), left); \
        } \
    }

FORWARD(gelu, gelu_of)
FORWARD(silu, silu_of)
FORWARD(relu, relu_of)
BACKWARD(gelu_backward, gelu_slope)
BACKWARD(silu_backward, silu_slope)
BACKWARD(relu_backward, relu_slope)

static void swiglu(float *out, const float *gate_up, int rows, int F)
{
    for (int i = 0; i < rows; i++) {
        const float *gate = gate_up + row_of(i, 2 * F), *up = gate + F;
        float *y = out + row_of(i, F);
        for (int j = 0; j < F; j += LANES) {
            const floats g = floats_take(gate + j, F - j, 0);
            floats_give(y + j, silu_of(g) * floats_take(up + j, F - j, 0), F - j);
        }
    }
}

static void swiglu_backward(float *dgate_up, const float *dout, const float *gate_up, int rows,
                            int F)
{
    for (int i = 0; i < rows; i++) {
        const float *gate = gate_up + row_of(i, 2 * F), *up = gate + F;
        const float *dy = dout + row_of(i, F);
        float *dgate = dgate_up + row_of(i, 2 * F), *dup = dgate + F;
        for (int j = 0; j < F; j += LANES) {
            const floats g = floats_take(gate + j, F - j, 0), u = floats_take(up + j, F - j, 0);
            const floats d = floats_take(dy + j, F - j, 0), x = within(g, SILU_LIMIT);
            floats rest;
            const floats s = floats_sigmoid_both(x, &rest), slope = floats_fma(x * s, rest, s);
            floats_give(dgate + j, d * u * slope, F - j);
            floats_give(dup + j, d * (at_least(g, -SILU_LIMIT) * s), F - j);
        }
    }
}

const struct activation_kernel KERNEL(activation_kernel) = {
    gelu, silu, relu, gelu_backward, silu_backward, relu_backward, swiglu, swiglu_backward};
