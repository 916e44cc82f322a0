#include "text/bpe_train.h"

#include <stdlib.h>
#include <string.h>

#include "text/pair_merger.h"
#include "text/text_parts.h"
#include "text/word_count.h"

enum { STRETCH = 1 << 18 }; /* bytes that one task counts */

/* What one thread has counted: sums, so it does not matter which thread counts what. */
struct tally {
    _Alignas(64) struct word_count words;
    uint64_t n_bytes, n_pieces;
};

struct bpe_trainer {
    struct bpe_train_options options;
    char **special_names;
    struct specials specials;
    bool cuts;             /* files may be cut into parts */
    size_t longest;        /* special token; at least 1 */
    struct tally *tallies; /* one for each thread of the pool */
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
    const size_t n_tallies = (size_t)pool_threads(options->pool);
    trainer->tallies = aligned_alloc(64, n_tallies * sizeof *trainer->tallies);
    CHECK(trainer->tallies);
    memset(trainer->tallies, 0, n_tallies * sizeof *trainer->tallies);
    trainer->cuts = options->split != SPLIT_NONE;
    trainer->longest = 1;
    for (int i = 0; i < n; i++) {
        const size_t size = strlen(options->specials[i]);
        if (size > trainer->longest) trainer->longest = size;
        if (strchr(options->specials[i], '\n'))
            trainer->cuts = false; /* a cut could go through it */
    }
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
    for (int i = 0; i < pool_threads(trainer->options.pool); i++)
        word_count_done(&trainer->tallies[i].words);
    free(trainer->tallies);
    free(trainer);
}

/* ---- counting ---- */

/* The pieces of [0, stop); `size` bytes are there to be looked at, since what follows decides. */
static void count_pieces(const struct bpe_trainer *trainer, struct tally *tally,
                         const unsigned char *bytes, size_t stop, size_t size)
{
    split_next *const next = split_scanner(trainer->options.split);
    for (size_t at = 0, end; at < stop; at = end) {
        end = next(bytes, size, at);
        word_count_add(&tally->words, bytes + at, end - at, size - at, 1);
        tally->n_pieces++;
    }
}

static void count_text(const struct bpe_trainer *trainer, struct tally *tally, const char *bytes,
                       size_t stop, size_t size)
{
    tally->n_bytes += stop;
    if (size - stop > trainer->longest) size = stop + trainer->longest; /* no more decides */
    for (size_t at = 0, begin; at < stop;) {
        const struct special *special = specials_find(&trainer->specials, bytes, size, at, &begin);
        const size_t end = special ? begin : size;
        count_pieces(trainer, tally, (const unsigned char *)bytes + at,
                     (end < stop ? end : stop) - at, end - at);
        if (!special) return;
        at = begin + special->size;
    }
}

void bpe_trainer_add(struct bpe_trainer *trainer, const char *bytes, size_t size)
{
    count_text(trainer, trainer->tallies, bytes, size, size);
}

struct stretches {
    const struct bpe_trainer *trainer;
    const struct text *held;
    size_t ends[TEXT_PART / STRETCH + 1];
};

static void count_stretch(void *context, int i, int worker)
{
    const struct stretches *stretches = context;
    const size_t begin = i ? stretches->ends[i - 1] : 0;
    count_text(stretches->trainer, &stretches->trainer->tallies[worker],
               stretches->held->data + begin, stretches->ends[i] - begin,
               stretches->held->size - begin);
}

/* A special token lies on one side of every cut, since none holds an end of line. */
enum status bpe_trainer_add_file(struct bpe_trainer *trainer, const char *path, struct error *err)
{
    struct text_parts parts;
    struct stretches stretches = {.trainer = trainer, .held = &parts.held};
    enum status status = text_parts_open(&parts, path, trainer->cuts, err);
    if (status) return status;
    while (text_parts_next(&parts, &status, err)) {
        const int n = text_parts_cut(&parts, stretches.ends, TEXT_PART / STRETCH);
        pool_run(trainer->options.pool, count_stretch, &stretches, n);
    }
    text_parts_close(&parts);
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
    struct tally *all = trainer->tallies;
    *out = NULL;
    for (int i = 1; i < pool_threads(trainer->options.pool); i++) {
        word_count_join(&all->words, &all[i].words);
        word_count_done(&all[i].words);
        all->n_bytes += all[i].n_bytes;
        all->n_pieces += all[i].n_pieces;
    }
    const uint64_t n_different = all->words.n;
    if (all->words.store.size + (WORD_SHORT + 1) * n_different >= UINT32_MAX)
        return error_set(
            err, STATUS_LIMIT,
            "%llu different pieces: more than 4 GiB of them; learn from a part of the text",
            (unsigned long long)n_different);
    struct pair_merger *merger = pair_merger_open(&all->words);
    word_count_done(&all->words);
    uint64_t count = 0, last_count = 0;
    while (pair_merger_size(merger) < n_symbols) {
        count = pair_merger_step(merger, trainer->options.least);
        if (!count) break;
        last_count = count;
    }
    const enum status status = make_tokenizer(out, trainer, merger, err);
    if (report)
        *report = (struct bpe_train_report){
            .n_bytes = all->n_bytes,
            .n_pieces = all->n_pieces,
            .n_different = n_different,
            .n_merges = pair_merger_size(merger) - 256,
            .last_count = last_count,
        };
    pair_merger_close(merger);
    return status;
}
