/* pieces.h -- SentencePiece BPE: what the kind `pieces` adds.
 *
 *   " Hello"   characters: _ H e l l o     merge the pair whose token has the highest score, again
 *
 * Merges come from scores: of every token, all ways to cut it into two parts that are symbols. A part
 * that is one character and no token is a symbol of its own, beyond the vocabulary. Equal scores: the
 * leftmost pair goes first, whichever it is.
 *
 * In memory a token has blanks where its file has U+2581.
 * Source: Kudo and Richardson 2018 (arXiv:1808.06226). We differ: no normal form beyond the blanks.
 * Tests: tests/text/pieces_test.c
 */
#ifndef TEXT_PIECES_H
#define TEXT_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "text/vocabulary.h"

struct tokenizer;

enum { PIECE_SIZE_LIMIT = 512 };

struct pieces {
    float *scores;                /* [V]; NULL when merges came with the file */
    struct vocabulary characters; /* those that are no token: symbol V + its id here */
    int32_t ascii[128];           /* the symbol of a character, or -1 */
    bool blank_first;             /* a blank is put before text, and dropped again */
    bool by_words;                /* no token goes on from a letter to a blank: words are cut */
};

/* Prepare a tokenizer whose vocabulary is indexed. STATUS_LIMIT. */
MUST_CHECK enum status pieces_finish(struct tokenizer *tokenizer, struct error *err);
void pieces_done(struct pieces *pieces);

/* How many symbols there are, those beyond the vocabulary included. */
int pieces_symbols(const struct tokenizer *tokenizer);

/* The symbols of each character of a piece, before any merge; how many. */
size_t pieces_symbols_of(const struct tokenizer *tokenizer, int32_t *symbols,
                         const unsigned char *bytes, size_t size);

/* Where the word that begins at `at` ends: before the next blank that follows something else. */
size_t pieces_word(const struct tokenizer *tokenizer, const unsigned char *bytes, size_t size,
                   size_t at);

/* Append a text with its blanks: U+2581 is one as well. */
void pieces_normalize(struct text *out, const char *bytes, size_t size);

#endif
