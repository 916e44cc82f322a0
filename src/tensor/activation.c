#include "tensor/activation.h"

#include <math.h>

#include "tensor/row.h"

/* ---- plain: each function and its derivative, in double ---- */

#define SQRT_2_OVER_PI 0.79788456080286535588
#define SQRT_1_OVER_2 0.70710678118654752440
#define ONE_OVER_SQRT_2_PI 0.39894228040143267794
#define GELU_CUBIC 0.044715

/* 0.5 (1 + tanh(u)) is sigmoid(2u): no cancellation where the tanh is near -1. */
static double gelu(double x)
{
    if (x == -INFINITY) return 0;
    return x / (1.0 + exp(-2.0 * SQRT_2_OVER_PI * (x + GELU_CUBIC * x * x * x)));
}

static double gelu_slope(double x)
{
    if (isinf(x)) return x > 0;
    const double s = 1.0 / (1.0 + exp(-2.0 * SQRT_2_OVER_PI * (x + GELU_CUBIC * x * x * x)));
    return s + x * s * (1.0 - s) * 2.0 * SQRT_2_OVER_PI * (1.0 + 3.0 * GELU_CUBIC * x * x);
}

static double gelu_exact(double x)
{
    if (x == -INFINITY) return 0;
    return 0.5 * x * erfc(-x * SQRT_1_OVER_2);
}

static double gelu_exact_slope(double x)
{
    if (isinf(x)) return x > 0;
    return 0.5 * erfc(-x * SQRT_1_OVER_2) + x * ONE_OVER_SQRT_2_PI * exp(-0.5 * x * x);
}

static double silu(double x) { return x == -INFINITY ? 0 : x / (1.0 + exp(-x)); }

static double silu_slope(double x)
{
    if (isinf(x)) return x > 0;
    const double s = 1.0 / (1.0 + exp(-x));
    return s + x * s * (1.0 - s);
}

static double relu(double x) { return x > 0 || isnan(x) ? x : 0; }
static double relu_slope(double x) { return isnan(x) ? x : x > 0; }

static void apply(float *out, const float *x, size_t n, double (*value)(double))
{
    for (size_t i = 0; i < n; i++) out[i] = (float)value((double)x[i]);
}

static void apply_slope(float *dx, const float *dout, const float *x, size_t n,
                        double (*slope)(double))
{
    for (size_t i = 0; i < n; i++) dx[i] = (float)((double)dout[i] * slope((double)x[i]));
}

void gelu_forward_plain(float *out, const float *x, size_t n) { apply(out, x, n, gelu); }
void gelu_exact_forward_plain(float *out, const float *x, size_t n)
{
    apply(out, x, n, gelu_exact);
}
void silu_forward_plain(float *out, const float *x, size_t n) { apply(out, x, n, silu); }
void relu_forward_plain(float *out, const float *x, size_t n) { apply(out, x, n, relu); }

void gelu_backward_plain(float *dx, const float *dout, const float *x, size_t n)
{
    apply_slope(dx, dout, x, n, gelu_slope);
}
void gelu_exact_backward_plain(float *dx, const float *dout, const float *x, size_t n)
{
    apply_slope(dx, dout, x, n, gelu_exact_slope);
}
void silu_backward_plain(float *dx, const float *dout, const float *x, size_t n)
{
    apply_slope(dx, dout, x, n, silu_slope);
}
void relu_backward_plain(float *dx, const float *dout, const float *x, size_t n)
{
    apply_slope(dx, dout, x, n, relu_slope);
}

void swiglu_forward_plain(float *out, const float *gate_up, int M, int F)
{
    for (int i = 0; i < M; i++) {
        const float *gate = gate_up + row_of(i, 2 * F), *up = gate + F;
        float *y = out + row_of(i, F);
        for (int j = 0; j < F; j++) y[j] = (float)(silu((double)gate[j]) * (double)up[j]);
    }
}

void swiglu_backward_plain(float *dgate_up, const float *dout, const float *gate_up, int M, int F)
{
    for (int i = 0; i < M; i++) {
        const float *gate = gate_up + row_of(i, 2 * F), *up = gate + F;
        const float *dy = dout + row_of(i, F);
        float *dgate = dgate_up + row_of(i, 2 * F), *dup = dgate + F;
        for (int j = 0; j < F; j++) {
            const double g = (double)gate[j], u = (double)up[j], d = (double)dy[j];
            dgate[j] = (float)(d * u * silu_slope(g));
            dup[j] = (float)(d * silu(g));
        }
    }
}

/* ---- what others call ---- */

void gelu_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    (void)pool;
    gelu_forward_plain(out, x, n);
}

void gelu_exact_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    (void)pool;
    gelu_exact_forward_plain(out, x, n);
}

void silu_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    (void)pool;
    silu_forward_plain(out, x, n);
}

void relu_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    (void)pool;
    relu_forward_plain(out, x, n);
}

void gelu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    (void)pool;
    gelu_backward_plain(dx, dout, x, n);
}

void gelu_exact_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    (void)pool;
    gelu_exact_backward_plain(dx, dout, x, n);
}

void silu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    (void)pool;
    silu_backward_plain(dx, dout, x, n);
}

void relu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    (void)pool;
    relu_backward_plain(dx, dout, x, n);
}

void swiglu_forward(struct pool *pool, float *out, const float *gate_up, int M, int F)
{
    (void)pool;
    swiglu_forward_plain(out, gate_up, M, F);
}

void swiglu_backward(struct pool *pool, float *dgate_up, const float *dout, const float *gate_up,
                     int M, int F)
{
    (void)pool;
    swiglu_backward_plain(dgate_up, dout, gate_up, M, F);
}
