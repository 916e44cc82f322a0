#include "plan/rows.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"

static size_t line_of(const yaml_event_t *event) { return event->start_mark.line + 1; }

/* A key without its value yet has value NULL. */
static enum status add_scalar(struct rows *rows, const yaml_event_t *event, const char *path,
                              struct error *err)
{
    struct row *row = &rows->rows[rows->n - 1];
    const char *word = (const char *)event->data.scalar.value;
    struct field *last = row->n_fields ? &row->fields[row->n_fields - 1] : NULL;

    if (memchr(word, '\0', event->data.scalar.length))
        return error_set(err, STATUS_FORMAT, _("%s:%zu: a NUL byte"), path, line_of(event));
    if (last && !last->value) {
        last->value = text_copy(word);
        last->line = line_of(event);
        return STATUS_OK;
    }
    if (row_field(row, word))
        return error_set(err, STATUS_FORMAT, _("%s:%zu: key \"%s\" a second time"), path,
                         line_of(event), word);
    if (row->n_fields == ROW_FIELD_LIMIT)
        return error_set(err, STATUS_LIMIT, _("%s:%zu: more than %d keys"), path, line_of(event),
                         ROW_FIELD_LIMIT);
    row->fields = memory_grow(row->fields, (size_t)row->n_fields + 1, sizeof *row->fields);
    row->fields[row->n_fields++] = (struct field){text_copy(word), NULL, line_of(event)};
    return STATUS_OK;
}

static enum status add_row(struct rows *rows, const yaml_event_t *event, const char *path,
                           struct error *err)
{
    if (rows->n == ROWS_LIMIT)
        return error_set(err, STATUS_LIMIT, _("%s:%zu: more than %d rows"), path, line_of(event),
                         ROWS_LIMIT);
    rows->rows = memory_grow(rows->rows, (size_t)rows->n + 1, sizeof *rows->rows);
    rows->rows[rows->n++] = (struct row){.line = line_of(event)};
    return STATUS_OK;
}

struct place {
    bool in_list, in_row;
    int documents;
};

static enum status take_event(struct rows *rows, struct place *place, const yaml_event_t *event,
                              const char *path, struct error *err)
{
    const size_t line = line_of(event);
    bool plain = true;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++place->documents > 1)
            return error_set(err, STATUS_FORMAT, _("%s:%zu: a second document in one file"), path,
                             line);
        break;
    case YAML_ALIAS_EVENT: plain = false; break;
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.anchor || event->data.scalar.tag) plain = false;
        else if (place->in_row) return add_scalar(rows, event, path, err);
        else if (event->data.scalar.length || place->in_list)
            return error_set(err, STATUS_FORMAT, _("%s:%zu: expected \"key: value\""), path, line);
        break;
    case YAML_SEQUENCE_START_EVENT:
        if (place->in_row || place->in_list)
            return error_set(err, STATUS_FORMAT, _("%s:%zu: a value is one word or sentence"), path,
                             line);
        plain = !event->data.sequence_start.anchor && !event->data.sequence_start.tag;
        place->in_list = true;
        break;
    case YAML_MAPPING_START_EVENT:
        if (place->in_row)
            return error_set(err, STATUS_FORMAT, _("%s:%zu: a value is one word or sentence"), path,
                             line);
        plain = !event->data.mapping_start.anchor && !event->data.mapping_start.tag;
        place->in_row = true;
        if (plain) return add_row(rows, event, path, err);
        break;
    case YAML_MAPPING_END_EVENT: place->in_row = false; break;
    case YAML_SEQUENCE_END_EVENT: place->in_list = false; break;
    default: break;
    }
    if (!plain)
        return error_set(err, STATUS_FORMAT, _("%s:%zu: anchors, aliases and tags are not read"),
                         path, line);
    return STATUS_OK;
}

enum status rows_parse(struct rows *rows, const char *bytes, size_t size, const char *path,
                       struct error *err)
{
    *rows = (struct rows){0};
    if (size > ROWS_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, _("%s: larger than %d bytes"), path, ROWS_SIZE_LIMIT);
    if (text_utf8_valid(bytes, size) < size)
        return error_set(err, STATUS_FORMAT, _("%s: not UTF-8"), path);

    yaml_parser_t parser;
    CHECK(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);
    enum status status = STATUS_OK;
    struct place place = {0};
    bool more = true;
    while (more && !status) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = error_set(err, STATUS_FORMAT, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                               parser.problem ? parser.problem : "not YAML");
            break;
        }
        status = take_event(rows, &place, &event, path, err);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (status) rows_done(rows);
    return status;
}

enum status rows_load(struct rows *rows, const char *path, struct error *err)
{
    *rows = (struct rows){0};
    struct text bytes = {0};
    enum status status = file_read(&bytes, path, ROWS_SIZE_LIMIT, err);
    if (!status) status = rows_parse(rows, text_string(&bytes), bytes.size, path, err);
    text_done(&bytes);
    return status;
}

void rows_done(struct rows *rows)
{
    for (int i = 0; i < rows->n; i++) {
        for (int j = 0; j < rows->rows[i].n_fields; j++) {
            free(rows->rows[i].fields[j].key);
            free(rows->rows[i].fields[j].value);
        }
        free(rows->rows[i].fields);
    }
    free(rows->rows);
    *rows = (struct rows){0};
}

const struct field *row_field(const struct row *row, const char *key)
{
    for (int i = 0; i < row->n_fields; i++)
        if (strcmp(row->fields[i].key, key) == 0) return &row->fields[i];
    return NULL;
}
