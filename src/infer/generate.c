#include "infer/generate.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum status generator_init(struct generator *generator, const struct parameters *parameters,
                           const struct sampler_settings *settings, struct pool *pool,
                           struct error *err)
{
    const struct model_config *config = &parameters->config;
    const int T = config->T;
    const int M = T < GENERATOR_TOKENS_AT_ONCE ? T : GENERATOR_TOKENS_AT_ONCE;
    *generator = (struct generator){0};
    enum status status = sampler_init(&generator->sampler, settings, config->V, err);
    if (!status) status = kv_cache_init(&generator->cache, config, 1, T, err);
    if (!status)
        status =
            transformer_open(&generator->transformer, parameters, M, TRANSFORMER_INFERS, pool, err);
    if (status) {
        generator_done(generator);
        return status;
    }
    generator->window = memory_new((size_t)T, sizeof *generator->window);
    return STATUS_OK;
}

void generator_done(struct generator *generator)
{
    transformer_close(generator->transformer);
    kv_cache_done(&generator->cache);
    sampler_done(&generator->sampler);
    free(generator->window);
    *generator = (struct generator){0};
}

void generator_reset(struct generator *generator)
{
    kv_cache_keep(&generator->cache, 0);
    generator->logits = NULL;
    generator->n = 0;
}

/* At most as many as are left in the context and as go into one pass. */
static void feed_some(struct generator *generator, const int32_t *tokens, int n, bool last)
{
    struct past *past = &generator->cache.past;
    memmove(generator->window + past->n, tokens, (size_t)n * sizeof *tokens);
    transformer_forward(generator->transformer, tokens, 1, n, past);
    if (last) generator->logits = transformer_logits(generator->transformer, n - 1, 1);
}

/* Read the newer half of a full context again, from position 0. */
static void slide(struct generator *generator)
{
    const int T = generator->cache.positions, kept = T / 2;
    memmove(generator->window, generator->window + (T - kept),
            (size_t)kept * sizeof *generator->window);
    kv_cache_keep(&generator->cache, 0);
    for (int i = 0; i < kept; i += GENERATOR_TOKENS_AT_ONCE) {
        const int n = kept - i < GENERATOR_TOKENS_AT_ONCE ? kept - i : GENERATOR_TOKENS_AT_ONCE;
        feed_some(generator, generator->window + i, n, false);
    }
}

void generator_feed(struct generator *generator, const int32_t *tokens, size_t n)
{
    const int T = generator->cache.positions;
    generator->n += n;
    while (n) {
        if (generator->cache.past.n == T) slide(generator);
        const int room = T - generator->cache.past.n;
        int now = room < GENERATOR_TOKENS_AT_ONCE ? room : GENERATOR_TOKENS_AT_ONCE;
        if ((size_t)now > n) now = (int)n;
        n -= (size_t)now;
        feed_some(generator, tokens, now, n == 0);
        tokens += now;
    }
}

int32_t generator_next(struct generator *generator)
{
    CHECK(generator->logits);
    const int32_t token = sampler_draw(&generator->sampler, generator->logits, generator->n);
    generator_feed(generator, &token, 1);
    return token;
}
