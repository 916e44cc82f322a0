/* RoPE in float64, with the mistakes people make.
 *
 *   angle = (offset + t) base^(-2i/D)       pair i of D/2, token t
 *   x' = x cos - y sin                      x, y: the numbers of a pair:
 *   y' = x sin + y cos                      interleaved 2i, 2i+1; half-split i, i + D/2
 *
 * Source: Su et al. 2021 (arXiv:2104.09864), section 3.2.2 (interleaved).
 */
#include <math.h>
#include <stdlib.h>

#include "grader/oracle.h"

enum {
    OFFSET_IGNORED,
    V_TURNED,
    LAYOUTS_SWAPPED,
    LAYOUTS_MIXED,
    WRONG_EXPONENT,
    TURNED_BACK,
    ANGLE_REPEATED,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [OFFSET_IGNORED] = {.name = "offset-ignored"},   [V_TURNED] = {.name = "v-turned"},
    [LAYOUTS_SWAPPED] = {.name = "layouts-swapped"}, [LAYOUTS_MIXED] = {.name = "layouts-mixed"},
    [WRONG_EXPONENT] = {.name = "wrong-exponent"},   [TURNED_BACK] = {.name = "turned-back"},
    [ANGLE_REPEATED] = {.name = "angle-repeated"},
};

enum {
    FIRST,
    INTERLEAVED,
    HALF_SPLIT,
    ONE_PAIR,
    DECODE,
    DECODE_HALF,
    OTHER_BASE,
    ODD,
    ODD_HALF,
    WIDE,
    LATE,
    BEYOND_TABLE,
    NEAR,
    FAR,
    NEAR_HALF,
    FAR_HALF,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [FIRST] = {N_("position 0"), CASE_NUMBERS, true},
    [INTERLEAVED] = {N_("interleaved"), CASE_NUMBERS, true},
    [HALF_SPLIT] = {N_("half-split"), CASE_NUMBERS, true},
    [ONE_PAIR] = {N_("one pair"), CASE_NUMBERS, false},
    [DECODE] = {N_("one token with an offset, interleaved"), CASE_NUMBERS, false},
    [DECODE_HALF] = {N_("several tokens with an offset, half-split"), CASE_NUMBERS, false},
    [OTHER_BASE] = {N_("another base"), CASE_NUMBERS, false},
    [ODD] = {N_("odd sizes, interleaved"), CASE_NUMBERS, false},
    [ODD_HALF] = {N_("odd sizes, half-split"), CASE_NUMBERS, false},
    [WIDE] = {N_("wide heads"), CASE_NUMBERS, false},
    [LATE] = {N_("a late position"), CASE_EDGE, false},
    [BEYOND_TABLE] = {N_("the last positions"), CASE_EDGE, false},
    [NEAR] = {N_("only the distance, interleaved"), CASE_PROPERTY, false},
    [FAR] = {N_("only the distance, interleaved, later"), CASE_PROPERTY, false},
    [NEAR_HALF] = {N_("only the distance, half-split"), CASE_PROPERTY, false},
    [FAR_HALF] = {N_("only the distance, half-split, later"), CASE_PROPERTY, false},
};

struct sizes {
    int64_t B, T, H, D;
};

