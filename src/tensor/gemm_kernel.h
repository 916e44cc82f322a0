/* gemm_kernel.h -- what gemm.c asks of an instruction set: pack, multiply a tile, store it.
 *
 * Both operands are strips: x (rows of a, or columns of b) by k. Everything is packed in units of 32
 * bits: one f32, or two bf16, or four bytes of neighbouring k. One strip gives the rows of a tile, whose units are
 * broadcast; the other its columns, whose units fill vectors:
 *
 *             columns: [unit][width]                   tile[h,w] = sum over units of
 *             v0 v1 v2 ... of unit 0                       rows[h,unit] * columns[unit,w]
 *             v0 v1 v2 ... of unit 1
 *
 *   rows: [units / 16][h][16], so that a strip whose k are neighbours is copied line by line
 *
 * Units after the last k are zeros, up to a multiple of GEMM_UNITS_STEP.
 * Tests: tests/tensor/gemm_test.c
 */
#ifndef TENSOR_GEMM_KERNEL_H
#define TENSOR_GEMM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GEMM_LINE = 16,      /* units in a line of rows: 64 bytes */
    GEMM_UNITS_STEP = 4, /* kernels take so many at a time */
    GEMM_TILE_LIMIT = 16 * 64,
    GEMM_AHEAD = 8,
    GEMM_STREAMS = 2,
};

enum gemm_form {
    GEMM_F32,
    GEMM_BF16,
    GEMM_ROUNDED, /* f32, rounded to bf16 on the way */
    GEMM_U8,
    GEMM_S8,
};

static inline int gemm_form_bytes(enum gemm_form form)
{
    return form == GEMM_BF16 ? 2 : form == GEMM_U8 || form == GEMM_S8 ? 1 : 4;
}

/* Element [x,k] is data[x * x_step + k * k_step]. */
struct strip {
    const void *data;
    ptrdiff_t x_step, k_step;
    enum gemm_form form;
    int n_k; /* what is beyond is zero */
};

/* Where a tile goes. */
struct gemm_store {
    void *c; /* float, or int32_t when bytes are multiplied */
    ptrdiff_t c_row;
    const float *bias; /* added; of the tile's first column of c. NULL: none, as for bytes */
    bool add;          /* to what c holds; then there is no bias */
    bool turned;       /* the tile's columns are rows of c */
};

/* Memory to ask for while a tile is made, in two streams: before each line of units i, of each stream
 * GEMM_AHEAD places j at at + i * line_step + j * step. */
struct gemm_ahead {
    const char *at;
    ptrdiff_t line_step, step;
};

struct gemm_kernel {
    int k_per_unit;
    int rows;               /* at most, in a tile */
    int width, width_least; /* of its columns: width, width / 2, ... width_least */
    int units;              /* of k in a block, at most: what the caches hold */

    /* Lines of `h` rows from x0, units of k from k0 on. */
    void (*pack_rows)(uint32_t *out, const struct strip *strip, int x0, int h, int k0, int units);
    /* Columns x0 .. x0 + n - 1; the rest of `width` is zero. */
    void (*pack_columns)(uint32_t *out, const struct strip *strip, int x0, int n, int width, int k0,
                         int units);
    /* out[h][width] is written. */
    void (*tile)(void *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width, const struct gemm_ahead ahead[GEMM_STREAMS]);
    /* h rows and n columns of a tile whose rows are `width` apart. */
    void (*store)(const struct gemm_store *store, const void *tile, int h, int n, int width);
};

extern const struct gemm_kernel gemm_kernel_scalar;
extern const struct gemm_kernel gemm_kernel_avx2;
extern const struct gemm_kernel gemm_kernel_avx512;
extern const struct gemm_kernel gemm_kernel_avx512_bf16;
extern const struct gemm_kernel gemm_kernel_neon;

/* Bytes: a's are unsigned, b's signed. `turned`: b gives the rows. */
extern const struct gemm_kernel gemm_kernel_scalar_int8;
extern const struct gemm_kernel gemm_kernel_avx2_int8;
extern const struct gemm_kernel gemm_kernel_avx512_vnni;
extern const struct gemm_kernel gemm_kernel_avx512_vnni_turned;

#endif
