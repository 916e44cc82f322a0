/* rope_kernel.h -- the heads of one position, for one instruction set. See tensor/kernel.h. */
#ifndef TENSOR_ROPE_KERNEL_H
#define TENSOR_ROPE_KERNEL_H

#include "tensor/kernel.h"
#include "tensor/rope.h"

struct rope_kernel {
    /* H heads of D numbers at x by one row of the tables, [pairs]; sign -1 turns the other way. */
    void (*turn)(float *x, int H, int D, const float *cosine, const float *sine, float sign,
                 float scale, int pairs, enum rope_layout layout);
};
KERNEL_CHOICE(rope_kernel)

#endif
