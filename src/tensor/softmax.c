#include "tensor/softmax.h"

#include <math.h>

#include "tensor/row.h"
#include "tensor/softmax_kernel.h"

/* ---- plain ---- */

static float row_max(const float *in, int n)
{
    float largest = -INFINITY;
    for (int j = 0; j < n; j++)
        if (in[j] > largest || isnan(in[j])) largest = in[j];
    return largest;
}

/* Of a row whose largest number is finite, or NaN: 1 or more, or NaN. */
static double exp_sum(const float *in, int n, float largest)
{
    double sum = 0;
    for (int j = 0; j < n; j++) sum += exp((double)in[j] - (double)largest);
    return sum;
}

void softmax_rows_plain(float *out, const float *in, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *x = in + row_of(i, n);
        float *p = out + row_of(i, n);
        const float largest = row_max(x, n);

        if (largest == -INFINITY) {
            for (int j = 0; j < n; j++) p[j] = 0.0f;
            continue;
        }
        const double sum = exp_sum(x, n, largest);
        for (int j = 0; j < n; j++) p[j] = (float)(exp((double)x[j] - (double)largest) / sum);
    }
}

void softmax_rows_backward_plain(float *din, const float *dout, const float *out, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *dp = dout + row_of(i, n), *p = out + row_of(i, n);
        float *dx = din + row_of(i, n);
        double dot = 0;

        for (int j = 0; j < n; j++) dot += (double)dp[j] * (double)p[j];
        for (int j = 0; j < n; j++) dx[j] = (float)((double)p[j] * ((double)dp[j] - dot));
    }
}

void log_softmax_rows_plain(float *out, const float *in, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *x = in + row_of(i, n);
        float *y = out + row_of(i, n);
        const float largest = row_max(x, n);

        if (largest == -INFINITY) {
            for (int j = 0; j < n; j++) y[j] = -INFINITY;
            continue;
        }
        const double lse = (double)largest + log(exp_sum(x, n, largest));
        for (int j = 0; j < n; j++) y[j] = (float)((double)x[j] - lse);
    }
}

/* ---- rows are shared out ---- */

struct job {
    const struct softmax_kernel *kernel;
    float *out;
    const float *in, *probs; /* probs: of the forward pass, in the backward pass */
    int rows, n, rows_a_task;
};

static struct job job_of(float *out, const float *in, const float *probs, int rows, int n)
{
    return (struct job){softmax_kernel(), out, in, probs, rows, n, kernel_rows_a_task(n)};
}

static void forward_task(void *context, int i, int worker)
{
    const struct job *job = context;
    const size_t at = row_of(i * job->rows_a_task, job->n);
    (void)worker;
    job->kernel->forward(job->out + at, job->in + at,
                         kernel_rows_of(i, job->rows, job->rows_a_task), job->n);
}

static void backward_task(void *context, int i, int worker)
{
    const struct job *job = context;
    const size_t at = row_of(i * job->rows_a_task, job->n);
    (void)worker;
    job->kernel->backward(job->out + at, job->in + at, job->probs + at,
                          kernel_rows_of(i, job->rows, job->rows_a_task), job->n);
}

static void logarithm_task(void *context, int i, int worker)
{
    const struct job *job = context;
    const size_t at = row_of(i * job->rows_a_task, job->n);
    (void)worker;
    job->kernel->logarithm(job->out + at, job->in + at,
                           kernel_rows_of(i, job->rows, job->rows_a_task), job->n);
}

void softmax_rows(struct pool *pool, float *out, const float *in, int rows, int n)
{
    struct job job = job_of(out, in, NULL, rows, n);
    pool_run(pool, forward_task, &job, kernel_tasks(rows, job.rows_a_task));
}

void softmax_rows_backward(struct pool *pool, float *din, const float *dout, const float *out,
                           int rows, int n)
{
    struct job job = job_of(din, dout, out, rows, n);
    pool_run(pool, backward_task, &job, kernel_tasks(rows, job.rows_a_task));
}

void log_softmax_rows(struct pool *pool, float *out, const float *in, int rows, int n)
{
    struct job job = job_of(out, in, NULL, rows, n);
    pool_run(pool, logarithm_task, &job, kernel_tasks(rows, job.rows_a_task));
}
