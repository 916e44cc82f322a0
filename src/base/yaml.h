/* yaml.h -- one YAML file into one struct, strictly.
 *
 *   bytes --libyaml--> events: size, depth, anchors --libcyaml--> struct by its schema
 *
 * A content file states its form as a cyaml schema and gets a struct back. What
 * the schema does not name is an error, and so is a key given twice.
 *
 * Promises: at most 1 MiB and 16 levels are read; anchors, aliases, tags and a
 * second document are refused, so a small file cannot become a large value.
 * Errors read `path:line: what`.
 *
 * Does not know: what the values mean; the room that owns the schema checks that.
 * Tests: tests/base/yaml_test.c
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <cyaml/cyaml.h>

#include "base/error.h"

enum { YAML_SIZE_LIMIT = 1 << 20, YAML_DEPTH_LIMIT = 16 };

/* Read the file into a new struct, *out; its owner gives it to yaml_done(). The
 * schema's outermost value is a mapping with CYAML_FLAG_POINTER. *out is NULL on
 * error: STATUS_NOT_FOUND, STATUS_IO, STATUS_LIMIT or STATUS_FORMAT. */
MUST_CHECK enum status yaml_load(void **out, const struct cyaml_schema_value *schema,
                                 const char *path, struct error *err);

/* The same from memory; `path` is only for the messages. */
MUST_CHECK enum status yaml_parse(void **out, const struct cyaml_schema_value *schema,
                                  const char *bytes, size_t size, const char *path,
                                  struct error *err);

/* Release what yaml_load() gave; harmless on NULL. (libyaml itself has a yaml_free.) */
void yaml_done(const struct cyaml_schema_value *schema, void *value);

#endif
