/* gemm_avx512.h -- tiles of 512-bit registers, for whatever MULTIPLY_16 and MULTIPLY_8 do with units.
 *
 * Included by gemm_avx512.c (f32), gemm_avx512_bf16.c and gemm_avx512_vnni.c (bytes), each with its own
 * products.
 */
#ifndef TENSOR_GEMM_AVX512_H
#define TENSOR_GEMM_AVX512_H

#include <immintrin.h>

#include "tensor/gemm_loops.h"

/* 14 rows of 32 columns: 28 sums, 2 columns, 1 row in 32 registers. */
enum { ROWS = 14, WIDTH = 32, VECTOR = 16, NARROW = 8 };

/* ---- packing: whole lines here, what is left over as everywhere ----
 *
 * units_of_k() and units_of_x() come from the including file: 16 units whose k, or whose x, are
 * neighbours in memory. */

static const int prefetch_rows = 12; /* a row that lies elsewhere is asked for so much earlier, */
static const int prefetch_lines = 8; /* or a line of the same row */

/* line[i] lane j becomes line[j] lane i. */
ALWAYS_INLINE void transpose_16(__m512i line[16])
{
    __m512i pair[16], four[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        pair[2 * i] = _mm512_unpacklo_epi32(line[2 * i], line[2 * i + 1]);
        pair[2 * i + 1] = _mm512_unpackhi_epi32(line[2 * i], line[2 * i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        four[4 * i] = _mm512_unpacklo_epi64(pair[4 * i], pair[4 * i + 2]);
        four[4 * i + 1] = _mm512_unpackhi_epi64(pair[4 * i], pair[4 * i + 2]);
        four[4 * i + 2] = _mm512_unpacklo_epi64(pair[4 * i + 1], pair[4 * i + 3]);
        four[4 * i + 3] = _mm512_unpackhi_epi64(pair[4 * i + 1], pair[4 * i + 3]);
    }
    /* four[4 * i + j], lane group g: columns 4 * g + j of rows 4 * i .. 4 * i + 3. */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const __m512i even01 = _mm512_shuffle_i32x4(four[j], four[4 + j], 0x88);
        const __m512i even23 = _mm512_shuffle_i32x4(four[8 + j], four[12 + j], 0x88);
        const __m512i odd01 = _mm512_shuffle_i32x4(four[j], four[4 + j], 0xdd);
        const __m512i odd23 = _mm512_shuffle_i32x4(four[8 + j], four[12 + j], 0xdd);
        line[j] = _mm512_shuffle_i32x4(even01, even23, 0x88);
        line[8 + j] = _mm512_shuffle_i32x4(even01, even23, 0xdd);
        line[4 + j] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
        line[12 + j] = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
    }
}

ALWAYS_INLINE __mmask16 first_lanes(int n) { return (__mmask16)((1u << n) - 1); }

ALWAYS_INLINE void pack_rows_lines(uint32_t *out, const struct strip *strip, int x0, int h, int k0,
                                   int lines, enum gemm_form form, int k_per_unit)
{
    const ptrdiff_t step = k_per_unit * strip->k_step, line_step = GEMM_LINE * step;
    const ptrdiff_t first = x0 * strip->x_step + k0 * strip->k_step;
    if (strip->k_step == 1) {
        for (int x = 0; x < h; x++)
            for (int i = 0; i < lines; i++) {
                const ptrdiff_t at = first + x * strip->x_step + i * line_step;
                _mm512_store_si512(out + (i * h + x) * GEMM_LINE, units_of_k(strip, at, form));
            }
        return;
    }
    for (int i = 0; i < lines; i++) {
        __m512i line[16];
        for (int u = 0; u < 16; u++) {
            const ptrdiff_t at = first + i * line_step + u * step;
            __builtin_prefetch((const char *)strip->data +
                               (at + prefetch_rows * step) * gemm_form_bytes(form));
            line[u] = units_of_x(strip, at, form, first_lanes(h));
        }
        transpose_16(line);
#pragma GCC unroll 14
        for (int x = 0; x < ROWS; x++)
            if (x < h) _mm512_store_si512(out + (i * h + x) * GEMM_LINE, line[x]);
    }
}

ALWAYS_INLINE void store_columns(uint32_t *out, int width, __m512i units)
{
    if (width == NARROW) _mm256_store_si256((__m256i *)out, _mm512_castsi512_si256(units));
    else _mm512_store_si512(out, units);
}

ALWAYS_INLINE void pack_columns_lines(uint32_t *out, const struct strip *strip, int x0, int n,
                                      int width, int k0, int lines, enum gemm_form form,
                                      int k_per_unit)
{
    const ptrdiff_t step = k_per_unit * strip->k_step;
    const ptrdiff_t first = x0 * strip->x_step + k0 * strip->k_step;
    if (strip->x_step == 1) {
        for (int u = 0; u < lines * GEMM_LINE; u++) {
            const ptrdiff_t at = first + u * step;
            const char *ahead =
                (const char *)strip->data + (at + prefetch_rows * step) * gemm_form_bytes(form);
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + 64);
            for (int x = 0; x < width; x += VECTOR) {
                const int here = n - x < VECTOR ? n - x : VECTOR;
                store_columns(out + u * width + x, width,
                              units_of_x(strip, at + x, form, first_lanes(here)));
            }
        }
        return;
    }
    for (int x = 0; x < width; x += VECTOR)
        for (int i = 0; i < lines; i++) {
            __m512i line[16];
            for (int c = 0; c < 16; c++) {
                const ptrdiff_t at = first + (x + c) * strip->x_step + i * GEMM_LINE * step;
                __builtin_prefetch((const char *)strip->data +
                                       (at + prefetch_lines * GEMM_LINE * step) *
                                           gemm_form_bytes(form),
                                   0, 2);
                line[c] = x + c < n ? units_of_k(strip, at, form) : _mm512_setzero_si512();
            }
            transpose_16(line);
#pragma GCC unroll 16
            for (int u = 0; u < 16; u++)
                store_columns(out + (i * GEMM_LINE + u) * width + x, width, line[u]);
        }
}

