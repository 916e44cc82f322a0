#include "tensor/tensor_math.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

static void assert_prints(struct tensor x, const char *want)
{
    struct text text = {0};
    tensor_print(&text, &x);
    assert_string_equal(text_string(&text), want);
    text_done(&text);
    tensor_done(&x);
}

/* Small whole numbers, so that every dtype holds them and sums are exact. */
static struct tensor random_tensor(struct rng *rng, enum dtype dtype, int ndim, const int64_t *dims)
{
    struct tensor x = tensor_zeros(DTYPE_F64, ndim, dims);
    for (int64_t i = 0; i < tensor_count(&x); i++)
        ((double *)x.data)[i] = (double)rng_between(rng, dtype == DTYPE_U8 ? 1 : -4, 4);
    struct tensor y = tensor_cast(NULL, &x, dtype);
    tensor_done(&x);
    return y;
}

/* A view with the axes in another order, one of them backwards. */
static struct tensor shuffled(struct rng *rng, struct tensor x)
{
    if (x.ndim == 0) return x;
    const int a = (int)rng_below(rng, x.ndim), b = (int)rng_below(rng, x.ndim);
    struct tensor t = tensor_transpose(&x, a, b);
    struct tensor y = tensor_slice(&t, a, t.dims[a] - 1, -1, -1);
    tensor_done(&x), tensor_done(&t);
    return y;
}

static double at_broadcast(const struct tensor *x, int ndim, const int64_t *index)
{
    int64_t own[TENSOR_NDIM_LIMIT];
    for (int i = 0; i < x->ndim; i++) own[i] = x->dims[i] == 1 ? 0 : index[ndim - x->ndim + i];
    return tensor_at(x, own);
}

static void index_of(int64_t *index, int64_t i, int ndim, const int64_t *dims)
{
    for (int axis = ndim - 1; axis >= 0; axis--) {
        index[axis] = i % dims[axis];
        i /= dims[axis];
    }
}

static double pair_oracle(enum tensor_pair pair, double a, double b)
{
    switch (pair) {
    case TENSOR_ADD: return a + b;
    case TENSOR_SUBTRACT: return a - b;
    case TENSOR_MULTIPLY: return a * b;
    case TENSOR_DIVIDE: return (double)(float)(a / b);
    case TENSOR_POWER: return pow(a, b);
    case TENSOR_MAXIMUM: return fmax(a, b);
    case TENSOR_MINIMUM: return fmin(a, b);
    case TENSOR_LESS: return a < b;
    case TENSOR_LESS_EQUAL: return a <= b;
    case TENSOR_EQUAL: return a == b;
    case TENSOR_NOT_EQUAL: return a != b;
    case TENSOR_PAIRS: break;
    }
    return NAN;
}

