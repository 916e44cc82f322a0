#include "tensor/tensor.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tensor/tensor_walk.h"

/* ---- memory ---- */

struct tensor_memory {
    atomic_int users;
    _Atomic uint64_t version;
    void *owned; /* NULL: the numbers are the caller's */
};

static void shape_set(struct tensor *x, int ndim, const int64_t *dims)
{
    int64_t stride = 1;
    CHECK(ndim >= 0 && ndim <= TENSOR_NDIM_LIMIT);
    x->ndim = ndim;
    for (int i = ndim - 1; i >= 0; i--) {
        CHECK(dims[i] >= 0);
        x->dims[i] = dims[i];
        x->strides[i] = stride;
        CHECK(!__builtin_mul_overflow(stride, dims[i] ? dims[i] : 1, &stride));
    }
    CHECK(stride <= INT64_MAX / 8);
}

struct tensor tensor_borrow(void *data, enum dtype dtype, int ndim, const int64_t *dims)
{
    struct tensor x = {.dtype = dtype, .data = data};
    shape_set(&x, ndim, dims);
    x.memory = memory_new(1, sizeof *x.memory);
    atomic_store(&x.memory->users, 1);
    return x;
}

struct tensor tensor_zeros(enum dtype dtype, int ndim, const int64_t *dims)
{
    struct tensor x = tensor_borrow(NULL, dtype, ndim, dims);
    const size_t count = (size_t)tensor_count(&x);
    x.data = x.memory->owned = memory_new(count ? count : 1, dtype_size(dtype));
    return x;
}

struct tensor tensor_full(double value, enum dtype dtype, int ndim, const int64_t *dims)
{
    struct tensor x = tensor_zeros(dtype, ndim, dims);
    tensor_fill(NULL, &x, value);
    return x;
}

static struct tensor from(const void *values, enum dtype dtype, int ndim, const int64_t *dims)
{
    struct tensor x = tensor_zeros(dtype, ndim, dims);
    memcpy(x.data, values, (size_t)tensor_count(&x) * dtype_size(dtype));
    return x;
}

struct tensor tensor_from_f32(const float *values, int ndim, const int64_t *dims)
{
    return from(values, DTYPE_F32, ndim, dims);
}

struct tensor tensor_from_f64(const double *values, int ndim, const int64_t *dims)
{
    return from(values, DTYPE_F64, ndim, dims);
}

struct tensor tensor_from_i32(const int32_t *values, int ndim, const int64_t *dims)
{
    return from(values, DTYPE_I32, ndim, dims);
}

struct tensor tensor_view(const struct tensor *x)
{
    atomic_fetch_add(&x->memory->users, 1);
    return *x;
}

void tensor_done(struct tensor *x)
{
    if (x->memory && atomic_fetch_sub(&x->memory->users, 1) == 1) {
        free(x->memory->owned);
        free(x->memory);
    }
    *x = (struct tensor){0};
}

/* ---- what it is ---- */

int64_t tensor_count(const struct tensor *x)
{
    int64_t count = 1;
    for (int i = 0; i < x->ndim; i++) count *= x->dims[i];
    return count;
}

bool tensor_is_contiguous(const struct tensor *x)
{
    int64_t stride = 1;
    if (tensor_count(x) == 0) return true;
    for (int i = x->ndim - 1; i >= 0; i--) {
        if (x->dims[i] == 1) continue;
        if (x->strides[i] != stride) return false;
        stride *= x->dims[i];
    }
    return true;
}

bool tensor_same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->ndim == b->ndim && memcmp(a->dims, b->dims, (size_t)a->ndim * sizeof a->dims[0]) == 0;
}

uint64_t tensor_version(const struct tensor *x) { return atomic_load(&x->memory->version); }
void tensor_touch(const struct tensor *x) { atomic_fetch_add(&x->memory->version, 1); }

