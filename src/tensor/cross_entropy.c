#include "tensor/cross_entropy.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "tensor/cross_entropy_kernel.h"
#include "tensor/row.h"

/* ---- plain ---- */

static double log_sum_exp(const float *x, int n)
{
    double largest = -INFINITY, sum = 0;
    for (int j = 0; j < n; j++)
        if ((double)x[j] > largest || isnan(x[j])) largest = (double)x[j];
    if (largest == -INFINITY) return largest;
    for (int j = 0; j < n; j++) sum += exp((double)x[j] - largest);
    return largest + log(sum);
}

void cross_entropy_forward_plain(float *losses, const float *logits, const int32_t *targets, int M,
                                 int V)
{
    for (int i = 0; i < M; i++) {
        const float *x = logits + row_of(i, V);
        CHECK(targets[i] >= CROSS_ENTROPY_IGNORE && targets[i] < V);
        losses[i] = 0;
        if (targets[i] != CROSS_ENTROPY_IGNORE)
            losses[i] = (float)(log_sum_exp(x, V) - (double)x[targets[i]]);
    }
}

void cross_entropy_backward_plain(float *dlogits, const float *logits, const int32_t *targets,
                                  float scale, int M, int V)
{
    for (int i = 0; i < M; i++) {
        const float *x = logits + row_of(i, V);
        float *dx = dlogits + row_of(i, V);
        CHECK(targets[i] >= CROSS_ENTROPY_IGNORE && targets[i] < V);
        if (targets[i] == CROSS_ENTROPY_IGNORE) {
            for (int j = 0; j < V; j++) dx[j] = 0;
            continue;
        }
        const double lse = log_sum_exp(x, V);
        for (int j = 0; j < V; j++) {
            const double p = exp((double)x[j] - lse);
            dx[j] = (float)((p - (j == targets[i])) * (double)scale);
        }
    }
}

/* ---- rows are shared out ---- */

struct job {
    const struct cross_entropy_kernel *kernel;
    float *losses, *dlogits; /* NULL: not asked for */
    const float *logits;
    const int32_t *targets;
    float scale;
    int M, V, rows_a_task;
};

static void one_row(const struct job *job, int i)
{
    const float *x = job->logits + row_of(i, job->V);
    float *dx = job->dlogits ? job->dlogits + row_of(i, job->V) : NULL;
    const int target = job->targets[i];

    CHECK(target >= CROSS_ENTROPY_IGNORE && target < job->V);
    if (target == CROSS_ENTROPY_IGNORE) {
        if (job->losses) job->losses[i] = 0;
        if (dx) memset(dx, 0, (size_t)job->V * sizeof *dx);
        return;
    }
    float largest, rest;
    job->kernel->log_sum(&largest, &rest, x, job->V);
    if (job->losses) {
        const float loss = (largest - x[target]) + rest;
        job->losses[i] = loss < 0 ? 0 : loss; /* rounding; NaN stays */
    }
    if (!dx) return;
    /* p - 1 of a sure target is taken without the rounding of p: -(sum of the others) is not at
     * hand, but expm1 of the logarithm is. */
    const double minus_one = expm1(((double)x[target] - (double)largest) - (double)rest);
    job->kernel->probabilities(dx, x, largest, rest, job->scale, job->V);
    dx[target] = (float)(minus_one * (double)job->scale);
}

static void job_task(void *context, int task, int worker)
{
    const struct job *job = context;
    const int first = task * job->rows_a_task;
    const int rows = kernel_rows_of(task, job->M, job->rows_a_task);
    (void)worker;
    for (int i = first; i < first + rows; i++) one_row(job, i);
}

static void job_run(struct pool *pool, struct job job)
{
    job.kernel = cross_entropy_kernel();
    job.rows_a_task = kernel_rows_a_task(job.V);
    pool_run(pool, job_task, &job, kernel_tasks(job.M, job.rows_a_task));
}

void cross_entropy_forward(struct pool *pool, float *losses, const float *logits,
                           const int32_t *targets, int M, int V)
{
    job_run(pool, (struct job){NULL, losses, NULL, logits, targets, 0, M, V, 0});
}

void cross_entropy_backward(struct pool *pool, float *dlogits, const float *logits,
                            const int32_t *targets, float scale, int M, int V)
{
    job_run(pool, (struct job){NULL, NULL, dlogits, logits, targets, scale, M, V, 0});
}

void cross_entropy_both(struct pool *pool, float *losses, float *dlogits, const float *logits,
                        const int32_t *targets, float scale, int M, int V)
{
    job_run(pool, (struct job){NULL, losses, dlogits, logits, targets, scale, M, V, 0});
}
