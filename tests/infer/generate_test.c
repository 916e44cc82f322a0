#include "infer/generate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { V = 37, T = 80, PROMPT = 70 };

static void open_model(struct parameters *parameters, struct generator *generator,
                       double temperature)
{
    struct model_config config;
    struct error err;
    const struct sampler_settings settings = {.temperature = temperature, .top_p = 1, .seed = 7};
    CHECK(model_config_preset(&config, "stories260k"));
    config.L = 2;
    config.C = 32;
    config.D = 4;
    config.F = 40;
    config.V = V;
    config.T = T;
    assert_int_equal(parameters_init(parameters, &config, &err), STATUS_OK);
    parameters_randomize(parameters, 1, NULL);
    for (size_t i = 0; i < parameters->count; i++) parameters->data[i] *= 8; /* it has opinions */
    assert_int_equal(generator_init(generator, parameters, &settings, NULL, &err), STATUS_OK);
}

static void close_model(struct parameters *parameters, struct generator *generator)
{
    generator_done(generator);
    parameters_done(parameters);
}

/* Token by token with a cache, against a pass over the whole text for each. */
static void cached_decoding_matches_the_full_pass(void **state)
{
    (void)state;
    struct parameters parameters;
    struct generator generator;
    struct transformer *whole;
    struct error err;
    int32_t text[T];
    open_model(&parameters, &generator, 0);
    assert_int_equal(transformer_open(&whole, &parameters, T, TRANSFORMER_INFERS, NULL, &err),
                     STATUS_OK);
    for (int i = 0; i < PROMPT; i++) text[i] = i * i % V;
    generator_feed(&generator, text, PROMPT); /* in two passes */
    for (int n = PROMPT; n < T; n++) {
        transformer_forward(whole, text, 1, n, NULL);
        const float *logits = transformer_logits(whole, n - 1, 1);
        int32_t best = 0;
        for (int32_t v = 1; v < V; v++)
            if (logits[v] > logits[best]) best = v;
        for (int v = 0; v < V; v++)
            assert_true(fabsf(logits[v] - generator.logits[v]) < 1e-4f * (1 + fabsf(logits[v])));
        text[n] = generator_next(&generator);
        assert_int_equal(text[n], best);
    }
    transformer_close(whole);
    close_model(&parameters, &generator);
}

/* Past the context it goes on with the newer half: as if that had been the prompt. */
static void a_full_context_slides(void **state)
{
    (void)state;
    struct parameters parameters;
    struct generator long_one;
    int32_t text[T + 1];
    open_model(&parameters, &long_one, 0);
    for (int i = 0; i <= T; i++) text[i] = (i * 7 + 3) % V;
    generator_feed(&long_one, text, T + 1);
    assert_int_equal(long_one.cache.past.n, T / 2 + 1);
    float kept[V];
    memcpy(kept, long_one.logits, sizeof kept);
    generator_reset(&long_one);
    generator_feed(&long_one, text + T - T / 2, T / 2 + 1);
    for (int v = 0; v < V; v++)
        assert_true(fabsf(kept[v] - long_one.logits[v]) < 1e-5f * (1 + fabsf(kept[v])));
    for (int i = 0; i < 3 * T; i++) assert_in_range(generator_next(&long_one), 0, V - 1);
    close_model(&parameters, &long_one);
}

static void the_same_seed_gives_the_same_text(void **state)
{
    (void)state;
    struct parameters parameters;
    struct generator generator;
    const int32_t first = 3;
    int32_t text[40];
    open_model(&parameters, &generator, 1);
    generator_feed(&generator, &first, 1);
    for (int i = 0; i < 40; i++) text[i] = generator_next(&generator);
    generator_reset(&generator);
    generator_feed(&generator, &first, 1);
    for (int i = 0; i < 40; i++) assert_int_equal(generator_next(&generator), text[i]);
    close_model(&parameters, &generator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cached_decoding_matches_the_full_pass),
        cmocka_unit_test(a_full_context_slides),
        cmocka_unit_test(the_same_seed_gives_the_same_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
