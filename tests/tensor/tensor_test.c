#include "tensor/tensor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

/* 0, 1, 2, ... in this shape */
static struct tensor counting(enum dtype dtype, int ndim, const int64_t *dims)
{
    struct tensor x = tensor_zeros(DTYPE_F64, ndim, dims);
    for (int64_t i = 0; i < tensor_count(&x); i++) ((double *)x.data)[i] = (double)i;
    struct tensor y = tensor_cast(NULL, &x, dtype);
    tensor_done(&x);
    return y;
}

static void assert_prints(const struct tensor *x, const char *want)
{
    struct text text = {0};
    tensor_print(&text, x);
    assert_string_equal(text_string(&text), want);
    text_done(&text);
}

static void views_look_at_the_same_numbers(void **state)
{
    (void)state;
    struct tensor x = counting(DTYPE_F32, SHAPE(2, 3));
    struct tensor t = tensor_transpose(&x, 0, -1);
    assert_prints(&x, "[[0, 1, 2], [3, 4, 5]]");
    assert_prints(&t, "[[0, 3], [1, 4], [2, 5]]");
    assert_false(tensor_is_contiguous(&t));

    tensor_set(&t, (const int64_t[]){2, 1}, 50);
    assert_prints(&x, "[[0, 1, 2], [3, 4, 50]]");
    struct tensor row = tensor_select(&x, 0, 1), back = tensor_slice(&row, 0, 2, -1, -1);
    struct tensor odd = tensor_slice(&x, 1, 0, 3, 2), none = tensor_slice(&x, 1, 2, 2, 1);
    assert_prints(&row, "[3, 4, 50]");
    assert_prints(&back, "[50, 4, 3]");
    assert_prints(&odd, "[[0, 2], [3, 50]]");
    assert_int_equal(tensor_count(&none), 0);
    tensor_done(&x); /* the others still use the memory */
    assert_prints(&odd, "[[0, 2], [3, 50]]");

    struct tensor wide = tensor_insert(&row, 0), many = tensor_expand(&wide, SHAPE(2, 2, 3));
    assert_prints(&many, "[[[3, 4, 50], [3, 4, 50]], [[3, 4, 50], [3, 4, 50]]]");
    struct tensor narrow = tensor_squeeze(&wide, 0);
    assert_true(tensor_same_shape(&narrow, &row));
    const int order[2] = {1, 0};
    struct tensor turned = tensor_permute(&t, order);
    assert_prints(&turned, "[[0, 1, 2], [3, 4, 50]]");
    tensor_done(&t), tensor_done(&row), tensor_done(&back), tensor_done(&odd), tensor_done(&none);
    tensor_done(&wide), tensor_done(&many), tensor_done(&narrow), tensor_done(&turned);
    tensor_done(&turned);
}

static void a_reshape_is_a_view_where_it_can_be(void **state)
{
    (void)state;
    struct tensor x = counting(DTYPE_I32, SHAPE(2, 3, 4));
    struct tensor flat = tensor_reshape(NULL, &x, SHAPE(6, -1));
    assert_true(flat.data == x.data && flat.dims[1] == 4);

    /* [2,4,3] with the last two turned: the first axis may still be split, the others not joined */
    struct tensor t = tensor_transpose(&x, 1, 2);
    struct tensor split = tensor_reshape(NULL, &t, SHAPE(1, 2, 2, 2, 3));
    assert_true(split.data == x.data);
    assert_int_equal(tensor_at(&split, (const int64_t[]){0, 1, 1, 0, 2}), 12 + 2 + 2 * 4);
    struct tensor joined = tensor_reshape(NULL, &t, SHAPE(24));
    assert_true(joined.data != x.data);
    assert_int_equal(tensor_i32(&joined)[1], 4);
    assert_int_equal(tensor_i32(&joined)[13], 16);

    struct tensor one = tensor_full(7, DTYPE_F32, SCALAR);
    struct tensor rows = tensor_expand(&one, SHAPE(3, 2)),
                  line = tensor_reshape(NULL, &rows, SHAPE(6));
    assert_true(line.data == one.data); /* a stride of 0 stays one */
    assert_prints(&line, "[7, 7, 7, 7, 7, 7]");
    struct tensor empty = tensor_zeros(DTYPE_F32, SHAPE(0, 3)),
                  still = tensor_reshape(NULL, &empty, SHAPE(3, 0, 5));
    assert_int_equal(tensor_count(&still), 0);
    tensor_done(&x), tensor_done(&flat), tensor_done(&t), tensor_done(&split), tensor_done(&joined);
    tensor_done(&one), tensor_done(&rows), tensor_done(&line), tensor_done(&empty),
        tensor_done(&still);
}

