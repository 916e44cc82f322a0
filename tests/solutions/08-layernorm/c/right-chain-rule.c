/* Style: the chain rule through variance and mean step by step; columns summed one at a time. */
#include "layernorm.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static double mean_of(const float *row, int C)
{
    double total = 0;
    for (const float *p = row; p < row + C; p++) total += *p;
    return total / C;
}

static double variance_of(const float *row, double mean, int C)
{
    double total = 0;
    for (const float *p = row; p < row + C; p++) total += (*p - mean) * (*p - mean);
    return total / C;
}

void layernorm_forward(float *y, const float *x, const float *gamma, const float *beta, float eps,
                       int B, int T, int C)
{
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++, x += C, y += C) {
            const double mean = mean_of(x, C);
            const double deviation = sqrt(variance_of(x, mean, C) + eps);
            for (int c = 0; c < C; c++)
                y[c] = (float)((x[c] - mean) / deviation * gamma[c] + beta[c]);
        }
}

void layernorm_backward(float *d_x, float *d_gamma, float *d_beta, const float *x,
                        const float *gamma, float eps, const float *d_y, int B, int T, int C)
{
    const long N = (long)B * T;
    double *mean = malloc((size_t)N * sizeof *mean);
    double *var = malloc((size_t)N * sizeof *var);
    assert(mean && var && eps > 0);

    for (long n = 0; n < N; n++) {
        mean[n] = mean_of(x + n * C, C);
        var[n] = variance_of(x + n * C, mean[n], C);
    }
    for (int c = 0; c < C; c++) {
        double dg = 0, db = 0;
        for (long n = 0; n < N; n++) {
            dg += d_y[n * C + c] * (x[n * C + c] - mean[n]) / sqrt(var[n] + eps);
            db += d_y[n * C + c];
        }
        d_gamma[c] = (float)dg;
        d_beta[c] = (float)db;
    }
    for (long n = 0; n < N; n++) {
        const float *row = x + n * C, *dy = d_y + n * C;
        const double inverse = pow(var[n] + eps, -0.5);
        double d_var = 0, d_mean = 0;
        for (int c = 0; c < C; c++) {
            const double d_xhat = (double)dy[c] * gamma[c];
            d_var += d_xhat * (row[c] - mean[n]) * -0.5 * inverse * inverse * inverse;
            d_mean -= d_xhat * inverse;
        }
        for (int c = 0; c < C; c++)
            d_x[n * C + c] = (float)(dy[c] * gamma[c] * inverse +
                                     d_var * 2 * (row[c] - mean[n]) / C + d_mean / C);
    }
    free(mean);
    free(var);
}
