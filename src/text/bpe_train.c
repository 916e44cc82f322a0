#include "text/bpe_train.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/pair_merger.h"
#include "text/word_count.h"

enum { CHUNK = 4 << 20 };

struct bpe_trainer {
    struct bpe_train_options options;
    char **special_names;
    struct specials specials;
    struct word_count words;
    uint64_t n_bytes, n_pieces;
};

static enum status check_options(const struct bpe_train_options *options, struct error *err)
{
    const int least = 256 + options->n_specials;
    if (options->V < least || options->V > VOCABULARY_LIMIT)
        return error_set(err, STATUS_USAGE,
                         "vocabulary of %d: it must have %d tokens at least (256 bytes and %d "
                         "special ones) and %d at most",
                         options->V, least, options->n_specials, VOCABULARY_LIMIT);
    for (int i = 0; i < options->n_specials; i++) {
        const char *name = options->specials[i];
        if (!*name) return error_set(err, STATUS_USAGE, "special token %d: it is empty", i + 1);
        if (text_utf8_valid(name, strlen(name)) != strlen(name))
            return error_set(err, STATUS_USAGE, "special token %d: it is not UTF-8", i + 1);
        for (int k = 0; k < i; k++)
            if (strcmp(name, options->specials[k]) == 0)
                return error_set(err, STATUS_USAGE, "special token %s is given twice", name);
    }
    return STATUS_OK;
}

enum status bpe_trainer_open(struct bpe_trainer **out, const struct bpe_train_options *options,
                             struct error *err)
{
    *out = NULL;
    const enum status status = check_options(options, err);
    if (status) return status;
    struct bpe_trainer *trainer = memory_new(1, sizeof *trainer);
    const int n = options->n_specials;
    trainer->options = *options;
    if (!trainer->options.least) trainer->options.least = 2;
    trainer->special_names = memory_new((size_t)n, sizeof *trainer->special_names);
    struct special *list = memory_new((size_t)n, sizeof *list);
    for (int i = 0; i < n; i++) {
        trainer->special_names[i] = text_copy(options->specials[i]);
        list[i] = (struct special){.bytes = trainer->special_names[i],
                                   .size = strlen(options->specials[i]),
                                   .id = i,
                                   .wanted = true};
    }
    specials_init(&trainer->specials, list, n);
    trainer->options.specials = (const char *const *)trainer->special_names;
    free(list);
    *out = trainer;
    return STATUS_OK;
}

void bpe_trainer_close(struct bpe_trainer *trainer)
{
    if (!trainer) return;
    for (int i = 0; i < trainer->options.n_specials; i++) free(trainer->special_names[i]);
    free(trainer->special_names);
    specials_done(&trainer->specials);
    word_count_done(&trainer->words);
    free(trainer);
}

/* ---- counting ---- */

/* The pieces of [0, stop); `size` bytes are there to be looked at, since what follows decides. */
static void count_stretch(struct bpe_trainer *trainer, const unsigned char *bytes, size_t stop,
                          size_t size)
{
    split_next *const next = split_scanner(trainer->options.split);
    for (size_t at = 0, end; at < stop; at = end) {
        end = next(bytes, size, at);
        word_count_add(&trainer->words, bytes + at, end - at, size - at, 1);
        trainer->n_pieces++;
    }
}

static void count_text(struct bpe_trainer *trainer, const char *bytes, size_t stop, size_t size)
{
    trainer->n_bytes += stop;
    for (size_t at = 0, begin; at < stop;) {
        const struct special *special = specials_find(&trainer->specials, bytes, size, at, &begin);
        const size_t end = special ? begin : size;
        count_stretch(trainer, (const unsigned char *)bytes + at, (end < stop ? end : stop) - at,
                      end - at);
        if (!special) return;
        at = begin + special->size;
    }
}

void bpe_trainer_add(struct bpe_trainer *trainer, const char *bytes, size_t size)
{
    count_text(trainer, bytes, size, size);
}

