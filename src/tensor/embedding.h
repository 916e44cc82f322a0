/* embedding.h -- token ids to rows of a table, and back.
 *
 *   out[i,:] = table[tokens[i],:]          dtable[tokens[i],:] += dout[i,:], i = 0, 1, ...
 *
 * Promises: the sum for a token that occurs several times is taken in the order of i, whatever the
 * number of threads (columns are shared out, not rows).
 * Every id must be in 0..V-1: the reader of token files has checked them.
 * Does not know: positions, vocabulary, where the ids come from.
 * Tests: tests/tensor/embedding_test.c
 */
#ifndef TENSOR_EMBEDDING_H
#define TENSOR_EMBEDDING_H

#include <stdint.h>

#include "base/pool.h"

/* out [M,C] written; table [V,C]; tokens [M]. Also called gather. */
void embedding_forward(struct pool *pool, float *out, const float *table, const int32_t *tokens,
                       int M, int C);

/* dtable [V,C] added to; dout [M,C]. An id outside 0..V-1 aborts. */
void embedding_backward(struct pool *pool, float *dtable, const float *dout, const int32_t *tokens,
                        int M, int V, int C);

void embedding_backward_plain(float *dtable, const float *dout, const int32_t *tokens, int M, int V,
                              int C);

#endif
