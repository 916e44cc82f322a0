#include "model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"

static const struct {
    const char *name;
    int bits;
} types[SAFETENSORS_TYPE_COUNT] = {
    [SAFETENSORS_BOOL] = {"BOOL", 8},
    [SAFETENSORS_F4] = {"F4", 4},
    [SAFETENSORS_F6_E2M3] = {"F6_E2M3", 6},
    [SAFETENSORS_F6_E3M2] = {"F6_E3M2", 6},
    [SAFETENSORS_U8] = {"U8", 8},
    [SAFETENSORS_I8] = {"I8", 8},
    [SAFETENSORS_F8_E5M2] = {"F8_E5M2", 8},
    [SAFETENSORS_F8_E4M3] = {"F8_E4M3", 8},
    [SAFETENSORS_F8_E8M0] = {"F8_E8M0", 8},
    [SAFETENSORS_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 8},
    [SAFETENSORS_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 8},
    [SAFETENSORS_I16] = {"I16", 16},
    [SAFETENSORS_U16] = {"U16", 16},
    [SAFETENSORS_F16] = {"F16", 16},
    [SAFETENSORS_BF16] = {"BF16", 16},
    [SAFETENSORS_I32] = {"I32", 32},
    [SAFETENSORS_U32] = {"U32", 32},
    [SAFETENSORS_F32] = {"F32", 32},
    [SAFETENSORS_C64] = {"C64", 64},
    [SAFETENSORS_F64] = {"F64", 64},
    [SAFETENSORS_I64] = {"I64", 64},
    [SAFETENSORS_U64] = {"U64", 64},
};

const char *safetensors_type_name(enum safetensors_type type) { return types[type].name; }

/* ---- the header ---- */

static unsigned long long number(uint64_t value) { return value; }

static enum status offset_of(uint64_t *out, const json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) return STATUS_FORMAT;
    *out = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

/* How many bytes the shape takes; STATUS_FORMAT with the reason. */
static enum status shape_bytes(uint64_t *bytes, const struct safetensors_tensor *tensor,
                               struct error *err)
{
    uint64_t bits = (uint64_t)types[tensor->type].bits;
    for (int i = 0; i < tensor->ndim; i++)
        if (__builtin_mul_overflow(bits, (uint64_t)tensor->shape[i], &bits))
            return error_set(err, STATUS_FORMAT, _("ValidationOverflow: the shape of %s"),
                             tensor->name);
    if (bits % 8)
        return error_set(err, STATUS_FORMAT, _("MisalignedSlice: %s ends within a byte"),
                         tensor->name);
    *bytes = bits / 8;
    return STATUS_OK;
}

static enum status read_type(struct safetensors_tensor *tensor, const json_t *value)
{
    const char *name = json_string_value(value);
    for (int i = 0; name && i < SAFETENSORS_TYPE_COUNT; i++)
        if (strcmp(types[i].name, name) == 0) {
            tensor->type = (enum safetensors_type)i;
            return STATUS_OK;
        }
    return STATUS_FORMAT;
}

static enum status read_shape(struct safetensors_tensor *tensor, const json_t *shape)
{
    if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_NDIM_LIMIT)
        return STATUS_FORMAT;
    tensor->ndim = (int)json_array_size(shape);
    for (int i = 0; i < tensor->ndim; i++) {
        uint64_t size;
        if (offset_of(&size, json_array_get(shape, (size_t)i))) return STATUS_FORMAT;
        tensor->shape[i] = (int64_t)size;
    }
    return STATUS_OK;
}

static enum status read_tensor(struct safetensors_tensor *tensor, const char *name,
                               const json_t *entry, struct error *err)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    uint64_t bytes = 0;

    *tensor = (struct safetensors_tensor){.name = text_copy(name)};
    if (!json_is_object(entry) || json_object_size(entry) != 3 ||
        read_type(tensor, json_object_get(entry, "dtype")) ||
        read_shape(tensor, json_object_get(entry, "shape")) || !json_is_array(offsets) ||
        json_array_size(offsets) != 2 || offset_of(&tensor->begin, json_array_get(offsets, 0)) ||
        offset_of(&tensor->end, json_array_get(offsets, 1)))
        return error_set(
            err, STATUS_FORMAT,
            _("InvalidHeaderDeserialization: %s must have a known dtype, a shape of at "
              "most %d sizes and two data_offsets, nothing else"),
            name, SAFETENSORS_NDIM_LIMIT);
    const enum status status = shape_bytes(&bytes, tensor, err);
    if (status) return status;
    if (tensor->end < tensor->begin || tensor->end - tensor->begin != bytes)
        return error_set(err, STATUS_FORMAT,
                         _("TensorInvalidInfo: %s has %llu bytes by its shape, data_offsets say "
                           "%llu to %llu"),
                         name, number(bytes), number(tensor->begin), number(tensor->end));
    return STATUS_OK;
}