/* Random shapes that broadcast, random views, all dtypes with all dtypes. */
static void pairs_broadcast_as_an_index_says(void **state)
{
    (void)state;
    static const enum dtype kinds[] = {DTYPE_F32, DTYPE_F64, DTYPE_BF16, DTYPE_F16,
                                       DTYPE_I8,  DTYPE_I32, DTYPE_I64};
    struct rng rng;
    rng_init(&rng, 1, 0);
    for (int round = 0; round < 2000; round++) {
        int64_t dims[4], a_dims[4], b_dims[4], all[TENSOR_NDIM_LIMIT];
        const int ndim = (int)rng_between(&rng, 0, 4), a_ndim = (int)rng_between(&rng, 0, ndim);
        int all_ndim;
        for (int i = 0; i < ndim; i++) {
            dims[i] = rng_between(&rng, 1, i == ndim - 1 ? 9 : 4);
            b_dims[i] = rng_below(&rng, 3) ? dims[i] : 1;
        }
        for (int i = 0; i < a_ndim; i++)
            a_dims[i] = rng_below(&rng, 3) ? dims[ndim - a_ndim + i] : 1;
        const enum tensor_pair pair = (enum tensor_pair)rng_below(&rng, TENSOR_PAIRS);
        const bool halves = rng_below(&rng, 2);
        const enum dtype a_kind = halves ? DTYPE_F32 : kinds[rng_below(&rng, 7)];
        const enum dtype b_kind = halves ? DTYPE_F32 : kinds[rng_below(&rng, 7)];
        struct tensor a = random_tensor(&rng, a_kind, a_ndim, a_dims);
        struct tensor b = random_tensor(&rng, b_kind, ndim, b_dims);
        if (rng_below(&rng, 2)) {
            struct tensor square = random_tensor(&rng, a_kind, SHAPE(3, 3, 3));
            struct tensor other = random_tensor(&rng, b_kind, SHAPE(3, 1, 3));
            tensor_done(&a), tensor_done(&b);
            a = shuffled(&rng, square);
            b = tensor_slice(&other, 2, 2, -1, -1);
            tensor_done(&other);
        }
        struct tensor out = tensor_pair(NULL, pair, &a, &b);
        assert_true(tensor_broadcast(&all_ndim, all, &a, &b) && all_ndim == out.ndim);
        for (int64_t i = 0; i < tensor_count(&out); i++) {
            int64_t index[TENSOR_NDIM_LIMIT];
            index_of(index, i, out.ndim, out.dims);
            const double x = at_broadcast(&a, out.ndim, index),
                         y = at_broadcast(&b, out.ndim, index);
            const double got = tensor_at(&out, index), want = pair_oracle(pair, x, y);
            const double slack = out.dtype == DTYPE_BF16  ? 0x1p-8
                                 : out.dtype == DTYPE_F16 ? 0x1p-11
                                                          : 1e-7;
            if (got != want && !(isnan(got) && isnan(want)) && !(fabs(got / want - 1) <= slack))
                fail_msg("round %d, pair %d of %s and %s: %g, %g gave %g, not %g", round, (int)pair,
                         dtype_name(a.dtype), dtype_name(b.dtype), x, y, got, want);
        }
        tensor_done(&a), tensor_done(&b), tensor_done(&out);
    }
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    struct tensor a = tensor_zeros(DTYPE_F32, SHAPE(2, 3)), b = tensor_zeros(DTYPE_F32, SHAPE(2));
    int ndim;
    int64_t dims[TENSOR_NDIM_LIMIT];
    assert_false(tensor_broadcast(&ndim, dims, &a, &b));
    assert_false(tensor_matmul_fits(&a, &b));
    tensor_done(&a), tensor_done(&b);
}

static void whole_numbers_wrap_and_divide_to_floats(void **state)
{
    (void)state;
    const int32_t values[3] = {INT32_MAX, -7, 1};
    struct tensor x = tensor_from_i32(values, SHAPE(3)), two = tensor_full(2, DTYPE_I32, SCALAR);
    struct tensor small = tensor_cast(NULL, &x, DTYPE_I8);
    assert_prints(tensor_pair(NULL, TENSOR_MULTIPLY, &x, &two), "[-2, -14, 2]");
    assert_prints(tensor_pair(NULL, TENSOR_DIVIDE, &small, &two), "[-0.5, -3.5, 0.5]");
    assert_prints(tensor_map(NULL, TENSOR_ABS, &x), "[2147483647, 7, 1]");
    assert_prints(tensor_map(NULL, TENSOR_NEGATE, &x), "[-2147483647, 7, -1]");
    struct tensor big = tensor_full(0x1p53, DTYPE_F64, SCALAR),
                  whole = tensor_cast(NULL, &big, DTYPE_I64);
    struct tensor one = tensor_full(1, DTYPE_I64, SCALAR),
                  more = tensor_pair(NULL, TENSOR_ADD, &whole, &one);
    assert_true(*(int64_t *)more.data == ((int64_t)1 << 53) + 1); /* a double cannot say it */
    tensor_done(&x), tensor_done(&two), tensor_done(&small), tensor_done(&big), tensor_done(&whole);
    tensor_done(&one), tensor_done(&more);
}

