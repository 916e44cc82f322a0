#include "tensor/norm_kernel.h"

#include <stdbool.h>
#include <stddef.h>

#include "tensor/row.h"
#include "tensor/vector.h"

/* A first mean, then the sums of d = x - mean and of d^2: the first says what rounding left of the
 * mean, so that a row of large numbers loses nothing but what f32 had lost before. */
static void layer_forward(float *out, float *mean, float *rstd, const float *x, const float *weight,
                          const float *bias, int rows, int C, float eps)
{
    for (int i = 0; i < rows; i++) {
        const float *row = x + row_of(i, C);
        float *y = out + row_of(i, C);
        floats a = floats_set(0), b = a;
        int j = 0;
        for (; j + 2 * LANES <= C; j += 2 * LANES) {
            a = a + floats_load(row + j);
            b = b + floats_load(row + j + LANES);
        }
        for (; j < C; j += LANES) a = a + floats_take(row + j, C - j, 0);
        const float first = floats_sum(a + b) / (float)C;
        const floats centre = floats_set(first);

        floats sum = floats_set(0), squares = sum;
        for (j = 0; j < C; j += LANES) {
            const floats d = floats_take(row + j, C - j, first) - centre;
            sum = sum + d;
            squares = floats_fma(d, d, squares);
        }
        const float rest = floats_sum(sum) / (float)C;
        float variance = floats_sum(squares) / (float)C - rest * rest;
        variance = variance < 0 ? 0 : variance;
        const float scale = 1.0f / sqrtf(variance + eps);

        const floats shift = floats_set(rest), times = floats_set(scale), zero = floats_set(0);
        for (j = 0; j < C; j += LANES) {
            const floats normal = ((floats_take(row + j, C - j, 0) - centre) - shift) * times;
            const floats add = bias ? floats_take(bias + j, C - j, 0) : zero;
            floats_give(y + j, floats_fma(normal, floats_take(weight + j, C - j, 0), add), C - j);
        }
        if (mean) mean[i] = first + rest;
        if (rstd) rstd[i] = scale;
    }
}

static void rms_forward(float *out, float *rstd, const float *x, const float *weight, int rows,
                        int C, float eps)
{
    for (int i = 0; i < rows; i++) {
        const float *row = x + row_of(i, C);
        float *y = out + row_of(i, C);
        floats a = floats_set(0), b = a;
        int j = 0;
        for (; j + 2 * LANES <= C; j += 2 * LANES) {
            const floats x0 = floats_load(row + j), x1 = floats_load(row + j + LANES);
            a = floats_fma(x0, x0, a);
            b = floats_fma(x1, x1, b);
        }
        for (; j < C; j += LANES) {
            const floats x0 = floats_take(row + j, C - j, 0);
            a = floats_fma(x0, x0, a);
        }
        const float scale = 1.0f / sqrtf(floats_sum(a + b) / (float)C + eps);
        const floats times = floats_set(scale);
        for (j = 0; j < C; j += LANES) {
            const floats normal = floats_take(row + j, C - j, 0) * times;
            floats_give(y + j, normal * floats_take(weight + j, C - j, 0), C - j);
        }
        if (rstd) rstd[i] = scale;
    }
}

static void backward(float *dx, float *dweight, float *dbias, const float *dout, const float *x,
                     const float *weight, const float *mean, const float *rstd, int rows, int C)
{
    for (int i = 0; i < rows; i++) {
        const float *row = x + row_of(i, C), *dy = dout + row_of(i, C);
        float *d = dx + row_of(i, C);
        const floats centre = floats_set(mean ? mean[i] : 0), times = floats_set(rstd[i]);
        floats sum_g = floats_set(0), sum_gx = sum_g;

        for (int j = 0; j < C; j += LANES) {
            const floats dyj = floats_take(dy + j, C - j, 0);
            const floats normal = (floats_take(row + j, C - j, 0) - centre) * times;
            const floats g = dyj * floats_take(weight + j, C - j, 0);
            sum_g = sum_g + g;
            sum_gx = floats_fma(g, normal, sum_gx);
            floats_give(dweight + j, floats_fma(dyj, normal, floats_take(dweight + j, C - j, 0)),
                        C - j);
            if (dbias) floats_give(dbias + j, floats_take(dbias + j, C - j, 0) + dyj, C - j);
        }
        const floats mean_g = floats_set(mean ? floats_sum(sum_g) / (float)C : 0);
        const floats mean_gx = floats_set(floats_sum(sum_gx) / (float)C);
        for (int j = 0; j < C; j += LANES) {
            const floats normal = (floats_take(row + j, C - j, 0) - centre) * times;
            const floats g = floats_take(dy + j, C - j, 0) * floats_take(weight + j, C - j, 0);
            const floats change = (g - mean_g) - normal * mean_gx;
            floats_give(d + j, floats_fma(times, change, floats_take(d + j, C - j, 0)), C - j);
        }
    }
}

static void add(float *to, const float *from, int n)
{
    for (int j = 0; j < n; j += LANES)
        floats_give(to + j, floats_take(to + j, n - j, 0) + floats_take(from + j, n - j, 0), n - j);
}

const struct norm_kernel KERNEL(norm_kernel) = {layer_forward, rms_forward, backward, add};
