#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memory_new(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    CHECK(memory);
    return memory;
}

void *memory_grow(void *old, size_t count, size_t size)
{
    size_t bytes;
    CHECK(!__builtin_mul_overflow(count, size, &bytes));
    void *memory = realloc(old, bytes ? bytes : 1);
    CHECK(memory);
    return memory;
}

static void reserve(struct text *text, size_t more)
{
    size_t needed;
    CHECK(!__builtin_add_overflow(text->size, more + 1, &needed));
    if (needed <= text->capacity) return;

    size_t capacity = text->capacity ? text->capacity : 64;
    while (capacity < needed) capacity += capacity / 2 + 32;
    text->data = memory_grow(text->data, capacity, 1);
    text->capacity = capacity;
}

void text_add_bytes(struct text *text, const void *bytes, size_t size)
{
    reserve(text, size);
    if (size) memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c) { text_add_bytes(text, &c, 1); }

static void format_into(struct text *text, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    CHECK(size >= 0);
    reserve(text, (size_t)size);
    vsnprintf(text->data + text->size, (size_t)size + 1, format, args);
    text->size += (size_t)size;
}

void text_format(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_into(text, format, args);
    va_end(args);
}

const char *text_string(const struct text *text) { return text->data ? text->data : ""; }

char *text_take(struct text *text)
{
    reserve(text, 0);
    text->data[text->size] = '\0';
    char *string = text->data;
    *text = (struct text){0};
    return string;
}

void text_clear(struct text *text)
{
    text->size = 0;
    if (text->data) text->data[0] = '\0';
}

void text_done(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

char *text_printf(const char *format, ...)
{
    struct text text = {0};
    va_list args;
    va_start(args, format);
    format_into(&text, format, args);
    va_end(args);
    return text_take(&text);
}

char *text_copy(const char *string)
{
    if (!string) return NULL;
    char *copy = strdup(string);
    CHECK(copy);
    return copy;
}

bool text_starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *string, const char *suffix)
{
    const size_t size = strlen(string), tail = strlen(suffix);
    return size >= tail && memcmp(string + size - tail, suffix, tail) == 0;
}

/* Length of the UTF-8 sequence at `p` (RFC 3629: shortest form, no surrogates), or 0. */
static size_t sequence(const unsigned char *p, size_t left)
{
    const unsigned char c = p[0];
    size_t n = c < 0x80                ? 1
               : c >= 0xC2 && c < 0xE0 ? 2
               : c >= 0xE0 && c < 0xF0 ? 3
               : c >= 0xF0 && c < 0xF5 ? 4
                                       : 0;
    if (n == 0 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (c == 0xE0 && p[1] < 0xA0) return 0;
    if (c == 0xED && p[1] > 0x9F) return 0;
    if (c == 0xF0 && p[1] < 0x90) return 0;
    if (c == 0xF4 && p[1] > 0x8F) return 0;
    return n;
}

size_t text_utf8_valid(const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    size_t at = 0;
    while (at < size) {
        size_t n = sequence(p + at, size - at);
        if (!n) break;
        at += n;
    }
    return at;
}