static enum status read_metadata(struct safetensors *file, json_t *object, struct error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return error_set(err, STATUS_FORMAT,
                         _("InvalidHeaderDeserialization: __metadata__ is no object"));
    json_object_foreach(object, key, value) if (!json_is_string(value)) return error_set(
        err, STATUS_FORMAT, _("InvalidHeaderDeserialization: __metadata__ %s is no string"), key);
    json_decref(file->metadata);
    file->metadata = json_incref(object);
    return STATUS_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* One behind the other, from the first byte of the buffer to the last. */
static enum status check_cover(struct safetensors *file, struct error *err)
{
    uint64_t at = 0;
    if (file->n) qsort(file->tensors, (size_t)file->n, sizeof *file->tensors, by_place);
    for (int i = 0; i < file->n; i++) {
        if (file->tensors[i].begin != at)
            return error_set(err, STATUS_FORMAT,
                             _("InvalidOffset: %s begins at %llu, the one before ends at %llu"),
                             file->tensors[i].name, number(file->tensors[i].begin), number(at));
        at = file->tensors[i].end;
    }
    if (at != file->size - file->buffer)
        return error_set(err, STATUS_FORMAT,
                         _("MetadataIncompleteBuffer: the tensors take %llu bytes, the file has "
                           "%llu for them"),
                         number(at), number(file->size - file->buffer));
    return STATUS_OK;
}

static enum status read_entries(struct safetensors *file, json_t *header, struct error *err)
{
    const char *name;
    json_t *entry;
    enum status status = STATUS_OK;
    if (json_object_size(header) > SAFETENSORS_TENSOR_LIMIT)
        return error_set(err, STATUS_LIMIT, _("more than %d tensors"), SAFETENSORS_TENSOR_LIMIT);
    file->tensors = memory_new(json_object_size(header) + 1, sizeof *file->tensors);
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) status = read_metadata(file, entry, err);
        else status = read_tensor(&file->tensors[file->n++], name, entry, err);
        if (status) return status;
    }
    return check_cover(file, err);
}

static enum status read_header(struct safetensors *file, const char *bytes, size_t size,
                               struct error *err)
{
    json_t *header;
    if (size == 0 || bytes[0] != '{')
        return error_set(err, STATUS_FORMAT,
                         _("InvalidHeaderDeserialization: the header does not start with {"));
    if (text_utf8_valid(bytes, size) != size)
        return error_set(err, STATUS_FORMAT, _("InvalidHeader: the header is not UTF-8"));
    enum status status = json_parse(&header, bytes, size, err);
    if (status) {
        error_prefix(err, "InvalidHeaderDeserialization");
        return status;
    }
    status = read_entries(file, header, err);
    json_decref(header);
    return status;
}

static enum status header_size(uint64_t *size, const struct safetensors *file,
                               const uint8_t first[8], struct error *err)
{
    *size = 0;
    for (int i = 7; i >= 0; i--) *size = *size << 8 | first[i];
    if (*size > SAFETENSORS_HEADER_LIMIT)
        return error_set(err, STATUS_FORMAT, _("HeaderTooLarge: %llu bytes, at most %d"),
                         number(*size), SAFETENSORS_HEADER_LIMIT);
    if (*size > file->size - 8)
        return error_set(err, STATUS_FORMAT,
                         _("InvalidHeaderLength: %llu bytes of header in a file of %llu"),
                         number(*size), number(file->size));
    return STATUS_OK;
}

