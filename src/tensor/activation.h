/* activation.h -- the functions between the two products of a feed-forward block.
 *
 *   gelu         0.5 x (1 + tanh(u)),  u = sqrt(2/pi) (x + 0.044715 x^3)     GPT-2's
 *   gelu_exact   x Phi(x) = 0.5 x (1 + erf(x / sqrt 2))
 *   silu         x / (1 + exp(-x))
 *   relu         max(x, 0), derivative 0 at 0
 *   swiglu       silu(gate) * up, the two side by side in one row of 2F: gate first
 *
 * Promises: forward may write over its input; backward writes dx and may write over dout. -0.0, inf
 * and NaN follow the mathematics: a NaN in is a NaN out, no infinity becomes NaN where the limit
 * exists.
 * Cost: gelu_exact goes one by one in double, the others in vectors.
 * Source: Hendrycks and Gimpel 2016 (arXiv:1606.08415), Shazeer 2020 (arXiv:2002.05202).
 * Tests: tests/tensor/activation_test.c
 */
#ifndef TENSOR_ACTIVATION_H
#define TENSOR_ACTIVATION_H

#include <stddef.h>

#include "base/pool.h"

/* out [n] written, x [n]. */
void gelu_forward(struct pool *pool, float *out, const float *x, size_t n);
void gelu_exact_forward(struct pool *pool, float *out, const float *x, size_t n);
void silu_forward(struct pool *pool, float *out, const float *x, size_t n);
void relu_forward(struct pool *pool, float *out, const float *x, size_t n);

/* dx [n] written, dout [n], x [n] the forward pass's input. */
void gelu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n);
void gelu_exact_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n);
void silu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n);
void relu_backward(struct pool *pool, float *dx, const float *dout, const float *x, size_t n);

/* out [M,F] written, gate_up [M,2F]. out must not overlap gate_up. */
void swiglu_forward(struct pool *pool, float *out, const float *gate_up, int M, int F);

/* dgate_up [M,2F] written, may be gate_up itself; dout [M,F]. */
void swiglu_backward(struct pool *pool, float *dgate_up, const float *dout, const float *gate_up,
                     int M, int F);

/* The same in the plainest C, in double. */
void gelu_forward_plain(float *out, const float *x, size_t n);
void gelu_exact_forward_plain(float *out, const float *x, size_t n);
void silu_forward_plain(float *out, const float *x, size_t n);
void relu_forward_plain(float *out, const float *x, size_t n);
void gelu_backward_plain(float *dx, const float *dout, const float *x, size_t n);
void gelu_exact_backward_plain(float *dx, const float *dout, const float *x, size_t n);
void silu_backward_plain(float *dx, const float *dout, const float *x, size_t n);
void relu_backward_plain(float *dx, const float *dout, const float *x, size_t n);
void swiglu_forward_plain(float *out, const float *gate_up, int M, int F);
void swiglu_backward_plain(float *dgate_up, const float *dout, const float *gate_up, int M, int F);

#endif
