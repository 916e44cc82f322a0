/* Style: a table of the roots, columns first for d_gamma, the quotient rule written out for d_x. */
#include "rmsnorm.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define AT(array, n, c) ((double)(array)[(size_t)(n) * (size_t)C + (size_t)(c)])

static double *make_roots(const float *x, float eps, int N, int C)
{
    double *root = malloc((size_t)N * sizeof *root);
    assert(root);
    for (int n = 0; n < N; n++) {
        root[n] = C * (double)eps;
        for (int c = 0; c < C; c++) root[n] += AT(x, n, c) * AT(x, n, c);
        root[n] = sqrt(root[n] / C);
    }
    return root;
}

void rmsnorm_forward(float *y, const float *x, const float *gamma, float eps, int N, int C)
{
    double *root = make_roots(x, eps, N, C);
    for (int c = 0; c < C; c++)
        for (int n = 0; n < N; n++)
            y[(size_t)n * (size_t)C + (size_t)c] = (float)(AT(x, n, c) / root[n] * gamma[c]);
    free(root);
}

void rmsnorm_backward(float *d_x, float *d_gamma, const float *x, const float *gamma, float eps,
                      const float *d_y, int N, int C)
{
    double *root = make_roots(x, eps, N, C);
    for (int c = 0; c < C; c++) {
        double sum = 0;
        for (int n = 0; n < N; n++) sum += AT(d_y, n, c) * AT(x, n, c) / root[n];
        d_gamma[c] = (float)sum;
    }
    for (int n = 0; n < N; n++) {
        double dot = 0;
        for (int c = 0; c < C; c++) dot += AT(d_y, n, c) * gamma[c] * AT(x, n, c);
        /* y_c = gamma_c x_c / root, and d root / d x_c = x_c / (C root). */
        const double d_root = -dot / (root[n] * root[n]);
        for (int c = 0; c < C; c++)
            d_x[(size_t)n * (size_t)C + (size_t)c] =
                (float)(AT(d_y, n, c) * gamma[c] / root[n] + d_root * AT(x, n, c) / (C * root[n]));
    }
    free(root);
}
