#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/pages.h"
#include "base/text.h"
#include "infer/generate.h"
#include "model/weights.h"
#include "text/bpe_train.h"
#include "text/tokenizer_file.h"
#include "train/checkpoint.h"
#include "train/corpus.h"
#include "train/run_folder.h"
#include "train/update.h"

#define TEXT_LIMIT ((size_t)16 << 30)
enum { MOMENTS_LEAST = 50, NOT_FINITE_LIMIT = 10 };

/* ---- opening ---- */

static enum status read_text(struct text *out, const struct recipe *recipe, struct error *err)
{
    if (*recipe->data) return file_read(out, recipe->data, TEXT_LIMIT, err);
    text_add_bytes(out, corpus_text(), corpus_size());
    return STATUS_OK;
}

static enum status learn_tokens(struct tokenizer **out, const struct recipe *recipe,
                                const struct text *text, struct error *err)
{
    const struct bpe_train_options options = {.V = (int)recipe->vocabulary, .split = SPLIT_GPT2};
    struct bpe_trainer *trainer;
    enum status status = bpe_trainer_open(&trainer, &options, err);
    if (status) return status;
    bpe_trainer_add(trainer, text->data, text->size);
    status = bpe_trainer_run(trainer, out, NULL, err);
    bpe_trainer_close(trainer);
    return status;
}

static enum status make_tokenizer(struct tokenizer **out, const struct recipe *recipe,
                                  const struct text *text, struct error *err)
{
    if (strcmp(recipe->tokenizer, "char") == 0)
        return tokenizer_of_characters(out, text->data, text->size, err);
    if (strcmp(recipe->tokenizer, "bpe") == 0) return learn_tokens(out, recipe, text, err);
    return tokenizer_open(out, recipe->tokenizer, err);
}

static enum status open_pool(struct trainer *trainer, struct error *err)
{
    long threads = (long)trainer->recipe.threads;
    if (threads == 0) threads = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads < 1) threads = 1;
    if (threads > POOL_THREADS_LIMIT) threads = POOL_THREADS_LIMIT;
    return pool_open(&trainer->pool, (int)threads, err);
}

static enum status open_optimizer(struct trainer *trainer, struct error *err)
{
    const struct recipe *recipe = &trainer->recipe;
    const struct optimizer_settings settings = recipe_optimizer(recipe);
    struct optimizer_group *groups =
        optimizer_groups(&trainer->parameters, recipe->decay, settings.kind == OPTIMIZER_MUON);
    const enum status status =
        optimizer_init(&trainer->optimizer, &settings, groups, trainer->parameters.n, err);
    free(groups);
    return status;
}

static enum status open_buffers(struct trainer *trainer, struct error *err)
{
    const size_t bytes = trainer->parameters.count * sizeof(float);
    const size_t M = (size_t)trainer->recipe.batch * (size_t)trainer->recipe.context;
    trainer->inputs = memory_new(M, sizeof *trainer->inputs);
    trainer->targets = memory_new(M, sizeof *trainer->targets);
    trainer->sums = memory_new((size_t)trainer->parameters.n, sizeof *trainer->sums);
    trainer->weight_sums = memory_new((size_t)trainer->parameters.n, sizeof *trainer->sums);
    trainer->update_sums = memory_new((size_t)trainer->parameters.n, sizeof *trainer->sums);
    trainer->gradients = pages_new(bytes);
    if (trainer->recipe.layers_every) trainer->before = pages_new(bytes);
    if (trainer->recipe.average > 0) trainer->average = pages_new(bytes);
    if (!trainer->gradients || (trainer->recipe.average > 0 && !trainer->average) ||
        (trainer->recipe.layers_every && !trainer->before))
        return error_set(err, STATUS_LIMIT, _("%.0f MiB of memory for the gradients"),
                         (double)bytes / (1 << 20));
    return STATUS_OK;
}

