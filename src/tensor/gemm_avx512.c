#include <immintrin.h>

#define MULTIPLY_16(sum, row, column) \
    _mm512_fmadd_ps(_mm512_castsi512_ps(row), _mm512_castsi512_ps(column), sum)
#define MULTIPLY_8(sum, row, column) \
    _mm256_fmadd_ps(_mm256_castsi256_ps(row), _mm256_castsi256_ps(column), sum)
#include "tensor/gemm_avx512.h"

GEMM_PACK(1)

const struct gemm_kernel gemm_kernel_avx512 = {
    .k_per_unit = 1,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = NARROW,
    .units = 768,
    .pack_rows = pack_rows_1,
    .pack_columns = pack_columns_1,
    .tile = tile,
    .store = store_tile,
};
