/* rows.h -- a YAML file as rows of words, each with its line, so that a wrong value can be pointed at.
 *
 *   key: word          one row
 *   - key: word        a row for each "-"
 *     key: word
 *
 * A value is a scalar; what it means is for the reader of the row. base/yaml.h reads into a struct and
 * forgets the lines of values; tables that a user edits need them.
 *
 * Promises: at most 1 MiB, 500 rows of 64 keys; anchors, aliases, tags, deeper nesting, a second
 * document and a key given twice are refused. Errors read `path:line: what`.
 * Does not know: which keys there are.
 * Tests: tests/plan/shape_test.c
 */
#ifndef PLAN_ROWS_H
#define PLAN_ROWS_H

#include "base/error.h"

enum { ROWS_LIMIT = 500, ROW_FIELD_LIMIT = 64, ROWS_SIZE_LIMIT = 1 << 20 };

struct row {
    size_t line;
    int n_fields;
    struct field {
        char *key, *value;
        size_t line;
    } * fields;
};

struct rows {
    int n;
    struct row *rows;
};

/* Read a file. STATUS_NOT_FOUND, STATUS_IO, STATUS_LIMIT or STATUS_FORMAT; *rows is empty then. */
MUST_CHECK enum status rows_load(struct rows *rows, const char *path, struct error *err);

/* The same from memory; `path` is only for the messages. */
MUST_CHECK enum status rows_parse(struct rows *rows, const char *bytes, size_t size,
                                  const char *path, struct error *err);
void rows_done(struct rows *rows);

/* The field of that name, NULL when the row has none. */
const struct field *row_field(const struct row *row, const char *key);

#endif
