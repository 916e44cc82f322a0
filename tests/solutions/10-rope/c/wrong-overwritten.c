/* y' is computed from x', in place */
#include "rope.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void turn(float *x, const float *cosines, const float *sines, enum rope_layout layout, int D)
{
    for (int i = 0; i < D / 2; i++) {
        float *a = layout == ROPE_HALF_SPLIT ? x + i : x + 2 * i;
        float *b = layout == ROPE_HALF_SPLIT ? a + D / 2 : a + 1;
        *a = *a * cosines[i] - *b * sines[i];
        *b = *a * sines[i] + *b * cosines[i];
    }
}

void rope(float *q, float *k, float *v, const float *qkv, int offset, float base,
          enum rope_layout layout, int B, int T, int H, int D)
{
    assert(D % 2 == 0);
    int half = D / 2;
    size_t row = (size_t)H * (size_t)D;
    for (size_t token = 0; token < (size_t)B * (size_t)T; token++) {
        memcpy(q + token * row, qkv, row * sizeof *qkv);
        memcpy(k + token * row, qkv + row, row * sizeof *qkv);
        memcpy(v + token * row, qkv + 2 * row, row * sizeof *qkv);
        qkv += 3 * row;
    }

    float *cosines = malloc((size_t)T * (size_t)half * sizeof *cosines);
    float *sines = malloc((size_t)T * (size_t)half * sizeof *sines);
    assert(cosines && sines);
    for (int t = 0; t < T; t++) {
        for (int i = 0; i < half; i++) {
            double angle = (offset + t) * exp(-(double)i / half * log(base));
            cosines[t * half + i] = (float)cos(angle);
            sines[t * half + i] = (float)sin(angle);
        }
    }
    for (int b = 0; b < B; b++) {
        for (int t = 0; t < T; t++) {
            for (int h = 0; h < H; h++) {
                size_t at = ((size_t)b * T + t) * row + (size_t)h * D;
                turn(q + at, cosines + t * half, sines + t * half, layout, D);
                turn(k + at, cosines + t * half, sines + t * half, layout, D);
            }
        }
    }
    free(cosines);
    free(sines);
}
