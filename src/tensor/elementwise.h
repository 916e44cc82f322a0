/* elementwise.h -- functions and arithmetic on n numbers, one by one.
 *
 * Promises: out may be an input. +, -, *, / and sqrt are rounded correctly; exp is within 1 unit in
 * the last place, log and tanh within 2, sigmoid within 3 (one more where the machine has no fused
 * multiply-add); infinities, zeros with their sign and NaN are as in C's own functions.
 * Does not know: shapes, broadcasting (tensor.h does).
 * Tests: tests/tensor/elementwise_test.c
 */
#ifndef TENSOR_ELEMENTWISE_H
#define TENSOR_ELEMENTWISE_H

#include <stddef.h>

#include "base/pool.h"

/* out[i] = f(x[i]) */
void elementwise_exp(struct pool *pool, float *out, const float *x, size_t n);
void elementwise_log(struct pool *pool, float *out, const float *x, size_t n);
void elementwise_tanh(struct pool *pool, float *out, const float *x, size_t n);
void elementwise_sigmoid(struct pool *pool, float *out, const float *x, size_t n);
void elementwise_sqrt(struct pool *pool, float *out, const float *x, size_t n);

/* out[i] = a[i] op b[i] */
void elementwise_add(struct pool *pool, float *out, const float *a, const float *b, size_t n);
void elementwise_subtract(struct pool *pool, float *out, const float *a, const float *b, size_t n);
void elementwise_multiply(struct pool *pool, float *out, const float *a, const float *b, size_t n);
void elementwise_divide(struct pool *pool, float *out, const float *a, const float *b, size_t n);

/* y[i] += a * x[i], rounded once where the machine can */
void elementwise_add_scaled(struct pool *pool, float *y, float a, const float *x, size_t n);

#endif