/* Lines of 16 units that lie wholly inside the strip. */
ALWAYS_INLINE int whole_lines(const struct strip *strip, int k0, int units, int k_per_unit)
{
    const int left = (strip->n_k - k0) / k_per_unit, most = left < units ? left : units;
    return strip->k_step == 1 || strip->x_step == 1 ? most / GEMM_LINE : 0;
}

#define GEMM_PACK_512(form, k_per_unit) \
    GEMM_PACK_FORM(form, k_per_unit) \
    static void pack_rows_##form##_512(uint32_t *out, const struct strip *strip, int x0, int h, \
                                       int k0, int units) \
    { \
        const int lines = whole_lines(strip, k0, units, k_per_unit), done = lines * GEMM_LINE; \
        pack_rows_lines(out, strip, x0, h, k0, lines, form, k_per_unit); \
        pack_rows_##form(out + h * done, strip, x0, h, k0 + done * k_per_unit, units - done); \
    } \
    static void pack_columns_##form##_512(uint32_t *out, const struct strip *strip, int x0, int n, \
                                          int width, int k0, int units) \
    { \
        const int lines = whole_lines(strip, k0, units, k_per_unit), done = lines * GEMM_LINE; \
        pack_columns_lines(out, strip, x0, n, width, k0, lines, form, k_per_unit); \
        pack_columns_##form(out + width * done, strip, x0, n, width, k0 + done * k_per_unit, \
                            units - done); \
    }

/* ---- storing ---- */

enum onto { ONTO_NOTHING, ONTO_C, ONTO_BIAS };

/* ADD_16 adds sums, of whatever kind they are. */
ALWAYS_INLINE void store_line(uint32_t *c, const float *bias, __mmask16 mask, __m512i sums,
                              enum onto onto)
{
    if (onto == ONTO_C) sums = ADD_16(_mm512_maskz_loadu_epi32(mask, c), sums);
    if (onto == ONTO_BIAS) sums = ADD_16(_mm512_maskz_loadu_epi32(mask, bias), sums);
    _mm512_mask_storeu_epi32(c, mask, sums);
}

ALWAYS_INLINE void store_straight(const struct gemm_store *store, const uint32_t *tile, int h,
                                  int n, int width, enum onto onto)
{
    for (int x = 0; x < n; x += VECTOR) {
        const __mmask16 mask = first_lanes(n - x < VECTOR ? n - x : VECTOR);
        uint32_t *c = (uint32_t *)store->c + x;
        for (int i = 0; i < h; i++, c += store->c_row)
            store_line(c, store->bias ? store->bias + x : NULL, mask,
                       _mm512_load_si512(tile + i * width + x), onto);
    }
}

ALWAYS_INLINE void store_turned(const struct gemm_store *store, const uint32_t *tile, int h, int n,
                                int width, enum onto onto)
{
    const __mmask16 mask = first_lanes(h);
    for (int x = 0; x < n; x += VECTOR) {
        const int here = n - x < VECTOR ? n - x : VECTOR;
        __m512i line[16];
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            line[i] = i < h ? _mm512_load_si512(tile + i * width + x) : _mm512_setzero_si512();
        transpose_16(line);
        uint32_t *c = (uint32_t *)store->c + x * store->c_row;
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++, c += store->c_row)
            if (i < here) store_line(c, store->bias, mask, line[i], onto);
    }
}

