/* gemm_loops.h -- packing and storing in plain C, for each instruction set to compile for itself.
 *
 * Included by the gemm_*.c of an instruction set, and by nothing else; the compiler vectorizes what
 * lies in one piece, so only transposing is worth writing again (gemm_avx512.c).
 */
#ifndef TENSOR_GEMM_LOOPS_H
#define TENSOR_GEMM_LOOPS_H

#include <string.h>

#include "tensor/bf16.h"
#include "tensor/gemm_kernel.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* What a tile asks for before each line of units. */
ALWAYS_INLINE void ask_ahead(const char *ask[GEMM_STREAMS],
                             const struct gemm_ahead ahead[GEMM_STREAMS])
{
    for (int i = 0; i < GEMM_STREAMS; i++) {
        for (int j = 0; j < GEMM_AHEAD; j++)
            __builtin_prefetch(ask[i] + j * ahead[i].step, 0, 2);
        ask[i] += ahead[i].line_step;
    }
}

/* One element as bf16. */
ALWAYS_INLINE uint32_t half_at(const struct strip *strip, ptrdiff_t at, enum gemm_form form)
{
    if (form == GEMM_BF16) return ((const uint16_t *)strip->data)[at];
    return bf16_from_float(((const float *)strip->data)[at]);
}

/* The unit that starts at element `at`, whose k lies `left` before the end. */
ALWAYS_INLINE uint32_t unit_at(const struct strip *strip, ptrdiff_t at, int left,
                               enum gemm_form form, int k_per_unit)
{
    if (left <= 0) return 0;
    if (k_per_unit == 2) {
        const uint32_t low = half_at(strip, at, form);
        return left == 1 ? low : low | half_at(strip, at + strip->k_step, form) << 16;
    }
    if (form == GEMM_F32) return ((const uint32_t *)strip->data)[at];
    return half_at(strip, at, form) << 16; /* as f32 */
}

ALWAYS_INLINE void pack_rows_of(uint32_t *out, const struct strip *strip, int x0, int h, int k0,
                                int units, enum gemm_form form, int k_per_unit)
{
    const ptrdiff_t step = k_per_unit * strip->k_step;
    for (int u = 0; u < units; u += GEMM_LINE) {
        const int k = k0 + u * k_per_unit, left = strip->n_k - k;
        const ptrdiff_t first = x0 * strip->x_step + k * strip->k_step;
        const bool whole = left >= GEMM_LINE * k_per_unit;
        if (whole && strip->k_step == 1) {
            for (int x = 0; x < h; x++)
                for (int i = 0; i < GEMM_LINE; i++)
                    out[x * GEMM_LINE + i] = unit_at(
                        strip, first + x * strip->x_step + i * k_per_unit, 2, form, k_per_unit);
        } else if (whole) {
            for (int i = 0; i < GEMM_LINE; i++)
                for (int x = 0; x < h; x++)
                    out[x * GEMM_LINE + i] =
                        unit_at(strip, first + x * strip->x_step + i * step, 2, form, k_per_unit);
        } else {
            for (int x = 0; x < h; x++)
                for (int i = 0; i < GEMM_LINE; i++)
                    out[x * GEMM_LINE + i] = unit_at(strip, first + x * strip->x_step + i * step,
                                                     left - i * k_per_unit, form, k_per_unit);
        }
        out += h * GEMM_LINE;
    }
}

ALWAYS_INLINE void pack_columns_of(uint32_t *out, const struct strip *strip, int x0, int n,
                                   int width, int k0, int units, enum gemm_form form,
                                   int k_per_unit)
{
    const ptrdiff_t step = k_per_unit * strip->k_step;
    if (n < width) memset(out, 0, (size_t)units * (size_t)width * sizeof *out);
    for (int u = 0; u < units; u += GEMM_LINE) {
        const int k = k0 + u * k_per_unit, left = strip->n_k - k;
        const ptrdiff_t first = x0 * strip->x_step + k * strip->k_step;
        const bool whole = left >= GEMM_LINE * k_per_unit && units - u >= GEMM_LINE;
        const int here = units - u < GEMM_LINE ? units - u : GEMM_LINE;
        if (whole && strip->x_step == 1) {
            for (int i = 0; i < GEMM_LINE; i++)
                for (int x = 0; x < n; x++)
                    out[i * width + x] = unit_at(strip, first + i * step + x, 2, form, k_per_unit);
        } else if (whole) {
            for (int x = 0; x < n; x++)
                for (int i = 0; i < GEMM_LINE; i++)
                    out[i * width + x] =
                        unit_at(strip, first + x * strip->x_step + i * step, 2, form, k_per_unit);
        } else {
            for (int x = 0; x < n; x++)
                for (int i = 0; i < here; i++)
                    out[i * width + x] = unit_at(strip, first + x * strip->x_step + i * step,
                                                 left - i * k_per_unit, form, k_per_unit);
        }
        out += here * width;
    }
}

/* The form is known in each copy of the loops. */
#define GEMM_PACK(k_per_unit) \
    static void pack_rows_##k_per_unit(uint32_t *out, const struct strip *strip, int x0, int h, \
                                       int k0, int units) \
    { \
        if (strip->form == GEMM_F32) \
            pack_rows_of(out, strip, x0, h, k0, units, GEMM_F32, k_per_unit); \
        else if (strip->form == GEMM_BF16) \
            pack_rows_of(out, strip, x0, h, k0, units, GEMM_BF16, k_per_unit); \
        else pack_rows_of(out, strip, x0, h, k0, units, GEMM_ROUNDED, k_per_unit); \
    } \
    static void pack_columns_##k_per_unit(uint32_t *out, const struct strip *strip, int x0, int n, \
                                          int width, int k0, int units) \
    { \
        if (strip->form == GEMM_F32) \
            pack_columns_of(out, strip, x0, n, width, k0, units, GEMM_F32, k_per_unit); \
        else if (strip->form == GEMM_BF16) \
            pack_columns_of(out, strip, x0, n, width, k0, units, GEMM_BF16, k_per_unit); \
        else pack_columns_of(out, strip, x0, n, width, k0, units, GEMM_ROUNDED, k_per_unit); \
    }

static inline void store_tile(const struct gemm_store *store, const float *tile, int h, int n,
                              int width)
{
    const int rows = store->turned ? n : h, columns = store->turned ? h : n;
    const int down = store->turned ? 1 : width, across = store->turned ? width : 1;
    for (int i = 0; i < rows; i++) {
        float *c = store->c + i * store->c_row;
        const float *sums = tile + i * down;
        if (store->add)
            for (int j = 0; j < columns; j++) c[j] += sums[j * across];
        else if (store->bias)
            for (int j = 0; j < columns; j++) c[j] = store->bias[j] + sums[j * across];
        else
            for (int j = 0; j < columns; j++) c[j] = sums[j * across];
    }
}

#endif