/* Everything but the values: tokenizer and text are there. */
static enum status open_model(struct trainer *trainer, struct error *err)
{
    const struct recipe *recipe = &trainer->recipe;
    const int V = tokenizer_size(trainer->tokenizer);
    struct model_config config;
    const int64_t M = recipe->batch * recipe->context;
    if (M > INT32_MAX)
        return error_set(err, STATUS_USAGE, _("batch * context is %lld tokens, at most %d"),
                         (long long)M, INT32_MAX);
    enum status status = recipe_model(&config, recipe, V, err);
    if (!status) status = open_pool(trainer, err);
    if (!status) status = parameters_init(&trainer->parameters, &config, err);
    if (!status)
        status = transformer_open(&trainer->transformer, &trainer->parameters, (int)M,
                                  TRANSFORMER_LEARNS, trainer->pool, err);
    if (!status)
        status = transformer_choose(trainer->transformer, (enum transformer_numbers)recipe->numbers,
                                    err);
    if (!status) status = open_optimizer(trainer, err);
    if (!status) status = open_buffers(trainer, err);
    if (status) return status;
    trainer->schedule = recipe_schedule(recipe);
    trainer->best = INFINITY;
    trainer->flops_per_step = 3 * (double)M * (double)recipe->accumulate *
                              model_config_flops(&config, (config.T + 1) / 2);
    return STATUS_OK;
}

static enum status save_as(const struct trainer *trainer, const char *name, const char **said,
                           struct error *err)
{
    char *path = path_join(trainer->folder, name);
    enum status status;
    if (strcmp(name, "checkpoint.safetensors") == 0) status = checkpoint_save(trainer, path, err);
    else status = weights_save(&trainer->parameters, trainer->parameters.data, path, NULL, err);
    free(path);
    *said = name;
    return status;
}

static enum status write_recipe(const struct trainer *trainer, struct error *err)
{
    json_t *object = recipe_json(&trainer->recipe);
    char *bytes = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    char *path = path_join(trainer->folder, "recipe.json");
    CHECK(bytes);
    const enum status status = file_write(path, bytes, strlen(bytes), 0644, err);
    free(path);
    free(bytes);
    json_decref(object);
    return status;
}

static enum status log_start(const struct trainer *trainer, struct error *err)
{
    const struct dataset *dataset = &trainer->dataset;
    json_t *model = model_config_json(&trainer->parameters.config);
    json_t *row = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:o, s:f}", "kind", "start", "step", (json_int_t)trainer->step,
        "parameters", (json_int_t)trainer->parameters.count, "tokens_train",
        (json_int_t)dataset->n_train, "tokens_valid", (json_int_t)dataset->n_valid, "model", model,
        "flops_per_step", trainer->flops_per_step);
    CHECK(row);
    return run_log(trainer->folder, row, err);
}

static enum status write_folder(struct trainer *trainer, struct error *err)
{
    const char *said;
    char *tokenizer = path_join(trainer->folder, "tokenizer.json");
    enum status status = folder_make(trainer->folder, 0755, err);
    if (!status) status = tokenizer_save(trainer->tokenizer, tokenizer, TOKENIZER_JSON, err);
    if (!status) status = log_start(trainer, err);
    if (!status) status = save_as(trainer, "checkpoint.safetensors", &said, err);
    if (!status) status = write_recipe(trainer, err); /* last: now it is a run */
    free(tokenizer);
    return status;
}

/* The settings, whichever text they are given by; texts are copied. */
static void copy_recipe(struct recipe *out, const struct recipe *recipe)
{
    struct error err;
    json_t *object = recipe_json(recipe);
    recipe_init(out);
    if (recipe_from_json(out, object, &err))
        check_failed("a recipe reads its own JSON", __FILE__, __LINE__);
    json_decref(object);
}

enum status trainer_create(struct trainer *trainer, const struct recipe *recipe, const char *folder,
                           struct error *err)
{
    struct text text = {0};
    char *there = path_join(folder, "recipe.json");
    const bool exists = file_exists(there);
    free(there);
    *trainer = (struct trainer){0};
    if (exists)
        return error_set(err, STATUS_CONFLICT,
                         _("%s: holds a run already; --resume %s goes on with it, or take another "
                           "folder"),
                         folder, folder);
    copy_recipe(&trainer->recipe, recipe);
    trainer->folder = text_copy(folder);
    enum status status = read_text(&text, recipe, err);
    if (!status) status = make_tokenizer(&trainer->tokenizer, recipe, &text, err);
    if (!status)
        status = dataset_init(&trainer->dataset, trainer->tokenizer, text.data, text.size,
                              recipe->validation, (int)recipe->context, err);
    text_done(&text);
    if (!status) status = open_model(trainer, err);
    if (!status) {
        parameters_randomize(&trainer->parameters, (uint64_t)recipe->seed, trainer->pool);
        if (trainer->average)
            memcpy(trainer->average, trainer->parameters.data,
                   trainer->parameters.count * sizeof(float));
        status = write_folder(trainer, err);
    }
    if (status) trainer_close(trainer);
    return status;
}

