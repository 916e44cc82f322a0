#include "tensor/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tensor/bf16.h"
#include "tensor/cpu.h"

/* ---- operands ---- */

static float *numbers(size_t n, uint32_t stream)
{
    float *x = memory_new(n + 1, sizeof *x);
    uint32_t state = stream * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525 + 1013904223;
        x[i] = (float)(int32_t)state * 0x1p-31f;
    }
    return x;
}

static uint16_t *rounded(const float *x, size_t n)
{
    uint16_t *out = memory_new(n + 1, sizeof *out);
    bf16_from_floats(out, x, n);
    return out;
}

/* A matrix of rows x columns inside a larger buffer: by rows or by columns, with a gap. */
static struct matrix laid_out(const float *data, int rows, int columns, bool by_rows, int gap)
{
    return by_rows ? (struct matrix){data, columns + gap, 1} : (struct matrix){data, 1, rows + gap};
}

struct shape {
    int M, N, K;
};

static const struct shape shapes[] = {
    {1, 1, 1},     {1, 1, 0},     {0, 5, 3},      {3, 0, 2},       {2, 3, 4},      {5, 7, 3},
    {8, 16, 16},   {13, 31, 17},  {14, 32, 64},   {15, 33, 65},    {1, 100, 37},   {100, 1, 37},
    {16, 47, 1},   {29, 65, 33},  {67, 129, 50},  {128, 14, 7},    {31, 300, 100}, {3, 515, 41},
    {257, 61, 19}, {40, 70, 700}, {33, 35, 1100}, {130, 100, 530}, {9, 24, 2500},  {300, 310, 20},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* The sum of |a||b| bounds what K roundings may do: each at most 2^-24 of it, half of that in truth. */
static void assert_near(const float *c, ptrdiff_t c_row, const float *before, struct matrix a,
                        struct matrix b, struct shape shape, double unit, const char *what)
{
    for (int m = 0; m < shape.M; m++)
        for (int n = 0; n < shape.N; n++) {
            double sum = before ? (double)before[m * c_row + n] : 0, size = fabs(sum);
            for (int k = 0; k < shape.K; k++) {
                const double term = (double)a.data[m * a.row + k * a.column] *
                                    (double)b.data[k * b.row + n * b.column];
                sum += term;
                size += fabs(term);
            }
            const double off = fabs((double)c[m * c_row + n] - sum);
            if (off <= unit * (shape.K + 2) * size) continue;
            fail_msg("%s %dx%dx%d: c[%d,%d] is %.9g, should be %.9g", what, shape.M, shape.N,
                     shape.K, m, n, (double)c[m * c_row + n], sum);
        }
}

/* ---- against float64 ---- */

static void try_layouts(struct pool *pool, struct shape shape, const char *what)
{
    const size_t size_a = (size_t)(shape.M + 3) * (size_t)(shape.K + 3);
    const size_t size_b = (size_t)(shape.K + 3) * (size_t)(shape.N + 3);
    const ptrdiff_t c_row = shape.N + 2;
    const size_t size_c = (size_t)(shape.M + 1) * (size_t)c_row;
    float *a = numbers(size_a, 1), *b = numbers(size_b, 2);
    float *before = numbers(size_c, 3), *c = memory_new(size_c, sizeof *c);

    for (int layout = 0; layout < 8; layout++) {
        const struct matrix left = laid_out(a, shape.M, shape.K, layout & 1, 3);
        const struct matrix right = laid_out(b, shape.K, shape.N, layout & 2, 1);
        const bool add = layout & 4;
        memcpy(c, before, size_c * sizeof *c);
        gemm_f32(pool, c, c_row, left, right, shape.M, shape.N, shape.K, add);
        assert_near(c, c_row, add ? before : NULL, left, right, shape, 0x1p-24, what);
        /* Nothing beside the result is touched. */
        for (int m = 0; m < shape.M; m++)
            for (int n = shape.N; n < c_row; n++)
                assert_true(c[m * c_row + n] == before[m * c_row + n]);
    }
    free(a), free(b), free(before), free(c);
}

static void products_are_near_those_in_double(void **state)
{
    (void)state;
    struct pool *pool;
    assert_int_equal(pool_open(&pool, 2, NULL), STATUS_OK);
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++) {
        cpu_limit(isa);
        for (int s = 0; s < SHAPES; s++) try_layouts(pool, shapes[s], isa_name(isa));
    }
    cpu_limit(ISA_COUNT);
    pool_close(pool);
}

