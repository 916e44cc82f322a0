/* vocabulary.h -- the strings that tokens stand for: id to bytes, and bytes to id.
 *
 *   ids   0 1 2 ... size-1      an id that nothing was said of is TOKEN_UNUSED and stands for ""
 *
 * Promises: bytes, not characters: a token may hold half a character. Only normal tokens are found
 * by their bytes; of several with the same bytes the lowest id is. At most 2^21 ids, since three of
 * them share 64 bits in bpe.h; at most 64 KiB a token and 256 MiB together.
 * Tests: tests/text/vocabulary_test.c
 */
#ifndef TEXT_VOCABULARY_H
#define TEXT_VOCABULARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum {
    VOCABULARY_LIMIT = 1 << 21,
    VOCABULARY_TOKEN_LIMIT = 1 << 16,
    VOCABULARY_BYTES_LIMIT = 1 << 28,
};

enum token_type {
    TOKEN_UNUSED,
    TOKEN_NORMAL,
    TOKEN_SPECIAL, /* <|endoftext|>: made from text only when the caller allows it */
    TOKEN_ADDED,   /* one that is always cut out of the text before anything else */
    TOKEN_BYTE,    /* <0x0A>: one byte, for text that no other token can write */
    TOKEN_UNKNOWN, /* <unk> */
};

struct vocabulary {
    int size;
    struct vocabulary_token {
        uint32_t begin, size; /* in `bytes` */
        uint8_t type;
    } * tokens;
    struct text bytes;
    int capacity;
    uint32_t *index; /* open addressing: id + 1, or 0 */
    uint32_t index_mask;
};

/* Give `id` its bytes. STATUS_FORMAT when it has some already; STATUS_LIMIT. */
MUST_CHECK enum status vocabulary_set(struct vocabulary *vocabulary, int64_t id, const void *bytes,
                                      size_t size, enum token_type type, struct error *err);

/* Change what a token is, after it was set. */
void vocabulary_mark(struct vocabulary *vocabulary, int32_t id, enum token_type type);

/* Make tokens findable; once, after the last was set. */
void vocabulary_index(struct vocabulary *vocabulary);

/* Make the token that was set last findable as well; without an index, it makes one. */
void vocabulary_index_last(struct vocabulary *vocabulary);

/* The id of the normal token with these bytes, or -1. Needs vocabulary_index(). */
int32_t vocabulary_find(const struct vocabulary *vocabulary, const void *bytes, size_t size);

/* The bytes of an id, borrowed; "" and 0 for one that is unused. The id must be below `size`. */
const char *vocabulary_bytes(const struct vocabulary *vocabulary, int32_t id, size_t *size);

static inline enum token_type vocabulary_type(const struct vocabulary *vocabulary, int32_t id)
{
    return (enum token_type)vocabulary->tokens[id].type;
}

void vocabulary_done(struct vocabulary *vocabulary);

#endif
