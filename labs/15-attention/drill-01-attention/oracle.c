/* Attention in float64, with the mistakes people make.
 *
 *   out[b,h,t,:] = sum_s softmax_s(q[b,h,t,:] . k[b,h,s,:] / sqrt(D)) v[b,h,s,:]
 *
 * Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.1.
 */
#include <math.h>
#include <stdlib.h>

#include "grader/oracle.h"

enum { NO_SCALE, SCALE_BY_D, MASK_AFTER, WRONG_AXIS, OFF_BY_ONE, MASKED_NAN, NO_MAX, N_MISTAKES };

static const struct mistake mistakes[N_MISTAKES] = {
    [NO_SCALE] = {.name = "no-scale"},
    [SCALE_BY_D] = {.name = "scale-by-d"},
    [MASK_AFTER] = {.name = "mask-after-softmax"},
    [WRONG_AXIS] = {.name = "wrong-softmax-axis"},
    [OFF_BY_ONE] = {.name = "off-by-one-mask"},
    [MASKED_NAN] = {.name = "masked-row-nan"},
    [NO_MAX] = {.name = "no-max-subtraction"},
};

enum {
    ONE_TOKEN,
    PLAIN,
    CAUSAL,
    PADDING,
    BOTH,
    ODD,
    WIDE,
    LARGE,
    LOUD,
    BLIND,
    BEFORE,
    AFTER,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [ONE_TOKEN] = {N_("one token"), CASE_NUMBERS, true},
    [PLAIN] = {N_("no mask"), CASE_NUMBERS, true},
    [CAUSAL] = {N_("causal mask"), CASE_NUMBERS, true},
    [PADDING] = {N_("padding mask"), CASE_NUMBERS, false},
    [BOTH] = {N_("causal and padding mask"), CASE_NUMBERS, false},
    [ODD] = {N_("odd sizes"), CASE_NUMBERS, false},
    [WIDE] = {N_("longer sequence"), CASE_NUMBERS, false},
    [LARGE] = {N_("large scores"), CASE_EDGE, false},
    [LOUD] = {N_("a hidden key with the largest score"), CASE_EDGE, false},
    [BLIND] = {N_("a query that sees no key"), CASE_EDGE, false},
    [BEFORE] = {N_("the future, before"), CASE_PROPERTY, false},
    [AFTER] = {N_("the future, changed"), CASE_PROPERTY, false},
};

static void make(struct record *in, int64_t B, int64_t H, int64_t T, int64_t D, bool causal,
                 double size, struct rng *rng)
{
    static const char *const names[] = {"q", "k", "v"};
    for (int n = 0; n < 3; n++) {
        float *x = record_add_f32(in, names[n], SHAPE(B, H, T, D));
        for (int64_t i = 0; i < B * H * T * D; i++)
            x[i] = (float)(rng_normal(rng) * (n < 2 ? size : 1.0));
    }
    uint8_t *mask = record_add_bool(in, "key_mask", SHAPE(B, T));
    for (int64_t i = 0; i < B * T; i++) mask[i] = 1;
    *record_add_bool(in, "causal", SCALAR) = causal;
}

static uint8_t *mask_of(struct record *in) { return record_find(in, "key_mask")->data; }

static void make_case(struct record *in, int kind, struct rng *rng)
{
    switch (kind) {
    case ONE_TOKEN: make(in, 1, 1, 1, 4, false, 1.0, rng); break;
    case PLAIN: make(in, 2, 2, 4, 8, false, 1.0, rng); break;
    case CAUSAL: make(in, 2, 2, 4, 8, true, 1.0, rng); break;
    case PADDING:
    case BOTH: /* the second sequence ends in padding, the third holds some in its middle */
        make(in, 3, 2, 6, 4, kind == BOTH, 1.0, rng);
        mask_of(in)[1 * 6 + 4] = mask_of(in)[1 * 6 + 5] = mask_of(in)[2 * 6 + 2] = 0;
        break;
    case ODD: make(in, 3, 5, 7, 3, true, 1.0, rng); break;
    case WIDE: make(in, 1, 2, 48, 32, true, 1.0, rng); break;
    case LARGE: { /* scores of about 850, exact in float32 since all are whole numbers */
        make(in, 1, 2, 5, 16, true, 1.0, rng);
        float *q = record_find(in, "q")->data, *k = record_find(in, "k")->data;
        for (int i = 0; i < 1 * 2 * 5 * 16; i++) {
            q[i] = 128.0f * (float)rng_between(rng, -4, 4);
            k[i] = (float)rng_between(rng, -4, 4);
        }
        break;
    }
    case LOUD: { /* the padding scores +8000, the real keys about -8000, exact in float32 */
        make(in, 1, 2, 4, 16, false, 1.0, rng);
        float *q = record_find(in, "q")->data, *k = record_find(in, "k")->data;
        for (int i = 0; i < 2 * 4 * 16; i++) {
            q[i] = 40.0f;
            k[i] = i / 16 % 4 == 2 ? 50.0f : -50.0f + (float)(i / 16 % 4);
        }
        mask_of(in)[2] = 0;
        break;
    }
    case BLIND: /* left padding: the first queries of the first sequence see nothing */
        make(in, 2, 2, 5, 4, true, 1.0, rng);
        mask_of(in)[0] = mask_of(in)[1] = 0;
        break;
    case BEFORE:
    case AFTER: { /* the same numbers, but for the last token */
        rng_init(rng, rng->seed, BEFORE);
        make(in, 1, 2, 6, 4, true, 1.0, rng);
        if (kind == BEFORE) break;
        float *k = record_find(in, "k")->data, *v = record_find(in, "v")->data;
        for (int h = 0; h < 2; h++)
            for (int i = 0; i < 4; i++) {
                k[(h * 6 + 5) * 4 + i] += 3.0f;
                v[(h * 6 + 5) * 4 + i] -= 5.0f;
            }
        break;
    }
    default: check_failed("a known kind", __FILE__, __LINE__);
    }
}

