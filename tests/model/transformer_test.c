/* Forward and backward against oracle.h (double, plain loops), at sizes that divide nothing. */
#include "model/transformer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/pages.h"
#include "base/rng.h"
#include "base/text.h"
#include "infer/kv_cache.h"
#include "oracle.h"

enum { B = 3, T = 7, M = B * T };

/* One of every choice, in eight models. */
static int n_variants(void) { return 8; }
static struct model_config variant(int i)
{
    struct model_config config;
    CHECK(model_config_preset(&config, i % 2 ? "stories260k" : "gpt2-124m"));
    config.L = 2;
    config.C = 18;
    config.H = 4;
    config.KVH = i % 2 ? 2 : 4;
    config.D = 6;
    config.F = 13;
    config.V = 29;
    config.T = 11;
    if (i == 2) config.bias = false, config.tied = false;
    if (i == 3) config.tied = false, config.rope_layout = ROPE_HALF, config.KVH = 1;
    if (i == 4) config.position = MODEL_POSITION_ALIBI, config.activation = MODEL_ACTIVATION_RELU;
    if (i == 5) config.activation = MODEL_ACTIVATION_SILU, config.position = MODEL_POSITION_NONE;
    if (i == 6) config.norm_after = true, config.position = MODEL_POSITION_SINUSOIDAL;
    if (i == 7) config.norm_after = true, config.activation = MODEL_ACTIVATION_GELU_EXACT;
    return config;
}

struct world {
    struct parameters parameters;
    struct transformer *transformer;
    double *w;
    float *gradients;
    int32_t tokens[M], targets[M];
};

static void world_init(struct world *world, const struct model_config *config,
                       enum transformer_use use, struct pool *pool)
{
    struct error err;
    struct rng rng;
    assert_int_equal(model_config_check(config, &err), STATUS_OK);
    assert_int_equal(parameters_init(&world->parameters, config, &err), STATUS_OK);
    const size_t count = world->parameters.count;
    rng_init(&rng, 5, 1);
    world->w = oracle_new(count);
    world->gradients = pages_new(count * sizeof(float));
    for (size_t i = 0; i < count; i++) { /* larger than at the start of training, gains near 1 */
        world->parameters.data[i] = (float)(0.3 * rng_normal(&rng));
    }
    for (int i = 0; i < world->parameters.n; i++) {
        const struct parameter *p = &world->parameters.table[i];
        for (size_t k = 0; k < p->count && p->kind == PARAMETER_GAIN; k++)
            world->parameters.data[p->offset + k] += 1.0f;
    }
    for (size_t i = 0; i < count; i++) world->w[i] = (double)world->parameters.data[i];
    for (int i = 0; i < M; i++) {
        world->tokens[i] = (int32_t)rng_below(&rng, config->V);
        world->targets[i] = (int32_t)rng_below(&rng, config->V);
    }
    world->targets[4] = world->targets[M - 1] = -1;
    assert_int_equal(transformer_open(&world->transformer, &world->parameters, M, use, pool, &err),
                     STATUS_OK);
}

static void world_done(struct world *world)
{
    pages_free(world->gradients, world->parameters.count * sizeof(float));
    transformer_close(world->transformer);
    parameters_done(&world->parameters);
    free(world->w);
}

static void logits_are_those_of_the_equations(void **state)
{
    (void)state;
    for (int i = 0; i < n_variants(); i++) {
        const struct model_config config = variant(i);
        struct world world;
        world_init(&world, &config, i % 3 ? TRANSFORMER_INFERS : TRANSFORMER_LEARNS, NULL);
        const int V = config.V;
        double *expected = oracle_new((size_t)T * (size_t)V);
        transformer_forward(world.transformer, world.tokens, B, T, NULL);
        for (int b = 0; b < B; b++) {
            oracle_forward(expected, &world.parameters, world.w, world.tokens + b * T, T);
            const float *logits = transformer_logits(world.transformer, b * T, T);
            for (int k = 0; k < T * V; k++) /* sums of some hundred terms in f32 */
                assert_true(fabs((double)logits[k] - expected[k]) < 2e-5 * (1 + fabs(expected[k])));
        }
        const double loss =
            transformer_loss(world.transformer, world.tokens, world.targets, B, T, NULL);
        const double right =
            oracle_loss(&world.parameters, world.w, world.tokens, world.targets, B, T);
        assert_true(fabs(loss - right) < 1e-5 * right);
        free(expected);
        world_done(&world);
    }
}

