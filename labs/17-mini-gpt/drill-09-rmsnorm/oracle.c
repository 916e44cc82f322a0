/* RMSNorm and its gradients in float64, with the mistakes people make.
 *
 *   xhat = x / sqrt(mean(x^2) + eps)      over the C numbers of a row
 *   y    = gamma xhat
 *   d_x  = (g - xhat mean(g xhat)) / sqrt(mean(x^2) + eps)      g = gamma d_y
 *   d_gamma = sum_rows d_y xhat
 *
 * Inputs are read whatever their dtype is, so that a test can differentiate
 * solve() itself by central differences in float64.
 * Source: Zhang and Sennrich 2019 (arXiv:1910.07467), section 4. We differ: eps.
 */
#include <math.h>
#include <stdlib.h>

#include "grader/oracle.h"

enum {
    MEAN_SUBTRACTED,
    SUM_FOR_MEAN,
    EPS_OUTSIDE,
    DROPPED_PROJECTION,
    GAMMA_FORGOTTEN,
    D_GAMMA_RAW,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [MEAN_SUBTRACTED] = {.name = "mean-subtracted"},
    [SUM_FOR_MEAN] = {.name = "sum-for-mean"},
    [EPS_OUTSIDE] = {.name = "eps-outside"},
    [DROPPED_PROJECTION] = {.name = "dropped-projection"},
    [GAMMA_FORGOTTEN] = {.name = "gamma-forgotten"},
    [D_GAMMA_RAW] = {.name = "d-gamma-raw"},
};

enum {
    ONE_ROW,
    SEVERAL,
    FRESH,
    SQUARE,
    TALL,
    WIDE,
    LARGE_EPS,
    TINY,
    ZERO,
    ONE_CHANNEL,
    FAR_MEAN,
    PLAIN,
    STRETCHED,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [ONE_ROW] = {N_("one row"), CASE_NUMBERS, true},
    [SEVERAL] = {N_("several rows"), CASE_NUMBERS, true},
    [FRESH] = {N_("gamma one"), CASE_NUMBERS, true},
    [SQUARE] = {N_("as many rows as channels"), CASE_NUMBERS, false},
    [TALL] = {N_("more rows than channels"), CASE_NUMBERS, false},
    [WIDE] = {N_("wide rows"), CASE_NUMBERS, false},
    [LARGE_EPS] = {N_("a large eps"), CASE_NUMBERS, false},
    [TINY] = {N_("tiny rows"), CASE_EDGE, false},
    [ZERO] = {N_("rows of zeros"), CASE_EDGE, false},
    [ONE_CHANNEL] = {N_("one channel"), CASE_EDGE, false},
    [FAR_MEAN] = {N_("a mean far from zero"), CASE_EDGE, false},
    [PLAIN] = {N_("a stretch, before"), CASE_PROPERTY, false},
    [STRETCHED] = {N_("a stretch, after"), CASE_PROPERTY, false},
};

static float *floats(struct record *in, const char *name) { return record_find(in, name)->data; }

static void make(struct record *in, int64_t N, int64_t C, double eps, struct rng *rng)
{
    float *x = record_add_f32(in, "x", SHAPE(N, C));
    float *gamma = record_add_f32(in, "gamma", SHAPE(C));
    float *d_y = record_add_f32(in, "d_y", SHAPE(N, C));
    for (int64_t i = 0; i < N * C; i++) x[i] = (float)(0.5 + rng_normal(rng));
    for (int64_t c = 0; c < C; c++) gamma[c] = (float)(1.0 + 0.5 * rng_normal(rng));
    for (int64_t i = 0; i < N * C; i++) d_y[i] = (float)rng_normal(rng);
    record_add_real(in, "eps", eps);
}