static void maps_are_cs_own_functions(void **state)
{
    (void)state;
    static double (*const oracle[TENSOR_MAPS])(double) = {
        [TENSOR_ABS] = fabs,  [TENSOR_SQRT] = sqrt, [TENSOR_EXP] = exp, [TENSOR_LOG] = log,
        [TENSOR_TANH] = tanh, [TENSOR_SIN] = sin,   [TENSOR_COS] = cos,
    };
    static const enum dtype kinds[] = {DTYPE_F32, DTYPE_F64, DTYPE_BF16};
    double values[60];
    for (int i = 0; i < 60; i++) values[i] = 0.125 * (i + 1);
    struct tensor all = tensor_from_f64(values, SHAPE(3, 20));
    for (int k = 0; k < 3; k++)
        for (int map = 0; map < TENSOR_MAPS; map++) {
            struct tensor same = tensor_cast(NULL, &all, kinds[k]);
            struct tensor x = tensor_transpose(&same, 0, 1);
            struct tensor y = tensor_map(NULL, (enum tensor_map)map, &x);
            for (int64_t i = 0; i < 60; i++) {
                const int64_t index[2] = {i / 3, i % 3};
                const double in = tensor_at(&x, index), got = tensor_at(&y, index);
                double want = map == TENSOR_NEGATE ? -in : 1 / (1 + exp(-in));
                if (oracle[map]) want = oracle[map](in);
                assert_true(fabs(got - want) <= (k == 2   ? 0x1p-8
                                                 : k == 1 ? 1e-15
                                                          : 3e-7) *
                                                        fabs(want) +
                                                    1e-15);
            }
            tensor_done(&same), tensor_done(&x), tensor_done(&y);
        }
    tensor_done(&all);
}

static void in_place_and_where_and_add_scaled(void **state)
{
    (void)state;
    const float values[6] = {1, -2, 3, -4, 5, -6}, row_values[3] = {10, 20, 30};
    struct tensor x = tensor_from_f32(values, SHAPE(2, 3)),
                  row = tensor_from_f32(row_values, SHAPE(3));
    struct tensor zero = tensor_full(0, DTYPE_F32, SCALAR);
    struct tensor positive = tensor_pair(NULL, TENSOR_LESS, &zero, &x);
    assert_int_equal(positive.dtype, DTYPE_BOOL);
    assert_prints(tensor_where(NULL, &positive, &x, &row), "[[1, 20, 3], [10, 5, 30]]");
    const uint64_t version = tensor_version(&x);
    tensor_pair_into(NULL, &x, TENSOR_ADD, &x, &row);
    assert_true(tensor_version(&x) > version);
    tensor_add_scaled(NULL, &x, -0.5, &row);
    assert_prints(tensor_view(&x), "[[6, 8, 18], [1, 15, 9]]");
    struct tensor t = tensor_transpose(&x, 0, 1), column = tensor_reshape(NULL, &row, SHAPE(3, 1));
    tensor_add_scaled(NULL, &t, 1, &column); /* through a view */
    assert_prints(tensor_view(&x), "[[16, 28, 48], [11, 35, 39]]");
    tensor_done(&x), tensor_done(&row), tensor_done(&zero), tensor_done(&positive);
    tensor_done(&t), tensor_done(&column);
}

static void reductions_are_the_sums_of_their_elements(void **state)
{
    (void)state;
    static const enum dtype kinds[] = {DTYPE_F32, DTYPE_F64, DTYPE_I32, DTYPE_BF16};
    struct rng rng;
    rng_init(&rng, 2, 0);
    for (int round = 0; round < 600; round++) {
        const int ndim = (int)rng_between(&rng, 0, 4);
        int64_t dims[4];
        for (int i = 0; i < ndim; i++) dims[i] = rng_between(&rng, 1, 6);
        struct tensor x = shuffled(&rng, random_tensor(&rng, kinds[round % 4], ndim, dims));
        const unsigned axes =
            rng_below(&rng, 5) ? (unsigned)rng_below(&rng, 1 << ndim) : TENSOR_ALL;
        const enum tensor_reduction kind =
            (enum tensor_reduction)rng_below(&rng, TENSOR_REDUCTIONS);
        struct tensor out = tensor_reduce(NULL, kind, &x, axes, true);
        struct tensor bare = tensor_reduce(NULL, kind, &x, axes, false);
        assert_int_equal(tensor_count(&bare), tensor_count(&out));
        for (int64_t o = 0; o < tensor_count(&out); o++) {
            int64_t index[TENSOR_NDIM_LIMIT];
            double sum = 0, most = -INFINITY, least = INFINITY, n = 0;
            index_of(index, o, out.ndim, out.dims);
            for (int64_t i = 0; i < tensor_count(&x); i++) {
                int64_t at[TENSOR_NDIM_LIMIT];
                bool mine = true;
                index_of(at, i, x.ndim, x.dims);
                for (int axis = 0; axis < x.ndim; axis++)
                    if (!(axes >> axis & 1) && at[axis] != index[axis]) mine = false;
                if (!mine) continue;
                const double value = tensor_at(&x, at);
                sum += value, n++, most = fmax(most, value), least = fmin(least, value);
            }
            const double all[] = {sum, sum / n, most, least}, got = tensor_at(&out, index);
            if (fabs(got - all[kind]) > (out.dtype == DTYPE_BF16 ? 0x1p-8 : 1e-6) * fabs(all[kind]))
                fail_msg("round %d: %g, not %g", round, got, all[kind]);
            struct tensor flat = tensor_reshape(NULL, &bare, SHAPE(-1));
            assert_true(tensor_at(&flat, &o) == got);
            tensor_done(&flat);
        }
        tensor_done(&x), tensor_done(&out), tensor_done(&bare);
    }
}

