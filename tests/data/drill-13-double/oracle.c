/* Twice a number in float64, with the mistakes of five minutes. */
#include <math.h>

#include "grader/oracle.h"

enum { TRIPLE, PLUS_TWO, ABSOLUTE, FIRST_FORGOTTEN, ZERO_WHEN_LARGE, N_MISTAKES };

static const struct mistake mistakes[N_MISTAKES] = {
    [TRIPLE] = {.name = "triple"},
    [PLUS_TWO] = {.name = "plus-two"},
    [ABSOLUTE] = {.name = "absolute"},
    [FIRST_FORGOTTEN] = {.name = "first-forgotten"},
    [ZERO_WHEN_LARGE] = {.name = "zero-when-large"},
};

enum { SMALL, LARGE, N_KINDS };

static const struct case_kind kinds[N_KINDS] = {
    [SMALL] = {"small numbers", CASE_NUMBERS, true},
    [LARGE] = {"large numbers", CASE_EDGE, false},
};

static void make(struct record *in, int64_t n, double size, struct rng *rng)
{
    float *x = record_add_f32(in, "x", SHAPE(n));
    for (int64_t i = 0; i < n; i++) x[i] = (float)(size * rng_normal(rng));
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    make(in, 32, kind == LARGE ? 300.0 : 3.0, rng);
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t N = record_dim(in, "x", 0);
    const float *x = record_f32(in, "x");
    double *y = record_add_f64(out, "y", SHAPE(N));
    for (int64_t i = 0; i < N; i++) {
        y[i] = 2.0 * (double)x[i];
        if (made & 1u << TRIPLE) y[i] = 3.0 * (double)x[i];
        if (made & 1u << PLUS_TWO) y[i] = (double)x[i] + 2.0;
        if (made & 1u << ABSOLUTE) y[i] = fabs(y[i]);
        if (made & 1u << ZERO_WHEN_LARGE && x[i] > 100.0f) y[i] = 0.0;
    }
    if (made & 1u << FIRST_FORGOTTEN) y[0] = (double)x[0];
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, n, 1.0, rng);
}

const struct oracle oracle_double = {
    .name = "double",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .make_case = make_case,
    .solve = solve,
    .make_timed = make_timed,
    .speed_n = 4096,
};
