/* The reductions of tensor_math.h.
 *
 * Two ways, chosen by the shape alone. Where the last axis that stays lies side by side, a row of
 * results is kept and whole rows are added to it; else each result is a walk of its own, in chunks
 * whose results are put together in their order. */
#include "tensor/tensor_math.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "tensor/tensor_walk.h"

enum { CHUNK = 1 << 14, ROW = 256 };

struct reduction {
    enum tensor_reduction kind;
    const struct tensor *x;
    struct tensor *out; /* contiguous */
    bool whole;         /* computed in int64_t */
    /* The axes that stay and those that go; those of size 1 are left out. */
    int n_kept, n_gone;
    int64_t kept[TENSOR_NDIM_LIMIT], kept_stride[TENSOR_NDIM_LIMIT];
    int64_t gone[TENSOR_NDIM_LIMIT], gone_stride[TENSOR_NDIM_LIMIT];
    int64_t results, terms, chunks; /* chunks of terms, for each result */
    union number {
        double real;
        int64_t whole;
    } * partial; /* [results, chunks] */
};

static union number nothing(const struct reduction *r)
{
    union number n = {0};
    if (r->kind == TENSOR_SUM || r->kind == TENSOR_MEAN) return n;
    const bool max = r->kind == TENSOR_MAX;
    if (r->whole) n.whole = max ? INT64_MIN : INT64_MAX;
    else n.real = max ? -INFINITY : INFINITY;
    return n;
}

static double join_real(enum tensor_reduction kind, double a, double b)
{
    if (kind == TENSOR_MAX) return isnan(a) || a > b ? a : b;
    if (kind == TENSOR_MIN) return isnan(a) || a < b ? a : b;
    return a + b;
}

