/* kernels_test.c -- the backward kernels that have no test of their derivatives beside them, held to
 * their forward passes: linear layers (f32 and bf16 weights), rows of a table, rotary positions, and
 * products and sums of tensors that broadcast.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autograd/gradcheck.h"
#include "base/rng.h"
#include "base/text.h"
#include "tensor/bf16.h"
#include "tensor/cpu.h"
#include "tensor/embedding.h"
#include "tensor/gemm.h"
#include "tensor/rope.h"
#include "tensor/tensor.h"
#include "tensor/tensor_math.h"

static float *to_f32(const double *x, size_t n)
{
    float *out = memory_new(n, sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = (float)x[i];
    return out;
}

static void to_f64(double *out, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (double)x[i];
}

/* Normal numbers at x, a check there, and the report's sentence where it says no. */
static void assert_right(const char *what, struct gradcheck check, uint64_t seed)
{
    struct gradcheck_report report;
    struct rng rng;
    double *x = memory_new(check.n, sizeof *x);
    rng_init(&rng, seed, 0);
    for (size_t i = 0; i < check.n; i++) x[i] = rng_normal(&rng);
    check.x = x;
    check.single = true;
    if (!gradcheck_run(&check, &report)) {
        print_error("%s: %s\n", what, report.message);
        fail();
    }
    assert_int_equal(report.checked, check.n * check.m);
    assert_int_equal(report.kinks, 0);
    free(x);
}

/* ---- y = x w^T + bias: x, w and bias one after the other ---- */

enum { M = 3, N = 5, K = 19 };

static void linear(void *context, double *y, const double *x)
{
    (void)context;
    float *in = to_f32(x, M * K + N * K + N), out[M * N];
    linear_forward(NULL, out, in, in + M * K, in + M * K + N * K, M, N, K);
    to_f64(y, out, M * N);
    free(in);
}

static void linear_backward(void *context, double *dx, const double *dy, const double *x)
{
    (void)context;
    float *in = to_f32(x, M * K + N * K + N), *dout = to_f32(dy, M * N);
    float d[M * K + N * K + N] = {0};
    linear_backward_input(NULL, d, dout, in + M * K, M, N, K, true);
    linear_backward_weight(NULL, d + M * K, d + M * K + N * K, dout, in, M, N, K);
    to_f64(dx, d, M * K + N * K + N);
    free(in), free(dout);
}

static void a_linear_layer(void **state)
{
    (void)state;
    const struct gradcheck_input inputs[3] = {{"x", M * K}, {"weight", N * K}, {"bias", N}};
    assert_right("linear",
                 (struct gradcheck){.forward = linear,
                                    .backward = linear_backward,
                                    .n = M * K + N * K + N,
                                    .m = M * N,
                                    .inputs = inputs,
                                    .n_inputs = 3},
                 1);
}

/* Weights in bf16: constants here, for a step would be rounded away. x is rounded to bf16 by the
 * kernel, so it moves by whole steps of bf16: a step of 1/4 is exact from numbers that are whole. */
static void linear_bf16(void *context, double *y, const double *x)
{
    const uint16_t *w = context;
    float *in = to_f32(x, M * K), out[M * N];
    linear_forward_bf16(NULL, out, in, w, NULL, M, N, K);
    to_f64(y, out, M * N);
    free(in);
}

static void linear_bf16_backward(void *context, double *dx, const double *dy, const double *x)
{
    const uint16_t *w = context;
    float *dout = to_f32(dy, M * N), d[M * K];
    (void)x;
    linear_backward_input_bf16(NULL, d, dout, w, M, N, K, false);
    to_f64(dx, d, M * K);
    free(dout);
}

static void a_linear_layer_with_bf16_weights(void **state)
{
    (void)state;
    struct rng rng;
    struct gradcheck_report report;
    uint16_t w[N * K];
    double x[M * K];
    rng_init(&rng, 2, 0);
    for (int i = 0; i < N * K; i++) w[i] = bf16_from_float((float)rng_normal(&rng));
    for (int i = 0; i < M * K; i++) x[i] = (double)rng_between(&rng, -8, 8);
    struct gradcheck check = {.forward = linear_bf16,
                              .backward = linear_bf16_backward,
                              .context = w,
                              .x = x,
                              .n = M * K,
                              .m = M * N,
                              .eps = 0.25,
                              .single = true};
    if (gradcheck_run(&check, &report)) return;
    print_error("linear_bf16: %s\n", report.message);
    fail();
}

