#include "tensor/attention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "numbers.h"

/* One problem with all its buffers; those of q, k and v end where the last number does. */
struct problem {
    struct attention_dims dims;
    float *q, *k, *v, *out, *lse, *probs, *dout, *dq, *dk, *dv;
    size_t n_q, n_kv, n_lse;
};

static struct problem problem_new(struct attention_dims dims)
{
    struct problem p = {.dims = dims};
    p.n_q = (size_t)(dims.B * dims.T * dims.H * dims.D);
    p.n_kv = (size_t)(dims.B * dims.S * dims.KVH * dims.D);
    p.n_lse = (size_t)(dims.B * dims.H * dims.T);
    p.q = numbers_new(p.n_q, 1, 1);
    p.k = numbers_new(p.n_kv, 2, 1);
    p.v = numbers_new(p.n_kv, 3, 1);
    p.out = numbers_new(p.n_q, 4, 1);
    p.lse = numbers_new(p.n_lse, 5, 1);
    p.probs = numbers_new(p.n_lse * (size_t)dims.S, 6, 1);
    p.dout = numbers_new(p.n_q, 7, 1);
    p.dq = numbers_new(p.n_q, 8, 1);
    p.dk = numbers_new(p.n_kv, 9, 1);
    p.dv = numbers_new(p.n_kv, 10, 1);
    return p;
}

static void problem_done(struct problem *p)
{
    free(p->q), free(p->k), free(p->v), free(p->out), free(p->lse), free(p->probs);
    free(p->dout), free(p->dq), free(p->dk), free(p->dv);
}

static struct attention_view view(const float *data) { return (struct attention_view){data, 0, 0}; }
static struct attention_gradient gradient(float *data)
{
    return (struct attention_gradient){data, 0, 0};
}

static void forward(struct pool *pool, struct problem *p)
{
    attention_forward(pool, p->out, p->lse, view(p->q), view(p->k), view(p->v), &p->dims);
}

static void forward_plain(struct problem *p)
{
    attention_forward_plain(p->out, p->lse, p->probs, view(p->q), view(p->k), view(p->v), &p->dims);
}

static void backward(struct pool *pool, struct problem *p)
{
    attention_backward(pool, gradient(p->dq), gradient(p->dk), gradient(p->dv), p->dout, p->out,
                       p->lse, view(p->q), view(p->k), view(p->v), &p->dims);
}

static void two_positions_are_done_on_paper(void **state)
{
    (void)state;
    /* q = 1, keys 0 and log 3, scale 1: weights 1/4 and 3/4 for t = 1, only itself for t = 0 */
    const float q[2] = {1, 1}, k[2] = {0, 1.0986123f}, v[2] = {8, 16}, want[2] = {8, 14};
    const float want_lse[2] = {0, 1.3862944f};
    const struct attention_dims dims = {
        .B = 1, .T = 2, .S = 2, .H = 1, .KVH = 1, .D = 1, .causal = true, .scale = 1};
    float out[2], lse[2];
    attention_forward(NULL, out, lse, view(q), view(k), view(v), &dims);
    numbers_assert_close("out", out, want, 2, 2e-7);
    numbers_assert_close("lse", lse, want_lse, 2, 2e-7);
}

