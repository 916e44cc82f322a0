/* tokenizer_gpt2.c -- vocab.json and merges.txt (encoder.json and vocab.bpe).
 *
 *   vocab.json   {"token": id, ...}, bytes written as printable characters (byte_text.c)
 *   merges.txt   a line "#version: ..." or none, then a merge a line: two tokens and a blank between
 *
 * The files do not say which tokens are special: those are that are no byte and made by no merge. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/file_parts.h"

/* ---- reading ---- */

static enum status read_vocabulary(struct tokenizer *tokenizer, const json_t *object,
                                   struct error *err)
{
    struct text bytes = {0};
    const char *key;
    json_t *value;
    enum status status = STATUS_OK;
    if (!json_is_object(object))
        return error_set(err, STATUS_FORMAT, "vocabulary: expected an object of token: id");
    json_object_foreach((json_t *)object, key, value)
    {
        text_clear(&bytes);
        if (!json_is_integer(value))
            status =
                error_set(err, STATUS_FORMAT, "vocabulary: \"%.80s\": the id is no integer", key);
        else if (byte_text_read(&bytes, key, strlen(key)))
            status = vocabulary_set(&tokenizer->vocabulary, json_integer_value(value),
                                    text_string(&bytes), bytes.size, TOKEN_NORMAL, err);
        else
            status = vocabulary_set(&tokenizer->vocabulary, json_integer_value(value), key,
                                    strlen(key), TOKEN_SPECIAL, err);
        if (status) break;
    }
    text_done(&bytes);
    return status;
}

enum status byte_merge_add(struct tokenizer *tokenizer, const char *left, size_t left_size,
                           const char *right, size_t right_size, struct error *err)
{
    struct text bytes = {0};
    int32_t ids[3] = {-1, -1, -1};
    if (byte_text_read(&bytes, left, left_size)) {
        const size_t middle = bytes.size;
        ids[0] = vocabulary_find(&tokenizer->vocabulary, text_string(&bytes), middle);
        if (byte_text_read(&bytes, right, right_size)) {
            ids[1] = vocabulary_find(&tokenizer->vocabulary, text_string(&bytes) + middle,
                                     bytes.size - middle);
            ids[2] = vocabulary_find(&tokenizer->vocabulary, text_string(&bytes), bytes.size);
        }
    }
    text_done(&bytes);
    static const char *const parts[] = {"its left part", "its right part", "what it makes"};
    for (int i = 0; i < 3; i++)
        if (ids[i] < 0)
            return error_set(err, STATUS_FORMAT,
                             "merge %d, \"%.*s %.*s\": %s is not in the vocabulary",
                             tokenizer->bpe.n_merges + 1, (int)(left_size < 80 ? left_size : 80),
                             left, (int)(right_size < 80 ? right_size : 80), right, parts[i]);
    return bpe_add(&tokenizer->bpe, ids[0], ids[1], ids[2], err);
}

static enum status read_merges(struct tokenizer *tokenizer, const char *bytes, size_t size,
                               struct error *err)
{
    const char *const end = bytes + size;
    for (const char *line = bytes; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (!stop) stop = end;
        const char *const next = stop < end ? stop + 1 : end;
        if (stop > line && stop[-1] == '\r') stop--;
        const bool is_head = line == bytes && stop - line >= 8 && !memcmp(line, "#version", 8);
        if (stop > line && !is_head) {
            const char *blank = memchr(line, ' ', (size_t)(stop - line));
            if (!blank || memchr(blank + 1, ' ', (size_t)(stop - blank - 1)))
                return error_set(err, STATUS_FORMAT,
                                 "merge %d, \"%.*s\": expected two tokens with one blank between",
                                 tokenizer->bpe.n_merges + 1,
                                 (int)(stop - line < 80 ? stop - line : 80), line);
            const enum status status = byte_merge_add(tokenizer, line, (size_t)(blank - line),
                                                      blank + 1, (size_t)(stop - blank - 1), err);
            if (status) return status;
        }
        line = next;
    }
    return STATUS_OK;
}

