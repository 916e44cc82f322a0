/* tokenizer_gguf.c -- the vocabulary that a GGUF file carries.
 *
 *   tokenizer.ggml.model        "gpt2": byte-level BPE with merges; "llama": SentencePiece with scores
 *   tokenizer.ggml.pre          how text is cut, by name
 *   tokenizer.ggml.tokens       strings; byte text for gpt2, U+2581 for blanks for llama
 *   tokenizer.ggml.token_type   1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
 *
 * Source: the GGUF document; the names of splits are those that llama.cpp gives them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/file_parts.h"
#include "text/gguf_read.h"
#include "text/unicode.h"

enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE };

#define GPT2_PATTERN "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"

/* Names with a scanner, then names with patterns. */
static const struct {
    const char *name;
    enum split split;
} scanners[] = {
    {"gpt-2", SPLIT_GPT2},
    {"gpt2", SPLIT_GPT2},
    {"jais", SPLIT_GPT2},
    {"mpt", SPLIT_GPT2},
    {"olmo", SPLIT_GPT2},
    {"phi-2", SPLIT_GPT2},
    {"roberta-bpe", SPLIT_GPT2},
    {"jina-es", SPLIT_GPT2},
    {"jina-de", SPLIT_GPT2},
    {"jina-v2-es", SPLIT_GPT2},
    {"jina-v2-de", SPLIT_GPT2},
    {"llama3", SPLIT_LLAMA3},
    {"llama-v3", SPLIT_LLAMA3},
    {"llama-bpe", SPLIT_LLAMA3},
    {"dbrx", SPLIT_LLAMA3},
    {"smaug-bpe", SPLIT_LLAMA3},
    {"qwen2", SPLIT_QWEN2},
    {"stablelm2", SPLIT_QWEN2},
    {"deepseek-r1-qwen", SPLIT_QWEN2},
    {"gpt-4o", SPLIT_O200K},
    {"llama4", SPLIT_O200K},
};
static const struct {
    const char *name;
    const char *patterns[PATTERNS_LIMIT];
} cutters[] = {
    {"deepseek-coder",
     {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+",
      "[\\x{4E00}-\\x{9FA5}\\x{0800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+", "\\p{N}"}},
    {"deepseek-v3",
     {"\\p{N}{1,3}", "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+",
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
      "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
    {"starcoder", {"\\p{N}", GPT2_PATTERN}},
    {"refact", {"\\p{N}", GPT2_PATTERN}},
    {"command-r", {"\\p{N}", GPT2_PATTERN}},
    {"smollm", {"\\p{N}", GPT2_PATTERN}},
    {"codeshell", {"\\p{N}", GPT2_PATTERN}},
    {"exaone", {"\\p{N}", GPT2_PATTERN}},
    {"falcon", {"[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2_PATTERN, "[0-9][0-9][0-9]"}},
    {"default", {"[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2_PATTERN, "\\p{N}+", "[0-9][0-9][0-9]"}},
};

static bool is_string(const struct gguf_value *value, const char *string)
{
    size_t size;
    if (!value || value->type != GGUF_STRING) return false;
    const unsigned char *data = value->data;
    const char *found = gguf_string(&data, &size);
    return size == strlen(string) && memcmp(found, string, size) == 0;
}

static enum status read_split(struct tokenizer *tokenizer, const struct gguf *gguf,
                              struct error *err)
{
    const struct gguf_value *pre = gguf_find(gguf, "tokenizer.ggml.pre");
    tokenizer->split = SPLIT_GPT2; /* files from before the name was written are GPT-2's kin */
    if (!pre) return STATUS_OK;
    for (size_t i = 0; i < sizeof scanners / sizeof *scanners; i++)
        if (is_string(pre, scanners[i].name)) {
            tokenizer->split = scanners[i].split;
            tokenizer->whole_first = scanners[i].split == SPLIT_LLAMA3;
            return STATUS_OK;
        }
    for (size_t i = 0; i < sizeof cutters / sizeof *cutters; i++) {
        if (!is_string(pre, cutters[i].name)) continue;
        enum status status = STATUS_OK;
        tokenizer->split = SPLIT_NONE;
        for (int k = 0; k < PATTERNS_LIMIT && cutters[i].patterns[k] && !status; k++)
            status = patterns_add(&tokenizer->patterns, cutters[i].patterns[k], err);
        return status;
    }
    size_t size = 0;
    const unsigned char *data = pre->data;
    const char *name = pre->type == GGUF_STRING ? gguf_string(&data, &size) : "";
    return error_set(err, STATUS_FORMAT, "tokenizer.ggml.pre \"%.*s\": this split is not known",
                     (int)(size < 80 ? size : 80), name);
}

/* An array of this type, or NULL after saying why. */
static const struct gguf_value *array_of(const struct gguf *gguf, const char *name,
                                         enum gguf_type of, uint64_t n, struct error *err)
{
    const struct gguf_value *value = gguf_find(gguf, name);
    if (!value) {
        error_set(err, STATUS_FORMAT, "%s: not in the file", name);
        return NULL;
    }
    if (value->type == GGUF_ARRAY && value->of == of && (!n || value->n == n)) return value;
    error_set(err, STATUS_FORMAT, "%s: wrong type, or %llu elements where %llu are expected", name,
              (unsigned long long)value->n, (unsigned long long)n);
    return NULL;
}

/* <0x0A> */
static int byte_of(const char *string, size_t size)
{
    char copy[7] = {0};
    unsigned byte;
    if (size != 6 || memcmp(string, "<0x", 3) != 0 || string[5] != '>') return -1;
    memcpy(copy, string, 6);
    return sscanf(copy, "<0x%2X>", &byte) == 1 ? (int)byte : -1;
}

static enum status set_token(struct tokenizer *tokenizer, int64_t id, const char *string,
                             size_t size, int64_t type, struct text *scratch, struct error *err)
{
    static const enum token_type types[] = {
        [NORMAL] = TOKEN_NORMAL,      [UNKNOWN] = TOKEN_UNKNOWN, [CONTROL] = TOKEN_SPECIAL,
        [USER_DEFINED] = TOKEN_ADDED, [UNUSED] = TOKEN_UNUSED,   [BYTE] = TOKEN_BYTE};
    struct vocabulary *vocabulary = &tokenizer->vocabulary;
    if (type < NORMAL || type > BYTE)
        return error_set(err, STATUS_FORMAT, "tokenizer.ggml.token_type[%lld]: %lld is none",
                         (long long)id, (long long)type);
    text_clear(scratch);
    if (type == BYTE) {
        const int byte = byte_of(string, size);
        if (byte < 0)
            return error_set(err, STATUS_FORMAT, "token %lld, \"%.*s\": no byte like <0x0A>",
                             (long long)id, (int)(size < 40 ? size : 40), string);
        return vocabulary_set(vocabulary, id, &(char){(char)byte}, 1, TOKEN_BYTE, err);
    }
    if (type != NORMAL) return vocabulary_set(vocabulary, id, string, size, types[type], err);
    if (tokenizer->kind == TOKENIZER_PIECES) pieces_normalize(scratch, string, size);
    else if (!byte_text_read(scratch, string, size))
        return error_set(err, STATUS_FORMAT, "token %lld, \"%.*s\": not written as bytes are",
                         (long long)id, (int)(size < 40 ? size : 40), string);
    return vocabulary_set(vocabulary, id, text_string(scratch), scratch->size, TOKEN_NORMAL, err);
}

static enum status read_tokens(struct tokenizer *tokenizer, const struct gguf *gguf,
                               struct error *err)
{
    struct text scratch = {0};
    const struct gguf_value *tokens = array_of(gguf, "tokenizer.ggml.tokens", GGUF_STRING, 0, err);
    if (!tokens) return STATUS_FORMAT;
    if (tokens->n == 0 || tokens->n > VOCABULARY_LIMIT)
        return error_set(err, STATUS_LIMIT, "tokenizer.ggml.tokens: %llu tokens; 1 to %d are taken",
                         (unsigned long long)tokens->n, VOCABULARY_LIMIT);
    const struct gguf_value *types = NULL;
    if (gguf_find(gguf, "tokenizer.ggml.token_type")) {
        types = array_of(gguf, "tokenizer.ggml.token_type", GGUF_I32, tokens->n, err);
        if (!types) return STATUS_FORMAT;
    }
    enum status status = STATUS_OK;
    const unsigned char *data = tokens->data;
    for (uint64_t id = 0; id < tokens->n && !status; id++) {
        size_t size;
        const char *string = gguf_string(&data, &size);
        status = set_token(tokenizer, (int64_t)id, string, size,
                           types ? gguf_integer_at(types, id) : NORMAL, &scratch, err);
    }
    text_done(&scratch);
    return status;
}

static enum status read_scores(struct tokenizer *tokenizer, const struct gguf *gguf,
                               struct error *err)
{
    const uint64_t V = (uint64_t)tokenizer_size(tokenizer);
    const struct gguf_value *scores = array_of(gguf, "tokenizer.ggml.scores", GGUF_F32, V, err);
    if (!scores) return STATUS_FORMAT;
    tokenizer->pieces.scores = memory_new(V, sizeof *tokenizer->pieces.scores);
    for (uint64_t id = 0; id < V; id++) {
        tokenizer->pieces.scores[id] = gguf_float_at(scores, id);
        if (tokenizer->pieces.scores[id] != tokenizer->pieces.scores[id])
            return error_set(err, STATUS_FORMAT, "tokenizer.ggml.scores[%llu]: not a number",
                             (unsigned long long)id);
    }
    return STATUS_OK;
}

static enum status read_merges(struct tokenizer *tokenizer, const struct gguf *gguf,
                               struct error *err)
{
    const struct gguf_value *merges = array_of(gguf, "tokenizer.ggml.merges", GGUF_STRING, 0, err);
    if (!merges) return STATUS_FORMAT;
    const unsigned char *data = merges->data;
    for (uint64_t i = 0; i < merges->n; i++) {
        size_t size;
        const char *merge = gguf_string(&data, &size);
        const char *middle = size ? memchr(merge + 1, ' ', size - 1) : NULL;
        if (!middle)
            return error_set(err, STATUS_FORMAT, "tokenizer.ggml.merges[%llu]: no blank in it",
                             (unsigned long long)i);
        const enum status status =
            byte_merge_add(tokenizer, merge, (size_t)(middle - merge), middle + 1,
                           size - (size_t)(middle - merge) - 1, err);
        if (status) return status;
    }
    return STATUS_OK;
}

/* The ids that the file names: -1 when it does not. */
static enum status read_id(int32_t *id, const struct tokenizer *tokenizer, const struct gguf *gguf,
                           const char *name, struct error *err)
{
    int64_t value;
    if (!gguf_integer(gguf, name, &value)) return STATUS_OK;
    if (value == UINT32_MAX) return STATUS_OK; /* how some files say none */
    if (value < 0 || value >= tokenizer_size(tokenizer))
        return error_set(err, STATUS_FORMAT, "%s: %lld in a vocabulary of %d", name,
                         (long long)value, tokenizer_size(tokenizer));
    *id = (int32_t)value;
    return STATUS_OK;
}

static enum status read_all(struct tokenizer *tokenizer, const struct gguf *gguf, struct error *err)
{
    int64_t blank = 1;
    enum status status = STATUS_OK;
    if (tokenizer->kind == TOKENIZER_BYTES) status = read_split(tokenizer, gguf, err);
    if (!status) status = read_tokens(tokenizer, gguf, err);
    if (status) return status;
    vocabulary_index(&tokenizer->vocabulary);
    status = tokenizer->kind == TOKENIZER_PIECES ? read_scores(tokenizer, gguf, err)
                                                 : read_merges(tokenizer, gguf, err);
    (void)gguf_integer(gguf, "tokenizer.ggml.add_space_prefix", &blank);
    tokenizer->pieces.blank_first = tokenizer->kind == TOKENIZER_PIECES && blank;
    if (!status)
        status = read_id(&tokenizer->begin, tokenizer, gguf, "tokenizer.ggml.bos_token_id", err);
    if (!status)
        status = read_id(&tokenizer->end, tokenizer, gguf, "tokenizer.ggml.eos_token_id", err);
    if (!status)
        status =
            read_id(&tokenizer->unknown, tokenizer, gguf, "tokenizer.ggml.unknown_token_id", err);
    return status ? status : tokenizer_finish(tokenizer, err);
}

enum status tokenizer_gguf_parse(struct tokenizer **out, const char *bytes, size_t size,
                                 struct error *err)
{
    struct gguf gguf;
    *out = NULL;
    enum status status = gguf_read(&gguf, bytes, size, err);
    if (status) return status;
    const struct gguf_value *model = gguf_find(&gguf, "tokenizer.ggml.model");
    const bool is_pieces = is_string(model, "llama");
    if (!is_pieces && !is_string(model, "gpt2")) {
        size_t length = 0;
        const unsigned char *data = model ? model->data : NULL;
        const char *name = model && model->type == GGUF_STRING ? gguf_string(&data, &length) : "";
        status =
            error_set(err, STATUS_FORMAT, "tokenizer.ggml.model \"%.*s\": gpt2 and llama are known",
                      (int)(length < 80 ? length : 80), name);
        gguf_done(&gguf);
        return status;
    }
    struct tokenizer *tokenizer = tokenizer_new(is_pieces ? TOKENIZER_PIECES : TOKENIZER_BYTES);
    status = read_all(tokenizer, &gguf, err);
    gguf_done(&gguf);
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}

/* ---- writing ---- */

static void put(struct text *out, const void *bytes, size_t size)
{
    text_add_bytes(out, bytes, size);
}

static void put_u32(struct text *out, uint32_t value) { put(out, &value, sizeof value); }
static void put_u64(struct text *out, uint64_t value) { put(out, &value, sizeof value); }

static void put_string(struct text *out, const char *string, size_t size)
{
    put_u64(out, size);
    put(out, string, size);
}

static void put_key(struct text *out, uint64_t *n, const char *name, enum gguf_type type)
{
    put_string(out, name, strlen(name));
    put_u32(out, (uint32_t)type);
    (*n)++;
}

static void put_array(struct text *out, uint64_t *n, const char *name, enum gguf_type of,
                      uint64_t elements)
{
    put_key(out, n, name, GGUF_ARRAY);
    put_u32(out, (uint32_t)of);
    put_u64(out, elements);
}

static void put_word(struct text *out, uint64_t *n, const char *name, const char *word)
{
    put_key(out, n, name, GGUF_STRING);
    put_string(out, word, strlen(word));
}

/* How GGUF names the way the text is cut; NULL when it has no name for it. */
static const char *pre_name(const struct tokenizer *tokenizer)
{
    if (tokenizer->composes) return NULL;
    for (size_t i = 0; !tokenizer->patterns.n && i < sizeof scanners / sizeof *scanners; i++)
        if (scanners[i].split == tokenizer->split &&
            tokenizer->whole_first == (tokenizer->split == SPLIT_LLAMA3))
            return scanners[i].name;
    for (size_t i = 0; tokenizer->patterns.n && i < sizeof cutters / sizeof *cutters; i++) {
        int k = 0;
        while (k < tokenizer->patterns.n && cutters[i].patterns[k] &&
               strcmp(cutters[i].patterns[k], tokenizer->patterns.texts[k]) == 0)
            k++;
        if (k == tokenizer->patterns.n && !cutters[i].patterns[k]) return cutters[i].name;
    }
    return NULL;
}

static void put_token(struct text *out, const struct tokenizer *tokenizer, int32_t id)
{
    struct text token = {0};
    token_write(&token, tokenizer, id);
    put_string(out, text_string(&token), token.size);
    text_done(&token);
}

static void put_merges(struct text *out, uint64_t *n, const struct tokenizer *tokenizer)
{
    struct text merge = {0};
    put_array(out, n, "tokenizer.ggml.merges", GGUF_STRING, (uint64_t)tokenizer->bpe.n_merges);
    for (int i = 0; i < tokenizer->bpe.n_merges; i++) {
        text_clear(&merge);
        token_write(&merge, tokenizer, tokenizer->bpe.merges[i].left);
        text_add_char(&merge, ' ');
        token_write(&merge, tokenizer, tokenizer->bpe.merges[i].right);
        put_string(out, text_string(&merge), merge.size);
    }
    text_done(&merge);
}

static void put_values(struct text *out, uint64_t *n, const struct tokenizer *tokenizer,
                       const char *pre)
{
    static const int32_t types[] = {
        [TOKEN_UNUSED] = UNUSED,      [TOKEN_NORMAL] = NORMAL, [TOKEN_SPECIAL] = CONTROL,
        [TOKEN_ADDED] = USER_DEFINED, [TOKEN_BYTE] = BYTE,     [TOKEN_UNKNOWN] = UNKNOWN};
    const struct {
        const char *name;
        int32_t id;
    } named[] = {{"tokenizer.ggml.bos_token_id", tokenizer->begin},
                 {"tokenizer.ggml.eos_token_id", tokenizer->end},
                 {"tokenizer.ggml.unknown_token_id", tokenizer->unknown}};
    const int V = tokenizer_size(tokenizer);
    const bool is_pieces = tokenizer->kind == TOKENIZER_PIECES;
    put_word(out, n, "general.architecture", is_pieces ? "llama" : "gpt2");
    put_word(out, n, "tokenizer.ggml.model", is_pieces ? "llama" : "gpt2");
    if (pre) put_word(out, n, "tokenizer.ggml.pre", pre);
    put_array(out, n, "tokenizer.ggml.tokens", GGUF_STRING, (uint64_t)V);
    for (int32_t id = 0; id < V; id++) put_token(out, tokenizer, id);
    put_array(out, n, "tokenizer.ggml.token_type", GGUF_I32, (uint64_t)V);
    for (int32_t id = 0; id < V; id++)
        put(out, &types[vocabulary_type(&tokenizer->vocabulary, id)], sizeof *types);
    if (is_pieces) {
        put_array(out, n, "tokenizer.ggml.scores", GGUF_F32, (uint64_t)V);
        put(out, tokenizer->pieces.scores, (size_t)V * sizeof *tokenizer->pieces.scores);
        put_key(out, n, "tokenizer.ggml.add_space_prefix", GGUF_BOOL);
        text_add_char(out, tokenizer->pieces.blank_first);
    } else {
        put_merges(out, n, tokenizer);
    }
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        if (named[i].id < 0) continue;
        put_key(out, n, named[i].name, GGUF_U32);
        put_u32(out, (uint32_t)named[i].id);
    }
}

enum status tokenizer_gguf_write(struct text *out, const struct tokenizer *tokenizer,
                                 struct error *err)
{
    struct text values = {0};
    uint64_t n = 0;
    const char *pre = tokenizer->kind == TOKENIZER_BYTES ? pre_name(tokenizer) : "default";
    if (tokenizer->kind == TOKENIZER_CHARACTERS || !pre ||
        (tokenizer->kind == TOKENIZER_PIECES && !tokenizer->pieces.scores))
        return error_set(
            err, STATUS_USAGE,
            "GGUF has no name for this kind of tokenizer or for how it cuts text; write "
            "tokenizer.json");
    put_values(&values, &n, tokenizer, pre);
    text_add(out, "GGUF");
    put_u32(out, 3);
    put_u64(out, 0);
    put_u64(out, n);
    text_add_bytes(out, text_string(&values), values.size);
    text_done(&values);
    return STATUS_OK;
}
