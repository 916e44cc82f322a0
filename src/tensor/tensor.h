/* tensor.h -- row-major arrays of n dimensions, and views of them.
 *
 *   element [i,j,k] lies at data + i * strides[0] + j * strides[1] + k * strides[2]
 *
 *   memory (users 2, version 7)   [ 0 1 2 3 4 5 ]
 *   x    dims [2,3] strides [3,1]
 *   x^T  dims [3,2] strides [1,3]       the same numbers: a change through one is seen by the other
 *
 * A struct tensor is a small value that uses its memory. Whoever got one from a function here gives
 * it back with tensor_done(); the memory goes with its last user. A stride of 0 repeats
 * (broadcast), a negative one goes backwards.
 *
 * Promises: views copy nothing; the version of the memory grows with every write by a function of
 * this room, so that whoever kept a view can see that its numbers were overwritten. Wrong shapes
 * abort (check first, where they come from outside), and so does running out of memory.
 * Does not know: derivatives, devices.
 * Lab: 08 Tensor autograd. Tests: tests/tensor/tensor_test.c
 */
#ifndef TENSOR_TENSOR_H
#define TENSOR_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/text.h"
#include "tensor/dtype.h"

enum { TENSOR_NDIM_LIMIT = 8 };

struct tensor_memory;

struct tensor {
    enum dtype dtype;
    int ndim; /* 0: one number */
    int64_t dims[TENSOR_NDIM_LIMIT];
    int64_t strides[TENSOR_NDIM_LIMIT]; /* in numbers, not bytes */
    void *data;                         /* element [0,0,...] */
    struct tensor_memory *memory;
};

/* ---- making and giving back ---- */

struct tensor tensor_zeros(enum dtype dtype, int ndim, const int64_t *dims);
struct tensor tensor_full(double value, enum dtype dtype, int ndim, const int64_t *dims);
struct tensor tensor_from_f32(const float *values, int ndim, const int64_t *dims); /* a copy */
struct tensor tensor_from_f64(const double *values, int ndim, const int64_t *dims);
struct tensor tensor_from_i32(const int32_t *values, int ndim, const int64_t *dims);

/* The caller's own numbers, contiguous, which must outlive all users. */
struct tensor tensor_borrow(void *data, enum dtype dtype, int ndim, const int64_t *dims);

struct tensor tensor_view(const struct tensor *x); /* one more user of the same numbers */
void tensor_done(struct tensor *x);                /* harmless on zeros and twice */

/* ---- what it is ---- */

int64_t tensor_count(const struct tensor *x);
bool tensor_is_contiguous(const struct tensor *x);
bool tensor_same_shape(const struct tensor *a, const struct tensor *b);
uint64_t tensor_version(const struct tensor *x);
void tensor_touch(const struct tensor *x); /* it was written by other means: the version grows */

/* The numbers as what they are; another dtype, or not contiguous, aborts. */
float *tensor_f32(const struct tensor *x);
double *tensor_f64(const struct tensor *x);
int32_t *tensor_i32(const struct tensor *x);

/* One element, whatever the dtype; `index` has ndim numbers, each within its dimension. */
double tensor_at(const struct tensor *x, const int64_t *index);
void tensor_set(struct tensor *x, const int64_t *index, double value);
double tensor_item(const struct tensor *x); /* the only element */

/* "float32[2,3]", and the numbers in brackets; the middle of long dimensions is left out. */
void tensor_describe(struct text *out, const struct tensor *x);
void tensor_print(struct text *out, const struct tensor *x);

/* ---- views; axis may count from the end: -1 is the last ---- */

struct tensor tensor_transpose(const struct tensor *x, int axis_a, int axis_b);
struct tensor tensor_permute(const struct tensor *x,
                             const int *order); /* out axis i was order[i] */
struct tensor tensor_select(const struct tensor *x, int axis, int64_t i); /* without that axis */
/* Elements from, from + step, ... before `to` (after it, with a negative step). */
struct tensor tensor_slice(const struct tensor *x, int axis, int64_t from, int64_t to,
                           int64_t step);
struct tensor tensor_insert(const struct tensor *x, int axis);  /* a dimension of 1 before axis */
struct tensor tensor_squeeze(const struct tensor *x, int axis); /* without a dimension of 1 */

/* Dimensions of 1, and new ones in front, repeat up to `dims`. */
struct tensor tensor_expand(const struct tensor *x, int ndim, const int64_t *dims);
bool tensor_expands(const struct tensor *x, int ndim, const int64_t *dims);

/* The same numbers in the same order under other dimensions; one of them may be -1: what is left. A
 * view where the strides allow it, else a copy. */
struct tensor tensor_reshape(struct pool *pool, const struct tensor *x, int ndim,
                             const int64_t *dims);

/* ---- copies ---- */

struct tensor tensor_copy(struct pool *pool, const struct tensor *x);       /* contiguous */
struct tensor tensor_contiguous(struct pool *pool, const struct tensor *x); /* a view if it is */

/* Rounded to nearest even; from float to whole numbers: towards zero, limited to what fits, NaN is
 * 0; to bool: not zero. A view if it is that already. */
struct tensor tensor_cast(struct pool *pool, const struct tensor *x, enum dtype dtype);

/* to[...] = from[...], which is expanded and cast. */
void tensor_assign(struct pool *pool, struct tensor *to, const struct tensor *from);
void tensor_fill(struct pool *pool, struct tensor *x, double value);

#endif
