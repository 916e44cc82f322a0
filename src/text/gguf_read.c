#include "text/gguf_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const uint8_t sizes[GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

struct cursor {
    const unsigned char *at, *end;
};

static bool take(struct cursor *cursor, void *out, size_t size)
{
    if ((size_t)(cursor->end - cursor->at) < size) return false;
    memcpy(out, cursor->at, size);
    cursor->at += size;
    return true;
}

static bool skip_string(struct cursor *cursor, const char **string, size_t *size)
{
    uint64_t length;
    if (!take(cursor, &length, sizeof length)) return false;
    if (length > (uint64_t)(cursor->end - cursor->at)) return false;
    if (string) *string = (const char *)cursor->at;
    if (size) *size = (size_t)length;
    cursor->at += length;
    return true;
}

/* Past the data of a value whose types and number are known. */
static bool skip_data(struct cursor *cursor, struct gguf_value *value)
{
    const enum gguf_type type = value->type == GGUF_ARRAY ? value->of : value->type;
    value->data = cursor->at;
    if (type == GGUF_STRING) {
        if (value->n > (uint64_t)(cursor->end - cursor->at) / 8) return false;
        for (uint64_t i = 0; i < value->n; i++)
            if (!skip_string(cursor, NULL, NULL)) return false;
    } else {
        if (value->n > (uint64_t)(cursor->end - cursor->at) / sizes[type]) return false;
        cursor->at += value->n * sizes[type];
    }
    value->size = (size_t)(cursor->at - value->data);
    return true;
}

static enum status read_value(struct gguf_value *value, struct cursor *cursor, struct error *err)
{
    uint32_t type, of = GGUF_U8;
    *value = (struct gguf_value){.n = 1};
    if (!skip_string(cursor, &value->name, &value->name_size))
        return error_set(err, STATUS_FORMAT, "GGUF: the file ends within a name");
    const int shown = (int)(value->name_size < 80 ? value->name_size : 80);
    if (!value->name_size || value->name_size > GGUF_NAME_LIMIT)
        return error_set(err, STATUS_FORMAT, "GGUF: a name of %zu bytes", value->name_size);
    if (!take(cursor, &type, sizeof type))
        return error_set(err, STATUS_FORMAT, "GGUF: %.*s: the file ends here", shown, value->name);
    if (type == GGUF_ARRAY &&
        (!take(cursor, &of, sizeof of) || !take(cursor, &value->n, sizeof value->n)))
        return error_set(err, STATUS_FORMAT, "GGUF: %.*s: the file ends here", shown, value->name);
    if (type >= GGUF_TYPES || of >= GGUF_TYPES || (type == GGUF_ARRAY && of == GGUF_ARRAY))
        return error_set(err, STATUS_FORMAT, "GGUF: %.*s: type %u of %u is not known", shown,
                         value->name, type, of);
    value->type = (enum gguf_type)type;
    value->of = (enum gguf_type)of;
    if (!skip_data(cursor, value))
        return error_set(err, STATUS_FORMAT, "GGUF: %.*s: %llu elements are more than the file has",
                         shown, value->name, (unsigned long long)value->n);
    return STATUS_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct gguf_value *x = a, *y = b;
    const size_t least = x->name_size < y->name_size ? x->name_size : y->name_size;
    const int order = memcmp(x->name, y->name, least);
    return order ? order : (x->name_size > y->name_size) - (x->name_size < y->name_size);
}

static enum status read_values(struct gguf *gguf, struct cursor *cursor, uint64_t n,
                               struct error *err)
{
    for (uint64_t i = 0; i < n; i++) {
        if ((gguf->n & (gguf->n - 1)) == 0)
            gguf->values =
                memory_grow(gguf->values, gguf->n ? 2 * (size_t)gguf->n : 1, sizeof *gguf->values);
        const enum status status = read_value(&gguf->values[gguf->n], cursor, err);
        if (status) return status;
        gguf->n++;
    }
    if (gguf->n) qsort(gguf->values, (size_t)gguf->n, sizeof *gguf->values, by_name);
    for (int i = 1; i < gguf->n; i++)
        if (by_name(&gguf->values[i - 1], &gguf->values[i]) == 0)
            return error_set(err, STATUS_FORMAT, "GGUF: %.*s is given twice",
                             (int)(gguf->values[i].name_size < 80 ? gguf->values[i].name_size : 80),
                             gguf->values[i].name);
    return STATUS_OK;
}

enum status gguf_read(struct gguf *gguf, const void *bytes, size_t size, struct error *err)
{
    struct cursor cursor = {bytes, (const unsigned char *)bytes + size};
    char magic[4];
    uint32_t version;
    uint64_t n;
    *gguf = (struct gguf){0};
    if (!take(&cursor, magic, sizeof magic) || memcmp(magic, "GGUF", 4) != 0)
        return error_set(err, STATUS_FORMAT, "GGUF: the file does not begin with GGUF");
    if (!take(&cursor, &version, sizeof version) ||
        !take(&cursor, &gguf->n_tensors, sizeof gguf->n_tensors) || !take(&cursor, &n, sizeof n))
        return error_set(err, STATUS_FORMAT, "GGUF: shorter than its header");
    if (version < 2 || version > 3)
        return error_set(err, STATUS_FORMAT, "GGUF: version %u: 2 and 3 are known", version);
    if (n > GGUF_VALUES_LIMIT)
        return error_set(err, STATUS_LIMIT, "GGUF: %llu values: at most %d", (unsigned long long)n,
                         GGUF_VALUES_LIMIT);
    const enum status status = read_values(gguf, &cursor, n, err);
    if (status) {
        gguf_done(gguf);
        return status;
    }
    gguf->end = (size_t)(cursor.at - (const unsigned char *)bytes);
    return STATUS_OK;
}

void gguf_done(struct gguf *gguf)
{
    free(gguf->values);
    *gguf = (struct gguf){0};
}

const struct gguf_value *gguf_find(const struct gguf *gguf, const char *name)
{
    const struct gguf_value wanted = {.name = name, .name_size = strlen(name)};
    if (!gguf->n) return NULL;
    return bsearch(&wanted, gguf->values, (size_t)gguf->n, sizeof wanted, by_name);
}

int64_t gguf_integer_at(const struct gguf_value *value, uint64_t at)
{
    const enum gguf_type type = value->type == GGUF_ARRAY ? value->of : value->type;
    CHECK(at < value->n);
    const unsigned char *p = value->data + at * sizes[type];
    uint64_t bits = 0;
    memcpy(&bits, p, sizes[type]);
    switch (type) {
    case GGUF_I8: return (int8_t)bits;
    case GGUF_I16: return (int16_t)bits;
    case GGUF_I32: return (int32_t)bits;
    default: return (int64_t)bits;
    }
}

float gguf_float_at(const struct gguf_value *value, uint64_t at)
{
    float number;
    CHECK(at < value->n && value->of == GGUF_F32);
    memcpy(&number, value->data + at * sizeof number, sizeof number);
    return number;
}

bool gguf_integer(const struct gguf *gguf, const char *name, int64_t *value)
{
    const struct gguf_value *found = gguf_find(gguf, name);
    if (!found || found->type == GGUF_ARRAY || found->type == GGUF_STRING ||
        found->type == GGUF_F32 || found->type == GGUF_F64)
        return false;
    *value = gguf_integer_at(found, 0);
    return true;
}

const char *gguf_string(const unsigned char **data, size_t *size)
{
    uint64_t length;
    memcpy(&length, *data, sizeof length);
    const char *string = (const char *)*data + sizeof length;
    *size = (size_t)length;
    *data += sizeof length + length;
    return string;
}
