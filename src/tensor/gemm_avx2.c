#include <immintrin.h>

#define MULTIPLY_8(sum, row, column) \
    _mm256_castps_si256(_mm256_fmadd_ps(_mm256_castsi256_ps(row), _mm256_castsi256_ps(column), \
                                        _mm256_castsi256_ps(sum)))
#include "tensor/gemm_avx2.h"

GEMM_PACK_FLOATS

const struct gemm_kernel gemm_kernel_avx2 = {
    .k_per_unit = 1,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = VECTOR,
    .units = 384,
    .pack_rows = pack_rows_floats,
    .pack_columns = pack_columns_floats,
    .tile = tile,
    .store = store_tile,
};