static enum status read_recipe(struct recipe *recipe, const char *folder, struct error *err)
{
    enum { RECIPE_LIMIT = 1 << 20 };
    char *path = path_join(folder, "recipe.json");
    struct text bytes = {0};
    json_t *object = NULL;
    enum status status = file_read(&bytes, path, RECIPE_LIMIT, err);
    if (status == STATUS_NOT_FOUND)
        status = error_set(err, STATUS_NOT_FOUND, _("%s: holds no run"), folder);
    else if (!status) {
        status = json_parse(&object, bytes.data, bytes.size, err);
        if (!status) status = recipe_from_json(recipe, object, err);
        if (status) error_prefix(err, "%s", path);
    }
    json_decref(object);
    text_done(&bytes);
    free(path);
    return status;
}

static enum status change_recipe(struct recipe *recipe, char **words, int n_words,
                                 struct error *err)
{
    struct recipe before;
    struct text differences = {0};
    enum status status = STATUS_OK;
    copy_recipe(&before, recipe);
    for (int i = 0; i < n_words && !status; i++) status = recipe_word(recipe, words[i], err);
    if (!status) {
        recipe_differences(&differences, &before, recipe);
        if (differences.size)
            status = error_set(err, STATUS_USAGE,
                               _("%s: cannot change while a run goes on, it would not be the same "
                                 "run; begin a new one"),
                               text_string(&differences));
    }
    text_done(&differences);
    recipe_done(&before);
    return status;
}

enum status trainer_resume(struct trainer *trainer, const char *folder, char **words, int n_words,
                           struct error *err)
{
    struct text text = {0};
    *trainer = (struct trainer){0};
    recipe_init(&trainer->recipe);
    trainer->folder = text_copy(folder);
    char *tokenizer = path_join(folder, "tokenizer.json");
    char *checkpoint = path_join(folder, "checkpoint.safetensors");
    enum status status = read_recipe(&trainer->recipe, folder, err);
    if (!status) status = change_recipe(&trainer->recipe, words, n_words, err);
    if (!status) status = read_text(&text, &trainer->recipe, err);
    if (!status) status = tokenizer_open(&trainer->tokenizer, tokenizer, err);
    if (!status)
        status = dataset_init(&trainer->dataset, trainer->tokenizer, text.data, text.size,
                              trainer->recipe.validation, (int)trainer->recipe.context, err);
    text_done(&text);
    if (!status) status = open_model(trainer, err);
    if (!status) status = checkpoint_load(trainer, checkpoint, err);
    if (!status) status = run_log_trim(folder, trainer->step, err);
    free(tokenizer);
    free(checkpoint);
    if (status) trainer_close(trainer);
    return status;
}

void trainer_close(struct trainer *trainer)
{
    const size_t bytes = trainer->parameters.count * sizeof(float);
    transformer_close(trainer->transformer);
    optimizer_done(&trainer->optimizer);
    pages_free(trainer->gradients, bytes);
    pages_free(trainer->average, bytes);
    pages_free(trainer->before, bytes);
    parameters_done(&trainer->parameters);
    dataset_done(&trainer->dataset);
    tokenizer_close(trainer->tokenizer);
    pool_close(trainer->pool);
    recipe_done(&trainer->recipe);
    free(trainer->inputs);
    free(trainer->targets);
    free(trainer->sums);
    free(trainer->weight_sums);
    free(trainer->update_sums);
    free(trainer->folder);
    *trainer = (struct trainer){0};
}

/* ---- one step ---- */

struct piecewise {
    float *out;
    const float *in;
    size_t n;
    float keep;
};
enum { PIECE = 1 << 16 };

