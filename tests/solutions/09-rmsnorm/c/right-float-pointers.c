/* Style: float32, running pointers, memset, d_x reused as scratch. */
#include "rmsnorm.h"

#include <math.h>
#include <string.h>

void rmsnorm_forward(float *y, const float *x, const float *gamma, float eps, int N, int C)
{
    for (; N-- > 0; x += C, y += C) {
        float ms = 0;
        for (int c = 0; c < C; c++) ms += x[c] * x[c] / (float)C;
        for (int c = 0; c < C; c++) y[c] = gamma[c] * x[c] / sqrtf(ms + eps);
    }
}

void rmsnorm_backward(float *d_x, float *d_gamma, const float *x, const float *gamma, float eps,
                      const float *d_y, int N, int C)
{
    memset(d_gamma, 0, sizeof(float) * (size_t)C);
    for (; N-- > 0; x += C, d_x += C, d_y += C) {
        float ms = 0, pull = 0;
        for (int c = 0; c < C; c++) ms += x[c] * x[c] / (float)C;
        const float rms = sqrtf(ms + eps);
        for (int c = 0; c < C; c++) {
            d_x[c] = x[c] / rms;
            d_gamma[c] += d_y[c] * d_x[c];
            pull += gamma[c] * d_y[c] * d_x[c];
        }
        pull /= (float)C;
        for (int c = 0; c < C; c++) d_x[c] = (gamma[c] * d_y[c] - pull * d_x[c]) / rms;
    }
}
