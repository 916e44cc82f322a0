/* The engine's kernels on the drills' own cases, against the drills' oracles: what a candidate is
 * asked to write is what the engine does.
 *
 *   01 attention    08 layernorm    09 rmsnorm    10 rope
 *
 * Tolerance: 2e-5 of the largest number; f32 against float64 on rows of up to some hundreds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grader/oracle.h"
#include "numbers.h"
#include "tensor/attention.h"
#include "tensor/norm.h"
#include "tensor/rope.h"

enum { SEEDS = 5 };

static void assert_answer(const struct oracle *oracle, int kind, const struct record *want,
                          const char *field, const float *got)
{
    const struct array *array = record_find(want, field);
    const size_t n = (size_t)array_count(array);
    float *rounded = memory_new(n + 1, sizeof *rounded);
    char what[128];
    for (size_t i = 0; i < n; i++) rounded[i] = (float)array_at(array, (int64_t)i);
    snprintf(what, sizeof what, "%s, %s: %s", oracle->name, oracle->kinds[kind].name, field);
    numbers_assert_close(what, got, rounded, n, 2e-5);
    free(rounded);
}

static void on_every_case(const char *name,
                          void (*answer)(const struct oracle *oracle, int kind,
                                         const struct record *in, const struct record *want))
{
    const struct oracle *oracle = oracle_find(name);
    assert_non_null(oracle);
    for (int seed = 1; seed <= SEEDS; seed++)
        for (int kind = 0; kind < oracle->n_kinds; kind++) {
            struct record in = {0}, want = {0};
            struct rng rng;
            rng_init(&rng, (uint64_t)seed, (uint64_t)kind);
            oracle->make_case(&in, kind, &rng);
            oracle->solve(&want, &in, 0);
            answer(oracle, kind, &in, &want);
            record_done(&in), record_done(&want);
        }
}

static int dim(const struct record *in, const char *name, int axis)
{
    return (int)record_dim(in, name, axis);
}

/* The drill has heads before positions: each head is a sequence of its own here. */
static void attention(const struct oracle *oracle, int kind, const struct record *in,
                      const struct record *want)
{
    const int B = dim(in, "q", 0), H = dim(in, "q", 1), T = dim(in, "q", 2), D = dim(in, "q", 3);
    const uint8_t *real = record_u8(in, "key_mask");
    float *mask = memory_new((size_t)(B * H * T), sizeof *mask);
    float *out = memory_new((size_t)(B * H * T * D), sizeof *out);
    for (int i = 0; i < B * H * T; i++) mask[i] = real[i / T / H * T + i % T] ? 0 : -INFINITY;
    const struct attention_dims dims = {.B = B * H,
                                        .T = T,
                                        .S = T,
                                        .H = 1,
                                        .KVH = 1,
                                        .D = D,
                                        .causal = record_int(in, "causal") != 0,
                                        .scale = 1 / sqrtf((float)D),
                                        .mask = mask,
                                        .mask_batch = T};
    attention_forward(NULL, out, NULL, (struct attention_view){record_f32(in, "q"), 0, 0},
                      (struct attention_view){record_f32(in, "k"), 0, 0},
                      (struct attention_view){record_f32(in, "v"), 0, 0}, &dims);
    assert_answer(oracle, kind, want, "out", out);
    free(mask), free(out);
}

static void layernorm(const struct oracle *oracle, int kind, const struct record *in,
                      const struct record *want)
{
    const int M = dim(in, "x", 0) * dim(in, "x", 1), C = dim(in, "x", 2);
    const size_t n = (size_t)(M * C), width = (size_t)C;
    const float *x = record_f32(in, "x"), *gamma = record_f32(in, "gamma");
    float *y = memory_new(n, sizeof *y), *dx = memory_new(n, sizeof *dx);
    float *mean = memory_new((size_t)M, sizeof *mean), *rstd = memory_new((size_t)M, sizeof *rstd);
    float *dgamma = memory_new(width, sizeof *dgamma), *dbeta = memory_new(width, sizeof *dbeta);
    layernorm_forward(NULL, y, mean, rstd, x, gamma, record_f32(in, "beta"), M, C,
                      (float)record_real(in, "eps"));
    layernorm_backward(NULL, dx, dgamma, dbeta, record_f32(in, "d_y"), x, gamma, mean, rstd, M, C);
    assert_answer(oracle, kind, want, "y", y);
    assert_answer(oracle, kind, want, "d_x", dx);
    assert_answer(oracle, kind, want, "d_gamma", dgamma);
    assert_answer(oracle, kind, want, "d_beta", dbeta);
    free(y), free(dx), free(mean), free(rstd), free(dgamma), free(dbeta);
}

