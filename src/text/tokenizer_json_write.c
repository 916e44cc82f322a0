/* tokenizer_json_write.c -- writing tokenizer.json, as Hugging Face's library reads it. */
#include <string.h>

#include "text/file_parts.h"

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

static const char byte_level[] =
    "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, "
    "\"use_regex\": ";

static void write_split(struct text *out, const char *pattern)
{
    text_add(out, "    {\"type\": \"Split\", \"pattern\": {\"Regex\": ");
    json_string_write(out, pattern, strlen(pattern));
    text_add(out, "}, \"behavior\": \"Isolated\", \"invert\": false},\n");
}

static void write_bytes(struct text *out, const struct tokenizer *tokenizer)
{
    text_format(out, "  \"normalizer\": %s,\n  \"pre_tokenizer\": ",
                tokenizer->composes ? "{\"type\": \"NFC\"}" : "null");
    if (!tokenizer->patterns.n && tokenizer->split <= SPLIT_GPT2) {
        text_format(out, "%s%s}", byte_level, tokenizer->split == SPLIT_GPT2 ? "true" : "false");
    } else {
        text_add(out, "{\"type\": \"Sequence\", \"pretokenizers\": [\n");
        for (int i = 0; i < tokenizer->patterns.n; i++)
            write_split(out, tokenizer->patterns.texts[i]);
        if (!tokenizer->patterns.n) write_split(out, split_pattern(tokenizer->split));
        text_format(out, "    %sfalse}\n  ]}", byte_level);
    }
    text_format(out, ",\n  \"post_processor\": null,\n  \"decoder\": %strue},\n", byte_level);
}

/* A name that the file spells, for a template. */
static void write_around(struct text *out, const struct tokenizer *tokenizer, int32_t id)
{
    struct text name = {0};
    token_write(&name, tokenizer, id);
    text_add(out, "{\"SpecialToken\": {\"id\": ");
    json_string_write(out, text_string(&name), name.size);
    text_add(out, ", \"type_id\": 0}}, ");
    text_done(&name);
}

static void write_pieces(struct text *out, const struct tokenizer *tokenizer)
{
    const bool first = tokenizer->pieces.blank_first;
    text_format(out,
                "  \"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [%s"
                "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": "
                "\"\xE2\x96\x81\"}]},\n  \"pre_tokenizer\": null,\n",
                first ? "{\"type\": \"Prepend\", \"prepend\": \"\xE2\x96\x81\"}, " : "");
    if (tokenizer->begin < 0) {
        text_add(out, "  \"post_processor\": null,\n");
    } else {
        struct text name = {0};
        text_add(out, "  \"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": [");
        write_around(out, tokenizer, tokenizer->begin);
        text_add(out, "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": [");
        write_around(out, tokenizer, tokenizer->begin);
        text_add(out, "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}, {\"Sequence\": {\"id\": "
                      "\"B\", \"type_id\": 1}}], \"special_tokens\": {");
        token_write(&name, tokenizer, tokenizer->begin);
        json_string_write(out, text_string(&name), name.size);
        text_add(out, ": {\"id\": ");
        json_string_write(out, text_string(&name), name.size);
        text_format(out, ", \"ids\": [%d], \"tokens\": [", tokenizer->begin);
        json_string_write(out, text_string(&name), name.size);
        text_add(out, "]}}},\n");
        text_done(&name);
    }
    text_format(out,
                "  \"decoder\": {\"type\": \"Sequence\", \"decoders\": [{\"type\": \"Replace\", "
                "\"pattern\": {\"String\": \"\xE2\x96\x81\"}, \"content\": \" \"}, {\"type\": "
                "\"ByteFallback\"}, {\"type\": \"Fuse\"}%s]},\n",
                first ? ", {\"type\": \"Strip\", \"content\": \" \", \"start\": 1, \"stop\": 0}"
                      : "");
}

static void write_cutting(struct text *out, const struct tokenizer *tokenizer)
{
    if (tokenizer->kind == TOKENIZER_BYTES) write_bytes(out, tokenizer);
    else if (tokenizer->kind == TOKENIZER_PIECES) write_pieces(out, tokenizer);
    else
        text_add(out, "  \"normalizer\": null,\n  \"pre_tokenizer\": null,\n"
                      "  \"post_processor\": null,\n  \"decoder\": {\"type\": \"Fuse\"},\n");
}

static void write_model(struct text *out, const struct tokenizer *tokenizer)
{
    struct text token = {0};
    bool first = true;
    text_add(out, "  \"model\": {\n    \"type\": \"BPE\", \"dropout\": null, \"unk_token\": ");
    if (tokenizer->unknown >= 0) {
        token_write(&token, tokenizer, tokenizer->unknown);
        json_string_write(out, text_string(&token), token.size);
    } else {
        text_add(out, "null");
    }
    text_format(out,
                ",\n    \"continuing_subword_prefix\": null, \"end_of_word_suffix\": null,\n"
                "    \"fuse_unk\": false, \"byte_fallback\": %s, \"ignore_merges\": %s,\n"
                "    \"vocab\": {",
                tokenizer->kind == TOKENIZER_PIECES ? "true" : "false",
                tokenizer->whole_first ? "true" : "false");
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        const enum token_type type = vocabulary_type(&tokenizer->vocabulary, id);
        if (type != TOKEN_NORMAL && type != TOKEN_BYTE && type != TOKEN_UNKNOWN) continue;
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

enum status tokenizer_json_write(struct text *out, const struct tokenizer *tokenizer,
                                 struct error *err)
{
    if (tokenizer->pieces.characters.size)
        return error_set(err, STATUS_USAGE,
                         "tokenizer.json cannot hold merges of characters that are no tokens: %d",
                         tokenizer->pieces.characters.size);
    text_add(out, "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n");
    write_added(out, tokenizer);
    write_cutting(out, tokenizer);
    write_model(out, tokenizer);
    text_add(out, "}\n");
    return STATUS_OK;
}