static void clear_piece(void *context, int i, int worker)
{
    (void)worker;
    const struct piecewise *all = context;
    const size_t at = (size_t)i * PIECE, left = all->n - at;
    memset(all->out + at, 0, (left < PIECE ? left : PIECE) * sizeof(float));
}

static void subtract_piece(void *context, int i, int worker)
{
    (void)worker;
    const struct piecewise *all = context;
    const size_t at = (size_t)i * PIECE, left = all->n - at;
    update_blend(all->out + at, all->in + at, all->out + at, left < PIECE ? left : PIECE, 1.0f,
                 -1.0f);
}

static void average_piece(void *context, int i, int worker)
{
    (void)worker;
    const struct piecewise *all = context;
    const size_t at = (size_t)i * PIECE, left = all->n - at;
    update_average(all->out + at, all->in + at, left < PIECE ? left : PIECE, all->keep);
}

static void each_piece(const struct trainer *trainer, void (*task)(void *, int, int), float *out,
                       const float *in, float keep)
{
    struct piecewise all = {out, in, trainer->parameters.count, keep};
    pool_run(trainer->pool, task, &all, (int)((all.n + PIECE - 1) / PIECE));
}

/* Gradients of one step's windows; the mean loss. */
static double learn(struct trainer *trainer)
{
    const struct recipe *recipe = &trainer->recipe;
    const int B = (int)recipe->batch, T = (int)recipe->context;
    const int64_t n = recipe->accumulate;
    const double tokens = (double)B * T * (double)n;
    double loss = 0;
    for (int64_t i = 0; i < n; i++) {
        const uint64_t index = (uint64_t)(trainer->step * n + i);
        const struct transformer_dropout dropout = {(float)recipe->dropout, (uint64_t)recipe->seed,
                                                    index};
        dataset_batch(&trainer->dataset, trainer->inputs, trainer->targets, B, T,
                      (uint64_t)recipe->seed, index);
        loss += transformer_learn(trainer->transformer, trainer->inputs, trainer->targets, B, T,
                                  (float)(1 / tokens), trainer->gradients, &dropout);
    }
    return loss / tokens;
}

static double norm_of(struct trainer *trainer)
{
    double sum = 0;
    optimizer_square_sums(&trainer->optimizer, trainer->sums, trainer->gradients, trainer->pool);
    for (int i = 0; i < trainer->parameters.n; i++) sum += trainer->sums[i];
    return sqrt(sum);
}

/* Is this loss far above the usual? Takes it into the usual when it is not. */
static bool is_spike(struct trainer *trainer, double loss)
{
    const double remember = 0.98;
    if (trainer->recipe.spike > 0 && trainer->n_moments >= MOMENTS_LEAST) {
        const double variance = trainer->square - trainer->mean * trainer->mean;
        if (loss - trainer->mean > trainer->recipe.spike * sqrt(variance > 0 ? variance : 0))
            return true;
    }
    const double keep = trainer->n_moments < MOMENTS_LEAST
                            ? (double)trainer->n_moments / (double)(trainer->n_moments + 1)
                            : remember;
    trainer->mean = keep * trainer->mean + (1 - keep) * loss;
    trainer->square = keep * trainer->square + (1 - keep) * loss * loss;
    trainer->n_moments++;
    return false;
}

static void tell_speed(struct trainer *trainer, struct train_step *facts)
{
    const struct recipe *recipe = &trainer->recipe;
    const double keep = trainer->smooth_ms > 0 ? 0.95 : 0;
    trainer->smooth_ms = keep * trainer->smooth_ms + (1 - keep) * facts->ms;
    trainer->smooth_loss = keep * trainer->smooth_loss + (1 - keep) * facts->loss;
    const double s = trainer->smooth_ms / 1000;
    facts->smooth = trainer->smooth_loss;
    facts->tokens_per_s =
        (double)recipe->batch * (double)recipe->context * (double)recipe->accumulate / s;
    facts->gflops = trainer->flops_per_step / s / 1e9;
    facts->left_s = (double)(facts->steps - facts->step) * s;
}

static bool due(int64_t every, int64_t step) { return every > 0 && step % every == 0; }

