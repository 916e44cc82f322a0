#include "tensor/norm.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "tensor/norm_kernel.h"
#include "tensor/row.h"

/* ---- plain ---- */

void layernorm_forward_plain(float *out, float *mean, float *rstd, const float *x,
                             const float *weight, const float *bias, int M, int C, float eps)
{
    for (int i = 0; i < M; i++) {
        const float *row = x + row_of(i, C);
        float *y = out + row_of(i, C);
        double sum = 0, squares = 0;

        for (int j = 0; j < C; j++) sum += (double)row[j];
        const double centre = sum / C;
        for (int j = 0; j < C; j++)
            squares += ((double)row[j] - centre) * ((double)row[j] - centre);
        const double scale = 1.0 / sqrt(squares / C + (double)eps);

        for (int j = 0; j < C; j++) {
            const double shift = bias ? (double)bias[j] : 0.0;
            y[j] = (float)(((double)row[j] - centre) * scale * (double)weight[j] + shift);
        }
        if (mean) mean[i] = (float)centre;
        if (rstd) rstd[i] = (float)scale;
    }
}

void layernorm_backward_plain(float *dx, float *dweight, float *dbias, const float *dout,
                              const float *x, const float *weight, const float *mean,
                              const float *rstd, int M, int C)
{
    for (int i = 0; i < M; i++) {
        const float *row = x + row_of(i, C), *dy = dout + row_of(i, C);
        float *d = dx + row_of(i, C);
        const double centre = (double)mean[i], scale = (double)rstd[i];
        double sum_g = 0, sum_gx = 0;

        for (int j = 0; j < C; j++) {
            const double g = (double)dy[j] * (double)weight[j];
            sum_g += g;
            sum_gx += g * ((double)row[j] - centre) * scale;
        }
        for (int j = 0; j < C; j++) {
            const double g = (double)dy[j] * (double)weight[j];
            const double normal = ((double)row[j] - centre) * scale;
            d[j] = (float)((double)d[j] + scale * (g - sum_g / C - normal * sum_gx / C));
        }
    }
    for (int j = 0; j < C; j++) {
        double sum_weight = 0, sum_bias = 0;
        for (int i = 0; i < M; i++) {
            const double dy = (double)dout[row_of(i, C) + (size_t)j];
            const double value = (double)x[row_of(i, C) + (size_t)j];
            sum_weight += dy * (value - (double)mean[i]) * (double)rstd[i];
            sum_bias += dy;
        }
        dweight[j] = (float)((double)dweight[j] + sum_weight);
        if (dbias) dbias[j] = (float)((double)dbias[j] + sum_bias);
    }
}

void rmsnorm_forward_plain(float *out, float *rstd, const float *x, const float *weight, int M,
                           int C, float eps)
{
    for (int i = 0; i < M; i++) {
        const float *row = x + row_of(i, C);
        float *y = out + row_of(i, C);
        double squares = 0;

        for (int j = 0; j < C; j++) squares += (double)row[j] * (double)row[j];
        const double scale = 1.0 / sqrt(squares / C + (double)eps);
        for (int j = 0; j < C; j++) y[j] = (float)((double)row[j] * scale * (double)weight[j]);
        if (rstd) rstd[i] = (float)scale;
    }
}

void rmsnorm_backward_plain(float *dx, float *dweight, const float *dout, const float *x,
                            const float *weight, const float *rstd, int M, int C)
{
    for (int i = 0; i < M; i++) {
        const float *row = x + row_of(i, C), *dy = dout + row_of(i, C);
        float *d = dx + row_of(i, C);
        const double scale = (double)rstd[i];
        double sum_gx = 0;

        for (int j = 0; j < C; j++)
            sum_gx += (double)dy[j] * (double)weight[j] * (double)row[j] * scale;
        for (int j = 0; j < C; j++) {
            const double g = (double)dy[j] * (double)weight[j];
            d[j] = (float)((double)d[j] + scale * (g - (double)row[j] * scale * sum_gx / C));
        }
    }
    for (int j = 0; j < C; j++) {
        double sum = 0;
        for (int i = 0; i < M; i++) {
            const size_t at = row_of(i, C) + (size_t)j;
            sum += (double)dout[at] * (double)x[at] * (double)rstd[i];
        }
        dweight[j] = (float)((double)dweight[j] + sum);
    }
}

/* ---- forward: rows are shared out ---- */

struct forward {
    const struct norm_kernel *kernel;
    float *out, *mean, *rstd;
    const float *x, *weight, *bias;
    int M, C, rows_a_task;
    float eps;
    bool rms;
};

