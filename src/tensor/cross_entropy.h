/* cross_entropy.h -- the loss of a language model, fused with its softmax.
 *
 *   lse = log(sum_j exp(x[j]))     loss = lse - x[target]
 *   dx[j] = (exp(x[j] - lse) - [j = target]) * scale
 *
 * Promises: no [M,V] buffer of probabilities is made; a target of -1 is ignored (loss 0, gradient
 * 0); a loss is never negative; logits of -inf are probability zero (as a target: loss inf).
 * Cost: a row of logits comes once from memory and a second time from the cache.
 * Does not know: how losses are averaged (that is `scale`), label smoothing.
 * Tests: tests/tensor/cross_entropy_test.c
 */
#ifndef TENSOR_CROSS_ENTROPY_H
#define TENSOR_CROSS_ENTROPY_H

#include <stdint.h>

#include "base/pool.h"

enum { CROSS_ENTROPY_IGNORE = -1 };

/* losses [M] written; logits [M,V]; targets [M] in -1..V-1. */
void cross_entropy_forward(struct pool *pool, float *losses, const float *logits,
                           const int32_t *targets, int M, int V);

/* dlogits [M,V] written, may be `logits` itself. `scale` is d(total)/d(loss of a row): 1 / number
 * of targets for a mean. */
void cross_entropy_backward(struct pool *pool, float *dlogits, const float *logits,
                            const int32_t *targets, float scale, int M, int V);

/* Both at once: what a training step wants, for one logsumexp instead of two. Same results. */
void cross_entropy_both(struct pool *pool, float *losses, float *dlogits, const float *logits,
                        const int32_t *targets, float scale, int M, int V);

/* The same in the plainest C, sums in double. */
void cross_entropy_forward_plain(float *losses, const float *logits, const int32_t *targets, int M,
                                 int V);
void cross_entropy_backward_plain(float *dlogits, const float *logits, const int32_t *targets,
                                  float scale, int M, int V);

#endif