static void scale(float *x, int64_t count, double factor)
{
    for (int64_t i = 0; i < count; i++) x[i] = (float)(factor * (double)x[i]);
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    switch (kind) {
    case ONE_ROW: make(in, 1, 8, 1e-5, rng); break;
    case SEVERAL: make(in, 4, 8, 1e-5, rng); break;
    case FRESH:
        make(in, 4, 8, 1e-5, rng);
        for (int c = 0; c < 8; c++) floats(in, "gamma")[c] = 1.0f;
        break;
    case SQUARE: make(in, 6, 6, 1e-5, rng); break;
    case TALL: make(in, 21, 5, 1e-5, rng); break;
    case WIDE: make(in, 3, 257, 1e-5, rng); break;
    case LARGE_EPS: make(in, 4, 8, 0.5, rng); break;
    case TINY: /* the mean square is about a tenth of eps; the reciprocal is 300, so d_y is small */
        make(in, 4, 8, 1e-5, rng);
        scale(floats(in, "x"), 4 * 8, 1e-3);
        scale(floats(in, "d_y"), 4 * 8, 0.01);
        break;
    case ZERO: /* the first two rows */
        make(in, 3, 8, 1e-3, rng);
        scale(floats(in, "x"), 2 * 8, 0.0);
        scale(floats(in, "d_y"), 3 * 8, 0.1);
        break;
    case ONE_CHANNEL: make(in, 6, 1, 0.1, rng); break;
    case FAR_MEAN: /* multiples of a quarter: their mean is exact in float32 */
        make(in, 4, 16, 1e-5, rng);
        for (int i = 0; i < 4 * 16; i++)
            floats(in, "x")[i] = 24.0f + 0.25f * (float)rng_between(rng, -16, 16);
        break;
    case PLAIN:
    case STRETCHED: /* the same numbers, x four times as large */
        rng_init(rng, rng->seed, PLAIN);
        make(in, 3, 8, 1e-8, rng);
        if (kind == STRETCHED) scale(floats(in, "x"), 3 * 8, 4.0);
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
    double mean = 0.0, square = 0.0;
    for (int64_t c = 0; c < C; c++) mean += x[c] / (double)C;
    if (!(made & 1u << MEAN_SUBTRACTED)) mean = 0.0;
    for (int64_t c = 0; c < C; c++) square += (x[c] - mean) * (x[c] - mean);
    if (!(made & 1u << SUM_FOR_MEAN)) square /= (double)C;
    const double rrms =
        made & 1u << EPS_OUTSIDE ? 1.0 / (sqrt(square) + eps) : 1.0 / sqrt(square + eps);
    for (int64_t c = 0; c < C; c++) xhat[c] = (x[c] - mean) * rrms;
    return rrms;
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t N = record_dim(in, "x", 0), C = record_dim(in, "x", 1);
    const double eps = record_real(in, "eps");
    double *x = numbers(in, "x"), *gamma = numbers(in, "gamma"), *d_y = numbers(in, "d_y");
    double *y = record_add_f64(out, "y", SHAPE(N, C));
    double *d_x = record_add_f64(out, "d_x", SHAPE(N, C));
    double *d_gamma = record_add_f64(out, "d_gamma", SHAPE(C));
    double *xhat = memory_new((size_t)C, sizeof *xhat);

    for (int64_t n = 0; n < N; n++) {
        const int64_t row = n * C;
        const double rrms = normalise(xhat, x + row, eps, C, made);
        double along = 0.0;
        for (int64_t c = 0; c < C; c++) {
            y[row + c] = gamma[c] * xhat[c];
            d_gamma[c] += d_y[row + c] * (made & 1u << D_GAMMA_RAW ? x[row + c] : xhat[c]);
            d_x[row + c] = (made & 1u << GAMMA_FORGOTTEN ? 1.0 : gamma[c]) * d_y[row + c];
            along += d_x[row + c] * xhat[c] / (double)C;
        }
        if (made & 1u << DROPPED_PROJECTION) along = 0.0;
        for (int64_t c = 0; c < C; c++) d_x[row + c] = rrms * (d_x[row + c] - xhat[c] * along);
    }
    free(x);
    free(gamma);
    free(d_y);
    free(xhat);
}

static int64_t channels(const struct record *in) { return record_dim(in, "x", 1); }

static int64_t rows(const struct record *in) { return record_dim(in, "x", 0); }

static const struct output_rule rules[] = {
    {.field = "y", .axes = "NC", .reduction = channels},
    {.field = "d_x", .axes = "NC", .gradient = true, .reduction = channels},
    {.field = "d_gamma", .axes = "C", .gradient = true, .reduction = rows},
};

/* Where eps does not matter, RMSNorm does not see a stretch of x: no gradient may point along x. */
static void judge_products(struct findings *findings, const struct case_run *run, int index)
{
    const struct array *d_x = record_find(run->out, "d_x");
    const float *x = record_f32(run->in, "x");
    const int64_t N = rows(run->in), C = channels(run->in);
    for (int64_t n = 0; n < N; n++) {
        double product = 0.0, size = 0.0;
        for (int64_t c = 0; c < C; c++) {
            const double term = array_at(d_x, n * C + c) * (double)x[n * C + c];
            product += term;
            size += fabs(term);
        }
        if (!(fabs(product) > 1e-3 * (1.0 + size))) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("row %lld: d_x . x is %.4g: a stretch of x does not change y, so the "
                      "gradient must be orthogonal to x"),
                    (long long)n, product);
        return;
    }
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    const struct record *plain = NULL, *stretched = NULL;
    int index = 0;
    for (int i = 0; i < n_runs; i++) {
        if (!runs[i].out->n_fields) continue;
        if (runs[i].kind == PLAIN) {
            plain = runs[i].out;
            judge_products(findings, &runs[i], i);
        }
        if (runs[i].kind == STRETCHED) stretched = runs[i].out, index = i;
    }
    if (!plain || !stretched) return;

    const struct array *a = record_find(plain, "y"), *b = record_find(stretched, "y");
    for (int64_t i = 0; i < array_count(a); i++) {
        if (!(fabs(array_at(a, i) - array_at(b, i)) > 1e-3)) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("with x four times as large, y[%lld,%lld] changed from %.4g to %.4g: RMSNorm "
                      "must not see a stretch"),
                    (long long)(i / 8), (long long)(i % 8), array_at(a, i), array_at(b, i));
        return;
    }
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, n, 128, 1e-5, rng);
}

const struct oracle oracle_rmsnorm = {
    .name = "rmsnorm",
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
    .speed_n = 128,
};
