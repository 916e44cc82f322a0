/* gguf_read.h -- the named values at the head of a GGUF file.
 *
 *   "GGUF" | u32 version 2 or 3 | u64 tensors | u64 values | values: name, type, data | tensors ...
 *
 * Promises: nothing outside the bytes is read; a size is believed only if the file is that large;
 * names are given once. Nothing is copied: values point into the bytes.
 * Source: the GGUF document, version 3. Tests: tests/text/tokenizer_file_test.c, fuzz_tokenizer_gguf.c
 */
#ifndef TEXT_GGUF_READ_H
#define TEXT_GGUF_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
    GGUF_TYPES,
};

enum { GGUF_VALUES_LIMIT = 1 << 16, GGUF_NAME_LIMIT = 1 << 16 };

struct gguf_value {
    const char *name;
    size_t name_size;
    enum gguf_type type, of; /* of: what an array holds, never an array */
    uint64_t n;              /* elements of an array; 1 */
    const unsigned char *data;
    size_t size; /* bytes of all elements */
};

struct gguf {
    struct gguf_value *values;
    int n;
    uint64_t n_tensors;
    size_t end; /* where the values end and the tensors begin */
};

/* The bytes must outlive it. STATUS_FORMAT, STATUS_LIMIT. */
MUST_CHECK enum status gguf_read(struct gguf *gguf, const void *bytes, size_t size,
                                 struct error *err);
void gguf_done(struct gguf *gguf);

/* NULL when there is none of that name. */
const struct gguf_value *gguf_find(const struct gguf *gguf, const char *name);

/* One number of any integer type or a boolean; false when it is none. */
bool gguf_integer(const struct gguf *gguf, const char *name, int64_t *value);

/* Element `at` of an array of integers, or of f32. */
int64_t gguf_integer_at(const struct gguf_value *value, uint64_t at);
float gguf_float_at(const struct gguf_value *value, uint64_t at);

/* The string at *data, which goes on to the next. */
const char *gguf_string(const unsigned char **data, size_t *size);

#endif
