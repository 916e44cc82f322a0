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

#include "text/piece_key.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

enum { CACHE_BITS = 14, CACHE_LINES = 1 << CACHE_BITS, CACHE_IDS = 4 };

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
    struct line *lines;
    struct bpe_work work;
    struct tokens symbols;
};

struct encoder *encoder_open(const struct tokenizer *tokenizer,
                             const struct encode_options *options)
{
    struct encoder *encoder = memory_new(1, sizeof *encoder);
    encoder->tokenizer = tokenizer;
    if (options) encoder->options = *options;
    encoder->next = split_scanner(tokenizer->split);
    specials_copy(&encoder->specials, &tokenizer->specials);
    for (int i = 0; i < encoder->specials.n; i++) {
        struct special *special = &encoder->specials.list[i];
        bool allowed = vocabulary_type(&tokenizer->vocabulary, special->id) == TOKEN_ADDED ||
                       encoder->options.specials != SPECIALS_TEXT;
        for (int k = 0; k < encoder->options.n_allowed; k++)
            allowed |= encoder->options.allowed[k] == special->id;
        special->wanted = allowed;
    }
    specials_prepare(&encoder->specials);
    return encoder;
}

void encoder_close(struct encoder *encoder)
{
    if (!encoder) return;
    specials_done(&encoder->specials);
    bpe_work_done(&encoder->work);
    tokens_done(&encoder->symbols);
    free(encoder->lines);
    free(encoder);
}

/* ---- a piece ---- */

static enum status no_token(const struct encoder *encoder, unsigned char byte, struct error *err)
{
    (void)encoder;
    return error_set(
        err, STATUS_FORMAT,
        "byte 0x%02x: this vocabulary has no token for it, and none for what is unknown", byte);
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
    tokens_reserve(out, size);
    int32_t *symbols = out->ids + out->n;
    for (size_t i = 0; i < size; i++) {
        symbols[i] = tokenizer->byte_ids[bytes[i]];
        if (symbols[i] < 0) symbols[i] = tokenizer->unknown;
        if (symbols[i] < 0) return no_token(encoder, bytes[i], err);
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

static inline enum status encode_piece(struct encoder *encoder, struct tokens *out,
                                       const unsigned char *bytes, size_t size, size_t readable,
                                       struct error *err)
{
    if (size > PIECE_KEY_LIMIT) return merge_piece(encoder, out, bytes, size, err);
    uint64_t key[2];
    piece_key(key, bytes, size, readable);
    struct line *line = &encoder->lines[piece_key_hash(key) >> (64 - CACHE_BITS)];
    for (int way = 0; way < 2; way++) {
        const struct known *known = &line->known[way];
        if (known->key[0] != key[0] || (known->key[1] & ~KEY_IDS) != key[1]) continue;
        tokens_reserve(out, CACHE_IDS);
        memcpy(out->ids + out->n, known->ids, sizeof known->ids);
        out->n += known->key[1] >> 60;
        return STATUS_OK;
    }
    return learn_piece(encoder, out, line, key, bytes, size, err);
}

/* ---- stretches without special tokens ---- */

static enum status encode_bytes(struct encoder *encoder, struct tokens *out,
                                const unsigned char *bytes, size_t size, struct error *err)
{
    split_next *const next = encoder->next;
    if (!encoder->lines) {
        encoder->lines = aligned_alloc(64, CACHE_LINES * sizeof *encoder->lines);
        CHECK(encoder->lines);
        memset(encoder->lines, 0, CACHE_LINES * sizeof *encoder->lines);
    }
    for (size_t at = 0, end; at < size; at = end) {
        end = next(bytes, size, at);
        const enum status status = encode_piece(encoder, out, bytes + at, end - at, size - at, err);
        if (status) return status;
    }
    return STATUS_OK;
}

static enum status encode_characters(const struct encoder *encoder, struct tokens *out,
                                     const unsigned char *bytes, size_t size, struct error *err)
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
                             "character U+%04X at byte %zu: it is not one of the %d that this "
                             "tokenizer was made of",
                             code < 0 ? bytes[at] : (unsigned)code, at, tokenizer_size(tokenizer));
        out->ids[out->n++] = id;
    }
    return STATUS_OK;
}

static enum status encode_stretch(struct encoder *encoder, struct tokens *out, const char *bytes,
                                  size_t size, struct error *err)
{
    const unsigned char *p = (const unsigned char *)bytes;
    if (!size) return STATUS_OK;
    if (encoder->tokenizer->kind == TOKENIZER_CHARACTERS)
        return encode_characters(encoder, out, p, size, err);
    return encode_bytes(encoder, out, p, size, err);
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

static enum status encode_whole(struct encoder *encoder, struct tokens *out, const char *bytes,
                                size_t size, struct error *err)
{
    const struct special *special;
    for (size_t at = 0, begin;;) {
        special = specials_find(&encoder->specials, bytes, size, at, &begin);
        const size_t end = special ? begin : size;
        if (special && !is_allowed(encoder, special))
            return error_set(
                err, STATUS_USAGE,
                "byte %zu: the text holds the special token %.*s: allow it, or say that "
                "it is text",
                begin, (int)special->size, special->bytes);
        const enum status status = encode_stretch(encoder, out, bytes + at, end - at, err);
        if (status || !special) return status;
        tokens_add(out, special->id);
        at = begin + special->size;
    }
}

enum status encoder_run(struct encoder *encoder, struct tokens *out, const char *bytes, size_t size,
                        struct error *err)
{
    const struct tokenizer *tokenizer = encoder->tokenizer;
    const size_t before = out->n;
    tokens_reserve(out, size / 3 + 16);
    if (encoder->options.begin && tokenizer->begin >= 0) tokens_add(out, tokenizer->begin);
    const enum status status = encode_whole(encoder, out, bytes, size, err);
    if (status) {
        out->n = before;
        return status;
    }
    if (encoder->options.end && tokenizer->end >= 0) tokens_add(out, tokenizer->end);
    return STATUS_OK;
}
