/* Plain loops, token by token, with arrays of length R only; step works from u and d_u alone. */
#include "lora.h"

#include <math.h>
#include <stdlib.h>

void lora_init(struct lora *lora, const float *draws)
{
    for (int i = 0; i < lora->rank * lora->n_in; i++)
        lora->A[i] = (2 * draws[i] - 1) / sqrtf(lora->n_in);
    for (int i = 0; i < lora->n_out * lora->rank; i++) lora->B[i] = 0;
    lora->merged = false;
}

/* u [R] = A x for one token */
static void down(float *u, const struct lora *lora, const float *x)
{
    for (int r = 0; r < lora->rank; r++) {
        u[r] = 0;
        for (int i = 0; i < lora->n_in; i++) u[r] += lora->A[r * lora->n_in + i] * x[i];
    }
}

/* d_u [R] = alpha/R B^T d_y for one token */
static void down_gradient(float *d_u, const struct lora *lora, const float *d_y)
{
    for (int r = 0; r < lora->rank; r++) {
        d_u[r] = 0;
        for (int o = 0; o < lora->n_out; o++) d_u[r] += lora->B[o * lora->rank + r] * d_y[o];
        d_u[r] *= lora->alpha / lora->rank;
    }
}

void lora_forward(float *y, const struct lora *lora, const float *x, int N)
{
    float *u = malloc(lora->rank * sizeof *u);

    for (int n = 0; n < N; n++, x += lora->n_in, y += lora->n_out) {
        down(u, lora, x);
        for (int o = 0; o < lora->n_out; o++) {
            float base = 0, adapter = 0;
            for (int i = 0; i < lora->n_in; i++) base += lora->W[o * lora->n_in + i] * x[i];
            for (int r = 0; r < lora->rank; r++) adapter += lora->B[o * lora->rank + r] * u[r];
            y[o] = lora->merged ? base : base + lora->alpha / lora->rank * adapter;
        }
    }
    free(u);
}

void lora_backward(float *d_x, float *d_A, float *d_B, const struct lora *lora, const float *x,
                   const float *d_y, int N)
{
    const int I = lora->n_in, O = lora->n_out, R = lora->rank;
    float *u = malloc(2 * R * sizeof *u), *d_u = u + R;

    for (int n = 0; n < N; n++, x += I, d_y += O, d_x += I) {
        down(u, lora, x);
        down_gradient(d_u, lora, d_y);
        for (int i = 0; i < I; i++) {
            float sum = 0;
            for (int o = 0; o < O; o++) sum += d_y[o] * lora->W[o * I + i];
            for (int r = 0; r < R; r++) sum += d_u[r] * lora->A[r * I + i];
            d_x[i] = sum;
        }
        for (int r = 0; r < R; r++)
            for (int i = 0; i < I; i++) d_A[r * I + i] = (n ? d_A[r * I + i] : 0) + d_u[r] * x[i];
        for (int o = 0; o < O; o++)
            for (int r = 0; r < R; r++)
                d_B[o * R + r] =
                    (n ? d_B[o * R + r] : 0) + lora->alpha / lora->rank * d_y[o] * u[r];
    }
    free(u);
}

void lora_step(struct lora *lora, const float *x, const float *d_y, float lr, int N)
{
    const int I = lora->n_in, O = lora->n_out, R = lora->rank;
    float *u = malloc(2 * (size_t)N * R * sizeof *u), *d_u = u + (size_t)N * R;

    for (int n = 0; n < N; n++) {
        down(u + n * R, lora, x + n * I);
        down_gradient(d_u + n * R, lora, d_y + n * O);
    }
    for (int r = 0; r < R; r++) {
        for (int i = 0; i < I; i++) {
            float sum = 0;
            for (int n = 0; n < N; n++) sum += d_u[n * R + r] * x[n * I + i];
            lora->A[r * I + i] -= lr * sum;
        }
        for (int o = 0; o < O; o++) {
            float sum = 0;
            for (int n = 0; n < N; n++) sum += d_y[n * O + o] * u[n * R + r];
            lora->B[o * R + r] -= lr * (lora->alpha / R) * sum;
        }
    }
    free(u);
}

static void add_adapter(struct lora *lora, float factor)
{
    for (int o = 0; o < lora->n_out; o++)
        for (int r = 0; r < lora->rank; r++)
            for (int i = 0; i < lora->n_in; i++)
                lora->W[o * lora->n_in + i] +=
                    factor * lora->B[o * lora->rank + r] * lora->A[r * lora->n_in + i];
}

void lora_merge(struct lora *lora)
{
    if (!lora->merged) add_adapter(lora, lora->alpha / lora->rank);
    lora->merged = true;
}

void lora_unmerge(struct lora *lora)
{
    if (lora->merged) add_adapter(lora, -lora->alpha / lora->rank);
    lora->merged = false;
}