/* The kinds of attention there are, at odd sizes. */
static const int lengths[3] = {7, 0, 4}, firsts[3] = {2, 0, 40};
static const float slopes[6] = {0.5f, 0.25f, 0.125f, 0.0625f, 0.7f, 1};
static const struct {
    const char *name;
    struct attention_dims dims;
} kinds[] = {
    {"all", {.B = 2, .T = 5, .S = 7, .H = 3, .KVH = 3, .D = 5, .scale = 0.4f}},
    {"causal", {.B = 2, .T = 9, .S = 9, .H = 2, .KVH = 2, .D = 8, .causal = true, .scale = 0.3f}},
    {"cached", {.B = 2, .T = 3, .S = 9, .H = 4, .KVH = 2, .D = 16, .causal = true, .scale = 0.2f}},
    {"T > S", {.B = 1, .T = 6, .S = 4, .H = 2, .KVH = 1, .D = 7, .causal = true, .scale = 0.5f}},
    {"padded",
     {.B = 3,
      .T = 7,
      .S = 7,
      .H = 2,
      .KVH = 1,
      .D = 9,
      .causal = true,
      .scale = 0.3f,
      .lengths = lengths}},
    {"window",
     {.B = 1,
      .T = 9,
      .S = 11,
      .H = 2,
      .KVH = 2,
      .D = 4,
      .causal = true,
      .scale = 0.5f,
      .window = 3}},
    {"alibi",
     {.B = 1,
      .T = 5,
      .S = 8,
      .H = 6,
      .KVH = 3,
      .D = 4,
      .causal = true,
      .scale = 0.5f,
      .alibi = slopes}},
    {"alibi all",
     {.B = 1, .T = 5, .S = 5, .H = 2, .KVH = 1, .D = 4, .scale = 0.5f, .alibi = slopes}},
    {"cap",
     {.B = 1, .T = 5, .S = 5, .H = 2, .KVH = 2, .D = 6, .causal = true, .scale = 1, .cap = 1.5f}},
    {"own first",
     {.B = 3,
      .T = 4,
      .S = 9,
      .H = 2,
      .KVH = 2,
      .D = 4,
      .causal = true,
      .scale = 0.5f,
      .lengths = lengths,
      .first = firsts}},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static double loss(void *context)
{
    struct problem *p = context;
    forward_plain(p);
    return numbers_dot(p->out, p->dout, p->n_q);
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        struct problem p = problem_new(kinds[i].dims);
        char what[64];
        loss(&p);
        backward(NULL, &p);
        snprintf(what, sizeof what, "%s: dq", kinds[i].name);
        numbers_assert_gradient(what, p.dq, p.q, p.n_q, loss, &p);
        snprintf(what, sizeof what, "%s: dk", kinds[i].name);
        numbers_assert_gradient(what, p.dk, p.k, p.n_kv, loss, &p);
        snprintf(what, sizeof what, "%s: dv", kinds[i].name);
        numbers_assert_gradient(what, p.dv, p.v, p.n_kv, loss, &p);
        problem_done(&p);
    }
}

static void weights_sum_to_one_or_to_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        struct problem p = problem_new(kinds[i].dims);
        forward_plain(&p);
        for (size_t row = 0; row < p.n_lse; row++) {
            double sum = 0;
            for (int s = 0; s < p.dims.S; s++) sum += (double)p.probs[row * p.dims.S + s];
            if (p.lse[row] == -INFINITY) assert_true(sum == 0);
            else assert_true(fabs(sum - 1) < 1e-6);
        }
        problem_done(&p);
    }
}

static void a_query_never_sees_the_future(void **state)
{
    (void)state;
    enum { T = 70, D = 8 };
    struct problem p = problem_new((struct attention_dims){
        .B = 1, .T = T, .S = T, .H = 1, .KVH = 1, .D = D, .causal = true, .scale = 0.5f});
    forward(NULL, &p);
    float *before = numbers_copy(p.out, p.n_q);
    for (int cut = 1; cut < T; cut += 13) {
        for (size_t i = (size_t)cut * D; i < p.n_kv; i++) p.k[i] = p.v[i] = NAN;
        forward(NULL, &p);
        assert_memory_equal(p.out, before, (size_t)cut * D * sizeof *before);
        memcpy(p.k, before, p.n_kv * sizeof *before), memcpy(p.v, before, p.n_kv * sizeof *before);
        forward(NULL, &p);
        memcpy(before, p.out, p.n_q * sizeof *before);
    }
    free(before);
    problem_done(&p);
}

