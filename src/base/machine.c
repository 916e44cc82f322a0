#include "base/machine.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/clock.h"
#include "base/locale.h"

enum { MEMORY_BYTES = 256 << 20, CHAINS = 12, ROUNDS = 1 << 22 };

/* ---- the loops, once for each width ---- */

typedef float floats_16 __attribute__((vector_size(16)));
typedef float floats_32 __attribute__((vector_size(32)));
typedef float floats_64 __attribute__((vector_size(64)));
typedef uint64_t words_16 __attribute__((vector_size(16)));
typedef uint64_t words_32 __attribute__((vector_size(32)));
typedef uint64_t words_64 __attribute__((vector_size(64)));

/* Latency 4 on two units needs 8 chains; 12 leave room and still fit 16 registers. */
#define MULTIPLY_ADD(name, attributes, vector) \
    attributes static double name(int rounds) \
    { \
        const int lanes = (int)(sizeof(vector) / sizeof(float)); \
        vector a = {0.1f}, b = {0.2f}, c = {0.3f}, d = {0.4f}, e = {0.5f}, f = {0.6f}; \
        vector g = {0.7f}, h = {0.8f}, i = {0.9f}, j = {1.0f}, k = {1.1f}, l = {1.2f}; \
        const vector m = a * 0.0f + 0.999f, s = a * 0.0f + 0.001f; \
        for (int round = 0; round < rounds; round++) { \
            a = a * m + s, b = b * m + s, c = c * m + s, d = d * m + s; \
            e = e * m + s, f = f * m + s, g = g * m + s, h = h * m + s; \
            i = i * m + s, j = j * m + s, k = k * m + s, l = l * m + s; \
        } \
        const vector sum = a + b + c + d + e + f + g + h + i + j + k + l; \
        volatile float kept = sum[0] + sum[lanes - 1]; /* the loop is not for nothing */ \
        (void)kept; \
        return 2.0 * CHAINS * lanes * rounds; \
    }

#define READ(name, attributes, vector) \
    attributes static void name(const void *memory, size_t size) \
    { \
        const vector *from = memory; \
        const size_t n = size / sizeof(vector); \
        vector a = {0}, b = {0}, c = {0}, d = {0}; \
        for (size_t i = 0; i + 4 <= n; i += 4) { \
            a += from[i], b += from[i + 1], c += from[i + 2], d += from[i + 3]; \
        } \
        const vector sum = a + b + c + d; \
        volatile uint64_t kept = sum[0] + sum[1]; \
        (void)kept; \
    }

MULTIPLY_ADD(multiply_add_16, , floats_16)
READ(read_16, , words_16)
#ifdef __x86_64__
MULTIPLY_ADD(multiply_add_32, __attribute__((target("avx2,fma"))), floats_32)
READ(read_32, __attribute__((target("avx2"))), words_32)
MULTIPLY_ADD(multiply_add_64, __attribute__((target("avx512f"))), floats_64)
READ(read_64, __attribute__((target("avx512f"))), words_64)
#endif

/* Products of shorter numbers, each added to what its chain has: MADE keeps the compiler from counting
 * them instead. */
#ifdef __x86_64__
#define MADE(operation, sum) \
    sum = operation(sum, ones, ones); \
    __asm__ volatile("" : "+v"(sum))
#define DOT_PRODUCTS(name, attributes, vector, operation, operations) \
    attributes static double name(int rounds) \
    { \
        const __m512i ones = _mm512_set1_epi32(0x00010001); \
        vector a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}; \
        vector g = {0}, h = {0}, i = {0}, j = {0}, k = {0}, l = {0}; \
        for (int round = 0; round < rounds; round++) { \
            MADE(operation, a); \
            MADE(operation, b); \
            MADE(operation, c); \
            MADE(operation, d); \
            MADE(operation, e); \
            MADE(operation, f); \
            MADE(operation, g); \
            MADE(operation, h); \
            MADE(operation, i); \
            MADE(operation, j); \
            MADE(operation, k); \
            MADE(operation, l); \
        } \
        return (double)(operations)*CHAINS * rounds; \
    }
