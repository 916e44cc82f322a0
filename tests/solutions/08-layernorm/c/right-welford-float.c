/* Style: Welford's running mean and variance in float32, d_x used as scratch for xhat, terse. */
#include "layernorm.h"

#include <math.h>
#include <string.h>

static float normalise(float *xhat, const float *x, float eps, int C)
{
    float mean = 0, m2 = 0;
    for (int c = 0; c < C; c++) {
        float d = x[c] - mean;
        mean += d / (float)(c + 1);
        m2 += d * (x[c] - mean);
    }
    float r = 1.0f / sqrtf(m2 / (float)C + eps);
    for (int c = 0; c < C; c++) xhat[c] = (x[c] - mean) * r;
    return r;
}

void layernorm_forward(float *y, const float *x, const float *gamma, const float *beta, float eps,
                       int B, int T, int C)
{
    for (long n = (long)B * T; n-- > 0; y += C, x += C) {
        normalise(y, x, eps, C);
        for (int c = 0; c < C; c++) y[c] = fmaf(gamma[c], y[c], beta[c]);
    }
}

void layernorm_backward(float *d_x, float *d_gamma, float *d_beta, const float *x,
                        const float *gamma, float eps, const float *d_y, int B, int T, int C)
{
    memset(d_gamma, 0, (size_t)C * sizeof *d_gamma);
    memset(d_beta, 0, (size_t)C * sizeof *d_beta);
    for (long n = (long)B * T; n-- > 0; d_x += C, x += C, d_y += C) {
        float r = normalise(d_x, x, eps, C), a = 0, b = 0;
        for (int c = 0; c < C; c++) {
            d_gamma[c] += d_y[c] * d_x[c];
            d_beta[c] += d_y[c];
            a += gamma[c] * d_y[c] / (float)C;
            b += gamma[c] * d_y[c] * d_x[c] / (float)C;
        }
        for (int c = 0; c < C; c++) d_x[c] = r * (gamma[c] * d_y[c] - a - b * d_x[c]);
    }
}
