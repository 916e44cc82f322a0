#include <immintrin.h>

/* Both products of a pair, and their sum: two k in one instruction. */
#define MULTIPLY_16(sum, row, column) \
    _mm512_castps_si512( \
        _mm512_dpbf16_ps(_mm512_castsi512_ps(sum), (__m512bh)(row), (__m512bh)(column)))
#define MULTIPLY_8(sum, row, column) \
    _mm256_castps_si256( \
        _mm256_dpbf16_ps(_mm256_castsi256_ps(sum), (__m256bh)(row), (__m256bh)(column)))
#define ADD_16(a, b) \
    _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)))

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

GEMM_PACK_512(GEMM_BF16, 2)
GEMM_PACK_512(GEMM_ROUNDED, 2)
GEMM_PACK_EITHER(halves, GEMM_BF16, GEMM_ROUNDED, _512)

const struct gemm_kernel gemm_kernel_avx512_bf16 = {
    .k_per_unit = 2,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = NARROW,
    .units = 1024,
    .pack_rows = pack_rows_halves,
    .pack_columns = pack_columns_halves,
    .tile = tile,
    .store = store_512,
};
