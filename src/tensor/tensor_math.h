/* tensor_math.h -- arithmetic on tensors: elementwise with broadcasting, reductions, products.
 *
 *   a  [8,1,6]        dimensions are matched from the last; 1 repeats; missing ones are 1
 *   b    [7,1]
 *   =  [8,7,6]
 *
 * Promises: results do not depend on the number of threads; f32 sums are taken in double, products
 * of matrices in f32; bf16 and f16 are computed in f32 or wider and rounded once at the end; whole
 * numbers wrap around. Shapes that do not fit abort: ask tensor_broadcast() first where they come
 * from outside.
 * Does not know: derivatives.
 * Tests: tests/tensor/tensor_math_test.c
 */
#ifndef TENSOR_TENSOR_MATH_H
#define TENSOR_TENSOR_MATH_H

#include "tensor/tensor.h"

/* The shape of both together; false when they do not fit. */
bool tensor_broadcast(int *ndim, int64_t dims[TENSOR_NDIM_LIMIT], const struct tensor *a,
                      const struct tensor *b);

/* Whole numbers give f32, but for negate and abs. */
enum tensor_map {
    TENSOR_NEGATE,
    TENSOR_ABS,
    TENSOR_SQRT,
    TENSOR_EXP,
    TENSOR_LOG,
    TENSOR_TANH,
    TENSOR_SIGMOID,
    TENSOR_SIN,
    TENSOR_COS,
    TENSOR_MAPS
};
struct tensor tensor_map(struct pool *pool, enum tensor_map map, const struct tensor *x);

/* The result has the dtype that both promote to; divide and power of whole numbers give f32, the
 * comparisons bool. maximum and minimum give NaN when either is. */
enum tensor_pair {
    TENSOR_ADD,
    TENSOR_SUBTRACT,
    TENSOR_MULTIPLY,
    TENSOR_DIVIDE,
    TENSOR_POWER,
    TENSOR_MAXIMUM,
    TENSOR_MINIMUM,
    TENSOR_LESS,
    TENSOR_LESS_EQUAL,
    TENSOR_EQUAL,
    TENSOR_NOT_EQUAL,
    TENSOR_PAIRS
};
struct tensor tensor_pair(struct pool *pool, enum tensor_pair pair, const struct tensor *a,
                          const struct tensor *b);

/* The same into `out`, which has the shape already, may be a or b itself (element for element, no
 * other overlap), and rounds to its own dtype. */
void tensor_pair_into(struct pool *pool, struct tensor *out, enum tensor_pair pair,
                      const struct tensor *a, const struct tensor *b);

/* y += alpha * x, x expanded to y's shape. */
void tensor_add_scaled(struct pool *pool, struct tensor *y, double alpha, const struct tensor *x);

/* a where `condition` is not zero, else b; all three broadcast. */
struct tensor tensor_where(struct pool *pool, const struct tensor *condition,
                           const struct tensor *a, const struct tensor *b);

/* Over the axes whose bit is set (1u << axis), or TENSOR_ALL; `keep` leaves dimensions of 1. Sums
 * of whole numbers are i64, their mean f32. Over nothing: sum 0, mean NaN, max -inf, min inf
 * (whole numbers: abort). */
enum tensor_reduction { TENSOR_SUM, TENSOR_MEAN, TENSOR_MAX, TENSOR_MIN, TENSOR_REDUCTIONS };
#define TENSOR_ALL (~0u)
struct tensor tensor_reduce(struct pool *pool, enum tensor_reduction reduction,
                            const struct tensor *x, unsigned axes, bool keep);

/* Where the largest lies along the axis, the first of equals; NaN is largest. i64. */
struct tensor tensor_argmax(struct pool *pool, const struct tensor *x, int axis);

/* Sum x down to a shape that expands to x's: what broadcasting's derivative wants. */
struct tensor tensor_sum_to(struct pool *pool, const struct tensor *x, int ndim,
                            const int64_t *dims);

/* [...,M,K] x [...,K,N]; the dimensions in front broadcast; [K] stands for [1,K] on the left and
 * [K,1] on the right, and that 1 is not in the result. */
struct tensor tensor_matmul(struct pool *pool, const struct tensor *a, const struct tensor *b);
bool tensor_matmul_fits(const struct tensor *a, const struct tensor *b);

/* Rows of a table [V,...] by ids of any shape (i32 or i64): [ids...,...]. An id outside aborts. */
struct tensor tensor_gather(struct pool *pool, const struct tensor *table,
                            const struct tensor *ids);
/* table[ids[i]] += rows[i], in the order of i. */
void tensor_scatter_add(struct pool *pool, struct tensor *table, const struct tensor *ids,
                        const struct tensor *rows);

/* One after the other along the axis; the dtype that all promote to. */
struct tensor tensor_concat(struct pool *pool, const struct tensor *const *parts, int n, int axis);

#endif