static void padding_is_not_looked_at_and_gets_no_gradient(void **state)
{
    (void)state;
    enum { B = 3, T = 7, S = 7, D = 9 };
    struct problem clean = problem_new(kinds[4].dims), dirty = problem_new(kinds[4].dims);
    for (int b = 0; b < B; b++)
        for (int s = lengths[b]; s < S; s++)
            for (int i = 0; i < D; i++)
                dirty.k[(b * S + s) * D + i] = dirty.v[(b * S + s) * D + i] = NAN;
    forward(NULL, &clean), forward(NULL, &dirty);
    assert_memory_equal(clean.out, dirty.out, clean.n_q * sizeof *clean.out);
    for (size_t i = 0; i < T * 2 * D; i++) assert_true(dirty.out[T * 2 * D + i] == 0); /* b = 1 */
    assert_true(dirty.lse[T * 2] == -INFINITY);
    backward(NULL, &clean), backward(NULL, &dirty);
    assert_memory_equal(clean.dq, dirty.dq, clean.n_q * sizeof *clean.dq);
    assert_memory_equal(clean.dk, dirty.dk, clean.n_kv * sizeof *clean.dk);
    assert_memory_equal(clean.dv, dirty.dv, clean.n_kv * sizeof *clean.dv);
    for (int b = 0; b < B; b++)
        for (int s = lengths[b]; s < S; s++)
            for (int i = 0; i < D; i++) assert_true(dirty.dk[(b * S + s) * D + i] == 0);
    problem_done(&clean), problem_done(&dirty);
}

static void one_position_at_a_time_is_the_whole_pass(void **state)
{
    (void)state;
    enum { T = 37, H = 4, KVH = 2, D = 16 };
    struct attention_dims dims = {
        .B = 1, .T = T, .S = T, .H = H, .KVH = KVH, .D = D, .causal = true, .scale = 0.25f};
    struct problem p = problem_new(dims);
    float *out = numbers_new(p.n_q, 1, 1);
    forward(NULL, &p);
    for (int t = 0; t < T; t++) {
        dims.T = 1, dims.S = t + 1;
        attention_forward(NULL, out + t * H * D, NULL, view(p.q + t * H * D), view(p.k), view(p.v),
                          &dims);
    }
    numbers_assert_close("out", out, p.out, p.n_q, 1e-6);
    free(out);
    problem_done(&p);
}

static void an_added_mask_hides_and_shifts(void **state)
{
    (void)state;
    enum { T = 6, S = 6, H = 2 };
    struct attention_dims dims = {.B = 1, .T = T, .S = S, .H = H, .KVH = 1, .D = 8, .scale = 0.4f};
    struct problem causal = problem_new(dims), masked = problem_new(dims);
    float mask[T * S];
    for (int t = 0; t < T; t++)
        for (int s = 0; s < S; s++) mask[t * S + s] = s <= t ? 0.75f : -INFINITY;
    causal.dims.causal = true;
    masked.dims.mask = mask, masked.dims.mask_row = S;
    forward(NULL, &causal), forward(NULL, &masked);
    numbers_assert_close("out", masked.out, causal.out, causal.n_q, 1e-6);
    backward(NULL, &causal), backward(NULL, &masked);
    numbers_assert_close("dq", masked.dq, causal.dq, causal.n_q, 1e-5);
    numbers_assert_close("dk", masked.dk, causal.dk, causal.n_kv, 1e-5);
    for (int h = 0; h < H * T; h++)
        assert_true(fabsf(masked.lse[h] - causal.lse[h] - 0.75f) < 1e-5f);

    for (int s = 0; s < S; s++) mask[2 * S + s] = -INFINITY; /* t = 2 sees nothing at all */
    forward(NULL, &masked), backward(NULL, &masked);
    for (int i = 0; i < H * 8; i++)
        assert_true(masked.out[2 * H * 8 + i] == 0 && masked.dq[2 * H * 8 + i] == 0);
    problem_done(&causal), problem_done(&masked);
}

