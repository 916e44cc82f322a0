#include "lora.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static size_t at(int row, int column, int columns)
{
    return (size_t)row * (size_t)columns + (size_t)column;
}

/* Where A[r,i] and B[o,r] lie. */
static size_t a_at(const struct lora *lora, int r, int i)
{
    //: transposed
    //| return at(i, r, lora->rank);
    //: right
    return at(r, i, lora->n_in);
    //: end
}

static size_t b_at(const struct lora *lora, int o, int r)
{
    //: transposed
    //| return at(r, o, lora->n_out);
    //: right
    return at(o, r, lora->rank);
    //: end
}

static float scale(const struct lora *lora)
{
    //: no-scale
    //| (void)lora;
    //| return 1.0f;
    //: right
    return lora->alpha / (float)lora->rank;
    //: end
}

void lora_init(struct lora *lora, const float *draws)
{
    const float bound = 1.0f / sqrtf((float)lora->n_in);
    for (size_t i = 0; i < (size_t)lora->rank * (size_t)lora->n_in; i++) {
        //: both-zero
        //| (void)draws, (void)bound;
        //| lora->A[i] = 0.0f;
        //: right
        lora->A[i] = (2.0f * draws[i] - 1.0f) * bound;
        //: end
    }
    for (size_t i = 0; i < (size_t)lora->n_out * (size_t)lora->rank; i++) lora->B[i] = 0.0f;
    lora->merged = false;
}

/* hidden[r] = A[r,:] . x */
static void project(float *hidden, const struct lora *lora, const float *x)
{
    for (int r = 0; r < lora->rank; r++) {
        hidden[r] = 0.0f;
        for (int i = 0; i < lora->n_in; i++) hidden[r] += lora->A[a_at(lora, r, i)] * x[i];
    }
}

void lora_forward(float *y, const struct lora *lora, const float *x, int N)
{
    float *hidden = malloc((size_t)lora->rank * sizeof *hidden);

    for (int n = 0; n < N; n++) {
        const float *row = x + at(n, 0, lora->n_in);
        project(hidden, lora, row);
        for (int o = 0; o < lora->n_out; o++) {
            float base = 0.0f, adapter = 0.0f;
            for (int i = 0; i < lora->n_in; i++) base += lora->W[at(o, i, lora->n_in)] * row[i];
            //: merged-and-added
            //| const bool add = true;
            //: right
            const bool add = !lora->merged; /* a merged W holds the adapter already */
            //: end
            if (add)
                for (int r = 0; r < lora->rank; r++)
                    adapter += lora->B[b_at(lora, o, r)] * hidden[r];
            y[at(n, o, lora->n_out)] = base + scale(lora) * adapter;
        }
    }
    free(hidden);
}

void lora_backward(float *d_x, float *d_A, float *d_B, const struct lora *lora, const float *x,
                   const float *d_y, int N)
{
    const int I = lora->n_in, O = lora->n_out, R = lora->rank;
    float *hidden = malloc(2 * (size_t)R * sizeof *hidden), *d_hidden = hidden + R;

    memset(d_x, 0, (size_t)N * (size_t)I * sizeof *d_x);
    memset(d_A, 0, (size_t)R * (size_t)I * sizeof *d_A);
    memset(d_B, 0, (size_t)O * (size_t)R * sizeof *d_B);

    for (int n = 0; n < N; n++) {
        const float *row = x + at(n, 0, I), *d_row = d_y + at(n, 0, O);
        project(hidden, lora, row);
        for (int r = 0; r < R; r++) d_hidden[r] = 0.0f;

        for (int o = 0; o < O; o++) {
            const float d = scale(lora) * d_row[o];
            for (int r = 0; r < R; r++) {
                d_B[b_at(lora, o, r)] += d * hidden[r];
                d_hidden[r] += d * lora->B[b_at(lora, o, r)];
            }
            for (int i = 0; i < I; i++) d_x[at(n, i, I)] += d_row[o] * lora->W[at(o, i, I)];
        }
        for (int r = 0; r < R; r++)
            for (int i = 0; i < I; i++) {
                d_A[a_at(lora, r, i)] += d_hidden[r] * row[i];
                //: dx-base-only
                //: right
                d_x[at(n, i, I)] += d_hidden[r] * lora->A[a_at(lora, r, i)];
                //: end
            }
    }
    free(hidden);
}

void lora_step(struct lora *lora, const float *x, const float *d_y, float lr, int N)
{
    const size_t size_A = (size_t)lora->rank * (size_t)lora->n_in;
    const size_t size_B = (size_t)lora->n_out * (size_t)lora->rank;
    float *d_x = malloc(((size_t)N * (size_t)lora->n_in + size_A + size_B) * sizeof *d_x);
    float *d_A = d_x + (size_t)N * (size_t)lora->n_in, *d_B = d_A + size_A;

    lora_backward(d_x, d_A, d_B, lora, x, d_y, N);
    for (size_t i = 0; i < size_A; i++) lora->A[i] -= lr * d_A[i];
    for (size_t i = 0; i < size_B; i++) lora->B[i] -= lr * d_B[i];
    //: base-gradient
    //| for (int n = 0; n < N; n++)
    //|     for (int o = 0; o < lora->n_out; o++)
    //|         for (int i = 0; i < lora->n_in; i++)
    //|             lora->W[at(o, i, lora->n_in)] -=
    //|                 lr * d_y[at(n, o, lora->n_out)] * x[at(n, i, lora->n_in)];
    //: right
    //: end
    free(d_x);
}

/* W += sign (alpha/R) B A */
static void add_adapter(struct lora *lora, float sign)
{
    for (int o = 0; o < lora->n_out; o++)
        for (int i = 0; i < lora->n_in; i++) {
            float sum = 0.0f;
            for (int r = 0; r < lora->rank; r++)
                sum += lora->B[b_at(lora, o, r)] * lora->A[a_at(lora, r, i)];
            lora->W[at(o, i, lora->n_in)] += sign * scale(lora) * sum;
        }
}

void lora_merge(struct lora *lora)
{
    //: merged-twice
    //: right
    if (lora->merged) return;
    //: end
    add_adapter(lora, 1.0f);
    lora->merged = true;
}

void lora_unmerge(struct lora *lora)
{
    if (!lora->merged) return;
    add_adapter(lora, -1.0f);
    lora->merged = false;
}
