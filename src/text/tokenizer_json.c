/* tokenizer_json.c -- tokenizer.json: the form that the field exchanges.
 *
 *   model           {"type": "BPE", "vocab": {token: id}, "merges": ["a b"] or [["a", "b"]]}
 *   added_tokens    [{"id", "content", "special"}]
 *   pre_tokenizer   how text is cut; the known patterns are recognized by their text
 *   decoder         ByteLevel: bytes; Fuse with tokens of one character and no merges: characters
 *
 * What is there and would change ids, but is not known here, is refused by name. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/file_parts.h"
#include "text/unicode.h"

/* The patterns as the models' files write them. */
static const struct {
    const char *pattern;
    enum split split;
} patterns[] = {
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+"
     "[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     SPLIT_LLAMA3},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+"
     "[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     SPLIT_QWEN2},
    {"[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
     "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}"
     "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     SPLIT_O200K},
};

static const char *string_of(const json_t *object, const char *key)
{
    const char *string = json_string_value(json_object_get(object, key));
    return string ? string : "";
}

static bool is_type(const json_t *object, const char *type)
{
    return strcmp(string_of(object, "type"), type) == 0;
}

/* ---- how text is cut ---- */

static enum status read_pattern(struct tokenizer *tokenizer, const json_t *split, struct error *err)
{
    const char *pattern = string_of(json_object_get(split, "pattern"), "Regex");
    if (strcmp(string_of(split, "behavior"), "Isolated") != 0 ||
        json_is_true(json_object_get(split, "invert")))
        return error_set(err, STATUS_FORMAT,
                         "pre_tokenizer: Split with behavior \"%s\"%s: only Isolated is known",
                         string_of(split, "behavior"),
                         json_is_true(json_object_get(split, "invert")) ? ", inverted" : "");
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (*pattern && strcmp(pattern, split_pattern((enum split)i)) == 0) {
            tokenizer->split = (enum split)i;
            return STATUS_OK;
        }
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(pattern, patterns[i].pattern) == 0) {
            tokenizer->split = patterns[i].split;
            return STATUS_OK;
        }
    return error_set(err, STATUS_FORMAT, "pre_tokenizer: unknown pattern \"%.200s\"", pattern);
}

static enum status read_byte_level(struct tokenizer *tokenizer, const json_t *step,
                                   struct error *err)
{
    if (json_is_true(json_object_get(step, "add_prefix_space")))
        return error_set(err, STATUS_FORMAT,
                         "pre_tokenizer: ByteLevel with add_prefix_space is not supported");
    const json_t *use_regex = json_object_get(step, "use_regex");
    if (!use_regex || json_is_true(use_regex)) tokenizer->split = SPLIT_GPT2;
    return STATUS_OK;
}

static enum status read_pre_tokenizer(struct tokenizer *tokenizer, const json_t *steps,
                                      struct error *err)
{
    if (is_type(steps, "ByteLevel")) return read_byte_level(tokenizer, steps, err);
    if (is_type(steps, "Sequence")) {
        const json_t *list = json_object_get(steps, "pretokenizers");
        const json_t *last = json_array_get(list, 1);
        if (json_array_size(list) == 2 && is_type(json_array_get(list, 0), "Split") &&
            is_type(last, "ByteLevel")) {
            const json_t *use_regex = json_object_get(last, "use_regex");
            if (!json_is_false(use_regex))
                return error_set(err, STATUS_FORMAT,
                                 "pre_tokenizer: two patterns, one after the other");
            const enum status status = read_byte_level(tokenizer, last, err);
            return status ? status : read_pattern(tokenizer, json_array_get(list, 0), err);
        }
    }
    return error_set(
        err, STATUS_FORMAT,
        "pre_tokenizer: expected ByteLevel, or a Sequence of Split and ByteLevel; it is "
        "\"%.80s\"",
        string_of(steps, "type"));
}

/* ---- vocabulary, merges, added tokens ---- */