static void the_plain_product_is_near_the_one_in_double(void **state)
{
    (void)state;
    const struct shape shape = {7, 9, 30};
    float *a = numbers(7 * 30, 1), *b = numbers(30 * 9, 2), c[63];
    const struct matrix left = {a, 30, 1}, right = {b, 1, 30};
    gemm_f32_plain(c, 9, left, right, 7, 9, 30, false);
    assert_near(c, 9, NULL, left, right, shape, 0x1p-24, "plain");
    free(a), free(b);
}

/* bf16 operands are exact in float64, so the same bound holds; vdpbf16ps rounds once more a pair. */
static void bf16_products_are_near_those_in_double(void **state)
{
    (void)state;
    struct pool *pool;
    assert_int_equal(pool_open(&pool, 2, NULL), STATUS_OK);
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++)
        for (int s = 0; s < SHAPES; s++) {
            const struct shape shape = shapes[s];
            const size_t size_a = (size_t)(shape.M * shape.K), size_b = (size_t)(shape.K * shape.N);
            const size_t size_c = (size_t)(shape.M * shape.N);
            float *a = numbers(size_a, 1), *b = numbers(size_b, 2);
            float *c = memory_new(size_c + 1, sizeof *c), *before = numbers(size_c, 3);
            uint16_t *a16 = rounded(a, size_a), *b16 = rounded(b, size_b);
            floats_from_bf16(a, a16, size_a);
            floats_from_bf16(b, b16, size_b);
            cpu_limit(isa);
            for (int layout = 0; layout < 8; layout++) {
                const struct matrix left = laid_out(a, shape.M, shape.K, layout & 1, 0);
                const struct matrix right = laid_out(b, shape.K, shape.N, layout & 2, 0);
                const bool add = layout & 4;
                memcpy(c, before, size_c * sizeof *c);
                gemm_bf16(pool, c, shape.N, (struct matrix_bf16){a16, left.row, left.column},
                          (struct matrix_bf16){b16, right.row, right.column}, shape.M, shape.N,
                          shape.K, add);
                assert_near(c, shape.N, add ? before : NULL, left, right, shape, 0x1p-23,
                            isa_name(isa));
            }
            free(a), free(b), free(c), free(before), free(a16), free(b16);
        }
    cpu_limit(ISA_COUNT);
    pool_close(pool);
}

/* ---- bytes ---- */

static void try_bytes(struct pool *pool, struct shape shape)
{
    const int M = shape.M, N = shape.N, K = shape.K;
    uint8_t *a = memory_new((size_t)(M * K) + 1, 1);
    int8_t *b = memory_new((size_t)(K * N) + 1, 1);
    int32_t *c = memory_new((size_t)(M * N) + 1, sizeof *c);
    for (int i = 0; i < M * K; i++) a[i] = (uint8_t)(i % 7 ? i * 37 % 256 : 255);
    for (int i = 0; i < K * N; i++) b[i] = (int8_t)(i % 5 ? i * 91 % 256 - 128 : -128);
    for (int layout = 0; layout < 8; layout++) {
        const struct matrix_u8 left = {a, layout & 1 ? K : 1, layout & 1 ? 1 : M};
        const struct matrix_s8 right = {b, layout & 2 ? N : 1, layout & 2 ? 1 : K};
        const bool add = layout & 4;
        for (int i = 0; i < M * N; i++) c[i] = i;
        gemm_int8(pool, c, N, left, right, M, N, K, add);
        for (int m = 0; m < M; m++)
            for (int n = 0; n < N; n++) {
                int64_t sum = add ? m * N + n : 0;
                for (int k = 0; k < K; k++)
                    sum += (int64_t)left.data[m * left.row + k * left.column] *
                           right.data[k * right.row + n * right.column];
                if (c[m * N + n] != sum)
                    fail_msg("%s %dx%dx%d layout %d: c[%d,%d] is %d, should be %lld",
                             isa_name(cpu_isa()), M, N, K, layout, m, n, c[m * N + n],
                             (long long)sum);
            }
    }
    free(a), free(b), free(c);
}

