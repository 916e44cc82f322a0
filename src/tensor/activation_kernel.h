/* activation_kernel.h -- activations on n numbers, for one instruction set. See tensor/kernel.h. */
#ifndef TENSOR_ACTIVATION_KERNEL_H
#define TENSOR_ACTIVATION_KERNEL_H

#include <stddef.h>

#include "tensor/kernel.h"

struct activation_kernel {
    void (*gelu)(float *out, const float *x, size_t n);
    void (*silu)(float *out, const float *x, size_t n);
    void (*relu)(float *out, const float *x, size_t n);
    void (*gelu_backward)(float *dx, const float *dout, const float *x, size_t n);
    void (*silu_backward)(float *dx, const float *dout, const float *x, size_t n);
    void (*relu_backward)(float *dx, const float *dout, const float *x, size_t n);
    void (*swiglu)(float *out, const float *gate_up, int rows, int F);
    void (*swiglu_backward)(float *dgate_up, const float *dout, const float *gate_up, int rows,
                            int F);
};
KERNEL_CHOICE(activation_kernel)

#endif