static enum status read_vocabulary(struct tokenizer *tokenizer, const json_t *vocab,
                                   struct error *err)
{
    struct text bytes = {0};
    const char *key;
    json_t *value;
    enum status status = STATUS_OK;
    if (!json_is_object(vocab))
        return error_set(err, STATUS_FORMAT, "model: vocab is not an object of token: id");
    json_object_foreach((json_t *)vocab, key, value)
    {
        const char *token = key;
        size_t size = strlen(key);
        enum token_type type = TOKEN_NORMAL;
        text_clear(&bytes);
        if (tokenizer->kind == TOKENIZER_BYTES) {
            if (byte_text_read(&bytes, key, size)) {
                token = text_string(&bytes);
                size = bytes.size;
            } else {
                type = TOKEN_SPECIAL; /* no bytes are written so: only an added token can be */
            }
        }
        status = json_is_integer(value)
                     ? vocabulary_set(&tokenizer->vocabulary, json_integer_value(value), token,
                                      size, type, err)
                     : error_set(err, STATUS_FORMAT, "model: \"%.80s\": the id is no integer", key);
        if (status) break;
    }
    text_done(&bytes);
    return status;
}

/* Added tokens stand outside the model, or name one of its ids. */
static enum status read_added(struct tokenizer *tokenizer, const json_t *added, struct error *err)
{
    struct vocabulary *vocabulary = &tokenizer->vocabulary;
    size_t i;
    json_t *token;
    json_array_foreach((json_t *)added, i, token)
    {
        const json_int_t id = json_integer_value(json_object_get(token, "id"));
        const char *content = string_of(token, "content");
        const enum token_type type =
            json_is_true(json_object_get(token, "special")) ? TOKEN_SPECIAL : TOKEN_ADDED;
        if (!json_is_integer(json_object_get(token, "id")) || !*content)
            return error_set(err, STATUS_FORMAT, "added_tokens[%zu]: needs an id and content", i);
        for (const char *const *flag =
                 (const char *const[]){"lstrip", "rstrip", "single_word", NULL};
             *flag; flag++)
            if (json_is_true(json_object_get(token, *flag)))
                return error_set(err, STATUS_FORMAT,
                                 "added_tokens[%zu], \"%.80s\": %s is not supported", i, content,
                                 *flag);
        if (id >= 0 && id < vocabulary->size &&
            vocabulary_type(vocabulary, (int32_t)id) != TOKEN_UNUSED) {
            struct text bytes = {0};
            size_t size;
            const char *there = vocabulary_bytes(vocabulary, (int32_t)id, &size);
            if (tokenizer->kind == TOKENIZER_BYTES &&
                vocabulary_type(vocabulary, (int32_t)id) == TOKEN_NORMAL)
                byte_text_write(&bytes, there, size);
            else text_add_bytes(&bytes, there, size);
            const bool same = strcmp(text_string(&bytes), content) == 0;
            text_done(&bytes);
            if (!same)
                return error_set(err, STATUS_FORMAT,
                                 "added_tokens[%zu], \"%.80s\": id %lld is another token", i,
                                 content, (long long)id);
            vocabulary_mark(vocabulary, (int32_t)id, TOKEN_UNUSED);
        }
        const enum status status =
            vocabulary_set(vocabulary, id, content, strlen(content), type, err);
        if (status) return error_prefix(err, "added_tokens[%zu]", i);
    }
    return STATUS_OK;
}