/* ---- rows of a table, one of them asked for three times ---- */

enum { ROWS = 6, V = 5, C = 9 };
static const int32_t tokens[ROWS] = {3, 0, 3, 4, 1, 3};

static void rows_of_a_table(void *context, double *y, const double *x)
{
    (void)context;
    float *table = to_f32(x, V * C), out[ROWS * C];
    embedding_forward(NULL, out, table, tokens, ROWS, C);
    to_f64(y, out, ROWS * C);
    free(table);
}

static void rows_of_a_table_backward(void *context, double *dx, const double *dy, const double *x)
{
    (void)context, (void)x;
    float *dout = to_f32(dy, ROWS * C), dtable[V * C] = {0};
    embedding_backward(NULL, dtable, dout, tokens, ROWS, V, C);
    to_f64(dx, dtable, V * C);
    free(dout);
}

static void an_embedding(void **state)
{
    (void)state;
    assert_right("embedding",
                 (struct gradcheck){.forward = rows_of_a_table,
                                    .backward = rows_of_a_table_backward,
                                    .n = V * C,
                                    .m = ROWS * C},
                 3);
}

/* ---- rotary positions; 10 of 12 numbers turn ---- */

static const struct rope_dims turned = {.B = 1, .T = 3, .H = 2, .D = 12, .first = 4};
enum { TURNED = 3 * 2 * 12 };

static void turn(void *context, double *y, const double *x)
{
    float *out = to_f32(x, TURNED);
    rope_forward(NULL, out, context, &turned);
    to_f64(y, out, TURNED);
    free(out);
}

static void turn_backward(void *context, double *dx, const double *dy, const double *x)
{
    (void)x;
    float *d = to_f32(dy, TURNED);
    rope_backward(NULL, d, context, &turned);
    to_f64(dx, d, TURNED);
    free(d);
}

static void rotary_positions(void **state)
{
    (void)state;
    for (int layout = ROPE_HALF; layout <= ROPE_INTERLEAVED; layout++) {
        for (int yarn = 0; yarn < 2; yarn++) { /* YaRN also scales: the turn is not orthogonal */
            struct rope rope;
            const struct rope_config config = {.D_rotary = 10,
                                               .positions = 16,
                                               .layout = (enum rope_layout)layout,
                                               .scaling = yarn ? ROPE_YARN : ROPE_NONE,
                                               .factor = yarn ? 4 : 1};
            assert_int_equal(rope_init(&rope, &config, NULL), STATUS_OK);
            assert_right("rope",
                         (struct gradcheck){.forward = turn,
                                            .backward = turn_backward,
                                            .context = &rope,
                                            .n = TURNED,
                                            .m = TURNED},
                         4);
            rope_done(&rope);
        }
    }
}

/* ---- tensors: (a [2,1,3,4] + bias [3,1]) x b [5,4,2], all broadcast ---- */

static const int64_t dims_a[4] = {2, 1, 3, 4}, dims_bias[2] = {3, 1}, dims_b[3] = {5, 4, 2};
enum { A = 24, BIAS = 3, B = 40, PRODUCT = 2 * 5 * 3 * 2 };

static void product_of_tensors(void *context, double *y, const double *x)
{
    (void)context;
    float *in = to_f32(x, A + BIAS + B);
    struct tensor a = tensor_from_f32(in, 4, dims_a), bias = tensor_from_f32(in + A, 2, dims_bias);
    struct tensor b = tensor_from_f32(in + A + BIAS, 3, dims_b);
    struct tensor sum = tensor_pair(NULL, TENSOR_ADD, &a, &bias),
                  out = tensor_matmul(NULL, &sum, &b);
    assert_int_equal(tensor_count(&out), PRODUCT);
    to_f64(y, tensor_f32(&out), PRODUCT);
    tensor_done(&a), tensor_done(&bias), tensor_done(&b), tensor_done(&sum), tensor_done(&out);
    free(in);
}

static void sum_into(double *out, struct tensor *d, int ndim, const int64_t *dims)
{
    struct tensor summed = tensor_sum_to(NULL, d, ndim, dims);
    struct tensor flat = tensor_contiguous(NULL, &summed);
    to_f64(out, tensor_f32(&flat), (size_t)tensor_count(&flat));
    tensor_done(&flat), tensor_done(&summed), tensor_done(d);
}

