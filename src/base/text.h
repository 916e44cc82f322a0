/* text.h -- a growing string, and the few things done to text everywhere.
 *
 * Promises: `data` is always a terminated string of `size` bytes plus the NUL
 * (never NULL after the first call that adds); out of memory aborts.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct text {
    char *data;
    size_t size;
    size_t capacity;
};

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t size);
void text_add_char(struct text *text, char c);
void text_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

/* The string, "" when nothing was added. Borrowed from `text`. */
const char *text_string(const struct text *text);

/* Hand the string to the caller, who frees it; `text` is empty afterwards. */
char *text_take(struct text *text);
void text_clear(struct text *text); /* keeps the memory */
void text_done(struct text *text);

/* A new string from a format; the caller frees it. Aborts when out of memory. */
char *text_printf(const char *format, ...) PRINTF_LIKE(1, 2);
char *text_copy(const char *string); /* NULL gives NULL */

bool text_starts_with(const char *string, const char *prefix);
bool text_ends_with(const char *string, const char *suffix);

/* Length of the longest prefix of `bytes` that is valid UTF-8. */
size_t text_utf8_valid(const void *bytes, size_t size);

/* memory that aborts instead of returning NULL; `count * size` is checked. */
void *memory_new(size_t count, size_t size); /* zeroed; free() releases it */
void *memory_grow(void *old, size_t count, size_t size);

#endif
