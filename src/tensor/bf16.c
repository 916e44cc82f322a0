#include "tensor/bf16.h"

#include "tensor/cpu.h"

/* The compiler vectorizes both loops; what differs is the width. */
#define LOOPS(suffix, attributes) \
    attributes static void floats_from_bf16_##suffix(float *restrict out, \
                                                     const uint16_t *restrict in, size_t n) \
    { \
        for (size_t i = 0; i < n; i++) out[i] = float_from_bf16(in[i]); \
    } \
    attributes static void bf16_from_floats_##suffix(uint16_t *restrict out, \
                                                     const float *restrict in, size_t n) \
    { \
        for (size_t i = 0; i < n; i++) out[i] = bf16_from_float(in[i]); \
    }

#ifdef __clang__
#define VECTORIZED
#else
#define VECTORIZED __attribute__((optimize("O3")))
#endif

LOOPS(plain, )
#ifdef __x86_64__
LOOPS(avx2, VECTORIZED __attribute__((target("avx2,fma"))))
LOOPS(avx512, VECTORIZED __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq"))))
#endif

void floats_from_bf16(float *out, const uint16_t *in, size_t n)
{
    switch (cpu_isa()) {
#ifdef __x86_64__
    case ISA_AVX2: floats_from_bf16_avx2(out, in, n); return;
    case ISA_AVX512:
    case ISA_AVX512_BF16: floats_from_bf16_avx512(out, in, n); return;
#endif
    default: floats_from_bf16_plain(out, in, n);
    }
}

void bf16_from_floats(uint16_t *out, const float *in, size_t n)
{
    switch (cpu_isa()) {
#ifdef __x86_64__
    case ISA_AVX2: bf16_from_floats_avx2(out, in, n); return;
    case ISA_AVX512:
    case ISA_AVX512_BF16: bf16_from_floats_avx512(out, in, n); return;
#endif
    default: bf16_from_floats_plain(out, in, n);
    }
}
