/* tensor_walk.h -- going through several arrays of one shape together, in runs along the last axis.
 *
 * Neighbouring axes that every array steps through alike are made one, so that runs are long.
 */
#ifndef TENSOR_TENSOR_WALK_H
#define TENSOR_TENSOR_WALK_H

#include "tensor/tensor.h"

enum { WALK_ARRAYS = 4, WALK_RUN = 512 };

struct walk {
    int ndim, n_arrays; /* ndim 1 or more */
    int64_t dims[TENSOR_NDIM_LIMIT], strides[WALK_ARRAYS][TENSOR_NDIM_LIMIT];
    int64_t count;
};

/* The arrays have the shape of the first, or expand to it. */
void walk_init(struct walk *walk, const struct tensor *const *arrays, int n_arrays);

/* Call run(context, offset of each array, n) for pieces of at most WALK_RUN numbers that lie
 * strides[array][ndim - 1] apart, 16384 numbers a task. */
void walk_run(struct pool *pool, const struct walk *walk,
              void (*run)(void *context, const int64_t *offsets, int n), void *context);

/* n numbers that lie `stride` apart, as doubles or as whole numbers, and back. */
void walk_load(double *out, enum dtype dtype, const void *data, int64_t at, int64_t stride, int n);
void walk_load_whole(int64_t *out, enum dtype dtype, const void *data, int64_t at, int64_t stride,
                     int n);
void walk_store(void *data, enum dtype dtype, int64_t at, int64_t stride, const double *in, int n);
void walk_store_whole(void *data, enum dtype dtype, int64_t at, int64_t stride, const int64_t *in,
                      int n);

#endif
