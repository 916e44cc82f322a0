#include <immintrin.h>

/* Both products of a pair, and their sum: two k in one instruction. */
#define MULTIPLY_16(sum, row, column) _mm512_dpbf16_ps(sum, (__m512bh)(row), (__m512bh)(column))
#define MULTIPLY_8(sum, row, column) _mm256_dpbf16_ps(sum, (__m256bh)(row), (__m256bh)(column))
#include "tensor/gemm_avx512.h"

GEMM_PACK(2)

const struct gemm_kernel gemm_kernel_avx512_bf16 = {
    .k_per_unit = 2,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = NARROW,
    .units = 768,
    .pack_rows = pack_rows_2,
    .pack_columns = pack_columns_2,
    .tile = tile,
    .store = store_tile,
};
