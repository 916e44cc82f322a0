/* dtype.h -- what the numbers of an array are made of, and how a shape is written as arguments.
 *
 *   float    f64 f32, and for storage bf16 f16 (computed in f32, rounded to nearest even)
 *   whole    i64 i32 i8 u8, and bool: a byte of 0 or 1
 *
 * The order is part of record.h's messages: new ones come last.
 * Tests: tests/tensor/tensor_test.c, tests/tensor/record_test.c
 */
#ifndef TENSOR_DTYPE_H
#define TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtype {
    DTYPE_F32,
    DTYPE_F64,
    DTYPE_I32,
    DTYPE_I64,
    DTYPE_U8,
    DTYPE_BOOL,
    DTYPE_BF16,
    DTYPE_F16,
    DTYPE_I8,
    DTYPE_COUNT
};

size_t dtype_size(enum dtype dtype);      /* bytes of one number */
const char *dtype_name(enum dtype dtype); /* "float32", "float64", "int32", ... */
bool dtype_is_float(enum dtype dtype);

/* What a result of both is: the wider of one kind; float before whole; bf16 and f16 together are
 * f32; u8 and i8 together are i32. */
enum dtype dtype_promote(enum dtype a, enum dtype b);

/* `int ndim, const int64_t *dims` of a call, e.g. SHAPE(B, T, C). */
#define SHAPE(...) \
    ((int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))), \
        ((const int64_t[]){__VA_ARGS__})
#define SCALAR 0, NULL

#endif
