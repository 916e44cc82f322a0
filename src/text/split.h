/* split.h -- cut text into pieces that tokens never cross: the known patterns, written by hand.
 *
 *   "I'll pay 1234."   gpt2    I  'll  _pay  _1234  .
 *                      cl100k  I  'll  _pay  _  123  4  .
 *
 * Each scanner answers one question: the piece that begins here, where does it end? It looks only
 * forward, and gives what the pattern gives (tests compare them with the pattern itself, through
 * PCRE2, on random text):
 *
 *   gpt2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *   llama3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
 *           | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *   cl100k  as llama3, but \s++$ goes before \s*[\r\n]: white space at the very end is one piece
 *   qwen2   as llama3, but \p{N} one at a time
 *   o200k   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|...)?
 *           |[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|...)?
 *           |\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * Promises: any bytes can be split; one that is not UTF-8 counts as a character that is no letter,
 * number or space. A piece is never empty. All pieces of a text together cost time in proportion to
 * its size.
 * Source: the patterns as published with tiktoken and with the models. Tests: tests/text/split_test.c
 */
#ifndef TEXT_SPLIT_H
#define TEXT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

enum split {
    SPLIT_NONE, /* the whole text is one piece */
    SPLIT_GPT2,
    SPLIT_CL100K,
    SPLIT_O200K,
    SPLIT_LLAMA3,
    SPLIT_QWEN2,
    SPLIT_COUNT
};

/* "none", "gpt2", "cl100k", ...; by name: SPLIT_COUNT when there is none of that name. */
const char *split_name(enum split split);
enum split split_named(const char *name);

/* The pattern that the scanner stands for, as PCRE2 takes it; "" for SPLIT_NONE. */
const char *split_pattern(enum split split);

/* Where the piece that begins at `at` < size ends. The text begins at 0 and ends at `size`. */
typedef size_t split_next(const unsigned char *bytes, size_t size, size_t at);
split_next *split_scanner(enum split split);

/* The last place in the text where a piece begins whatever may follow the text: a letter after an
 * end of line. 0 when there is none. What comes before it can be split by itself. */
size_t split_safe(const unsigned char *bytes, size_t size);

#endif
