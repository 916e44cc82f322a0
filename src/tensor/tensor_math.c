#include "tensor/tensor_math.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "tensor/elementwise_kernel.h"
#include "tensor/tensor_walk.h"

bool tensor_broadcast(int *ndim, int64_t dims[TENSOR_NDIM_LIMIT], const struct tensor *a,
                      const struct tensor *b)
{
    *ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
    for (int i = 1; i <= *ndim; i++) {
        const int64_t x = i <= a->ndim ? a->dims[a->ndim - i] : 1;
        const int64_t y = i <= b->ndim ? b->dims[b->ndim - i] : 1;
        if (x != y && x != 1 && y != 1) return false;
        dims[*ndim - i] = x == 1 ? y : x;
    }
    return true;
}

/* What is computed: out and up to three inputs, all walked together. */
struct work {
    const struct tensor *out, *in[3];
    struct walk walk;
    const struct elementwise_kernel *kernel;
    enum tensor_map map;
    enum tensor_pair pair;
    double alpha;
};

static void work_run(struct pool *pool, struct work *work, int n_in,
                     void (*run)(void *context, const int64_t *offsets, int n))
{
    walk_init(&work->walk,
              (const struct tensor *[]){work->out, work->in[0], work->in[1], work->in[2]},
              1 + n_in);
    work->kernel = elementwise_kernel();
    walk_run(pool, &work->walk, run, work);
    tensor_touch(work->out);
}

static int64_t step_of(const struct work *work, int array)
{
    return work->walk.strides[array][work->walk.ndim - 1];
}

/* n numbers of input i as they lie, or put side by side in `piece`. f32 only. */
static const float *take(const struct work *work, int i, const int64_t *offsets, int n,
                         float *piece)
{
    const float *x = (const float *)work->in[i]->data + offsets[1 + i];
    const int64_t step = step_of(work, 1 + i);
    if (step == 1) return x;
    for (int j = 0; j < n; j++) piece[j] = x[j * step];
    return piece;
}

static float *room(const struct work *work, const int64_t *offsets, float *piece)
{
    return step_of(work, 0) == 1 ? (float *)work->out->data + offsets[0] : piece;
}

static void give(const struct work *work, const int64_t *offsets, int n, const float *piece)
{
    const int64_t step = step_of(work, 0);
    float *out = (float *)work->out->data + offsets[0];
    if (step == 1) return; /* it was written in place */
    for (int j = 0; j < n; j++) out[j * step] = piece[j];
}

/* ---- maps ---- */

static double map_value(enum tensor_map map, double x)
{
    switch (map) {
    case TENSOR_NEGATE: return -x;
    case TENSOR_ABS: return fabs(x);
    case TENSOR_SQRT: return sqrt(x);
    case TENSOR_EXP: return exp(x);
    case TENSOR_LOG: return log(x);
    case TENSOR_TANH: return tanh(x);
    case TENSOR_SIGMOID: return 1 / (1 + exp(-x));
    case TENSOR_SIN: return sin(x);
    case TENSOR_COS: return cos(x);
    case TENSOR_MAPS: break;
    }
    check_failed("a known map", __FILE__, __LINE__);
}

static void map_floats(void *context, const int64_t *offsets, int n)
{
    static const int kernels[TENSOR_MAPS] = {
        [TENSOR_SQRT] = 1 + ELEMENTWISE_SQRT,       [TENSOR_EXP] = 1 + ELEMENTWISE_EXP,
        [TENSOR_LOG] = 1 + ELEMENTWISE_LOG,         [TENSOR_TANH] = 1 + ELEMENTWISE_TANH,
        [TENSOR_SIGMOID] = 1 + ELEMENTWISE_SIGMOID,
    };
    const struct work *work = context;
    float in_piece[WALK_RUN], out_piece[WALK_RUN];
    const float *x = take(work, 0, offsets, n, in_piece);
    float *out = room(work, offsets, out_piece);

    if (kernels[work->map]) work->kernel->map[kernels[work->map] - 1](out, x, (size_t)n);
    else
        for (int i = 0; i < n; i++) out[i] = (float)map_value(work->map, (double)x[i]);
    give(work, offsets, n, out);
}

static void map_doubles(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    double piece[WALK_RUN];
    walk_load(piece, work->in[0]->dtype, work->in[0]->data, offsets[1], step_of(work, 1), n);
    for (int i = 0; i < n; i++) piece[i] = map_value(work->map, piece[i]);
    walk_store(work->out->data, work->out->dtype, offsets[0], step_of(work, 0), piece, n);
}

