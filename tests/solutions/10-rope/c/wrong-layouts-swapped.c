/* the two layouts are swapped */
#include "rope.h"

#include <complex.h>
#include <math.h>
#include <stddef.h>

void rope(float *q, float *k, float *v, const float *qkv, int offset, float base,
          enum rope_layout layout, int B, int T, int H, int D)
{
    float *out[3] = {q, k, v};
    int step = layout == ROPE_HALF_SPLIT ? 2 : 1;
    int apart = layout == ROPE_HALF_SPLIT ? 1 : D / 2;
    long heads = 3L * B * T * H;

    for (long n = 0; n < heads; n++) {
        int which = (int)(n / H % 3);
        long token = n / H / 3;
        int position = offset + (int)(token % T);
        const float *x = qkv + n * D;
        float *to = out[which] + (token * H + n % H) * D;
        for (int i = 0; i < D / 2; i++) {
            double angle = which == 2 ? 0 : position * pow(base, -2.0 * i / D);
            double complex z = x[i * step] + x[i * step + apart] * I;
            z *= cos(angle) + sin(angle) * I;
            to[i * step] = (float)creal(z);
            to[i * step + apart] = (float)cimag(z);
        }
    }
}
