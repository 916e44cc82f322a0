/* bench_tokenizer.c -- lcx bench tokenizer: how fast text becomes ids, and how fast one learns.
 *
 *   encode/V/F             text F with the tokenizer V
 *   encode/V/random-utf8   any characters: every piece is new, so no memory of pieces helps
 *   encode/V/spanish       the Spanish pages and the C files that come with lcx
 *   encode/V/source
 *   encode/V/word-1mb      one piece of 2^20 letters: the worst case
 *   train/F/4096           from the file to 4,096 tokens, with the gpt2 split
 *   machine                what a thread can read at most
 *
 * Each run has a new encoder, whose memory of pieces is empty. With --threads N, N encoders work at
 * once on the same text.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/machine.h"
#include "base/rng.h"
#include "bench.h"
#include "text/bpe_train.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

enum { MADE_SIZE = 1 << 20, LEARNED = 4096 };

static const struct option_description options[] = {
    {"vocab", "PATH", N_("the tokenizer; without it, one that is learned from the text")},
    {"file", "FILE", N_("the text; without it, the pages that come with lcx")},
    {"runs", "N", N_("how many times each case is measured; 5 by default")},
    {"threads", "N", N_("encoders that work at once; 1 by default")},
    {NULL, NULL, NULL},
};

const struct usage usage_bench_tokenizer = {
    .name = "bench tokenizer",
    .arguments = "",
    .summary = N_("How fast text becomes token ids, and how fast a vocabulary is learned"),
    .details = N_("Each run has a new encoder, which has seen nothing yet."),
    .example = "lcx bench tokenizer\nlcx bench tokenizer --vocab gpt2/ --file book.txt --json",
    .options = options,
};

struct subject {
    struct bench_row *row;
    struct text text;
};

struct tokenizer_bench {
    struct app *app;
    struct bench bench;
    struct tokenizer *tokenizer;
    char *vocabulary_name;
    struct subject subjects[8];
    int n_subjects;
    struct bench_row *train;
    int runs, threads;
};

/* The last part of a path, without a slash at the end; the caller frees it. */
static char *name_of(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    return text_printf("%.*s", (int)(end - begin), path + begin);
}

/* ---- texts ---- */

static void add_subject(struct tokenizer_bench *self, const char *name, struct text *text)
{
    if (!text->size) {
        text_done(text);
        return;
    }
    struct subject *subject = &self->subjects[self->n_subjects++];
    subject->row = bench_row(&self->bench, "mb_per_s", "MB/s", "encode/%.28s/%.28s",
                             self->vocabulary_name, name);
    subject->row->threads = self->threads;
    subject->text = *text;
}

