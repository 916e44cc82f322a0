#include "model/weights.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"
#include "model/llama2c.h"

/* ---- the config ---- */

static enum status config_beside(struct model_config *config, const char *folder, struct error *err)
{
    enum { CONFIG_LIMIT = 1 << 20 };
    char *path = path_join(folder, "config.json");
    struct text bytes = {0};
    json_t *object = NULL;
    enum status status = file_read(&bytes, path, CONFIG_LIMIT, err);
    if (status == STATUS_NOT_FOUND)
        status =
            error_set(err, STATUS_FORMAT,
                      _("the file does not say what model it holds, and there is no %s"), path);
    if (!status) status = json_parse(&object, bytes.data, bytes.size, err);
    if (!status) status = model_config_from_huggingface(config, object, err);
    if (status == STATUS_OK) json_decref(object);
    else if (object) json_decref(object);
    text_done(&bytes);
    free(path);
    return status;
}

enum status weights_config(struct model_config *config, const struct safetensors *file,
                           const char *folder, struct error *err)
{
    const char *line = safetensors_metadata(file, "lcx.model");
    json_t *object;
    if (!line && folder) return config_beside(config, folder, err);
    if (!line) return error_set(err, STATUS_FORMAT, _("the file does not say what model it holds"));
    enum status status = json_parse(&object, line, strlen(line), err);
    if (status) return status;
    status = model_config_from_json(config, object, err);
    json_decref(object);
    return status;
}

/* ---- reading ---- */

/* Ours, or the same under "transformer.", as some write GPT-2. */
static const struct safetensors_tensor *find(const struct safetensors *file, const char *prefix,
                                             const char *name)
{
    static const char *const before[] = {"", "transformer."};
    const struct safetensors_tensor *found = NULL;
    for (int i = 0; i < 2 && !found; i++) {
        char *full = text_printf("%s%s%s", prefix, before[i], name);
        found = safetensors_find(file, full);
        free(full);
    }
    return found;
}

static enum status check_shape(const struct parameter *p, const struct safetensors_tensor *tensor,
                               struct error *err)
{
    const int64_t rows = p->file_transposed ? p->columns : p->rows;
    const int64_t columns = p->file_transposed ? p->rows : p->columns;
    struct text shape = {0};
    if (tensor->ndim == 2 && p->ndim == 2 && tensor->shape[0] == rows &&
        tensor->shape[1] == columns)
        return STATUS_OK;
    if (tensor->ndim == 1 && p->ndim == 1 && tensor->shape[0] == columns) return STATUS_OK;
    for (int i = 0; i < tensor->ndim; i++)
        text_format(&shape, "%s%lld", i ? "," : "", (long long)tensor->shape[i]);
    if (p->ndim == 2)
        error_set(err, STATUS_FORMAT, _("%s: expected [%lld,%lld], the file has [%s]"), p->name,
                  (long long)rows, (long long)columns, text_string(&shape));
    else
        error_set(err, STATUS_FORMAT, _("%s: expected [%lld], the file has [%s]"), p->name,
                  (long long)columns, text_string(&shape));
    text_done(&shape);
    return STATUS_FORMAT;
}

static enum status read_one(const struct parameter *p, float *out, const struct safetensors *file,
                            const struct safetensors_tensor *tensor, struct error *err)
{
    enum status status = check_shape(p, tensor, err);
    if (status) return status;
    if (!p->file_transposed) return safetensors_read_f32(file, tensor, out, err);
    float *turned = memory_new(p->count, sizeof *turned);
    status = safetensors_read_f32(file, tensor, turned, err);
    if (!status)
        for (int r = 0; r < p->rows; r++)
            for (int c = 0; c < p->columns; c++)
                out[(size_t)r * (size_t)p->columns + (size_t)c] =
                    turned[(size_t)c * (size_t)p->rows + (size_t)r];
    free(turned);
    return status;
}

