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
        for (int j = 0; j < GEMM_AHEAD; j++) __builtin_prefetch(ask[i] + j * ahead[i].step, 0, 2);
        ask[i] += ahead[i].line_step;
    }
}

/* One element as bf16. */
ALWAYS_INLINE uint32_t half_at(const struct strip *strip, ptrdiff_t at, enum gemm_form form)
{
    if (form == GEMM_BF16) return ((const uint16_t *)strip->data)[at];
    return bf16_from_float(((const float *)strip->data)[at]);
}

/* One byte as a number. */
ALWAYS_INLINE uint32_t byte_at(const struct strip *strip, ptrdiff_t at, enum gemm_form form)
{
    if (form == GEMM_U8) return ((const uint8_t *)strip->data)[at];
    return (uint32_t)((const int8_t *)strip->data)[at];
}

/* One element as what its share of a unit holds. */
ALWAYS_INLINE uint32_t part_at(const struct strip *strip, ptrdiff_t at, enum gemm_form form,
                               int k_per_unit)
{
    if (form == GEMM_F32) return ((const uint32_t *)strip->data)[at];
    if (form == GEMM_BF16 || form == GEMM_ROUNDED)
        return k_per_unit == 1 ? half_at(strip, at, form) << 16 /* as f32 */
                               : half_at(strip, at, form);
    const uint32_t byte = byte_at(strip, at, form);
    return k_per_unit == 1 ? byte : k_per_unit == 2 ? byte & 0xffff : byte & 0xff;
}

/* The unit that starts at element `at`, whose k lies `left` before the end. */
ALWAYS_INLINE uint32_t unit_at(const struct strip *strip, ptrdiff_t at, int left,
                               enum gemm_form form, int k_per_unit)
{
    uint32_t unit = 0;
    for (int i = 0; i < k_per_unit && i < left; i++)
        unit |= part_at(strip, at + i * strip->k_step, form, k_per_unit) << 32 / k_per_unit * i;
    return unit;
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
                    out[x * GEMM_LINE + i] =
                        unit_at(strip, first + x * strip->x_step + i * k_per_unit, k_per_unit, form,
                                k_per_unit);
        } else if (whole) {
            for (int i = 0; i < GEMM_LINE; i++)
                for (int x = 0; x < h; x++)
                    out[x * GEMM_LINE + i] = unit_at(strip, first + x * strip->x_step + i * step,
                                                     k_per_unit, form, k_per_unit);
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
                    out[i * width + x] =
                        unit_at(strip, first + i * step + x, k_per_unit, form, k_per_unit);
        } else if (whole) {
            for (int x = 0; x < n; x++)
                for (int i = 0; i < GEMM_LINE; i++)
                    out[i * width + x] = unit_at(strip, first + x * strip->x_step + i * step,
                                                 k_per_unit, form, k_per_unit);
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
#define GEMM_PACK_FORM(form, k_per_unit) \
    static void pack_rows_##form(uint32_t *out, const struct strip *strip, int x0, int h, int k0, \
                                 int units) \
    { \
        pack_rows_of(out, strip, x0, h, k0, units, form, k_per_unit); \
    } \
    static void pack_columns_##form(uint32_t *out, const struct strip *strip, int x0, int n, \
                                    int width, int k0, int units) \
    { \
        pack_columns_of(out, strip, x0, n, width, k0, units, form, k_per_unit); \
    }

/* For kernels that see two forms: one copy for each, and the choice between them. */
#define GEMM_PACK_EITHER(name, one, other, suffix) \
    static void pack_rows_##name(uint32_t *out, const struct strip *strip, int x0, int h, int k0, \
                                 int units) \
    { \
        if (strip->form == one) pack_rows_##one##suffix(out, strip, x0, h, k0, units); \
        else pack_rows_##other##suffix(out, strip, x0, h, k0, units); \
    } \
    static void pack_columns_##name(uint32_t *out, const struct strip *strip, int x0, int n, \
                                    int width, int k0, int units) \
    { \
        if (strip->form == one) pack_columns_##one##suffix(out, strip, x0, n, width, k0, units); \
        else pack_columns_##other##suffix(out, strip, x0, n, width, k0, units); \
    }

/* f32 kernels of machines without bf16 get all three. */
#define GEMM_PACK_FLOATS \
    GEMM_PACK_FORM(GEMM_F32, 1) \
    GEMM_PACK_FORM(GEMM_BF16, 1) \
    GEMM_PACK_FORM(GEMM_ROUNDED, 1) \
    GEMM_PACK_EITHER(halves, GEMM_BF16, GEMM_ROUNDED, ) \
    GEMM_PACK_EITHER(floats, GEMM_F32, halves, )

#define GEMM_PACK_BYTES(k_per_unit) \
    GEMM_PACK_FORM(GEMM_U8, k_per_unit) \
    GEMM_PACK_FORM(GEMM_S8, k_per_unit) \
    GEMM_PACK_EITHER(bytes, GEMM_U8, GEMM_S8, )

/* What sums are: an including file that multiplies bytes says int32_t first. */
#ifndef GEMM_SUM
#define GEMM_SUM float
#endif

static inline void store_tile(const struct gemm_store *store, const void *tile, int h, int n,
                              int width)
{
    const int rows = store->turned ? n : h, columns = store->turned ? h : n;
    const int down = store->turned ? 1 : width, across = store->turned ? width : 1;
    for (int i = 0; i < rows; i++) {
        GEMM_SUM *c = (GEMM_SUM *)store->c + i * store->c_row;
        const GEMM_SUM *sums = (const GEMM_SUM *)tile + i * down;
        if (store->add)
            for (int j = 0; j < columns; j++) c[j] += sums[j * across];
        else if (store->bias)
            for (int j = 0; j < columns; j++) c[j] = (GEMM_SUM)store->bias[j] + sums[j * across];
        else
            for (int j = 0; j < columns; j++) c[j] = sums[j * across];
    }
}

#endif
