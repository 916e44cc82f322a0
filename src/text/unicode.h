/* unicode.h -- what kind of character is this? The few questions that splitting text asks.
 *
 *   bytes --unicode_read--> code point --unicode_class--> bits
 *
 * Promises: the answers come from a table in the sources (unicode_runs.h, made by tools/unicode_runs),
 * so the same text is split the same way on every machine. A byte that is not part of valid UTF-8
 * reads as one character of no class.
 * Tests: tests/text/unicode_test.c
 */
#ifndef TEXT_UNICODE_H
#define TEXT_UNICODE_H

#include <stddef.h>
#include <stdint.h>

enum unicode_class {
    UNICODE_LETTER = 1, /* \p{L} */
    UNICODE_NUMBER = 2, /* \p{N} */
    UNICODE_SPACE = 4,  /* \s: White_Space */
    UNICODE_BEGINS = 8, /* \p{Lu} \p{Lt} \p{Lm} \p{Lo} \p{M}: what a word in o200k begins with */
    UNICODE_ENDS = 16,  /* \p{Ll} \p{Lm} \p{Lo} \p{M}: what it goes on with */
    UNICODE_MARK = 32,  /* \p{M} */
    UNICODE_PUNCTUATION = 64, /* \p{P} */
    UNICODE_SYMBOL = 128,     /* \p{S} */
};

enum { UNICODE_INVALID = -1, UNICODE_BLOCK = 256, UNICODE_BLOCKS_LIMIT = 256 };

/* Filled by unicode_init(): the block of a code point, and the classes of its characters. */
struct unicode {
    uint8_t block[0x110000 / UNICODE_BLOCK];
    uint8_t classes[UNICODE_BLOCKS_LIMIT][UNICODE_BLOCK];
};
extern struct unicode unicode;

/* Prepare the table; what splits text calls it when it is made. Harmless to repeat, in any thread. */
void unicode_init(void);

/* "15.0.0" */
const char *unicode_version(void);

/* Bits of enum unicode_class; 0 for what is not a character. Needs unicode_init(). */
static inline unsigned unicode_class(int32_t code)
{
    if (code < 0 || code >= 0x110000) return 0;
    return unicode.classes[unicode.block[code / UNICODE_BLOCK]][code % UNICODE_BLOCK];
}

/* Read the character at `p`, with `size` > 0 bytes left: its code point into *code, or
 * UNICODE_INVALID. Returns how many bytes it has; 1 for an invalid one. */
static inline size_t unicode_read(int32_t *code, const unsigned char *p, size_t size)
{
    const unsigned c = p[0];
    *code = (int32_t)c;
    if (c < 0x80) return 1;
    *code = UNICODE_INVALID;
    if (size < 2 || (p[1] & 0xC0) != 0x80) return 1;
    if (c >= 0xC2 && c < 0xE0) {
        *code = (int32_t)((c & 0x1F) << 6 | (p[1] & 0x3Fu));
        return 2;
    }
    if (size < 3 || (p[2] & 0xC0) != 0x80) return 1;
    if (c >= 0xE0 && c < 0xF0) {
        const unsigned read = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        if (read < 0x800 || (read >= 0xD800 && read < 0xE000)) return 1;
        *code = (int32_t)read;
        return 3;
    }
    if (size < 4 || (p[3] & 0xC0) != 0x80 || c < 0xF0 || c > 0xF4) return 1;
    const unsigned read =
        (c & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    if (read < 0x10000 || read > 0x10FFFF) return 1;
    *code = (int32_t)read;
    return 4;
}

/* The bytes of a code point into `out`; how many. */
static inline size_t unicode_write(char out[4], int32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(first[n] | code);
    return n;
}

#endif
