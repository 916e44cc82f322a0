/* json.h -- jansson with our limits: strict, 64 levels deep, a stated size.
 *
 * Values are jansson's own (json_t *); this face only reads and writes them.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/error.h"

enum { JSON_DEPTH_LIMIT = 64 };

/* Parse one value. The caller owns *out (json_decref). STATUS_FORMAT names line and column. */
MUST_CHECK enum status json_parse(json_t **out, const char *bytes, size_t size, struct error *err);

/* Compact, keys in the order they were set; the caller frees it. */
char *json_line(const json_t *value);

/* A string that is always valid: bytes that are not UTF-8 become U+FFFD. New reference. */
json_t *json_text(const char *bytes, size_t size);

#endif
