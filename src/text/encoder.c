/* encoder.c -- text to ids: special tokens, pieces, and a memory of the pieces seen before.
 *
 *   most pieces are short and common     --cache--> ids
 *   the others                           --bpe_apply--> ids, into the cache where they fit
 *
 * The cache holds pieces of up to 15 bytes that are up to 4 tokens, in lines of two, compared byte
 * for byte. It changes how long an answer takes, never the answer.
 */
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "text/piece_key.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

enum { CACHE_BITS = 14, CACHE_LINES = 1 << CACHE_BITS, CACHE_IDS = 4, AHEAD = 16 };

struct known {
    uint64_t
        key[2]; /* the bytes, zeros; the last 8 bits: how many ids, how many bytes (0: empty) */
    int32_t ids[CACHE_IDS];
};
#define KEY_IDS (UINT64_C(0xF) << 60)

struct line {
    _Alignas(64) struct known known[2]; /* the later one first */
};

struct encoder {
    const struct tokenizer *tokenizer;
    struct encode_options options;
    struct specials specials;
    split_next *next;
    bool cuts;
    size_t longest; /* special token; at least 1 */
    struct line *lines;
    struct bpe_work work;
    struct pattern_cuts pattern_cuts;
    struct text changed; /* a stretch with its blanks or in normal form */
};

struct encoder *encoder_open(const struct tokenizer *tokenizer,
                             const struct encode_options *options)
{
    struct encoder *encoder = memory_new(1, sizeof *encoder);
    encoder->tokenizer = tokenizer;
    if (options) encoder->options = *options;
    encoder->next = split_scanner(tokenizer->split);
    encoder->cuts = tokenizer->kind == TOKENIZER_CHARACTERS ||
                    (tokenizer->kind == TOKENIZER_BYTES && tokenizer->split != SPLIT_NONE &&
                     !tokenizer->patterns.n && !tokenizer->composes);
    encoder->longest = 1;
    specials_copy(&encoder->specials, &tokenizer->specials);
    for (int i = 0; i < encoder->specials.n; i++) {
        struct special *special = &encoder->specials.list[i];
        bool allowed = vocabulary_type(&tokenizer->vocabulary, special->id) == TOKEN_ADDED ||
                       encoder->options.specials != SPECIALS_TEXT;
        for (int k = 0; k < encoder->options.n_allowed; k++)
            allowed |= encoder->options.allowed[k] == special->id;
        special->wanted = allowed;
        if (special->size > encoder->longest) encoder->longest = special->size;
        if (memchr(special->bytes, '\n', special->size)) encoder->cuts = false;
    }
    specials_prepare(&encoder->specials);
    return encoder;
}

void encoder_close(struct encoder *encoder)
{
    if (!encoder) return;
    specials_done(&encoder->specials);
    bpe_work_done(&encoder->work);
    pattern_cuts_done(&encoder->pattern_cuts);
    text_done(&encoder->changed);
    free(encoder->lines);
    free(encoder);
}

/* ---- a piece ---- */

static enum status no_token(unsigned char byte, struct error *err)
{
    return error_set(
        err, STATUS_FORMAT,
        "byte 0x%02x: this vocabulary has no token for it, and none for what is unknown", byte);
}

/* Append the token of one byte, or the unknown one. */
static enum status add_byte(const struct tokenizer *tokenizer, struct tokens *out,
                            unsigned char byte, struct error *err)
{
    const int32_t id = tokenizer->byte_ids[byte];
    if (id < 0 && tokenizer->unknown < 0) return no_token(byte, err);
    tokens_add(out, id < 0 ? tokenizer->unknown : id);
    return STATUS_OK;
}

/* Characters of a piece that no token writes are written as bytes; without tokens for bytes, each is
 * one unknown token. */
static enum status fall_back(const struct tokenizer *tokenizer, struct tokens *out,
                             const unsigned char *bytes, size_t size, struct error *err)
{
    bool has_bytes = true;
    for (size_t i = 0; i < size; i++) has_bytes &= tokenizer->byte_ids[bytes[i]] >= 0;
    for (size_t i = 0; i < (has_bytes ? size : 1); i++) {
        const enum status status = add_byte(tokenizer, out, bytes[i], err);
        if (status) return status;
    }
    return STATUS_OK;
}

