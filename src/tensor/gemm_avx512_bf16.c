#include <immintrin.h>

/* Both products of a pair, and their sum: two k in one instruction. */
#define MULTIPLY_16(sum, row, column) _mm512_dpbf16_ps(sum, (__m512bh)(row), (__m512bh)(column))
#define MULTIPLY_8(sum, row, column) _mm256_dpbf16_ps(sum, (__m256bh)(row), (__m256bh)(column))

#include "tensor/gemm_kernel.h"

static inline __m512i units_of_k(const struct strip *strip, ptrdiff_t at, enum gemm_form form)
{
    if (form == GEMM_BF16) return _mm512_loadu_si512((const uint16_t *)strip->data + at);
    const float *from = (const float *)strip->data + at;
    return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));
}

static inline __m512i units_of_x(const struct strip *strip, ptrdiff_t at, enum gemm_form form,
                                 __mmask16 lanes)
{
    __m512i low, high;
    if (form == GEMM_BF16) {
        const uint16_t *from = (const uint16_t *)strip->data + at;
        low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from));
        high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, from + strip->k_step));
    } else {
        const float *from = (const float *)strip->data + at;
        low =
            _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, from)));
        high = _mm512_cvtepu16_epi32(
            (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, from + strip->k_step)));
    }
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

#include "tensor/gemm_avx512.h"

GEMM_PACK(2)
PACK_512(GEMM_BF16, 2)
PACK_512(GEMM_ROUNDED, 2)

static void pack_rows(uint32_t *out, const struct strip *strip, int x0, int h, int k0, int units)
{
    if (strip->form == GEMM_BF16) pack_rows_512_GEMM_BF16(out, strip, x0, h, k0, units);
    else pack_rows_512_GEMM_ROUNDED(out, strip, x0, h, k0, units);
}

static void pack_columns(uint32_t *out, const struct strip *strip, int x0, int n, int width, int k0,
                         int units)
{
    if (strip->form == GEMM_BF16) pack_columns_512_GEMM_BF16(out, strip, x0, n, width, k0, units);
    else pack_columns_512_GEMM_ROUNDED(out, strip, x0, n, width, k0, units);
}

const struct gemm_kernel gemm_kernel_avx512_bf16 = {
    .k_per_unit = 2,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = NARROW,
    .units = 768,
    .pack_rows = pack_rows,
    .pack_columns = pack_columns,
    .tile = tile,
    .store = store_512,
};
