#include "tensor/gemm_loops.h"

enum { ROWS = 4, WIDTH = 8 };

GEMM_PACK_FLOATS

/* Small enough for the compiler to keep the sums in 16-byte registers. */
static void tile_4(float *out, const float *rows, const float *columns, int units)
{
    float sums[ROWS][WIDTH] = {{0}};
    for (int u = 0; u < units; u++) {
        for (int x = 0; x < ROWS; x++)
            for (int i = 0; i < WIDTH; i++) sums[x][i] += rows[x * GEMM_LINE] * columns[i];
        columns += WIDTH;
        rows += u % GEMM_LINE == GEMM_LINE - 1 ? (ROWS - 1) * GEMM_LINE + 1 : 1;
    }
    memcpy(out, sums, sizeof sums);
}

static void tile(void *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width, const struct gemm_ahead ahead[GEMM_STREAMS])
{
    const float *r = (const float *)(const void *)rows, *v = (const float *)(const void *)columns;
    (void)width, (void)ahead;
    if (h == ROWS) {
        tile_4(out, r, v, units);
        return;
    }
    for (int x = 0; x < h; x++) {
        float sums[WIDTH] = {0};
        for (int u = 0; u < units; u++) {
            const float row = r[(u / GEMM_LINE * h + x) * GEMM_LINE + u % GEMM_LINE];
            for (int i = 0; i < WIDTH; i++) sums[i] += row * v[u * WIDTH + i];
        }
        memcpy((float *)out + x * WIDTH, sums, sizeof sums);
    }
}

const struct gemm_kernel gemm_kernel_scalar = {
    .k_per_unit = 1,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = WIDTH,
    .units = 256,
    .pack_rows = pack_rows_floats,
    .pack_columns = pack_columns_floats,
    .tile = tile,
    .store = store_tile,
};