static enum status merge_characters(struct encoder *encoder, struct tokens *out,
                                    const unsigned char *bytes, size_t size, struct error *err)
{
    const struct tokenizer *tokenizer = encoder->tokenizer;
    tokens_reserve(out, 2 * size); /* symbols beside the ids that they become */
    int32_t *symbols = out->ids + out->n + size;
    const size_t n = bpe_apply(&tokenizer->bpe, &encoder->work, symbols,
                               pieces_symbols_of(tokenizer, symbols, bytes, size));
    for (size_t i = 0, at = 0; i < n; i++) {
        size_t length;
        int32_t code;
        if (symbols[i] < tokenizer_size(tokenizer)) {
            (void)vocabulary_bytes(&tokenizer->vocabulary, symbols[i], &length);
            out->ids[out->n++] = symbols[i];
        } else {
            length = unicode_read(&code, bytes + at, size - at);
            const enum status status = fall_back(tokenizer, out, bytes + at, length, err);
            if (status) return status;
        }
        at += length;
    }
    return STATUS_OK;
}

/* Append the ids of a piece by its merges. */
static enum status merge_piece(struct encoder *encoder, struct tokens *out,
                               const unsigned char *bytes, size_t size, struct error *err)
{
    const struct tokenizer *tokenizer = encoder->tokenizer;
    if (tokenizer->whole_first) {
        const int32_t id = vocabulary_find(&tokenizer->vocabulary, bytes, size);
        if (id >= 0) {
            tokens_add(out, id);
            return STATUS_OK;
        }
    }
    if (tokenizer->kind == TOKENIZER_PIECES)
        return merge_characters(encoder, out, bytes, size, err);
    tokens_reserve(out, size);
    int32_t *symbols = out->ids + out->n;
    for (size_t i = 0; i < size; i++) {
        symbols[i] = tokenizer->byte_ids[bytes[i]];
        if (symbols[i] < 0) symbols[i] = tokenizer->unknown;
        if (symbols[i] < 0) return no_token(bytes[i], err);
    }
    out->n += bpe_apply(&tokenizer->bpe, &encoder->work, symbols, size);
    return STATUS_OK;
}

/* A short piece that is not in the cache: merge it and remember. */
static enum status learn_piece(struct encoder *encoder, struct tokens *out, struct line *line,
                               const uint64_t key[2], const unsigned char *bytes, size_t size,
                               struct error *err)
{
    const size_t before = out->n;
    const enum status status = merge_piece(encoder, out, bytes, size, err);
    if (status || out->n - before > CACHE_IDS) return status;
    line->known[1] = line->known[0];
    line->known[0] = (struct known){.key = {key[0], key[1] | (uint64_t)(out->n - before) << 60}};
    memcpy(line->known[0].ids, out->ids + before, (out->n - before) * sizeof *out->ids);
    return STATUS_OK;
}

/* A piece that may be in the cache: where it would be. */
struct looked_up {
    uint64_t key[2];
    struct line *line;
    size_t at, size;
};

static inline enum status encode_piece(struct encoder *encoder, struct tokens *out,
                                       const struct looked_up *piece, const unsigned char *bytes,
                                       struct error *err)
{
    if (piece->size > PIECE_KEY_LIMIT)
        return merge_piece(encoder, out, bytes + piece->at, piece->size, err);
    for (int way = 0; way < 2; way++) {
        const struct known *known = &piece->line->known[way];
        if (known->key[0] != piece->key[0] || (known->key[1] & ~KEY_IDS) != piece->key[1]) continue;
        tokens_reserve(out, CACHE_IDS);
        memcpy(out->ids + out->n, known->ids, sizeof known->ids);
        out->n += known->key[1] >> 60;
        return STATUS_OK;
    }
    return learn_piece(encoder, out, piece->line, piece->key, bytes + piece->at, piece->size, err);
}

/* ---- stretches without special tokens ---- */

/* Look a piece up and fetch its line. */
static inline void look_up(const struct encoder *encoder, struct looked_up *piece,
                           const unsigned char *bytes, size_t at, size_t end, size_t size)
{
    piece->at = at;
    piece->size = end - at;
    if (piece->size > PIECE_KEY_LIMIT) return;
    piece_key(piece->key, bytes + at, piece->size, size - at);
    piece->line = &encoder->lines[piece_key_hash(piece->key) >> (64 - CACHE_BITS)];
    __builtin_prefetch(piece->line);
}

