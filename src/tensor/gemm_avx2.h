/* gemm_avx2.h -- tiles of 256-bit registers, for whatever MULTIPLY_8 does with units.
 *
 * Included by gemm_avx2.c (f32) and gemm_avx2_int8.c, each with its own products.
 */
#ifndef TENSOR_GEMM_AVX2_H
#define TENSOR_GEMM_AVX2_H

#include <immintrin.h>

#include "tensor/gemm_loops.h"

/* 6 rows of 16 columns: 12 sums, 2 columns, 1 row in 16 registers. */
enum { ROWS = 6, WIDTH = 16, VECTOR = 8 };

ALWAYS_INLINE void tile_of(uint32_t *out, const uint32_t *rows, const uint32_t *columns, int units,
                           const int h, const int vectors,
                           const struct gemm_ahead ahead[GEMM_STREAMS])
{
    __m256i sums[ROWS][2];
#pragma GCC unroll 6
    for (int x = 0; x < h; x++)
#pragma GCC unroll 2
        for (int i = 0; i < vectors; i++) sums[x][i] = _mm256_setzero_si256();

    const char *ask[GEMM_STREAMS] = {ahead[0].at, ahead[1].at};
    for (; units > 0; units -= GEMM_LINE, rows += h * GEMM_LINE) {
        ask_ahead(ask, ahead);
        const int here = units < GEMM_LINE ? units : GEMM_LINE;
        const uint32_t *line = rows;
        for (int u = 0; u < here; u += GEMM_UNITS_STEP, line += GEMM_UNITS_STEP) {
#pragma GCC unroll 4
            for (int step = 0; step < GEMM_UNITS_STEP; step++, columns += vectors * VECTOR) {
                __m256i column[2];
#pragma GCC unroll 2
                for (int i = 0; i < vectors; i++)
                    column[i] = _mm256_load_si256((const __m256i *)(columns + i * VECTOR));
#pragma GCC unroll 6
                for (int x = 0; x < h; x++) {
                    const __m256i row = _mm256_set1_epi32((int)line[x * GEMM_LINE + step]);
#pragma GCC unroll 2
                    for (int i = 0; i < vectors; i++)
                        sums[x][i] = MULTIPLY_8(sums[x][i], row, column[i]);
                }
            }
        }
    }
#pragma GCC unroll 6
    for (int x = 0; x < h; x++)
#pragma GCC unroll 2
        for (int i = 0; i < vectors; i++)
            _mm256_store_si256((__m256i *)(out + (x * vectors + i) * VECTOR), sums[x][i]);
}

#define TILE(h) \
    static void tile_##h##x2(uint32_t *out, const uint32_t *r, const uint32_t *v, int units, \
                             const struct gemm_ahead ahead[GEMM_STREAMS]) \
    { \
        tile_of(out, r, v, units, h, 2, ahead); \
    } \
    static void tile_##h##x1(uint32_t *out, const uint32_t *r, const uint32_t *v, int units, \
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

static void tile(void *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width, const struct gemm_ahead ahead[GEMM_STREAMS])
{
    static void (*const tiles[ROWS][2])(uint32_t *, const uint32_t *, const uint32_t *, int,
                                        const struct gemm_ahead *) = {
        {tile_1x1, tile_1x2}, {tile_2x1, tile_2x2}, {tile_3x1, tile_3x2},
        {tile_4x1, tile_4x2}, {tile_5x1, tile_5x2}, {tile_6x1, tile_6x2},
    };
    tiles[h - 1][width == WIDTH](out, rows, columns, units, ahead);
}

#endif
