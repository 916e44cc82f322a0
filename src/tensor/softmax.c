#include "tensor/softmax.h"

#include <math.h>

#include "tensor/row.h"

/* ---- plain ---- */

static float row_max(const float *in, int n)
{
    float largest = -INFINITY;
    for (int j = 0; j < n; j++)
        if (in[j] > largest || isnan(in[j])) largest = in[j];
    return largest;
}

void softmax_rows_plain(float *out, const float *in, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *x = in + row_of(i, n);
        float *p = out + row_of(i, n);
        const float largest = row_max(x, n);

        if (largest == -INFINITY) {
            for (int j = 0; j < n; j++) p[j] = 0.0f;
            continue;
        }
        double sum = 0;
        for (int j = 0; j < n; j++) sum += exp((double)x[j] - (double)largest);
        for (int j = 0; j < n; j++) p[j] = (float)(exp((double)x[j] - (double)largest) / sum);
    }
}

void softmax_rows_backward_plain(float *din, const float *dout, const float *out, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *dp = dout + row_of(i, n), *p = out + row_of(i, n);
        float *dx = din + row_of(i, n);
        double dot = 0;

        for (int j = 0; j < n; j++) dot += (double)dp[j] * (double)p[j];
        for (int j = 0; j < n; j++) dx[j] = (float)((double)p[j] * ((double)dp[j] - dot));
    }
}

void log_softmax_rows_plain(float *out, const float *in, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *x = in + row_of(i, n);
        float *y = out + row_of(i, n);
        const float largest = row_max(x, n);

        if (largest == -INFINITY) {
            for (int j = 0; j < n; j++) y[j] = -INFINITY;
            continue;
        }
        double sum = 0;
        for (int j = 0; j < n; j++) sum += exp((double)x[j] - (double)largest);
        const double lse = (double)largest + log(sum);
        for (int j = 0; j < n; j++) y[j] = (float)((double)x[j] - lse);
    }
}

/* ---- what others call ---- */

void softmax_rows(struct pool *pool, float *out, const float *in, int rows, int n)
{
    (void)pool;
    softmax_rows_plain(out, in, rows, n);
}

void softmax_rows_backward(struct pool *pool, float *din, const float *dout, const float *out,
                           int rows, int n)
{
    (void)pool;
    softmax_rows_backward_plain(din, dout, out, rows, n);
}

void log_softmax_rows(struct pool *pool, float *out, const float *in, int rows, int n)
{
    (void)pool;
    log_softmax_rows_plain(out, in, rows, n);
}
