/* tokenizer_json.c -- reading tokenizer.json: the form that the field exchanges.
 *
 *   model           {"type": "BPE", "vocab": {token: id}, "merges": ["a b"] or [["a", "b"]]}
 *   added_tokens    [{"id", "content", "special"}]
 *   normalizer      NFC; for SentencePiece a blank before the text, and blanks as U+2581
 *   pre_tokenizer   how text is cut: known patterns have scanners, others go through PCRE2
 *   decoder         ByteLevel: bytes; Fuse with tokens of one character and no merges: characters
 *
 * What is there and would change ids, but is not known here, is refused by name. */
#include <stdio.h>
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

/* The scanner that does what a pattern says; SPLIT_COUNT: there is none. */
static enum split scanner_of(const char *pattern)
{
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (*pattern && strcmp(pattern, split_pattern((enum split)i)) == 0) return (enum split)i;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (strcmp(pattern, patterns[i].pattern) == 0) return patterns[i].split;
    return SPLIT_COUNT;
}

/* The patterns of the steps, in order. */
struct cutting {
    struct text patterns[PATTERNS_LIMIT];
    int n;
};

static enum status add_pattern(struct cutting *cutting, const char *pattern, struct error *err)
{
    if (cutting->n == PATTERNS_LIMIT)
        return error_set(err, STATUS_LIMIT, "pre_tokenizer: more than %d patterns", PATTERNS_LIMIT);
    text_add(&cutting->patterns[cutting->n++], pattern);
    return STATUS_OK;
}

static enum status read_split(struct cutting *cutting, const json_t *step, struct error *err)
{
    const json_t *pattern = json_object_get(step, "pattern");
    const char *regex = string_of(pattern, "Regex"), *string = string_of(pattern, "String");
    const char *behavior = string_of(step, "behavior");
    const bool inverted = json_is_true(json_object_get(step, "invert"));
    struct text quoted = {0};
    /* what matches is kept and the rest dropped: the same where the pattern takes everything */
    const bool keeps_all =
        !strcmp(behavior, "Removed") && inverted && scanner_of(regex) != SPLIT_COUNT;
    if (!keeps_all && (strcmp(behavior, "Isolated") != 0 || inverted))
        return error_set(err, STATUS_FORMAT,
                         "pre_tokenizer: Split with behavior \"%.80s\"%s: only Isolated is known",
                         behavior, inverted ? ", inverted" : "");
    if (!*regex && !*string)
        return error_set(err, STATUS_FORMAT, "pre_tokenizer: Split without a pattern");
    for (const char *p = string; *p; p++) {
        if (strchr("\\^$.|?*+()[]{}", *p)) text_add_char(&quoted, '\\');
        text_add_char(&quoted, *p);
    }
    const enum status status = add_pattern(cutting, *regex ? regex : text_string(&quoted), err);
    text_done(&quoted);
    return status;
}

static enum status read_step(struct cutting *cutting, const json_t *step, struct error *err)
{
    if (is_type(step, "Split")) return read_split(cutting, step, err);
    if (is_type(step, "Digits"))
        return add_pattern(
            cutting,
            json_is_true(json_object_get(step, "individual_digits")) ? "\\p{N}" : "\\p{N}+", err);
    if (!is_type(step, "ByteLevel"))
        return error_set(
            err, STATUS_FORMAT,
            "pre_tokenizer: \"%.80s\": ByteLevel, Split, Digits and a Sequence of them are "
            "known",
            string_of(step, "type"));
    if (json_is_true(json_object_get(step, "add_prefix_space")))
        return error_set(err, STATUS_FORMAT,
                         "pre_tokenizer: ByteLevel with add_prefix_space is not supported");
    if (json_is_false(json_object_get(step, "use_regex"))) return STATUS_OK;
    return add_pattern(cutting, split_pattern(SPLIT_GPT2), err);
}

static enum status read_pre_tokenizer(struct tokenizer *tokenizer, const json_t *steps,
                                      struct error *err)
{
    struct cutting cutting = {0};
    enum status status = STATUS_OK;
    if (is_type(steps, "Sequence")) {
        size_t i;
        json_t *step;
        json_array_foreach(json_object_get(steps, "pretokenizers"), i, step)
        {
            status = read_step(&cutting, step, err);
            if (status) break;
        }
    } else {
        status = read_step(&cutting, steps, err);
    }
    tokenizer->split = SPLIT_NONE;
    const bool has_scanner =
        cutting.n == 1 && scanner_of(text_string(&cutting.patterns[0])) != SPLIT_COUNT;
    if (has_scanner) tokenizer->split = scanner_of(text_string(&cutting.patterns[0]));
    for (int i = 0; i < cutting.n && !status && !has_scanner; i++)
        status = patterns_add(&tokenizer->patterns, text_string(&cutting.patterns[i]), err);
    for (int i = 0; i < cutting.n; i++) text_done(&cutting.patterns[i]);
    return status;
}

/* ---- SentencePiece's blanks ---- */

static const char blank[] = "\xE2\x96\x81"; /* U+2581 */

