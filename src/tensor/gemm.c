#include "tensor/gemm.h"

#include "base/error.h"
#include "tensor/bf16.h"

enum { TILE_ROWS = 16, TILE_COLUMNS = 256, SUM_COLUMNS = 512 };

static int int_min(int a, int b) { return a < b ? a : b; }
static int tiles(int n, int size) { return (n + size - 1) / size; }

/* ---- operands ---- */

enum form { FORM_F32, FORM_BF16, FORM_ROUNDED /* f32, rounded to bf16 when read */ };

struct operand {
    const void *data;
    ptrdiff_t row, column;
    enum form form;
};

static float operand_at(const struct operand *operand, int i, int j)
{
    const ptrdiff_t at = i * operand->row + j * operand->column;
    if (operand->form == FORM_BF16) return float_from_bf16(((const uint16_t *)operand->data)[at]);
    const float x = ((const float *)operand->data)[at];
    return operand->form == FORM_ROUNDED ? float_from_bf16(bf16_from_float(x)) : x;
}

/* ---- one product ---- */

struct product {
    float *c;
    ptrdiff_t c_row;
    struct operand a, b;
    const float *bias; /* [N] or NULL */
    int M, N, K;
    bool add;
};

static void write_row(const struct product *product, const float *sums, int i, int j, int columns)
{
    float *c = product->c + i * product->c_row + j;
    for (int n = 0; n < columns; n++) {
        const float bias = product->bias ? product->bias[j + n] : 0.0f;
        c[n] = (product->add ? c[n] : bias) + sums[n];
    }
}

static void tile_task(void *context, int task, int worker)
{
    const struct product *product = context;
    float sums[TILE_ROWS][TILE_COLUMNS] = {{0}}, line[TILE_COLUMNS];
    const int across = tiles(product->N, TILE_COLUMNS);
    const int i = task / across * TILE_ROWS, j = task % across * TILE_COLUMNS;
    const int rows = int_min(TILE_ROWS, product->M - i);
    const int columns = int_min(TILE_COLUMNS, product->N - j);
    (void)worker;

    for (int k = 0; k < product->K; k++) {
        for (int n = 0; n < columns; n++) line[n] = operand_at(&product->b, k, j + n);
        for (int m = 0; m < rows; m++) {
            const float a = operand_at(&product->a, i + m, k);
            for (int n = 0; n < columns; n++) sums[m][n] += a * line[n];
        }
    }
    for (int m = 0; m < rows; m++) write_row(product, sums[m], i + m, j, columns);
}

static void product_run(struct pool *pool, struct product product)
{
    CHECK(product.M >= 0 && product.N >= 0 && product.K >= 0);
    pool_run(pool, tile_task, &product,
             tiles(product.M, TILE_ROWS) * tiles(product.N, TILE_COLUMNS));
}

static struct operand operand_f32(struct matrix matrix, enum form form)
{
    return (struct operand){matrix.data, matrix.row, matrix.column, form};
}

static struct operand operand_bf16(struct matrix_bf16 matrix)
{
    return (struct operand){matrix.data, matrix.row, matrix.column, FORM_BF16};
}

void gemm_f32(struct pool *pool, float *c, ptrdiff_t c_row, struct matrix a, struct matrix b, int M,
              int N, int K, bool add)
{
    product_run(pool, (struct product){.c = c,
                                       .c_row = c_row,
                                       .a = operand_f32(a, FORM_F32),
                                       .b = operand_f32(b, FORM_F32),
                                       .M = M,
                                       .N = N,
                                       .K = K,
                                       .add = add});
}

void gemm_bf16(struct pool *pool, float *c, ptrdiff_t c_row, struct matrix_bf16 a,
               struct matrix_bf16 b, int M, int N, int K, bool add)
{
    product_run(pool, (struct product){.c = c,
                                       .c_row = c_row,
                                       .a = operand_bf16(a),
                                       .b = operand_bf16(b),
                                       .M = M,
                                       .N = N,
                                       .K = K,
                                       .add = add});
}

