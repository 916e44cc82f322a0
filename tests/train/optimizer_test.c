/* Each optimizer against its equations in double, on numbers where they can be followed. */
#include "train/optimizer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/text.h"
#include "tensor/cpu.h"
#include "train/update.h"

enum { N = 77, STEPS = 10 };

static const struct optimizer_settings usual = {.kind = OPTIMIZER_ADAMW,
                                                .beta_1 = 0.9,
                                                .beta_2 = 0.95,
                                                .eps = 1e-8,
                                                .momentum = 0.9,
                                                .muon_factor = 1};

/* The same in double, one number at a time. */
static void oracle(double *p, double *m, double *v, double g, int t, double rate, double decay,
                   const struct optimizer_settings *s)
{
    const double b1 = s->beta_1, b2 = s->beta_2;
    switch (s->kind) {
    case OPTIMIZER_SGD:
        g += decay * *p;
        *m = t == 1 ? g : s->momentum * *m + g;
        *p -= rate * (s->nesterov ? g + s->momentum * *m : *m);
        break;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        if (s->kind == OPTIMIZER_ADAM) g += decay * *p;
        else *p -= rate * decay * *p;
        *m = b1 * *m + (1 - b1) * g;
        *v = b2 * *v + (1 - b2) * g * g;
        *p -= rate * (*m / (1 - pow(b1, t))) / (sqrt(*v / (1 - pow(b2, t))) + s->eps);
        break;
    case OPTIMIZER_LION: {
        const double mix = b1 * *m + (1 - b1) * g;
        *p -= rate * decay * *p;
        *p -= rate * ((mix > 0) - (mix < 0));
        *m = b2 * *m + (1 - b2) * g;
        break;
    }
    default: fail();
    }
}

static void follow(struct optimizer_settings settings, double rate, double tolerance)
{
    const struct optimizer_group groups[] = {
        {.offset = 0, .count = 40, .rate = 1, .decay = 0.1},
        {.offset = 40, .count = N - 40, .rate = 0.5, .decay = 0},
    };
    struct optimizer optimizer;
    struct error err;
    struct rng rng;
    float p[N], g[N];
    double right[N], m[N] = {0}, v[N] = {0};
    rng_init(&rng, 1, 2);
    assert_int_equal(optimizer_init(&optimizer, &settings, groups, 2, &err), STATUS_OK);
    for (int i = 0; i < N; i++) right[i] = (double)(p[i] = (float)rng_normal(&rng));
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < N; i++) g[i] = (float)rng_normal(&rng);
        for (int i = 0; i < N; i++)
            oracle(&right[i], &m[i], &v[i], 0.5 * (double)g[i], t, rate * (i < 40 ? 1 : 0.5),
                   i < 40 ? 0.1 : 0, &settings);
        optimizer_update(&optimizer, p, g, rate, 0.5, NULL);
    }
    for (int i = 0; i < N; i++)
        if (fabs((double)p[i] - right[i]) > tolerance)
            fail_msg("%s: p[%d] is %.9g, not %.9g", optimizer_names[settings.kind], i, p[i],
                     right[i]);
    optimizer_done(&optimizer);
}

static void each_follows_its_equations(void **state)
{
    (void)state;
    struct optimizer_settings settings = usual;
    for (int nesterov = 0; nesterov < 2; nesterov++) {
        settings.kind = OPTIMIZER_SGD;
        settings.nesterov = nesterov;
        follow(settings, 0.01, 1e-6);
    }
    for (int i = 0; i < 3; i++) {
        settings.kind = (enum optimizer_kind[]){OPTIMIZER_ADAM, OPTIMIZER_ADAMW, OPTIMIZER_LION}[i];
        follow(settings, 0.001, 1e-6);
        follow(settings, 1, 2e-3); /* a rate that is far too high */
    }
}

/* Rosenbrock's valley: every optimizer comes near (1,1). */
static void each_goes_down_a_valley(void **state)
{
    (void)state;
    const struct optimizer_group group = {.count = 2, .rate = 1};
    const double rates[] = {2e-4, 0.02, 0.02, 1e-3};
    for (int kind = 0; kind < OPTIMIZER_MUON; kind++) {
        struct optimizer_settings settings = usual;
        struct optimizer optimizer;
        struct error err;
        float p[2] = {-1.2f, 1};
        settings.kind = (enum optimizer_kind)kind;
        assert_int_equal(optimizer_init(&optimizer, &settings, &group, 1, &err), STATUS_OK);
        for (int t = 0; t < 5000; t++) {
            const float x = p[0], y = p[1];
            float g[2] = {-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)};
            optimizer_update(&optimizer, p, g, rates[kind], 1, NULL);
        }
        if (fabsf(p[0] - 1) > 0.05f || fabsf(p[1] - 1) > 0.1f)
            fail_msg("%s ends at %g, %g", optimizer_names[kind], (double)p[0], (double)p[1]);
        optimizer_done(&optimizer);
    }
}

/* Singular values go to about 1: x x' is near the identity (Muon's coefficients stay in 0.7..1.2). */
static void newton_schulz_makes_a_matrix_nearly_orthogonal(void **state)
{
    (void)state;
    const int shapes[][2] = {{6, 11}, {11, 6}, {8, 8}, {1, 9}};
    for (int k = 0; k < 4; k++) {
        const int rows = shapes[k][0], columns = shapes[k][1];
        const int m = rows < columns ? rows : columns;
        float x[128], scratch[512];
        struct rng rng;
        rng_init(&rng, 4, (uint64_t)k);
        for (int i = 0; i < rows * columns; i++) x[i] = (float)rng_normal(&rng);
        optimizer_orthogonalize(x, rows, columns, scratch, NULL);
        for (int i = 0; i < m; i++) {
            double square = 0;
            for (int j = 0; j < rows * columns / m; j++) {
                const float e = rows <= columns ? x[i * columns + j] : x[j * columns + i];
                square += (double)e * (double)e;
            }
            assert_true(square > 0.3 && square < 1.6);
        }
        double all = 0; /* the sum of squares is the sum of squared singular values */
        for (int i = 0; i < rows * columns; i++) all += (double)x[i] * (double)x[i];
        assert_true(all > 0.45 * m && all < 1.5 * m);
    }
}