static void views_into_one_buffer_are_the_same_as_three(void **state)
{
    (void)state;
    enum { B = 2, T = 11, H = 3, D = 10, C = H * D };
    struct problem p = problem_new((struct attention_dims){
        .B = B, .T = T, .S = T, .H = H, .KVH = H, .D = D, .causal = true, .scale = 0.3f});
    float *qkv = numbers_new(B * T * 3 * C, 1, 1), *dqkv = numbers_new(B * T * 3 * C, 2, 1);
    float *out = numbers_new(p.n_q, 3, 1), *lse = numbers_new(p.n_lse, 4, 1);
    for (int i = 0; i < B * T; i++) {
        memcpy(qkv + i * 3 * C, p.q + i * C, C * sizeof *qkv);
        memcpy(qkv + i * 3 * C + C, p.k + i * C, C * sizeof *qkv);
        memcpy(qkv + i * 3 * C + 2 * C, p.v + i * C, C * sizeof *qkv);
    }
    const struct attention_view q = {qkv, 3 * C, 0}, k = {qkv + C, 3 * C, 0},
                                v = {qkv + 2 * C, 3 * C, 0};
    const struct attention_gradient dq = {dqkv, 3 * C, 0}, dk = {dqkv + C, 3 * C, 0},
                                    dv = {dqkv + 2 * C, 3 * C, 0};
    forward(NULL, &p), backward(NULL, &p);
    attention_forward(NULL, out, lse, q, k, v, &p.dims);
    assert_memory_equal(out, p.out, p.n_q * sizeof *out);
    attention_backward(NULL, dq, dk, dv, p.dout, out, lse, q, k, v, &p.dims);
    for (int i = 0; i < B * T; i++) {
        assert_memory_equal(dqkv + i * 3 * C, p.dq + i * C, C * sizeof *qkv);
        assert_memory_equal(dqkv + i * 3 * C + C, p.dk + i * C, C * sizeof *qkv);
        assert_memory_equal(dqkv + i * 3 * C + 2 * C, p.dv + i * C, C * sizeof *qkv);
    }
    free(qkv), free(dqkv), free(out), free(lse);
    problem_done(&p);
}

/* Sizes that fill no vector, no tile and no block, and some that do. */
static const struct attention_dims large[] = {
    {.B = 2, .T = 64, .S = 64, .H = 2, .KVH = 2, .D = 64, .causal = true, .scale = 0.125f},
    {.B = 1, .T = 150, .S = 150, .H = 2, .KVH = 1, .D = 33, .causal = true, .scale = 0.2f},
    {.B = 1, .T = 70, .S = 203, .H = 3, .KVH = 3, .D = 20, .causal = true, .scale = 0.2f},
    {.B = 1, .T = 131, .S = 67, .H = 2, .KVH = 2, .D = 16, .causal = true, .scale = 0.2f},
    {.B = 2, .T = 65, .S = 129, .H = 8, .KVH = 2, .D = 8, .scale = 0.3f},
    {.B = 1,
     .T = 200,
     .S = 200,
     .H = 1,
     .KVH = 1,
     .D = 48,
     .causal = true,
     .scale = 0.2f,
     .window = 40},
    {.B = 3,
     .T = 40,
     .S = 90,
     .H = 4,
     .KVH = 2,
     .D = 12,
     .causal = true,
     .scale = 0.2f,
     .lengths = (const int[]){90, 1, 37},
     .alibi = slopes,
     .cap = 2},
    {.B = 3,
     .T = 1,
     .S = 300,
     .H = 4,
     .KVH = 2,
     .D = 40,
     .causal = true,
     .scale = 0.2f,
     .lengths = (const int[]){300, 0, 129},
     .alibi = slopes,
     .cap = 3},
    {.B = 2, .T = 1, .S = 150, .H = 6, .KVH = 1, .D = 64, .causal = true, .scale = 0.2f},
};
enum { LARGE = sizeof large / sizeof large[0] };

static void at_every_size_it_is_the_plain_one(void **state)
{
    (void)state;
    for (int i = 0; i < LARGE + KINDS; i++) {
        struct problem got = problem_new(i < LARGE ? large[i] : kinds[i - LARGE].dims);
        struct problem want = problem_new(got.dims);
        char what[64];
        forward(NULL, &got), forward_plain(&want);
        snprintf(what, sizeof what, "%d: out", i);
        numbers_assert_close(what, got.out, want.out, got.n_q, 2e-6);
        snprintf(what, sizeof what, "%d: lse", i);
        numbers_assert_close(what, got.lse, want.lse, got.n_lse, 1e-6);
        backward(NULL, &want);
        attention_backward_plain(gradient(got.dq), gradient(got.dk), gradient(got.dv), want.dout,
                                 want.out, want.lse, view(want.q), view(want.k), view(want.v),
                                 &want.dims);
        snprintf(what, sizeof what, "%d: dq", i);
        numbers_assert_close(what, want.dq, got.dq, got.n_q, 5e-6);
        snprintf(what, sizeof what, "%d: dk", i);
        numbers_assert_close(what, want.dk, got.dk, got.n_kv, 5e-6);
        snprintf(what, sizeof what, "%d: dv", i);
        numbers_assert_close(what, want.dv, got.dv, got.n_kv, 5e-6);
        problem_done(&got), problem_done(&want);
    }
}

