#include "plan/shape.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"
#include "plan/rows.h"
#include "plan/unit.h"

/* One column of a table: where its value goes in the struct. */
struct column {
    const char *key;
    size_t offset;
    bool text, required;
    enum unit unit, per;
};

#define NUMBER(type, key, unit, per, required) \
    { \
#key, offsetof(struct type, key), false, required, unit, per \
    }
#define TEXT(type, key, required) \
    { \
#key, offsetof(struct type, key), true, required, 0, 0 \
    }

static const struct column model_columns[] = {
    TEXT(model_shape, name, true),
    TEXT(model_shape, source, true),
    NUMBER(model_shape, layers, UNIT_NONE, UNIT_NONE, true),
    NUMBER(model_shape, d_model, UNIT_NONE, UNIT_NONE, true),
    NUMBER(model_shape, heads, UNIT_NONE, UNIT_NONE, true),
    NUMBER(model_shape, kv_heads, UNIT_NONE, UNIT_NONE, true),
    NUMBER(model_shape, head_dim, UNIT_NONE, UNIT_NONE, true),
    NUMBER(model_shape, ffn, UNIT_NONE, UNIT_NONE, true),
    NUMBER(model_shape, vocab, UNIT_NONE, UNIT_NONE, true),
    NUMBER(model_shape, parameters, UNIT_PARAMETER, UNIT_NONE, true),
    NUMBER(model_shape, active, UNIT_PARAMETER, UNIT_NONE, false),
    NUMBER(model_shape, experts, UNIT_NONE, UNIT_NONE, false),
    NUMBER(model_shape, experts_used, UNIT_NONE, UNIT_NONE, false),
};
static const struct column gpu_columns[] = {
    TEXT(gpu_shape, name, true),
    TEXT(gpu_shape, source, true),
    NUMBER(gpu_shape, memory, UNIT_BYTE, UNIT_NONE, true),
    NUMBER(gpu_shape, bandwidth, UNIT_BYTE, UNIT_SECOND, true),
    NUMBER(gpu_shape, bf16, UNIT_FLOP, UNIT_SECOND, true),
    NUMBER(gpu_shape, fp8, UNIT_FLOP, UNIT_SECOND, false),
    NUMBER(gpu_shape, interconnect, UNIT_BYTE, UNIT_SECOND, false),
    TEXT(gpu_shape, link, false),
    NUMBER(gpu_shape, price, UNIT_USD, UNIT_SECOND, true),
    TEXT(gpu_shape, price_source, true),
};
enum {
    MODEL_COLUMNS = sizeof model_columns / sizeof model_columns[0],
    GPU_COLUMNS = sizeof gpu_columns / sizeof gpu_columns[0],
};

/* ---- one value into one struct ---- */

static enum status take_number(double *out, const struct column *column, const struct field *field,
                               const char *path, struct error *err)
{
    struct quantity quantity;
    const size_t size = strlen(field->value);
    if (!quantity_parse(&quantity, field->value, size, NUMBER_ENGLISH) || quantity.size != size)
        return error_set(err, STATUS_FORMAT, _("%s:%zu: %s: \"%s\" is not a number with a unit"),
                         path, field->line, field->key, field->value);
    const bool bare =
        quantity.unit == UNIT_NONE && quantity.per == UNIT_NONE && column->unit == UNIT_PARAMETER;
    if (!bare && (quantity.unit != column->unit || quantity.per != column->per)) {
        struct text expected = {0};
        unit_describe(&expected, column->unit, column->per);
        const enum status status =
            error_set(err, STATUS_FORMAT, _("%s:%zu: %s: expected %s, got %s"), path, field->line,
                      field->key, text_string(&expected), field->value);
        text_done(&expected);
        return status;
    }
    if (!(quantity.value > 0))
        return error_set(err, STATUS_FORMAT, _("%s:%zu: %s: must be more than 0"), path,
                         field->line, field->key);
    *out = quantity.value;
    return STATUS_OK;
}

static enum status take_row(void *shape, const struct row *row, const struct column *columns,
                            int n_columns, const char *path, struct error *err)
{
    for (int i = 0; i < row->n_fields; i++) {
        const struct field *field = &row->fields[i];
        const struct column *column = NULL;
        for (int j = 0; j < n_columns; j++)
            if (strcmp(columns[j].key, field->key) == 0) column = &columns[j];
        if (!column)
            return error_set(err, STATUS_FORMAT, _("%s:%zu: unknown key \"%s\""), path, field->line,
                             field->key);
        char *place = (char *)shape + column->offset;
        if (column->text) {
            free(*(char **)(void *)place);
            *(char **)(void *)place = text_copy(field->value);
        } else {
            const enum status status =
                take_number((double *)(void *)place, column, field, path, err);
            if (status) return status;
        }
    }
    for (int j = 0; j < n_columns; j++) {
        const char *place = (const char *)shape + columns[j].offset;
        const bool empty = columns[j].text ? !*(char *const *)(const void *)place
                                           : *(const double *)(const void *)place == 0;
        if (columns[j].required && empty)
            return error_set(err, STATUS_FORMAT, _("%s:%zu: the row has no %s"), path, row->line,
                             columns[j].key);
    }
    return STATUS_OK;
}