static void store_512(const struct gemm_store *store, const void *tile, int h, int n, int width)
{
    if (width == NARROW) {
        store_tile(store, tile, h, n, width);
        return;
    }
    const enum onto onto = store->add ? ONTO_C : store->bias ? ONTO_BIAS : ONTO_NOTHING;
#define STORE(which) \
    case which: \
        if (store->turned) store_turned(store, tile, h, n, width, which); \
        else store_straight(store, tile, h, n, width, which); \
        return;
    switch (onto) {
        STORE(ONTO_NOTHING)
        STORE(ONTO_C)
        STORE(ONTO_BIAS)
    }
}

/* ---- tiles ---- */

ALWAYS_INLINE void tile_of(uint32_t *out, const uint32_t *rows, const uint32_t *columns, int units,
                           const int h, const int vectors,
                           const struct gemm_ahead ahead[GEMM_STREAMS])
{
    __m512i sums[ROWS][2];
#pragma GCC unroll 14
    for (int x = 0; x < h; x++)
        for (int i = 0; i < vectors; i++) sums[x][i] = _mm512_setzero_si512();

    const char *ask[GEMM_STREAMS] = {ahead[0].at, ahead[1].at};
    for (; units > 0; units -= GEMM_LINE, rows += h * GEMM_LINE) {
        ask_ahead(ask, ahead);
        const int here = units < GEMM_LINE ? units : GEMM_LINE;
        const uint32_t *line = rows;
        for (int u = 0; u < here; u += GEMM_UNITS_STEP, line += GEMM_UNITS_STEP) {
#pragma GCC unroll 4
            for (int step = 0; step < GEMM_UNITS_STEP; step++, columns += vectors * VECTOR) {
                __m512i column[2];
                for (int i = 0; i < vectors; i++)
                    column[i] = _mm512_load_si512(columns + i * VECTOR);
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
            _mm512_store_si512(out + (x * vectors + i) * VECTOR, sums[x][i]);
}

/* Eight columns in half a register: two of these a cycle where one whole one goes. */
ALWAYS_INLINE void tile_narrow(uint32_t *out, const uint32_t *rows, const uint32_t *columns,
                               int units, const int h, const struct gemm_ahead ahead[GEMM_STREAMS])
{
    __m256i sums[ROWS];
#pragma GCC unroll 14
    for (int x = 0; x < h; x++) sums[x] = _mm256_setzero_si256();

    const char *ask[GEMM_STREAMS] = {ahead[0].at, ahead[1].at};
    for (; units > 0; units -= GEMM_LINE, rows += h * GEMM_LINE) {
        ask_ahead(ask, ahead);
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
    for (int x = 0; x < h; x++) _mm256_store_si256((__m256i *)(out + x * NARROW), sums[x]);
}

typedef void tile_function(uint32_t *out, const uint32_t *rows, const uint32_t *columns, int units,
                           const struct gemm_ahead ahead[GEMM_STREAMS]);

#define TILE(h) \
    static void tile_##h##x32(uint32_t *out, const uint32_t *r, const uint32_t *v, int units, \
                              const struct gemm_ahead ahead[GEMM_STREAMS]) \
    { \
        tile_of(out, r, v, units, h, 2, ahead); \
    } \
    static void tile_##h##x16(uint32_t *out, const uint32_t *r, const uint32_t *v, int units, \
                              const struct gemm_ahead ahead[GEMM_STREAMS]) \
    { \
        tile_of(out, r, v, units, h, 1, ahead); \
    } \
    static void tile_##h##x8(uint32_t *out, const uint32_t *r, const uint32_t *v, int units, \
                             const struct gemm_ahead ahead[GEMM_STREAMS]) \
    { \
        tile_narrow(out, r, v, units, h, ahead); \
    }
#define EACH_HEIGHT(of) \
    of(1) of(2) of(3) of(4) of(5) of(6) of(7) of(8) of(9) of(10) of(11) of(12) of(13) of(14)
EACH_HEIGHT(TILE)

static void tile(void *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width, const struct gemm_ahead ahead[GEMM_STREAMS])
{
#define TILES(h) {tile_##h##x8, tile_##h##x16, tile_##h##x32},
    static tile_function *const tiles[ROWS][3] = {EACH_HEIGHT(TILES)};
    tiles[h - 1][width / VECTOR](out, rows, columns, units, ahead);
}

#endif
