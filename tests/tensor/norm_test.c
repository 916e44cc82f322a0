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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_four_is_done_on_paper),
        cmocka_unit_test(a_large_mean_does_not_eat_the_digits),
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(gradients_are_added_to_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
