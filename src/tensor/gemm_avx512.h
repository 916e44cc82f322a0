/* gemm_avx512.h -- tiles of 512-bit registers, for whatever MULTIPLY_16 and MULTIPLY_8 do with units.
 *
 * Included by gemm_avx512.c (f32) and gemm_avx512_bf16.c, each with its own products.
 */
#ifndef TENSOR_GEMM_AVX512_H
#define TENSOR_GEMM_AVX512_H

#include <immintrin.h>

#include "tensor/gemm_loops.h"

/* 14 rows of 32 columns: 28 sums, 2 columns, 1 row in 32 registers. */
enum { ROWS = 14, WIDTH = 32, VECTOR = 16, NARROW = 8 };

ALWAYS_INLINE void tile_of(float *out, const uint32_t *rows, const uint32_t *columns, int units,
                           const int h, const int vectors)
{
    __m512 sums[ROWS][2];
#pragma GCC unroll 14
    for (int x = 0; x < h; x++)
        for (int i = 0; i < vectors; i++) sums[x][i] = _mm512_setzero_ps();

    for (; units > 0; units -= GEMM_LINE, rows += h * GEMM_LINE) {
        const int here = units < GEMM_LINE ? units : GEMM_LINE;
        const uint32_t *line = rows;
        for (int u = 0; u < here; u += GEMM_UNITS_STEP, line += GEMM_UNITS_STEP) {
#pragma GCC unroll 4
            for (int step = 0; step < GEMM_UNITS_STEP; step++, columns += vectors * VECTOR) {
                __m512i column[2];
                for (int i = 0; i < vectors; i++) column[i] = _mm512_load_si512(columns + i * VECTOR);
#pragma GCC unroll 14
                for (int x = 0; x < h; x++) {
                    const __m512i row = _mm512_set1_epi32((int)line[x * GEMM_LINE + step]);
                    for (int i = 0; i < vectors; i++)
                        sums[x][i] = MULTIPLY_16(sums[x][i], row, column[i]);
                }
            }
        }
    }
#pragma GCC unroll 14
    for (int x = 0; x < h; x++)
        for (int i = 0; i < vectors; i++)
            _mm512_store_ps(out + (x * vectors + i) * VECTOR, sums[x][i]);
}

/* Eight columns in half a register: two of these a cycle where one whole one goes. */
ALWAYS_INLINE void tile_narrow(float *out, const uint32_t *rows, const uint32_t *columns,
                               int units, const int h)
{
    __m256 sums[ROWS];
#pragma GCC unroll 14
    for (int x = 0; x < h; x++) sums[x] = _mm256_setzero_ps();

    for (; units > 0; units -= GEMM_LINE, rows += h * GEMM_LINE) {
        const int here = units < GEMM_LINE ? units : GEMM_LINE;
        const uint32_t *line = rows;
        for (int u = 0; u < here; u += GEMM_UNITS_STEP, line += GEMM_UNITS_STEP) {
#pragma GCC unroll 4
            for (int step = 0; step < GEMM_UNITS_STEP; step++, columns += NARROW) {
                const __m256i column = _mm256_load_si256((const __m256i *)columns);
#pragma GCC unroll 14
                for (int x = 0; x < h; x++) {
                    const __m256i row = _mm256_set1_epi32((int)line[x * GEMM_LINE + step]);
                    sums[x] = MULTIPLY_8(sums[x], row, column);
                }
            }
        }
    }
#pragma GCC unroll 14
    for (int x = 0; x < h; x++) _mm256_store_ps(out + x * NARROW, sums[x]);
}

typedef void tile_function(float *out, const uint32_t *rows, const uint32_t *columns, int units);

#define TILE(h) \
    static void tile_##h##x32(float *out, const uint32_t *r, const uint32_t *v, int units) \
    { \
        tile_of(out, r, v, units, h, 2); \
    } \
    static void tile_##h##x16(float *out, const uint32_t *r, const uint32_t *v, int units) \
    { \
        tile_of(out, r, v, units, h, 1); \
    } \
    static void tile_##h##x8(float *out, const uint32_t *r, const uint32_t *v, int units) \
    { \
        tile_narrow(out, r, v, units, h); \
    }
#define EACH_HEIGHT(of) \
    of(1) of(2) of(3) of(4) of(5) of(6) of(7) of(8) of(9) of(10) of(11) of(12) of(13) of(14)
EACH_HEIGHT(TILE)

static void tile(float *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width)
{
#define TILES(h) {tile_##h##x8, tile_##h##x16, tile_##h##x32},
    static tile_function *const tiles[ROWS][3] = {EACH_HEIGHT(TILES)};
    tiles[h - 1][width / VECTOR](out, rows, columns, units);
}

#endif
