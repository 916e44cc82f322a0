#include "tensor/rope_kernel.h"

#include "tensor/vector.h"

static void turn_half(float *x, const float *cosine, const float *sine, float sign, float scale,
                      int pairs)
{
    const floats c_scale = floats_set(scale), s_scale = floats_set(scale * sign);
    for (int i = 0; i < pairs; i += LANES) {
        const int left = pairs - i;
        const floats a = floats_take(x + i, left, 0), b = floats_take(x + pairs + i, left, 0);
        const floats c = floats_take(cosine + i, left, 0) * c_scale;
        const floats s = floats_take(sine + i, left, 0) * s_scale;
        floats_give(x + i, a * c - b * s, left);
        floats_give(x + pairs + i, a * s + b * c, left);
    }
}

/* Left to the compiler, which knows how to take every other number. */
static void turn_interleaved(float *restrict x, const float *restrict cosine,
                             const float *restrict sine, float sign, float scale, int pairs)
{
    for (int i = 0; i < pairs; i++) {
        const float a = x[2 * i], b = x[2 * i + 1];
        const float c = cosine[i] * scale, s = sine[i] * (scale * sign);
        x[2 * i] = a * c - b * s;
        x[2 * i + 1] = a * s + b * c;
    }
}

static void turn(float *x, int H, int D, const float *cosine, const float *sine, float sign,
                 float scale, int pairs, enum rope_layout layout)
{
    for (int h = 0; h < H; h++, x += D) {
        if (layout == ROPE_HALF) turn_half(x, cosine, sine, sign, scale, pairs);
        else turn_interleaved(x, cosine, sine, sign, scale, pairs);
    }
}

const struct rope_kernel KERNEL(rope_kernel) = {turn};
