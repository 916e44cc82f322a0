/* vector.h -- LANES floats at once, in whatever width the file is compiled for.
 *
 *   AVX-512 16     AVX2 with FMA 8     NEON 4     anything else 1
 *
 * A kernel is written once with these and compiled for each instruction set (tensor/kernel.h). The
 * type has + - * / of its own; what C has no sign for is here.
 *
 * Promises: a sum across lanes has one order for a given width. floats_exp is within 1 unit in the
 * last place with FMA (2 without), floats_tanh and floats_log within 2, floats_sigmoid within 3;
 * over all floats, denormal results, infinities and NaN included: tests/tensor/elementwise_test.c.
 * Source of the polynomials: least maximal error by Lawson's iteration, this file's own.
 */
#ifndef TENSOR_VECTOR_H
#define TENSOR_VECTOR_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VECTOR_INLINE static inline __attribute__((always_inline))

/* ---- what differs from one instruction set to the next ----
 *
 * floats_fma(a, b, c)       a * b + c, rounded once (twice where there is no such instruction)
 * floats_max(a, b)          b where either is NaN or both are zero
 * floats_where_less(a, b, x, y)   x where a < b, y elsewhere, also for NaN
 * floats_load_part(p, n, fill)    the first n < LANES from p, `fill` in the others
 * floats_scale(x, n)        x * 2^n for whole n in -200..200, rounded once into denormals
 */
#if defined(__AVX512F__)
#include <immintrin.h>

enum { LANES = 16 };
typedef __m512 floats;

