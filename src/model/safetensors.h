/* safetensors.h -- named tensors in a file: read strictly, written atomically.
 *
 *   u64 N, little-endian | N bytes of JSON, starts with '{', may end in spaces | the buffer
 *   {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}}
 *
 * Promises: a file is believed only where its size proves it: N at most 100,000,000 and within the
 * file, shapes times the size of a number equal to the bytes, tensors one behind the other without
 * hole or overlap, nothing behind the last. Duplicate keys are refused. Reading uses read(), never
 * a mapping: a file that shrinks meanwhile is an error, not a signal. A write is a temporary file,
 * fsync, rename.
 * Errors begin with the name of the format's own reader for them: HeaderTooLarge, InvalidOffset...
 * Does not know: models.
 * Source: the description of the format, https://github.com/huggingface/safetensors
 * Tests: tests/model/safetensors_test.c, tests/fuzz/fuzz_safetensors.c
 */
#ifndef MODEL_SAFETENSORS_H
#define MODEL_SAFETENSORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

enum {
    SAFETENSORS_HEADER_LIMIT = 100000000,
    SAFETENSORS_NDIM_LIMIT = 8,
    SAFETENSORS_TENSOR_LIMIT = 1 << 20,
};

enum safetensors_type {
    SAFETENSORS_BOOL,
    SAFETENSORS_F4,
    SAFETENSORS_F6_E2M3,
    SAFETENSORS_F6_E3M2,
    SAFETENSORS_U8,
    SAFETENSORS_I8,
    SAFETENSORS_F8_E5M2,
    SAFETENSORS_F8_E4M3,
    SAFETENSORS_F8_E8M0,
    SAFETENSORS_F8_E4M3FNUZ,
    SAFETENSORS_F8_E5M2FNUZ,
    SAFETENSORS_I16,
    SAFETENSORS_U16,
    SAFETENSORS_F16,
    SAFETENSORS_BF16,
    SAFETENSORS_I32,
    SAFETENSORS_U32,
    SAFETENSORS_F32,
    SAFETENSORS_C64,
    SAFETENSORS_F64,
    SAFETENSORS_I64,
    SAFETENSORS_U64,
    SAFETENSORS_TYPE_COUNT
};

const char *safetensors_type_name(enum safetensors_type type); /* "F32" */

struct safetensors_tensor {
    char *name;
    enum safetensors_type type;
    int ndim;
    int64_t shape[SAFETENSORS_NDIM_LIMIT];
    uint64_t begin, end; /* bytes, from the start of the buffer */
};

struct safetensors {
    char *path;
    int fd; /* -1: from memory */
    const uint8_t *bytes;
    uint64_t buffer;                    /* where it starts */
    uint64_t size;                      /* of the whole */
    struct safetensors_tensor *tensors; /* in the order of the buffer */
    int n;
    json_t *metadata; /* an object of strings; empty when the file has none */
};

/* Open a file and check its header. STATUS_NOT_FOUND, STATUS_IO, STATUS_FORMAT. */
MUST_CHECK enum status safetensors_open(struct safetensors *file, const char *path,
                                        struct error *err);

/* The same for bytes in memory, which are borrowed. */
MUST_CHECK enum status safetensors_view(struct safetensors *file, const void *bytes, size_t size,
                                        struct error *err);
void safetensors_close(struct safetensors *file); /* harmless on a zeroed struct */

const struct safetensors_tensor *safetensors_find(const struct safetensors *file, const char *name);
int64_t safetensors_count(const struct safetensors_tensor *tensor); /* numbers in it */

/* The text under `key` in the metadata; NULL when there is none. */
const char *safetensors_metadata(const struct safetensors *file, const char *key);

/* Read all numbers of a tensor of F32, F64, BF16 or F16 as f32; STATUS_FORMAT for other types. */
MUST_CHECK enum status safetensors_read_f32(const struct safetensors *file,
                                            const struct safetensors_tensor *tensor, float *out,
                                            struct error *err);

/* Read the bytes as they are; out has end - begin of them. */
MUST_CHECK enum status safetensors_read_bytes(const struct safetensors *file,
                                              const struct safetensors_tensor *tensor, void *out,
                                              struct error *err);

/* ---- writing ---- */

struct safetensors_item {
    const char *name;
    enum safetensors_type type;
    int ndim;
    int64_t shape[2];
    const void *data;
    bool transposed; /* two dimensions, F32: data is [shape[1],shape[0]] in memory */
};

/* Write the items in this order. `metadata` is an object of strings or NULL. */
MUST_CHECK enum status safetensors_write(const char *path, const struct safetensors_item *items,
                                         int n, const json_t *metadata, struct error *err);

#endif
