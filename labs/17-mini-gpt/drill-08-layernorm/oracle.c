/* LayerNorm and its gradients in float64, with the mistakes people make.
 *
 *   xhat = (x - mean) rstd       rstd = 1/sqrt(var + eps)      over the C numbers of a position
 *   y    = gamma xhat + beta
 *   d_x  = rstd (g - mean(g) - xhat mean(g xhat))              g = gamma d_y
 *   d_gamma = sum_positions d_y xhat                           d_beta = sum_positions d_y
 *
 * Inputs are read whatever their dtype is, so that a test can differentiate
 * solve() itself by central differences in float64.
 * Source: Ba, Kiros and Hinton 2016 (arXiv:1607.06450), section 3.
 */
#include <math.h>
#include <stdlib.h>

#include "grader/oracle.h"

enum {
    UNBIASED,
    EPS_OUTSIDE,
    DROPPED_MEAN,
    DROPPED_PROJECTION,
    GAMMA_FORGOTTEN,
    WRONG_AXIS,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [UNBIASED] = {.name = "unbiased-variance"},
    [EPS_OUTSIDE] = {.name = "eps-outside"},
    [DROPPED_MEAN] = {.name = "dropped-mean"},
    [DROPPED_PROJECTION] = {.name = "dropped-projection"},
    [GAMMA_FORGOTTEN] = {.name = "gamma-forgotten"},
    [WRONG_AXIS] = {.name = "wrong-axis"},
};

enum {
    ONE_POSITION,
    BATCH,
    FRESH,
    SQUARE,
    TALL,
    WIDE,
    LARGE_EPS,
    TINY,
    CONSTANT,
    ONE_CHANNEL,
    FAR_MEAN,
    PLACED,
    SHIFTED,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [ONE_POSITION] = {N_("one position"), CASE_NUMBERS, true},
    [BATCH] = {N_("a batch of sequences"), CASE_NUMBERS, true},
    [FRESH] = {N_("gamma one, beta zero"), CASE_NUMBERS, true},
    [SQUARE] = {N_("as many positions as channels"), CASE_NUMBERS, false},
    [TALL] = {N_("more positions than channels"), CASE_NUMBERS, false},
    [WIDE] = {N_("wide rows"), CASE_NUMBERS, false},
    [LARGE_EPS] = {N_("a large eps"), CASE_NUMBERS, false},
    [TINY] = {N_("rows of tiny variance"), CASE_EDGE, false},
    [CONSTANT] = {N_("constant rows"), CASE_EDGE, false},
    [ONE_CHANNEL] = {N_("one channel"), CASE_EDGE, false},
    [FAR_MEAN] = {N_("a mean far from zero"), CASE_EDGE, false},
    [PLACED] = {N_("a shift, before"), CASE_PROPERTY, false},
    [SHIFTED] = {N_("a shift, after"), CASE_PROPERTY, false},
};

static float *floats(struct record *in, const char *name) { return record_find(in, name)->data; }

static void make(struct record *in, int64_t B, int64_t T, int64_t C, double eps, struct rng *rng)
{
    float *x = record_add_f32(in, "x", SHAPE(B, T, C));
    float *gamma = record_add_f32(in, "gamma", SHAPE(C));
    float *beta = record_add_f32(in, "beta", SHAPE(C));
    float *d_y = record_add_f32(in, "d_y", SHAPE(B, T, C));
    for (int64_t i = 0; i < B * T * C; i++) x[i] = (float)(0.5 + rng_normal(rng));
    for (int64_t c = 0; c < C; c++) gamma[c] = (float)(1.0 + 0.5 * rng_normal(rng));
    for (int64_t c = 0; c < C; c++) beta[c] = (float)rng_normal(rng);
    for (int64_t i = 0; i < B * T * C; i++) d_y[i] = (float)rng_normal(rng);
    record_add_real(in, "eps", eps);
}

static void scale(float *x, int64_t count, double factor)
{
    for (int64_t i = 0; i < count; i++) x[i] = (float)(factor * (double)x[i]);
}

/* Multiples of a quarter within 4 of `mean`: their sums are exact in float32. */
static void fill_quarters(float *x, int64_t count, float mean, struct rng *rng)
{
    for (int64_t i = 0; i < count; i++) x[i] = mean + 0.25f * (float)rng_between(rng, -16, 16);
}

