/* elementwise_kernel.h -- n numbers one by one, for one instruction set. See tensor/kernel.h. */
#ifndef TENSOR_ELEMENTWISE_KERNEL_H
#define TENSOR_ELEMENTWISE_KERNEL_H

#include <stddef.h>

#include "tensor/kernel.h"

enum elementwise_map {
    ELEMENTWISE_EXP,
    ELEMENTWISE_LOG,
    ELEMENTWISE_TANH,
    ELEMENTWISE_SIGMOID,
    ELEMENTWISE_SQRT,
    ELEMENTWISE_MAPS
};

enum elementwise_pair {
    ELEMENTWISE_ADD,
    ELEMENTWISE_SUBTRACT,
    ELEMENTWISE_MULTIPLY,
    ELEMENTWISE_DIVIDE,
    ELEMENTWISE_PAIRS
};

struct elementwise_kernel {
    void (*map[ELEMENTWISE_MAPS])(float *out, const float *x, size_t n);
    void (*pair[ELEMENTWISE_PAIRS])(float *out, const float *a, const float *b, size_t n);
    void (*add_scaled)(float *y, float a, const float *x, size_t n);
};
KERNEL_CHOICE(elementwise_kernel)

#endif