static void products_of_bytes_are_exact(void **state)
{
    (void)state;
    struct pool *pool;
    assert_int_equal(pool_open(&pool, 2, NULL), STATUS_OK);
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++) {
        cpu_limit(isa);
        for (int s = 0; s < SHAPES; s++) try_bytes(pool, shapes[s]);
    }
    cpu_limit(ISA_COUNT);
    pool_close(pool);
}

/* 255 * -128, everywhere: what pairs of 16 bits would saturate at, and the largest sum there is. */
static void the_largest_bytes_do_not_overflow(void **state)
{
    enum { K = GEMM_INT8_K_LIMIT };
    (void)state;
    uint8_t *a = memory_new(K, 1);
    int8_t *b = memory_new(K, 1);
    int32_t c;
    memset(a, 255, K);
    memset(b, -128, K);
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++) {
        cpu_limit(isa);
        gemm_int8(NULL, &c, 1, (struct matrix_u8){a, K, 1}, (struct matrix_s8){b, 1, K}, 1, 1, K,
                  false);
        assert_int_equal(c, 255 * -128 * K);
    }
    cpu_limit(ISA_COUNT);
    free(a), free(b);
}

/* ---- the same bits ---- */

static void results_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++)
        for (int s = 0; s < SHAPES; s++) {
            const struct shape shape = shapes[s];
            const size_t size_c = (size_t)(shape.M * shape.N);
            float *a = numbers((size_t)(shape.M * shape.K), 1);
            float *b = numbers((size_t)(shape.K * shape.N), 2);
            float *c[2] = {numbers(size_c, 3), NULL};
            uint16_t *b16 = rounded(b, (size_t)(shape.K * shape.N));
            cpu_limit(isa);
            for (int bf16 = 0; bf16 < 2; bf16++) {
                for (int threads = 0; threads <= 4; threads++) {
                    struct pool *pool = NULL;
                    if (threads) assert_int_equal(pool_open(&pool, threads, NULL), STATUS_OK);
                    float *out = threads ? (c[1] = memory_new(size_c + 1, sizeof(float))) : c[0];
                    if (bf16)
                        linear_forward_bf16(pool, out, a, b16, NULL, shape.M, shape.N, shape.K);
                    else linear_forward(pool, out, a, b, NULL, shape.M, shape.N, shape.K);
                    pool_close(pool);
                    if (!threads) continue;
                    assert_memory_equal(c[0], c[1], size_c * sizeof(float));
                    free(c[1]);
                }
            }
            free(a), free(b), free(c[0]), free(b16);
        }
    cpu_limit(ISA_COUNT);
}

/* Row m computed alone is row m computed among others; and so for a block of columns. */
static void a_row_does_not_depend_on_its_neighbours(void **state)
{
    enum { M = 70, N = 90, K = 2100 }; /* two blocks of k, in bf16 too */
    (void)state;
    float *x = numbers(M * K, 1), *w = numbers(N * K, 2), *bias = numbers(N, 3);
    float *all = memory_new(M * N, sizeof *all), *some = memory_new(M * N, sizeof *some);
    uint16_t *w16 = rounded(w, N * K);
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            cpu_limit(isa);
            if (bf16) linear_forward_bf16(NULL, all, x, w16, bias, M, N, K);
            else linear_forward(NULL, all, x, w, bias, M, N, K);
            for (int rows = 1; rows <= 33; rows += rows < 18 ? 1 : 15) {
                const int from = M - rows - 1;
                const float *here = x + (ptrdiff_t)from * K;
                if (bf16) linear_forward_bf16(NULL, some, here, w16, bias, rows, N, K);
                else linear_forward(NULL, some, here, w, bias, rows, N, K);
                assert_memory_equal(some, all + from * N, (size_t)rows * N * sizeof(float));
            }
            const int first = 37, columns = 5;
            if (bf16)
                linear_forward_bf16(NULL, some, x, w16 + first * K, bias + first, M, columns, K);
            else
                linear_forward(NULL, some, x, w + (ptrdiff_t)first * K, bias + first, M, columns,
                               K);
            for (int m = 0; m < M; m++)
                assert_memory_equal(some + m * columns, all + m * N + first,
                                    columns * sizeof(float));
        }
    cpu_limit(ISA_COUNT);
    free(x), free(w), free(bias), free(all), free(some), free(w16);
}