static void muon_moves_matrices_and_leaves_the_rest_to_adamw(void **state)
{
    (void)state;
    const struct optimizer_group both[] = {
        {.offset = 0, .count = 48, .rows = 6, .columns = 8, .rate = 1, .decay = 0.1},
        {.offset = 48, .count = 5, .rate = 1, .decay = 0.1},
    };
    const struct optimizer_group rest[] = {{.count = 5, .rate = 1, .decay = 0.1}};
    struct optimizer_settings settings = usual;
    struct optimizer muon, adamw;
    struct error err;
    struct rng rng;
    float p[53], g[53], h[5], q[5], before[48];
    settings.kind = OPTIMIZER_MUON;
    settings.nesterov = true;
    rng_init(&rng, 6, 0);
    assert_int_equal(optimizer_init(&muon, &settings, both, 2, &err), STATUS_OK);
    assert_int_equal(optimizer_init(&adamw, &usual, rest, 1, &err), STATUS_OK);
    for (int i = 0; i < 53; i++) p[i] = (float)rng_normal(&rng);
    memcpy(q, p + 48, sizeof q);
    for (int t = 0; t < 4; t++) {
        for (int i = 0; i < 53; i++) g[i] = (float)rng_normal(&rng);
        memcpy(before, p, sizeof before);
        memcpy(h, g + 48, sizeof h);
        optimizer_update(&muon, p, g, 0.01, 1, NULL);
        optimizer_update(&adamw, q, h, 0.01, 1, NULL);
        for (int i = 0; i < 53; i++) assert_true(g[i] == 0);
        double square = 0; /* six singular values of about 1, times the rate */
        for (int i = 0; i < 48; i++)
            square += pow(((double)p[i] - (double)before[i] * (1 - 0.001)) / 0.01, 2);
        assert_true(square > 2.5 && square < 9);
    }
    assert_memory_equal(p + 48, q, sizeof q);
    optimizer_done(&muon);
    optimizer_done(&adamw);
}

static void neither_threads_nor_instructions_change_a_bit(void **state)
{
    (void)state;
    enum { COUNT = 200003 };
    const struct optimizer_group groups[] = {
        {.count = 100000, .rate = 1, .decay = 0.1},
        {.offset = 100000, .count = COUNT - 100000, .rate = 1}};
    float *first = NULL;
    double sums[2], first_sums[2];
    for (int turn = 0; turn < 5; turn++) {
        struct optimizer optimizer;
        struct pool *pool = NULL;
        struct rng rng;
        struct error err;
        float *p = memory_new(COUNT, sizeof *p), *g = memory_new(COUNT, sizeof *g);
        cpu_limit(turn == 3 ? ISA_SCALAR : turn == 4 ? ISA_AVX2 : ISA_COUNT);
        assert_int_equal(pool_open(&pool, turn < 3 ? turn + 1 : 1, &err), STATUS_OK);
        assert_int_equal(optimizer_init(&optimizer, &usual, groups, 2, &err), STATUS_OK);
        rng_init(&rng, 8, 0);
        for (int i = 0; i < COUNT; i++) p[i] = (float)rng_normal(&rng);
        for (int i = 0; i < COUNT; i++) g[i] = (float)rng_normal(&rng);
        optimizer_square_sums(&optimizer, sums, g, pool);
        double plain = 0;
        for (int i = 0; i < 100000; i++) plain += (double)g[i] * (double)g[i];
        for (int t = 0; t < 3; t++) {
            optimizer_update(&optimizer, p, g, 0.01, 0.7, pool);
            for (int i = 0; i < COUNT; i++) g[i] = (float)rng_normal(&rng);
        }
        if (!first) {
            first = p;
            memcpy(first_sums, sums, sizeof sums);
            assert_true(fabs(sums[0] - plain) < 1e-9 * plain);
        } else {
            assert_memory_equal(p, first, COUNT * sizeof *p);
            assert_memory_equal(sums, first_sums, sizeof sums);
            free(p);
        }
        free(g);
        optimizer_done(&optimizer);
        pool_close(pool);
    }
    cpu_limit(ISA_COUNT);
    free(first);
}

static void settings_outside_their_bounds_are_refused(void **state)
{
    (void)state;
    const struct optimizer_group group = {.count = 2, .rate = 1};
    struct optimizer optimizer;
    struct error err;
    struct optimizer_settings settings = usual;
    settings.beta_1 = 1;
    assert_int_equal(optimizer_init(&optimizer, &settings, &group, 1, &err), STATUS_USAGE);
    settings = usual;
    settings.eps = 0;
    assert_int_equal(optimizer_init(&optimizer, &settings, &group, 1, &err), STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_follows_its_equations),
        cmocka_unit_test(each_goes_down_a_valley),
        cmocka_unit_test(newton_schulz_makes_a_matrix_nearly_orthogonal),
        cmocka_unit_test(muon_moves_matrices_and_leaves_the_rest_to_adamw),
        cmocka_unit_test(neither_threads_nor_instructions_change_a_bit),
        cmocka_unit_test(settings_outside_their_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