static enum status read_merges(struct tokenizer *tokenizer, const json_t *merges, struct error *err)
{
    size_t i;
    json_t *merge;
    if (!json_is_array(merges)) return error_set(err, STATUS_FORMAT, "model: merges is not a list");
    json_array_foreach((json_t *)merges, i, merge)
    {
        const char *left = json_string_value(merge), *right = NULL;
        size_t left_size = 0;
        if (left) {
            right = strchr(left, ' ');
            if (right) left_size = (size_t)(right++ - left);
        } else if (json_array_size(merge) == 2) {
            left = json_string_value(json_array_get(merge, 0));
            right = json_string_value(json_array_get(merge, 1));
            if (left) left_size = strlen(left);
        }
        if (!left || !right || !*right || !left_size)
            return error_set(err, STATUS_FORMAT,
                             "model: merges[%zu]: expected \"left right\" or [\"left\", \"right\"]",
                             i);
        const enum status status =
            byte_merge_add(tokenizer, left, left_size, right, strlen(right), err);
        if (status) return status;
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

/* Settings that would change ids and that we do not follow. */
static enum status check_model(const json_t *root, const json_t *model, struct error *err)
{
    static const char *const empty[] = {"dropout", "continuing_subword_prefix",
                                        "end_of_word_suffix", NULL};
    if (!json_is_object(model)) return error_set(err, STATUS_FORMAT, "model: not an object");
    if (json_object_get(model, "type") && !is_type(model, "BPE"))
        return error_set(err, STATUS_FORMAT, "model: type \"%.80s\": only BPE is known",
                         string_of(model, "type"));
    for (const char *const *key = empty; *key; key++) {
        const json_t *value = json_object_get(model, *key);
        if (value && !json_is_null(value) && *string_of(model, *key))
            return error_set(err, STATUS_FORMAT, "model: %s is not supported", *key);
        if (json_is_number(value) && json_number_value(value) != 0)
            return error_set(err, STATUS_FORMAT, "model: %s is not supported", *key);
    }
    const json_t *normalizer = json_object_get(root, "normalizer");
    if (normalizer && !json_is_null(normalizer))
        return error_set(err, STATUS_FORMAT, "normalizer: \"%.80s\" is not supported",
                         string_of(normalizer, "type"));
    return STATUS_OK;
}

static bool is_byte_level(const json_t *root)
{
    const json_t *steps = json_object_get(root, "pre_tokenizer");
    if (is_type(steps, "ByteLevel") || is_type(json_object_get(root, "decoder"), "ByteLevel"))
        return true;
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(steps, "pretokenizers"), i, step)
    {
        if (is_type(step, "ByteLevel")) return true;
    }
    return false;
}

static enum status read_characters(struct tokenizer *tokenizer, const json_t *model,
                                   struct error *err)
{
    if (json_array_size(json_object_get(model, "merges")))
        return error_set(err, STATUS_FORMAT,
                         "a BPE model without ByteLevel and with merges is not supported");
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        size_t size;
        int32_t code;
        const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
        if (vocabulary_type(&tokenizer->vocabulary, id) == TOKEN_NORMAL &&
            (!size || unicode_read(&code, (const unsigned char *)bytes, size) != size))
            return error_set(err, STATUS_FORMAT, "token %d is not one character", id);
    }
    return STATUS_OK;
}

static enum status read_root(struct tokenizer *tokenizer, const json_t *root, struct error *err)
{
    const json_t *model = json_object_get(root, "model");
    const json_t *steps = json_object_get(root, "pre_tokenizer");
    enum status status = check_model(root, model, err);
    if (status) return status;
    tokenizer->whole_first = json_is_true(json_object_get(model, "ignore_merges"));
    status = read_vocabulary(tokenizer, json_object_get(model, "vocab"), err);
    if (status) return status;
    vocabulary_index(&tokenizer->vocabulary);
    if (tokenizer->kind == TOKENIZER_CHARACTERS) {
        status = read_characters(tokenizer, model, err);
    } else {
        status = read_pre_tokenizer(tokenizer, steps, err);
        if (!status) status = read_merges(tokenizer, json_object_get(model, "merges"), err);
    }
    if (!status) status = read_added(tokenizer, json_object_get(root, "added_tokens"), err);
    if (!status) status = tokenizer_finish(tokenizer, err);
    const char *unknown = string_of(model, "unk_token");
    if (!status && *unknown)
        tokenizer->unknown = tokenizer_find(tokenizer, unknown, strlen(unknown));
    return status;
}

enum status tokenizer_json_parse(struct tokenizer **out, const char *bytes, size_t size,
                                 struct error *err)
{
    json_t *root;
    *out = NULL;
    enum status status = json_parse(&root, bytes, size, err);
    if (status) return status;
    struct tokenizer *tokenizer =
        tokenizer_new(is_byte_level(root) ? TOKENIZER_BYTES : TOKENIZER_CHARACTERS);
    status = read_root(tokenizer, root, err);
    json_decref(root);
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}

