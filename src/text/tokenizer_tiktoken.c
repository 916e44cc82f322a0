/* tokenizer_tiktoken.c -- name.tiktoken: a token a line, its bytes in base64, a blank, its id.
 *
 * The merges are not in the file; they follow from the ids: a token is made of the two parts into which
 * the tokens before it cut its bytes. Nor does it say how text is cut, or which tokens are special: that
 * goes with the name. A piece that is a token is that token, as in the library.
 * Source: the names and special tokens as published with tiktoken. */
#include <stdlib.h>
#include <string.h>

#include "text/file_parts.h"

enum { SPECIALS_LIMIT = 8, TOKEN_LIMIT = 1024 };

static const struct {
    const char *name;
    enum split split;
    struct {
        const char *name;
        int32_t id;
    } specials[SPECIALS_LIMIT];
} encodings[] = {
    {"r50k", SPLIT_GPT2, {{"<|endoftext|>", 50256}}},
    {"p50k", SPLIT_GPT2, {{"<|endoftext|>", 50256}}},
    {"gpt2", SPLIT_GPT2, {{"<|endoftext|>", 50256}}},
    {"cl100k",
     SPLIT_CL100K,
     {{"<|endoftext|>", 100257},
      {"<|fim_prefix|>", 100258},
      {"<|fim_middle|>", 100259},
      {"<|fim_suffix|>", 100260},
      {"<|endofprompt|>", 100276}}},
    {"o200k", SPLIT_O200K, {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}},
};

/* ---- reading ---- */

static int six_bits(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool read_base64(struct text *out, const char *string, size_t size)
{
    if (size % 4) return false;
    for (size_t i = 0; i < size; i += 4) {
        const bool last = i + 4 == size;
        const int padding = last ? (string[i + 3] == '=') + (string[i + 2] == '=') : 0;
        uint32_t bits = 0;
        for (int k = 0; k < 4; k++) {
            const int six = k >= 4 - padding ? 0 : six_bits(string[i + (size_t)k]);
            if (six < 0) return false;
            bits = bits << 6 | (uint32_t)six;
        }
        for (int k = 0; k < 3 - padding; k++) text_add_char(out, (char)(bits >> (16 - 8 * k)));
    }
    return true;
}

static enum status read_lines(struct tokenizer *tokenizer, const char *bytes, size_t size,
                              struct error *err)
{
    struct text token = {0};
    enum status status = STATUS_OK;
    int number = 1;
    for (const char *line = bytes, *const end = bytes + size; line < end && !status; number++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        const char *const next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        if (stop > line && stop[-1] == '\r') stop--;
        const char *blank = memchr(line, ' ', (size_t)(stop - line));
        int64_t id = -1;
        if (blank) {
            id = 0;
            for (const char *p = blank + 1; p < stop && id >= 0; p++)
                id = *p >= '0' && *p <= '9' && id < VOCABULARY_LIMIT ? 10 * id + (*p - '0') : -1;
            if (blank + 1 == stop) id = -1;
        }
        text_clear(&token);
        if (stop == line) status = STATUS_OK; /* an empty line */
        else if (id < 0 || !read_base64(&token, line, (size_t)(blank - line)) || !token.size)
            status = error_set(err, STATUS_FORMAT, "line %d: expected base64, a blank and an id",
                               number);
        else if (token.size > TOKEN_LIMIT)
            status = error_set(err, STATUS_LIMIT, "line %d: a token of %zu bytes; at most %d",
                               number, token.size, TOKEN_LIMIT);
        else
            status = vocabulary_set(&tokenizer->vocabulary, id, token.data, token.size,
                                    TOKEN_NORMAL, err);
        line = next;
    }
    text_done(&token);
    return status;
}

/* ---- merges ---- */

/* Cut the bytes of a token by the tokens with a lower id; the number of parts, their ids in `parts`. */
static int cut_token(const struct tokenizer *tokenizer, int32_t id, int32_t *parts)
{
    size_t size;
    const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
    uint32_t ends[TOKEN_LIMIT];
    int n = (int)size;
    for (int i = 0; i < n; i++) ends[i] = (uint32_t)i + 1;
    while (n > 1) {
        int32_t least = id;
        int at = -1;
        for (int i = 0; i + 1 < n; i++) {
            const uint32_t begin = i ? ends[i - 1] : 0;
            const int32_t made =
                vocabulary_find(&tokenizer->vocabulary, bytes + begin, ends[i + 1] - begin);
            if (made < 0 || made >= least) continue;
            least = made;
            at = i;
        }
        if (at < 0) break;
        memmove(ends + at, ends + at + 1, (size_t)(n - at - 1) * sizeof *ends);
        n--;
    }
    for (int i = 0; i < n && i < 2; i++) {
        const uint32_t begin = i ? ends[i - 1] : 0;
        parts[i] = vocabulary_find(&tokenizer->vocabulary, bytes + begin, ends[i] - begin);
    }
    return n;
}

static enum status find_merges(struct tokenizer *tokenizer, struct error *err)
{
    for (int32_t id = 0; id < tokenizer_size(tokenizer); id++) {
        int32_t parts[2] = {-1, -1};
        if (vocabulary_type(&tokenizer->vocabulary, id) != TOKEN_NORMAL ||
            tokenizer->vocabulary.tokens[id].size < 2 || cut_token(tokenizer, id, parts) != 2)
            continue; /* one that no merge reaches is made only of a piece that is just that */
        if (parts[0] < 0 || parts[1] < 0) continue;
        const enum status status = bpe_add(&tokenizer->bpe, parts[0], parts[1], id, err);
        if (status) return status;
    }
    return STATUS_OK;
}

enum status tokenizer_tiktoken_parse(struct tokenizer **out, const char *bytes, size_t size,
                                     const char *name, struct error *err)
{
    const size_t n_encodings = sizeof encodings / sizeof *encodings;
    size_t which = 0;
    *out = NULL;
    while (which < n_encodings && !strstr(name, encodings[which].name)) which++;
    if (which == n_encodings)
        return error_set(
            err, STATUS_FORMAT,
            "its name does not say how text is cut: it must have r50k, p50k, gpt2, cl100k "
            "or o200k in it");
    struct tokenizer *tokenizer = tokenizer_new(TOKENIZER_BYTES);
    tokenizer->split = encodings[which].split;
    tokenizer->whole_first = true;
    enum status status = read_lines(tokenizer, bytes, size, err);
    if (!status) {
        vocabulary_index(&tokenizer->vocabulary);
        status = find_merges(tokenizer, err);
    }
    for (int i = 0; i < SPECIALS_LIMIT && encodings[which].specials[i].name && !status; i++) {
        const char *special = encodings[which].specials[i].name;
        status = vocabulary_set(&tokenizer->vocabulary, encodings[which].specials[i].id, special,
                                strlen(special), TOKEN_SPECIAL, err);
    }
    if (!status) status = tokenizer_finish(tokenizer, err);
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}
