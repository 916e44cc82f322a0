#include "layernorm.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* xhat[c] = (x[c] - mean) * rstd for one position; returns rstd. */
static float normalise(float *xhat, const float *x, float eps, int C)
{
    float sum = 0.0f, squares = 0.0f;
    for (int c = 0; c < C; c++) sum += x[c];
    const float mean = sum / (float)C;
    for (int c = 0; c < C; c++) squares += (x[c] - mean) * (x[c] - mean);
    //: unbiased-variance
    //| const float variance = squares / (float)(C - 1);
    //: right
    const float variance = squares / (float)C;
    //: end
    //: eps-outside
    //| const float rstd = 1.0f / (sqrtf(variance) + eps);
    //: right
    const float rstd = 1.0f / sqrtf(variance + eps);
    //: end
    for (int c = 0; c < C; c++) xhat[c] = (x[c] - mean) * rstd;
    return rstd;
}

void layernorm_forward(float *y, const float *x, const float *gamma, const float *beta, float eps,
                       int B, int T, int C)
{
    for (int n = 0; n < B * T; n++) {
        const size_t row = (size_t)n * (size_t)C;
        normalise(y + row, x + row, eps, C);
        for (int c = 0; c < C; c++) y[row + (size_t)c] = gamma[c] * y[row + (size_t)c] + beta[c];
    }
}

void layernorm_backward(float *d_x, float *d_gamma, float *d_beta, const float *x,
                        const float *gamma, float eps, const float *d_y, int B, int T, int C)
{
    const size_t N = (size_t)B * (size_t)T, width = (size_t)C;
    float *xhat = malloc(N * width * sizeof *xhat); /* [N,C] */

    for (size_t n = 0; n < N; n++) {
        const float *hat = xhat + n * width, *arriving = d_y + n * width;
        float *g = d_x + n * width; /* the gradient of xhat, then that of x */
        const float rstd = normalise(xhat + n * width, x + n * width, eps, C);
        float shift = 0.0f, stretch = 0.0f;
        for (int c = 0; c < C; c++) {
            //: gamma-forgotten
            //| g[c] = arriving[c];
            //: right
            g[c] = gamma[c] * arriving[c];
            //: end
            shift += g[c] / (float)C;
            stretch += g[c] * hat[c] / (float)C;
        }
        for (int c = 0; c < C; c++) {
            //: dropped-mean
            //: right
            g[c] -= shift;
            //: end
            //: dropped-projection
            //: right
            g[c] -= hat[c] * stretch;
            //: end
            g[c] *= rstd;
        }
    }

    for (size_t c = 0; c < width; c++) {
        d_gamma[c] = d_beta[c] = 0.0f;
        for (size_t n = 0; n < N; n++) {
            //: wrong-axis
            //| d_gamma[c] += d_y[c * N + n] * xhat[c * N + n];
            //: right
            d_gamma[c] += d_y[n * width + c] * xhat[n * width + c];
            //: end
            d_beta[c] += d_y[n * width + c];
        }
    }
    free(xhat);
}
