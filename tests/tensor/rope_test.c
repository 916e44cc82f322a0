#include "tensor/rope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

static struct rope rope_of(struct rope_config config)
{
    struct rope rope;
    struct error err;
    if (rope_init(&rope, &config, &err)) fail_msg("%s", err.message);
    return rope;
}

static void one_pair_turns_by_its_position_on_paper(void **state)
{
    (void)state;
    struct rope rope = rope_of((struct rope_config){.D_rotary = 2, .positions = 4});
    const struct rope_dims dims = {.B = 1, .T = 3, .H = 1, .D = 3, .first = 1};
    float x[9] = {1, 0, 9, 0, 1, 9, 2, 0, 9};
    const float want[9] = {0.5403023f,  0.8414710f, 9, -0.9092974f, -0.4161468f, 9,
                           -1.9799850f, 0.2822400f, 9}; /* cos and sin of 1, 2, 3 */
    rope_forward(NULL, x, &rope, &dims);
    numbers_assert_close("x", x, want, 9, 1e-7);
    rope_done(&rope);
}

static void both_layouts_are_one_permutation_apart(void **state)
{
    (void)state;
    enum { T = 5, H = 2, D = 12, R = 8, N = T * H * D };
    struct rope half = rope_of((struct rope_config){.D_rotary = R, .positions = T});
    struct rope inter =
        rope_of((struct rope_config){.D_rotary = R, .positions = T, .layout = ROPE_INTERLEAVED});
    const struct rope_dims dims = {.B = 1, .T = T, .H = H, .D = D};
    float *x = numbers_new(N, 1, 1), *y = numbers_copy(x, N);
    for (int i = 0; i < T * H; i++)
        for (int j = 0; j < R; j++) y[i * D + (j % 2) * (R / 2) + j / 2] = x[i * D + j];
    rope_forward(NULL, x, &inter, &dims);
    rope_forward(NULL, y, &half, &dims);
    for (int i = 0; i < T * H; i++)
        for (int j = 0; j < R; j++)
            assert_true(y[i * D + (j % 2) * (R / 2) + j / 2] == x[i * D + j]);
    free(x), free(y);
    rope_done(&half), rope_done(&inter);
}

/* Relative offsets only, norms kept, the gradient turns back, cached keys can be moved. */
static void a_turn_keeps_what_it_promises(void **state)
{
    (void)state;
    enum { T = 6, H = 3, D = 16, N = T * H * D, P = 200 };
    for (int layout = 0; layout < 2; layout++) {
        struct rope rope = rope_of((struct rope_config){
            .D_rotary = D, .positions = P, .layout = (enum rope_layout)layout});
        struct rope_dims dims = {.B = 1, .T = T, .H = H, .D = D, .first = 3};
        float *q = numbers_new(N, 1, 1), *k = numbers_new(N, 2, 1);
        float *q0 = numbers_copy(q, N), *k0 = numbers_copy(k, N);
        float *q1 = numbers_copy(q, N), *k1 = numbers_copy(k, N);

        rope_forward(NULL, q0, &rope, &dims), rope_forward(NULL, k0, &rope, &dims);
        dims.first = 103;
        rope_forward(NULL, q1, &rope, &dims), rope_forward(NULL, k1, &rope, &dims);
        for (int i = 0; i < T * H; i++) {
            const float *a = q + i * D, *a0 = q0 + i * D;
            assert_true(fabs(numbers_dot(a, a, D) - numbers_dot(a0, a0, D)) < 1e-5);
            for (int j = i % H; j < T * H; j += H) {
                const double near_start = numbers_dot(q0 + i * D, k0 + j * D, D);
                assert_true(fabs(near_start - numbers_dot(q1 + i * D, k1 + j * D, D)) < 1e-4);
            }
        }
        rope_shift(NULL, k0, &rope, 100, &dims);
        numbers_assert_close("moved on", k0, k1, N, 1e-5);
        rope_shift(NULL, k0, &rope, -103, &dims);
        dims.first = 0;
        rope_forward(NULL, k, &rope, &dims);
        numbers_assert_close("moved back", k0, k, N, 1e-5);
        dims.first = 103;
        rope_backward(NULL, q1, &rope, &dims);
        numbers_assert_close("turned back", q1, q, N, 1e-6);
        free(q), free(k), free(q0), free(k0), free(q1), free(k1);
        rope_done(&rope);
    }
}

