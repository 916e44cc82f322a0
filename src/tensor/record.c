#include "tensor/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static const char magic[4] = {'L', 'C', 'X', 'R'};

int64_t array_count(const struct array *array)
{
    int64_t count = 1;
    for (int i = 0; i < array->ndim; i++) count *= array->dims[i];
    return count;
}

double array_at(const struct array *array, int64_t i)
{
    switch (array->dtype) {
    case DTYPE_F32: return (double)((const float *)array->data)[i];
    case DTYPE_F64: return ((const double *)array->data)[i];
    case DTYPE_I32: return (double)((const int32_t *)array->data)[i];
    case DTYPE_I64: return (double)((const int64_t *)array->data)[i];
    case DTYPE_U8:
    case DTYPE_BOOL: return (double)((const uint8_t *)array->data)[i];
    case DTYPE_BF16:
    case DTYPE_F16:
    case DTYPE_I8:
    case DTYPE_COUNT: break;
    }
    check_failed("a known dtype", __FILE__, __LINE__);
}

const char *array_shape(char out[128], const struct array *array)
{
    struct text text = {0};
    text_add(&text, "[");
    for (int i = 0; i < array->ndim; i++)
        text_format(&text, i ? ",%lld" : "%lld", (long long)array->dims[i]);
    text_add(&text, "]");
    strncpy(out, text_string(&text), 127);
    out[127] = '\0';
    text_done(&text);
    return out;
}

void *record_add(struct record *record, const char *name, enum dtype dtype, int ndim,
                 const int64_t *dims)
{
    CHECK(strlen(name) > 0 && strlen(name) <= RECORD_NAME_LIMIT);
    CHECK(ndim >= 0 && ndim <= RECORD_NDIM_LIMIT && record->n_fields < RECORD_FIELD_LIMIT);
    CHECK(!record_find(record, name) && (int)dtype < RECORD_DTYPES);

    record->fields =
        memory_grow(record->fields, (size_t)record->n_fields + 1, sizeof *record->fields);
    struct field *field = &record->fields[record->n_fields++];
    memset(field, 0, sizeof *field);
    memcpy(field->name, name, strlen(name));
    field->array.dtype = dtype;
    field->array.ndim = ndim;
    for (int i = 0; i < ndim; i++) {
        CHECK(dims[i] >= 0);
        field->array.dims[i] = dims[i];
    }
    field->array.data = memory_new((size_t)array_count(&field->array), dtype_size(dtype));
    return field->array.data;
}

float *record_add_f32(struct record *record, const char *name, int ndim, const int64_t *dims)
{
    return record_add(record, name, DTYPE_F32, ndim, dims);
}

double *record_add_f64(struct record *record, const char *name, int ndim, const int64_t *dims)
{
    return record_add(record, name, DTYPE_F64, ndim, dims);
}

int32_t *record_add_i32(struct record *record, const char *name, int ndim, const int64_t *dims)
{
    return record_add(record, name, DTYPE_I32, ndim, dims);
}

int64_t *record_add_i64(struct record *record, const char *name, int ndim, const int64_t *dims)
{
    return record_add(record, name, DTYPE_I64, ndim, dims);
}

uint8_t *record_add_u8(struct record *record, const char *name, int ndim, const int64_t *dims)
{
    return record_add(record, name, DTYPE_U8, ndim, dims);
}

uint8_t *record_add_bool(struct record *record, const char *name, int ndim, const int64_t *dims)
{
    return record_add(record, name, DTYPE_BOOL, ndim, dims);
}

void record_add_int(struct record *record, const char *name, int64_t value)
{
    *record_add_i64(record, name, SCALAR) = value;
}

void record_add_real(struct record *record, const char *name, double value)
{
    *record_add_f64(record, name, SCALAR) = value;
}

void record_add_text(struct record *record, const char *name, const char *text)
{
    const size_t size = strlen(text);
    uint8_t *bytes = record_add_u8(record, name, SHAPE((int64_t)size));
    if (size) memcpy(bytes, text, size);
}

const struct array *record_find(const struct record *record, const char *name)
{
    for (int i = 0; i < record->n_fields; i++)
        if (strcmp(record->fields[i].name, name) == 0) return &record->fields[i].array;
    return NULL;
}

static const struct array *must_find(const struct record *record, const char *name)
{
    const struct array *array = record_find(record, name);
    if (!array) check_failed(name, __FILE__, __LINE__);
    return array;
}

static const void *typed(const struct record *record, const char *name, enum dtype dtype)
{
    const struct array *array = must_find(record, name);
    CHECK(array->dtype == dtype);
    return array->data;
}

const float *record_f32(const struct record *r, const char *name)
{
    return typed(r, name, DTYPE_F32);
}

