#include <immintrin.h>

#include "tensor/gemm_loops.h"

/* 6 rows of 16 columns: 12 sums, 2 columns, 1 row in 16 registers. */
enum { ROWS = 6, WIDTH = 16, VECTOR = 8 };

GEMM_PACK(1)

ALWAYS_INLINE void tile_of(float *out, const float *rows, const float *columns, int units,
                           const int h, const int vectors, const struct gemm_ahead ahead[GEMM_STREAMS])
{
    __m256 sums[ROWS][2];
    for (int x = 0; x < h; x++)
        for (int i = 0; i < vectors; i++) sums[x][i] = _mm256_setzero_ps();

    const char *ask[GEMM_STREAMS] = {ahead[0].at, ahead[1].at};
    for (; units > 0; units -= GEMM_LINE, rows += h * GEMM_LINE) {
        ask_ahead(ask, ahead);
        const int here = units < GEMM_LINE ? units : GEMM_LINE;
        for (int u = 0; u < here; u++, columns += vectors * VECTOR) {
            __m256 column[2];
            for (int i = 0; i < vectors; i++) column[i] = _mm256_load_ps(columns + i * VECTOR);
#pragma GCC unroll 6
            for (int x = 0; x < h; x++) {
                const __m256 row = _mm256_broadcast_ss(rows + x * GEMM_LINE + u);
                for (int i = 0; i < vectors; i++)
                    sums[x][i] = _mm256_fmadd_ps(row, column[i], sums[x][i]);
            }
        }
    }
    for (int x = 0; x < h; x++)
        for (int i = 0; i < vectors; i++)
            _mm256_store_ps(out + (x * vectors + i) * VECTOR, sums[x][i]);
}

#define TILE(h) \
    static void tile_##h##x2(float *out, const float *r, const float *v, int units, \
                             const struct gemm_ahead ahead[GEMM_STREAMS]) \
    { \
        tile_of(out, r, v, units, h, 2, ahead); \
    } \
    static void tile_##h##x1(float *out, const float *r, const float *v, int units, \
                             const struct gemm_ahead ahead[GEMM_STREAMS]) \
    { \
        tile_of(out, r, v, units, h, 1, ahead); \
    }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)

static void tile(float *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width, const struct gemm_ahead ahead[GEMM_STREAMS])
{
    static void (*const tiles[ROWS][2])(float *, const float *, const float *, int,
                                        const struct gemm_ahead *) = {
        {tile_1x1, tile_1x2}, {tile_2x1, tile_2x2}, {tile_3x1, tile_3x2},
        {tile_4x1, tile_4x2}, {tile_5x1, tile_5x2}, {tile_6x1, tile_6x2},
    };
    tiles[h - 1][width == WIDTH](out, (const float *)rows, (const float *)columns, units, ahead);
}

const struct gemm_kernel gemm_kernel_avx2 = {
    .k_per_unit = 1,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = VECTOR,
    .units = 384,
    .pack_rows = pack_rows_1,
    .pack_columns = pack_columns_1,
    .tile = tile,
    .store = store_tile,
};
