/* norm.h -- LayerNorm and RMSNorm, forward and backward.
 *
 *   LayerNorm   x^ = (x - mean) * rstd        rstd = 1 / sqrt(mean((x - mean)^2) + eps)
 *   RMSNorm     x^ = x * rstd                 rstd = 1 / sqrt(mean(x^2) + eps)
 *               out = x^ * weight + bias      (RMSNorm: no bias)
 *
 *   g = dout * weight
 *   LayerNorm   dx += rstd * (g - mean(g) - x^ * mean(g * x^))
 *   RMSNorm     dx += rstd * (g - x^ * mean(g * x^))
 *   dweight += sum over rows of dout * x^,   dbias += sum over rows of dout
 *
 * Promises: gradients are added to what is there, dx included (a residual stream sums them). The
 * variance is taken about the mean, in a second pass: a large mean does not eat its digits. Sums
 * over rows have an order that depends on M and C only, never on the number of threads.
 * Does not know: where in the model the norm stands.
 * Source: Ba et al. 2016 (arXiv:1607.06450), Zhang and Sennrich 2019 (arXiv:1910.07467).
 * Tests: tests/tensor/norm_test.c
 */
#ifndef TENSOR_NORM_H
#define TENSOR_NORM_H

#include "base/pool.h"

/* out [M,C], mean [M], rstd [M] written; mean and rstd are kept for the backward pass and may both
 * be NULL when there is none. x [M,C], weight [C], bias [C] or NULL. out may be x itself when no
 * backward pass follows. */
void layernorm_forward(struct pool *pool, float *out, float *mean, float *rstd, const float *x,
                       const float *weight, const float *bias, int M, int C, float eps);

/* dx [M,C], dweight [C], dbias [C] or NULL: added to. The rest is as in the forward pass. */
void layernorm_backward(struct pool *pool, float *dx, float *dweight, float *dbias,
                        const float *dout, const float *x, const float *weight, const float *mean,
                        const float *rstd, int M, int C);

/* out [M,C], rstd [M] (or NULL) written. */
void rmsnorm_forward(struct pool *pool, float *out, float *rstd, const float *x,
                     const float *weight, int M, int C, float eps);

/* dx [M,C], dweight [C]: added to. */
void rmsnorm_backward(struct pool *pool, float *dx, float *dweight, const float *dout,
                      const float *x, const float *weight, const float *rstd, int M, int C);

/* The same in the plainest C, sums in double. */
void layernorm_forward_plain(float *out, float *mean, float *rstd, const float *x,
                             const float *weight, const float *bias, int M, int C, float eps);
void layernorm_backward_plain(float *dx, float *dweight, float *dbias, const float *dout,
                              const float *x, const float *weight, const float *mean,
                              const float *rstd, int M, int C);
void rmsnorm_forward_plain(float *out, float *rstd, const float *x, const float *weight, int M,
                           int C, float eps);
void rmsnorm_backward_plain(float *dx, float *dweight, const float *dout, const float *x,
                            const float *weight, const float *rstd, int M, int C);

#endif