/* Central differences of the oracle in double; every tensor, some elements of each. */
static void gradients_are_those_of_the_equations(void **state)
{
    (void)state;
    for (int i = 0; i < n_variants(); i++) {
        const struct model_config config = variant(i);
        const double scale = 0.25, h = 1e-5;
        struct world world;
        struct rng rng;
        world_init(&world, &config, TRANSFORMER_LEARNS, NULL);
        rng_init(&rng, 9, (uint64_t)i);
        transformer_learn(world.transformer, world.tokens, world.targets, B, T, (float)scale,
                          world.gradients, NULL);
        for (int k = 0; k < world.parameters.n; k++) {
            const struct parameter *p = &world.parameters.table[k];
            double largest = 0;
            for (size_t j = 0; j < p->count; j++)
                largest = fmax(largest, fabs((double)world.gradients[p->offset + j]));
            assert_true(largest > 0);
            for (int draw = 0; draw < 6; draw++) {
                const size_t at = p->offset + (size_t)rng_below(&rng, (int64_t)p->count);
                const double kept = world.w[at];
                world.w[at] = kept + h;
                const double above =
                    oracle_loss(&world.parameters, world.w, world.tokens, world.targets, B, T);
                world.w[at] = kept - h;
                const double below =
                    oracle_loss(&world.parameters, world.w, world.tokens, world.targets, B, T);
                world.w[at] = kept;
                const double right = scale * (above - below) / (2 * h);
                const double ours = (double)world.gradients[at];
                /* f32 rounding through two blocks, against the largest of the tensor */
                if (fabs(ours - right) > 1e-4 * largest + 1e-4 * fabs(right))
                    fail_msg("model %d, %s[%zu]: %g, by differences %g", i, p->name, at - p->offset,
                             ours, right);
            }
        }
        world_done(&world);
    }
}

static void gradients_are_added(void **state)
{
    (void)state;
    const struct model_config config = variant(1);
    struct world world;
    world_init(&world, &config, TRANSFORMER_LEARNS, NULL);
    const size_t count = world.parameters.count;
    transformer_learn(world.transformer, world.tokens, world.targets, B, T, 1, world.gradients,
                      NULL);
    float *once = memory_new(count, sizeof *once);
    memcpy(once, world.gradients, count * sizeof *once);
    transformer_learn(world.transformer, world.tokens, world.targets, B, T, 1, world.gradients,
                      NULL);
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(world.gradients[i] - 2 * once[i]) <= 1e-5f * (1 + fabsf(once[i])));
    free(once);
    world_done(&world);
}

static void the_number_of_threads_changes_nothing(void **state)
{
    (void)state;
    struct error err;
    for (int i = 0; i < n_variants(); i++) {
        const struct model_config config = variant(i);
        const struct transformer_dropout dropout = {0.2f, 3, 14};
        float *first = NULL;
        for (int threads = 1; threads <= 4; threads *= 2) {
            struct pool *pool;
            struct world world;
            assert_int_equal(pool_open(&pool, threads, &err), STATUS_OK);
            world_init(&world, &config, TRANSFORMER_LEARNS, pool);
            const size_t bytes = world.parameters.count * sizeof(float);
            transformer_learn(world.transformer, world.tokens, world.targets, B, T, 1,
                              world.gradients, &dropout);
            if (!first) {
                first = memory_new(1, bytes);
                memcpy(first, world.gradients, bytes);
            } else assert_memory_equal(first, world.gradients, bytes);
            world_done(&world);
            pool_close(pool);
        }
        free(first);
    }
}

static void a_query_never_sees_the_future(void **state)
{
    (void)state;
    for (int i = 0; i < n_variants(); i++) {
        const struct model_config config = variant(i);
        struct world world;
        world_init(&world, &config, TRANSFORMER_INFERS, NULL);
        const size_t bytes = (size_t)4 * (size_t)config.V * sizeof(float);
        float *before = memory_new(1, bytes);
        transformer_forward(world.transformer, world.tokens, 1, T, NULL);
        memcpy(before, transformer_logits(world.transformer, 0, 4), bytes);
        for (int t = 4; t < T; t++) world.tokens[t] = (world.tokens[t] + 1) % config.V;
        transformer_forward(world.transformer, world.tokens, 1, T, NULL);
        assert_memory_equal(before, transformer_logits(world.transformer, 0, 4), bytes);
        free(before);
        world_done(&world);
    }
}