/* Append the steps of a normalizer, which may be one or a sequence. */
static size_t steps_of(const json_t *normalizer, const json_t *steps[8])
{
    size_t n = 0, i;
    json_t *step;
    if (!normalizer || json_is_null(normalizer)) return 0;
    if (!is_type(normalizer, "Sequence")) {
        steps[0] = normalizer;
        return 1;
    }
    json_array_foreach(json_object_get(normalizer, "normalizers"), i, step)
    {
        if (n < 8) steps[n++] = step;
    }
    return n;
}

static bool is_replace_of_blanks(const json_t *step)
{
    return is_type(step, "Replace") &&
           !strcmp(string_of(json_object_get(step, "pattern"), "String"), " ") &&
           !strcmp(string_of(step, "content"), blank);
}

static bool is_sentencepiece(const json_t *root)
{
    const json_t *steps[8];
    const size_t n = steps_of(json_object_get(root, "normalizer"), steps);
    for (size_t i = 0; i < n; i++)
        if (is_replace_of_blanks(steps[i])) return true;
    return is_type(json_object_get(root, "pre_tokenizer"), "Metaspace");
}

static enum status read_normalizer(struct tokenizer *tokenizer, const json_t *root,
                                   struct error *err)
{
    const json_t *steps[8], *metaspace = json_object_get(root, "pre_tokenizer");
    const size_t n = steps_of(json_object_get(root, "normalizer"), steps);
    for (size_t i = 0; i < n; i++) {
        const bool pieces = tokenizer->kind == TOKENIZER_PIECES;
        if (is_type(steps[i], "NFC") && tokenizer->kind == TOKENIZER_BYTES)
            tokenizer->composes = true;
        else if (pieces && is_type(steps[i], "Prepend") &&
                 !strcmp(string_of(steps[i], "prepend"), blank))
            tokenizer->pieces.blank_first = true;
        else if (!pieces || !is_replace_of_blanks(steps[i]))
            return error_set(err, STATUS_FORMAT, "normalizer: \"%.80s\" is not supported",
                             string_of(steps[i], "type"));
    }
    if (tokenizer->kind != TOKENIZER_PIECES || !metaspace || json_is_null(metaspace))
        return STATUS_OK;
    if (!is_type(metaspace, "Metaspace"))
        return error_set(err, STATUS_FORMAT, "pre_tokenizer: \"%.80s\" with SentencePiece",
                         string_of(metaspace, "type"));
    const char *scheme = string_of(metaspace, "prepend_scheme");
    if (*scheme ? strcmp(scheme, "never") != 0
                : json_is_true(json_object_get(metaspace, "add_prefix_space")))
        tokenizer->pieces.blank_first = true;
    return STATUS_OK;
}

/* ---- vocabulary, merges, added tokens ---- */

/* <0x0A> */
static int byte_of(const char *key, size_t size)
{
    unsigned byte;
    char end;
    if (size != 6 || sscanf(key, "<0x%2X%c", &byte, &end) != 2 || end != '>') return -1;
    return (int)byte;
}

/* What a key of the vocabulary stands for. */
static enum token_type read_key(const struct tokenizer *tokenizer, struct text *bytes,
                                const char *key, bool byte_fallback)
{
    const size_t size = strlen(key);
    text_clear(bytes);
    if (tokenizer->kind == TOKENIZER_BYTES) {
        if (byte_text_read(bytes, key, size)) return TOKEN_NORMAL;
        text_clear(bytes);
        text_add_bytes(bytes, key, size);
        return TOKEN_SPECIAL; /* no bytes are written so: only an added token can be */
    }
    if (tokenizer->kind == TOKENIZER_PIECES && byte_fallback && byte_of(key, size) >= 0) {
        text_add_char(bytes, (char)byte_of(key, size));
        return TOKEN_BYTE;
    }
    if (tokenizer->kind == TOKENIZER_PIECES) pieces_normalize(bytes, key, size);
    else text_add_bytes(bytes, key, size);
    return TOKEN_NORMAL;
}

static enum status read_vocabulary(struct tokenizer *tokenizer, const json_t *model,
                                   struct error *err)
{
    const bool byte_fallback = json_is_true(json_object_get(model, "byte_fallback"));
    const char *unknown = string_of(model, "unk_token");
    json_t *vocab = json_object_get(model, "vocab"), *value;
    struct text bytes = {0};
    const char *key;
    enum status status = STATUS_OK;
    if (!json_is_object(vocab))
        return error_set(err, STATUS_FORMAT, "model: vocab is not an object of token: id");
    json_object_foreach(vocab, key, value)
    {
        enum token_type type = read_key(tokenizer, &bytes, key, byte_fallback);
        if (*unknown && strcmp(key, unknown) == 0) type = TOKEN_UNKNOWN;
        status = json_is_integer(value)
                     ? vocabulary_set(&tokenizer->vocabulary, json_integer_value(value),
                                      text_string(&bytes), bytes.size, type, err)
                     : error_set(err, STATUS_FORMAT, "model: \"%.80s\": the id is no integer", key);
        if (!status && type == TOKEN_UNKNOWN)
            tokenizer->unknown = (int32_t)json_integer_value(value);
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
            struct text there = {0};
            token_write(&there, tokenizer, (int32_t)id);
            const bool same = strcmp(text_string(&there), content) == 0;
            text_done(&there);
            if (!same)
                return error_set(err, STATUS_FORMAT,
                                 "added_tokens[%zu], \"%.80s\": id %lld is another token", i,
                                 content, (long long)id);
            if (vocabulary_type(vocabulary, (int32_t)id) == TOKEN_UNKNOWN) continue;
            vocabulary_mark(vocabulary, (int32_t)id, TOKEN_UNUSED);
        }
        const enum status status =
            vocabulary_set(vocabulary, id, content, strlen(content), type, err);
        if (status) return error_prefix(err, "added_tokens[%zu]", i);
    }
    return STATUS_OK;
}