static void *numbers(const struct tensor *x, enum dtype dtype)
{
    CHECK(x->dtype == dtype && tensor_is_contiguous(x));
    return x->data;
}

float *tensor_f32(const struct tensor *x) { return numbers(x, DTYPE_F32); }
double *tensor_f64(const struct tensor *x) { return numbers(x, DTYPE_F64); }
int32_t *tensor_i32(const struct tensor *x) { return numbers(x, DTYPE_I32); }

static int64_t offset_of(const struct tensor *x, const int64_t *index)
{
    int64_t at = 0;
    for (int i = 0; i < x->ndim; i++) {
        CHECK(index[i] >= 0 && index[i] < x->dims[i]);
        at += index[i] * x->strides[i];
    }
    return at;
}

double tensor_at(const struct tensor *x, const int64_t *index)
{
    double value;
    walk_load(&value, x->dtype, x->data, offset_of(x, index), 1, 1);
    return value;
}

void tensor_set(struct tensor *x, const int64_t *index, double value)
{
    walk_store(x->data, x->dtype, offset_of(x, index), 1, &value, 1);
    tensor_touch(x);
}

double tensor_item(const struct tensor *x)
{
    const int64_t zeros[TENSOR_NDIM_LIMIT] = {0};
    CHECK(tensor_count(x) == 1);
    return tensor_at(x, zeros);
}

void tensor_describe(struct text *out, const struct tensor *x)
{
    text_format(out, "%s[", dtype_name(x->dtype));
    for (int i = 0; i < x->ndim; i++) text_format(out, "%s%" PRId64, i ? "," : "", x->dims[i]);
    text_add(out, "]");
}

static void print_axis(struct text *out, const struct tensor *x, int axis, int64_t *index)
{
    enum { SHOWN = 3 };
    if (axis == x->ndim) {
        const double value = tensor_at(x, index);
        text_format(out, dtype_is_float(x->dtype) ? "%.6g" : "%.0f", value);
        return;
    }
    text_add(out, "[");
    for (int64_t i = 0; i < x->dims[axis]; i++) {
        if (x->dims[axis] > 2 * SHOWN + 1 && i == SHOWN) {
            text_add(out, ", ...");
            i = x->dims[axis] - SHOWN;
        }
        if (i) text_add(out, ", ");
        index[axis] = i;
        print_axis(out, x, axis + 1, index);
    }
    text_add(out, "]");
}

void tensor_print(struct text *out, const struct tensor *x)
{
    int64_t index[TENSOR_NDIM_LIMIT] = {0};
    print_axis(out, x, 0, index);
}

/* ---- views ---- */

static int axis_of(const struct tensor *x, int axis)
{
    if (axis < 0) axis += x->ndim;
    CHECK(axis >= 0 && axis < x->ndim);
    return axis;
}

struct tensor tensor_transpose(const struct tensor *x, int axis_a, int axis_b)
{
    struct tensor y = tensor_view(x);
    const int a = axis_of(x, axis_a), b = axis_of(x, axis_b);
    y.dims[a] = x->dims[b], y.strides[a] = x->strides[b];
    y.dims[b] = x->dims[a], y.strides[b] = x->strides[a];
    return y;
}

struct tensor tensor_permute(const struct tensor *x, const int *order)
{
    struct tensor y = tensor_view(x);
    unsigned seen = 0;
    for (int i = 0; i < x->ndim; i++) {
        const int axis = axis_of(x, order[i]);
        CHECK(!(seen >> axis & 1));
        seen |= 1u << axis;
        y.dims[i] = x->dims[axis], y.strides[i] = x->strides[axis];
    }
    return y;
}

static void drop_axis(struct tensor *x, int axis)
{
    for (int i = axis; i + 1 < x->ndim; i++)
        x->dims[i] = x->dims[i + 1], x->strides[i] = x->strides[i + 1];
    x->ndim--;
}

static void *moved(const struct tensor *x, int64_t by)
{
    return (char *)x->data + by * (int64_t)dtype_size(x->dtype);
}

