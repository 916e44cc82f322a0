/* kv_cache.h -- the keys and values of past positions, one piece of memory.
 *
 *   keys, values   [L][B][positions][KVH * D]
 *
 * Promises: what is appended stays where it is; nothing is allocated after kv_cache_init().
 * Does not know: text, weights. Tests: tests/infer/generate_test.c
 */
#ifndef INFER_KV_CACHE_H
#define INFER_KV_CACHE_H

#include "model/config.h"
#include "model/past.h"

struct kv_cache {
    struct past past; /* what transformer_forward() is given; past.n positions are there */
    int B, positions, width;
    size_t layer; /* numbers of one layer's keys */
    size_t count;
    float *keys, *values;
};

/* Room for B sequences of `positions` (at most the context). STATUS_LIMIT without the memory. The
 * struct must not move afterwards. */
MUST_CHECK enum status kv_cache_init(struct kv_cache *cache, const struct model_config *config,
                                     int B, int positions, struct error *err);
void kv_cache_done(struct kv_cache *cache);

/* Forget the positions from n on. */
void kv_cache_keep(struct kv_cache *cache, int n);

#endif
