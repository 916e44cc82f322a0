#include "tensor/elementwise.h"

#include <limits.h>

#include "base/error.h"
#include "tensor/elementwise_kernel.h"

enum { NUMBERS_A_TASK = 1 << 14 };

struct job {
    void (*map)(float *out, const float *x, size_t n);
    void (*pair)(float *out, const float *a, const float *b, size_t n);
    void (*add_scaled)(float *y, float a, const float *x, size_t n);
    float *out, scale;
    const float *a, *b;
    size_t n;
};

static void job_task(void *context, int task, int worker)
{
    const struct job *job = context;
    const size_t at = (size_t)task * NUMBERS_A_TASK, left = job->n - at;
    const size_t n = left < NUMBERS_A_TASK ? left : NUMBERS_A_TASK;
    (void)worker;

    if (job->map) job->map(job->out + at, job->a + at, n);
    else if (job->pair) job->pair(job->out + at, job->a + at, job->b + at, n);
    else job->add_scaled(job->out + at, job->scale, job->a + at, n);
}

static void job_run(struct pool *pool, struct job job)
{
    CHECK(job.n <= (size_t)INT_MAX * NUMBERS_A_TASK);
    pool_run(pool, job_task, &job, (int)((job.n + NUMBERS_A_TASK - 1) / NUMBERS_A_TASK));
}

static void map_run(struct pool *pool, enum elementwise_map map, float *out, const float *x,
                    size_t n)
{
    job_run(pool, (struct job){.map = elementwise_kernel()->map[map], .out = out, .a = x, .n = n});
}

static void pair_run(struct pool *pool, enum elementwise_pair pair, float *out, const float *a,
                     const float *b, size_t n)
{
    job_run(
        pool,
        (struct job){.pair = elementwise_kernel()->pair[pair], .out = out, .a = a, .b = b, .n = n});
}

void elementwise_exp(struct pool *pool, float *out, const float *x, size_t n)
{
    map_run(pool, ELEMENTWISE_EXP, out, x, n);
}

void elementwise_log(struct pool *pool, float *out, const float *x, size_t n)
{
    map_run(pool, ELEMENTWISE_LOG, out, x, n);
}

void elementwise_tanh(struct pool *pool, float *out, const float *x, size_t n)
{
    map_run(pool, ELEMENTWISE_TANH, out, x, n);
}

void elementwise_sigmoid(struct pool *pool, float *out, const float *x, size_t n)
{
    map_run(pool, ELEMENTWISE_SIGMOID, out, x, n);
}

void elementwise_sqrt(struct pool *pool, float *out, const float *x, size_t n)
{
    map_run(pool, ELEMENTWISE_SQRT, out, x, n);
}

void elementwise_add(struct pool *pool, float *out, const float *a, const float *b, size_t n)
{
    pair_run(pool, ELEMENTWISE_ADD, out, a, b, n);
}

void elementwise_subtract(struct pool *pool, float *out, const float *a, const float *b, size_t n)
{
    pair_run(pool, ELEMENTWISE_SUBTRACT, out, a, b, n);
}

void elementwise_multiply(struct pool *pool, float *out, const float *a, const float *b, size_t n)
{
    pair_run(pool, ELEMENTWISE_MULTIPLY, out, a, b, n);
}

void elementwise_divide(struct pool *pool, float *out, const float *a, const float *b, size_t n)
{
    pair_run(pool, ELEMENTWISE_DIVIDE, out, a, b, n);
}

void elementwise_add_scaled(struct pool *pool, float *y, float a, const float *x, size_t n)
{
    job_run(
        pool,
        (struct job){
            .add_scaled = elementwise_kernel()->add_scaled, .out = y, .scale = a, .a = x, .n = n});
}