struct tensor tensor_select(const struct tensor *x, int axis, int64_t i)
{
    struct tensor y = tensor_view(x);
    axis = axis_of(x, axis);
    CHECK(i >= 0 && i < x->dims[axis]);
    y.data = moved(x, i * x->strides[axis]);
    drop_axis(&y, axis);
    return y;
}

struct tensor tensor_slice(const struct tensor *x, int axis, int64_t from_i, int64_t to,
                           int64_t step)
{
    struct tensor y = tensor_view(x);
    axis = axis_of(x, axis);
    const int64_t size = x->dims[axis], span = step > 0 ? to - from_i : from_i - to;
    CHECK(step != 0);
    const int64_t each = step > 0 ? step : -step;
    const int64_t n = span <= 0 ? 0 : (span + each - 1) / each;
    if (n > 0) {
        CHECK(from_i >= 0 && from_i < size);
        CHECK(from_i + (n - 1) * step >= 0 && from_i + (n - 1) * step < size);
        y.data = moved(x, from_i * x->strides[axis]);
    }
    y.dims[axis] = n;
    y.strides[axis] = x->strides[axis] * step;
    return y;
}

struct tensor tensor_insert(const struct tensor *x, int axis)
{
    struct tensor y = tensor_view(x);
    if (axis < 0) axis += x->ndim + 1;
    CHECK(axis >= 0 && axis <= x->ndim && x->ndim < TENSOR_NDIM_LIMIT);
    for (int i = x->ndim; i > axis; i--)
        y.dims[i] = x->dims[i - 1], y.strides[i] = x->strides[i - 1];
    y.dims[axis] = 1;
    y.strides[axis] = 0;
    y.ndim++;
    return y;
}

struct tensor tensor_squeeze(const struct tensor *x, int axis)
{
    struct tensor y = tensor_view(x);
    axis = axis_of(x, axis);
    CHECK(x->dims[axis] == 1);
    drop_axis(&y, axis);
    return y;
}

bool tensor_expands(const struct tensor *x, int ndim, const int64_t *dims)
{
    if (ndim < x->ndim || ndim > TENSOR_NDIM_LIMIT) return false;
    for (int i = 0; i < x->ndim; i++) {
        const int64_t want = dims[ndim - x->ndim + i];
        if (x->dims[i] != want && x->dims[i] != 1) return false;
    }
    return true;
}

struct tensor tensor_expand(const struct tensor *x, int ndim, const int64_t *dims)
{
    struct tensor y = tensor_view(x);
    CHECK(tensor_expands(x, ndim, dims));
    y.ndim = ndim;
    for (int i = 0; i < ndim; i++) {
        const int own = i - (ndim - x->ndim);
        y.dims[i] = dims[i];
        y.strides[i] = own < 0 || (x->dims[own] == 1 && dims[i] != 1) ? 0 : x->strides[own];
    }
    return y;
}

/* The strides of x under other dimensions, if there are any: axes of x are taken in groups of as
 * many numbers as a group of new ones, and each group must be evenly spaced. */
static bool strides_under(int64_t *strides, const struct tensor *x, int ndim, const int64_t *dims)
{
    int old = 0, new = 0;
    while (old < x->ndim || new < ndim) {
        int64_t have = old < x->ndim ? x->dims[old] : 1, want = new < ndim ? dims[new] : 1;
        const int old_first = old, new_first = new;
        if (old < x->ndim) old++;
        if (new < ndim) new ++;
        while (have != want) {
            if (have < want) have *= x->dims[old++];
            else want *= dims[new ++];
        }
        bool any = false;
        int64_t step = 0, next = 0; /* of the last axis; what the one before it must have */
        for (int i = old - 1; i >= old_first; i--) {
            if (x->dims[i] == 1) continue;
            if (any && x->strides[i] != next) return false;
            if (!any) step = x->strides[i];
            any = true;
            next = x->strides[i] * x->dims[i];
        }
        for (int i = new - 1; i >= new_first; i--) strides[i] = step, step *= dims[i];
    }
    return true;
}