/* How a and b lie in memory chooses how they are packed, not what comes out. */
static void layouts_give_the_same_bits(void **state)
{
    enum { M = 45, N = 75, K = 600 };
    (void)state;
    float *a = numbers(M * K, 1), *b = numbers(K * N, 2);
    float *turned_a = memory_new(M * K, sizeof *a), *turned_b = memory_new(K * N, sizeof *b);
    float *first = memory_new(M * N, sizeof *first), *c = memory_new(M * N, sizeof *c);
    for (int m = 0; m < M; m++)
        for (int k = 0; k < K; k++) turned_a[k * M + m] = a[m * K + k];
    for (int k = 0; k < K; k++)
        for (int n = 0; n < N; n++) turned_b[n * K + k] = b[k * N + n];
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++) {
        cpu_limit(isa);
        for (int layout = 0; layout < 4; layout++) {
            const struct matrix left =
                layout & 1 ? (struct matrix){turned_a, 1, M} : (struct matrix){a, K, 1};
            const struct matrix right =
                layout & 2 ? (struct matrix){turned_b, 1, K} : (struct matrix){b, N, 1};
            gemm_f32(NULL, layout ? c : first, N, left, right, M, N, K, false);
            if (layout) assert_memory_equal(first, c, M * N * sizeof(float));
        }
    }
    cpu_limit(ISA_COUNT);
    free(a), free(b), free(turned_a), free(turned_b), free(first), free(c);
}

/* ---- a linear layer ---- */

static void a_linear_layer_small_enough_for_paper(void **state)
{
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6}, w[] = {1, 0, -1, 2, 1, 0}, bias[] = {10, 20};
    float y[4];
    linear_forward(NULL, y, x, w, bias, 2, 2, 3);
    const float expected_y[] = {8, 24, 8, 33};
    assert_memory_equal(y, expected_y, sizeof y);

    const float dy[] = {1, 2, 3, 4};
    float dx[6] = {100, 100, 100, 100, 100, 100};
    const float expected_dx[] = {5, 2, -1, 11, 4, -3};
    linear_backward_input(NULL, dx, dy, w, 2, 2, 3, false);
    assert_memory_equal(dx, expected_dx, sizeof dx);
    linear_backward_input(NULL, dx, dy, w, 2, 2, 3, true);
    for (int i = 0; i < 6; i++) assert_true(dx[i] == 2 * expected_dx[i]);

    float dw[6] = {1, 1, 1, 1, 1, 1}, dbias[2] = {7, 7};
    const float expected_dw[] = {14, 18, 22, 19, 25, 31}, expected_dbias[] = {11, 13};
    linear_backward_weight(NULL, dw, dbias, dy, x, 2, 2, 3);
    assert_memory_equal(dw, expected_dw, sizeof dw);
    assert_memory_equal(dbias, expected_dbias, sizeof dbias);

    const uint16_t w16[] = {0x3f80, 0, 0xbf80, 0x4000, 0x3f80, 0}; /* these numbers are exact */
    linear_forward_bf16(NULL, y, x, w16, bias, 2, 2, 3);
    assert_memory_equal(y, expected_y, sizeof y);
    linear_backward_input_bf16(NULL, dx, dy, w16, 2, 2, 3, false);
    assert_memory_equal(dx, expected_dx, sizeof dx);
    memset(dbias, 0, sizeof dbias);
    for (int i = 0; i < 6; i++) dw[i] = 1;
    linear_backward_weight_bf16(NULL, dw, NULL, dy, x, 2, 2, 3);
    assert_memory_equal(dw, expected_dw, sizeof dw);
}

