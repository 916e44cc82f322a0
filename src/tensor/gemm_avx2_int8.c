#include <immintrin.h>

/* Two bytes widened to 16 bits in a unit: nothing saturates, as it would with vpmaddubsw. */
#define GEMM_SUM int32_t
#define MULTIPLY_8(sum, row, column) _mm256_add_epi32(sum, _mm256_madd_epi16(row, column))
#include "tensor/gemm_avx2.h"

GEMM_PACK_BYTES(2)

const struct gemm_kernel gemm_kernel_avx2_int8 = {
    .k_per_unit = 2,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = VECTOR,
    .units = 384,
    .pack_rows = pack_rows_bytes,
    .pack_columns = pack_columns_bytes,
    .tile = tile,
    .store = store_tile,
};