static void product_of_tensors_backward(void *context, double *dx, const double *dy,
                                        const double *x)
{
    (void)context;
    const int64_t dims_out[4] = {2, 5, 3, 2};
    float *in = to_f32(x, A + BIAS + B), *dout = to_f32(dy, PRODUCT);
    struct tensor a = tensor_from_f32(in, 4, dims_a), bias = tensor_from_f32(in + A, 2, dims_bias);
    struct tensor b = tensor_from_f32(in + A + BIAS, 3, dims_b);
    struct tensor sum = tensor_pair(NULL, TENSOR_ADD, &a, &bias),
                  d = tensor_from_f32(dout, 4, dims_out);
    struct tensor b_turned = tensor_transpose(&b, -1, -2),
                  sum_turned = tensor_transpose(&sum, -1, -2);
    struct tensor dsum = tensor_matmul(NULL, &d, &b_turned), same = tensor_view(&dsum);
    struct tensor db = tensor_matmul(NULL, &sum_turned, &d);
    sum_into(dx, &dsum, 4, dims_a);
    sum_into(dx + A, &same, 2, dims_bias);
    sum_into(dx + A + BIAS, &db, 3, dims_b);
    tensor_done(&a), tensor_done(&bias), tensor_done(&b), tensor_done(&sum), tensor_done(&d);
    tensor_done(&b_turned), tensor_done(&sum_turned);
    free(in), free(dout);
}

static void tensors_that_broadcast(void **state)
{
    (void)state;
    const struct gradcheck_input inputs[3] = {{"a", A}, {"bias", BIAS}, {"b", B}};
    assert_right("(a + bias) x b",
                 (struct gradcheck){.forward = product_of_tensors,
                                    .backward = product_of_tensors_backward,
                                    .n = A + BIAS + B,
                                    .m = PRODUCT,
                                    .inputs = inputs,
                                    .n_inputs = 3},
                 5);
}

/* ---- table[ids] and its adjoint ---- */

static void gather(void *context, double *y, const double *x)
{
    (void)context;
    const int64_t dims_table[2] = {V, C}, dims_ids[2] = {2, 3};
    float *in = to_f32(x, V * C);
    struct tensor table = tensor_from_f32(in, 2, dims_table);
    struct tensor ids = tensor_from_i32(tokens, 2, dims_ids);
    struct tensor out = tensor_gather(NULL, &table, &ids);
    to_f64(y, tensor_f32(&out), ROWS * C);
    tensor_done(&table), tensor_done(&ids), tensor_done(&out);
    free(in);
}

static void gather_backward(void *context, double *dx, const double *dy, const double *x)
{
    (void)context, (void)x;
    const int64_t dims_table[2] = {V, C}, dims_ids[2] = {2, 3}, dims_out[3] = {2, 3, C};
    float *dout = to_f32(dy, ROWS * C);
    struct tensor d = tensor_from_f32(dout, 3, dims_out);
    struct tensor ids = tensor_from_i32(tokens, 2, dims_ids);
    struct tensor table = tensor_zeros(DTYPE_F32, 2, dims_table);
    tensor_scatter_add(NULL, &table, &ids, &d);
    to_f64(dx, tensor_f32(&table), V * C);
    tensor_done(&d), tensor_done(&ids), tensor_done(&table);
    free(dout);
}

static void rows_gathered_and_scattered(void **state)
{
    (void)state;
    assert_right("gather",
                 (struct gradcheck){
                     .forward = gather, .backward = gather_backward, .n = V * C, .m = ROWS * C},
                 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_layer),
        cmocka_unit_test(a_linear_layer_with_bf16_weights),
        cmocka_unit_test(an_embedding),
        cmocka_unit_test(rotary_positions),
        cmocka_unit_test(tensors_that_broadcast),
        cmocka_unit_test(rows_gathered_and_scattered),
    };
    int failed = 0;
    for (int isa = ISA_SCALAR; isa < ISA_COUNT; isa++) {
        cpu_limit((enum isa)isa);
        if (cpu_isa() == (enum isa)isa)
            failed += cmocka_run_group_tests_name(isa_name((enum isa)isa), tests, NULL, NULL);
    }
    return failed;
}