static enum status read_at(const struct safetensors *file, void *out, size_t size, uint64_t at,
                           struct error *err)
{
    char *to = out;
    if (file->fd < 0) {
        memcpy(out, file->bytes + at, size);
        return STATUS_OK;
    }
    while (size) {
        const ssize_t n = pread(file->fd, to, size, (off_t)at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_set_errno(err, STATUS_IO, _("cannot read"));
        if (n == 0) return error_set(err, STATUS_IO, _("it became shorter while it was read"));
        to += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return STATUS_OK;
}

static enum status open_any(struct safetensors *file, struct error *err)
{
    uint8_t first[8];
    uint64_t size;
    file->metadata = json_object();
    if (file->size < 8)
        return error_set(err, STATUS_FORMAT, _("HeaderTooSmall: %llu bytes, at least 8"),
                         number(file->size));
    enum status status = read_at(file, first, sizeof first, 0, err);
    if (!status) status = header_size(&size, file, first, err);
    if (status) return status;
    char *header = memory_new((size_t)size + 1, 1);
    status = read_at(file, header, (size_t)size, 8, err);
    file->buffer = 8 + size;
    if (!status) status = read_header(file, header, (size_t)size, err);
    free(header);
    return status;
}

enum status safetensors_open(struct safetensors *file, const char *path, struct error *err)
{
    struct safetensors opened = {.path = text_copy(path)};
    struct stat info;
    enum status status = STATUS_OK;

    *file = (struct safetensors){.fd = -1};
    opened.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened.fd < 0)
        status = error_set_errno(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s", path);
    else if (fstat(opened.fd, &info) != 0) status = error_set_errno(err, STATUS_IO, "%s", path);
    else if (!S_ISREG(info.st_mode))
        status = error_set(err, STATUS_FORMAT, _("%s: not a regular file"), path);
    else {
        opened.size = (uint64_t)info.st_size;
        status = open_any(&opened, err);
        if (status) error_prefix(err, "%s", path);
    }
    if (status) safetensors_close(&opened);
    else *file = opened;
    return status;
}

enum status safetensors_view(struct safetensors *file, const void *bytes, size_t size,
                             struct error *err)
{
    struct safetensors opened = {.fd = -1, .bytes = bytes, .size = size};
    *file = (struct safetensors){.fd = -1};
    const enum status status = open_any(&opened, err);
    if (status) safetensors_close(&opened);
    else *file = opened;
    return status;
}

void safetensors_close(struct safetensors *file)
{
    if (file->path && file->fd >= 0) close(file->fd);
    for (int i = 0; i < file->n; i++) free(file->tensors[i].name);
    free(file->tensors);
    free(file->path);
    json_decref(file->metadata);
    *file = (struct safetensors){.fd = -1};
}

/* ---- reading ---- */

const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name)
{
    for (int i = 0; i < file->n; i++)
        if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
    return NULL;
}

int64_t safetensors_count(const struct safetensors_tensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->ndim; i++) count *= tensor->shape[i];
    return count;
}

