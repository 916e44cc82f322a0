/* Mistake: the mask is indexed by head and batch together, wrapped into the batch. */
#include "attention.h"

#include <math.h>
#include <stddef.h>

static void attend_row(float *o, const float *q, const float *k, const float *v, const bool *mask,
                       int n, int D)
{
    const float root = sqrtf((float)D);
    float max = 0.0f, sum = 0.0f;
    bool any = false;

    for (int d = 0; d < D; d++) o[d] = 0.0f;
    for (int s = 0; s < n; s++, k += D, v += D) {
        if (!mask[s]) continue;
        float score = 0.0f;
        for (int d = 0; d < D; d++) score += q[d] * k[d];
        score /= root;
        if (!any || score > max) {
            const float shrink = any ? expf(max - score) : 0.0f;
            sum *= shrink;
            for (int d = 0; d < D; d++) o[d] *= shrink;
            max = score;
            any = true;
        }
        const float e = expf(score - max);
        sum += e;
        for (int d = 0; d < D; d++) o[d] += e * v[d];
    }
    if (any)
        for (int d = 0; d < D; d++) o[d] /= sum;
}

void attention(float *out, const float *q, const float *k, const float *v, const bool *key_mask,
               bool causal, int B, int H, int T, int D)
{
    for (int bh = 0; bh < B * H; bh++) {
        const size_t base = (size_t)bh * T * D;
        const bool *mask = key_mask + (size_t)(bh % B) * T;

        for (int t = 0; t < T; t++) {
            const size_t row = base + (size_t)t * D;
            attend_row(out + row, q + row, k + base, v + base, mask, causal ? t + 1 : T, D);
        }
    }
}
