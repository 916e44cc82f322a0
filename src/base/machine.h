/* machine.h -- what this machine can do at most: the line that every benchmark is held against.
 *
 *   read    one pass over more memory than the caches hold            bytes / s
 *   f32     chains of acc = acc * m + c, enough to fill the units     2 operations each / s
 *   bf16    the same with vdpbf16ps                                   64 of them in one / s
 *   int8    the same with vpdpbusd                                    128 / s
 *
 * The widest of AVX-512, AVX2 with FMA, and what the compiler was told to use. A call is one
 * measurement of about 20 ms; the caller repeats and takes the median.
 * Tests: tests/base/machine_test.c
 */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stddef.h>

#include "base/error.h"

enum { MACHINE_THREADS_LIMIT = 256 };

struct machine {
    void *memory; /* bigger than the last cache */
    size_t memory_bytes;
};

/* Takes 256 MiB. STATUS_LIMIT when the machine does not have them. */
MUST_CHECK enum status machine_init(struct machine *machine, struct error *err);
void machine_done(struct machine *machine);

/* All threads together; each reads its own part. In 10^9 bytes a second. */
double machine_read_gb_per_s(const struct machine *machine, int threads);

enum machine_product { MACHINE_F32, MACHINE_BF16, MACHINE_INT8, MACHINE_PRODUCT_COUNT };

/* All threads together, in 10^9 operations a second. 0 where the machine has no such instruction. */
double machine_peak(enum machine_product product, int threads);
double machine_f32_gflops(int threads);

#endif
