/* cpu.h -- which instructions this machine has: what kernels are chosen by, at run time.
 *
 *   ISA_SCALAR        what the compiler was told to use; always there
 *   ISA_AVX2          AVX2, FMA and F16C
 *   ISA_AVX512        AVX-512 F, BW, DQ and VL as well
 *   ISA_AVX512_BF16   vdpbf16ps as well
 *   ISA_NEON          every 64-bit ARM
 *
 * VNNI (8-bit products) is asked for by itself, since machines have it with and without BF16.
 * Tests: tests/tensor/bf16_test.c
 */
#ifndef TENSOR_CPU_H
#define TENSOR_CPU_H

#include <stdbool.h>

enum isa { ISA_SCALAR, ISA_AVX2, ISA_AVX512, ISA_AVX512_BF16, ISA_NEON, ISA_COUNT };

/* The best that this machine has, or less when told. */
enum isa cpu_isa(void);

/* For tests and measurements, between computations: use no more than `most`. ISA_COUNT takes the
 * limit away. */
void cpu_limit(enum isa most);

/* AVX512_VNNI, and the limit is at least ISA_AVX512. */
bool cpu_has_vnni(void);

const char *isa_name(enum isa isa); /* "avx512" */

#endif
