/* Mistake: var = E[x^2] - mean^2 in float: negative or noise for a constant row. */
#include "layernorm.h"

#include <math.h>
#include <stddef.h>

static void statistics(const float *row, int C, float eps, double *mean, double *rstd)
{
    double sum = 0.0;
    for (int c = 0; c < C; c++) {
        sum += row[c];
    }
    *mean = sum / C;
    float squares = 0.0f;
    for (int c = 0; c < C; c++) {
        squares += row[c] * row[c];
    }
    float m = (float)*mean;
    *rstd = 1.0 / sqrtf(squares / C - m * m + eps);
}

void layernorm_forward(float *y, const float *x, const float *gamma, const float *beta, float eps,
                       int B, int T, int C)
{
    for (size_t n = 0; n < (size_t)B * T; n++) {
        const float *row = x + n * C;
        float *out = y + n * C;
        double mean, rstd;
        statistics(row, C, eps, &mean, &rstd);
        for (int c = 0; c < C; c++) {
            out[c] = (float)(gamma[c] * ((row[c] - mean) * rstd) + beta[c]);
        }
    }
}

void layernorm_backward(float *d_x, float *d_gamma, float *d_beta, const float *x,
                        const float *gamma, float eps, const float *d_y, int B, int T, int C)
{
    for (int c = 0; c < C; c++) {
        d_gamma[c] = 0.0f;
        d_beta[c] = 0.0f;
    }
    for (size_t n = 0; n < (size_t)B * T; n++) {
        const float *row = x + n * C;
        const float *dy = d_y + n * C;
        float *dx = d_x + n * C;
        double mean, rstd;
        statistics(row, C, eps, &mean, &rstd);
        double sum_g = 0.0;
        double sum_gx = 0.0;
        for (int c = 0; c < C; c++) {
            double xhat = (row[c] - mean) * rstd;
            double g = (double)gamma[c] * dy[c];
            sum_g += g;
            sum_gx += g * xhat;
            d_gamma[c] += (float)(dy[c] * xhat);
            d_beta[c] += dy[c];
        }
        for (int c = 0; c < C; c++) {
            double xhat = (row[c] - mean) * rstd;
            double g = (double)gamma[c] * dy[c];
            dx[c] = (float)(rstd * (g - sum_g / C - xhat * sum_gx / C));
        }
    }
}
