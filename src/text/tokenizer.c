#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "text/tokenizer_file.h"
#include "text/unicode.h"

struct tokenizer *tokenizer_new(enum tokenizer_kind kind)
{
    struct tokenizer *tokenizer = memory_new(1, sizeof *tokenizer);
    tokenizer->kind = kind;
    tokenizer->begin = tokenizer->end = tokenizer->unknown = -1;
    memset(tokenizer->byte_ids, 0xFF, sizeof tokenizer->byte_ids);
    return tokenizer;
}

void tokenizer_close(struct tokenizer *tokenizer)
{
    if (!tokenizer) return;
    vocabulary_done(&tokenizer->vocabulary);
    bpe_done(&tokenizer->bpe);
    patterns_done(&tokenizer->patterns);
    pieces_done(&tokenizer->pieces);
    specials_done(&tokenizer->specials);
    free(tokenizer);
}

/* ---- finishing ---- */

static void find_bytes(struct tokenizer *tokenizer)
{
    for (int byte = 0; byte < 256; byte++) {
        const unsigned char c = (unsigned char)byte;
        tokenizer->byte_ids[byte] = vocabulary_find(&tokenizer->vocabulary, &c, 1);
    }
}

static void find_specials(struct tokenizer *tokenizer)
{
    const struct vocabulary *vocabulary = &tokenizer->vocabulary;
    struct special *list = memory_new((size_t)vocabulary->size, sizeof *list);
    int n = 0;
    for (int32_t id = 0; id < vocabulary->size; id++) {
        const enum token_type type = vocabulary_type(vocabulary, id);
        if (type != TOKEN_SPECIAL && type != TOKEN_ADDED) continue;
        list[n].id = id;
        list[n].wanted = true;
        list[n].bytes = vocabulary_bytes(vocabulary, id, &list[n].size);
        n++;
    }
    specials_init(&tokenizer->specials, list, n);
    free(list);
}

/* All that decides which ids a text gets, in one number. */
static uint64_t fingerprint(const struct tokenizer *tokenizer)
{
    const struct vocabulary *vocabulary = &tokenizer->vocabulary;
    XXH3_state_t *state = XXH3_createState();
    CHECK(state);
    XXH3_64bits_reset(state);
    const int32_t head[] = {(int32_t)tokenizer->kind, (int32_t)tokenizer->split,
                            tokenizer->whole_first,   vocabulary->size,
                            tokenizer->composes,      tokenizer->pieces.blank_first};
    XXH3_64bits_update(state, head, sizeof head);
    for (int i = 0; i < tokenizer->patterns.n; i++)
        XXH3_64bits_update(state, tokenizer->patterns.texts[i],
                           strlen(tokenizer->patterns.texts[i]) + 1);
    for (int32_t id = 0; id < vocabulary->size; id++) {
        size_t size;
        const char *bytes = vocabulary_bytes(vocabulary, id, &size);
        const uint32_t token[] = {(uint32_t)size, (uint32_t)vocabulary_type(vocabulary, id)};
        XXH3_64bits_update(state, token, sizeof token);
        XXH3_64bits_update(state, bytes, size);
    }
    XXH3_64bits_update(state, tokenizer->bpe.merges,
                       (size_t)tokenizer->bpe.n_merges * sizeof *tokenizer->bpe.merges);
    const uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return hash;
}

enum status tokenizer_finish(struct tokenizer *tokenizer, struct error *err)
{
    if (tokenizer->vocabulary.size == 0)
        return error_set(err, STATUS_FORMAT, "the vocabulary has no tokens");
    unicode_init();
    vocabulary_index(&tokenizer->vocabulary);
    if (tokenizer->kind == TOKENIZER_PIECES) {
        const enum status status = pieces_finish(tokenizer, err);
        if (status) return status;
        bpe_index(&tokenizer->bpe, pieces_symbols(tokenizer));
    } else {
        bpe_index(&tokenizer->bpe, tokenizer->vocabulary.size);
        find_bytes(tokenizer);
    }
    find_specials(tokenizer);
    tokenizer->hash = fingerprint(tokenizer);
    return STATUS_OK;
}

/* ---- characters ---- */

