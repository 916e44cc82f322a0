#include "tensor/cross_entropy_kernel.h"

#include "tensor/vector.h"

/* A block is read from memory once, for its maximum, and again from the first cache for its sum. */
enum { BLOCK = 2048 };

static void log_sum(float *largest, float *rest, const float *x, int n)
{
    float most = -INFINITY;
    double sum = 0;

    for (int at = 0; at < n; at += BLOCK) {
        const float *block = x + at;
        const int size = n - at < BLOCK ? n - at : BLOCK;
        floats a = floats_set(-INFINITY), b = a;
        int j = 0;
        for (; j + 2 * LANES <= size; j += 2 * LANES) {
            a = floats_max(a, floats_load(block + j));
            b = floats_max(b, floats_load(block + j + LANES));
        }
        for (; j < size; j += LANES) a = floats_max(a, floats_take(block + j, size - j, -INFINITY));
        const float here = floats_largest(floats_max(a, b));
        if (here > most) {
            sum *= exp((double)most - (double)here);
            most = here;
        }
        /* Of nothing but -inf the sum is 0; a NaN among them must not be lost. */
        const floats shift = floats_set(most == -INFINITY ? 0 : most);
        floats e = floats_set(0), f = e;
        for (j = 0; j + 2 * LANES <= size; j += 2 * LANES) {
            e = e + floats_exp(floats_load(block + j) - shift);
            f = f + floats_exp(floats_load(block + j + LANES) - shift);
        }
        for (; j < size; j += LANES)
            e = e + floats_exp(floats_take(block + j, size - j, -INFINITY) - shift);
        sum += (double)floats_sum(e + f);
    }
    *largest = most == -INFINITY ? 0 : most;
    *rest = (float)log(sum);
}

static void probabilities(float *dx, const float *x, float largest, float rest, float scale, int n)
{
    const floats a = floats_set(largest), b = floats_set(rest), c = floats_set(scale);
    int j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES) {
        const floats p = floats_exp((floats_load(x + j) - a) - b);
        const floats q = floats_exp((floats_load(x + j + LANES) - a) - b);
        floats_store(dx + j, p * c);
        floats_store(dx + j + LANES, q * c);
    }
    for (; j < n; j += LANES)
        floats_give(dx + j, floats_exp((floats_take(x + j, n - j, 0) - a) - b) * c, n - j);
}

const struct cross_entropy_kernel KERNEL(cross_entropy_kernel) = {log_sum, probabilities};