VECTOR_INLINE floats floats_set(float x) { return _mm512_set1_ps(x); }
VECTOR_INLINE floats floats_load(const float *p) { return _mm512_loadu_ps(p); }
VECTOR_INLINE void floats_store(float *p, floats x) { _mm512_storeu_ps(p, x); }
VECTOR_INLINE floats floats_load_part(const float *p, int n, float fill)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(fill), (__mmask16)((1u << n) - 1), p);
}
VECTOR_INLINE void floats_store_part(float *p, floats x, int n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), x);
}
VECTOR_INLINE floats floats_fma(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
VECTOR_INLINE floats floats_max(floats a, floats b) { return _mm512_max_ps(a, b); }
VECTOR_INLINE floats floats_min(floats a, floats b) { return _mm512_min_ps(a, b); }
VECTOR_INLINE floats floats_sqrt(floats x) { return _mm512_sqrt_ps(x); }
VECTOR_INLINE floats floats_where_less(floats a, floats b, floats x, floats y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
VECTOR_INLINE floats floats_scale(floats x, floats n) { return _mm512_scalef_ps(x, n); }
VECTOR_INLINE float floats_sum(floats x)
{
    const __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    const __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

enum { LANES = 8 };
typedef __m256 floats;

VECTOR_INLINE floats floats_set(float x) { return _mm256_set1_ps(x); }
VECTOR_INLINE floats floats_load(const float *p) { return _mm256_loadu_ps(p); }
VECTOR_INLINE void floats_store(float *p, floats x) { _mm256_storeu_ps(p, x); }
VECTOR_INLINE __m256i floats_first(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
VECTOR_INLINE floats floats_load_part(const float *p, int n, float fill)
{
    const __m256i first = floats_first(n);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, first),
                            _mm256_castsi256_ps(first));
}
VECTOR_INLINE void floats_store_part(float *p, floats x, int n)
{
    _mm256_maskstore_ps(p, floats_first(n), x);
}
VECTOR_INLINE floats floats_fma(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
VECTOR_INLINE floats floats_max(floats a, floats b) { return _mm256_max_ps(a, b); }
VECTOR_INLINE floats floats_min(floats a, floats b) { return _mm256_min_ps(a, b); }
VECTOR_INLINE floats floats_sqrt(floats x) { return _mm256_sqrt_ps(x); }
VECTOR_INLINE floats floats_where_less(floats a, floats b, floats x, floats y)
{
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
VECTOR_INLINE floats floats_scale(floats x, floats n)
{
    const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    const __m256i one = _mm256_set1_epi32(127);
    const __m256i a = _mm256_slli_epi32(_mm256_add_epi32(half, one), 23);
    const __m256i b = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), one), 23);
    return x * _mm256_castsi256_ps(a) * _mm256_castsi256_ps(b);
}
VECTOR_INLINE float floats_sum(floats x)
{
    const __m128 b = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 c = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}

#elif defined(__aarch64__)
#include <arm_neon.h>

enum { LANES = 4 };
typedef float32x4_t floats;

VECTOR_INLINE floats floats_set(float x) { return vdupq_n_f32(x); }
VECTOR_INLINE floats floats_load(const float *p) { return vld1q_f32(p); }
VECTOR_INLINE void floats_store(float *p, floats x) { vst1q_f32(p, x); }
VECTOR_INLINE floats floats_load_part(const float *p, int n, float fill)
{
    float lane[4] = {fill, fill, fill, fill};
    memcpy(lane, p, (size_t)n * sizeof *p);
    return vld1q_f32(lane);
}
VECTOR_INLINE void floats_store_part(float *p, floats x, int n)
{
    float lane[4];
    vst1q_f32(lane, x);
    memcpy(p, lane, (size_t)n * sizeof *p);
}
VECTOR_INLINE floats floats_fma(floats a, floats b, floats c) { return vfmaq_f32(c, a, b); }
VECTOR_INLINE floats floats_max(floats a, floats b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
VECTOR_INLINE floats floats_min(floats a, floats b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
VECTOR_INLINE floats floats_sqrt(floats x) { return vsqrtq_f32(x); }
VECTOR_INLINE floats floats_where_less(floats a, floats b, floats x, floats y)
{
    return vbslq_f32(vcltq_f32(a, b), x, y);
}
VECTOR_INLINE floats floats_scale(floats x, floats n)
{
    const int32x4_t whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1);
    const int32x4_t one = vdupq_n_s32(127);
    const int32x4_t a = vshlq_n_s32(vaddq_s32(half, one), 23);
    const int32x4_t b = vshlq_n_s32(vaddq_s32(vsubq_s32(whole, half), one), 23);
    return x * vreinterpretq_f32_s32(a) * vreinterpretq_f32_s32(b);
}
VECTOR_INLINE float floats_sum(floats x)
{
    const float32x2_t pair = vadd_f32(vget_low_f32(x), vget_high_f32(x));
    return vget_lane_f32(pair, 0) + vget_lane_f32(pair, 1);
}

#else

enum { LANES = 1 };
typedef float floats;

VECTOR_INLINE floats floats_set(float x) { return x; }
VECTOR_INLINE floats floats_load(const float *p) { return *p; }
VECTOR_INLINE void floats_store(float *p, floats x) { *p = x; }
VECTOR_INLINE floats floats_load_part(const float *p, int n, float fill)
{
    return n > 0 ? *p : fill;
}
VECTOR_INLINE void floats_store_part(float *p, floats x, int n)
{
    if (n > 0) *p = x;
}
VECTOR_INLINE floats floats_fma(floats a, floats b, floats c) { return a * b + c; }
VECTOR_INLINE floats floats_max(floats a, floats b) { return a > b ? a : b; }
VECTOR_INLINE floats floats_min(floats a, floats b) { return a < b ? a : b; }
VECTOR_INLINE floats floats_sqrt(floats x) { return sqrtf(x); }
VECTOR_INLINE floats floats_where_less(floats a, floats b, floats x, floats y)
{
    return a < b ? x : y;
}
VECTOR_INLINE float float_power_of_two(int32_t n)
{
    const uint32_t bits = (uint32_t)(n + 127) << 23;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
VECTOR_INLINE floats floats_scale(floats x, floats n)
{
    const int32_t whole = n == n ? (int32_t)n : 0, half = whole >> 1;
    return x * float_power_of_two(half) * float_power_of_two(whole - half);
}
VECTOR_INLINE float floats_sum(floats x) { return x; }

#endif

/* ---- what is the same for all ---- */

/* x = m * 2^e, 1 <= m < 2, for normal positive x; returns m. */
VECTOR_INLINE floats floats_split(floats x, floats *e)
{
#if defined(__AVX512F__)
    *e = _mm512_getexp_ps(x);
    return _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
#elif defined(__AVX2__) && defined(__FMA__)
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i power = _mm256_srli_epi32(bits, 23);
    *e = _mm256_cvtepi32_ps(_mm256_sub_epi32(power, _mm256_set1_epi32(127)));
    const __m256i rest = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffff));
    return _mm256_castsi256_ps(_mm256_or_si256(rest, _mm256_set1_epi32(0x3f800000)));
#elif defined(__aarch64__)
    const int32x4_t bits = vreinterpretq_s32_f32(x);
    *e = vcvtq_f32_s32(vsubq_s32(vshrq_n_s32(bits, 23), vdupq_n_s32(127)));
    const int32x4_t rest = vandq_s32(bits, vdupq_n_s32(0x7fffff));
    return vreinterpretq_f32_s32(vorrq_s32(rest, vdupq_n_s32(0x3f800000)));
#else
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    *e = (float)(int32_t)(bits >> 23) - 127;
    bits = (bits & 0x7fffff) | 0x3f800000;
    memcpy(&x, &bits, sizeof x);
    return x;
#endif
}

/* The next LANES of a row that has `left` more numbers. */
VECTOR_INLINE floats floats_take(const float *p, ptrdiff_t left, float fill)
{
    return left >= LANES ? floats_load(p) : floats_load_part(p, (int)left, fill);
}

VECTOR_INLINE void floats_give(float *p, floats x, ptrdiff_t left)
{
    if (left >= LANES) floats_store(p, x);
    else floats_store_part(p, x, (int)left);
}

VECTOR_INLINE float floats_largest(floats x)
{
    float lane[LANES], largest;
    floats_store(lane, x);
    largest = lane[0];
    for (int i = 1; i < LANES; i++) largest = lane[i] > largest ? lane[i] : largest;
    return largest;
}

/* The nearest whole number, for |x| below 2^22. */
VECTOR_INLINE floats floats_round(floats x)
{
    const floats magic = floats_set(0x1.8p23f);
    return (x + magic) - magic;
}

/* exp(x) = 2^n exp(r), |r| <= ln(2) / 2. Below -104 it is 0, above 89 infinite; ln(2) is split so
 * that n times its first part is exact. */
VECTOR_INLINE floats floats_exp(floats x)
{
    x = floats_min(floats_set(89.5f), floats_max(floats_set(-105.0f), x));
    const floats n = floats_round(x * floats_set(0x1.715476p+0f));
    floats r = floats_fma(n, floats_set(-0.693359375f), x);
    r = floats_fma(n, floats_set(2.12194440e-4f), r);
    floats p = floats_set(0.0013814596f);
    p = floats_fma(p, r, floats_set(0.0083687175f));
    p = floats_fma(p, r, floats_set(0.04166839f));
    p = floats_fma(p, r, floats_set(0.16666521f));
    p = floats_fma(p, r, floats_set(0.49999994f));
    p = floats_fma(r * r, p, r) + floats_set(1);
    return floats_scale(p, n);
}

VECTOR_INLINE floats floats_abs(floats x) { return floats_max(floats_set(0) - x, x); }

/* 1 / (1 + exp(-x)), and 1 minus that in *rest: by exp(-|x|), so that neither is a difference. */
VECTOR_INLINE floats floats_sigmoid_both(floats x, floats *rest)
{
    const floats zero = floats_set(0), one = floats_set(1);
    const floats e = floats_exp(zero - floats_abs(x));
    const floats large = one / (one + e), small = e * large;
    *rest = floats_where_less(x, zero, large, small);
    return floats_where_less(x, zero, small, large);
}

VECTOR_INLINE floats floats_sigmoid(floats x)
{
    floats rest;
    return floats_sigmoid_both(x, &rest);
}

/* Near 0 a polynomial in x^2, elsewhere 1 - 2 / (exp(2|x|) + 1) with the sign of x. */
VECTOR_INLINE floats floats_tanh(floats x)
{
    const floats zero = floats_set(0), one = floats_set(1);
    const floats size = floats_abs(x), z = x * x;
    floats p = floats_set(-0.005717037f);
    p = floats_fma(p, z, floats_set(0.020650579f));
    p = floats_fma(p, z, floats_set(-0.053743497f));
    p = floats_fma(p, z, floats_set(0.13331491f));
    p = floats_fma(p, z, floats_set(-0.33333284f));
    const floats near = x * floats_fma(p, z, one); /* keeps the sign of zero */
    const floats far = one - floats_set(2) / (floats_exp(size + size) + one);
    return floats_where_less(size, floats_set(0.625f), near,
                             floats_where_less(x, zero, zero - far, far));
}

/* A square of LANES x LANES, rows become columns. */
VECTOR_INLINE void floats_transpose(floats x[LANES])
{
#if defined(__AVX512F__)
    floats y[16];
    for (int i = 0; i < 16; i += 4) { /* 4 x 4 within each quarter of a vector */
        const __m512 a = _mm512_unpacklo_ps(x[i], x[i + 1]), b = _mm512_unpackhi_ps(x[i], x[i + 1]);
        const __m512 c = _mm512_unpacklo_ps(x[i + 2], x[i + 3]);
        const __m512 d = _mm512_unpackhi_ps(x[i + 2], x[i + 3]);
        y[i] = _mm512_shuffle_ps(a, c, 0x44), y[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
        y[i + 2] = _mm512_shuffle_ps(b, d, 0x44), y[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    for (int i = 0; i < 4; i++) { /* then quarters */
        const __m512 a = _mm512_shuffle_f32x4(y[i], y[i + 4], 0x88);
        const __m512 b = _mm512_shuffle_f32x4(y[i], y[i + 4], 0xdd);
        const __m512 c = _mm512_shuffle_f32x4(y[i + 8], y[i + 12], 0x88);
        const __m512 d = _mm512_shuffle_f32x4(y[i + 8], y[i + 12], 0xdd);
        x[i] = _mm512_shuffle_f32x4(a, c, 0x88), x[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
        x[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88), x[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
#elif defined(__AVX2__) && defined(__FMA__)
    floats y[8];
    for (int i = 0; i < 8; i += 4) {
        const __m256 a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
        const __m256 c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]);
        const __m256 d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
        y[i] = _mm256_shuffle_ps(a, c, 0x44), y[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        y[i + 2] = _mm256_shuffle_ps(b, d, 0x44), y[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    for (int i = 0; i < 4; i++) {
        x[i] = _mm256_permute2f128_ps(y[i], y[i + 4], 0x20);
        x[i + 4] = _mm256_permute2f128_ps(y[i], y[i + 4], 0x31);
    }
#else
    float square[LANES][LANES], turned[LANES][LANES];
    for (int i = 0; i < LANES; i++) floats_store(square[i], x[i]);
    for (int i = 0; i < LANES; i++)
        for (int j = 0; j < LANES; j++) turned[i][j] = square[j][i];
    for (int i = 0; i < LANES; i++) x[i] = floats_load(turned[i]);
#endif
}

/* log(x) = e log(2) + log(1 + f), 1 + f between sqrt(1/2) and sqrt(2). */
VECTOR_INLINE floats floats_log(floats x)
{
    const floats one = floats_set(1), tiny = floats_set(FLT_MIN), zero = floats_set(0);
    floats e, m = floats_split(floats_where_less(x, tiny, x * floats_set(0x1p23f), x), &e);
    e = e - floats_where_less(x, tiny, floats_set(23), zero);
    const floats root = floats_set(1.41421356f);
    e = e + floats_where_less(root, m, one, zero);
    m = floats_where_less(root, m, m * floats_set(0.5f), m);

    const floats f = m - one, z = f * f;
    floats p = floats_set(-0.07859546f);
    p = floats_fma(p, f, floats_set(0.12881622f));
    p = floats_fma(p, f, floats_set(-0.13128768f));
    p = floats_fma(p, f, floats_set(0.14181197f));
    p = floats_fma(p, f, floats_set(-0.16624554f));
    p = floats_fma(p, f, floats_set(0.20002286f));
    p = floats_fma(p, f, floats_set(-0.2500081f));
    p = floats_fma(p, f, floats_set(0.33333316f));
    floats y = floats_fma(z * f, p, e * floats_set(-2.12194440e-4f));
    y = floats_fma(z, floats_set(-0.5f), y) + f;
    y = floats_fma(e, floats_set(0.693359375f), y);
    y = floats_fma(x, zero, y); /* NaN stays */
    y = floats_where_less(x, zero, floats_set(NAN), y);
    y = floats_where_less(x, floats_set(0x1p-149f),
                          floats_where_less(x, zero, y, floats_set(-INFINITY)), y);
    return floats_where_less(floats_set(FLT_MAX), x, x, y);
}

#endif
