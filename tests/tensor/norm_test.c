#include "tensor/norm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

static void a_row_of_four_is_done_on_paper(void **state)
{
    (void)state;
    /* mean 3, variance 5 (eps 4 makes the root 3); mean of squares 14, with eps 11 the root is 5 */
    const float x[4] = {0, 2, 4, 6}, weight[4] = {3, 3, 3, 6}, bias[4] = {0, 0, 1, 0};
    const float want[4] = {-3, -1, 2, 6}, want_rms[4] = {0, 1.2f, 2.4f, 7.2f};
    float out[4], mean, rstd;
    layernorm_forward(NULL, out, &mean, &rstd, x, weight, bias, 1, 4, 4);
    numbers_assert_close("layernorm", out, want, 4, 2e-7);
    assert_true(mean == 3 && rstd == 1.0f / 3);
    rmsnorm_forward(NULL, out, &rstd, x, weight, 1, 4, 11);
    numbers_assert_close("rmsnorm", out, want_rms, 4, 2e-7);
    assert_true(rstd == 0.2f);
}

static void a_large_mean_does_not_eat_the_digits(void **state)
{
    (void)state;
    enum { C = 768 };
    float x[C], near_zero[C], weight[C], out[C], want[C];
    for (int j = 0; j < C; j++) {
        near_zero[j] = (float)(j % 16) / 16;
        x[j] = near_zero[j] + 65536; /* exact: the last bit there is 1/128 */
        weight[j] = 1;
    }
    layernorm_forward(NULL, out, NULL, NULL, x, weight, NULL, 1, C, 1e-5f);
    layernorm_forward(NULL, want, NULL, NULL, near_zero, weight, NULL, 1, C, 1e-5f);
    numbers_assert_close("out", out, want, C, 1e-3); /* the mean itself is rounded to f32 inside */
}

struct problem {
    float *x, *weight, *bias, *dout, *out, *mean, *rstd;
    int M, C;
    bool rms;
};

static void problem_init(struct problem *p, int M, int C, bool rms)
{
    const size_t n = (size_t)M * (size_t)C;
    *p = (struct problem){numbers_new(n, 1, 1),
                          numbers_new((size_t)C, 2, 1),
                          numbers_new((size_t)C, 3, 1),
                          numbers_new(n, 4, 1),
                          numbers_new(n, 5, 1),
                          numbers_new((size_t)M, 6, 1),
                          numbers_new((size_t)M, 7, 1),
                          M,
                          C,
                          rms};
}

static void problem_done(struct problem *p)
{
    free(p->x), free(p->weight), free(p->bias), free(p->dout), free(p->out);
    free(p->mean), free(p->rstd);
}

static double loss(void *context)
{
    struct problem *p = context;
    if (p->rms) rmsnorm_forward_plain(p->out, p->rstd, p->x, p->weight, p->M, p->C, 1e-5f);
    else
        layernorm_forward_plain(p->out, p->mean, p->rstd, p->x, p->weight, p->bias, p->M, p->C,
                                1e-5f);
    return numbers_dot(p->out, p->dout, (size_t)(p->M * p->C));
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    enum { M = 3, C = 21 };
    for (int rms = 0; rms < 2; rms++) {
        struct problem p;
        float dx[M * C] = {0}, dweight[C] = {0}, dbias[C] = {0};
        problem_init(&p, M, C, rms);
        loss(&p);
        if (rms) rmsnorm_backward(NULL, dx, dweight, p.dout, p.x, p.weight, p.rstd, M, C);
        else
            layernorm_backward(NULL, dx, dweight, dbias, p.dout, p.x, p.weight, p.mean, p.rstd, M,
                               C);
        numbers_assert_gradient("dx", dx, p.x, M * C, loss, &p);
        numbers_assert_gradient("dweight", dweight, p.weight, C, loss, &p);
        if (!rms) numbers_assert_gradient("dbias", dbias, p.bias, C, loss, &p);
        problem_done(&p);
    }
}

static void gradients_are_added_to_what_is_there(void **state)
{
    (void)state;
    enum { M = 2, C = 20 };
    struct problem p;
    float once[M * C] = {0}, w_once[C] = {0}, b_once[C] = {0};
    float twice[M * C] = {0}, w_twice[C] = {0}, b_twice[C] = {0};
    problem_init(&p, M, C, false);
    loss(&p);
    layernorm_backward(NULL, once, w_once, b_once, p.dout, p.x, p.weight, p.mean, p.rstd, M, C);
    for (int i = 0; i < 2; i++)
        layernorm_backward(NULL, twice, w_twice, i ? b_twice : NULL, p.dout, p.x, p.weight, p.mean,
                           p.rstd, M, C);
    for (int i = 0; i < M * C; i++) assert_true(twice[i] == 2 * once[i]);
    for (int j = 0; j < C; j++) assert_true(w_twice[j] == 2 * w_once[j] && b_twice[j] == b_once[j]);
    problem_done(&p);
}

