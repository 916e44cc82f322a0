/* norm_kernel.h -- norms on whole rows, for one instruction set. See tensor/kernel.h.
 *
 * mean NULL means RMSNorm. In the backward pass dweight and dbias [C] are added to, row after row.
 */
#ifndef TENSOR_NORM_KERNEL_H
#define TENSOR_NORM_KERNEL_H

#include "tensor/kernel.h"

struct norm_kernel {
    void (*layer_forward)(float *out, float *mean, float *rstd, const float *x, const float *weight,
                          const float *bias, int rows, int C, float eps);
    void (*rms_forward)(float *out, float *rstd, const float *x, const float *weight, int rows,
                        int C, float eps);
    void (*backward)(float *dx, float *dweight, float *dbias, const float *dout, const float *x,
                     const float *weight, const float *mean, const float *rstd, int rows, int C);
    void (*add)(float *to, const float *from, int n); /* to[j] += from[j] */
};
KERNEL_CHOICE(norm_kernel)

#endif