static int ascending(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The different code points of a text, in order; the caller frees them. */
static enum status characters_of(int32_t **codes, int *n, const unsigned char *bytes, size_t size,
                                 struct error *err)
{
    bool *seen = memory_new(0x110000, sizeof *seen);
    *codes = memory_new(0x110000, sizeof **codes);
    *n = 0;
    for (size_t at = 0, step; at < size; at += step) {
        int32_t code;
        step = unicode_read(&code, bytes + at, size - at);
        if (code < 0) {
            free(seen);
            return error_set(err, STATUS_FORMAT, "byte %zu: not UTF-8, so these are no characters",
                             at);
        }
        if (!seen[code]) (*codes)[(*n)++] = code;
        seen[code] = true;
    }
    free(seen);
    qsort(*codes, (size_t)*n, sizeof **codes, ascending);
    return STATUS_OK;
}

enum status tokenizer_of_characters(struct tokenizer **out, const char *bytes, size_t size,
                                    struct error *err)
{
    int32_t *codes;
    int n;
    *out = NULL;
    if (!size) return error_set(err, STATUS_USAGE, "the text is empty: it has no characters");
    enum status status = characters_of(&codes, &n, (const unsigned char *)bytes, size, err);
    struct tokenizer *tokenizer = tokenizer_new(TOKENIZER_CHARACTERS);
    for (int id = 0; !status && id < n; id++) {
        char written[4];
        const size_t length = unicode_write(written, codes[id]);
        status = vocabulary_set(&tokenizer->vocabulary, id, written, length, TOKEN_NORMAL, err);
    }
    free(codes);
    if (!status) status = tokenizer_finish(tokenizer, err);
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}

/* ---- look-ups ---- */

int32_t tokenizer_find(const struct tokenizer *tokenizer, const char *bytes, size_t size)
{
    const struct specials *specials = &tokenizer->specials;
    for (int i = 0; i < specials->n; i++)
        if (specials->list[i].size == size && memcmp(specials->list[i].bytes, bytes, size) == 0)
            return specials->list[i].id;
    return vocabulary_find(&tokenizer->vocabulary, bytes, size);
}

/* What a token adds to the text. */
static const char *written(const struct tokenizer *tokenizer, int32_t id, bool specials,
                           size_t *size)
{
    const enum token_type type = vocabulary_type(&tokenizer->vocabulary, id);
    *size = 0;
    if (type == TOKEN_SPECIAL && !specials) return "";
    return vocabulary_bytes(&tokenizer->vocabulary, id, size);
}

const char *tokenizer_bytes(const struct tokenizer *tokenizer, int32_t id, size_t *size)
{
    return written(tokenizer, id, false, size);
}

static enum status check_id(const struct tokenizer *tokenizer, int32_t id, struct error *err)
{
    if (id >= 0 && id < tokenizer_size(tokenizer)) return STATUS_OK;
    return error_set(err, STATUS_USAGE, "token id %d: this vocabulary has ids 0 to %d", id,
                     tokenizer_size(tokenizer) - 1);
}

/* The blank that was put before the text: dropped from the first token that writes something. */
static const char *without_first_blank(const struct tokenizer *tokenizer, bool *begun,
                                       const char *bytes, size_t *size)
{
    if (*begun || !*size) return bytes;
    *begun = true;
    if (tokenizer->kind != TOKENIZER_PIECES || !tokenizer->pieces.blank_first || *bytes != ' ')
        return bytes;
    (*size)--;
    return bytes + 1;
}

enum status tokenizer_decode(const struct tokenizer *tokenizer, struct text *out,
                             const int32_t *ids, size_t n, bool specials, struct error *err)
{
    bool begun = false;
    for (size_t i = 0; i < n; i++) {
        const enum status status = check_id(tokenizer, ids[i], err);
        if (status) return status;
        size_t size;
        const char *bytes = written(tokenizer, ids[i], specials, &size);
        bytes = without_first_blank(tokenizer, &begun, bytes, &size);
        text_add_bytes(out, bytes, size);
    }
    return STATUS_OK;
}

enum status tokenizer_offsets(const struct tokenizer *tokenizer, size_t *offsets,
                              const int32_t *ids, size_t n, bool specials, struct error *err)
{
    bool begun = false;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const enum status status = check_id(tokenizer, ids[i], err);
        if (status) return status;
        size_t size;
        const char *bytes = written(tokenizer, ids[i], specials, &size);
        (void)without_first_blank(tokenizer, &begun, bytes, &size);
        offsets[i] = at;
        at += size;
    }
    offsets[n] = at;
    return STATUS_OK;
}

/* ---- streams ---- */

static const char replacement[] = "\xEF\xBF\xBD";

void decoder_init(struct decoder *decoder, const struct tokenizer *tokenizer, bool specials)
{
    *decoder = (struct decoder){.tokenizer = tokenizer, .specials = specials};
}

/* Could these bytes be the beginning of a character? n is 1 to 3. */
static bool is_beginning(const unsigned char *p, size_t n)
{
    const unsigned c = p[0];
    const size_t needed = c >= 0xC2 && c < 0xE0   ? 2
                          : c >= 0xE0 && c < 0xF0 ? 3
                          : c >= 0xF0 && c < 0xF5 ? 4
                                                  : 0;
    if (n >= needed) return false;
    if (n > 1) {
        const unsigned least = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        const unsigned most = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        if (p[1] < least || p[1] > most) return false;
    }
    return n < 3 || (p[2] & 0xC0) == 0x80;
}

/* One more byte: what is held stays the beginning of a character, becomes one, or is given up. */
static void add_byte(struct decoder *decoder, struct text *out, unsigned char byte)
{
    decoder->held[decoder->n_held++] = byte;
    if (text_utf8_valid(decoder->held, decoder->n_held) == decoder->n_held) {
        text_add_bytes(out, decoder->held, decoder->n_held);
        decoder->n_held = 0;
    } else if (!is_beginning(decoder->held, decoder->n_held)) {
        /* the longest beginning is one bad character, as Unicode recommends; the byte starts anew */
        const bool again = decoder->n_held > 1;
        text_add(out, replacement);
        decoder->n_held = 0;
        if (again) add_byte(decoder, out, byte);
    }
}

enum status decoder_add(struct decoder *decoder, struct text *out, int32_t id, struct error *err)
{
    const enum status status = check_id(decoder->tokenizer, id, err);
    if (status) return status;
    size_t size;
    const char *bytes = written(decoder->tokenizer, id, decoder->specials, &size);
    bytes = without_first_blank(decoder->tokenizer, &decoder->begun, bytes, &size);
    for (size_t i = 0; i < size; i++) add_byte(decoder, out, (unsigned char)bytes[i]);
    return STATUS_OK;
}

void decoder_end(struct decoder *decoder, struct text *out)
{
    if (decoder->n_held) text_add(out, replacement);
    decoder->n_held = 0;
}
