/* Style: straightforward loops per row, sums in double. */
#include "rmsnorm.h"

#include <math.h>
#include <stddef.h>

static double inverse_rms(const float *row, float eps, int C)
{
    double sum = 0.0;
    for (int c = 0; c < C; c++) {
        sum += (double)row[c] * row[c];
    }
    return 1.0 / sqrt(sum / C + eps);
}

void rmsnorm_forward(float *y, const float *x, const float *gamma, float eps, int N, int C)
{
    for (int n = 0; n < N; n++) {
        const float *row = x + (size_t)n * C;
        double r = inverse_rms(row, eps, C);
        for (int c = 0; c < C; c++) {
            y[(size_t)n * C + c] = (float)(gamma[c] * (row[c] * r));
        }
    }
}

void rmsnorm_backward(float *d_x, float *d_gamma, const float *x, const float *gamma, float eps,
                      const float *d_y, int N, int C)
{
    for (int c = 0; c < C; c++) {
        d_gamma[c] = 0.0f;
    }
    for (int n = 0; n < N; n++) {
        const float *row = x + (size_t)n * C;
        const float *dy = d_y + (size_t)n * C;
        float *dx = d_x + (size_t)n * C;
        double r = inverse_rms(row, eps, C);
        double dot = 0.0;
        for (int c = 0; c < C; c++) {
            double xhat = row[c] * r;
            dot += (double)gamma[c] * dy[c] * xhat;
            d_gamma[c] += (float)(dy[c] * xhat);
        }
        for (int c = 0; c < C; c++) {
            double xhat = row[c] * r;
            dx[c] = (float)(r * ((double)gamma[c] * dy[c] - xhat * dot / C));
        }
    }
}
