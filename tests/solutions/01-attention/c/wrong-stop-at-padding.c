/* Mistake: the loop ends at the first padding key, as if padding were always on the right. */
#include "attention.h"

#include <math.h>
#include <stdlib.h>

void attention(float *out, const float *q, const float *k, const float *v, const bool *key_mask,
               bool causal, int B, int H, int T, int D)
{
    const float scale = 1.0f / sqrtf((float)D);
    float *p = malloc((size_t)T * sizeof *p);

    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++)
            for (int t = 0; t < T; t++) {
                const size_t base = ((size_t)b * H + h) * T * D;
                const float *q_row = q + base + (size_t)t * D;
                float *o = out + base + (size_t)t * D;
                const int end = causal ? t + 1 : T;
                float max = -INFINITY, sum = 0.0f;

                for (int s = 0; s < end; s++) {
                    if (!key_mask[(size_t)b * T + s]) break;
                    const float *k_row = k + base + (size_t)s * D;
                    float dot = 0.0f;
                    for (int d = 0; d < D; d++) dot += q_row[d] * k_row[d];
                    p[s] = dot * scale;
                    if (p[s] > max) max = p[s];
                }
                for (int d = 0; d < D; d++) o[d] = 0.0f;
                for (int s = 0; s < end; s++) {
                    if (!key_mask[(size_t)b * T + s]) break;
                    const float *v_row = v + base + (size_t)s * D;
                    const float e = expf(p[s] - max);
                    sum += e;
                    for (int d = 0; d < D; d++) o[d] += e * v_row[d];
                }
                if (sum > 0.0f)
                    for (int d = 0; d < D; d++) o[d] /= sum;
            }
    free(p);
}
