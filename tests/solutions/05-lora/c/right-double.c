/* Double inside, no memory: the weight of the whole layer is computed where it is needed. */
#include "lora.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

static double scale(const struct lora *lora) { return (double)lora->alpha / lora->rank; }

/* Element (o,i) of alpha/R B A. */
static double adapter(const struct lora *lora, int o, int i)
{
    double sum = 0.0;
    for (int r = 0; r < lora->rank; r++)
        sum += (double)lora->B[(size_t)o * lora->rank + r] * lora->A[(size_t)r * lora->n_in + i];
    return scale(lora) * sum;
}

static double weight(const struct lora *lora, int o, int i)
{
    const double base = lora->W[(size_t)o * lora->n_in + i];
    return lora->merged ? base : base + adapter(lora, o, i);
}

void lora_init(struct lora *lora, const float *draws)
{
    for (size_t i = 0; i < (size_t)lora->rank * lora->n_in; i++)
        lora->A[i] = (float)((2.0 * draws[i] - 1.0) / sqrt(lora->n_in));
    for (size_t i = 0; i < (size_t)lora->n_out * lora->rank; i++) lora->B[i] = 0.0f;
    lora->merged = false;
}

void lora_forward(float *y, const struct lora *lora, const float *x, int N)
{
    for (int o = 0; o < lora->n_out; o++)
        for (int n = 0; n < N; n++) {
            double sum = 0.0;
            for (int i = 0; i < lora->n_in; i++)
                sum += x[(size_t)n * lora->n_in + i] * weight(lora, o, i);
            y[(size_t)n * lora->n_out + o] = (float)sum;
        }
}

/* Element (o,i) of d_y^T x, the gradient of the whole weight. */
static double d_weight(const struct lora *lora, const float *x, const float *d_y, int N, int o,
                       int i)
{
    double sum = 0.0;
    for (int n = 0; n < N; n++)
        sum += (double)d_y[(size_t)n * lora->n_out + o] * x[(size_t)n * lora->n_in + i];
    return sum;
}

static void adapter_gradients(float *d_A, float *d_B, const struct lora *lora, const float *x,
                              const float *d_y, int N)
{
    const int I = lora->n_in, O = lora->n_out, R = lora->rank;

    for (int r = 0; r < R; r++) {
        for (int i = 0; i < I; i++) {
            double sum = 0.0;
            for (int o = 0; o < O; o++)
                sum += lora->B[(size_t)o * R + r] * d_weight(lora, x, d_y, N, o, i);
            d_A[(size_t)r * I + i] = (float)(scale(lora) * sum);
        }
        for (int o = 0; o < O; o++) {
            double sum = 0.0;
            for (int i = 0; i < I; i++)
                sum += lora->A[(size_t)r * I + i] * d_weight(lora, x, d_y, N, o, i);
            d_B[(size_t)o * R + r] = (float)(scale(lora) * sum);
        }
    }
}

void lora_backward(float *d_x, float *d_A, float *d_B, const struct lora *lora, const float *x,
                   const float *d_y, int N)
{
    assert(!lora->merged);
    for (int n = 0; n < N; n++)
        for (int i = 0; i < lora->n_in; i++) {
            double sum = 0.0;
            for (int o = 0; o < lora->n_out; o++)
                sum += d_y[(size_t)n * lora->n_out + o] * weight(lora, o, i);
            d_x[(size_t)n * lora->n_in + i] = (float)sum;
        }
    adapter_gradients(d_A, d_B, lora, x, d_y, N);
}

void lora_step(struct lora *lora, const float *x, const float *d_y, float lr, int N)
{
    const size_t n_A = (size_t)lora->rank * lora->n_in, n_B = (size_t)lora->n_out * lora->rank;
    float *d_A = malloc((n_A + n_B) * sizeof *d_A), *d_B = d_A + n_A;

    assert(d_A && !lora->merged);
    adapter_gradients(d_A, d_B, lora, x, d_y, N);
    for (size_t i = 0; i < n_A; i++) lora->A[i] = (float)(lora->A[i] - (double)lr * d_A[i]);
    for (size_t i = 0; i < n_B; i++) lora->B[i] = (float)(lora->B[i] - (double)lr * d_B[i]);
    free(d_A);
}

static void move_base(struct lora *lora, double sign, bool merged)
{
    if (lora->merged == merged) return;
    for (int o = 0; o < lora->n_out; o++)
        for (int i = 0; i < lora->n_in; i++) {
            float *w = &lora->W[(size_t)o * lora->n_in + i];
            *w = (float)(*w + sign * adapter(lora, o, i));
        }
    lora->merged = merged;
}

void lora_merge(struct lora *lora) { move_base(lora, 1.0, true); }

void lora_unmerge(struct lora *lora) { move_base(lora, -1.0, false); }
