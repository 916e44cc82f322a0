#include "base/yaml.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"
#include "base/text.h"

/* ---- the first pass: is it safe to build a value from this? ---- */

static size_t line_of(const yaml_mark_t *mark) { return mark->line + 1; }

static enum status check_event(const yaml_event_t *event, int *depth, int *documents,
                               const char *path, struct error *err)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    const size_t line = line_of(&event->start_mark);

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (++*documents > 1)
            return error_set(err, STATUS_FORMAT, "%s:%zu: a second document in one file", path,
                             line);
        break;
    case YAML_ALIAS_EVENT:
        return error_set(err, STATUS_FORMAT, "%s:%zu: aliases are not read; write the value again",
                         path, line);
    default: break;
    }
    if (anchor)
        return error_set(err, STATUS_FORMAT, "%s:%zu: anchors are not read (&%s)", path, line,
                         (const char *)anchor);
    if (tag)
        return error_set(err, STATUS_FORMAT, "%s:%zu: tags are not read (%s)", path, line,
                         (const char *)tag);

    if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
        ++*depth;
    if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) --*depth;
    if (*depth > YAML_DEPTH_LIMIT)
        return error_set(err, STATUS_LIMIT, "%s:%zu: nested more than %d levels", path, line,
                         YAML_DEPTH_LIMIT);
    return STATUS_OK;
}

/* Walk all events. With `key`, also say on which line, at or after `from`, that scalar stands. */
static enum status scan(const char *bytes, size_t size, const char *path, const char *key,
                        size_t from, size_t *key_line, struct error *err)
{
    yaml_parser_t parser;
    CHECK(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, size);

    enum status status = STATUS_OK;
    int depth = 0, documents = 0;
    bool more = true;
    while (more && !status) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status =
                error_set(err, STATUS_FORMAT, "%s:%zu: %s", path, line_of(&parser.problem_mark),
                          parser.problem ? parser.problem : "not YAML");
            break;
        }
        status = check_event(&event, &depth, &documents, path, err);
        if (key && event.type == YAML_SCALAR_EVENT && line_of(&event.start_mark) >= from &&
            strcmp((const char *)event.data.scalar.value, key) == 0) {
            *key_line = line_of(&event.start_mark);
            key = NULL;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

/* ---- the second pass: the value, and libcyaml's complaint as one line ---- */

struct complaint {
    char what[512];  /* the first line that libcyaml reports */
    char where[128]; /* the innermost field of its backtrace */
    size_t line;
};

PRINTF_LIKE(3, 0)
static void note(cyaml_log_t level, void *context, const char *format, va_list args)
{
    (void)level;
    struct complaint *complaint = context;
    char line[512];
    vsnprintf(line, sizeof line, format, args);
    line[strcspn(line, "\n")] = '\0';

    char *text = line + strspn(line, " ");
    if (text_starts_with(text, "Load: ")) text += strlen("Load: ");
    if (!complaint->what[0]) {
        snprintf(complaint->what, sizeof complaint->what, "%s", text);
        return;
    }
    const char *at = strstr(text, "(line: ");
    if (!at || complaint->line) return;
    complaint->line = strtoul(at + strlen("(line: "), NULL, 10);

    const char *open = strchr(text, '\''), *close = open ? strchr(open + 1, '\'') : NULL;
    if (close && text_starts_with(text, "in mapping field"))
        snprintf(complaint->where, sizeof complaint->where, " (in %.*s)", (int)(close - open - 1),
                 open + 1);
}

static cyaml_config_t configuration(struct complaint *complaint)
{
    return (cyaml_config_t){.log_fn = complaint ? note : NULL,
                            .log_ctx = complaint,
                            .log_level = CYAML_LOG_ERROR,
                            .mem_fn = cyaml_mem,
                            .flags = CYAML_CFG_NO_ALIAS};
}

enum status yaml_parse(void **out, const struct cyaml_schema_value *schema, const char *bytes,
                       size_t size, const char *path, struct error *err)
{
    *out = NULL;
    if (size > YAML_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, "%s: larger than %d bytes", path, YAML_SIZE_LIMIT);

    const size_t valid = text_utf8_valid(bytes, size);
    if (valid < size) {
        size_t line = 1;
        for (size_t i = 0; i < valid; i++) line += bytes[i] == '\n';
        return error_set(err, STATUS_FORMAT, "%s:%zu: not UTF-8", path, line);
    }
    enum status status = scan(bytes, size, path, NULL, 0, NULL, err);
    if (status) return status;

    struct complaint complaint = {0};
    const cyaml_config_t config = configuration(&complaint);
    cyaml_data_t *value = NULL;
    const cyaml_err_t failed =
        cyaml_load_data((const uint8_t *)bytes, size, &config, schema, &value, NULL);
    CHECK(failed != CYAML_ERR_OOM);
    if (!failed && !value) return error_set(err, STATUS_FORMAT, "%s:1: the file is empty", path);
    if (!failed) {
        *out = value;
        return STATUS_OK;
    }

    const char *what = complaint.what[0] ? complaint.what : cyaml_strerror(failed);
    size_t line = complaint.line ? complaint.line : 1;
    static const char unknown[] = "Unexpected key: ", again[] = "Mapping field already seen: ";
    /* libcyaml gives the place before these keys */
    if (text_starts_with(what, unknown)) {
        const char *key = what + strlen(unknown);
        status = scan(bytes, size, path, key, line, &line, err);
        if (status) return status;
        return error_set(err, STATUS_FORMAT, "%s:%zu: unknown key \"%s\"", path, line, key);
    }
    if (text_starts_with(what, again)) {
        const char *key = what + strlen(again);
        status = scan(bytes, size, path, key, line + 1, &line, err);
        if (status) return status;
        return error_set(err, STATUS_FORMAT, "%s:%zu: key \"%s\" a second time", path, line, key);
    }
    return error_set(err, STATUS_FORMAT, "%s:%zu: %s%s", path, line, what, complaint.where);
}

enum status yaml_load(void **out, const struct cyaml_schema_value *schema, const char *path,
                      struct error *err)
{
    *out = NULL;
    struct text bytes = {0};
    enum status status = file_read(&bytes, path, YAML_SIZE_LIMIT, err);
    if (!status) status = yaml_parse(out, schema, text_string(&bytes), bytes.size, path, err);
    text_done(&bytes);
    return status;
}

void yaml_done(const struct cyaml_schema_value *schema, void *value)
{
    if (!value) return;
    const cyaml_config_t config = configuration(NULL);
    cyaml_free(&config, schema, value, 0);
}