static void forward_task(void *context, int task, int worker)
{
    const struct forward *f = context;
    const int first = task * f->rows_a_task, rows = kernel_rows_of(task, f->M, f->rows_a_task);
    float *out = f->out + row_of(first, f->C);
    float *mean = f->mean ? f->mean + first : NULL, *rstd = f->rstd ? f->rstd + first : NULL;
    const float *x = f->x + row_of(first, f->C);
    (void)worker;

    if (f->rms) f->kernel->rms_forward(out, rstd, x, f->weight, rows, f->C, f->eps);
    else f->kernel->layer_forward(out, mean, rstd, x, f->weight, f->bias, rows, f->C, f->eps);
}

void layernorm_forward(struct pool *pool, float *out, float *mean, float *rstd, const float *x,
                       const float *weight, const float *bias, int M, int C, float eps)
{
    struct forward f = {norm_kernel(),         out, mean, rstd, x, weight, bias, M, C,
                        kernel_rows_a_task(C), eps, false};
    pool_run(pool, forward_task, &f, kernel_tasks(M, f.rows_a_task));
}

void rmsnorm_forward(struct pool *pool, float *out, float *rstd, const float *x,
                     const float *weight, int M, int C, float eps)
{
    struct forward f = {norm_kernel(),         out, NULL, rstd, x, weight, NULL, M, C,
                        kernel_rows_a_task(C), eps, true};
    pool_run(pool, forward_task, &f, kernel_tasks(M, f.rows_a_task));
}

/* ---- backward: a block of rows makes its own sums for dweight and dbias, then columns are shared
 * out and the blocks added in their order. Blocks depend on M alone. ---- */

enum { BLOCKS = 32, ROWS_A_BLOCK = 8, COLUMNS_A_TASK = 256 };

struct backward {
    const struct norm_kernel *kernel;
    float *dx, *dweight, *dbias;
    const float *dout, *x, *weight, *mean, *rstd;
    int M, C, rows_a_task, tasks;
    float *sums; /* [tasks, 2, C] */
};

static void backward_task(void *context, int task, int worker)
{
    const struct backward *b = context;
    const int first = task * b->rows_a_task, rows = kernel_rows_of(task, b->M, b->rows_a_task);
    const size_t at = row_of(first, b->C);
    float *dweight = b->sums + row_of(2 * task, b->C), *dbias = dweight + b->C;
    (void)worker;

    memset(dweight, 0, 2 * (size_t)b->C * sizeof *dweight);
    b->kernel->backward(b->dx + at, dweight, b->dbias ? dbias : NULL, b->dout + at, b->x + at,
                        b->weight, b->mean ? b->mean + first : NULL, b->rstd + first, rows, b->C);
}

static void sum_task(void *context, int task, int worker)
{
    const struct backward *b = context;
    const int first = task * COLUMNS_A_TASK, n = kernel_rows_of(task, b->C, COLUMNS_A_TASK);
    (void)worker;

    for (int i = 0; i < b->tasks; i++) {
        const float *sums = b->sums + row_of(2 * i, b->C) + first;
        b->kernel->add(b->dweight + first, sums, n);
        if (b->dbias) b->kernel->add(b->dbias + first, sums + b->C, n);
    }
}

static void backward_run(struct pool *pool, struct backward *b)
{
    b->rows_a_task = (b->M + BLOCKS - 1) / BLOCKS;
    if (b->rows_a_task < ROWS_A_BLOCK) b->rows_a_task = ROWS_A_BLOCK;
    b->tasks = kernel_tasks(b->M, b->rows_a_task);
    b->sums = pool_scratch(pool, POOL_SHARED, row_of(2 * b->tasks, b->C) * sizeof *b->sums);
    pool_run(pool, backward_task, b, b->tasks);
    pool_run(pool, sum_task, b, kernel_tasks(b->C, COLUMNS_A_TASK));
}

void layernorm_backward(struct pool *pool, float *dx, float *dweight, float *dbias,
                        const float *dout, const float *x, const float *weight, const float *mean,
                        const float *rstd, int M, int C)
{
    struct backward b = {.kernel = norm_kernel(),
                         .dx = dx,
                         .dweight = dweight,
                         .dbias = dbias,
                         .dout = dout,
                         .x = x,
                         .weight = weight,
                         .mean = mean,
                         .rstd = rstd,
                         .M = M,
                         .C = C};
    backward_run(pool, &b);
}

void rmsnorm_backward(struct pool *pool, float *dx, float *dweight, const float *dout,
                      const float *x, const float *weight, const float *rstd, int M, int C)
{
    struct backward b = {.kernel = norm_kernel(),
                         .dx = dx,
                         .dweight = dweight,
                         .dout = dout,
                         .x = x,
                         .weight = weight,
                         .rstd = rstd,
                         .M = M,
                         .C = C};
    backward_run(pool, &b);
}
