#include <immintrin.h>

#define MULTIPLY_16(sum, row, column) \
    _mm512_castps_si512(_mm512_fmadd_ps(_mm512_castsi512_ps(row), _mm512_castsi512_ps(column), \
                                        _mm512_castsi512_ps(sum)))
#define MULTIPLY_8(sum, row, column) \
    _mm256_castps_si256(_mm256_fmadd_ps(_mm256_castsi256_ps(row), _mm256_castsi256_ps(column), \
                                        _mm256_castsi256_ps(sum)))
#define ADD_16(a, b) \
    _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b)))

#include "tensor/gemm_kernel.h"

static inline __m512i units_of_k(const struct strip *strip, ptrdiff_t at, enum gemm_form form)
{
    (void)form;
    return _mm512_loadu_si512((const float *)strip->data + at);
}

static inline __m512i units_of_x(const struct strip *strip, ptrdiff_t at, enum gemm_form form,
                                 __mmask16 lanes)
{
    (void)form;
    return _mm512_maskz_loadu_epi32(lanes, (const float *)strip->data + at);
}

#include "tensor/gemm_avx512.h"

GEMM_PACK_512(GEMM_F32, 1)
GEMM_PACK_FORM(GEMM_BF16, 1)
GEMM_PACK_FORM(GEMM_ROUNDED, 1)
GEMM_PACK_EITHER(halves, GEMM_BF16, GEMM_ROUNDED, )

static void pack_rows(uint32_t *out, const struct strip *strip, int x0, int h, int k0, int units)
{
    if (strip->form == GEMM_F32) pack_rows_GEMM_F32_512(out, strip, x0, h, k0, units);
    else pack_rows_halves(out, strip, x0, h, k0, units);
}

static void pack_columns(uint32_t *out, const struct strip *strip, int x0, int n, int width, int k0,
                         int units)
{
    if (strip->form == GEMM_F32) pack_columns_GEMM_F32_512(out, strip, x0, n, width, k0, units);
    else pack_columns_halves(out, strip, x0, n, width, k0, units);
}

const struct gemm_kernel gemm_kernel_avx512 = {
    .k_per_unit = 1,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = NARROW,
    .units = 1024,
    .pack_rows = pack_rows,
    .pack_columns = pack_columns,
    .tile = tile,
    .store = store_512,
};
