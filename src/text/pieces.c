#include "text/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "text/tokenizer.h"
#include "text/unicode.h"

static const char blank[] = "\xE2\x96\x81"; /* U+2581 */

void pieces_normalize(struct text *out, const char *bytes, size_t size)
{
    const char *const end = bytes + size;
    while (bytes < end) {
        const char *found = memmem(bytes, (size_t)(end - bytes), blank, 3);
        text_add_bytes(out, bytes, (size_t)((found ? found : end) - bytes));
        if (!found) break;
        text_add_char(out, ' ');
        bytes = found + 3;
    }
}

/* ---- symbols ---- */

int pieces_symbols(const struct tokenizer *tokenizer)
{
    return tokenizer_size(tokenizer) + tokenizer->pieces.characters.size + 1;
}

/* Of one character: a token, one beyond the vocabulary, or the last symbol, which no merge has. */
static int32_t symbol_of(const struct tokenizer *tokenizer, const unsigned char *bytes, size_t size)
{
    const struct pieces *pieces = &tokenizer->pieces;
    const int32_t id = vocabulary_find(&tokenizer->vocabulary, bytes, size);
    if (id >= 0) return id;
    const int32_t other = vocabulary_find(&pieces->characters, bytes, size);
    return tokenizer_size(tokenizer) + (other >= 0 ? other : pieces->characters.size);
}

size_t pieces_symbols_of(const struct tokenizer *tokenizer, int32_t *symbols,
                         const unsigned char *bytes, size_t size)
{
    size_t n = 0;
    for (size_t at = 0, step; at < size; at += step) {
        int32_t code;
        step = unicode_read(&code, bytes + at, size - at);
        symbols[n++] = bytes[at] < 0x80 ? tokenizer->pieces.ascii[bytes[at]]
                                        : symbol_of(tokenizer, bytes + at, step);
    }
    return n;
}

size_t pieces_word(const struct tokenizer *tokenizer, const unsigned char *bytes, size_t size,
                   size_t at)
{
    if (!tokenizer->pieces.by_words) return size;
    while (at < size && bytes[at] == ' ') at++;
    const unsigned char *next = at < size ? memchr(bytes + at, ' ', size - at) : NULL;
    return next ? (size_t)(next - bytes) : size;
}

/* ---- merges from scores ---- */

struct candidate {
    float score;
    int32_t made, left, right;
};

static int by_score(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    if (x->made != y->made) return x->made < y->made ? -1 : 1;
    if (x->left != y->left) return x->left < y->left ? -1 : 1;
    return (x->right > y->right) - (x->right < y->right);
}

/* The symbol of a part of a token, or -1; a character that is none yet becomes one. */
static enum status part_symbol(struct tokenizer *tokenizer, int32_t *symbol, const char *bytes,
                               size_t size, struct error *err)
{
    struct vocabulary *characters = &tokenizer->pieces.characters;
    int32_t code;
    *symbol = vocabulary_find(&tokenizer->vocabulary, bytes, size);
    if (*symbol >= 0) return STATUS_OK;
    if (unicode_read(&code, (const unsigned char *)bytes, size) != size) return STATUS_OK;
    int32_t other = characters->index ? vocabulary_find(characters, bytes, size) : -1;
    if (other < 0) {
        other = characters->size;
        const enum status status =
            vocabulary_set(characters, other, bytes, size, TOKEN_NORMAL, err);
        if (status) return status;
        vocabulary_index_last(characters);
    }
    *symbol = tokenizer_size(tokenizer) + other;
    return STATUS_OK;
}

struct candidates {
    struct candidate *list;
    size_t n, capacity;
};

static enum status add_candidates(struct tokenizer *tokenizer, struct candidates *candidates,
                                  int32_t id, struct error *err)
{
    size_t size;
    const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
    if (size > PIECE_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, "token %d: %zu bytes; at most %d in this kind", id,
                         size, PIECE_SIZE_LIMIT);
    for (size_t at = 0; at < size;) {
        int32_t code, left, right;
        at += unicode_read(&code, (const unsigned char *)bytes + at, size - at);
        if (at >= size) break;
        enum status status = part_symbol(tokenizer, &left, bytes, at, err);
        if (!status) status = part_symbol(tokenizer, &right, bytes + at, size - at, err);
        if (status) return status;
        if (left < 0 || right < 0) continue;
        if (candidates->n == candidates->capacity) {
            candidates->capacity = candidates->capacity ? 2 * candidates->capacity : 4096;
            candidates->list =
                memory_grow(candidates->list, candidates->capacity, sizeof *candidates->list);
        }
        candidates->list[candidates->n++] =
            (struct candidate){tokenizer->pieces.scores[id], id, left, right};
    }
    return STATUS_OK;
}

/* Ranks in the order of scores; equal scores share a level. */
static enum status add_merges(struct tokenizer *tokenizer, const struct candidates *candidates,
                              struct error *err)
{
    struct bpe *bpe = &tokenizer->bpe;
    uint32_t level = 0;
    free(bpe->levels);
    bpe->levels = memory_new(candidates->n, sizeof *bpe->levels);
    for (size_t i = 0; i < candidates->n; i++) {
        const struct candidate *candidate = &candidates->list[i];
        if (i && candidate->score != candidate[-1].score) level++;
        const enum status status =
            bpe_add(bpe, candidate->left, candidate->right, candidate->made, err);
        if (status) return status;
        bpe->levels[i] = level;
    }
    return STATUS_OK;
}

static enum status merges_from_scores(struct tokenizer *tokenizer, struct error *err)
{
    struct candidates candidates = {0};
    enum status status = STATUS_OK;
    for (int32_t id = 0; id < tokenizer_size(tokenizer) && !status; id++)
        if (vocabulary_type(&tokenizer->vocabulary, id) == TOKEN_NORMAL)
            status = add_candidates(tokenizer, &candidates, id, err);
    if (!status && candidates.n)
        qsort(candidates.list, candidates.n, sizeof *candidates.list, by_score);
    if (!status) status = add_merges(tokenizer, &candidates, err);
    free(candidates.list);
    return status;
}

/* ---- finishing ---- */

/* Does a token hold a blank after something else? */
static bool crosses_words(const char *bytes, size_t size)
{
    for (size_t i = 1; i < size; i++)
        if (bytes[i] == ' ' && bytes[i - 1] != ' ') return true;
    return false;
}

enum status pieces_finish(struct tokenizer *tokenizer, struct error *err)
{
    struct pieces *pieces = &tokenizer->pieces;
    vocabulary_index(&pieces->characters);
    if (pieces->scores) {
        const enum status status = merges_from_scores(tokenizer, err);
        if (status) return status;
    }
    for (int c = 0; c < 128; c++) {
        const unsigned char byte = (unsigned char)c;
        pieces->ascii[c] = symbol_of(tokenizer, &byte, 1);
    }
    pieces->by_words = true;
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        size_t size;
        const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
        const enum token_type type = vocabulary_type(&tokenizer->vocabulary, id);
        if (type == TOKEN_NORMAL && crosses_words(bytes, size)) pieces->by_words = false;
        if (type == TOKEN_BYTE) tokenizer->byte_ids[(unsigned char)*bytes] = id;
    }
    return STATUS_OK;
}

void pieces_done(struct pieces *pieces)
{
    free(pieces->scores);
    vocabulary_done(&pieces->characters);
    *pieces = (struct pieces){0};
}
