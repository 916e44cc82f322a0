#include "tensor/tensor_walk.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "tensor/bf16.h"
#include "tensor/f16.h"

enum { NUMBERS_A_TASK = 1 << 14 };

void walk_init(struct walk *walk, const struct tensor *const *arrays, int n_arrays)
{
    const struct tensor *shape = arrays[0];
    *walk = (struct walk){.n_arrays = n_arrays, .count = tensor_count(shape)};

    for (int axis = 0; axis < shape->ndim; axis++) {
        if (shape->dims[axis] == 1) continue;
        int64_t stride[WALK_ARRAYS];
        for (int i = 0; i < n_arrays; i++) {
            const int own = axis - (shape->ndim - arrays[i]->ndim);
            stride[i] = own < 0 || arrays[i]->dims[own] == 1 ? 0 : arrays[i]->strides[own];
        }
        bool merges = walk->ndim > 0;
        for (int i = 0; i < n_arrays && merges; i++)
            merges = walk->strides[i][walk->ndim - 1] == stride[i] * shape->dims[axis];
        const int to = merges ? walk->ndim - 1 : walk->ndim++;
        walk->dims[to] = merges ? walk->dims[to] * shape->dims[axis] : shape->dims[axis];
        for (int i = 0; i < n_arrays; i++) walk->strides[i][to] = stride[i];
    }
    if (walk->ndim == 0) walk->ndim = 1, walk->dims[0] = 1;
}

struct job {
    const struct walk *walk;
    void (*run)(void *context, const int64_t *offsets, int n);
    void *context;
};

static void walk_task(void *context, int task, int worker)
{
    const struct job *job = context;
    const struct walk *walk = job->walk;
    const int last = walk->ndim - 1;
    const int64_t first = (int64_t)task * NUMBERS_A_TASK;
    int64_t left = walk->count - first < NUMBERS_A_TASK ? walk->count - first : NUMBERS_A_TASK;
    int64_t at[TENSOR_NDIM_LIMIT], rest = first;
    (void)worker;

    for (int axis = last; axis >= 0; axis--) {
        at[axis] = rest % walk->dims[axis];
        rest /= walk->dims[axis];
    }
    while (left > 0) {
        int64_t offsets[WALK_ARRAYS] = {0}, n = walk->dims[last] - at[last];
        if (n > left) n = left;
        if (n > WALK_RUN) n = WALK_RUN;
        for (int i = 0; i < walk->n_arrays; i++)
            for (int axis = 0; axis <= last; axis++)
                offsets[i] += at[axis] * walk->strides[i][axis];
        job->run(job->context, offsets, (int)n);
        left -= n;
        at[last] += n;
        for (int axis = last; axis > 0 && at[axis] == walk->dims[axis]; axis--) {
            at[axis] = 0;
            at[axis - 1]++;
        }
    }
}

void walk_run(struct pool *pool, const struct walk *walk,
              void (*run)(void *context, const int64_t *offsets, int n), void *context)
{
    struct job job = {walk, run, context};
    CHECK(walk->count / NUMBERS_A_TASK < INT32_MAX);
    pool_run(pool, walk_task, &job, (int)((walk->count + NUMBERS_A_TASK - 1) / NUMBERS_A_TASK));
}

/* ---- numbers in and out ---- */

#define LOAD(type, from) \
    { \
        const type *x = (const type *)data + at; \
        for (int i = 0; i < n; i++) out[i] = (from); \
        return; \
    }

void walk_load(double *out, enum dtype dtype, const void *data, int64_t at, int64_t stride, int n)
{
    switch (dtype) {
    case DTYPE_F32: LOAD(float, (double)x[i * stride])
    case DTYPE_F64: LOAD(double, x[i * stride])
    case DTYPE_BF16: LOAD(uint16_t, (double)float_from_bf16(x[i * stride]))
    case DTYPE_F16: LOAD(uint16_t, (double)float_from_f16(x[i * stride]))
    case DTYPE_I64: LOAD(int64_t, (double)x[i * stride])
    case DTYPE_I32: LOAD(int32_t, (double)x[i * stride])
    case DTYPE_I8: LOAD(int8_t, (double)x[i * stride])
    case DTYPE_U8:
    case DTYPE_BOOL: LOAD(uint8_t, (double)x[i * stride])
    case DTYPE_COUNT: break;
    }
    check_failed("a known dtype", __FILE__, __LINE__);
}