static void make(struct record *in, struct sizes size, int64_t offset, bool half_split, double base,
                 struct rng *rng)
{
    const int64_t count = size.B * size.T * 3 * size.H * size.D;
    float *qkv = record_add_f32(in, "qkv", SHAPE(size.B, size.T, 3, size.H, size.D));
    for (int64_t i = 0; i < count; i++) qkv[i] = (float)rng_normal(rng);
    record_add_int(in, "offset", offset);
    record_add_real(in, "base", base);
    record_add_int(in, "half_split", half_split);
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    const double usual = 10000.0;
    switch (kind) {
    case FIRST: make(in, (struct sizes){1, 1, 2, 8}, 0, false, usual, rng); break;
    case INTERLEAVED: make(in, (struct sizes){2, 4, 2, 8}, 0, false, usual, rng); break;
    case HALF_SPLIT: make(in, (struct sizes){2, 4, 2, 8}, 0, true, usual, rng); break;
    case ONE_PAIR: make(in, (struct sizes){1, 5, 2, 2}, 2, false, usual, rng); break;
    case DECODE: make(in, (struct sizes){3, 1, 2, 8}, 17, false, usual, rng); break;
    case DECODE_HALF: make(in, (struct sizes){2, 3, 2, 8}, 9, true, usual, rng); break;
    case OTHER_BASE: make(in, (struct sizes){1, 6, 2, 8}, 0, true, 500.0, rng); break;
    case ODD:
    case ODD_HALF: make(in, (struct sizes){3, 5, 3, 6}, 1, kind == ODD_HALF, usual, rng); break;
    case WIDE: make(in, (struct sizes){1, 12, 2, 64}, 3, true, usual, rng); break;
    case LATE: make(in, (struct sizes){1, 3, 2, 4}, 1000, false, usual, rng); break;
    case BEYOND_TABLE: make(in, (struct sizes){1, 10, 2, 8}, 1090, true, usual, rng); break;
    case NEAR:
    case FAR:
    case NEAR_HALF:
    case FAR_HALF: /* the same numbers, 37 positions later */
        rng_init(rng, rng->seed, kind < NEAR_HALF ? NEAR : NEAR_HALF);
        make(in, (struct sizes){1, 5, 2, 8}, kind == FAR || kind == FAR_HALF ? 40 : 3,
             kind >= NEAR_HALF, usual, rng);
        break;
    default: check_failed("known kind", __FILE__, __LINE__);
    }
}

static void turn(double *out, const float *x, int64_t position, double base, bool half_split,
                 int64_t D, uint32_t made)
{
    const double power = made & 1u << WRONG_EXPONENT ? 1.0 : 2.0;
    const double way = made & 1u << TURNED_BACK ? -1.0 : 1.0;
    if (made & 1u << LAYOUTS_SWAPPED) half_split = !half_split;

    for (int64_t i = 0; i < D / 2; i++) {
        const int64_t first = half_split ? i : 2 * i, second = half_split ? i + D / 2 : 2 * i + 1;
        int64_t of_first = i, of_second = i; /* whose angle each number is turned by */
        if (made & 1u << ANGLE_REPEATED) {
            of_first = half_split ? first / 2 : first % (D / 2);
            of_second = half_split ? second / 2 : second % (D / 2);
        }
        const double a = (double)position * pow(base, -power * (double)of_first / (double)D);
        const double b = (double)position * pow(base, -power * (double)of_second / (double)D);
        out[first] = (double)x[first] * cos(a) - way * (double)x[second] * sin(a);
        out[second] = (double)x[second] * cos(b) + way * (double)x[first] * sin(b);
    }
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t B = record_dim(in, "qkv", 0), T = record_dim(in, "qkv", 1);
    const int64_t H = record_dim(in, "qkv", 3), D = record_dim(in, "qkv", 4);
    const float *qkv = record_f32(in, "qkv");
    const int64_t offset = made & 1u << OFFSET_IGNORED ? 0 : record_int(in, "offset");
    const double base = record_real(in, "base");
    const bool half_split = record_int(in, "half_split") != 0;
    const bool half_split_k = half_split || made & 1u << LAYOUTS_MIXED;
    double *q = record_add_f64(out, "q", SHAPE(B, T, H, D));
    double *k = record_add_f64(out, "k", SHAPE(B, T, H, D));
    double *v = record_add_f64(out, "v", SHAPE(B, T, H, D));

    for (int64_t row = 0; row < B * T; row++)
        for (int64_t h = 0; h < H; h++) {
            const int64_t at = (row * H + h) * D, position = offset + row % T;
            const float *from = qkv + (row * 3 * H + h) * D;
            turn(q + at, from, position, base, half_split, D, made);
            turn(k + at, from + H * D, position, base, half_split_k, D, made);
            for (int64_t i = 0; i < D; i++) v[at + i] = (double)from[2 * H * D + i];
            if (made & 1u << V_TURNED)
                turn(v + at, from + 2 * H * D, position, base, half_split, D, made);
        }
}

/* Angles in float32 are right to about 1e-7 of the angle: at positions up to 1099 a number was seen
 * to be off by up to 2.1e-4. This widens the tolerance with the position, tenfold there. */
