/* Mistake: the maximum is taken over hidden keys too; a large hidden score underflows the rest. */
#include "attention.h"

#include <math.h>
#include <stdlib.h>

void attention(float *out, const float *q, const float *k, const float *v, const bool *key_mask,
               bool causal, int B, int H, int T, int D)
{
    float *p = malloc((size_t)T * sizeof *p);

    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++)
            for (int t = 0; t < T; t++) {
                const size_t base = ((size_t)b * H + h) * T * D;
                const float *q_row = q + base + (size_t)t * D;
                float *o = out + base + (size_t)t * D;
                float max = -INFINITY, sum = 0.0f;

                for (int s = 0; s < T; s++) {
                    float dot = 0.0f;
                    for (int d = 0; d < D; d++) dot += q_row[d] * k[base + (size_t)s * D + d];
                    p[s] = dot / sqrtf((float)D);
                    max = fmaxf(max, p[s]);
                }
                for (int s = 0; s < T; s++) {
                    const bool visible = key_mask[b * T + s] && (!causal || s <= t);
                    p[s] = visible ? expf(p[s] - max) : 0.0f;
                    sum += p[s];
                }
                for (int d = 0; d < D; d++) {
                    float total = 0.0f;
                    for (int s = 0; s < T; s++) total += p[s] * v[base + (size_t)s * D + d];
                    o[d] = sum > 0.0f ? total / sum : 0.0f;
                }
            }
    free(p);
}
