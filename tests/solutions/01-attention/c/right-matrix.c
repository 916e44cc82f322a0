/* The whole [T,T] matrix of one head, hidden scores as minus infinity, in three steps. */
#include "attention.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill_scores(float *scores, const float *q, const float *k, const bool *mask,
                        bool causal, int T, int D)
{
    for (int t = 0; t < T; t++)
        for (int s = 0; s < T; s++) {
            float *cell = &scores[(size_t)t * T + s];
            if (!mask[s] || (causal && s > t)) {
                *cell = -INFINITY;
                continue;
            }
            *cell = 0.0f;
            for (int d = 0; d < D; d++) *cell += q[(size_t)t * D + d] * k[(size_t)s * D + d];
            *cell /= sqrtf((float)D);
        }
}

static void softmax_row(float *row, int n)
{
    float max = row[0], sum = 0.0f;
    for (int i = 1; i < n; i++) max = fmaxf(max, row[i]);
    if (max == -INFINITY) {
        memset(row, 0, (size_t)n * sizeof *row);
        return;
    }
    for (int i = 0; i < n; i++) sum += row[i] = expf(row[i] - max);
    assert(sum >= 1.0f);
    for (int i = 0; i < n; i++) row[i] /= sum;
}

void attention(float *out, const float *q, const float *k, const float *v, const bool *key_mask,
               bool causal, int B, int H, int T, int D)
{
    const size_t head = (size_t)T * D;
    float *scores = malloc((size_t)T * T * sizeof *scores);
    assert(scores);

    memset(out, 0, (size_t)B * H * head * sizeof *out);
    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++) {
            fill_scores(scores, q, k, key_mask + (size_t)b * T, causal, T, D);
            for (int t = 0; t < T; t++) {
                float *row = scores + (size_t)t * T;
                softmax_row(row, T);
                for (int s = 0; s < T; s++)
                    if (row[s] != 0.0f)
                        for (int d = 0; d < D; d++)
                            out[(size_t)t * D + d] += row[s] * v[(size_t)s * D + d];
            }
            q += head, k += head, v += head, out += head;
        }
    free(scores);
}
