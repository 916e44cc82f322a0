/* takes queries, keys and values as three blocks of the whole buffer */
#include "rope.h"

#include <math.h>
#include <stddef.h>

void rope(float *q, float *k, float *v, const float *qkv, int offset, float base,
          enum rope_layout layout, int B, int T, int H, int D)
{
    size_t row = (size_t)H * D;
    for (int b = 0; b < B; b++) {
        for (int t = 0; t < T; t++) {
            size_t token = (size_t)b * T + t;
            for (int h = 0; h < H; h++) {
                const float *in_q = qkv + token * row + (size_t)h * D;
                const float *in_k = in_q + (size_t)B * T * row;
                const float *in_v = in_k + (size_t)B * T * row;
                float *out_q = q + token * row + (size_t)h * D;
                float *out_k = k + token * row + (size_t)h * D;
                float *out_v = v + token * row + (size_t)h * D;
                for (int i = 0; i < D / 2; i++) {
                    int first = layout == ROPE_INTERLEAVED ? 2 * i : i;
                    int second = layout == ROPE_INTERLEAVED ? 2 * i + 1 : i + D / 2;
                    float angle = (float)(offset + t) * powf(base, -2.0f * (float)i / (float)D);
                    float c = cosf(angle);
                    float s = sinf(angle);
                    out_q[first] = in_q[first] * c - in_q[second] * s;
                    out_q[second] = in_q[first] * s + in_q[second] * c;
                    out_k[first] = in_k[first] * c - in_k[second] * s;
                    out_k[second] = in_k[first] * s + in_k[second] * c;
                }
                for (int d = 0; d < D; d++) {
                    out_v[d] = in_v[d];
                }
            }
        }
    }
}