static void moved_keys_carry_the_attention_factor_once(void **state)
{
    (void)state;
    enum { T = 5, D = 16, N = T * D };
    struct rope rope = rope_of((struct rope_config){
        .D_rotary = D, .positions = 64, .original = 16, .scaling = ROPE_YARN, .factor = 4});
    struct rope_dims dims = {.B = 1, .T = T, .H = 1, .D = D};
    float *moved = numbers_new(N, 1, 1), *want = numbers_copy(moved, N);
    assert_true(rope.attention_factor > 1.1);
    rope_forward(NULL, moved, &rope, &dims);
    rope_shift(NULL, moved, &rope, 20, &dims);
    dims.first = 20;
    rope_forward(NULL, want, &rope, &dims);
    numbers_assert_close("moved", moved, want, N, 1e-5);
    free(moved), free(want);
    rope_done(&rope);
}

static void a_view_and_given_positions_turn_the_same(void **state)
{
    (void)state;
    enum { B = 2, T = 4, H = 2, D = 8, WIDE = 3 * H * D };
    struct rope rope = rope_of((struct rope_config){.D_rotary = D, .positions = 32});
    float *wide = numbers_new(B * T * WIDE, 1, 1), *before = numbers_copy(wide, B * T * WIDE);
    float *narrow = numbers_new(B * T * H * D, 1, 1);
    const int positions[B * T] = {7, 8, 9, 10, 7, 8, 9, 10};
    for (int i = 0; i < B * T; i++)
        memcpy(narrow + i * H * D, wide + i * WIDE + H * D, H * D * sizeof *narrow);
    rope_forward(NULL, wide + H * D, &rope,
                 &(struct rope_dims){.B = B, .T = T, .H = H, .D = D, .row = WIDE, .first = 7});
    rope_forward(NULL, narrow, &rope,
                 &(struct rope_dims){.B = B, .T = T, .H = H, .D = D, .positions = positions});
    for (int i = 0; i < B * T; i++) {
        memcpy(before + i * WIDE + H * D, narrow + i * H * D, H * D * sizeof *narrow);
        assert_memory_equal(wide + i * WIDE, before + i * WIDE, WIDE * sizeof *wide);
    }
    free(wide), free(before), free(narrow);
    rope_done(&rope);
}