static int64_t lateness(const struct record *in)
{
    return 1 + (record_int(in, "offset") + record_dim(in, "qkv", 1)) / 10;
}

static const struct output_rule rules[] = {
    {.field = "q", .axes = "BTHD", .atol = 1e-4, .reduction = lateness},
    {.field = "k", .axes = "BTHD", .atol = 1e-4, .reduction = lateness},
    {.field = "v", .axes = "BTHD"},
};

/* Of head `h` at token `t` of the first sequence; `which` is 0 for queries, 1 for keys. */
static const float *given(const struct record *in, int which, int64_t t, int64_t h)
{
    const int64_t H = record_dim(in, "qkv", 3), D = record_dim(in, "qkv", 4);
    return record_f32(in, "qkv") + ((t * 3 + which) * H + h) * D;
}

static void judge_lengths(struct findings *findings, const struct case_run *run, int index)
{
    static const char *const names[] = {"q", "k"};
    const int64_t T = record_dim(run->in, "qkv", 1), H = record_dim(run->in, "qkv", 3);
    const int64_t D = record_dim(run->in, "qkv", 4);
    for (int which = 0; which < 2; which++)
        for (int64_t th = 0; th < T * H; th++) {
            const struct array *turned = record_find(run->out, names[which]);
            const float *x = given(run->in, which, th / H, th % H);
            double before = 0.0, after = 0.0;
            for (int64_t i = 0; i < D; i++) {
                before += (double)x[i] * (double)x[i];
                after += array_at(turned, th * D + i) * array_at(turned, th * D + i);
            }
            if (!(fabs(sqrt(after) - sqrt(before)) > 1e-3 * (1.0 + sqrt(before)))) continue;
            finding_add(findings, CASE_PROPERTY, index, NULL,
                        _("the length of %s[0,%lld,%lld,:] changed from %.4g to %.4g: a rotation "
                          "keeps lengths"),
                        names[which], (long long)(th / H), (long long)(th % H), sqrt(before),
                        sqrt(after));
            return;
        }
}

static double score(const struct record *out, int64_t t, int64_t s, int64_t h, int64_t H, int64_t D)
{
    const struct array *q = record_find(out, "q"), *k = record_find(out, "k");
    double dot = 0.0;
    for (int64_t i = 0; i < D; i++)
        dot += array_at(q, (t * H + h) * D + i) * array_at(k, (s * H + h) * D + i);
    return dot;
}

static void judge_distance(struct findings *findings, const struct case_run *near,
                           const struct case_run *far, int index)
{
    const int64_t T = record_dim(near->in, "qkv", 1), H = record_dim(near->in, "qkv", 3);
    const int64_t D = record_dim(near->in, "qkv", 4);
    const int64_t moved = record_int(far->in, "offset") - record_int(near->in, "offset");
    for (int64_t t = 0; t < T; t++)
        for (int64_t s = 0; s < T; s++)
            for (int64_t h = 0; h < H; h++) {
                const double a = score(near->out, t, s, h, H, D),
                             b = score(far->out, t, s, h, H, D);
                if (!(fabs(a - b) > 0.01)) continue;
                finding_add(findings, CASE_PROPERTY, index, NULL,
                            _("with all tokens %lld positions later, q . k of query %lld and key "
                              "%lld changed from %.4g to %.4g: only their distance may matter"),
                            (long long)moved, (long long)t, (long long)s, a, b);
                return;
            }
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    const struct case_run *of_kind[N_KINDS] = {0};
    for (int i = 0; i < n_runs; i++) {
        if (!runs[i].out->n_fields) continue;
        of_kind[runs[i].kind] = &runs[i];
        if (runs[i].kind == NEAR || runs[i].kind == NEAR_HALF) judge_lengths(findings, &runs[i], i);
    }
    for (int near = NEAR; near <= NEAR_HALF; near += 2)
        if (of_kind[near] && of_kind[near + 1])
            judge_distance(findings, of_kind[near], of_kind[near + 1],
                           (int)(of_kind[near + 1] - runs));
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, (struct sizes){2, n, 4, 64}, 5, true, 10000.0, rng);
}

const struct oracle oracle_rope = {
    .name = "rope",
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
    .speed_n = 24,
};
