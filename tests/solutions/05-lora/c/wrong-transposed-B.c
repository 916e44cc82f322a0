/* Mistake: d_B is written as [R,O]. */
#include "lora.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* c[m,n] += s * sum over k of a[m,k] b[k,n]; an element (i,j) lies at i*step_i + j*step_j. */
static void gemm(float *c, int m, int n, int k, float s, const float *a, int a_i, int a_j,
                 const float *b, int b_i, int b_j)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0.0f;
            for (int l = 0; l < k; l++)
                sum += a[(size_t)i * a_i + (size_t)l * a_j] * b[(size_t)l * b_i + (size_t)j * b_j];
            c[(size_t)i * n + j] += s * sum;
        }
}

static void zero(float *p, size_t n) { memset(p, 0, n * sizeof *p); }

static float factor(const struct lora *lora) { return lora->alpha / (float)lora->rank; }

void lora_init(struct lora *lora, const float *draws)
{
    const size_t size = (size_t)lora->rank * lora->n_in;
    const float root = sqrtf((float)lora->n_in);

    for (size_t i = 0; i < size; i++) lora->A[i] = (2.0f * draws[i] - 1.0f) / root;
    zero(lora->B, (size_t)lora->n_out * lora->rank);
    lora->merged = false;
}

void lora_forward(float *y, const struct lora *lora, const float *x, int N)
{
    const int I = lora->n_in, O = lora->n_out, R = lora->rank;

    zero(y, (size_t)N * O);
    gemm(y, N, O, I, 1.0f, x, I, 1, lora->W, 1, I);
    if (!lora->merged) {
        float *u = calloc((size_t)N * R, sizeof *u);
        gemm(u, N, R, I, 1.0f, x, I, 1, lora->A, 1, I);
        gemm(y, N, O, R, factor(lora), u, R, 1, lora->B, 1, R);
        free(u);
    }
}

void lora_backward(float *d_x, float *d_A, float *d_B, const struct lora *lora, const float *x,
                   const float *d_y, int N)
{
    const int I = lora->n_in, O = lora->n_out, R = lora->rank;
    float *u = calloc((size_t)N * R, sizeof *u);
    float *d_u = calloc((size_t)N * R, sizeof *d_u);

    zero(d_x, (size_t)N * I);
    zero(d_A, (size_t)R * I);
    zero(d_B, (size_t)O * R);
    gemm(u, N, R, I, 1.0f, x, I, 1, lora->A, 1, I);
    gemm(d_u, N, R, O, factor(lora), d_y, O, 1, lora->B, R, 1);
    gemm(d_x, N, I, O, 1.0f, d_y, O, 1, lora->W, I, 1);
    gemm(d_x, N, I, R, 1.0f, d_u, R, 1, lora->A, I, 1);
    gemm(d_A, R, I, N, 1.0f, d_u, 1, R, x, I, 1);
    gemm(d_B, R, O, N, factor(lora), u, 1, R, d_y, O, 1);
    free(u);
    free(d_u);
}

void lora_step(struct lora *lora, const float *x, const float *d_y, float lr, int N)
{
    const size_t n_A = (size_t)lora->rank * lora->n_in, n_B = (size_t)lora->n_out * lora->rank;
    float *d_x = malloc((size_t)N * lora->n_in * sizeof *d_x);
    float *d_A = malloc(n_A * sizeof *d_A);
    float *d_B = malloc(n_B * sizeof *d_B);

    lora_backward(d_x, d_A, d_B, lora, x, d_y, N);
    for (size_t i = 0; i < n_A; i++) lora->A[i] -= lr * d_A[i];
    for (size_t i = 0; i < n_B; i++) lora->B[i] -= lr * d_B[i];
    free(d_x);
    free(d_A);
    free(d_B);
}

static void shift_base(struct lora *lora, float s)
{
    gemm(lora->W, lora->n_out, lora->n_in, lora->rank, s, lora->B, lora->rank, 1, lora->A,
         lora->n_in, 1);
}

void lora_merge(struct lora *lora)
{
    if (lora->merged) return;
    shift_base(lora, factor(lora));
    lora->merged = true;
}

void lora_unmerge(struct lora *lora)
{
    if (!lora->merged) return;
    shift_base(lora, -factor(lora));
    lora->merged = false;
}
