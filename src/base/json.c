#include "base/json.h"

#include <string.h>

#include "base/text.h"

/* jansson's own limit is 2048 levels; ours is checked before it recurses. */
static bool too_deep(const char *bytes, size_t size)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        const char c = bytes[i];
        if (in_string) {
            if (c == '\\') i++;
            else if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_LIMIT) return true;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return false;
}

enum status json_parse(json_t **out, const char *bytes, size_t size, struct error *err)
{
    *out = NULL;
    if (too_deep(bytes, size))
        return error_set(err, STATUS_LIMIT, "JSON: nested deeper than %d levels", JSON_DEPTH_LIMIT);

    json_error_t why;
    json_t *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &why);
    if (!value)
        return error_set(err, STATUS_FORMAT, "JSON line %d column %d: %s", why.line, why.column,
                         why.text);
    *out = value;
    return STATUS_OK;
}

char *json_line(const json_t *value)
{
    char *line = json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    CHECK(line);
    return line;
}

json_t *json_text(const char *bytes, size_t size)
{
    struct text clean = {0};
    while (size) {
        const size_t good = text_utf8_valid(bytes, size);
        for (size_t i = 0; i < good; i++) /* jansson keeps NUL only in sized strings; show it */
            text_add_bytes(&clean, bytes[i] ? bytes + i : "\xEF\xBF\xBD", bytes[i] ? 1 : 3);
        bytes += good;
        size -= good;
        if (!size) break;
        text_add(&clean, "\xEF\xBF\xBD");
        bytes++;
        size--;
    }
    json_t *value = json_stringn(text_string(&clean), clean.size);
    text_done(&clean);
    CHECK(value);
    return value;
}
