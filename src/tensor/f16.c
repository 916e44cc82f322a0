#include "tensor/f16.h"

#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "tensor/cpu.h"

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

float float_from_f16(uint16_t x)
{
    const uint32_t sign = (uint32_t)(x & 0x8000) << 16;
    const uint32_t exponent = x >> 10 & 0x1f, fraction = x & 0x3ff;
    if (exponent == 0) { /* zero or denormal: fraction * 2^-24, exact */
        const float size = (float)fraction * 0x1p-24f;
        return float_of_bits(sign | bits_of_float(size));
    }
    if (exponent == 0x1f) {
        const uint32_t quiet = fraction ? 0x400000 : 0;
        return float_of_bits(sign | 0x7f800000 | quiet | fraction << 13);
    }
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

uint16_t f16_from_float(float x)
{
    const uint32_t bits = bits_of_float(x), size = bits & 0x7fffffff;
    const uint32_t sign = bits >> 16 & 0x8000;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (size >> 13 & 0x3ff));
    if (size >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and more */
    if (size < 0x38800000) {
        /* Below 2^-14 the unit is 2^-24: adding 1/2, whose last place that is, rounds to it. */
        const uint32_t rounded = bits_of_float(float_of_bits(size) + 0.5f) - 0x3f000000;
        return (uint16_t)(sign | rounded);
    }
    const uint32_t even = size >> 13 & 1;
    return (uint16_t)(sign | (size - (112u << 23) + 0xfff + even) >> 13);
}

#ifdef __x86_64__
/* F16C does the same, eight at a time. */
__attribute__((target("avx2,f16c"))) static size_t widen_eights(float *out, const uint16_t *in,
                                                                size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(in + i))));
    return i;
}

__attribute__((target("avx2,f16c"))) static size_t narrow_eights(uint16_t *out, const float *in,
                                                                 size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(out + i),
                         _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
    return i;
}
#else
static size_t widen_eights(float *out, const uint16_t *in, size_t n)
{
    (void)out, (void)in, (void)n;
    return 0;
}

static size_t narrow_eights(uint16_t *out, const float *in, size_t n)
{
    (void)out, (void)in, (void)n;
    return 0;
}
#endif

void floats_from_f16(float *out, const uint16_t *in, size_t n)
{
    size_t i = cpu_isa() >= ISA_AVX2 ? widen_eights(out, in, n) : 0;
    for (; i < n; i++) out[i] = float_from_f16(in[i]);
}

void f16_from_floats(uint16_t *out, const float *in, size_t n)
{
    size_t i = cpu_isa() >= ISA_AVX2 ? narrow_eights(out, in, n) : 0;
    for (; i < n; i++) out[i] = f16_from_float(in[i]);
}