const double *record_f64(const struct record *r, const char *name)
{
    return typed(r, name, DTYPE_F64);
}

const int32_t *record_i32(const struct record *r, const char *name)
{
    return typed(r, name, DTYPE_I32);
}

const int64_t *record_i64(const struct record *r, const char *name)
{
    return typed(r, name, DTYPE_I64);
}

const uint8_t *record_u8(const struct record *record, const char *name)
{
    const struct array *array = must_find(record, name);
    CHECK(array->dtype == DTYPE_U8 || array->dtype == DTYPE_BOOL);
    return array->data;
}

int64_t record_int(const struct record *record, const char *name)
{
    const struct array *array = must_find(record, name);
    CHECK(array_count(array) == 1 && array->dtype != DTYPE_F32 && array->dtype != DTYPE_F64);
    if (array->dtype == DTYPE_I64) return *(const int64_t *)array->data;
    return (int64_t)array_at(array, 0);
}

double record_real(const struct record *record, const char *name)
{
    const struct array *array = must_find(record, name);
    CHECK(array_count(array) == 1);
    return array_at(array, 0);
}

int64_t record_dim(const struct record *record, const char *name, int axis)
{
    const struct array *array = must_find(record, name);
    CHECK(axis >= 0 && axis < array->ndim);
    return array->dims[axis];
}

char *record_text(const struct record *record, const char *name)
{
    const struct array *array = must_find(record, name);
    CHECK(array->dtype == DTYPE_U8);
    struct text text = {0};
    text_add_bytes(&text, array->data, (size_t)array_count(array));
    return text_take(&text);
}

void record_done(struct record *record)
{
    for (int i = 0; i < record->n_fields; i++) free(record->fields[i].array.data);
    free(record->fields);
    *record = (struct record){0};
}

static size_t round_up(size_t n) { return (n + 7) & ~(size_t)7; }

static void pad(struct text *out, size_t start)
{
    static const char zeros[8] = {0};
    const size_t used = out->size - start;
    text_add_bytes(out, zeros, round_up(used) - used);
}

void record_encode(struct text *out, const struct record *record)
{
    const size_t start = out->size;
    const uint32_t n_fields = (uint32_t)record->n_fields;
    uint64_t body = 0;

    text_add_bytes(out, magic, sizeof magic);
    text_add_bytes(out, &n_fields, sizeof n_fields);
    text_add_bytes(out, &body, sizeof body); /* filled in below */
    for (int i = 0; i < record->n_fields; i++) {
        const struct field *field = &record->fields[i];
        const struct array *array = &field->array;
        const size_t name_size = strlen(field->name);
        const uint8_t head[3] = {(uint8_t)array->dtype, (uint8_t)array->ndim, (uint8_t)name_size};
        text_add_bytes(out, head, sizeof head);
        text_add_bytes(out, field->name, name_size);
        pad(out, start);
        text_add_bytes(out, array->dims, (size_t)array->ndim * sizeof(int64_t));
        text_add_bytes(out, array->data, (size_t)array_count(array) * dtype_size(array->dtype));
        pad(out, start);
    }
    body = out->size - start - RECORD_HEADER_BYTES;
    memcpy(out->data + start + 8, &body, sizeof body);
}

enum status record_body_size(uint64_t *size, const void *header, struct error *err)
{
    if (memcmp(header, magic, sizeof magic) != 0)
        return error_set(err, STATUS_FORMAT, "record: does not begin with LCXR");
    memcpy(size, (const char *)header + 8, sizeof *size);
    if (*size > RECORD_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, "record: %llu bytes, the limit is %llu",
                         (unsigned long long)*size, (unsigned long long)RECORD_SIZE_LIMIT);
    return STATUS_OK;
}

