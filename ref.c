#include "attention.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

void attention(float *out, const float *q, const float *k, const float *v, const bool *key_mask,
               bool causal, int B, int H, int T, int D)
{
    const float scale = 1.0f / sqrtf((float)D);
    float *weight = malloc((size_t)T * (size_t)T * sizeof *weight); /* [T,T] of one head */

    for (int bh = 0; bh < B * H; bh++) {
        const size_t head = (size_t)bh * (size_t)T * (size_t)D;
        const bool *real = key_mask + (size_t)(bh / H) * (size_t)T;

        for (int t = 0; t < T; t++) {
            for (int s = 0; s < T; s++) {
                const float *a = q + head + (size_t)t * (size_t)D;
                const float *b = k + head + (size_t)s * (size_t)D;
                float dot = 0.0f;
                for (int i = 0; i < D; i++) dot += a[i] * b[i];
                const bool hidden = !real[s] || (causal && s > t);
                weight[t * T + s] = hidden ? -INFINITY : scale * dot;
            }
        }

        for (int i = 0; i < T; i++) {
            const int first = i * T, step = 1;
            float max = -INFINITY, sum = 0.0f;
            for (int j = 0; j < T; j++) max = fmaxf(max, weight[first + j * step]);
            if (max == -INFINITY) max = 0.0f; /* nothing to see: every exp below is zero */
            for (int j = 0; j < T; j++) {
                float *w = &weight[first + j * step];
                *w = expf(*w - max);
                sum += *w;
            }
            for (int j = 0; j < T; j++) weight[first + j * step] /= sum > 0.0f ? sum : 1.0f;
        }

        for (int t = 0; t < T; t++) {
            float *row = out + head + (size_t)t * (size_t)D;
            for (int i = 0; i < D; i++) row[i] = 0.0f;
            for (int s = 0; s < T; s++) {
                const float w = weight[t * T + s];
                for (int i = 0; i < D; i++) row[i] += w * v[head + (size_t)s * (size_t)D + i];
            }
        }
    }
    free(weight);
}