/* Against index arithmetic, on views of views made at random. */
static void random_views_reshape_and_copy_alike(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5, 0);
    for (int round = 0; round < 300; round++) {
        int64_t dims[4];
        for (int i = 0; i < 4; i++) dims[i] = rng_between(&rng, 1, 4);
        struct tensor x = counting(round % 2 ? DTYPE_F64 : DTYPE_I64, 4, dims);
        for (int step = 0; step < 4; step++) {
            const int axis = (int)rng_below(&rng, x.ndim);
            struct tensor next;
            switch (rng_below(&rng, 4)) {
            case 0: next = tensor_transpose(&x, axis, (int)rng_below(&rng, x.ndim)); break;
            case 1: next = tensor_slice(&x, axis, x.dims[axis] - 1, -1, -1); break;
            case 2: next = tensor_slice(&x, axis, 0, x.dims[axis], 2); break;
            default: next = x.ndim < 6 ? tensor_insert(&x, axis) : tensor_view(&x);
            }
            tensor_done(&x);
            x = next;
        }
        struct tensor copy = tensor_copy(NULL, &x);
        struct tensor flat = tensor_reshape(NULL, &x, SHAPE(-1));
        struct tensor again = tensor_reshape(NULL, &flat, x.ndim, x.dims);
        assert_true(tensor_is_contiguous(&copy) && tensor_same_shape(&again, &x));
        for (int64_t i = 0; i < tensor_count(&x); i++) {
            int64_t index[TENSOR_NDIM_LIMIT], rest = i;
            for (int axis = x.ndim - 1; axis >= 0; axis--) {
                index[axis] = rest % x.dims[axis];
                rest /= x.dims[axis];
            }
            const double want = tensor_at(&x, index);
            assert_true(tensor_at(&copy, index) == want && tensor_at(&again, index) == want);
            assert_true(tensor_at(&flat, &i) == want);
        }
        tensor_done(&x), tensor_done(&copy), tensor_done(&flat), tensor_done(&again);
    }
}

static void casts_round_limit_and_keep_nan(void **state)
{
    (void)state;
    const double values[8] = {1.5, -2.7, 300, -1e30, NAN, 0, 65519.9, 1 + 0x1p-8 + 0x1p-40};
    struct tensor x = tensor_from_f64(values, SHAPE(8));
    static const struct {
        enum dtype dtype;
        double want[8];
    } cases[] = {
        {DTYPE_I8, {1, -2, 127, -128, 0, 0, 127, 1}},
        {DTYPE_U8, {1, 0, 255, 0, 0, 0, 255, 1}},
        {DTYPE_I32, {1, -2, 300, INT32_MIN, 0, 0, 65519, 1}},
        {DTYPE_BOOL, {1, 1, 1, 1, 1, 0, 1, 1}},
        /* the last is just above half way between two bf16: by way of f32 it would look like a tie */
        {DTYPE_BF16, {1.5, -2.703125, 300, -1.0002e30, NAN, 0, 65536, 1.0078125}},
        {DTYPE_F16, {1.5, -2.69921875, 300, -INFINITY, NAN, 0, 65504, 1.00390625}},
        {DTYPE_F32, {1.5, -2.7000000477, 300, -1e30, NAN, 0, 65519.8984375, 1.00390625}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct tensor y = tensor_cast(NULL, &x, cases[c].dtype);
        for (int64_t i = 0; i < 8; i++) {
            const double got = tensor_at(&y, &i), want = cases[c].want[i];
            if (!(got == want || (isnan(got) && isnan(want)) || fabs(got / want - 1) < 1e-3))
                fail_msg("%s [%d]: %g, not %g", dtype_name(cases[c].dtype), (int)i, got, want);
            if (i == 7) assert_true(got == want);
        }
        tensor_done(&y);
    }
    tensor_done(&x);
}

static void dtypes_promote_as_the_header_says(void **state)
{
    (void)state;
    assert_int_equal(dtype_promote(DTYPE_F32, DTYPE_F64), DTYPE_F64);
    assert_int_equal(dtype_promote(DTYPE_BF16, DTYPE_F16), DTYPE_F32);
    assert_int_equal(dtype_promote(DTYPE_BF16, DTYPE_I64), DTYPE_BF16);
    assert_int_equal(dtype_promote(DTYPE_U8, DTYPE_I8), DTYPE_I32);
    assert_int_equal(dtype_promote(DTYPE_BOOL, DTYPE_U8), DTYPE_U8);
    assert_int_equal(dtype_promote(DTYPE_I32, DTYPE_I64), DTYPE_I64);
    for (int a = 0; a < DTYPE_COUNT; a++)
        for (int b = 0; b < DTYPE_COUNT; b++)
            assert_int_equal(dtype_promote((enum dtype)a, (enum dtype)b),
                             dtype_promote((enum dtype)b, (enum dtype)a));
}

static void every_write_is_seen_in_the_version(void **state)
{
    (void)state;
    struct tensor x = counting(DTYPE_F32, SHAPE(4)), y = tensor_slice(&x, 0, 1, 3, 1);
    const uint64_t before = tensor_version(&x);
    tensor_fill(NULL, &y, 9);
    assert_true(tensor_version(&x) > before);
    assert_prints(&x, "[0, 9, 9, 3]");
    float mine[2] = {5, 6};
    struct tensor borrowed = tensor_borrow(mine, DTYPE_F32, SHAPE(2));
    tensor_assign(NULL, &y, &borrowed);
    tensor_fill(NULL, &borrowed, 1);
    assert_prints(&x, "[0, 5, 6, 3]");
    assert_true(mine[0] == 1 && mine[1] == 1);
    tensor_done(&x), tensor_done(&y), tensor_done(&borrowed);
}

static void what_it_is_can_be_read(void **state)
{
    (void)state;
    struct text text = {0};
    struct tensor x = counting(DTYPE_BF16, SHAPE(2, 10));
    tensor_describe(&text, &x);
    assert_string_equal(text_string(&text), "bfloat16[2,10]");
    assert_prints(&x, "[[0, 1, 2, ..., 7, 8, 9], [10, 11, 12, ..., 17, 18, 19]]");
    text_done(&text);
    tensor_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_look_at_the_same_numbers),
        cmocka_unit_test(a_reshape_is_a_view_where_it_can_be),
        cmocka_unit_test(random_views_reshape_and_copy_alike),
        cmocka_unit_test(casts_round_limit_and_keep_nan),
        cmocka_unit_test(dtypes_promote_as_the_header_says),
        cmocka_unit_test(every_write_is_seen_in_the_version),
        cmocka_unit_test(what_it_is_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