static void rmsnorm(const struct oracle *oracle, int kind, const struct record *in,
                    const struct record *want)
{
    const int M = dim(in, "x", 0), C = dim(in, "x", 1);
    const size_t n = (size_t)(M * C);
    const float *x = record_f32(in, "x"), *gamma = record_f32(in, "gamma");
    float *y = memory_new(n, sizeof *y), *dx = memory_new(n, sizeof *dx);
    float *rstd = memory_new((size_t)M, sizeof *rstd),
          *dgamma = memory_new((size_t)C, sizeof *dgamma);
    rmsnorm_forward(NULL, y, rstd, x, gamma, M, C, (float)record_real(in, "eps"));
    rmsnorm_backward(NULL, dx, dgamma, record_f32(in, "d_y"), x, gamma, rstd, M, C);
    assert_answer(oracle, kind, want, "y", y);
    assert_answer(oracle, kind, want, "d_x", dx);
    assert_answer(oracle, kind, want, "d_gamma", dgamma);
    free(y), free(dx), free(rstd), free(dgamma);
}

static void rope(const struct oracle *oracle, int kind, const struct record *in,
                 const struct record *want)
{
    const int B = dim(in, "qkv", 0), T = dim(in, "qkv", 1), H = dim(in, "qkv", 3);
    const int D = dim(in, "qkv", 4), first = (int)record_int(in, "offset");
    const size_t n = (size_t)(B * T * H * D);
    float *qkv = numbers_copy(record_f32(in, "qkv"), 3 * n), *one = memory_new(n, sizeof *one);
    const struct rope_config config = {.D_rotary = D,
                                       .positions = first + T,
                                       .base = record_real(in, "base"),
                                       .layout = record_int(in, "half_split") ? ROPE_HALF
                                                                              : ROPE_INTERLEAVED};
    struct rope tables;
    assert_int_equal(rope_init(&tables, &config, NULL), STATUS_OK);
    for (int part = 0; part < 3; part++) {
        static const char *const names[] = {"q", "k", "v"};
        const struct rope_dims dims = {
            .B = B, .T = T, .H = H, .D = D, .row = (ptrdiff_t)3 * H * D, .first = first};
        if (part < 2) rope_forward(NULL, qkv + part * H * D, &tables, &dims);
        for (int i = 0; i < B * T; i++)
            memcpy(one + i * H * D, qkv + (i * 3 + part) * H * D, (size_t)(H * D) * sizeof *one);
        assert_answer(oracle, kind, want, names[part], one);
    }
    rope_done(&tables);
    free(qkv), free(one);
}

static void drill_01_is_our_attention(void **state)
{
    (void)state;
    on_every_case("attention", attention);
}

static void drill_08_is_our_layernorm(void **state)
{
    (void)state;
    on_every_case("layernorm", layernorm);
}

static void drill_09_is_our_rmsnorm(void **state)
{
    (void)state;
    on_every_case("rmsnorm", rmsnorm);
}

static void drill_10_is_our_rope(void **state)
{
    (void)state;
    on_every_case("rope", rope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drill_01_is_our_attention),
        cmocka_unit_test(drill_08_is_our_layernorm),
        cmocka_unit_test(drill_09_is_our_rmsnorm),
        cmocka_unit_test(drill_10_is_our_rope),
    };
    NUMBERS_RUN(tests);
}
