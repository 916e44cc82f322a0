#include "tensor/dtype.h"

#include "base/error.h"

static const struct {
    size_t size;
    const char *name;
    bool is_float;
    int rank; /* among its kind */
} dtypes[DTYPE_COUNT] = {
    [DTYPE_F32] = {4, "float32", true, 2},   [DTYPE_F64] = {8, "float64", true, 3},
    [DTYPE_I32] = {4, "int32", false, 2},    [DTYPE_I64] = {8, "int64", false, 3},
    [DTYPE_U8] = {1, "uint8", false, 1},     [DTYPE_BOOL] = {1, "bool", false, 0},
    [DTYPE_BF16] = {2, "bfloat16", true, 1}, [DTYPE_F16] = {2, "float16", true, 1},
    [DTYPE_I8] = {1, "int8", false, 1},
};

size_t dtype_size(enum dtype dtype)
{
    CHECK(dtype < DTYPE_COUNT);
    return dtypes[dtype].size;
}

const char *dtype_name(enum dtype dtype)
{
    CHECK(dtype < DTYPE_COUNT);
    return dtypes[dtype].name;
}

bool dtype_is_float(enum dtype dtype)
{
    CHECK(dtype < DTYPE_COUNT);
    return dtypes[dtype].is_float;
}

enum dtype dtype_promote(enum dtype a, enum dtype b)
{
    if (a == b) return a;
    if (dtype_is_float(a) != dtype_is_float(b)) return dtype_is_float(a) ? a : b;
    if (dtypes[a].rank != dtypes[b].rank) return dtypes[a].rank > dtypes[b].rank ? a : b;
    return dtype_is_float(a) ? DTYPE_F32 : DTYPE_I32;
}