/* ---- writing ---- */

static void write_added(struct text *out, const struct tokenizer *tokenizer)
{
    bool first = true;
    text_add(out, "  \"added_tokens\": [");
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        const enum token_type type = vocabulary_type(&tokenizer->vocabulary, id);
        if (type != TOKEN_SPECIAL && type != TOKEN_ADDED) continue;
        size_t size;
        const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
        text_format(out, "%s\n    {\"id\": %d, \"content\": ", first ? "" : ",", id);
        json_string_write(out, bytes, size);
        text_format(out,
                    ", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, "
                    "\"normalized\": false, \"special\": %s}",
                    type == TOKEN_SPECIAL ? "true" : "false");
        first = false;
    }
    text_add(out, first ? "],\n" : "\n  ],\n");
}

static void write_pre_tokenizer(struct text *out, const struct tokenizer *tokenizer)
{
    static const char byte_level[] =
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, "
        "\"use_regex\": ";
    if (tokenizer->kind == TOKENIZER_CHARACTERS) {
        text_add(out, "  \"pre_tokenizer\": null,\n  \"post_processor\": null,\n"
                      "  \"decoder\": {\"type\": \"Fuse\"},\n");
        return;
    }
    text_add(out, "  \"pre_tokenizer\": ");
    if (tokenizer->split == SPLIT_GPT2 || tokenizer->split == SPLIT_NONE) {
        text_format(out, "%s%s}", byte_level, tokenizer->split == SPLIT_GPT2 ? "true" : "false");
    } else {
        const char *pattern = split_pattern(tokenizer->split);
        text_add(out, "{\"type\": \"Sequence\", \"pretokenizers\": [\n    {\"type\": \"Split\", "
                      "\"pattern\": {\"Regex\": ");
        json_string_write(out, pattern, strlen(pattern));
        text_format(out, "}, \"behavior\": \"Isolated\", \"invert\": false},\n    %sfalse}\n  ]}",
                    byte_level);
    }
    text_format(out, ",\n  \"post_processor\": null,\n  \"decoder\": %strue},\n", byte_level);
}

static void write_model(struct text *out, const struct tokenizer *tokenizer)
{
    struct text token = {0};
    bool first = true;
    text_format(out,
                "  \"model\": {\n    \"type\": \"BPE\", \"dropout\": null, \"unk_token\": null,\n"
                "    \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null,\n"
                "    \"fuse_unk\": false, \"byte_fallback\": false, \"ignore_merges\": %s,\n"
                "    \"vocab\": {",
                tokenizer->whole_first ? "true" : "false");
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        if (vocabulary_type(&tokenizer->vocabulary, id) != TOKEN_NORMAL) continue;
        text_clear(&token);
        token_write(&token, tokenizer, id);
        text_add(out, first ? "\n      " : ",\n      ");
        first = false;
        json_string_write(out, text_string(&token), token.size);
        text_format(out, ": %d", id);
    }
    text_add(out, "\n    },\n    \"merges\": [");
    for (int i = 0; i < tokenizer->bpe.n_merges; i++) {
        const struct bpe_merge *merge = &tokenizer->bpe.merges[i];
        text_clear(&token);
        token_write(&token, tokenizer, merge->left);
        text_add_char(&token, ' ');
        token_write(&token, tokenizer, merge->right);
        text_add(out, i ? ",\n      " : "\n      ");
        json_string_write(out, text_string(&token), token.size);
    }
    text_add(out, tokenizer->bpe.n_merges ? "\n    ]\n  }\n" : "]\n  }\n");
    text_done(&token);
}

void tokenizer_json_write(struct text *out, const struct tokenizer *tokenizer)
{
    text_add(out, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
    write_added(out, tokenizer);
    text_add(out, "  \"normalizer\": null,\n");
    write_pre_tokenizer(out, tokenizer);
    write_model(out, tokenizer);
    text_add(out, "}\n");
}