static void shape_done(void *shape, const struct column *columns, int n_columns)
{
    for (int j = 0; j < n_columns; j++)
        if (columns[j].text) free(*(char **)(void *)((char *)shape + columns[j].offset));
}

/* ---- the tables ---- */

static enum status check_model(struct model_shape *model, const struct row *row, const char *path,
                               struct error *err)
{
    if (model->active == 0) model->active = model->parameters;
    if (model->active > model->parameters || model->kv_heads > model->heads ||
        model->experts_used > model->experts)
        return error_set(err, STATUS_FORMAT,
                         _("%s:%zu: %s: a part is larger than its whole (active, kv_heads or "
                           "experts_used)"),
                         path, row->line, model->name);
    if (model->active < model->parameters && model->experts == 0)
        return error_set(err, STATUS_FORMAT,
                         _("%s:%zu: %s: active below parameters needs experts and experts_used"),
                         path, row->line, model->name);
    return STATUS_OK;
}

/* Where the row of that name is; n when it is new. */
static int model_index(const struct shapes *shapes, const char *name)
{
    int i = 0;
    while (i < shapes->n_models && strcasecmp(shapes->models[i].name, name) != 0) i++;
    return i;
}

static int gpu_index(const struct shapes *shapes, const char *name)
{
    int i = 0;
    while (i < shapes->n_gpus && strcasecmp(shapes->gpus[i].name, name) != 0) i++;
    return i;
}

static enum status add_model(struct shapes *shapes, const struct row *row, const char *name,
                             const char *path, struct error *err)
{
    const int i = model_index(shapes, name);
    if (i == shapes->n_models) {
        shapes->models = memory_grow(shapes->models, (size_t)i + 1, sizeof *shapes->models);
        shapes->models[shapes->n_models++] = (struct model_shape){.name = text_copy(name)};
    }
    struct model_shape *model = &shapes->models[i];
    const enum status status = take_row(model, row, model_columns, MODEL_COLUMNS, path, err);
    return status ? status : check_model(model, row, path, err);
}

static enum status add_gpu(struct shapes *shapes, const struct row *row, const char *name,
                           const char *path, struct error *err)
{
    const int i = gpu_index(shapes, name);
    if (i == shapes->n_gpus) {
        shapes->gpus = memory_grow(shapes->gpus, (size_t)i + 1, sizeof *shapes->gpus);
        shapes->gpus[shapes->n_gpus++] = (struct gpu_shape){.name = text_copy(name)};
    }
    return take_row(&shapes->gpus[i], row, gpu_columns, GPU_COLUMNS, path, err);
}

typedef enum status add_function(struct shapes *shapes, const struct row *row, const char *name,
                                 const char *path, struct error *err);

static enum status load_table(struct shapes *shapes, const char *folder, const char *file,
                              bool must_exist, add_function *add, struct error *err)
{
    struct rows rows = {0};
    enum status status = STATUS_OK;
    char *path = path_join(folder, file);
    if (must_exist || file_exists(path)) status = rows_load(&rows, path, err);
    for (int i = 0; i < rows.n && !status; i++) {
        const struct field *name = row_field(&rows.rows[i], "name");
        if (!name || !name->value[0])
            status = error_set(err, STATUS_FORMAT, _("%s:%zu: the row has no %s"), path,
                               rows.rows[i].line, "name");
        else status = add(shapes, &rows.rows[i], name->value, path, err);
    }
    rows_done(&rows);
    free(path);
    return status;
}

enum status shapes_load(struct shapes *shapes, const char *content, const char *data,
                        struct error *err)
{
    *shapes = (struct shapes){0};
    char *tables = path_join(content, "tables");
    enum status status = load_table(shapes, tables, "models.yaml", true, add_model, err);
    if (!status) status = load_table(shapes, tables, "gpus.yaml", true, add_gpu, err);
    if (!status && data) status = load_table(shapes, data, "models.yaml", false, add_model, err);
    if (!status && data) status = load_table(shapes, data, "gpus.yaml", false, add_gpu, err);
    free(tables);
    if (status) shapes_done(shapes);
    return status;
}

void shapes_done(struct shapes *shapes)
{
    for (int i = 0; i < shapes->n_models; i++)
        shape_done(&shapes->models[i], model_columns, MODEL_COLUMNS);
    for (int i = 0; i < shapes->n_gpus; i++) shape_done(&shapes->gpus[i], gpu_columns, GPU_COLUMNS);
    free(shapes->models);
    free(shapes->gpus);
    *shapes = (struct shapes){0};
}

const struct model_shape *shapes_model(const struct shapes *shapes, const char *name)
{
    const int i = model_index(shapes, name);
    return i < shapes->n_models ? &shapes->models[i] : NULL;
}

const struct gpu_shape *shapes_gpu(const struct shapes *shapes, const char *name)
{
    const int i = gpu_index(shapes, name);
    return i < shapes->n_gpus ? &shapes->gpus[i] : NULL;
}

double model_parameters(const struct model_shape *model, bool active)
{
    const double C = model->d_model, D = model->head_dim;
    const double experts = model->experts > 0 ? active ? model->experts_used : model->experts : 1;
    const double attention = 2 * C * model->heads * D + 2 * C * model->kv_heads * D;
    const double ffn = 3 * C * model->ffn * experts;
    const double router = C * model->experts;
    return 2 * model->vocab * C + model->layers * (attention + ffn + router + 2 * C) + C;
}