static void cached_decoding_matches_the_full_pass(void **state)
{
    (void)state;
    struct error err;
    for (int i = 0; i < n_variants(); i++) {
        const struct model_config config = variant(i);
        struct world world;
        struct kv_cache cache;
        world_init(&world, &config, TRANSFORMER_INFERS, NULL);
        const int V = config.V;
        const size_t row = (size_t)V * sizeof(float);
        float *full = memory_new((size_t)T, row);
        assert_int_equal(kv_cache_init(&cache, &config, B, T, &err), STATUS_OK);
        transformer_forward(world.transformer, world.tokens, B, T, NULL);
        memcpy(full, transformer_logits(world.transformer, T, T), (size_t)T * row); /* b = 1 */

        /* three at once, then one by one, for all sequences of the batch */
        for (int t = 0; t < T; t += t ? 1 : 3) {
            const int n = t ? 1 : 3;
            int32_t now[B * 3];
            for (int b = 0; b < B; b++)
                for (int k = 0; k < n; k++) now[b * n + k] = world.tokens[b * T + t + k];
            transformer_forward(world.transformer, now, B, n, &cache.past);
            assert_int_equal(cache.past.n, t + n);
            const float *logits = transformer_logits(world.transformer, n, n);
            for (int k = 0; k < n * V; k++)
                assert_true(fabsf(logits[k] - full[t * V + k]) <
                            1e-5f * (1 + fabsf(full[t * V + k])));
        }
        kv_cache_done(&cache);
        free(full);
        world_done(&world);
    }
}

/* The same masks in both passes: a small step along the gradient changes the dropped loss as it says. */
static void dropout_is_the_same_in_both_passes(void **state)
{
    (void)state;
    struct model_config config = variant(0);
    struct world world;
    const struct transformer_dropout dropout = {0.3f, 7, 2};
    world_init(&world, &config, TRANSFORMER_LEARNS, NULL);
    const size_t count = world.parameters.count;
    const double loss = transformer_learn(world.transformer, world.tokens, world.targets, B, T, 1,
                                          world.gradients, &dropout);
    assert_true(fabs(loss - transformer_loss(world.transformer, world.tokens, world.targets, B, T,
                                             NULL)) > 1e-3); /* it does drop */
    double square = 0;
    for (size_t i = 0; i < count; i++) square += pow((double)world.gradients[i], 2);
    const double step = 1e-4 / sqrt(square);
    float *unused = pages_new(count * sizeof *unused);
    for (size_t i = 0; i < count; i++)
        world.parameters.data[i] -= (float)(step * (double)world.gradients[i]);
    const double after = transformer_learn(world.transformer, world.tokens, world.targets, B, T, 1,
                                           unused, &dropout);
    const double expected = -step * square;
    assert_true(fabs(after - loss - expected) < 0.05 * fabs(expected));
    pages_free(unused, count * sizeof *unused);
    world_done(&world);
}

/* bf16 has 8 bits: the gradient points where the f32 one does, and is about as long. */
static void bf16_comes_near_f32(void **state)
{
    (void)state;
    for (int i = 0; i < n_variants(); i++) {
        const struct model_config config = variant(i);
        struct world exact, mixed;
        struct error err;
        world_init(&exact, &config, TRANSFORMER_LEARNS, NULL);
        world_init(&mixed, &config, TRANSFORMER_LEARNS, NULL);
        assert_int_equal(transformer_choose(mixed.transformer, TRANSFORMER_BF16, &err), STATUS_OK);
        const double loss = transformer_learn(exact.transformer, exact.tokens, exact.targets, B, T,
                                              1, exact.gradients, NULL);
        const double near = transformer_learn(mixed.transformer, mixed.tokens, mixed.targets, B, T,
                                              1, mixed.gradients, NULL);
        assert_true(near != loss && fabs(near - loss) < 0.02 * loss);
        assert_true(near ==
                    transformer_loss(mixed.transformer, mixed.tokens, mixed.targets, B, T, NULL));
        double both = 0, one = 0, other = 0;
        for (size_t k = 0; k < exact.parameters.count; k++) {
            const double x = (double)exact.gradients[k], y = (double)mixed.gradients[k];
            both += x * y;
            one += x * x;
            other += y * y;
        }
        /* some 20 roundings of one in 256 on the way; these models are small and their logits large */
        if (both < 0.99 * sqrt(one * other) || fabs(sqrt(other / one) - 1) > 0.1)
            fail_msg("model %d: cosine %g, length %g", i, both / sqrt(one * other),
                     sqrt(other / one));
        world_done(&exact);
        world_done(&mixed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_comes_near_f32),
        cmocka_unit_test(logits_are_those_of_the_equations),
        cmocka_unit_test(gradients_are_those_of_the_equations),
        cmocka_unit_test(gradients_are_added),
        cmocka_unit_test(the_number_of_threads_changes_nothing),
        cmocka_unit_test(a_query_never_sees_the_future),
        cmocka_unit_test(cached_decoding_matches_the_full_pass),
        cmocka_unit_test(dropout_is_the_same_in_both_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