#define DOT_BF16(sum, x, y) _mm512_dpbf16_ps(sum, (__m512bh)(x), (__m512bh)(y))
DOT_PRODUCTS(dot_bf16, __attribute__((target("avx512f,avx512bf16"))), __m512, DOT_BF16, 64)
DOT_PRODUCTS(dot_int8, __attribute__((target("avx512f,avx512vnni"))), __m512i, _mm512_dpbusd_epi32,
             128)
#endif

static double multiply_add(int rounds)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) return multiply_add_64(rounds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return multiply_add_32(rounds);
#endif
    return multiply_add_16(rounds);
}

static double (*product_loop(enum machine_product product))(int rounds)
{
    if (product == MACHINE_F32) return multiply_add;
#ifdef __x86_64__
    if (product == MACHINE_BF16 && __builtin_cpu_supports("avx512bf16")) return dot_bf16;
    if (product == MACHINE_INT8 && __builtin_cpu_supports("avx512vnni")) return dot_int8;
#endif
    return NULL;
}

static void read_all(const void *memory, size_t size)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f")) read_64(memory, size);
    else if (__builtin_cpu_supports("avx2")) read_32(memory, size);
    else
#endif
        read_16(memory, size);
}

/* ---- on several threads at once ---- */

struct part {
    pthread_t thread;
    pthread_barrier_t *start;
    const char *memory; /* NULL: multiply instead */
    double (*products)(int rounds);
    size_t size;
    double work;
    int64_t began_ns, ended_ns; /* its own: we may be kept waiting while they run */
};

static void *run_part(void *argument)
{
    struct part *part = argument;
    pthread_barrier_wait(part->start);
    part->began_ns = clock_steady_ns();
    if (part->memory) {
        read_all(part->memory, part->size);
        part->work = (double)part->size;
    } else {
        part->work = part->products(ROUNDS);
    }
    part->ended_ns = clock_steady_ns();
    return NULL;
}

/* Work done by all, per nanosecond: reading, or products. */
static double measure(const struct machine *machine, double (*products)(int rounds), int threads)
{
    static struct part parts[MACHINE_THREADS_LIMIT];
    pthread_barrier_t start;
    double work = 0;

    CHECK(threads >= 1 && threads <= MACHINE_THREADS_LIMIT);
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        const size_t size = machine ? machine->memory_bytes / (size_t)threads / 4096 * 4096 : 0;
        parts[i] = (struct part){.start = &start, .size = size, .products = products};
        if (machine) parts[i].memory = (const char *)machine->memory + (size_t)i * size;
        CHECK(pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0);
    }
    int64_t first = INT64_MAX, last = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(parts[i].thread, NULL);
        work += parts[i].work;
        if (parts[i].began_ns < first) first = parts[i].began_ns;
        if (parts[i].ended_ns > last) last = parts[i].ended_ns;
    }
    pthread_barrier_destroy(&start);
    const int64_t took = last - first;
    return work / (double)(took > 0 ? took : 1);
}

enum status machine_init(struct machine *machine, struct error *err)
{
    *machine = (struct machine){0};
    void *memory =
        mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return error_set_errno(err, STATUS_LIMIT, _("%d MiB of memory to measure with"),
                               MEMORY_BYTES >> 20);
    (void)madvise(memory, MEMORY_BYTES,
                  MADV_HUGEPAGE);    /* the memory is measured, not the page tables */
    memset(memory, 1, MEMORY_BYTES); /* pages of zeros are all the same one */
    *machine = (struct machine){memory, MEMORY_BYTES};
    return STATUS_OK;
}

void machine_done(struct machine *machine)
{
    if (machine->memory) munmap(machine->memory, machine->memory_bytes);
    *machine = (struct machine){0};
}

double machine_read_gb_per_s(const struct machine *machine, int threads)
{
    return measure(machine, NULL, threads);
}

double machine_peak(enum machine_product product, int threads)
{
    double (*loop)(int rounds) = product_loop(product);
    return loop ? measure(NULL, loop, threads) : 0;
}

double machine_f32_gflops(int threads) { return machine_peak(MACHINE_F32, threads); }