const char *safetensors_metadata(const struct safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

enum status safetensors_read_bytes(const struct safetensors *file,
                                   const struct safetensors_tensor *tensor, void *out,
                                   struct error *err)
{
    const enum status status = read_at(file, out, (size_t)(tensor->end - tensor->begin),
                                       file->buffer + tensor->begin, err);
    if (status) error_prefix(err, "%s: %s", file->path ? file->path : "?", tensor->name);
    return status;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float from_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
    const uint32_t fraction = half & 1023;
    if (exponent == 31) return from_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    const float tiny = (float)fraction * 0x1p-24f;
    return sign ? -tiny : tiny;
}

enum status safetensors_read_f32(const struct safetensors *file,
                                 const struct safetensors_tensor *tensor, float *out,
                                 struct error *err)
{
    enum { PIECE = 1 << 16 };
    const int64_t count = safetensors_count(tensor);
    const size_t size = (size_t)types[tensor->type].bits / 8;
    enum status status = STATUS_OK;

    if (tensor->type == SAFETENSORS_F32) return safetensors_read_bytes(file, tensor, out, err);
    if (tensor->type != SAFETENSORS_BF16 && tensor->type != SAFETENSORS_F16 &&
        tensor->type != SAFETENSORS_F64)
        return error_set(err, STATUS_FORMAT,
                         _("%s: %s is %s; only F32, F64, BF16 and F16 are read"),
                         file->path ? file->path : "?", tensor->name, types[tensor->type].name);

    uint8_t *piece = memory_new(PIECE, size);
    for (int64_t i = 0; i < count && !status; i += PIECE) {
        const int64_t n = count - i < PIECE ? count - i : PIECE;
        status = read_at(file, piece, (size_t)n * size,
                         file->buffer + tensor->begin + (uint64_t)i * size, err);
        for (int64_t k = 0; k < n && !status; k++) {
            uint16_t half;
            double wide;
            if (size == 8) {
                memcpy(&wide, piece + k * 8, sizeof wide);
                out[i + k] = (float)wide;
            } else {
                memcpy(&half, piece + k * 2, sizeof half);
                out[i + k] = tensor->type == SAFETENSORS_BF16 ? from_bits((uint32_t)half << 16)
                                                              : from_half(half);
            }
        }
    }
    free(piece);
    if (status) error_prefix(err, "%s: %s", file->path ? file->path : "?", tensor->name);
    return status;
}

/* ---- writing ---- */

/* The header with its length before it, padded so that the buffer starts at a multiple of 64. */
static void write_header(struct text *out, const struct safetensors_item *items, int n,
                         const json_t *metadata)
{
    json_t *header = json_object();
    uint64_t at = 0;
    if (metadata) json_object_set(header, "__metadata__", (json_t *)(uintptr_t)metadata);
    for (int i = 0; i < n; i++) {
        json_t *shape = json_array();
        uint64_t bits = (uint64_t)types[items[i].type].bits;
        for (int k = 0; k < items[i].ndim; k++) {
            json_array_append_new(shape, json_integer(items[i].shape[k]));
            bits *= (uint64_t)items[i].shape[k];
        }
        json_t *entry =
            json_pack("{s:s, s:o, s:[I, I]}", "dtype", types[items[i].type].name, "shape", shape,
                      "data_offsets", (json_int_t)at, (json_int_t)(at + bits / 8));
        CHECK(entry && !json_object_get(header, items[i].name));
        CHECK(json_object_set_new(header, items[i].name, entry) == 0);
        at += bits / 8;
    }
    char *line = json_line(header);
    json_decref(header);
    const size_t size = strlen(line);
    const uint64_t padded = (8 + size + 63) / 64 * 64 - 8;
    for (int i = 0; i < 8; i++) text_add_char(out, (char)(padded >> (8 * i) & 255));
    text_add_bytes(out, line, size);
    for (uint64_t i = size; i < padded; i++) text_add_char(out, ' ');
    free(line);
}

static bool write_item(int fd, const struct safetensors_item *item)
{
    int64_t count = 1;
    for (int k = 0; k < item->ndim; k++) count *= item->shape[k];
    const size_t bytes = (size_t)count * (size_t)types[item->type].bits / 8;
    if (!item->transposed) return descriptor_write(fd, item->data, bytes);

    CHECK(item->ndim == 2 && item->type == SAFETENSORS_F32);
    const int64_t rows = item->shape[0], columns = item->shape[1]; /* of the file */
    const float *data = item->data;
    enum { AT_ONCE = 16 };
    float *piece = memory_new((size_t)columns * AT_ONCE + 1, sizeof *piece);
    bool written = true;
    for (int64_t r = 0; r < rows && written; r += AT_ONCE) {
        const int64_t n = rows - r < AT_ONCE ? rows - r : AT_ONCE;
        for (int64_t c = 0; c < columns; c++)
            for (int64_t i = 0; i < n; i++) piece[i * columns + c] = data[c * rows + r + i];
        written = descriptor_write(fd, piece, (size_t)(n * columns) * sizeof *piece);
    }
    free(piece);
    return written;
}

static bool write_all(int fd, const struct text *header, const struct safetensors_item *items,
                      int n)
{
    bool written = descriptor_write(fd, header->data, header->size);
    for (int i = 0; i < n && written; i++) written = write_item(fd, &items[i]);
    return written && fsync(fd) == 0;
}

static void sync_folder(const char *path)
{
    char *copy = text_copy(path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd); /* some file systems refuse; the rename itself has happened */
        close(fd);
    }
    free(copy);
}

enum status safetensors_write(const char *path, const struct safetensors_item *items, int n,
                              const json_t *metadata, struct error *err)
{
    struct text header = {0};
    enum status status = STATUS_OK;
    write_header(&header, items, n, metadata);
    char *beside = text_printf("%s.%ld.tmp", path, (long)getpid());
    const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) {
        status = error_set_errno(err, STATUS_IO, "%s", path);
    } else {
        if (!write_all(fd, &header, items, n))
            status = error_set_errno(err, STATUS_IO, _("%s: not written"), path);
        close(fd);
        if (!status && rename(beside, path) != 0)
            status = error_set_errno(err, STATUS_IO, "%s", path);
        if (status) unlink(beside);
        else sync_folder(path);
    }
    free(beside);
    text_done(&header);
    return status;
}