static const int sizes[] = {1, 2, 7, 8, 15, 16, 17, 33, 64, 100, 257, 768};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void at_every_size_it_is_the_plain_one(void **state)
{
    (void)state;
    for (int s = 0; s < SIZES; s++) {
        const int M = 37, C = sizes[s];
        const size_t n = (size_t)(M * C), c = (size_t)C;
        struct problem p;
        problem_init(&p, M, C, false);
        for (int rms = 0; rms < 2; rms++) {
            float *out = numbers_new(n, 8, 1), *mean = numbers_new(37, 9, 1);
            float *rstd = numbers_new(37, 10, 1), *dx = numbers_new(n, 11, 1);
            float *dx_plain = numbers_copy(dx, n), *dw = numbers_new(c, 12, 1);
            float *dw_plain = numbers_copy(dw, c), *db = numbers_new(c, 13, 1);
            float *db_plain = numbers_copy(db, c);
            p.rms = rms;
            loss(&p);
            if (rms) {
                rmsnorm_forward(NULL, out, rstd, p.x, p.weight, M, C, 1e-5f);
                rmsnorm_backward(NULL, dx, dw, p.dout, p.x, p.weight, p.rstd, M, C);
                rmsnorm_backward_plain(dx_plain, dw_plain, p.dout, p.x, p.weight, p.rstd, M, C);
            } else {
                layernorm_forward(NULL, out, mean, rstd, p.x, p.weight, p.bias, M, C, 1e-5f);
                layernorm_backward(NULL, dx, dw, db, p.dout, p.x, p.weight, p.mean, p.rstd, M, C);
                layernorm_backward_plain(dx_plain, dw_plain, db_plain, p.dout, p.x, p.weight,
                                         p.mean, p.rstd, M, C);
                numbers_assert_close("dbias", db, db_plain, c, 2e-6);
            }
            /* Two numbers in a row may nearly cancel: eps is all that holds 1 / deviation. */
            numbers_assert_close("out", out, p.out, n, C > 2 ? 2e-6 : 1e-3);
            numbers_assert_close("rstd", rstd, p.rstd, 37, 2e-6);
            numbers_assert_close("dx", dx, dx_plain, n, C > 2 ? 5e-6 : 1e-3);
            numbers_assert_close("dweight", dw, dw_plain, c, 5e-6);
            free(out), free(mean), free(rstd), free(dx), free(dx_plain);
            free(dw), free(dw_plain), free(db), free(db_plain);
        }
        problem_done(&p);
    }
}

struct gradients {
    struct problem p;
    float *all; /* dx [M,C], dweight [C], dbias [C], out [M,C] */
};

static void both_ways(struct pool *pool, void *context)
{
    struct gradients *g = context;
    struct problem *p = &g->p;
    const size_t n = (size_t)(p->M * p->C), C = (size_t)p->C;
    memset(g->all, 0, (2 * n + 2 * C) * sizeof *g->all);
    if (p->rms) {
        rmsnorm_forward(pool, g->all + n + 2 * C, p->rstd, p->x, p->weight, p->M, p->C, 1e-5f);
        rmsnorm_backward(pool, g->all, g->all + n, p->dout, p->x, p->weight, p->rstd, p->M, p->C);
    } else {
        layernorm_forward(pool, g->all + n + 2 * C, p->mean, p->rstd, p->x, p->weight, p->bias,
                          p->M, p->C, 1e-5f);
        layernorm_backward(pool, g->all, g->all + n, g->all + n + C, p->dout, p->x, p->weight,
                           p->mean, p->rstd, p->M, p->C);
    }
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    for (int rms = 0; rms < 2; rms++) {
        struct gradients g;
        problem_init(&g.p, 301, 333, rms);
        const size_t n = 2 * 301 * 333 + 2 * 333;
        g.all = numbers_new(n, 1, 1);
        numbers_assert_any_threads(both_ways, &g, g.all, n);
        free(g.all);
        problem_done(&g.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_four_is_done_on_paper),
        cmocka_unit_test(a_large_mean_does_not_eat_the_digits),
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(gradients_are_added_to_what_is_there),
        cmocka_unit_test(at_every_size_it_is_the_plain_one),
        cmocka_unit_test(threads_do_not_change_a_bit),
    };
    NUMBERS_RUN(tests);
}