static int64_t join_whole(enum tensor_reduction kind, int64_t a, int64_t b)
{
    if (kind == TENSOR_MAX) return a > b ? a : b;
    if (kind == TENSOR_MIN) return a < b ? a : b;
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t offset(int64_t i, int n, const int64_t *dims, const int64_t *strides)
{
    int64_t at = 0;
    for (int axis = n - 1; axis >= 0; axis--) {
        at += i % dims[axis] * strides[axis];
        i /= dims[axis];
    }
    return at;
}

static void store(const struct reduction *r, int64_t at, const union number *values, int n)
{
    for (int i = 0; i < n; i++) {
        double real = r->whole ? 0 : values[i].real;
        if (r->kind == TENSOR_MEAN)
            real = (r->whole ? (double)values[i].whole : real) / (double)r->terms;
        if (r->whole && r->kind != TENSOR_MEAN)
            walk_store_whole(r->out->data, r->out->dtype, at + i, 1, &values[i].whole, 1);
        else walk_store(r->out->data, r->out->dtype, at + i, 1, &real, 1);
    }
}

/* ---- a result is a walk of its own ---- */

static void chunk_task(void *context, int task, int worker)
{
    struct reduction *r = context;
    const int64_t result = task / r->chunks, chunk = task % r->chunks;
    const int64_t base = offset(result, r->n_kept, r->kept, r->kept_stride);
    const int64_t end = (chunk + 1) * CHUNK < r->terms ? (chunk + 1) * CHUNK : r->terms;
    const int last = r->n_gone - 1;
    union number sum = nothing(r);
    (void)worker;

    for (int64_t i = chunk * CHUNK; i < end;) {
        int64_t n = r->gone[last] - i % r->gone[last];
        if (n > end - i) n = end - i;
        if (n > WALK_RUN) n = WALK_RUN;
        const int64_t at = base + offset(i, r->n_gone, r->gone, r->gone_stride);
        if (r->whole) {
            int64_t piece[WALK_RUN];
            walk_load_whole(piece, r->x->dtype, r->x->data, at, r->gone_stride[last], (int)n);
            for (int j = 0; j < n; j++) sum.whole = join_whole(r->kind, sum.whole, piece[j]);
        } else {
            double piece[WALK_RUN];
            walk_load(piece, r->x->dtype, r->x->data, at, r->gone_stride[last], (int)n);
            for (int j = 0; j < n; j++) sum.real = join_real(r->kind, sum.real, piece[j]);
        }
        i += n;
    }
    r->partial[task] = sum;
}

static void run_walks(struct pool *pool, struct reduction *r)
{
    r->chunks = (r->terms + CHUNK - 1) / CHUNK;
    const int64_t tasks = r->results * r->chunks;
    CHECK(tasks <= INT32_MAX);
    r->partial = memory_new((size_t)tasks, sizeof *r->partial);
    pool_run(pool, chunk_task, r, (int)tasks);
    for (int64_t i = 0; i < r->results; i++) {
        union number all = r->partial[i * r->chunks];
        for (int64_t c = 1; c < r->chunks; c++) {
            const union number *next = &r->partial[i * r->chunks + c];
            if (r->whole) all.whole = join_whole(r->kind, all.whole, next->whole);
            else all.real = join_real(r->kind, all.real, next->real);
        }
        store(r, i, &all, 1);
    }
    free(r->partial);
}

/* ---- rows are added to a row of results ---- */

static void row_task(void *context, int task, int worker)
{
    const struct reduction *r = context;
    const int last = r->n_kept - 1;
    const int64_t pieces = (r->kept[last] + ROW - 1) / ROW;
    const int64_t row = task / pieces, first = task % pieces * ROW;
    const int n = (int)(r->kept[last] - first < ROW ? r->kept[last] - first : ROW);
    const int64_t base = offset(row, last, r->kept, r->kept_stride) + first * r->kept_stride[last];
    union number sums[ROW];
    (void)worker;

    for (int j = 0; j < n; j++) sums[j] = nothing(r);
    for (int64_t i = 0; i < r->terms; i++) {
        const int64_t at = base + offset(i, r->n_gone, r->gone, r->gone_stride);
        if (r->whole) {
            int64_t piece[ROW];
            walk_load_whole(piece, r->x->dtype, r->x->data, at, r->kept_stride[last], n);
            for (int j = 0; j < n; j++)
                sums[j].whole = join_whole(r->kind, sums[j].whole, piece[j]);
        } else {
            double piece[ROW];
            walk_load(piece, r->x->dtype, r->x->data, at, r->kept_stride[last], n);
            for (int j = 0; j < n; j++) sums[j].real = join_real(r->kind, sums[j].real, piece[j]);
        }
    }
    store(r, row * r->kept[last] + first, sums, n);
}

static void run_rows(struct pool *pool, struct reduction *r)
{
    const int64_t width = r->kept[r->n_kept - 1];
    const int64_t tasks = r->results / width * ((width + ROW - 1) / ROW);
    CHECK(tasks <= INT32_MAX);
    pool_run(pool, row_task, r, (int)tasks);
}

/* ---- */

/* Neighbours that are stepped through as one become one. */
static void add_axis(int *n, int64_t *dims, int64_t *strides, int64_t size, int64_t stride)
{
    if (size == 1) return;
    if (*n > 0 && strides[*n - 1] == stride * size) {
        dims[*n - 1] *= size;
        strides[*n - 1] = stride;
        return;
    }
    dims[*n] = size;
    strides[(*n)++] = stride;
}

struct tensor tensor_reduce(struct pool *pool, enum tensor_reduction kind, const struct tensor *x,
                            unsigned axes, bool keep)
{
    const bool whole = !dtype_is_float(x->dtype);
    struct reduction r = {.kind = kind, .x = x, .whole = whole, .results = 1, .terms = 1};
    int64_t dims[TENSOR_NDIM_LIMIT];
    int ndim = 0;

    CHECK(axes == TENSOR_ALL || axes >> x->ndim == 0);
    for (int i = 0; i < x->ndim; i++) {
        const bool goes = axes >> i & 1;
        if (!goes || keep) dims[ndim++] = goes ? 1 : x->dims[i];
        if (goes) add_axis(&r.n_gone, r.gone, r.gone_stride, x->dims[i], x->strides[i]);
        else add_axis(&r.n_kept, r.kept, r.kept_stride, x->dims[i], x->strides[i]);
        *(goes ? &r.terms : &r.results) *= x->dims[i];
    }
    enum dtype dtype = x->dtype;
    if (whole && kind == TENSOR_SUM) dtype = DTYPE_I64;
    if (whole && kind == TENSOR_MEAN) dtype = DTYPE_F32;
    struct tensor out = tensor_zeros(dtype, ndim, dims);
    r.out = &out;
    if (r.results == 0) return out;
    CHECK(r.terms > 0 || !whole || kind == TENSOR_SUM);
    if (r.n_gone == 0) r.n_gone = 1, r.gone[0] = 1, r.gone_stride[0] = 0;

    if (r.terms == 0) {
        const union number none = nothing(&r);
        for (int64_t i = 0; i < r.results; i++) store(&r, i, &none, 1);
    } else if (r.n_kept > 0 && r.kept_stride[r.n_kept - 1] == 1) run_rows(pool, &r);
    else run_walks(pool, &r);
    return out;
}

struct argmax {
    const struct tensor *x; /* the axis is the last */
    int64_t *out;
};

static void argmax_task(void *context, int task, int worker)
{
    const struct argmax *a = context;
    const struct tensor *x = a->x;
    const int last = x->ndim - 1;
    const int64_t base = offset(task, last, x->dims, x->strides);
    int64_t best = 0;
    double most = 0;
    (void)worker;

    for (int64_t i = 0; i < x->dims[last]; i++) {
        double value;
        walk_load(&value, x->dtype, x->data, base + i * x->strides[last], 1, 1);
        if (i == 0 || value > most || (isnan(value) && !isnan(most))) best = i, most = value;
    }
    a->out[task] = best;
}

struct tensor tensor_argmax(struct pool *pool, const struct tensor *x, int axis)
{
    if (axis < 0) axis += x->ndim;
    CHECK(axis >= 0 && axis < x->ndim && x->dims[axis] > 0);
    struct tensor last = tensor_view(x); /* the other axes in their order, then this one */
    for (int i = axis; i + 1 < x->ndim; i++)
        last.dims[i] = x->dims[i + 1], last.strides[i] = x->strides[i + 1];
    last.dims[x->ndim - 1] = x->dims[axis], last.strides[x->ndim - 1] = x->strides[axis];

    struct tensor out = tensor_zeros(DTYPE_I64, x->ndim - 1, last.dims);
    struct argmax a = {&last, out.data};
    CHECK(tensor_count(&out) <= INT32_MAX);
    pool_run(pool, argmax_task, &a, (int)tensor_count(&out));
    tensor_done(&last);
    return out;
}

struct tensor tensor_sum_to(struct pool *pool, const struct tensor *x, int ndim,
                            const int64_t *dims)
{
    const int more = x->ndim - ndim;
    unsigned axes = 0;
    CHECK(more >= 0);
    for (int i = 0; i < x->ndim; i++) {
        const int64_t want = i < more ? 1 : dims[i - more];
        CHECK(want == x->dims[i] || want == 1);
        if (i < more || (want == 1 && x->dims[i] != 1)) axes |= 1u << i;
    }
    if (!axes) return tensor_view(x);
    struct tensor sum = tensor_reduce(pool, TENSOR_SUM, x, axes, true);
    struct tensor out = tensor_reshape(pool, &sum, ndim, dims);
    tensor_done(&sum);
    return out;
}
