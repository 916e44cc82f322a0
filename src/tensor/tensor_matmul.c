/* The products of tensor_math.h: f32 through gemm.h; f64 and whole numbers by plain loops. */
#include "tensor/tensor_math.h"

#include <string.h>

#include "base/error.h"
#include "tensor/gemm.h"
#include "tensor/tensor_walk.h"

/* Both as matrices with dimensions in front; ndim and dims are what the result has of all. */
struct product {
    struct tensor a, b; /* views [batch...,M,K], [batch...,K,N], expanded to the same batch */
    int ndim;
    int64_t dims[TENSOR_NDIM_LIMIT];
    bool row, column; /* a 1 was put in for a's M, for b's N */
};

static bool batch_of(struct product *p, const struct tensor *a, const struct tensor *b)
{
    if (a->ndim < 1 || b->ndim < 1) return false;
    p->row = a->ndim == 1, p->column = b->ndim == 1;
    const int a_front = p->row ? 0 : a->ndim - 2, b_front = p->column ? 0 : b->ndim - 2;
    const int64_t a_k = a->dims[a->ndim - 1], b_k = b->dims[p->column ? 0 : b->ndim - 2];
    struct tensor x = {.ndim = a_front}, y = {.ndim = b_front}; /* only their shapes */
    memcpy(x.dims, a->dims, (size_t)a_front * sizeof x.dims[0]);
    memcpy(y.dims, b->dims, (size_t)b_front * sizeof y.dims[0]);
    if (a_k != b_k || !tensor_broadcast(&p->ndim, p->dims, &x, &y)) return false;
    if (p->ndim + 2 > TENSOR_NDIM_LIMIT) return false;
    p->dims[p->ndim++] = p->row ? 1 : a->dims[a->ndim - 2];
    p->dims[p->ndim++] = p->column ? 1 : b->dims[b->ndim - 1];
    return true;
}

bool tensor_matmul_fits(const struct tensor *a, const struct tensor *b)
{
    struct product p = {0};
    return batch_of(&p, a, b);
}

static struct tensor with_batch(const struct tensor *x, const struct product *p, int insert_at,
                                bool insert, int64_t rows, int64_t columns)
{
    int64_t dims[TENSOR_NDIM_LIMIT];
    struct tensor matrix = insert ? tensor_insert(x, insert_at) : tensor_view(x);
    memcpy(dims, p->dims, sizeof dims);
    dims[p->ndim - 2] = rows, dims[p->ndim - 1] = columns;
    struct tensor out = tensor_expand(&matrix, p->ndim, dims);
    tensor_done(&matrix);
    return out;
}

/* One result of plain loops: rows of out are shared out. */
struct plain {
    const struct tensor *a, *b, *out; /* [M,K], [K,N], [M,N] */
};

static void plain_row(void *context, int i, int worker)
{
    const struct plain *p = context;
    const int64_t K = p->a->dims[1], N = p->b->dims[1];
    const bool whole = !dtype_is_float(p->out->dtype);
    (void)worker;

    for (int64_t first = 0; first < N; first += WALK_RUN) {
        const int n = (int)(N - first < WALK_RUN ? N - first : WALK_RUN);
        double sum[WALK_RUN] = {0}, row[WALK_RUN], factor;
        int64_t sum_whole[WALK_RUN] = {0}, row_whole[WALK_RUN], factor_whole;
        for (int64_t k = 0; k < K; k++) {
            const int64_t at = i * p->a->strides[0] + k * p->a->strides[1];
            const int64_t b_at = k * p->b->strides[0] + first * p->b->strides[1];
            if (whole) {
                walk_load_whole(&factor_whole, p->a->dtype, p->a->data, at, 1, 1);
                walk_load_whole(row_whole, p->b->dtype, p->b->data, b_at, p->b->strides[1], n);
                for (int j = 0; j < n; j++)
                    sum_whole[j] = (int64_t)((uint64_t)sum_whole[j] +
                                             (uint64_t)factor_whole * (uint64_t)row_whole[j]);
            } else {
                walk_load(&factor, p->a->dtype, p->a->data, at, 1, 1);
                walk_load(row, p->b->dtype, p->b->data, b_at, p->b->strides[1], n);
                for (int j = 0; j < n; j++) sum[j] += factor * row[j];
            }
        }
        if (whole) walk_store_whole(p->out->data, p->out->dtype, i * N + first, 1, sum_whole, n);
        else walk_store(p->out->data, p->out->dtype, i * N + first, 1, sum, n);
    }
}

/* a, b and out are matrices; out is contiguous. */
static void one_product(struct pool *pool, const struct tensor *out, const struct tensor *a,
                        const struct tensor *b)
{
    const int64_t M = out->dims[0], N = out->dims[1], K = a->dims[1];
    CHECK(M <= INT32_MAX && N <= INT32_MAX && K <= INT32_MAX);
    if (out->dtype == DTYPE_F32 && a->dtype == DTYPE_F32 && b->dtype == DTYPE_F32) {
        const struct matrix left = {a->data, a->strides[0], a->strides[1]};
        const struct matrix right = {b->data, b->strides[0], b->strides[1]};
        gemm_f32(pool, out->data, N, left, right, (int)M, (int)N, (int)K, false);
        return;
    }
    struct plain plain = {a, b, out};
    pool_run(pool, plain_row, &plain, (int)M);
}

static void each_product(struct pool *pool, const struct tensor *out, const struct tensor *a,
                         const struct tensor *b)
{
    if (out->ndim == 2) {
        one_product(pool, out, a, b);
        return;
    }
    for (int64_t i = 0; i < out->dims[0]; i++) {
        struct tensor o = tensor_select(out, 0, i), x = tensor_select(a, 0, i);
        struct tensor y = tensor_select(b, 0, i);
        each_product(pool, &o, &x, &y);
        tensor_done(&o), tensor_done(&x), tensor_done(&y);
    }
}

struct tensor tensor_matmul(struct pool *pool, const struct tensor *a, const struct tensor *b)
{
    struct product p = {0};
    CHECK(batch_of(&p, a, b));
    const enum dtype dtype = dtype_promote(a->dtype, b->dtype);
    /* Short floats are widened once instead of at every use. */
    const bool wide = dtype == DTYPE_BF16 || dtype == DTYPE_F16 || dtype == DTYPE_F32;
    struct tensor a_wide = wide ? tensor_cast(pool, a, DTYPE_F32) : tensor_view(a);
    struct tensor b_wide = wide ? tensor_cast(pool, b, DTYPE_F32) : tensor_view(b);

    const int64_t K = a->dims[a->ndim - 1];
    p.a = with_batch(&a_wide, &p, 0, p.row, p.dims[p.ndim - 2], K);
    p.b = with_batch(&b_wide, &p, 1, p.column, K, p.dims[p.ndim - 1]);
    struct tensor out = tensor_zeros(wide ? DTYPE_F32 : dtype, p.ndim, p.dims);
    if (tensor_count(&out) > 0) each_product(pool, &out, &p.a, &p.b);
    tensor_touch(&out);
    tensor_done(&a_wide), tensor_done(&b_wide), tensor_done(&p.a), tensor_done(&p.b);

    for (int part = 0; part < 2; part++) {
        if (!(part ? p.row : p.column)) continue;
        struct tensor squeezed = tensor_squeeze(&out, part ? out.ndim - (p.column ? 1 : 2) : -1);
        tensor_done(&out);
        out = squeezed;
    }
    if (out.dtype == dtype) return out;
    struct tensor narrow = tensor_cast(pool, &out, dtype);
    tensor_done(&out);
    return narrow;
}
