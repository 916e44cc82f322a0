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

static const int sizes[] = {1, 2, 15, 16, 17, 65, 100, 2047, 2048, 2049, 5000, 50257};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void at_every_size_it_is_the_plain_one(void **state)
{
    (void)state;
    for (int s = 0; s < SIZES; s++) {
        const int M = 5, V = sizes[s];
        const size_t n = (size_t)(M * V);
        const int32_t targets[5] = {0, V - 1, V / 2, -1, V / 3};
        float *x = numbers_new(n, 1, 3), *got = numbers_new(n, 2, 1), *want = numbers_new(n, 3, 1);
        float losses[5], wanted[5];
        x[3 * V] = NAN; /* ignored */
        cross_entropy_both(NULL, losses, got, x, targets, 0.2f, M, V);
        cross_entropy_forward_plain(wanted, x, targets, M, V);
        cross_entropy_backward_plain(want, x, targets, 0.2f, M, V);
        numbers_assert_close("losses", losses, wanted, 5, 5e-7);
        for (int i = 0; i < M; i++) /* each row by its own largest */
            if (V > 1) numbers_assert_close("dlogits", got + i * V, want + i * V, (size_t)V, 2e-6);
        free(x), free(got), free(want);
    }
}

static void what_is_not_a_number_stays_so(void **state)
{
    (void)state;
    enum { V = 5000 };
    float *x = numbers_new(V, 1, 1);
    for (int at = 0; at < V; at += 617) {
        for (int j = 0; j < V; j++) x[j] = at % 2 ? 0 : -INFINITY;
        x[at] = NAN;
        const int32_t target = at ? 0 : 1;
        float loss_here;
        cross_entropy_forward(NULL, &loss_here, x, &target, 1, V);
        assert_true(isnan(loss_here));
    }
    free(x);
}

struct run {
    struct problem p;
    float *out; /* losses [M], dlogits [M,V] */
};

static void both(struct pool *pool, void *context)
{
    struct run *r = context;
    cross_entropy_both(pool, r->out, r->out + r->p.M, r->p.logits, r->p.targets, 0.1f, r->p.M,
                       r->p.V);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    enum { M = 61, V = 1003 };
    int32_t targets[M];
    for (int i = 0; i < M; i++) targets[i] = i * 37 % V - 1;
    struct run r = {{numbers_new(M * V, 1, 1), targets, M, V}, numbers_new(M + M * V, 2, 1)};
    numbers_assert_any_threads(both, &r, r.out, M + M * V);
    free(r.p.logits), free(r.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_logits_lose_log_v_on_paper),
        cmocka_unit_test(a_target_without_probability_is_an_infinite_loss_and_certainty_none),
        cmocka_unit_test(the_gradient_agrees_with_finite_differences_and_sums_to_zero),
        cmocka_unit_test(at_every_size_it_is_the_plain_one),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(threads_do_not_change_a_bit),
    };
    NUMBERS_RUN(tests);
}
