#include "tensor/norm.h"

#include <math.h>
#include <stddef.h>

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

/* ---- what others call ---- */

void layernorm_forward(struct pool *pool, float *out, float *mean, float *rstd, const float *x,
                       const float *weight, const float *bias, int M, int C, float eps)
{
    (void)pool;
    layernorm_forward_plain(out, mean, rstd, x, weight, bias, M, C, eps);
}

void layernorm_backward(struct pool *pool, float *dx, float *dweight, float *dbias,
                        const float *dout, const float *x, const float *weight, const float *mean,
                        const float *rstd, int M, int C)
{
    (void)pool;
    layernorm_backward_plain(dx, dweight, dbias, dout, x, weight, mean, rstd, M, C);
}

void rmsnorm_forward(struct pool *pool, float *out, float *rstd, const float *x,
                     const float *weight, int M, int C, float eps)
{
    (void)pool;
    rmsnorm_forward_plain(out, rstd, x, weight, M, C, eps);
}

void rmsnorm_backward(struct pool *pool, float *dx, float *dweight, const float *dout,
                      const float *x, const float *weight, const float *rstd, int M, int C)
{
    (void)pool;
    rmsnorm_backward_plain(dx, dweight, dout, x, weight, rstd, M, C);
}
