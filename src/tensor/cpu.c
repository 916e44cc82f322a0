#include "tensor/cpu.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum isa best = ISA_SCALAR;
static bool vnni;
static atomic_int limit = ISA_COUNT;

static void look(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    /* F16C is older than AVX2, and clang 14 has no word for it here. */
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
    best = ISA_AVX2;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return;
    best = ISA_AVX512;
    vnni = __builtin_cpu_supports("avx512vnni");
    if (__builtin_cpu_supports("avx512bf16")) best = ISA_AVX512_BF16;
#elif defined __aarch64__
    best = ISA_NEON;
#endif
}

enum isa cpu_isa(void)
{
    pthread_once(&once, look);
    const enum isa most = (enum isa)atomic_load_explicit(&limit, memory_order_relaxed);
    if (best <= most) return best;
    return best == ISA_NEON ? ISA_SCALAR : most;
}

void cpu_limit(enum isa most) { atomic_store(&limit, (int)most); }

bool cpu_has_vnni(void)
{
    const enum isa isa = cpu_isa();
    return vnni && (isa == ISA_AVX512 || isa == ISA_AVX512_BF16);
}

const char *isa_name(enum isa isa)
{
    static const char *const names[ISA_COUNT] = {"scalar", "avx2", "avx512", "avx512_bf16", "neon"};
    CHECK(isa >= 0 && isa < ISA_COUNT);
    return names[isa];
}