/* Towards zero, limited to int64_t, NaN is 0. */
static int64_t whole(double x)
{
    if (isnan(x)) return 0;
    if (x >= 0x1p63) return INT64_MAX;
    if (x <= -0x1p63) return INT64_MIN;
    return (int64_t)x;
}

void walk_load_whole(int64_t *out, enum dtype dtype, const void *data, int64_t at, int64_t stride,
                     int n)
{
    switch (dtype) {
    case DTYPE_I64: LOAD(int64_t, x[i * stride])
    case DTYPE_I32: LOAD(int32_t, x[i * stride])
    case DTYPE_I8: LOAD(int8_t, x[i * stride])
    case DTYPE_U8:
    case DTYPE_BOOL: LOAD(uint8_t, x[i * stride])
    case DTYPE_F32: LOAD(float, whole((double)x[i * stride]))
    case DTYPE_F64: LOAD(double, whole(x[i * stride]))
    case DTYPE_BF16: LOAD(uint16_t, whole((double)float_from_bf16(x[i * stride])))
    case DTYPE_F16: LOAD(uint16_t, whole((double)float_from_f16(x[i * stride])))
    case DTYPE_COUNT: break;
    }
    check_failed("a known dtype", __FILE__, __LINE__);
}

#define STORE(type, value) \
    { \
        type *x = (type *)data + at; \
        for (int i = 0; i < n; i++) x[i * stride] = (value); \
        return; \
    }

static int64_t limited(double x, int64_t low, int64_t high)
{
    const int64_t value = whole(x);
    return value < low ? low : value > high ? high : value;
}

/* A double to a short float by way of f32 would round twice, and the second time a tie that the
 * first one made: the first rounds to odd instead, which never makes one (Boldo and Melquiond
 * 2008). */
static float odd_float(double x)
{
    const float rounded = (float)x;
    if ((double)rounded == x || !isfinite(rounded) || isnan(x)) return rounded;
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    if (bits & 1) return rounded;
    /* The neighbour on the other side of x has an odd last bit. */
    const bool away = fabs((double)rounded) < fabs(x);
    bits += away ? 1u : UINT32_MAX;
    float odd;
    memcpy(&odd, &bits, sizeof odd);
    return odd;
}

void walk_store(void *data, enum dtype dtype, int64_t at, int64_t stride, const double *in, int n)
{
    switch (dtype) {
    case DTYPE_F32: STORE(float, (float)in[i])
    case DTYPE_F64: STORE(double, in[i])
    case DTYPE_BF16: STORE(uint16_t, bf16_from_float(odd_float(in[i])))
    case DTYPE_F16: STORE(uint16_t, f16_from_float(odd_float(in[i])))
    case DTYPE_I64: STORE(int64_t, whole(in[i]))
    case DTYPE_I32: STORE(int32_t, (int32_t)limited(in[i], INT32_MIN, INT32_MAX))
    case DTYPE_I8: STORE(int8_t, (int8_t)limited(in[i], INT8_MIN, INT8_MAX))
    case DTYPE_U8: STORE(uint8_t, (uint8_t)limited(in[i], 0, UINT8_MAX))
    case DTYPE_BOOL: STORE(uint8_t, in[i] != 0)
    case DTYPE_COUNT: break;
    }
    check_failed("a known dtype", __FILE__, __LINE__);
}

/* Whole numbers wrap around: the last bytes are kept. */
void walk_store_whole(void *data, enum dtype dtype, int64_t at, int64_t stride, const int64_t *in,
                      int n)
{
    switch (dtype) {
    case DTYPE_I64: STORE(int64_t, in[i])
    case DTYPE_I32: STORE(int32_t, (int32_t)in[i])
    case DTYPE_I8: STORE(int8_t, (int8_t)in[i])
    case DTYPE_U8: STORE(uint8_t, (uint8_t)in[i])
    case DTYPE_BOOL: STORE(uint8_t, in[i] != 0)
    case DTYPE_F32: STORE(float, (float)in[i])
    case DTYPE_F64: STORE(double, (double)in[i])
    case DTYPE_BF16: STORE(uint16_t, bf16_from_float(odd_float((double)in[i])))
    case DTYPE_F16: STORE(uint16_t, f16_from_float(odd_float((double)in[i])))
    case DTYPE_COUNT: break;
    }
    check_failed("a known dtype", __FILE__, __LINE__);
}
