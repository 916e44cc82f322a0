#include "rmsnorm.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* xhat[c] = x[c] * rrms for one row; returns rrms, one over its root mean square. */
static float normalise(float *xhat, const float *x, float eps, int C)
{
    float squares = 0.0f;
    //: mean-subtracted
    //| float mean = 0.0f;
    //| for (int c = 0; c < C; c++) mean += x[c] / (float)C;
    //| for (int c = 0; c < C; c++) xhat[c] = x[c] - mean;
    //: right
    for (int c = 0; c < C; c++) xhat[c] = x[c];
    //: end
    for (int c = 0; c < C; c++) squares += xhat[c] * xhat[c];
    //: sum-for-mean
    //| const float mean_square = squares;
    //: right
    const float mean_square = squares / (float)C;
    //: end
    //: eps-outside
    //| const float rrms = 1.0f / (sqrtf(mean_square) + eps);
    //: right
    const float rrms = 1.0f / sqrtf(mean_square + eps);
    //: end
    for (int c = 0; c < C; c++) xhat[c] *= rrms;
    return rrms;
}

void rmsnorm_forward(float *y, const float *x, const float *gamma, float eps, int N, int C)
{
    for (int n = 0; n < N; n++) {
        float *row = y + (size_t)n * (size_t)C;
        normalise(row, x + (size_t)n * (size_t)C, eps, C);
        for (int c = 0; c < C; c++) row[c] *= gamma[c];
    }
}

void rmsnorm_backward(float *d_x, float *d_gamma, const float *x, const float *gamma, float eps,
                      const float *d_y, int N, int C)
{
    float *xhat = malloc((size_t)C * sizeof *xhat); /* of one row */
    for (int c = 0; c < C; c++) d_gamma[c] = 0.0f;

    for (int n = 0; n < N; n++) {
        const size_t row = (size_t)n * (size_t)C;
        const float *arriving = d_y + row;
        float *g = d_x + row; /* the gradient of xhat, then that of x */
        const float rrms = normalise(xhat, x + row, eps, C);
        float stretch = 0.0f;
        for (int c = 0; c < C; c++) {
            //: d-gamma-raw
            //| d_gamma[c] += arriving[c] * x[row + (size_t)c];
            //: right
            d_gamma[c] += arriving[c] * xhat[c];
            //: end
            //: gamma-forgotten
            //| g[c] = arriving[c];
            //: right
            g[c] = gamma[c] * arriving[c];
            //: end
            stretch += g[c] * xhat[c] / (float)C;
        }
        for (int c = 0; c < C; c++) {
            //: dropped-projection
            //: right
            g[c] -= xhat[c] * stretch;
            //: end
            g[c] *= rrms;
        }
    }
    free(xhat);
}