/* exp as a float32 program sees it: infinite above, zero below */
static double exp_f32(double x) { return x > 88.72 ? INFINITY : x < -103.97 ? 0.0 : exp(x); }

static void softmax(double *x, int64_t n, int64_t step, uint32_t made)
{
    double max = -INFINITY, sum = 0.0;
    for (int64_t j = 0; j < n; j++) max = fmax(max, x[j * step]);
    if (made & 1u << NO_MAX) max = 0.0;
    else if (max == -INFINITY && !(made & 1u << MASKED_NAN)) max = 0.0;
    for (int64_t j = 0; j < n; j++) sum += x[j * step] = exp_f32(x[j * step] - max);
    if (sum == 0.0 && !(made & 1u << MASKED_NAN)) sum = 1.0;
    for (int64_t j = 0; j < n; j++) x[j * step] /= sum;
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t B = record_dim(in, "q", 0), H = record_dim(in, "q", 1);
    const int64_t T = record_dim(in, "q", 2), D = record_dim(in, "q", 3);
    const float *q = record_f32(in, "q"), *k = record_f32(in, "k"), *v = record_f32(in, "v");
    const uint8_t *real = record_u8(in, "key_mask");
    const bool causal = record_int(in, "causal") != 0;
    double *result = record_add_f64(out, "out", SHAPE(B, H, T, D));
    double *weight = memory_new((size_t)(T * T), sizeof *weight);
    double scale = 1.0 / sqrt((double)D);
    if (made & 1u << NO_SCALE) scale = 1.0;
    if (made & 1u << SCALE_BY_D) scale = 1.0 / (double)D;

    for (int64_t bh = 0; bh < B * H; bh++) {
        const int64_t head = bh * T * D;
        for (int64_t t = 0; t < T; t++)
            for (int64_t s = 0; s < T; s++) {
                const int64_t last = made & 1u << OFF_BY_ONE ? t + 1 : t;
                const bool hidden = !real[bh / H * T + s] || (causal && s > last);
                double dot = 0.0;
                for (int64_t i = 0; i < D; i++)
                    dot += (double)q[head + t * D + i] * (double)k[head + s * D + i];
                weight[t * T + s] = hidden && !(made & 1u << MASK_AFTER) ? -INFINITY : scale * dot;
            }

        for (int64_t i = 0; i < T; i++)
            if (made & 1u << WRONG_AXIS) softmax(weight + i, T, T, made);
            else softmax(weight + i * T, T, 1, made);

        for (int64_t t = 0; t < T; t++)
            for (int64_t s = 0; s < T; s++) {
                const int64_t last = made & 1u << OFF_BY_ONE ? t + 1 : t;
                const bool hidden = !real[bh / H * T + s] || (causal && s > last);
                if (hidden && made & 1u << MASK_AFTER) continue;
                for (int64_t i = 0; i < D; i++)
                    result[head + t * D + i] += weight[t * T + s] * (double)v[head + s * D + i];
            }
    }
    free(weight);
}

static int64_t reduction(const struct record *in)
{
    return record_dim(in, "q", 2) + record_dim(in, "q", 3);
}

static const struct output_rule rules[] = {{.field = "out", .reduction = reduction}};

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    const struct record *before = NULL, *after = NULL;
    int index = 0;
    for (int i = 0; i < n_runs; i++) {
        if (runs[i].kind == BEFORE) before = runs[i].out;
        if (runs[i].kind == AFTER) after = runs[i].out, index = i;
    }
    if (!before || !after || !before->n_fields || !after->n_fields) return;

    const struct array *a = record_find(before, "out"), *b = record_find(after, "out");
    for (int64_t h = 0; h < 2; h++)
        for (int64_t t = 0; t < 5; t++)
            for (int64_t i = 0; i < 4; i++) {
                const int64_t at = (h * 6 + t) * 4 + i;
                if (!(fabs(array_at(a, at) - array_at(b, at)) > 1e-6)) continue;
                finding_add(findings, CASE_PROPERTY, index, NULL,
                            _("with a causal mask, changing token 5 changed the output of token "
                              "%d: a later token must never change an earlier output"),
                            (int)t);
                return;
            }
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, 2, 4, n, 32, true, 1.0, rng);
}

const struct oracle oracle_attention = {
    .name = "attention",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .rules = rules,
    .n_rules = 1,
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 64,
};
