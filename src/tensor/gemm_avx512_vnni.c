#include <immintrin.h>

/* Four products of an unsigned and a signed byte, and their sum: four k in one instruction. Which of the
 * two sides is the unsigned one is fixed by the instruction: gemm_avx512_vnni_turned.c has the other. */
#define GEMM_SUM int32_t
#ifndef UNSIGNED
#define UNSIGNED(row, column) row
#define SIGNED(row, column) column
#define KERNEL gemm_kernel_avx512_vnni
#endif
#define MULTIPLY_16(sum, row, column) \
    _mm512_dpbusd_epi32(sum, UNSIGNED(row, column), SIGNED(row, column))
#define MULTIPLY_8(sum, row, column) \
    _mm256_dpbusd_epi32(sum, UNSIGNED(row, column), SIGNED(row, column))
#define ADD_16(a, b) _mm512_add_epi32(a, b)

#include "tensor/gemm_kernel.h"

static inline __m512i units_of_k(const struct strip *strip, ptrdiff_t at, enum gemm_form form)
{
    (void)form;
    return _mm512_loadu_si512((const uint8_t *)strip->data + at);
}

/* The four k of a unit lie in four rows. */
static inline __m512i units_of_x(const struct strip *strip, ptrdiff_t at, enum gemm_form form,
                                 __mmask16 lanes)
{
    const uint8_t *from = (const uint8_t *)strip->data + at;
    __m512i units = _mm512_setzero_si512();
    (void)form;
#pragma GCC unroll 4
    for (int i = 3; i >= 0; i--) {
        const __m128i bytes = _mm_maskz_loadu_epi8(lanes, from + i * strip->k_step);
        units = _mm512_or_si512(_mm512_slli_epi32(units, 8), _mm512_cvtepu8_epi32(bytes));
    }
    return units;
}

#include "tensor/gemm_avx512.h"

GEMM_PACK_512(GEMM_U8, 4)
GEMM_PACK_512(GEMM_S8, 4)
GEMM_PACK_EITHER(bytes, GEMM_U8, GEMM_S8, _512)

const struct gemm_kernel KERNEL = {
    .k_per_unit = 4,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = NARROW,
    .units = 1024,
    .pack_rows = pack_rows_bytes,
    .pack_columns = pack_columns_bytes,
    .tile = tile,
    .store = store_512,
};
