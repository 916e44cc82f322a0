#include "tensor/cross_entropy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

static void equal_logits_lose_log_v_on_paper(void **state)
{
    (void)state;
    const float logits[12] = {7, 7, 7, 7, 0, 0, 1.0986123f, -INFINITY, 1, 2, 3, 4};
    const int32_t targets[3] = {2, 2, -1};
    const float want[3] = {1.3862944f, 0.5108256f, 0}; /* log 4, log 5/3, ignored */
    const float want_d[12] = {0.5f, 0.5f, -1.5f, 0.5f, 0.4f, 0.4f, -0.8f, 0, 0, 0, 0, 0};
    float losses[3], dlogits[12];
    cross_entropy_forward(NULL, losses, logits, targets, 3, 4);
    numbers_assert_close("losses", losses, want, 3, 2e-7);
    cross_entropy_backward(NULL, dlogits, logits, targets, 2, 3, 4);
    numbers_assert_close("dlogits", dlogits, want_d, 12, 2e-7);
}

static void a_target_without_probability_is_an_infinite_loss_and_certainty_none(void **state)
{
    (void)state;
    const float logits[6] = {0, -INFINITY, 0, 500, -500, -500};
    const int32_t targets[2] = {1, 0};
    float losses[2];
    cross_entropy_forward(NULL, losses, logits, targets, 2, 3);
    assert_true(losses[0] == INFINITY);
    assert_true(losses[1] == 0);
}

struct problem {
    float *logits;
    const int32_t *targets;
    int M, V;
};

static double loss(void *context)
{
    struct problem *p = context;
    float losses[8];
    double sum = 0;
    cross_entropy_forward_plain(losses, p->logits, p->targets, p->M, p->V);
    for (int i = 0; i < p->M; i++) sum += (double)losses[i];
    return sum * 0.25;
}

static void the_gradient_agrees_with_finite_differences_and_sums_to_zero(void **state)
{
    (void)state;
    enum { M = 4, V = 37 };
    const int32_t targets[M] = {0, 36, -1, 17};
    struct problem p = {numbers_new(M * V, 1, 1), targets, M, V};
    float dlogits[M * V];
    cross_entropy_backward(NULL, dlogits, p.logits, targets, 0.25f, M, V);
    numbers_assert_gradient("dlogits", dlogits, p.logits, M * V, loss, &p);
    for (int i = 0; i < M; i++) {
        double sum = 0;
        for (int j = 0; j < V; j++) sum += (double)dlogits[i * V + j];
        assert_true(fabs(sum) < 1e-7);
    }

    float losses[M], both[M], want[M * V];
    memcpy(want, dlogits, sizeof want);
    cross_entropy_forward(NULL, losses, p.logits, targets, M, V);
    cross_entropy_both(NULL, both, p.logits, p.logits, targets, 0.25f, M, V); /* in place */
    assert_memory_equal(both, losses, sizeof both);
    assert_memory_equal(p.logits, want, sizeof want);
    free(p.logits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_logits_lose_log_v_on_paper),
        cmocka_unit_test(a_target_without_probability_is_an_infinite_loss_and_certainty_none),
        cmocka_unit_test(the_gradient_agrees_with_finite_differences_and_sums_to_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