static void map_whole(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    int64_t piece[WALK_RUN];
    walk_load_whole(piece, work->in[0]->dtype, work->in[0]->data, offsets[1], step_of(work, 1), n);
    for (int i = 0; i < n; i++)
        if (work->map == TENSOR_NEGATE || piece[i] < 0)
            piece[i] = (int64_t)(0 - (uint64_t)piece[i]);
    walk_store_whole(work->out->data, work->out->dtype, offsets[0], step_of(work, 0), piece, n);
}

struct tensor tensor_map(struct pool *pool, enum tensor_map map, const struct tensor *x)
{
    const bool whole = !dtype_is_float(x->dtype) && (map == TENSOR_NEGATE || map == TENSOR_ABS);
    const enum dtype dtype = whole || dtype_is_float(x->dtype) ? x->dtype : DTYPE_F32;
    struct tensor out = tensor_zeros(dtype, x->ndim, x->dims);
    struct work work = {.out = &out, .in = {x}, .map = map};
    work_run(pool, &work, 1, whole ? map_whole : x->dtype == DTYPE_F32 ? map_floats : map_doubles);
    return out;
}

/* ---- pairs ---- */

static double pair_value(enum tensor_pair pair, double a, double b)
{
    switch (pair) {
    case TENSOR_ADD: return a + b;
    case TENSOR_SUBTRACT: return a - b;
    case TENSOR_MULTIPLY: return a * b;
    case TENSOR_DIVIDE: return a / b;
    case TENSOR_POWER: return pow(a, b);
    case TENSOR_MAXIMUM: return isnan(a) || a > b ? a : b;
    case TENSOR_MINIMUM: return isnan(a) || a < b ? a : b;
    case TENSOR_LESS: return a < b;
    case TENSOR_LESS_EQUAL: return a <= b;
    case TENSOR_EQUAL: return a == b;
    case TENSOR_NOT_EQUAL: return a != b;
    case TENSOR_PAIRS: break;
    }
    check_failed("a known pair", __FILE__, __LINE__);
}

static int64_t pair_value_whole(enum tensor_pair pair, int64_t a, int64_t b)
{
    const uint64_t x = (uint64_t)a, y = (uint64_t)b; /* whose overflow is defined */
    switch (pair) {
    case TENSOR_ADD: return (int64_t)(x + y);
    case TENSOR_SUBTRACT: return (int64_t)(x - y);
    case TENSOR_MULTIPLY: return (int64_t)(x * y);
    case TENSOR_MAXIMUM: return a > b ? a : b;
    case TENSOR_MINIMUM: return a < b ? a : b;
    case TENSOR_LESS: return a < b;
    case TENSOR_LESS_EQUAL: return a <= b;
    case TENSOR_EQUAL: return a == b;
    case TENSOR_NOT_EQUAL: return a != b;
    case TENSOR_DIVIDE:
    case TENSOR_POWER:
    case TENSOR_PAIRS: break;
    }
    check_failed("a pair for whole numbers", __FILE__, __LINE__);
}

static void pair_floats(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    float a_piece[WALK_RUN], b_piece[WALK_RUN], out_piece[WALK_RUN];
    const float *a = take(work, 0, offsets, n, a_piece), *b = take(work, 1, offsets, n, b_piece);
    float *out = room(work, offsets, out_piece);
    work->kernel->pair[work->pair](out, a, b, (size_t)n);
    give(work, offsets, n, out);
}

static void pair_doubles(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    double a[WALK_RUN], b[WALK_RUN];
    walk_load(a, work->in[0]->dtype, work->in[0]->data, offsets[1], step_of(work, 1), n);
    walk_load(b, work->in[1]->dtype, work->in[1]->data, offsets[2], step_of(work, 2), n);
    for (int i = 0; i < n; i++) a[i] = pair_value(work->pair, a[i], b[i]);
    walk_store(work->out->data, work->out->dtype, offsets[0], step_of(work, 0), a, n);
}

static void pair_whole(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    int64_t a[WALK_RUN], b[WALK_RUN];
    walk_load_whole(a, work->in[0]->dtype, work->in[0]->data, offsets[1], step_of(work, 1), n);
    walk_load_whole(b, work->in[1]->dtype, work->in[1]->data, offsets[2], step_of(work, 2), n);
    for (int i = 0; i < n; i++) a[i] = pair_value_whole(work->pair, a[i], b[i]);
    walk_store_whole(work->out->data, work->out->dtype, offsets[0], step_of(work, 0), a, n);
}

