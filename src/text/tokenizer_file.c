#include "text/tokenizer_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The whole file; of a GGUF file, which may be a large model, the beginning. */
static enum status read_head(struct text *bytes, const char *path, struct error *err)
{
    char magic[4] = {0};
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const bool is_large = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                          info.st_size > TOKENIZER_FILE_LIMIT &&
                          pread(fd, magic, sizeof magic, 0) == (ssize_t)sizeof magic &&
                          memcmp(magic, "GGUF", sizeof magic) == 0;
    if (!is_large) {
        if (fd >= 0) close(fd);
        return file_read(bytes, path, TOKENIZER_FILE_LIMIT, err);
    }
    enum status status = STATUS_OK;
    char part[65536];
    for (off_t at = 0; at < TOKENIZER_FILE_LIMIT && !status; at += (off_t)sizeof part) {
        const ssize_t n = pread(fd, part, sizeof part, at);
        if (n != (ssize_t)sizeof part) status = error_set_errno(err, STATUS_IO, "%s", path);
        else text_add_bytes(bytes, part, sizeof part);
    }
    close(fd);
    return status;
}

static enum status parse(struct tokenizer **out, const struct text *bytes, const char *path,
                         struct error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (bytes->size >= 4 && memcmp(bytes->data, "GGUF", 4) == 0)
        return tokenizer_gguf_parse(out, bytes->data, bytes->size, err);
    if (text_ends_with(name, ".tiktoken"))
        return tokenizer_tiktoken_parse(out, bytes->data, bytes->size, name, err);
    if (text_ends_with(name, ".bin"))
        return tokenizer_llama2c_parse(out, bytes->data, bytes->size, err);
    return tokenizer_json_parse(out, bytes->data, bytes->size, err);
}

static enum status open_file(struct tokenizer **out, const char *path, struct error *err)
{
    struct text bytes = {0};
    enum status status = read_head(&bytes, path, err);
    if (!status) {
        status = parse(out, &bytes, path, err);
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
    struct text bytes = {0};
    enum status status = format == TOKENIZER_GGUF ? tokenizer_gguf_write(&bytes, tokenizer, err)
                         : format == TOKENIZER_LLAMA2C
                             ? tokenizer_llama2c_write(&bytes, tokenizer, err)
                             : tokenizer_json_write(&bytes, tokenizer, err);
    if (!status) status = file_write(path, bytes.data, bytes.size, 0644, err);
    text_done(&bytes);
    return status;
}