static enum status piece_merge_add(struct tokenizer *tokenizer, const char *left, size_t left_size,
                                   const char *right, struct error *err)
{
    struct text bytes = {0};
    pieces_normalize(&bytes, left, left_size);
    const size_t middle = bytes.size;
    pieces_normalize(&bytes, right, strlen(right));
    const struct vocabulary *vocabulary = &tokenizer->vocabulary;
    const int32_t ids[3] = {
        vocabulary_find(vocabulary, text_string(&bytes), middle),
        vocabulary_find(vocabulary, text_string(&bytes) + middle, bytes.size - middle),
        vocabulary_find(vocabulary, text_string(&bytes), bytes.size),
    };
    text_done(&bytes);
    if (ids[0] < 0 || ids[1] < 0 || ids[2] < 0)
        return error_set(
            err, STATUS_FORMAT, "merge %d, \"%.*s %.80s\": %s is not in the vocabulary",
            tokenizer->bpe.n_merges + 1, (int)(left_size < 80 ? left_size : 80), left, right,
            ids[0] < 0   ? "its left part"
            : ids[1] < 0 ? "its right part"
                         : "what it makes");
    return bpe_add(&tokenizer->bpe, ids[0], ids[1], ids[2], err);
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
            tokenizer->kind == TOKENIZER_PIECES
                ? piece_merge_add(tokenizer, left, left_size, right, err)
                : byte_merge_add(tokenizer, left, left_size, right, strlen(right), err);
        if (status) return status;
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

/* Settings that would change ids and that we do not follow. */
static enum status check_model(const json_t *model, struct error *err)
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

/* The tokens that a template puts around a text: one before, one after. */
static void read_template(struct tokenizer *tokenizer, const json_t *template)
{
    size_t i;
    json_t *part;
    bool after = false;
    if (is_type(template, "Sequence")) {
        json_array_foreach(json_object_get(template, "processors"), i, part)
        {
            if (is_type(part, "TemplateProcessing")) read_template(tokenizer, part);
        }
        return;
    }
    json_array_foreach(json_object_get(template, "single"), i, part)
    {
        const char *name = string_of(json_object_get(part, "SpecialToken"), "id");
        if (json_object_get(part, "Sequence")) after = true;
        else if (*name)
            *(after ? &tokenizer->end : &tokenizer->begin) =
                tokenizer_find(tokenizer, name, strlen(name));
    }
}

static enum status read_root(struct tokenizer *tokenizer, const json_t *root, struct error *err)
{
    const json_t *model = json_object_get(root, "model");
    enum status status = check_model(model, err);
    if (!status) status = read_normalizer(tokenizer, root, err);
    if (status) return status;
    tokenizer->whole_first = json_is_true(json_object_get(model, "ignore_merges"));
    status = read_vocabulary(tokenizer, model, err);
    if (status) return status;
    vocabulary_index(&tokenizer->vocabulary);
    if (tokenizer->kind == TOKENIZER_CHARACTERS) status = read_characters(tokenizer, model, err);
    else status = read_merges(tokenizer, json_object_get(model, "merges"), err);
    if (!status && tokenizer->kind == TOKENIZER_BYTES)
        status = read_pre_tokenizer(tokenizer, json_object_get(root, "pre_tokenizer"), err);
    if (!status) status = read_added(tokenizer, json_object_get(root, "added_tokens"), err);
    if (!status) status = tokenizer_finish(tokenizer, err);
    if (!status) read_template(tokenizer, json_object_get(root, "post_processor"));
    return status;
}

static enum tokenizer_kind kind_of(const json_t *root)
{
    if (is_byte_level(root)) return TOKENIZER_BYTES;
    return is_sentencepiece(root) ? TOKENIZER_PIECES : TOKENIZER_CHARACTERS;
}

enum status tokenizer_json_parse(struct tokenizer **out, const char *bytes, size_t size,
                                 struct error *err)
{
    json_t *root;
    *out = NULL;
    enum status status = json_parse(&root, bytes, size, err);
    if (status) return status;
    struct tokenizer *tokenizer = tokenizer_new(kind_of(root));
    status = read_root(tokenizer, root, err);
    json_decref(root);
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}
