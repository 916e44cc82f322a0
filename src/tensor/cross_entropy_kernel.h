/* cross_entropy_kernel.h -- one row of logits, for one instruction set. See tensor/kernel.h. */
#ifndef TENSOR_CROSS_ENTROPY_KERNEL_H
#define TENSOR_CROSS_ENTROPY_KERNEL_H

#include "tensor/kernel.h"

struct cross_entropy_kernel {
    /* largest + log(sum of exp(x - largest)), the two apart: their sum would lose digits */
    void (*log_sum)(float *largest, float *rest, const float *x, int n);
    /* dx[j] = exp(x[j] - largest - rest) * scale */
    void (*probabilities)(float *dx, const float *x, float largest, float rest, float scale, int n);
};
KERNEL_CHOICE(cross_entropy_kernel)

#endif