static void sums_of_nothing_and_of_nan(void **state)
{
    (void)state;
    struct tensor none = tensor_zeros(DTYPE_F32, SHAPE(2, 0));
    assert_prints(tensor_reduce(NULL, TENSOR_SUM, &none, 2, false), "[0, 0]");
    assert_prints(tensor_reduce(NULL, TENSOR_MAX, &none, 2, false), "[-inf, -inf]");
    const float values[4] = {1, NAN, 3, 2};
    struct tensor x = tensor_from_f32(values, SHAPE(2, 2));
    struct tensor most = tensor_reduce(NULL, TENSOR_MAX, &x, TENSOR_ALL, false);
    assert_true(isnan(tensor_item(&most)));
    assert_prints(tensor_argmax(NULL, &x, 1), "[1, 0]");
    assert_prints(tensor_argmax(NULL, &x, 0), "[1, 0]");
    tensor_done(&none), tensor_done(&x), tensor_done(&most);
}

/* 10^7 numbers of 0.1: in f32 one by one the sum would be off by far more. */
static void a_long_sum_loses_nothing_and_threads_change_nothing(void **state)
{
    (void)state;
    enum { N = 10000000 };
    struct tensor x = tensor_full((double)0.1f, DTYPE_F32, SHAPE(N));
    double first = 0;
    for (int threads = 1; threads <= 4; threads++) {
        struct pool *pool;
        assert_int_equal(pool_open(&pool, threads, NULL), STATUS_OK);
        struct tensor sum = tensor_reduce(pool, TENSOR_SUM, &x, TENSOR_ALL, false);
        if (threads == 1) first = tensor_item(&sum);
        assert_true(tensor_item(&sum) == first);
        tensor_done(&sum);
        pool_close(pool);
    }
    assert_true(first == (double)(float)(N * (double)0.1f));
    tensor_done(&x);
}

static void a_sum_goes_back_to_the_shape_that_was_expanded(void **state)
{
    (void)state;
    struct tensor x = tensor_full(1, DTYPE_F32, SHAPE(4, 2, 3));
    assert_prints(tensor_sum_to(NULL, &x, SHAPE(2, 1)), "[[12], [12]]");
    assert_prints(tensor_sum_to(NULL, &x, SCALAR), "24");
    struct tensor same = tensor_sum_to(NULL, &x, SHAPE(4, 2, 3));
    assert_true(same.data == x.data);
    tensor_done(&x), tensor_done(&same);
}

