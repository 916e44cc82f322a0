#include <arm_neon.h>

#include "tensor/gemm_loops.h"

/* 6 rows of 16 columns: 24 sums, 4 columns, 1 row in 32 registers. */
enum { ROWS = 6, WIDTH = 16, VECTOR = 4 };

GEMM_PACK_FLOATS

ALWAYS_INLINE void tile_of(float *out, const float *rows, const float *columns, int units,
                           const int h, const int vectors,
                           const struct gemm_ahead ahead[GEMM_STREAMS])
{
    float32x4_t sums[ROWS][4];
#pragma GCC unroll 6
    for (int x = 0; x < h; x++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++) sums[x][i] = vdupq_n_f32(0);

    const char *ask[GEMM_STREAMS] = {ahead[0].at, ahead[1].at};
    for (; units > 0; units -= GEMM_LINE, rows += h * GEMM_LINE) {
        ask_ahead(ask, ahead);
        const int here = units < GEMM_LINE ? units : GEMM_LINE;
        for (int u = 0; u < here; u++, columns += vectors * VECTOR) {
            float32x4_t column[4];
#pragma GCC unroll 4
            for (int i = 0; i < vectors; i++) column[i] = vld1q_f32(columns + i * VECTOR);
#pragma GCC unroll 6
            for (int x = 0; x < h; x++) {
                const float32x4_t row = vld1q_dup_f32(rows + x * GEMM_LINE + u);
#pragma GCC unroll 4
                for (int i = 0; i < vectors; i++)
                    sums[x][i] = vfmaq_f32(sums[x][i], row, column[i]);
            }
        }
    }
#pragma GCC unroll 6
    for (int x = 0; x < h; x++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++) vst1q_f32(out + (x * vectors + i) * VECTOR, sums[x][i]);
}

typedef void tile_function(float *out, const float *rows, const float *columns, int units,
                           const struct gemm_ahead ahead[GEMM_STREAMS]);

#define TILE(h, vectors) \
    static void tile_##h##x##vectors(float *out, const float *r, const float *v, int units, \
                                     const struct gemm_ahead ahead[GEMM_STREAMS]) \
    { \
        tile_of(out, r, v, units, h, vectors, ahead); \
    }
#define EACH_HEIGHT(of) of(1) of(2) of(3) of(4) of(5) of(6)
#define EACH_WIDTH(h) TILE(h, 1) TILE(h, 2) TILE(h, 4)
EACH_HEIGHT(EACH_WIDTH)

static void tile(void *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width, const struct gemm_ahead ahead[GEMM_STREAMS])
{
#define TILES(h) {tile_##h##x1, tile_##h##x2, tile_##h##x4},
    static tile_function *const tiles[ROWS][3] = {EACH_HEIGHT(TILES)};
    tiles[h - 1][width == 4   ? 0
                 : width == 8 ? 1
                              : 2](out, (const float *)(const void *)rows,
                                   (const float *)(const void *)columns, units, ahead);
}

const struct gemm_kernel gemm_kernel_neon = {
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
