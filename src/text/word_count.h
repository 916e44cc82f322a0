/* word_count.h -- the different pieces of a text, and how often each occurs.
 *
 *   up to 15 bytes   the bytes themselves in the table, 24 bytes an entry
 *   longer           in one growing store of bytes; the table says where
 *
 * Counts have 64 bits: they do not overflow. What was counted does not depend on the order of the
 * text. Tests: tests/text/word_count_test.c
 */
#ifndef TEXT_WORD_COUNT_H
#define TEXT_WORD_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { WORD_SHORT = 15 };

struct word {
    uint64_t key[2]; /* the bytes, or {where, ~size} in `store` */
    uint64_t count;  /* 0: nothing here */
};

struct word_count {
    struct word *words;
    size_t n, n_slots;
    struct text store;
};

/* `count` more of this piece. `readable`: how many bytes may be looked at, at least `size`. */
void word_count_add(struct word_count *words, const unsigned char *bytes, size_t size,
                    size_t readable, uint64_t count);

/* All of `other` as well. */
void word_count_join(struct word_count *words, const struct word_count *other);

/* The bytes of an entry with a count, borrowed; short ones are written into `place`. */
const unsigned char *word_bytes(const struct word_count *words, const struct word *word,
                                unsigned char place[16], size_t *size);

/* What it holds now. */
size_t word_count_memory(const struct word_count *words);

void word_count_done(struct word_count *words);

#endif