static void products_of_matrices_of_all_kinds(void **state)
{
    (void)state;
    static const enum dtype kinds[] = {DTYPE_F32, DTYPE_F64, DTYPE_BF16, DTYPE_I32, DTYPE_I8};
    struct rng rng;
    rng_init(&rng, 3, 0);
    for (int round = 0; round < 400; round++) {
        const int64_t M = rng_between(&rng, 1, 20), K = rng_between(&rng, 1, 30);
        const int64_t N = rng_between(&rng, 1, 40), B = rng_between(&rng, 1, 3);
        const enum dtype a_kind = kinds[rng_below(&rng, 5)], b_kind = kinds[rng_below(&rng, 5)];
        struct tensor a, b, whole;
        const int form = (int)rng_below(&rng, 5);
        if (form == 0) a = random_tensor(&rng, a_kind, SHAPE(K));
        else if (form == 1) { /* a turned one */ whole = random_tensor(&rng, a_kind, SHAPE(K, M));
            a = tensor_transpose(&whole, 0, 1);
            tensor_done(&whole);
        } else a = random_tensor(&rng, a_kind, SHAPE(B, 1, M, K));
        if (form == 2) b = random_tensor(&rng, b_kind, SHAPE(K));
        else if (form == 3) {
            whole = random_tensor(&rng, b_kind, SHAPE(2, N, K));
            b = tensor_transpose(&whole, 1, 2);
            tensor_done(&whole);
        } else b = random_tensor(&rng, b_kind, SHAPE(K, N));

        assert_true(tensor_matmul_fits(&a, &b));
        struct tensor c = tensor_matmul(NULL, &a, &b);
        const int want_ndim = form == 0 ? 1 : form == 1 ? 2 : form == 2 ? 3 : 4;
        assert_int_equal(c.ndim, want_ndim);
        for (int64_t i = 0; i < tensor_count(&c); i++) {
            int64_t at[TENSOR_NDIM_LIMIT];
            double sum = 0;
            index_of(at, i, c.ndim, c.dims);
            const int64_t m = form == 0 ? 0 : form == 2 ? at[2] : at[c.ndim - 2];
            const int64_t n = form == 2 ? 0 : at[c.ndim - 1];
            for (int64_t k = 0; k < K; k++) {
                const int64_t a_at[4] = {form == 0   ? k
                                         : form == 1 ? m
                                                     : at[0],
                                         form == 1 ? k : 0, m, k};
                const int64_t b_at[3] = {form == 3 ? at[1] : k, form == 3 ? k : n, n};
                sum += tensor_at(&a, a_at) * tensor_at(&b, b_at);
            }
            /* Whole numbers below 2^24: products and sums are exact, but for the last rounding. */
            const double got = tensor_at(&c, at);
            const double want = c.dtype == DTYPE_I8 ? (double)(int8_t)(int64_t)sum : sum;
            if (fabs(got - want) > (c.dtype == DTYPE_BF16 ? 0x1p-8 * fabs(want) : 0))
                fail_msg("round %d, form %d: %g, not %g", round, form, got, want);
        }
        tensor_done(&a), tensor_done(&b), tensor_done(&c);
    }
}

static void rows_are_gathered_scattered_and_put_together(void **state)
{
    (void)state;
    const float values[6] = {1, 2, 3, 4, 5, 6};
    const int32_t id_values[4] = {2, 0, 2, 1};
    struct tensor table = tensor_from_f32(values, SHAPE(3, 2));
    struct tensor ids = tensor_from_i32(id_values, SHAPE(2, 2));
    struct tensor rows = tensor_gather(NULL, &table, &ids);
    assert_prints(tensor_view(&rows), "[[[5, 6], [1, 2]], [[5, 6], [3, 4]]]");
    tensor_scatter_add(NULL, &table, &ids, &rows);
    assert_prints(tensor_view(&table), "[[2, 4], [6, 8], [15, 18]]");
    struct tensor t = tensor_transpose(&table, 0, 1), more = tensor_full(9, DTYPE_I32, SHAPE(2, 1));
    const struct tensor *parts[2] = {&t, &more};
    struct tensor all = tensor_concat(NULL, parts, 2, -1);
    assert_int_equal(all.dtype, DTYPE_F32);
    assert_prints(all, "[[2, 6, 15, 9], [4, 8, 18, 9]]");
    tensor_done(&table), tensor_done(&ids), tensor_done(&rows), tensor_done(&t), tensor_done(&more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_broadcast_as_an_index_says),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(whole_numbers_wrap_and_divide_to_floats),
        cmocka_unit_test(maps_are_cs_own_functions),
        cmocka_unit_test(in_place_and_where_and_add_scaled),
        cmocka_unit_test(reductions_are_the_sums_of_their_elements),
        cmocka_unit_test(sums_of_nothing_and_of_nan),
        cmocka_unit_test(a_long_sum_loses_nothing_and_threads_change_nothing),
        cmocka_unit_test(a_sum_goes_back_to_the_shape_that_was_expanded),
        cmocka_unit_test(products_of_matrices_of_all_kinds),
        cmocka_unit_test(rows_are_gathered_scattered_and_put_together),
    };
    NUMBERS_RUN(tests);
}