_Static_assert(TENSOR_ADD == (int)ELEMENTWISE_ADD && TENSOR_DIVIDE == (int)ELEMENTWISE_DIVIDE,
               "pair_floats() hands the number on");

void tensor_pair_into(struct pool *pool, struct tensor *out, enum tensor_pair pair,
                      const struct tensor *a, const struct tensor *b)
{
    struct work work = {.out = out, .in = {a, b}, .pair = pair};
    const bool floats = out->dtype == DTYPE_F32 && a->dtype == DTYPE_F32 && b->dtype == DTYPE_F32;
    const bool whole = !dtype_is_float(a->dtype) && !dtype_is_float(b->dtype) &&
                       pair != TENSOR_DIVIDE && pair != TENSOR_POWER;

    CHECK(tensor_expands(a, out->ndim, out->dims) && tensor_expands(b, out->ndim, out->dims));
    if (floats && pair <= TENSOR_DIVIDE) work_run(pool, &work, 2, pair_floats);
    else work_run(pool, &work, 2, whole ? pair_whole : pair_doubles);
}

struct tensor tensor_pair(struct pool *pool, enum tensor_pair pair, const struct tensor *a,
                          const struct tensor *b)
{
    int ndim;
    int64_t dims[TENSOR_NDIM_LIMIT];
    CHECK(tensor_broadcast(&ndim, dims, a, b));
    enum dtype dtype = dtype_promote(a->dtype, b->dtype);
    if (pair >= TENSOR_LESS) dtype = DTYPE_BOOL;
    else if (!dtype_is_float(dtype) && (pair == TENSOR_DIVIDE || pair == TENSOR_POWER))
        dtype = DTYPE_F32;
    struct tensor out = tensor_zeros(dtype, ndim, dims);
    tensor_pair_into(pool, &out, pair, a, b);
    return out;
}

/* ---- y += alpha x ---- */

static void add_scaled_floats(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    float x_piece[WALK_RUN];
    const float *x = take(work, 0, offsets, n, x_piece);
    work->kernel->add_scaled((float *)work->out->data + offsets[0], (float)work->alpha, x,
                             (size_t)n);
}

static void add_scaled_doubles(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    const struct tensor *y = work->out;
    double sum[WALK_RUN], x[WALK_RUN];
    walk_load(sum, y->dtype, y->data, offsets[0], step_of(work, 0), n);
    walk_load(x, work->in[0]->dtype, work->in[0]->data, offsets[1], step_of(work, 1), n);
    for (int i = 0; i < n; i++) sum[i] += work->alpha * x[i];
    walk_store(y->data, y->dtype, offsets[0], step_of(work, 0), sum, n);
}

void tensor_add_scaled(struct pool *pool, struct tensor *y, double alpha, const struct tensor *x)
{
    struct work work = {.out = y, .in = {x}, .alpha = alpha};
    CHECK(tensor_expands(x, y->ndim, y->dims) && dtype_is_float(y->dtype));
    const bool floats = y->dtype == DTYPE_F32 && x->dtype == DTYPE_F32 && tensor_is_contiguous(y);
    work_run(pool, &work, 1, floats ? add_scaled_floats : add_scaled_doubles);
}

/* ---- where ---- */

static void where_run(void *context, const int64_t *offsets, int n)
{
    const struct work *work = context;
    const struct tensor *out = work->out;
    double condition[WALK_RUN];
    walk_load(condition, work->in[0]->dtype, work->in[0]->data, offsets[1], step_of(work, 1), n);
    if (dtype_is_float(out->dtype)) {
        double a[WALK_RUN], b[WALK_RUN];
        walk_load(a, work->in[1]->dtype, work->in[1]->data, offsets[2], step_of(work, 2), n);
        walk_load(b, work->in[2]->dtype, work->in[2]->data, offsets[3], step_of(work, 3), n);
        for (int i = 0; i < n; i++) a[i] = condition[i] != 0 ? a[i] : b[i];
        walk_store(out->data, out->dtype, offsets[0], step_of(work, 0), a, n);
    } else {
        int64_t a[WALK_RUN], b[WALK_RUN];
        walk_load_whole(a, work->in[1]->dtype, work->in[1]->data, offsets[2], step_of(work, 2), n);
        walk_load_whole(b, work->in[2]->dtype, work->in[2]->data, offsets[3], step_of(work, 3), n);
        for (int i = 0; i < n; i++) a[i] = condition[i] != 0 ? a[i] : b[i];
        walk_store_whole(out->data, out->dtype, offsets[0], step_of(work, 0), a, n);
    }
}