/* The update; when it is measured, also how large parameters and change are. */
static void update(struct trainer *trainer, double rate, double scale)
{
    const size_t bytes = trainer->parameters.count * sizeof(float);
    trainer->measured = due(trainer->recipe.layers_every, trainer->step + 1);
    if (trainer->measured) memcpy(trainer->before, trainer->parameters.data, bytes);
    optimizer_update(&trainer->optimizer, trainer->parameters.data, trainer->gradients, rate, scale,
                     trainer->pool);
    if (trainer->measured) {
        optimizer_square_sums(&trainer->optimizer, trainer->weight_sums, trainer->before,
                              trainer->pool);
        each_piece(trainer, subtract_piece, trainer->before, trainer->parameters.data, 0);
        optimizer_square_sums(&trainer->optimizer, trainer->update_sums, trainer->before,
                              trainer->pool);
    }
    if (trainer->average)
        each_piece(trainer, average_piece, trainer->average, trainer->parameters.data,
                   (float)trainer->recipe.average);
}

void trainer_step(struct trainer *trainer, struct train_step *facts)
{
    const struct recipe *recipe = &trainer->recipe;
    const int64_t began = clock_steady_ns();
    *facts = (struct train_step){.steps = recipe->steps,
                                 .rate = schedule_rate(&trainer->schedule, trainer->step)};
    facts->loss = learn(trainer);
    facts->norm = norm_of(trainer);
    facts->skipped =
        !isfinite(facts->norm) || !isfinite(facts->loss) || is_spike(trainer, facts->loss);
    trainer->measured = false;
    if (facts->skipped) {
        trainer->n_skipped++;
        each_piece(trainer, clear_piece, trainer->gradients, NULL, 0);
    } else {
        const bool clips = recipe->clip > 0 && facts->norm > recipe->clip;
        update(trainer, facts->rate, clips ? recipe->clip / facts->norm : 1);
    }
    facts->step = ++trainer->step;
    facts->ms = (double)(clock_steady_ns() - began) / 1e6;
    tell_speed(trainer, facts);
}

/* ---- what happens between steps ---- */

/* Look at the averaged weights instead, and back again. */
static void swap_average(struct trainer *trainer)
{
    if (!trainer->average) return;
    float *data = trainer->parameters.data;
    trainer->parameters.data = trainer->average;
    trainer->average = data;
}

void trainer_validate(struct trainer *trainer, size_t tokens, struct train_valid *valid)
{
    const int B = (int)trainer->recipe.batch, T = (int)trainer->recipe.context;
    const size_t windows = dataset_valid_windows(&trainer->dataset, T, tokens);
    double sum = 0;
    *valid = (struct train_valid){.step = trainer->step, .tokens = windows * (size_t)T};
    valid->whole = windows == dataset_valid_windows(&trainer->dataset, T, 0);
    if (!windows) return;
    swap_average(trainer);
    for (size_t i = 0; i < windows; i += (size_t)B) {
        const int n = windows - i < (size_t)B ? (int)(windows - i) : B;
        dataset_valid(&trainer->dataset, trainer->inputs, trainer->targets, i, n, T);
        sum +=
            transformer_loss(trainer->transformer, trainer->inputs, trainer->targets, n, T, NULL);
    }
    swap_average(trainer);
    valid->loss = sum / (double)valid->tokens;
    if (valid->whole)
        valid->bits_per_byte = valid->loss / log(2) * (double)trainer->dataset.n_valid /
                               (double)trainer->dataset.n_bytes_valid;
}

static enum status validate(struct trainer *trainer, const struct train_observer *observer,
                            size_t tokens, struct error *err)
{
    struct train_valid valid;
    const char *said;
    enum status status = STATUS_OK;
    trainer_validate(trainer, tokens, &valid);
    if (!valid.tokens) return STATUS_OK;
    if (valid.loss < trainer->best) {
        trainer->best = valid.loss;
        trainer->n_not_better = 0;
        swap_average(trainer);
        status = save_as(trainer, "best.safetensors", &said, err);
        swap_average(trainer);
    } else if (!(valid.whole && trainer->step == trainer->recipe.steps)) {
        trainer->n_not_better++;
    }
    valid.best = trainer->best;
    if (status) return status;
    json_t *row =
        json_pack("{s:s, s:I, s:f, s:I, s:b}", "kind", "valid", "step", (json_int_t)valid.step,
                  "loss", valid.loss, "tokens", (json_int_t)valid.tokens, "whole", valid.whole);
    if (valid.whole) json_object_set_new(row, "bits_per_byte", json_real(valid.bits_per_byte));
    if (observer->valid) observer->valid(observer->context, &valid);
    return run_log(trainer->folder, row, err);
}

