/* kv_cache.h -- the functions to implement. */
#ifndef KV_CACHE_H
#define KV_CACHE_H

/* All buffers are row-major and do not overlap. What is const is not modified. */

/* Yours: define it in kv_cache.c. */
struct kv_cache;

/* One layer's weights, C = H*D. A projection is y[j] = sum_i x[i] W[i,j]. */
struct kv_weights {
    const float *q, *k, *v, *o; /* [C,C] each */
    const float *position;      /* [capacity,C]: row p is added to the token at position p */
};

/* An empty cache for B sequences of at most `capacity` positions; kv_cache_free() releases it
 * (it is not called with NULL). */
struct kv_cache *kv_cache_new(int B, int H, int D, int capacity);
void kv_cache_free(struct kv_cache *cache);

/* Add T positions after those already held.
 *
 *   k, v   [B,H,T,D]   the caller's, who reuses them: copy what you keep
 *
 * There is always room. The time depends on T, never on the positions held. */
void kv_cache_append(struct kv_cache *cache, const float *k, const float *v, int T);

/* Forget all but the first `length` positions (0 <= length <= positions held). */
void kv_cache_truncate(struct kv_cache *cache, int length);

/* Causal attention of T queries, which stand at the last T positions held.
 *
 *   out   [B,H,T,D]   written
 *   q     [B,H,T,D]  */
void kv_cache_attend(const struct kv_cache *cache, float *out, const float *q, int T);

/* The layer: add positions, project, append, attend, project.
 *
 *   out   [B,T,C]   written
 *   x     [B,T,C] */
void kv_cache_forward(struct kv_cache *cache, float *out, const float *x,
                      const struct kv_weights *weights, int T);

#endif
