#define GEMM_SUM int32_t
#include "tensor/gemm_loops.h"

enum { ROWS = 4, WIDTH = 8 };

/* A unit is one byte, widened. */
GEMM_PACK_BYTES(1)

static void tile(void *out, const uint32_t *rows, const uint32_t *columns, int units, int h,
                 int width, const struct gemm_ahead ahead[GEMM_STREAMS])
{
    const int32_t *r = (const int32_t *)rows, *v = (const int32_t *)columns;
    (void)width, (void)ahead;
    for (int x = 0; x < h; x++) {
        int32_t sums[WIDTH] = {0};
        for (int u = 0; u < units; u++) {
            const int32_t row = r[(u / GEMM_LINE * h + x) * GEMM_LINE + u % GEMM_LINE];
            for (int i = 0; i < WIDTH; i++) sums[i] += row * v[u * WIDTH + i];
        }
        memcpy((int32_t *)out + x * WIDTH, sums, sizeof sums);
    }
}

const struct gemm_kernel gemm_kernel_scalar_int8 = {
    .k_per_unit = 1,
    .rows = ROWS,
    .width = WIDTH,
    .width_least = WIDTH,
    .units = 256,
    .pack_rows = pack_rows_bytes,
    .pack_columns = pack_columns_bytes,
    .tile = tile,
    .store = store_tile,
};
