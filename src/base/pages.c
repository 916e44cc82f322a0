#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_BYTES = 2 << 20, PAGE_BYTES = 4096 };

/* What is mapped for a request: whole pages. */
static size_t mapped_bytes(size_t bytes)
{
    const size_t unit = bytes >= HUGE_BYTES ? HUGE_BYTES : PAGE_BYTES;
    return (bytes + unit - 1) / unit * unit;
}

void *pages_new(size_t bytes)
{
    if (bytes == 0 || bytes > SIZE_MAX / 2) return NULL;
    const size_t size = mapped_bytes(bytes);
    const size_t spare = size >= HUGE_BYTES ? HUGE_BYTES : 0; /* to find an aligned start in */
    char *memory =
        mmap(NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    if (!spare) return memory;

    const size_t before = (HUGE_BYTES - (uintptr_t)memory % HUGE_BYTES) % HUGE_BYTES;
    char *aligned = memory + before;
    if (before) munmap(memory, before);
    if (spare > before) munmap(aligned + size, spare - before);
    (void)madvise(aligned, size,
                  MADV_HUGEPAGE); /* refused where there are none: small pages, then */
    return aligned;
}

void pages_free(void *memory, size_t bytes)
{
    if (memory) munmap(memory, mapped_bytes(bytes));
}