/* Each of the three products, in f32 and bf16, against the plain one on the same numbers. */
static void the_three_products_agree_with_plain_ones(void **state)
{
    enum { M = 83, N = 131, K = 77 };
    (void)state;
    struct pool *pool;
    assert_int_equal(pool_open(&pool, 2, NULL), STATUS_OK);
    float *x = numbers(M * K, 1), *w = numbers(N * K, 2), *dy = numbers(M * N, 3);
    float *bias = numbers(N, 4);
    float *y = memory_new(M * N, sizeof *y), *dx = memory_new(M * K, sizeof *dx);
    float *dw = memory_new(N * K, sizeof *dw), *dbias = memory_new(N, sizeof *dbias);
    uint16_t *x16 = rounded(x, M * K), *w16 = rounded(w, N * K), *dy16 = rounded(dy, M * N);
    float *x_near = memory_new(M * K, sizeof *x), *w_near = memory_new(N * K, sizeof *x);
    float *dy_near = memory_new(M * N, sizeof *x);
    floats_from_bf16(x_near, x16, M * K);
    floats_from_bf16(w_near, w16, N * K);
    floats_from_bf16(dy_near, dy16, M * N);
    float *before = memory_new(M * N, sizeof *before); /* the bias in each row */
    for (int i = 0; i < M * N; i++) before[i] = bias[i % N];

    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++)
        for (int bf16 = 0; bf16 < 2; bf16++) {
            const double unit = bf16 ? 0x1p-23 : 0x1p-24;
            const float *in = bf16 ? x_near : x, *out = bf16 ? dy_near : dy;
            const float *weights = bf16 ? w_near : w;
            cpu_limit(isa);
            if (bf16) linear_forward_bf16(pool, y, x, w16, bias, M, N, K);
            else linear_forward(pool, y, x, w, bias, M, N, K);
            assert_near(y, N, before, (struct matrix){in, K, 1}, (struct matrix){weights, 1, K},
                        (struct shape){M, N, K}, unit, "forward");

            if (bf16) linear_backward_input_bf16(pool, dx, dy, w16, M, N, K, false);
            else linear_backward_input(pool, dx, dy, w, M, N, K, false);
            assert_near(dx, K, NULL, (struct matrix){out, N, 1}, (struct matrix){weights, K, 1},
                        (struct shape){M, K, N}, unit, "input");

            memset(dw, 0, N * K * sizeof *dw);
            memset(dbias, 0, N * sizeof *dbias);
            if (bf16) linear_backward_weight_bf16(pool, dw, dbias, dy, x, M, N, K);
            else linear_backward_weight(pool, dw, dbias, dy, x, M, N, K);
            assert_near(dw, K, NULL, (struct matrix){out, 1, N}, (struct matrix){in, K, 1},
                        (struct shape){N, K, M}, unit, "weight");
            for (int n = 0; n < N; n++) {
                double sum = 0;
                for (int m = 0; m < M; m++) sum += (double)dy[m * N + n];
                assert_true(fabs((double)dbias[n] - sum) < M * 0x1p-24 * M);
            }
        }
    cpu_limit(ISA_COUNT);
    pool_close(pool);
    free(x), free(w), free(dy), free(bias), free(y), free(dx), free(dw), free(dbias), free(x16);
    free(w16), free(dy16), free(x_near), free(w_near), free(dy_near), free(before);
}

/* 0 * NaN is NaN: a wrong activation must not vanish in a zero weight, at no place of a tile. */
static void nan_is_not_lost(void **state)
{
    enum { M = 20, N = 50, K = 37 };
    (void)state;
    float *a = memory_new(M * K, sizeof *a), *b = memory_new(K * N, sizeof *b), c[M * N];
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++)
        for (int k = 0; k < K; k++) {
            cpu_limit(isa);
            a[17 * K + k] = NAN;
            gemm_f32(NULL, c, N, (struct matrix){a, K, 1}, (struct matrix){b, N, 1}, M, N, K,
                     false);
            for (int i = 0; i < M * N; i++) assert_true(i / N == 17 ? isnan(c[i]) : c[i] == 0);
            a[17 * K + k] = 0;
        }
    cpu_limit(ISA_COUNT);
    free(a), free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_near_those_in_double),
        cmocka_unit_test(the_plain_product_is_near_the_one_in_double),
        cmocka_unit_test(bf16_products_are_near_those_in_double),
        cmocka_unit_test(products_of_bytes_are_exact),
        cmocka_unit_test(the_largest_bytes_do_not_overflow),
        cmocka_unit_test(results_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(a_row_does_not_depend_on_its_neighbours),
        cmocka_unit_test(layouts_give_the_same_bits),
        cmocka_unit_test(a_linear_layer_small_enough_for_paper),
        cmocka_unit_test(the_three_products_agree_with_plain_ones),
        cmocka_unit_test(nan_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
