/* tokenizer_llama2c.c -- tok.bin, as llama2.c keeps the tokenizers of its small models.
 *
 *   i32 longest token | for each token: f32 score | i32 size | bytes
 *   0 <unk>, 1 and 2 the beginning and the end of a text, 3..258 the bytes, then pieces
 *
 * The file does not say how many there are: it is read to its end. Blanks are blanks here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/file_parts.h"

enum { FIRST_BYTE = 3, FIRST_PIECE = FIRST_BYTE + 256 };

static enum status read_token(struct tokenizer *tokenizer, int64_t id, const char *bytes,
                              size_t size, struct error *err)
{
    struct vocabulary *vocabulary = &tokenizer->vocabulary;
    char expected[8];
    if (id == 0) return vocabulary_set(vocabulary, id, bytes, size, TOKEN_UNKNOWN, err);
    if (id < FIRST_BYTE) return vocabulary_set(vocabulary, id, bytes, size, TOKEN_SPECIAL, err);
    if (id >= FIRST_PIECE) return vocabulary_set(vocabulary, id, bytes, size, TOKEN_NORMAL, err);
    const int byte = (int)(id - FIRST_BYTE);
    snprintf(expected, sizeof expected, "<0x%02X>", byte);
    if (size != 6 || memcmp(bytes, expected, 6) != 0)
        return error_set(err, STATUS_FORMAT, "token %lld: expected %s", (long long)id, expected);
    return vocabulary_set(vocabulary, id, &(char){(char)byte}, 1, TOKEN_BYTE, err);
}

static enum status read_tokens(struct tokenizer *tokenizer, const char *bytes, size_t size,
                               struct error *err)
{
    const char *at = bytes + sizeof(int32_t), *const end = bytes + size;
    int64_t id = 0;
    for (; at < end; id++) {
        float score;
        int32_t length;
        if ((size_t)(end - at) < sizeof score + sizeof length)
            return error_set(err, STATUS_FORMAT, "token %lld: the file ends within it",
                             (long long)id);
        memcpy(&score, at, sizeof score);
        memcpy(&length, at + sizeof score, sizeof length);
        at += sizeof score + sizeof length;
        if (length < 0 || length > end - at)
            return error_set(err, STATUS_FORMAT, "token %lld: %d bytes; %td are left in the file",
                             (long long)id, length, end - at);
        if (score != score)
            return error_set(err, STATUS_FORMAT, "token %lld: its score is not a number",
                             (long long)id);
        const enum status status = read_token(tokenizer, id, at, (size_t)length, err);
        if (status) return status;
        if ((id & (id - 1)) == 0)
            tokenizer->pieces.scores =
                memory_grow(tokenizer->pieces.scores, id ? 2 * (size_t)id : 1,
                            sizeof *tokenizer->pieces.scores);
        tokenizer->pieces.scores[id] = score;
        at += length;
    }
    if (id < FIRST_PIECE)
        return error_set(err, STATUS_FORMAT, "%lld tokens: at least %d are expected", (long long)id,
                         FIRST_PIECE);
    return STATUS_OK;
}

enum status tokenizer_llama2c_parse(struct tokenizer **out, const char *bytes, size_t size,
                                    struct error *err)
{
    *out = NULL;
    if (size < sizeof(int32_t)) return error_set(err, STATUS_FORMAT, "%zu bytes: no tok.bin", size);
    struct tokenizer *tokenizer = tokenizer_new(TOKENIZER_PIECES);
    enum status status = read_tokens(tokenizer, bytes, size, err);
    if (!status) {
        vocabulary_index(&tokenizer->vocabulary);
        tokenizer->unknown = 0;
        tokenizer->begin = 1;
        tokenizer->end = 2;
        tokenizer->pieces.blank_first = true;
        status = tokenizer_finish(tokenizer, err);
    }
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}

static bool has_that_order(const struct tokenizer *tokenizer)
{
    const struct vocabulary *vocabulary = &tokenizer->vocabulary;
    if (tokenizer->kind != TOKENIZER_PIECES || !tokenizer->pieces.scores ||
        vocabulary->size < FIRST_PIECE || !tokenizer->pieces.blank_first)
        return false;
    for (int byte = 0; byte < 256; byte++)
        if (tokenizer->byte_ids[byte] != FIRST_BYTE + byte) return false;
    for (int32_t id = FIRST_PIECE; id < vocabulary->size; id++)
        if (vocabulary_type(vocabulary, id) != TOKEN_NORMAL) return false;
    return true;
}

enum status tokenizer_llama2c_write(struct text *out, const struct tokenizer *tokenizer,
                                    struct error *err)
{
    int32_t longest = 0;
    if (!has_that_order(tokenizer))
        return error_set(
            err, STATUS_USAGE,
            "tok.bin is for SentencePiece tokenizers with scores whose ids are <unk>, two "
            "special ones, the 256 bytes, then pieces");
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++)
        if ((int32_t)tokenizer->vocabulary.tokens[id].size > longest)
            longest = (int32_t)tokenizer->vocabulary.tokens[id].size;
    text_add_bytes(out, &longest, sizeof longest);
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        char name[8];
        size_t size;
        const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
        if (vocabulary_type(&tokenizer->vocabulary, id) == TOKEN_BYTE) {
            size = (size_t)snprintf(name, sizeof name, "<0x%02X>", (unsigned char)*bytes);
            bytes = name;
        }
        const int32_t length = (int32_t)size;
        text_add_bytes(out, &tokenizer->pieces.scores[id], sizeof(float));
        text_add_bytes(out, &length, sizeof length);
        text_add_bytes(out, bytes, size);
    }
    return STATUS_OK;
}
