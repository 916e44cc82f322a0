#include "train/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/weights.h"

/* Numbers as text that reads back to the same bits. */
static json_t *state_json(const struct trainer *trainer)
{
    char *best = text_printf("%a", trainer->best), *mean = text_printf("%a", trainer->mean);
    char *square = text_printf("%a", trainer->square);
    char *hash = text_printf("%016llx", (unsigned long long)trainer->dataset.hash);
    json_t *state = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "step", (json_int_t)trainer->step,
        "updates", (json_int_t)trainer->optimizer.step, "skipped", (json_int_t)trainer->n_skipped,
        "not_better", (json_int_t)trainer->n_not_better, "moments", (json_int_t)trainer->n_moments,
        "best", best, "mean", mean, "square", square, "text", hash);
    CHECK(state);
    free(best);
    free(mean);
    free(square);
    free(hash);
    return state;
}

/* The buffers that a checkpoint holds beside the parameters. */
struct part {
    const char *prefix;
    float *data;
};
enum { PARTS = 4 };

static int parts_of(struct part parts[PARTS], const struct trainer *trainer)
{
    int n = 0;
    parts[n++] = (struct part){"", trainer->parameters.data};
    parts[n++] = (struct part){"train.first.", trainer->optimizer.first};
    if (trainer->optimizer.second)
        parts[n++] = (struct part){"train.second.", trainer->optimizer.second};
    if (trainer->average) parts[n++] = (struct part){"train.average.", trainer->average};
    return n;
}

enum status checkpoint_save(const struct trainer *trainer, const char *path, struct error *err)
{
    const struct parameters *parameters = &trainer->parameters;
    struct part parts[PARTS];
    const int n_parts = parts_of(parts, trainer);
    struct safetensors_item *items =
        memory_new((size_t)n_parts * (size_t)parameters->n, sizeof *items);
    int n = 0;
    for (int i = 0; i < n_parts; i++)
        n += weights_items(items + n, parameters, parts[i].data, parts[i].prefix);

    json_t *state = state_json(trainer), *model = model_config_json(&parameters->config);
    char *state_line = json_line(state), *model_line = json_line(model);
    json_t *metadata = json_pack("{s:s, s:s, s:s}", "format", "pt", "lcx.model", model_line,
                                 "lcx.train", state_line);
    CHECK(metadata);
    const enum status status = safetensors_write(path, items, n, metadata, err);
    json_decref(metadata);
    json_decref(state);
    json_decref(model);
    free(state_line);
    free(model_line);
    weights_items_done(items, n);
    free(items);
    return status;
}

static int64_t whole(const json_t *state, const char *key, bool *good)
{
    const json_t *value = json_object_get(state, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) *good = false;
    return (int64_t)json_integer_value(value);
}

static double real(const json_t *state, const char *key, bool *good)
{
    const char *word = json_string_value(json_object_get(state, key));
    char *end = NULL;
    const double value = word ? strtod(word, &end) : 0;
    if (!word || end == word || *end) *good = false;
    return value;
}

static enum status take_state(struct trainer *trainer, const json_t *state, struct error *err)
{
    bool good = true;
    const char *hash = json_string_value(json_object_get(state, "text"));
    trainer->step = whole(state, "step", &good);
    trainer->optimizer.step = whole(state, "updates", &good);
    trainer->n_skipped = whole(state, "skipped", &good);
    trainer->n_not_better = whole(state, "not_better", &good);
    trainer->n_moments = whole(state, "moments", &good);
    trainer->best = real(state, "best", &good);
    trainer->mean = real(state, "mean", &good);
    trainer->square = real(state, "square", &good);
    if (!good || !hash)
        return error_set(err, STATUS_FORMAT, _("lcx.train lacks a field of a checkpoint"));
    if (strtoull(hash, NULL, 16) != trainer->dataset.hash)
        return error_set(err, STATUS_CONFLICT,
                         _("the text is not the one that this run learned from; put the old one "
                           "back, or begin a new run"));
    return STATUS_OK;
}

static enum status load(struct trainer *trainer, const struct safetensors *file, struct error *err)
{
    struct model_config config;
    struct part parts[PARTS];
    json_t *state;
    enum status status = weights_config(&config, file, NULL, err);
    if (status) return status;
    json_t *theirs = model_config_json(&config);
    json_t *ours = model_config_json(&trainer->parameters.config);
    const bool same = json_equal(theirs, ours);
    json_decref(theirs);
    json_decref(ours);
    if (!same)
        return error_set(err, STATUS_FORMAT,
                         _("the checkpoint is of another model than the recipe"));
    const char *line = safetensors_metadata(file, "lcx.train");
    if (!line) return error_set(err, STATUS_FORMAT, _("a model, but no checkpoint of a run"));
    status = json_parse(&state, line, strlen(line), err);
    if (status) return status;
    status = take_state(trainer, state, err);
    json_decref(state);
    const int n_parts = parts_of(parts, trainer);
    for (int i = 0; i < n_parts && !status; i++)
        status = weights_read(&trainer->parameters, parts[i].data, file, parts[i].prefix, err);
    return status;
}

enum status checkpoint_load(struct trainer *trainer, const char *path, struct error *err)
{
    struct safetensors file;
    enum status status = safetensors_open(&file, path, err);
    if (status) return status;
    status = load(trainer, &file, err);
    safetensors_close(&file);
    if (status) error_prefix(err, "%s", path);
    return status;
}