/* All rows but the last are constant. Their numbers have 18 bits, so that sums and means are exact
 * in float32 but squares are not: sum(x^2)/C - mean^2 is then off by a hundredth of eps and more.
 * beta is not small, so that one rounding of the mean (a factor 1/C) is nothing beside y. */
static void make_constant(struct record *in, struct rng *rng)
{
    enum { T = 4, C = 7 };
    make(in, 2, T, C, 1e-4, rng);
    float *x = floats(in, "x"), *gamma = floats(in, "gamma"), *beta = floats(in, "beta");
    for (int64_t n = 0; n < 2 * T - 1; n++) {
        const float size = (float)(2 * rng_between(rng, 3 << 14, 3 << 15) + 1) / (float)(1 << 15);
        for (int64_t c = 0; c < C; c++) x[n * C + c] = n % 2 ? -size : size;
    }
    for (int64_t c = 0; c < C; c++) {
        gamma[c] = copysignf(0.5f + 0.25f * fabsf(gamma[c]), gamma[c]);
        beta[c] = copysignf(1.0f + fabsf(beta[c]), beta[c]);
    }
    scale(floats(in, "d_y"), 2 * T * C, 0.1);
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    switch (kind) {
    case ONE_POSITION: make(in, 1, 1, 8, 1e-5, rng); break;
    case BATCH: make(in, 2, 3, 8, 1e-5, rng); break;
    case FRESH:
        make(in, 2, 3, 8, 1e-5, rng);
        for (int c = 0; c < 8; c++) floats(in, "gamma")[c] = 1.0f, floats(in, "beta")[c] = 0.0f;
        break;
    case SQUARE: make(in, 2, 3, 6, 1e-5, rng); break;
    case TALL: make(in, 3, 7, 5, 1e-5, rng); break;
    case WIDE: make(in, 1, 3, 257, 1e-5, rng); break;
    case LARGE_EPS: make(in, 2, 2, 8, 0.5, rng); break;
    case TINY: /* the variance is a tenth of eps; 1/sqrt(var + eps) is 300, so d_y is small */
        make(in, 1, 4, 8, 1e-5, rng);
        for (int i = 0; i < 4 * 8; i++) floats(in, "x")[i] -= 0.5f;
        scale(floats(in, "x"), 4 * 8, 1e-3);
        scale(floats(in, "d_y"), 4 * 8, 0.01);
        break;
    case CONSTANT: make_constant(in, rng); break;
    case ONE_CHANNEL: /* small numbers: 1/sqrt(eps) multiplies every rounding error */
        make(in, 2, 3, 1, 1e-3, rng);
        scale(floats(in, "x"), 2 * 3, 0.25);
        scale(floats(in, "d_y"), 2 * 3, 0.1);
        break;
    case FAR_MEAN:
        make(in, 1, 4, 16, 1e-5, rng);
        fill_quarters(floats(in, "x"), 4 * 16, 24.0f, rng);
        break;
    case PLACED:
    case SHIFTED: /* the same numbers, but for a shift of x */
        rng_init(rng, rng->seed, PLACED);
        make(in, 1, 3, 8, 1e-5, rng);
        fill_quarters(floats(in, "x"), 3 * 8, kind == SHIFTED ? 16.0f : 0.0f, rng);
        break;
    default: check_failed("known kind", __FILE__, __LINE__);
    }
}

static double *numbers(const struct record *in, const char *name)
{
    const struct array *array = record_find(in, name);
    const int64_t count = array_count(array);
    double *x = memory_new((size_t)count, sizeof *x);
    for (int64_t i = 0; i < count; i++) x[i] = array_at(array, i);
    return x;
}