/* Tokens that no merge makes, longer than a byte, are what the file spells. */
static enum status mark_specials(struct tokenizer *tokenizer, struct error *err)
{
    struct vocabulary *vocabulary = &tokenizer->vocabulary;
    struct text name = {0};
    enum status status = STATUS_OK;
    bool *made = memory_new((size_t)vocabulary->size, sizeof *made);
    for (int i = 0; i < tokenizer->bpe.n_merges; i++) made[tokenizer->bpe.merges[i].made] = true;
    for (int32_t id = 0; id < vocabulary->size && !status; id++) {
        size_t size;
        const char *bytes = vocabulary_bytes(vocabulary, id, &size);
        if (made[id] || vocabulary_type(vocabulary, id) != TOKEN_NORMAL || size < 2) continue;
        text_clear(&name);
        byte_text_write(&name, bytes, size);
        vocabulary_mark(vocabulary, id, TOKEN_UNUSED);
        status = vocabulary_set(vocabulary, id, name.data, name.size, TOKEN_SPECIAL, err);
    }
    text_done(&name);
    free(made);
    return status;
}

enum status tokenizer_gpt2_parse(struct tokenizer **out, const char *vocabulary,
                                 size_t vocabulary_size, const char *merges, size_t merges_size,
                                 struct error *err)
{
    json_t *object;
    *out = NULL;
    enum status status = json_parse(&object, vocabulary, vocabulary_size, err);
    if (status) return status;
    struct tokenizer *tokenizer = tokenizer_new(TOKENIZER_BYTES);
    tokenizer->split = SPLIT_GPT2;
    status = read_vocabulary(tokenizer, object, err);
    json_decref(object);
    if (!status) {
        vocabulary_index(&tokenizer->vocabulary);
        status = read_merges(tokenizer, merges, merges_size, err);
    }
    if (!status) status = mark_specials(tokenizer, err);
    if (!status) status = tokenizer_finish(tokenizer, err);
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}

/* ---- writing ---- */

void json_string_write(struct text *out, const char *string, size_t size)
{
    text_add_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)string[i];
        if (c == '"' || c == '\\') text_format(out, "\\%c", c);
        else if (c < 0x20) text_format(out, "\\u%04x", c);
        else text_add_char(out, (char)c);
    }
    text_add_char(out, '"');
}

void token_write(struct text *out, const struct tokenizer *tokenizer, int32_t id)
{
    size_t size;
    if (id >= tokenizer_size(tokenizer)) { /* a character of SentencePiece that is no token */
        const char *character =
            vocabulary_bytes(&tokenizer->pieces.characters, id - tokenizer_size(tokenizer), &size);
        text_add_bytes(out, character, size);
        return;
    }
    const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
    const enum token_type type = vocabulary_type(&tokenizer->vocabulary, id);
    if (type == TOKEN_BYTE && tokenizer->kind == TOKENIZER_PIECES) {
        text_format(out, "<0x%02X>", (unsigned char)*bytes);
        return;
    }
    if (type == TOKEN_NORMAL && tokenizer->kind == TOKENIZER_PIECES) {
        for (size_t i = 0; i < size; i++)
            text_add_bytes(out, bytes[i] == ' ' ? "\xE2\x96\x81" : bytes + i,
                           bytes[i] == ' ' ? 3 : 1);
        return;
    }
    if (type == TOKEN_NORMAL && tokenizer->kind == TOKENIZER_BYTES)
        byte_text_write(out, bytes, size);
    else text_add_bytes(out, bytes, size);
}

enum status tokenizer_gpt2_write(struct text *vocabulary, struct text *merges,
                                 const struct tokenizer *tokenizer, struct error *err)
{
    struct text token = {0};
    bool first = true;
    if (tokenizer->kind != TOKENIZER_BYTES || tokenizer->split != SPLIT_GPT2 ||
        tokenizer->patterns.n || tokenizer->composes || tokenizer->whole_first)
        return error_set(err, STATUS_USAGE,
                         "vocab.json with merges.txt cannot say how text is cut, so it is for "
                         "byte-level tokenizers with the gpt2 split; write tokenizer.json");
    text_add_char(vocabulary, '{');
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        if (vocabulary_type(&tokenizer->vocabulary, id) == TOKEN_UNUSED) continue;
        text_clear(&token);
        token_write(&token, tokenizer, id);
        if (!first) text_add(vocabulary, ", ");
        first = false;
        json_string_write(vocabulary, text_string(&token), token.size);
        text_format(vocabulary, ": %d", id);
    }
    text_add(vocabulary, "}\n");
    text_add(merges, "#version: 0.2\n");
    for (int i = 0; i < tokenizer->bpe.n_merges; i++) {
        token_write(merges, tokenizer, tokenizer->bpe.merges[i].left);
        text_add_char(merges, ' ');
        token_write(merges, tokenizer, tokenizer->bpe.merges[i].right);
        text_add_char(merges, '\n');
    }
    text_done(&token);
    return STATUS_OK;
}
