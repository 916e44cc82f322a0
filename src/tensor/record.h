/* record.h -- named arrays that travel between processes as one message.
 *
 *   message   "LCXR" | u32 n_fields | u64 size of all that follows
 *   field     u8 dtype | u8 ndim | u8 name size | name | zeros up to a multiple of 8
 *             | i64 dims[ndim] | data | zeros up to a multiple of 8
 *
 * Little-endian, row-major, data aligned to 8 bytes within the message.
 *
 * Promises: decoding never reads outside the bytes it was given, allocates no
 * more than they justify, and refuses duplicates and sizes that overflow.
 * Does not know: drills, processes, what a field means.
 * Tests: tests/tensor/record_test.c, tests/fuzz/fuzz_record.c
 */
#ifndef TENSOR_RECORD_H
#define TENSOR_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "tensor/dtype.h"

enum {
    RECORD_NDIM_LIMIT = 8,
    RECORD_FIELD_LIMIT = 256,
    RECORD_NAME_LIMIT = 31,
    RECORD_HEADER_BYTES = 16,
    RECORD_DTYPES = DTYPE_BOOL + 1, /* those that every lane knows */
};
#define RECORD_SIZE_LIMIT ((uint64_t)256 << 20)

struct array {
    enum dtype dtype;
    int ndim; /* 0: one number */
    int64_t dims[RECORD_NDIM_LIMIT];
    void *data; /* row-major, owned by the record */
};

int64_t array_count(const struct array *array);

/* Element `i` in row-major order as a double, whatever the dtype. */
double array_at(const struct array *array, int64_t i);

/* "[2,3,4]" into `out`; returns `out`. */
const char *array_shape(char out[128], const struct array *array);

struct field {
    char name[RECORD_NAME_LIMIT + 1];
    struct array array;
};

struct record {
    struct field *fields;
    int n_fields;
};

/* Add a zeroed array and return it for writing. The name must be new, the dtype one of the first
 * RECORD_DTYPES. A shape is SHAPE(B, T, C), or SCALAR for one number (tensor/dtype.h). */
void *record_add(struct record *record, const char *name, enum dtype dtype, int ndim,
                 const int64_t *dims);
float *record_add_f32(struct record *record, const char *name, int ndim, const int64_t *dims);
double *record_add_f64(struct record *record, const char *name, int ndim, const int64_t *dims);
int32_t *record_add_i32(struct record *record, const char *name, int ndim, const int64_t *dims);
int64_t *record_add_i64(struct record *record, const char *name, int ndim, const int64_t *dims);
uint8_t *record_add_u8(struct record *record, const char *name, int ndim, const int64_t *dims);
uint8_t *record_add_bool(struct record *record, const char *name, int ndim, const int64_t *dims);
void record_add_int(struct record *record, const char *name, int64_t value);     /* rank 0, i64 */
void record_add_real(struct record *record, const char *name, double value);     /* rank 0, f64 */
void record_add_text(struct record *record, const char *name, const char *text); /* u8 [size] */

/* NULL when there is no such field. */
const struct array *record_find(const struct record *record, const char *name);

/* For fields that we made ourselves: absence or another dtype aborts. */
const float *record_f32(const struct record *record, const char *name);
const double *record_f64(const struct record *record, const char *name);
const int32_t *record_i32(const struct record *record, const char *name);
const int64_t *record_i64(const struct record *record, const char *name);
const uint8_t *record_u8(const struct record *record, const char *name); /* u8 or bool */
int64_t record_int(const struct record *record, const char *name); /* one number, any integer */
double record_real(const struct record *record, const char *name); /* one number, any dtype */
int64_t record_dim(const struct record *record, const char *name, int axis);
char *record_text(const struct record *record,
                  const char *name); /* terminated copy; caller frees */

void record_done(struct record *record);

/* Append the message to `out`. */
void record_encode(struct text *out, const struct record *record);

/* Bytes that follow a header of RECORD_HEADER_BYTES. STATUS_FORMAT, STATUS_LIMIT. */
MUST_CHECK enum status record_body_size(uint64_t *size, const void *header, struct error *err);

/* Decode one whole message (header and body). *record is empty on failure. */
MUST_CHECK enum status record_decode(struct record *record, const void *bytes, size_t size,
                                     struct error *err);

/* Write to, read from a descriptor (blocking). Reading gives STATUS_NOT_FOUND at a clean end. */
MUST_CHECK enum status record_write(int fd, const struct record *record, struct error *err);
MUST_CHECK enum status record_read(struct record *record, int fd, struct error *err);

#endif