struct tensor tensor_reshape(struct pool *pool, const struct tensor *x, int ndim,
                             const int64_t *dims)
{
    const int64_t count = tensor_count(x);
    int64_t whole[TENSOR_NDIM_LIMIT], known = 1;
    int open = -1;

    CHECK(ndim >= 0 && ndim <= TENSOR_NDIM_LIMIT);
    for (int i = 0; i < ndim; i++) {
        whole[i] = dims[i];
        if (dims[i] == -1) {
            CHECK(open < 0);
            open = i;
        } else known *= dims[i];
    }
    if (open >= 0) {
        CHECK(known > 0 && count % known == 0);
        whole[open] = count / known;
    } else CHECK(known == count);

    int64_t strides[TENSOR_NDIM_LIMIT];
    struct tensor y;
    if (count > 0 && strides_under(strides, x, ndim, whole)) {
        y = tensor_view(x);
        y.ndim = ndim;
        memcpy(y.dims, whole, sizeof whole);
        memcpy(y.strides, strides, sizeof strides);
    } else {
        y = tensor_copy(pool, x);
        shape_set(&y, ndim, whole);
    }
    return y;
}

/* ---- copies ---- */

struct copying {
    const struct tensor *to, *from;
    const struct walk *walk;
};

static void copy_run(void *context, const int64_t *offsets, int n)
{
    const struct copying *c = context;
    const int last = c->walk->ndim - 1;
    const int64_t step = c->walk->strides[0][last], from_step = c->walk->strides[1][last];
    const size_t size = dtype_size(c->to->dtype);

    if (c->to->dtype == c->from->dtype && step == 1 && from_step == 1) {
        memcpy((char *)c->to->data + offsets[0] * (int64_t)size,
               (const char *)c->from->data + offsets[1] * (int64_t)size, (size_t)n * size);
    } else if (dtype_is_float(c->to->dtype) || dtype_is_float(c->from->dtype)) {
        double piece[WALK_RUN];
        walk_load(piece, c->from->dtype, c->from->data, offsets[1], from_step, n);
        walk_store(c->to->data, c->to->dtype, offsets[0], step, piece, n);
    } else {
        int64_t piece[WALK_RUN];
        walk_load_whole(piece, c->from->dtype, c->from->data, offsets[1], from_step, n);
        walk_store_whole(c->to->data, c->to->dtype, offsets[0], step, piece, n);
    }
}

void tensor_assign(struct pool *pool, struct tensor *to, const struct tensor *from_x)
{
    struct walk walk;
    struct copying c = {to, from_x, &walk};
    CHECK(tensor_expands(from_x, to->ndim, to->dims));
    walk_init(&walk, (const struct tensor *[]){to, from_x}, 2);
    walk_run(pool, &walk, copy_run, &c);
    tensor_touch(to);
}

struct tensor tensor_copy(struct pool *pool, const struct tensor *x)
{
    struct tensor y = tensor_zeros(x->dtype, x->ndim, x->dims);
    tensor_assign(pool, &y, x);
    return y;
}

struct tensor tensor_contiguous(struct pool *pool, const struct tensor *x)
{
    return tensor_is_contiguous(x) ? tensor_view(x) : tensor_copy(pool, x);
}

struct tensor tensor_cast(struct pool *pool, const struct tensor *x, enum dtype dtype)
{
    if (x->dtype == dtype) return tensor_view(x);
    struct tensor y = tensor_zeros(dtype, x->ndim, x->dims);
    tensor_assign(pool, &y, x);
    return y;
}

void tensor_fill(struct pool *pool, struct tensor *x, double value)
{
    struct tensor one = tensor_borrow(&value, DTYPE_F64, SCALAR);
    tensor_assign(pool, x, &one);
    tensor_done(&one);
}