/* Reads one field at *at; on success moves *at behind it. */
static enum status decode_field(struct record *record, const unsigned char *bytes, size_t size,
                                size_t *at, struct error *err)
{
    size_t p = *at;
    if (size - p < 3) return error_set(err, STATUS_FORMAT, "record: cut inside a field's head");

    const unsigned dtype = bytes[p], ndim = bytes[p + 1], name_size = bytes[p + 2];
    char name[RECORD_NAME_LIMIT + 1] = {0};
    if (dtype >= RECORD_DTYPES || ndim > RECORD_NDIM_LIMIT || name_size == 0 ||
        name_size > RECORD_NAME_LIMIT)
        return error_set(err, STATUS_FORMAT, "record: field with dtype %u, ndim %u, name of %u",
                         dtype, ndim, name_size);
    p += 3;
    if (size - p < name_size) return error_set(err, STATUS_FORMAT, "record: cut inside a name");
    memcpy(name, bytes + p, name_size);
    if (strlen(name) != name_size || record_find(record, name))
        return error_set(err, STATUS_FORMAT, "record: name with NUL, or twice the same name");
    p = round_up(p + name_size);
    if (p > size || (size - p) / 8 < ndim)
        return error_set(err, STATUS_FORMAT, "record: %s: cut inside its dims", name);

    int64_t dims[RECORD_NDIM_LIMIT] = {0};
    uint64_t data_bytes = dtype_size((enum dtype)dtype);
    bool empty = false;
    memcpy(dims, bytes + p, ndim * sizeof(int64_t));
    p += ndim * sizeof(int64_t);
    for (unsigned i = 0; i < ndim; i++) {
        if (dims[i] < 0 || (uint64_t)dims[i] > RECORD_SIZE_LIMIT)
            return error_set(err, STATUS_FORMAT, "record: %s: dim %u is %lld", name, i,
                             (long long)dims[i]);
        if (dims[i] == 0) empty = true;
        else if (__builtin_mul_overflow(data_bytes, (uint64_t)dims[i], &data_bytes) ||
                 data_bytes > RECORD_SIZE_LIMIT)
            return error_set(err, STATUS_LIMIT, "record: %s: too large", name);
    }
    if (empty) data_bytes = 0;
    if (size - p < data_bytes)
        return error_set(err, STATUS_FORMAT, "record: %s: %llu bytes of data, %zu left", name,
                         (unsigned long long)data_bytes, size - p);
    void *data = record_add(record, name, (enum dtype)dtype, (int)ndim, dims);
    if (data_bytes) memcpy(data, bytes + p, data_bytes);
    if (dtype == DTYPE_BOOL)
        for (uint64_t i = 0; i < data_bytes; i++) ((uint8_t *)data)[i] = bytes[p + i] != 0;
    p = round_up(p + data_bytes);
    if (p > size) return error_set(err, STATUS_FORMAT, "record: %s: padding missing", name);
    *at = p;
    return STATUS_OK;
}

enum status record_decode(struct record *record, const void *bytes, size_t size, struct error *err)
{
    struct record decoded = {0};
    uint64_t body = 0;
    uint32_t n_fields = 0;

    *record = decoded;
    if (size < RECORD_HEADER_BYTES)
        return error_set(err, STATUS_FORMAT, "record: %zu bytes, shorter than its header", size);
    enum status status = record_body_size(&body, bytes, err);
    if (status) return status;
    if (body != size - RECORD_HEADER_BYTES)
        return error_set(err, STATUS_FORMAT, "record: says %llu bytes follow, %zu do",
                         (unsigned long long)body, size - RECORD_HEADER_BYTES);
    memcpy(&n_fields, (const char *)bytes + 4, sizeof n_fields);
    if (n_fields > RECORD_FIELD_LIMIT)
        return error_set(err, STATUS_LIMIT, "record: %u fields, the limit is %d", n_fields,
                         RECORD_FIELD_LIMIT);

    size_t at = RECORD_HEADER_BYTES;
    for (uint32_t i = 0; i < n_fields && !status; i++)
        status = decode_field(&decoded, bytes, size, &at, err);
    if (!status && at != size)
        status = error_set(err, STATUS_FORMAT, "record: %zu bytes after the last field", size - at);
    if (status) record_done(&decoded);
    *record = decoded;
    return status;
}

enum status record_write(int fd, const struct record *record, struct error *err)
{
    struct text message = {0};
    record_encode(&message, record);
    const bool written = descriptor_write(fd, message.data, message.size);
    text_done(&message);
    return written ? STATUS_OK : error_set_errno(err, STATUS_IO, "record: not written");
}

/* True when all `size` bytes came; *got tells how many did. */
static bool read_all(int fd, void *bytes, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = read(fd, (char *)bytes + *got, size - *got);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        *got += (size_t)n;
    }
    return true;
}

enum status record_read(struct record *record, int fd, struct error *err)
{
    char header[RECORD_HEADER_BYTES];
    uint64_t body = 0;
    size_t got;

    *record = (struct record){0};
    if (!read_all(fd, header, sizeof header, &got))
        return got == 0 ? error_set(err, STATUS_NOT_FOUND, "record: end of input")
                        : error_set(err, STATUS_FORMAT, "record: cut inside its header");
    enum status status = record_body_size(&body, header, err);
    if (status) return status;

    char *bytes = malloc(sizeof header + body);
    if (!bytes)
        return error_set(err, STATUS_LIMIT, "record: no memory for %llu bytes",
                         (unsigned long long)body);
    memcpy(bytes, header, sizeof header);
    if (read_all(fd, bytes + sizeof header, body, &got))
        status = record_decode(record, bytes, sizeof header + body, err);
    else
        status = error_set(err, STATUS_FORMAT, "record: cut after %zu of %llu bytes", got,
                           (unsigned long long)body);
    free(bytes);
    return status;
}