static void prepare_lines(struct encoder *encoder)
{
    if (encoder->lines) return;
    encoder->lines = aligned_alloc(64, CACHE_LINES * sizeof *encoder->lines);
    CHECK(encoder->lines);
    memset(encoder->lines, 0, CACHE_LINES * sizeof *encoder->lines);
}

static enum status encode_bytes(struct encoder *encoder, struct tokens *out,
                                const unsigned char *bytes, size_t stop, size_t size,
                                struct error *err)
{
    split_next *const next = encoder->next;
    for (size_t at = 0; at < stop;) { /* lines are on their way while other pieces are sought */
        struct looked_up pieces[AHEAD];
        int n = 0;
        for (; n < AHEAD && at < stop; n++) {
            const size_t end = next(bytes, size, at);
            look_up(encoder, &pieces[n], bytes, at, end, size);
            at = end;
        }
        for (int i = 0; i < n; i++) {
            const enum status status = encode_piece(encoder, out, &pieces[i], bytes, err);
            if (status) return status;
        }
    }
    return STATUS_OK;
}

/* Pieces by regular expressions. */
static enum status encode_by_patterns(struct encoder *encoder, struct tokens *out,
                                      const unsigned char *bytes, size_t size, struct error *err)
{
    const struct pattern_cuts *cuts = &encoder->pattern_cuts;
    enum status status =
        patterns_cut(&encoder->tokenizer->patterns, &encoder->pattern_cuts, bytes, size, err);
    for (size_t i = 0, at = 0; i < cuts->n && !status; at = cuts->ends[i++]) {
        struct looked_up piece;
        look_up(encoder, &piece, bytes, at, cuts->ends[i], size);
        status = encode_piece(encoder, out, &piece, bytes, err);
    }
    return status;
}

/* SentencePiece: words with the blanks before them, where no token crosses their borders. */
static enum status encode_words(struct encoder *encoder, struct tokens *out, const char *text,
                                size_t text_size, struct error *err)
{
    struct text *changed = &encoder->changed;
    text_clear(changed);
    if (encoder->tokenizer->pieces.blank_first) text_add_char(changed, ' ');
    pieces_normalize(changed, text, text_size);
    const unsigned char *bytes = (const unsigned char *)changed->data;
    for (size_t at = 0, end; at < changed->size; at = end) {
        struct looked_up piece;
        end = pieces_word(encoder->tokenizer, bytes, changed->size, at);
        look_up(encoder, &piece, bytes, at, end, changed->size);
        const enum status status = encode_piece(encoder, out, &piece, bytes, err);
        if (status) return status;
    }
    return STATUS_OK;
}

static enum status encode_characters(const struct encoder *encoder, struct tokens *out,
                                     const unsigned char *bytes, size_t size, uint64_t origin,
                                     struct error *err)
{
    const struct tokenizer *tokenizer = encoder->tokenizer;
    tokens_reserve(out, size);
    for (size_t at = 0, n; at < size; at += n) {
        int32_t code;
        n = unicode_read(&code, bytes + at, size - at);
        int32_t id = code < 0x80 && code >= 0
                         ? tokenizer->byte_ids[code]
                         : vocabulary_find(&tokenizer->vocabulary, bytes + at, n);
        if (id < 0) id = tokenizer->unknown;
        if (id < 0)
            return error_set(err, STATUS_FORMAT,
                             "character U+%04X at byte %llu: it is not one of the %d that this "
                             "tokenizer was made of",
                             code < 0 ? bytes[at] : (unsigned)code,
                             (unsigned long long)(origin + at), tokenizer_size(tokenizer));
        out->ids[out->n++] = id;
    }
    return STATUS_OK;
}