void gemm_f32_plain(float *c, ptrdiff_t c_row, struct matrix a, struct matrix b, int M, int N,
                    int K, bool add)
{
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            float sum = 0.0f;
            for (int k = 0; k < K; k++)
                sum += a.data[m * a.row + k * a.column] * b.data[k * b.row + n * b.column];
            float *out = c + m * c_row + n;
            *out = add ? *out + sum : sum;
        }
}

/* ---- a linear layer ---- */

static struct operand stored(const void *data, ptrdiff_t row, ptrdiff_t column, enum form form)
{
    return (struct operand){data, row, column, form};
}

static void forward(struct pool *pool, float *y, struct operand x, struct operand w_transposed,
                    const float *bias, int M, int N, int K)
{
    product_run(
        pool,
        (struct product){
            .c = y, .c_row = N, .a = x, .b = w_transposed, .bias = bias, .M = M, .N = N, .K = K});
}

struct column_sums {
    float *sums; /* += */
    const float *data;
    int M, N;
};

static void sums_task(void *context, int task, int worker)
{
    const struct column_sums *all = context;
    float sums[SUM_COLUMNS] = {0};
    const int from = task * SUM_COLUMNS, columns = int_min(SUM_COLUMNS, all->N - from);
    (void)worker;
    for (int m = 0; m < all->M; m++) {
        const float *row = all->data + (ptrdiff_t)m * all->N + from;
        for (int n = 0; n < columns; n++) sums[n] += row[n];
    }
    for (int n = 0; n < columns; n++) all->sums[from + n] += sums[n];
}

static void backward_weight(struct pool *pool, float *dw, float *dbias, const float *dy,
                            const float *x, int M, int N, int K, enum form form)
{
    product_run(pool, (struct product){.c = dw,
                                       .c_row = K,
                                       .a = stored(dy, 1, N, form),
                                       .b = stored(x, K, 1, form),
                                       .M = N,
                                       .N = K,
                                       .K = M,
                                       .add = true});
    if (!dbias) return;
    struct column_sums sums = {dbias, dy, M, N};
    pool_run(pool, sums_task, &sums, tiles(N, SUM_COLUMNS));
}

void linear_forward(struct pool *pool, float *y, const float *x, const float *w, const float *bias,
                    int M, int N, int K)
{
    forward(pool, y, stored(x, K, 1, FORM_F32), stored(w, 1, K, FORM_F32), bias, M, N, K);
}

void linear_backward_input(struct pool *pool, float *dx, const float *dy, const float *w, int M,
                           int N, int K, bool add)
{
    product_run(pool, (struct product){.c = dx,
                                       .c_row = K,
                                       .a = stored(dy, N, 1, FORM_F32),
                                       .b = stored(w, K, 1, FORM_F32),
                                       .M = M,
                                       .N = K,
                                       .K = N,
                                       .add = add});
}

void linear_backward_weight(struct pool *pool, float *dw, float *dbias, const float *dy,
                            const float *x, int M, int N, int K)
{
    backward_weight(pool, dw, dbias, dy, x, M, N, K, FORM_F32);
}

void linear_forward_bf16(struct pool *pool, float *y, const float *x, const uint16_t *w,
                         const float *bias, int M, int N, int K)
{
    forward(pool, y, stored(x, K, 1, FORM_ROUNDED), stored(w, 1, K, FORM_BF16), bias, M, N, K);
}

void linear_backward_input_bf16(struct pool *pool, float *dx, const float *dy, const uint16_t *w,
                                int M, int N, int K, bool add)
{
    product_run(pool, (struct product){.c = dx,
                                       .c_row = K,
                                       .a = stored(dy, N, 1, FORM_ROUNDED),
                                       .b = stored(w, K, 1, FORM_BF16),
                                       .M = M,
                                       .N = K,
                                       .K = N,
                                       .add = add});
}

void linear_backward_weight_bf16(struct pool *pool, float *dw, float *dbias, const float *dy,
                                 const float *x, int M, int N, int K)
{
    backward_weight(pool, dw, dbias, dy, x, M, N, K, FORM_ROUNDED);
}