/* Scores of some thousands, where exp() of anything but the difference to the largest overflows;
 * the differences are whole, so that f32 can hold them. */
static void huge_scores_do_not_overflow(void **state)
{
    (void)state;
    for (int at = 0; at < 90; at++) {
        struct problem p = problem_new(
            (struct attention_dims){.B = 1, .T = 2, .S = 90, .H = 1, .KVH = 1, .D = 2, .scale = 1});
        for (int s = 0; s < 90; s++) p.k[2 * s] = s == at ? 4000 : -4000, p.k[2 * s + 1] = 0;
        p.q[0] = 1, p.q[1] = 0, p.q[2] = -1, p.q[3] = 0;
        forward(NULL, &p);
        assert_memory_equal(p.out, p.v + 2 * at,
                            2 * sizeof *p.out); /* all of the weight is there */
        assert_true(p.lse[0] == 4000 && fabsf(p.lse[1] - (4000 + logf(89))) < 1e-3f);
        p.dims.T = 1;
        forward(NULL, &p);
        assert_memory_equal(p.out, p.v + 2 * at, 2 * sizeof *p.out);
        problem_done(&p);
    }
}

/* out, lse, dq, dk, dv one after the other */
struct run {
    struct problem p;
    float *all;
};

static void both_ways(struct pool *pool, void *context)
{
    struct run *r = context;
    struct problem *p = &r->p;
    float *to = r->all;
    forward(pool, p), backward(pool, p);
    memcpy(to, p->out, p->n_q * sizeof *to), to += p->n_q;
    memcpy(to, p->lse, p->n_lse * sizeof *to), to += p->n_lse;
    memcpy(to, p->dq, p->n_q * sizeof *to), to += p->n_q;
    memcpy(to, p->dk, p->n_kv * sizeof *to), to += p->n_kv;
    memcpy(to, p->dv, p->n_kv * sizeof *to);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    for (int i = 0; i < LARGE; i++) {
        struct run r = {problem_new(large[i]), NULL};
        const size_t n = 2 * r.p.n_q + r.p.n_lse + 2 * r.p.n_kv;
        r.all = numbers_new(n, 1, 1);
        numbers_assert_any_threads(both_ways, &r, r.all, n);
        free(r.all);
        problem_done(&r.p);
    }
}

/* Chunks of a prompt, and neighbours in the batch, change no bit of a row. */
static void a_row_does_not_depend_on_its_neighbours(void **state)
{
    (void)state;
    enum { B = 3, T = 150, H = 4, KVH = 2, D = 24, ROW = H * D };
    struct attention_dims dims = {
        .B = B, .T = T, .S = T, .H = H, .KVH = KVH, .D = D, .causal = true, .scale = 0.25f};
    struct problem p = problem_new(dims);
    float *out = numbers_new(p.n_q, 1, 1);
    forward(NULL, &p);
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t += 50) {
            const size_t q = (size_t)(b * T + t) * ROW, kv = (size_t)b * T * KVH * D;
            dims.B = 1, dims.T = 50, dims.S = t + 50;
            attention_forward(NULL, out + q, NULL, view(p.q + q), view(p.k + kv), view(p.v + kv),
                              &dims);
        }
    assert_memory_equal(out, p.out, p.n_q * sizeof *out);
    free(out);
    problem_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_positions_are_done_on_paper),
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(weights_sum_to_one_or_to_nothing),
        cmocka_unit_test(a_query_never_sees_the_future),
        cmocka_unit_test(padding_is_not_looked_at_and_gets_no_gradient),
        cmocka_unit_test(one_position_at_a_time_is_the_whole_pass),
        cmocka_unit_test(an_added_mask_hides_and_shifts),
        cmocka_unit_test(views_into_one_buffer_are_the_same_as_three),
        cmocka_unit_test(at_every_size_it_is_the_plain_one),
        cmocka_unit_test(huge_scores_do_not_overflow),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(a_row_does_not_depend_on_its_neighbours),
    };
    NUMBERS_RUN(tests);
}