/* Bring a stretch to NFC, what is no UTF-8 left as it is; false when it is in that form already. */
static bool compose(struct text *out, const char *bytes, size_t size)
{
    bool ascii = true;
    for (size_t i = 0; i < size && ascii; i++) ascii = (unsigned char)bytes[i] < 0x80;
    if (ascii) return false;
    text_clear(out);
    for (size_t at = 0; at < size;) {
        const size_t good = text_utf8_valid(bytes + at, size - at);
        utf8proc_uint8_t *composed = NULL;
        const utf8proc_ssize_t n =
            utf8proc_map((const utf8proc_uint8_t *)bytes + at, (utf8proc_ssize_t)good, &composed,
                         UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        if (good && n >= 0) text_add_bytes(out, composed, (size_t)n);
        else text_add_bytes(out, bytes + at, good);
        free(composed);
        at += good;
        if (at < size) text_add_char(out, bytes[at++]);
    }
    return true;
}

/* [0, stop) of a stretch that goes on to `size`. */
static enum status encode_stretch(struct encoder *encoder, struct tokens *out, const char *bytes,
                                  size_t stop, size_t size, uint64_t origin, struct error *err)
{
    const struct tokenizer *tokenizer = encoder->tokenizer;
    if (!stop) return STATUS_OK;
    if (tokenizer->kind == TOKENIZER_CHARACTERS)
        return encode_characters(encoder, out, (const unsigned char *)bytes, stop, origin, err);
    prepare_lines(encoder);
    if (tokenizer->kind == TOKENIZER_PIECES) return encode_words(encoder, out, bytes, stop, err);
    if (tokenizer->composes && compose(&encoder->changed, bytes, stop)) {
        bytes = encoder->changed.data; /* it is not cut into parts, so stop is size */
        stop = size = encoder->changed.size;
    }
    const unsigned char *p = (const unsigned char *)bytes;
    if (tokenizer->patterns.n) return encode_by_patterns(encoder, out, p, stop, err);
    return encode_bytes(encoder, out, p, stop, size, err);
}

/* ---- the whole ---- */

/* May this special token be made from text? */
static bool is_allowed(const struct encoder *encoder, const struct special *special)
{
    if (vocabulary_type(&encoder->tokenizer->vocabulary, special->id) == TOKEN_ADDED) return true;
    for (int i = 0; i < encoder->options.n_allowed; i++)
        if (encoder->options.allowed[i] == special->id) return true;
    return encoder->options.specials == SPECIALS_ALLOW;
}

static enum status encode_part(struct encoder *encoder, struct tokens *out, const char *bytes,
                               size_t stop, size_t size, uint64_t origin, struct error *err)
{
    if (size - stop > encoder->longest) size = stop + encoder->longest; /* no more decides */
    for (size_t at = 0, begin; at < stop;) {
        const struct special *special = specials_find(&encoder->specials, bytes, size, at, &begin);
        const size_t end = special ? begin : size, last = end < stop ? end : stop;
        if (special && end < stop && !is_allowed(encoder, special))
            return error_set(err, STATUS_USAGE,
                             "byte %llu: the text holds the special token %.*s: allow it, or say "
                             "that it is text",
                             (unsigned long long)(origin + begin), (int)special->size,
                             special->bytes);
        const enum status status =
            encode_stretch(encoder, out, bytes + at, last - at, end - at, origin + at, err);
        if (status || end >= stop) return status;
        tokens_add(out, special->id);
        at = begin + special->size;
    }
    return STATUS_OK;
}

bool encoder_cuts(const struct encoder *encoder) { return encoder->cuts; }

enum status encoder_run_part(struct encoder *encoder, struct tokens *out, const char *bytes,
                             size_t stop, size_t size, uint64_t origin, struct error *err)
{
    const size_t before = out->n;
    tokens_reserve(out, stop / 3 + 16);
    const enum status status = encode_part(encoder, out, bytes, stop, size, origin, err);
    if (status) out->n = before;
    return status;
}

enum status encoder_run(struct encoder *encoder, struct tokens *out, const char *bytes, size_t size,
                        struct error *err)
{
    const struct tokenizer *tokenizer = encoder->tokenizer;
    const size_t before = out->n;
    if (encoder->options.begin && tokenizer->begin >= 0) tokens_add(out, tokenizer->begin);
    const enum status status = encoder_run_part(encoder, out, bytes, size, size, 0, err);
    if (status) {
        out->n = before;
        return status;
    }
    if (encoder->options.end && tokenizer->end >= 0) tokens_add(out, tokenizer->end);
    return STATUS_OK;
}