/* Append every file below the folder whose name ends so, in the order of names. */
static void gather(struct text *out, const char *folder, const char *suffix, int depth)
{
    enum { FOLDERS_DEEP = 3 };
    struct dirent **entries;
    const int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char *path = path_join(folder, entries[i]->d_name);
        struct error err;
        if (entries[i]->d_name[0] != '.' && out->size < MADE_SIZE) {
            if (file_is_folder(path) && depth < FOLDERS_DEEP) gather(out, path, suffix, depth + 1);
            else if (text_ends_with(path, suffix) && file_read(out, path, MADE_SIZE, &err))
                text_add(out, "\n"); /* what cannot be read is not missed */
        }
        free(path);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

static void add_authored(struct tokenizer_bench *self)
{
    struct text spanish = {0}, source = {0};
    gather(&spanish, self->app->content, ".es.md", 0);
    gather(&source, self->app->content, ".c", 0);
    add_subject(self, "spanish", &spanish);
    add_subject(self, "source", &source);
}

static void add_made(struct tokenizer_bench *self)
{
    struct text random = {0}, word = {0};
    struct rng rng;
    rng_init(&rng, 1, 0);
    while (random.size < MADE_SIZE) {
        char bytes[4];
        const int32_t code = (int32_t)rng_below(&rng, 0x110000);
        if (code >= 0xD800 && code < 0xE000) continue;
        text_add_bytes(&random, bytes, unicode_write(bytes, code));
    }
    while (word.size < MADE_SIZE) text_add_char(&word, (char)('a' + rng_below(&rng, 26)));
    add_subject(self, "random-utf8", &random);
    add_subject(self, "word-1mb", &word);
}

/* ---- runs ---- */

struct encode_run {
    const struct tokenizer_bench *self;
    const struct text *text;
    struct error err;
    enum status status;
};

static void *encode_once(void *argument)
{
    struct encode_run *run = argument;
    const struct encode_options as_text = {.specials = SPECIALS_TEXT};
    struct tokens tokens = {0};
    struct encoder *encoder = encoder_open(run->self->tokenizer, &as_text);
    run->status = encoder_run(encoder, &tokens, run->text->data, run->text->size, &run->err);
    encoder_close(encoder);
    tokens_done(&tokens);
    return NULL;
}

static enum status measure_encode(const struct tokenizer_bench *self, struct subject *subject,
                                  bool counts, struct error *err)
{
    struct encode_run *runs = memory_new((size_t)self->threads, sizeof *runs);
    pthread_t *threads = memory_new((size_t)self->threads, sizeof *threads);
    enum status status = STATUS_OK;
    const int64_t began = clock_steady_ns();
    for (int i = 0; i < self->threads; i++) {
        runs[i] = (struct encode_run){.self = self, .text = &subject->text};
        if (i) CHECK(pthread_create(&threads[i], NULL, encode_once, &runs[i]) == 0);
    }
    encode_once(&runs[0]);
    for (int i = 1; i < self->threads; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    const double seconds = (double)(clock_steady_ns() - began) / 1e9;
    for (int i = 0; i < self->threads && !status; i++) {
        status = runs[i].status;
        if (status) *err = runs[i].err;
    }
    if (counts) bench_add(subject->row, (double)subject->text.size * self->threads / 1e6 / seconds);
    free(runs);
    free(threads);
    return status;
}

static enum status learn(struct tokenizer **out, const struct text *text, struct error *err)
{
    const struct bpe_train_options train = {.V = LEARNED, .split = SPLIT_GPT2};
    struct bpe_trainer *trainer;
    enum status status = bpe_trainer_open(&trainer, &train, err);
    if (status) return status;
    bpe_trainer_add(trainer, text->data, text->size);
    status = bpe_trainer_run(trainer, out, NULL, err);
    bpe_trainer_close(trainer);
    return status;
}

static enum status measure_train(const struct tokenizer_bench *self, bool counts, struct error *err)
{
    struct tokenizer *learned;
    const int64_t began = clock_steady_ns();
    const enum status status = learn(&learned, &self->subjects[0].text, err);
    if (status) return status;
    tokenizer_close(learned);
    if (counts) bench_add(self->train, (double)(clock_steady_ns() - began) / 1e9);
    return STATUS_OK;
}

/* Cases take turns, so that all see the same machine; the first lap is not counted. */
static enum status measure(struct tokenizer_bench *self, struct error *err)
{
    const int all = (self->runs + 1) * (self->n_subjects + 1);
    const int64_t began = clock_steady_ns();
    int done = 0;
    enum status status = STATUS_OK;
    for (int lap = 0; lap <= self->runs && !status; lap++) {
        for (int i = 0; i < self->n_subjects && !status; i++) {
            status = measure_encode(self, &self->subjects[i], lap > 0, err);
            bench_tell(self->app, ++done, all, began);
        }
        if (!status) status = measure_train(self, lap > 0, err);
        bench_tell(self->app, ++done, all, began);
    }
    return status;
}

static void measure_machine(struct tokenizer_bench *self)
{
    struct machine machine;
    struct error err;
    if (machine_init(&machine, &err)) {
        app_note(self->app, _("the machine's limits are not measured: %s"), err.message);
        return;
    }
    struct bench_row *row = bench_row(&self->bench, "read_bandwidth", "gb_per_s", "machine");
    row->threads = self->threads;
    for (int turn = 0; turn < self->runs; turn++)
        bench_add(row, machine_read_gb_per_s(&machine, self->threads));
    machine_done(&machine);
}

/* The text and the tokenizer that were asked for, or those that come with lcx. */
static enum status prepare(struct tokenizer_bench *self, const struct arguments *arguments,
                           struct error *err)
{
    const char *file = arguments_value(arguments, "file");
    const char *vocabulary = arguments_value(arguments, "vocab");
    struct text text = {0};
    enum status status = STATUS_OK;
    if (file) status = file_read(&text, file, INT32_MAX, err);
    else gather(&text, self->app->content, ".en.md", 0);
    if (!status && !text.size)
        status = error_set(err, STATUS_USAGE, _("%s: there is no text in it"),
                           file ? file : self->app->content);
    if (!status && vocabulary) status = tokenizer_open(&self->tokenizer, vocabulary, err);
    else if (!status) status = learn(&self->tokenizer, &text, err);
    if (status) {
        text_done(&text);
        return status;
    }
    char *name = file ? name_of(file) : text_copy("english");
    self->vocabulary_name = vocabulary ? name_of(vocabulary) : text_copy("learned");
    add_subject(self, name, &text);
    add_authored(self);
    add_made(self);
    self->train = bench_row(&self->bench, "seconds", "s", "train/%.40s/%d", name, LEARNED);
    free(name);
    return STATUS_OK;
}

int bench_tokenizer(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct error err;
    double runs, threads;
    int status;
    if (!arguments_read(&arguments, app, &usage_bench_tokenizer, argc, argv, &status))
        return status;
    if (!arguments_number(&arguments, app, "runs", 1, BENCH_RUNS_LIMIT, 5, &runs) ||
        !arguments_number(&arguments, app, "threads", 1, MACHINE_THREADS_LIMIT, 1, &threads))
        return EXIT_MISUSE;
    struct tokenizer_bench *self = memory_new(1, sizeof *self);
    *self = (struct tokenizer_bench){
        .app = app, .bench.name = "tokenizer", .runs = (int)runs, .threads = (int)threads};
    enum status done = prepare(self, &arguments, &err);
    if (!done) done = measure(self, &err);
    bench_told(app);
    if (!done) {
        measure_machine(self);
        bench_print(app, &self->bench);
    }
    for (int i = 0; i < self->n_subjects; i++) text_done(&self->subjects[i].text);
    tokenizer_close(self->tokenizer);
    free(self->vocabulary_name);
    free(self);
    return done ? app_fail(app, &err) : EXIT_DONE;
}
