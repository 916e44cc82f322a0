/* sampler.h -- from logits to one token.
 *
 *   temperature 0    the most likely one; of equals, the first
 *   else             p = softmax(logits / temperature)
 *                    top-k: the k most likely stay      top-p: the most likely stay until their sum reaches p
 *                    one of what stays is drawn
 *
 * Promises: the same seed, position and logits give the same token; logits that are NaN count as
 * -inf. Nothing is allocated after sampler_init().
 * Does not know: text. Tests: tests/infer/sampler_test.c
 */
#ifndef INFER_SAMPLER_H
#define INFER_SAMPLER_H

#include <stdint.h>

#include "base/error.h"

struct sampler_settings {
    double temperature; /* 0 or more */
    int top_k;          /* 0: all */
    double top_p;       /* in (0, 1]; 1: all */
    uint64_t seed;
};

struct sampler {
    struct sampler_settings settings;
    int V;
    struct candidate {
        float logit;
        int32_t id;
    } * candidates; /* [V] */
};

/* STATUS_USAGE for settings outside their bounds. */
MUST_CHECK enum status sampler_init(struct sampler *sampler,
                                    const struct sampler_settings *settings, int V,
                                    struct error *err);
void sampler_done(struct sampler *sampler);

/* `position` is the place of the token in its text: which random number is used. logits [V]. */
int32_t sampler_draw(struct sampler *sampler, const float *logits, uint64_t position);

#endif