static double normalise(double *xhat, const double *x, double eps, int64_t C, uint32_t made)
{
    double mean = 0.0, variance = 0.0;
    for (int64_t c = 0; c < C; c++) mean += x[c] / (double)C;
    for (int64_t c = 0; c < C; c++) variance += (x[c] - mean) * (x[c] - mean);
    variance /= (double)(made & 1u << UNBIASED ? C - 1 : C);
    const double rstd =
        made & 1u << EPS_OUTSIDE ? 1.0 / (sqrt(variance) + eps) : 1.0 / sqrt(variance + eps);
    for (int64_t c = 0; c < C; c++) xhat[c] = (x[c] - mean) * rstd;
    return rstd;
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t B = record_dim(in, "x", 0), T = record_dim(in, "x", 1), N = B * T;
    const int64_t C = record_dim(in, "x", 2);
    const double eps = record_real(in, "eps");
    double *x = numbers(in, "x"), *gamma = numbers(in, "gamma"), *beta = numbers(in, "beta");
    double *d_y = numbers(in, "d_y");
    double *y = record_add_f64(out, "y", SHAPE(B, T, C));
    double *d_x = record_add_f64(out, "d_x", SHAPE(B, T, C));
    double *d_gamma = record_add_f64(out, "d_gamma", SHAPE(C));
    double *d_beta = record_add_f64(out, "d_beta", SHAPE(C));
    double *xhat = memory_new((size_t)(N * C), sizeof *xhat);

    for (int64_t n = 0; n < N; n++) {
        const int64_t row = n * C;
        const double rstd = normalise(xhat + row, x + row, eps, C, made);
        double g_mean = 0.0, g_along = 0.0;
        for (int64_t c = 0; c < C; c++) {
            y[row + c] = gamma[c] * xhat[row + c] + beta[c];
            d_x[row + c] = (made & 1u << GAMMA_FORGOTTEN ? 1.0 : gamma[c]) * d_y[row + c];
            g_mean += d_x[row + c] / (double)C;
            g_along += d_x[row + c] * xhat[row + c] / (double)C;
        }
        if (made & 1u << DROPPED_MEAN) g_mean = 0.0;
        if (made & 1u << DROPPED_PROJECTION) g_along = 0.0;
        for (int64_t c = 0; c < C; c++)
            d_x[row + c] = rstd * (d_x[row + c] - g_mean - xhat[row + c] * g_along);
    }
    for (int64_t i = 0; i < N * C; i++) {
        d_gamma[made & 1u << WRONG_AXIS ? i / N : i % C] += d_y[i] * xhat[i];
        d_beta[i % C] += d_y[i];
    }
    free(x);
    free(gamma);
    free(beta);
    free(d_y);
    free(xhat);
}

static int64_t channels(const struct record *in) { return record_dim(in, "x", 2); }

static int64_t positions(const struct record *in)
{
    return record_dim(in, "x", 0) * record_dim(in, "x", 1);
}

static const struct output_rule rules[] = {
    {.field = "y", .axes = "BTC", .reduction = channels},
    {.field = "d_x", .axes = "BTC", .gradient = true, .reduction = channels},
    {.field = "d_gamma", .axes = "C", .gradient = true, .reduction = positions},
    {.field = "d_beta", .axes = "C", .gradient = true, .reduction = positions},
};

/* LayerNorm does not see a shift of x: no gradient may point along it. */
static void judge_sums(struct findings *findings, const struct case_run *run, int index)
{
    const struct array *d_x = record_find(run->out, "d_x");
    const int64_t C = record_dim(run->in, "x", 2), N = positions(run->in);
    for (int64_t n = 0; n < N; n++) {
        double sum = 0.0, size = 0.0;
        for (int64_t c = 0; c < C; c++) {
            sum += array_at(d_x, n * C + c);
            size += fabs(array_at(d_x, n * C + c));
        }
        if (!(fabs(sum) > 1e-3 * (1.0 + size))) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("the numbers of d_x at position %lld of sequence %lld sum to %.4g: a shift "
                      "of all of x does not change y, so they must sum to zero"),
                    (long long)(n % record_dim(run->in, "x", 1)),
                    (long long)(n / record_dim(run->in, "x", 1)), sum);
        return;
    }
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    const struct record *placed = NULL, *shifted = NULL;
    int index = 0;
    for (int i = 0; i < n_runs; i++) {
        if (!runs[i].out->n_fields) continue;
        if (runs[i].kind == BATCH) judge_sums(findings, &runs[i], i);
        if (runs[i].kind == PLACED) placed = runs[i].out;
        if (runs[i].kind == SHIFTED) shifted = runs[i].out, index = i;
    }
    if (!placed || !shifted) return;

    const struct array *a = record_find(placed, "y"), *b = record_find(shifted, "y");
    for (int64_t i = 0; i < array_count(a); i++) {
        if (!(fabs(array_at(a, i) - array_at(b, i)) > 1e-3)) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("adding 16 to all of x changed y at position %lld, channel %lld from %.4g to "
                      "%.4g: LayerNorm must not see a shift"),
                    (long long)(i / 8), (long long)(i % 8), array_at(a, i), array_at(b, i));
        return;
    }
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, 2, n, 128, 1e-5, rng);
}

const struct oracle oracle_layernorm = {
    .name = "layernorm",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .rules = rules,
    .n_rules = sizeof rules / sizeof rules[0],
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 64,
};