enum status weights_read(const struct parameters *parameters, float *out,
                         const struct safetensors *file, const char *prefix, struct error *err)
{
    for (int i = 0; i < parameters->n; i++) {
        const struct parameter *p = &parameters->table[i];
        const struct safetensors_tensor *tensor = find(file, prefix, p->name);
        if (!tensor)
            return error_set(err, STATUS_FORMAT, _("%s%s: the file has no such tensor"), prefix,
                             p->name);
        const enum status status = read_one(p, out + p->offset, file, tensor, err);
        if (status) return status;
    }
    return STATUS_OK;
}

static bool carried_along(const char *name)
{
    return text_ends_with(name, ".attn.bias") || text_ends_with(name, ".attn.masked_bias") ||
           text_ends_with(name, "rotary_emb.inv_freq") || strcmp(name, "lm_head.weight") == 0;
}

static enum status check_no_others(const struct parameters *parameters,
                                   const struct safetensors *file, struct error *err)
{
    for (int i = 0; i < file->n; i++) {
        const char *name = file->tensors[i].name;
        if (text_starts_with(name, "train.")) continue; /* of a checkpoint: train/checkpoint.h */
        if (text_starts_with(name, "transformer.")) name += strlen("transformer.");
        if (!parameters_find(parameters, name) && !carried_along(name))
            return error_set(err, STATUS_FORMAT, _("%s: the model has no such tensor"),
                             file->tensors[i].name);
    }
    return STATUS_OK;
}

static enum status load_safetensors(struct parameters *parameters, const char *path,
                                    struct error *err)
{
    struct safetensors file;
    struct model_config config;
    enum status status = safetensors_open(&file, path, err);
    if (status) return status;
    char *copy = text_copy(path);
    status = weights_config(&config, &file, dirname(copy), err);
    free(copy);
    if (!status) status = parameters_init(parameters, &config, err);
    if (!status) {
        status = check_no_others(parameters, &file, err);
        if (!status) status = weights_read(parameters, parameters->data, &file, "", err);
        if (status) parameters_done(parameters);
    }
    safetensors_close(&file);
    if (status) error_prefix(err, "%s", path);
    return status;
}

enum status weights_load(struct parameters *parameters, const char *path, struct error *err)
{
    *parameters = (struct parameters){0};
    if (text_ends_with(path, ".bin")) return llama2c_load(parameters, path, err);
    return load_safetensors(parameters, path, err);
}

/* ---- writing ---- */

int weights_items(struct safetensors_item *items, const struct parameters *parameters,
                  const float *data, const char *prefix)
{
    for (int i = 0; i < parameters->n; i++) {
        const struct parameter *p = &parameters->table[i];
        items[i] = (struct safetensors_item){.name = text_printf("%s%s", prefix, p->name),
                                             .type = SAFETENSORS_F32,
                                             .ndim = p->ndim,
                                             .data = data + p->offset,
                                             .transposed = p->file_transposed};
        if (p->ndim == 1) items[i].shape[0] = p->columns;
        else {
            items[i].shape[0] = p->file_transposed ? p->columns : p->rows;
            items[i].shape[1] = p->file_transposed ? p->rows : p->columns;
        }
    }
    return parameters->n;
}

void weights_items_done(struct safetensors_item *items, int n)
{
    for (int i = 0; i < n; i++) free((char *)(uintptr_t)items[i].name);
}

enum status weights_save(const struct parameters *parameters, const float *data, const char *path,
                         const json_t *extra, struct error *err)
{
    struct safetensors_item *items = memory_new((size_t)parameters->n, sizeof *items);
    json_t *metadata = extra ? json_copy((json_t *)(uintptr_t)extra) : json_object();
    json_t *object = model_config_json(&parameters->config);
    char *line = json_line(object);
    json_object_set_new(metadata, "format", json_string("pt"));
    json_object_set_new(metadata, "lcx.model", json_string(line));
    const int n = weights_items(items, parameters, data, "");
    const enum status status = safetensors_write(path, items, n, metadata, err);
    weights_items_done(items, n);
    free(items);
    free(line);
    json_decref(object);
    json_decref(metadata);
    return status;
}
