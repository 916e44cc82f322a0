#include "text/tokenizer_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* ---- reading ---- */

static enum status open_gpt2(struct tokenizer **out, const char *vocabulary, const char *merges,
                             struct error *err)
{
    struct text first = {0}, second = {0};
    enum status status = file_read(&first, vocabulary, TOKENIZER_FILE_LIMIT, err);
    if (!status) status = file_read(&second, merges, TOKENIZER_FILE_LIMIT, err);
    if (!status) {
        status = tokenizer_gpt2_parse(out, first.data, first.size, second.data, second.size, err);
        if (status) error_prefix(err, "%s", vocabulary);
    }
    text_done(&first);
    text_done(&second);
    return status;
}

static enum status open_file(struct tokenizer **out, const char *path, struct error *err)
{
    struct text bytes = {0};
    enum status status = file_read(&bytes, path, TOKENIZER_FILE_LIMIT, err);
    if (!status) {
        status = tokenizer_json_parse(out, bytes.data, bytes.size, err);
        if (status) error_prefix(err, "%s", path);
    }
    text_done(&bytes);
    return status;
}

static enum status open_folder(struct tokenizer **out, const char *folder, struct error *err)
{
    static const char *const pairs[][2] = {{"vocab.json", "merges.txt"},
                                           {"encoder.json", "vocab.bpe"}};
    char *one = path_join(folder, "tokenizer.json");
    if (file_exists(one)) {
        const enum status status = open_file(out, one, err);
        free(one);
        return status;
    }
    free(one);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *vocabulary = path_join(folder, pairs[i][0]), *merges = path_join(folder, pairs[i][1]);
        const bool there = file_exists(vocabulary) && file_exists(merges);
        const enum status status =
            there ? open_gpt2(out, vocabulary, merges, err) : STATUS_NOT_FOUND;
        free(vocabulary);
        free(merges);
        if (there) return status;
    }
    return error_set(
        err, STATUS_NOT_FOUND,
        "%s: no tokenizer here: neither tokenizer.json, nor vocab.json with merges.txt, "
        "nor encoder.json with vocab.bpe",
        folder);
}

/* vocab.json and encoder.json have their merges beside them. */
static const char *merges_beside(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    if (strcmp(name, "vocab.json") == 0 || strcmp(name, "merges.txt") == 0) return "merges.txt";
    if (strcmp(name, "encoder.json") == 0 || strcmp(name, "vocab.bpe") == 0) return "vocab.bpe";
    return NULL;
}

enum status tokenizer_open(struct tokenizer **out, const char *path, struct error *err)
{
    *out = NULL;
    if (file_is_folder(path)) return open_folder(out, path, err);
    const char *beside = merges_beside(path);
    if (!beside) return open_file(out, path, err);
    const char *slash = strrchr(path, '/');
    char *folder = slash ? text_printf("%.*s", (int)(slash - path), path) : text_copy(".");
    char *merges = path_join(*folder ? folder : "/", beside);
    char *vocabulary = path_join(*folder ? folder : "/",
                                 strcmp(beside, "merges.txt") == 0 ? "vocab.json" : "encoder.json");
    const enum status status = open_gpt2(out, vocabulary, merges, err);
    free(folder);
    free(merges);
    free(vocabulary);
    return status;
}

/* ---- writing ---- */

static enum status save_gpt2(const struct tokenizer *tokenizer, const char *folder,
                             struct error *err)
{
    struct text vocabulary = {0}, merges = {0};
    char *first = path_join(folder, "vocab.json"), *second = path_join(folder, "merges.txt");
    enum status status = tokenizer_gpt2_write(&vocabulary, &merges, tokenizer, err);
    if (!status) status = folder_make(folder, 0755, err);
    if (!status) status = file_write(second, merges.data, merges.size, 0644, err);
    if (!status) status = file_write(first, vocabulary.data, vocabulary.size, 0644, err);
    text_done(&vocabulary);
    text_done(&merges);
    free(first);
    free(second);
    return status;
}

enum status tokenizer_save(const struct tokenizer *tokenizer, const char *path,
                           enum tokenizer_format format, struct error *err)
{
    if (format == TOKENIZER_GPT2) return save_gpt2(tokenizer, path, err);
    struct text json = {0};
    tokenizer_json_write(&json, tokenizer);
    const enum status status = file_write(path, json.data, json.size, 0644, err);
    text_done(&json);
    return status;
}