/* The closed forms of each scaling, at the pairs where they are simple. */
static void every_scaling_is_its_formula(void **state)
{
    (void)state;
    enum { R = 64, PAIRS = R / 2 };
    double plain[PAIRS], got[PAIRS];
    struct rope_config config = {.D_rotary = R, .positions = 8192, .original = 2048};
    rope_frequencies(plain, &config);
    assert_true(plain[0] == 1);
    assert_true(fabs(plain[16] - 0.01) < 1e-15); /* 10000^(-32/64) */

    for (int scaling = ROPE_NONE; scaling <= ROPE_LLAMA3; scaling++) { /* a factor of 1 is plain */
        if (scaling == ROPE_DYNAMIC) continue; /* follows the length even so */
        config.scaling = (enum rope_scaling)scaling;
        config.factor = 1;
        assert_true(rope_frequencies(got, &config) == 1);
        for (int i = 0; i < PAIRS; i++) assert_true(fabs(got[i] / plain[i] - 1) < 1e-14);
    }
    config.factor = 4;
    config.scaling = ROPE_LINEAR;
    rope_frequencies(got, &config);
    for (int i = 0; i < PAIRS; i++) assert_true(fabs(got[i] * 4 / plain[i] - 1) < 1e-14);

    config.scaling = ROPE_NTK; /* the fastest stays, the slowest is divided by the factor exactly */
    rope_frequencies(got, &config);
    assert_true(got[0] == 1 && fabs(got[PAIRS - 1] * 4 / plain[PAIRS - 1] - 1) < 1e-12);

    config.scaling = ROPE_DYNAMIC; /* length 4 x original: 4 * 4 - 3 = 13; it follows the length */
    rope_frequencies(got, &config);
    assert_true(fabs(got[PAIRS - 1] * 13 / plain[PAIRS - 1] - 1) < 1e-12);
    config.positions = 4096;
    rope_frequencies(got, &config);
    assert_true(fabs(got[PAIRS - 1] * 5 / plain[PAIRS - 1] - 1) < 1e-12);
    config.positions = 1024; /* within what it was trained on: untouched */
    rope_frequencies(got, &config);
    assert_memory_equal(got, plain, sizeof got);

    config.positions = 8192;
    config.scaling = ROPE_YARN; /* 32 turns in 2048: pair 8.07; 1 turn: pair 20.1; ramp 8 .. 21 */
    assert_true(fabs(rope_frequencies(got, &config) - (0.1 * log(4) + 1)) < 1e-15);
    for (int i = 0; i < PAIRS; i++) {
        const double part = i <= 8 ? 0 : i >= 21 ? 1 : (i - 8) / 13.0;
        assert_true(fabs(got[i] / plain[i] - (1 - part + part / 4)) < 1e-14);
    }

    config.scaling = ROPE_LLAMA3; /* turns = 2048 f / 2 pi: above 4 stays, below 1 is divided */
    rope_frequencies(got, &config);
    for (int i = 0; i < PAIRS; i++) {
        const double turns = 2048 * plain[i] / (2 * 3.14159265358979323846);
        const double keep = turns > 4 ? 1 : turns < 1 ? 0 : (turns - 1) / 3;
        assert_true(fabs(got[i] / plain[i] - (keep + (1 - keep) / 4)) < 1e-14);
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    const struct rope_config wrong[] = {
        {.D_rotary = 7, .positions = 4},
        {.D_rotary = 0, .positions = 4},
        {.D_rotary = 8, .positions = 0},
        {.D_rotary = 8, .positions = 4, .factor = 0.5},
        {.D_rotary = 8, .positions = 4, .factor = NAN},
        {.D_rotary = 8, .positions = 4, .base = 1},
        {.D_rotary = 8, .positions = 4, .low_frequency = 4, .high_frequency = 4},
        {.D_rotary = 8, .positions = 4, .attention_factor = -1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rope rope;
        struct error err = {0};
        assert_int_equal(rope_init(&rope, &wrong[i], &err), STATUS_USAGE);
        assert_non_null(strstr(err.message, "rope: "));
        assert_null(rope.cosine);
    }
}

static void other_positions_are_those_of_their_papers(void **state)
{
    (void)state;
    float out[8], slopes[12];
    sinusoidal_positions(out, 2, 4);
    const float want[8] = {0, 1, 0, 1, 0.8414710f, 0.5403023f, 0.0099998f, 0.9999500f};
    numbers_assert_close("sinusoidal", out, want, 8, 1e-7);

    const float eight[8] = {0.5f, 0.25f, 0.125f, 0x1p-4f, 0x1p-5f, 0x1p-6f, 0x1p-7f, 0x1p-8f};
    alibi_slopes(slopes, 8);
    assert_memory_equal(slopes, eight, sizeof eight);
    alibi_slopes(slopes, 12); /* the eight, then 2^-0.5, 2^-1.5, ... */
    assert_memory_equal(slopes, eight, sizeof eight);
    for (int h = 8; h < 12; h++) assert_true(slopes[h] == (float)pow(2, -0.5 - (h - 8)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pair_turns_by_its_position_on_paper),
        cmocka_unit_test(both_layouts_are_one_permutation_apart),
        cmocka_unit_test(a_turn_keeps_what_it_promises),
        cmocka_unit_test(moved_keys_carry_the_attention_factor_once),
        cmocka_unit_test(a_view_and_given_positions_turn_the_same),
        cmocka_unit_test(every_scaling_is_its_formula),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(other_positions_are_those_of_their_papers),
    };
    NUMBERS_RUN(tests);
}
