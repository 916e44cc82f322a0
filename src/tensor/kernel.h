/* kernel.h -- one table of functions a family and instruction set, chosen at run time.
 *
 *   softmax_kernel.h    struct softmax_kernel { ... };  KERNEL_CHOICE(softmax_kernel)
 *   softmax_kernel.c    const struct softmax_kernel KERNEL(softmax_kernel) = { ... };
 *   softmax.c           softmax_kernel()->rows(...)
 *
 * NAME_kernel.c is compiled once for each instruction set, with KERNEL_ISA its name. Tables know
 * nothing of threads: they are given whole rows, and what comes out depends on the rows alone.
 * Tests: those of each family, under every instruction set that the machine has
 */
#ifndef TENSOR_KERNEL_H
#define TENSOR_KERNEL_H

#include "tensor/cpu.h"

#define KERNEL_JOIN(name, isa) name##_##isa
#define KERNEL_OF(name, isa) KERNEL_JOIN(name, isa)
#define KERNEL(name) KERNEL_OF(name, KERNEL_ISA)

#if defined(__x86_64__)
#define KERNEL_CHOICE(name) \
    extern const struct name name##_scalar, name##_avx2, name##_avx512; \
    static inline const struct name *name(void) \
    { \
        const enum isa isa = cpu_isa(); \
        if (isa >= ISA_AVX512) return &name##_avx512; \
        return isa == ISA_AVX2 ? &name##_avx2 : &name##_scalar; \
    }
#elif defined(__aarch64__)
#define KERNEL_CHOICE(name) \
    extern const struct name name##_scalar, name##_neon; \
    static inline const struct name *name(void) \
    { \
        return cpu_isa() == ISA_NEON ? &name##_neon : &name##_scalar; \
    }
#else
#define KERNEL_CHOICE(name) \
    extern const struct name name##_scalar; \
    static inline const struct name *name(void) { return &name##_scalar; }
#endif

/* How many rows of n floats one task takes: enough work to be worth handing out, the same whatever
 * the number of threads. */
static inline int kernel_rows_a_task(int n)
{
    enum { FLOATS_A_TASK = 1 << 14 };
    return n >= FLOATS_A_TASK ? 1 : n > 0 ? FLOATS_A_TASK / n : 1;
}

static inline int kernel_tasks(int rows, int rows_a_task)
{
    return (int)(((long long)rows + rows_a_task - 1) / rows_a_task);
}

/* How many of them are task `i`'s. */
static inline int kernel_rows_of(int i, int rows, int rows_a_task)
{
    const int left = rows - i * rows_a_task;
    return left < rows_a_task ? left : rows_a_task;
}

#endif