struct tensor tensor_where(struct pool *pool, const struct tensor *condition,
                           const struct tensor *a, const struct tensor *b)
{
    struct tensor both = {0}; /* only its shape is looked at */
    int ndim;
    int64_t dims[TENSOR_NDIM_LIMIT];
    CHECK(tensor_broadcast(&both.ndim, both.dims, a, b));
    CHECK(tensor_broadcast(&ndim, dims, &both, condition));
    struct tensor out = tensor_zeros(dtype_promote(a->dtype, b->dtype), ndim, dims);
    struct work work = {.out = &out, .in = {condition, a, b}};
    work_run(pool, &work, 3, where_run);
    return out;
}

/* ---- rows of a table ---- */

static int64_t id_at(const struct tensor *ids, int64_t i, int64_t V)
{
    CHECK(ids->dtype == DTYPE_I32 || ids->dtype == DTYPE_I64);
    const int64_t id =
        ids->dtype == DTYPE_I32 ? ((const int32_t *)ids->data)[i] : ((const int64_t *)ids->data)[i];
    CHECK(id >= 0 && id < V);
    return id;
}

static int64_t row_count(const struct tensor *table)
{
    int64_t n = 1;
    CHECK(table->ndim >= 1);
    for (int i = 1; i < table->ndim; i++) n *= table->dims[i];
    return n;
}

struct tensor tensor_gather(struct pool *pool, const struct tensor *table, const struct tensor *ids)
{
    int64_t dims[TENSOR_NDIM_LIMIT];
    const int ndim = ids->ndim + table->ndim - 1;
    const int64_t row = row_count(table);
    CHECK(ndim <= TENSOR_NDIM_LIMIT);
    for (int i = 0; i < ids->ndim; i++) dims[i] = ids->dims[i];
    for (int i = 1; i < table->ndim; i++) dims[ids->ndim + i - 1] = table->dims[i];

    struct tensor out = tensor_zeros(table->dtype, ndim, dims);
    struct tensor from = tensor_contiguous(pool, table), at = tensor_contiguous(pool, ids);
    const size_t bytes = (size_t)row * dtype_size(table->dtype);
    for (int64_t i = 0; i < tensor_count(&at); i++)
        memcpy((char *)out.data + (size_t)i * bytes,
               (const char *)from.data + (size_t)id_at(&at, i, table->dims[0]) * bytes, bytes);
    tensor_done(&from), tensor_done(&at);
    return out;
}

void tensor_scatter_add(struct pool *pool, struct tensor *table, const struct tensor *ids,
                        const struct tensor *rows)
{
    const int64_t n = tensor_count(ids);
    int64_t dims[TENSOR_NDIM_LIMIT] = {n};
    row_count(table);
    for (int i = 1; i < table->ndim; i++) dims[i] = table->dims[i];

    struct tensor at = tensor_contiguous(pool, ids);
    struct tensor all = tensor_reshape(pool, rows, table->ndim, dims);
    for (int64_t i = 0; i < n; i++) {
        struct tensor to = tensor_select(table, 0, id_at(&at, i, table->dims[0]));
        struct tensor row = tensor_select(&all, 0, i);
        tensor_pair_into(NULL, &to, TENSOR_ADD, &to, &row);
        tensor_done(&to), tensor_done(&row);
    }
    tensor_done(&at), tensor_done(&all);
}

struct tensor tensor_concat(struct pool *pool, const struct tensor *const *parts, int n, int axis)
{
    CHECK(n > 0 && parts[0]->ndim > 0);
    int64_t dims[TENSOR_NDIM_LIMIT], total = 0;
    enum dtype dtype = parts[0]->dtype;
    if (axis < 0) axis += parts[0]->ndim;
    CHECK(axis >= 0 && axis < parts[0]->ndim);
    memcpy(dims, parts[0]->dims, sizeof dims);
    for (int i = 0; i < n; i++) {
        CHECK(parts[i]->ndim == parts[0]->ndim);
        total += parts[i]->dims[axis];
        dtype = dtype_promote(dtype, parts[i]->dtype);
    }
    dims[axis] = total;

    struct tensor out = tensor_zeros(dtype, parts[0]->ndim, dims);
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        struct tensor place = tensor_slice(&out, axis, at, at + parts[i]->dims[axis], 1);
        CHECK(tensor_same_shape(&place, parts[i]));
        tensor_assign(pool, &place, parts[i]);
        at += parts[i]->dims[axis];
        tensor_done(&place);
    }
    return out;
}
