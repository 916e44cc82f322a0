/* generate.h -- one token after the other, remembering keys and values.
 *
 *   generator_feed(prompt)      all of it in passes of many tokens
 *   generator_next()            draw from the logits, feed what was drawn
 *
 * When the context is full, the newer half of it is read again as if it were the beginning, so a
 * text may go on for as long as one likes.
 *
 * Promises: what is drawn equals what a pass over the whole text would have given, up to rounding,
 * for as long as the text fits the context. The same seed gives the same text.
 * Does not know: text. Tests: tests/infer/generate_test.c
 */
#ifndef INFER_GENERATE_H
#define INFER_GENERATE_H

#include "infer/kv_cache.h"
#include "infer/sampler.h"
#include "model/transformer.h"

enum { GENERATOR_TOKENS_AT_ONCE = 64 };

struct generator {
    struct transformer *transformer;
    struct kv_cache cache;
    struct sampler sampler;
    int32_t *window;     /* the tokens in the cache, [T] */
    const float *logits; /* of the position after the last; NULL before the first token */
    uint64_t n;          /* tokens so far */
};

/* The parameters and the pool are borrowed. STATUS_LIMIT, STATUS_USAGE. The struct must not move. */
MUST_CHECK enum status generator_init(struct generator *generator,
                                      const struct parameters *parameters,
                                      const struct sampler_settings *settings, struct pool *pool,
                                      struct error *err);
void generator_done(struct generator *generator); /* harmless on a zeroed struct */

/* Read tokens, each in 0..V-1. */
void generator_feed(struct generator *generator, const int32_t *tokens, size_t n);

/* Draw the next token and read it. At least one must have been read before. */
int32_t generator_next(struct generator *generator);

/* Begin anew: nothing was read. */
void generator_reset(struct generator *generator);

#endif
