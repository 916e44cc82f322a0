#include "tensor/softmax_kernel.h"

#include "tensor/row.h"
#include "tensor/softmax.h"
#include "tensor/vector.h"

static float row_max(const float *x, int n)
{
    floats a = floats_set(-INFINITY), b = a;
    int j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES) {
        a = floats_max(a, floats_load(x + j));
        b = floats_max(b, floats_load(x + j + LANES));
    }
    for (; j < n; j += LANES) a = floats_max(a, floats_take(x + j, n - j, -INFINITY));
    return floats_largest(floats_max(a, b));
}

static void forward(float *out, const float *in, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *x = in + row_of(i, n);
        float *p = out + row_of(i, n);
        const float largest = row_max(x, n);
        if (largest == -INFINITY) { /* nothing, or NaN among nothing: rare enough to go slowly */
            softmax_rows_plain(p, x, 1, n);
            continue;
        }
        const floats shift = floats_set(largest);
        floats sum = floats_set(0);
        for (int j = 0; j < n; j += LANES) {
            const floats e = floats_exp(floats_take(x + j, n - j, -INFINITY) - shift);
            sum = sum + e;
            floats_give(p + j, e, n - j);
        }
        const floats share = floats_set(1.0f / floats_sum(sum));
        for (int j = 0; j < n; j += LANES)
            floats_give(p + j, floats_take(p + j, n - j, 0) * share, n - j);
    }
}

static void backward(float *din, const float *dout, const float *out, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *dp = dout + row_of(i, n), *p = out + row_of(i, n);
        float *dx = din + row_of(i, n);
        floats dot = floats_set(0);
        for (int j = 0; j < n; j += LANES)
            dot = floats_fma(floats_take(dp + j, n - j, 0), floats_take(p + j, n - j, 0), dot);
        const floats mean = floats_set(floats_sum(dot));
        for (int j = 0; j < n; j += LANES) {
            const floats d = floats_take(dp + j, n - j, 0) - mean;
            floats_give(dx + j, floats_take(p + j, n - j, 0) * d, n - j);
        }
    }
}

static void logarithm(float *out, const float *in, int rows, int n)
{
    for (int i = 0; i < rows; i++) {
        const float *x = in + row_of(i, n);
        float *y = out + row_of(i, n);
        const float largest = row_max(x, n);
        if (largest == -INFINITY) {
            log_softmax_rows_plain(y, x, 1, n);
            continue;
        }
        const floats shift = floats_set(largest);
        floats sum = floats_set(0);
        for (int j = 0; j < n; j += LANES)
            sum = sum + floats_exp(floats_take(x + j, n - j, -INFINITY) - shift);
        const floats rest = floats_set(logf(floats_sum(sum)));
        for (int j = 0; j < n; j += LANES)
            floats_give(y + j, (floats_take(x + j, n - j, 0) - shift) - rest, n - j);
    }
}

const struct softmax_kernel KERNEL(softmax_kernel) = {forward, backward, logarithm};
