/* pages.h -- large memory that is taken once: on huge pages where the system has them.
 *
 * A first touch of 4 KiB costs more than filling it, so what is used for long and is megabytes large
 * (parameters, gradients, activations, scratch) comes from here.
 * Tests: tests/base/pool_test.c
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

#include <stddef.h>

/* Zeroed, aligned to 2 MiB when larger than that, else to a page. NULL when the system has no more
 * (or bytes is 0). */
void *pages_new(size_t bytes);

/* `bytes` as it was asked for. Harmless on NULL. */
void pages_free(void *memory, size_t bytes);

#endif