/* Where what was read so far can be cut: a piece begins there, whatever follows. A special token
 * lies on one side of it, unless one holds an end of line: then nothing is cut. */
static size_t cut_of(const struct bpe_trainer *trainer, const struct text *read)
{
    if (trainer->options.split == SPLIT_NONE) return 0;
    for (int i = 0; i < trainer->options.n_specials; i++)
        if (strchr(trainer->special_names[i], '\n')) return 0;
    return split_safe((const unsigned char *)text_string(read), read->size);
}

enum status bpe_trainer_add_file(struct bpe_trainer *trainer, const char *path, struct error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s", path);
    struct text read_so_far = {0};
    char *chunk = memory_new(CHUNK, 1);
    enum status status = STATUS_OK;
    for (;;) {
        const ssize_t n = read(fd, chunk, CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = error_set_errno(err, STATUS_IO, "%s", path);
        if (n <= 0) break;
        text_add_bytes(&read_so_far, chunk, (size_t)n);
        const size_t cut = cut_of(trainer, &read_so_far);
        if (!cut) continue;
        count_text(trainer, read_so_far.data, cut, read_so_far.size);
        memmove(read_so_far.data, read_so_far.data + cut, read_so_far.size - cut);
        read_so_far.size -= cut;
    }
    if (!status) bpe_trainer_add(trainer, text_string(&read_so_far), read_so_far.size);
    text_done(&read_so_far);
    free(chunk);
    close(fd);
    return status;
}

/* ---- learning ---- */

/* The vocabulary of what was merged, then the special tokens. */
static enum status make_tokenizer(struct tokenizer **out, const struct bpe_trainer *trainer,
                                  const struct pair_merger *merger, struct error *err)
{
    struct tokenizer *tokenizer = tokenizer_new(TOKENIZER_BYTES);
    const int n_symbols = pair_merger_size(merger);
    enum status status = STATUS_OK;
    tokenizer->split = trainer->options.split;
    for (int symbol = 0; symbol < n_symbols && !status; symbol++) {
        size_t size;
        const char *bytes = pair_merger_bytes(merger, symbol, &size);
        status = vocabulary_set(&tokenizer->vocabulary, symbol, bytes, size, TOKEN_NORMAL, err);
        if (status || symbol < 256) continue;
        int32_t left, right;
        pair_merger_parts(merger, symbol, &left, &right);
        status = bpe_add(&tokenizer->bpe, left, right, symbol, err);
    }
    for (int i = 0; i < trainer->options.n_specials && !status; i++) {
        const char *name = trainer->special_names[i];
        status = vocabulary_set(&tokenizer->vocabulary, n_symbols + i, name, strlen(name),
                                TOKEN_SPECIAL, err);
    }
    if (!status) status = tokenizer_finish(tokenizer, err);
    if (status) tokenizer_close(tokenizer);
    else *out = tokenizer;
    return status;
}

enum status bpe_trainer_run(struct bpe_trainer *trainer, struct tokenizer **out,
                            struct bpe_train_report *report, struct error *err)
{
    const int n_symbols = trainer->options.V - trainer->options.n_specials;
    const uint64_t n_different = trainer->words.n;
    *out = NULL;
    struct pair_merger *merger = pair_merger_open(&trainer->words);
    word_count_done(&trainer->words);
    uint64_t count = 0, last_count = 0;
    while (pair_merger_size(merger) < n_symbols) {
        count = pair_merger_step(merger, trainer->options.least);
        if (!count) break;
        last_count = count;
    }
    const enum status status = make_tokenizer(out, trainer, merger, err);
    if (report)
        *report = (struct bpe_train_report){
            .n_bytes = trainer->n_bytes,
            .n_pieces = trainer->n_pieces,
            .n_different = n_different,
            .n_merges = pair_merger_size(merger) - 256,
            .last_count = last_count,
        };
    pair_merger_close(merger);
    return status;
}
