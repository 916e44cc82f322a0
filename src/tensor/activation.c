#include "tensor/activation.h"

#include <limits.h>
#include <math.h>

#include "base/error.h"
#include "tensor/activation_kernel.h"
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

/* ---- numbers are shared out ---- */

enum { NUMBERS_A_TASK = 1 << 14 };

struct job {
    void (*forward)(float *out, const float *x, size_t n);
    void (*backward)(float *dx, const float *dout, const float *x, size_t n);
    float *out;
    const float *dout, *x;
    size_t n;
};

static void job_task(void *context, int task, int worker)
{
    const struct job *job = context;
    const size_t at = (size_t)task * NUMBERS_A_TASK, left = job->n - at;
    const size_t n = left < NUMBERS_A_TASK ? left : NUMBERS_A_TASK;
    (void)worker;

    if (job->forward) job->forward(job->out + at, job->x + at, n);
    else job->backward(job->out + at, job->dout + at, job->x + at, n);
}

static void job_run(struct pool *pool, struct job job)
{
    CHECK(job.n <= (size_t)INT_MAX * NUMBERS_A_TASK);
    pool_run(pool, job_task, &job, (int)((job.n + NUMBERS_A_TASK - 1) / NUMBERS_A_TASK));
}

void gelu_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    job_run(pool, (struct job){activation_kernel()->gelu, NULL, out, NULL, x, n});
}

void gelu_exact_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    job_run(pool, (struct job){gelu_exact_forward_plain, NULL, out, NULL, x, n});
}

void silu_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    job_run(pool, (struct job){activation_kernel()->silu, NULL, out, NULL, x, n});
}

void relu_forward(struct pool *pool, float *out, const float *x, size_t n)
{
    job_run(pool, (struct job){activation_kernel()->relu, NULL, out, NULL, x, n});
}

void gelu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    job_run(pool, (struct job){NULL, activation_kernel()->gelu_backward, dx, dout, x, n});
}

void gelu_exact_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    job_run(pool, (struct job){NULL, gelu_exact_backward_plain, dx, dout, x, n});
}

void silu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    job_run(pool, (struct job){NULL, activation_kernel()->silu_backward, dx, dout, x, n});
}

void relu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n)
{
    job_run(pool, (struct job){NULL, activation_kernel()->relu_backward, dx, dout, x, n});
}

struct swiglu {
    const struct activation_kernel *kernel;
    float *out;
    const float *dout, *gate_up; /* dout NULL: forward */
    int M, F, rows_a_task;
};

static void swiglu_task(void *context, int task, int worker)
{
    const struct swiglu *s = context;
    const int first = task * s->rows_a_task, rows = kernel_rows_of(task, s->M, s->rows_a_task);
    const size_t narrow = row_of(first, s->F), wide = row_of(first, 2 * s->F);
    (void)worker;

    if (!s->dout) s->kernel->swiglu(s->out + narrow, s->gate_up + wide, rows, s->F);
    else s->kernel->swiglu_backward(s->out + wide, s->dout + narrow, s->gate_up + wide, rows, s->F);
}

void swiglu_forward(struct pool *pool, float *out, const float *gate_up, int M, int F)
{
    struct swiglu s = {activation_kernel(), out, NULL, gate_up, M, F, kernel_rows_a_task(F)};
    pool_run(pool, swiglu_task, &s, kernel_tasks(M, s.rows_a_task));
}

void swiglu_backward(struct pool *pool, float *dgate_up, const float *dout, const float *gate_up,
                     int M, int F)
{
    struct swiglu s = {activation_kernel(), dgate_up, dout, gate_up, M, F, kernel_rows_a_task(F)};
    pool_run(pool, swiglu_task, &s, kernel_tasks(M, s.rows_a_task));
}
