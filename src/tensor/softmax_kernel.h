/* softmax_kernel.h -- softmax on whole rows, for one instruction set. See tensor/kernel.h. */
#ifndef TENSOR_SOFTMAX_KERNEL_H
#define TENSOR_SOFTMAX_KERNEL_H

#include "tensor/kernel.h"

struct softmax_kernel {
    void (*forward)(float *out, const float *in, int rows, int n);
    void (*backward)(float *din, const float *dout, const float *out, int rows, int n);
    void (*logarithm)(float *out, const float *in, int rows, int n);
};
KERNEL_CHOICE(softmax_kernel)

#endif
