/* softmax.h -- rows of numbers into rows of probabilities.
 *
 *   m = max_j x[j]      out[j] = exp(x[j] - m) / sum_k exp(x[k] - m)
 *   dx[j] = out[j] * (dout[j] - sum_k dout[k] * out[k])
 *
 * Promises: a row sums to 1 as closely as f32 can say; -inf is a probability of exactly zero; a row
 * of nothing but -inf is a row of zeros, and its gradient is zeros; +inf and NaN give NaN.
 * Does not know: masks, temperature, what a row means.
 * Tests: tests/tensor/softmax_test.c
 */
#ifndef TENSOR_SOFTMAX_H
#define TENSOR_SOFTMAX_H

#include "base/pool.h"

/* out [rows,n] written, may be `in` itself; in [rows,n]. */
void softmax_rows(struct pool *pool, float *out, const float *in, int rows, int n);

/* din [rows,n] written, may be `dout` itself; out is what the forward pass wrote. */
void softmax_rows_backward(struct pool *pool, float *din, const float *dout, const float *out,
                           int rows, int n);

/* log(softmax(in)), without the rounding of going through the probabilities. -inf stays -inf. */
void log_softmax_rows(struct pool *pool, float *out, const float *in, int rows, int n);

/* The same in the plainest C, sums in double. */
void softmax_rows_plain(float *out, const float *in, int rows, int n);
void softmax_rows_backward_plain(float *din, const float *dout, const float *out, int rows, int n);
void log_softmax_rows_plain(float *out, const float *in, int rows, int n);

#endif