/* The tokens of the prompt; the first token of the text when it cannot be written. */
static void encode_prompt(struct tokens *out, const struct trainer *trainer)
{
    const struct encode_options options = {.specials = SPECIALS_TEXT};
    struct encoder *encoder = encoder_open(trainer->tokenizer, &options);
    const char *prompt = trainer->recipe.prompt;
    if (encoder_run(encoder, out, prompt, strlen(prompt), NULL) || out->n == 0)
        tokens_add(out, trainer->dataset.ids[0]);
    encoder_close(encoder);
}

static enum status write_sample(struct trainer *trainer, struct text *out, struct error *err)
{
    const struct sampler_settings settings = {
        .temperature = trainer->recipe.temperature,
        .top_p = 1,
        .seed = (uint64_t)trainer->recipe.seed ^ (uint64_t)trainer->step << 20,
    };
    struct generator generator = {0};
    struct decoder decoder;
    struct tokens prompt = {0};
    enum status status =
        generator_init(&generator, &trainer->parameters, &settings, trainer->pool, err);
    if (status) return status;
    encode_prompt(&prompt, trainer);
    decoder_init(&decoder, trainer->tokenizer, false);
    generator_feed(&generator, prompt.ids, prompt.n);
    for (size_t i = 0; i < prompt.n && !status; i++)
        status = decoder_add(&decoder, out, prompt.ids[i], err);
    for (int64_t i = 0; i < trainer->recipe.sample_tokens && !status; i++)
        status = decoder_add(&decoder, out, generator_next(&generator), err);
    decoder_end(&decoder, out);
    tokens_done(&prompt);
    generator_done(&generator);
    return status;
}

static enum status sample(struct trainer *trainer, const struct train_observer *observer,
                          struct error *err)
{
    struct text text = {0};
    if (!trainer->recipe.sample_tokens) return STATUS_OK;
    swap_average(trainer);
    enum status status = write_sample(trainer, &text, err);
    swap_average(trainer);
    if (!status) {
        json_t *row =
            json_pack("{s:s, s:I, s:o}", "kind", "sample", "step", (json_int_t)trainer->step,
                      "text", json_text(text_string(&text), text.size));
        CHECK(row);
        if (observer->sample)
            observer->sample(observer->context, trainer->step, text_string(&text));
        status = run_log(trainer->folder, row, err);
    }
    text_done(&text);
    return status;
}

static enum status log_step(const struct trainer *trainer, const struct train_step *facts,
                            struct error *err)
{
    json_t *row = json_pack(
        "{s:s, s:I, s:f, s:f, s:f, s:b, s:f, s:f, s:f}", "kind", facts->skipped ? "skip" : "step",
        "step", (json_int_t)facts->step, "loss", isfinite(facts->loss) ? facts->loss : -1.0, "rate",
        facts->rate, "norm", isfinite(facts->norm) ? facts->norm : -1.0, "skipped", facts->skipped,
        "ms", facts->ms, "tokens_per_s", facts->tokens_per_s, "gflops", facts->gflops);
    CHECK(row);
    return run_log(trainer->folder, row, err);
}

static enum status save(struct trainer *trainer, const struct train_observer *observer,
                        struct error *err)
{
    const char *said;
    const enum status status = save_as(trainer, "checkpoint.safetensors", &said, err);
    if (!status && observer->saved) observer->saved(observer->context, trainer->step, said);
    return status;
}

/* Root mean squares of each parameter, its gradient and its change: what the ratio is taken from. */
static enum status log_layers(const struct trainer *trainer, struct error *err)
{
    json_t *rows = json_array();
    for (int i = 0; i < trainer->parameters.n; i++) {
        const struct parameter *p = &trainer->parameters.table[i];
        const double count = (double)p->count;
        json_array_append_new(rows, json_pack("{s:s, s:f, s:f, s:f}", "name", p->name, "weight",
                                              sqrt(trainer->weight_sums[i] / count), "gradient",
                                              sqrt(trainer->sums[i] / count), "update",
                                              sqrt(trainer->update_sums[i] / count)));
    }
    const int L = trainer->parameters.config.L;
    float *residual = memory_new((size_t)L + 1, sizeof *residual);
    json_t *stream = json_array();
    transformer_residual_rms(trainer->transformer, residual);
    for (int l = 0; l <= L; l++) json_array_append_new(stream, json_real((double)residual[l]));
    free(residual);
    json_t *row = json_pack("{s:s, s:I, s:o, s:o}", "kind", "layers", "step",
                            (json_int_t)trainer->step, "parameters", rows, "residual", stream);
    CHECK(row);
    return run_log(trainer->folder, row, err);
}

static enum status after_step(struct trainer *trainer, const struct train_observer *observer,
                              const struct train_step *facts, struct error *err)
{
    const struct recipe *recipe = &trainer->recipe;
    const bool last = facts->step == recipe->steps;
    enum status status = STATUS_OK;
    if (observer->step) observer->step(observer->context, facts);
    if (facts->skipped || last || due(recipe->log_every, facts->step))
        status = log_step(trainer, facts, err);
    if (!status && trainer->measured) status = log_layers(trainer, err);
    if (!status && !last && due(recipe->valid_every, facts->step))
        status = validate(trainer, observer, (size_t)recipe->valid_tokens, err);
    if (!status && !last && due(recipe->sample_every, facts->step))
        status = sample(trainer, observer, err);
    if (!status && !last && due(recipe->save_every, facts->step))
        status = save(trainer, observer, err);
    return status;
}

/* At the end: all of the validation text, a sample, the weights by themselves. */
static enum status finish(struct trainer *trainer, const struct train_observer *observer,
                          struct error *err)
{
    const char *said;
    enum status status = validate(trainer, observer, 0, err);
    if (!status) status = sample(trainer, observer, err);
    if (!status) status = save(trainer, observer, err);
    if (!status) {
        swap_average(trainer);
        status = save_as(trainer, "model.safetensors", &said, err);
        swap_average(trainer);
    }
    if (!status && observer->saved) observer->saved(observer->context, trainer->step, said);
    json_t *row = json_pack(
        "{s:s, s:I, s:f, s:I}", "kind", "end", "step", (json_int_t)trainer->step, "best",
        isfinite(trainer->best) ? trainer->best : -1.0, "skipped", (json_int_t)trainer->n_skipped);
    CHECK(row);
    if (status) json_decref(row);
    else status = run_log(trainer->folder, row, err);
    return status;
}

static bool gave_up(const struct trainer *trainer)
{
    return trainer->recipe.patience > 0 && trainer->n_not_better >= trainer->recipe.patience;
}

enum status trainer_run(struct trainer *trainer, const struct train_observer *observer, bool *done,
                        struct error *err)
{
    const struct recipe *recipe = &trainer->recipe;
    enum status status = STATUS_OK;
    int in_a_row = 0;
    *done = false;
    while (trainer->step < recipe->steps && !gave_up(trainer)) {
        struct train_step facts;
        trainer_step(trainer, &facts);
        status = after_step(trainer, observer, &facts, err);
        in_a_row = isfinite(facts.loss) && isfinite(facts.norm) ? 0 : in_a_row + 1;
        if (!status && in_a_row == NOT_FINITE_LIMIT)
            status = error_set(err, STATUS_LIMIT,
                               _("the loss was not finite for %d steps in a row, at step %lld: a "
                                 "lower rate or a longer warm_up may help"),
                               NOT_FINITE_LIMIT, (long long)trainer->step);
        if (status) return status;
        if (trainer->step < recipe->steps && observer->stop && observer->stop(observer->context))
            return save(trainer, observer, err);
    }
    status = finish(trainer, observer, err);
    *done = !status;
    return status;
}
