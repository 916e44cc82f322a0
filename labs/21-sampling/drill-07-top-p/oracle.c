/* Temperature, top-k and top-p sampling in float64, with the mistakes people make.
 *
 *   logits -> sorted -> the k largest -> softmax(. / temperature) -> the fewest that reach p
 *          -> divided by their sum -> back in the vocabulary's order -> first sum above the draw
 *
 * Every input keeps its decisions (which tokens stay, which is drawn) at a distance from the point
 * where rounding could flip them, whichever mistakes are made: see clear_of_edges(). In
 * make_exact() and make_p_one() nothing is rounded that decides.
 *
 * Source: Holtzman et al. 2019 (arXiv:1904.09751).
 */
#include <math.h>
#include <stdlib.h>

#include "grader/oracle.h"

enum {
    CUT_EARLY,
    ONE_TOO_MANY,
    NO_RENORMALISATION,
    SORT_NOT_UNDONE,
    TEMPERATURE_AFTER,
    P_BEFORE_K,
    TIES_REVERSED,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [CUT_EARLY] = {.name = "cut-early"},
    [ONE_TOO_MANY] = {.name = "one-too-many"},
    [NO_RENORMALISATION] = {.name = "no-renormalisation"},
    [SORT_NOT_UNDONE] = {.name = "sort-not-undone"},
    [TEMPERATURE_AFTER] = {.name = "temperature-after-cut"},
    [P_BEFORE_K] = {.name = "p-before-k"},
    [TIES_REVERSED] = {.name = "ties-reversed"},
};

enum {
    TEMPERATURE,
    TOP_K,
    TOP_P,
    ALL,
    HOT,
    LARGER,
    TIES_K,
    TIES_P,
    GREEDY,
    P_ZERO,
    K_OVER,
    ENDS,
    EXACT,
    P_ONE,
    MANY_TIES,
    ONE_TOKEN,
    LARGE,
    DISTRIBUTION,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [TEMPERATURE] = {N_("temperature only"), CASE_NUMBERS, true},
    [TOP_K] = {N_("top-k"), CASE_NUMBERS, true},
    [TOP_P] = {N_("top-p"), CASE_NUMBERS, true},
    [ALL] = {N_("temperature, top-k and top-p"), CASE_NUMBERS, true},
    [HOT] = {N_("temperature above one, top-p"), CASE_NUMBERS, false},
    [LARGER] = {N_("larger vocabulary"), CASE_NUMBERS, false},
    [TIES_K] = {N_("equal logits at the border of top-k"), CASE_EDGE, false},
    [TIES_P] = {N_("equal logits at the border of top-p"), CASE_EDGE, false},
    [GREEDY] = {N_("temperature 0"), CASE_EDGE, false},
    [P_ZERO] = {N_("top-p 0"), CASE_EDGE, false},
    [K_OVER] = {N_("top-k larger than the vocabulary"), CASE_EDGE, false},
    [ENDS] = {N_("draws at both ends"), CASE_EDGE, false},
    [EXACT] = {N_("a sum that hits top-p exactly"), CASE_EDGE, false},
    [P_ONE] = {N_("top-p 1, with tiny probabilities"), CASE_EDGE, false},
    [MANY_TIES] = {N_("hundreds of equal logits"), CASE_EDGE, false},
    [ONE_TOKEN] = {N_("a vocabulary of one token"), CASE_EDGE, false},
    [LARGE] = {N_("very large logits"), CASE_EDGE, false},
    [DISTRIBUTION] = {N_("frequencies of many draws"), CASE_PROPERTY, false},
};

struct rule {
    double temperature, p;
    int64_t k;
};

struct entry {
    double logit, prob;
    int64_t token;
};

static int by_logit(const struct entry *a, const struct entry *b)
{
    return a->logit == b->logit ? 0 : a->logit < b->logit ? 1 : -1;
}

static int ties_by_token(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const int order = by_logit(x, y);
    return order ? order : x->token < y->token ? -1 : 1;
}

static int ties_reversed(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const int order = by_logit(x, y);
    return order ? order : x->token < y->token ? 1 : -1;
}

static void softmax(struct entry *entries, int64_t n, double temperature)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += entries[i].prob = exp((entries[i].logit - entries[0].logit) / temperature);
    for (int64_t i = 0; i < n; i++) entries[i].prob /= sum;
}

/* How many of the n sorted entries stay. `room` becomes the distance of the nearest decision
 * from the point where it flips, if that is less. */
static int64_t nucleus(const struct entry *entries, int64_t n, double p, uint32_t made,
                       double *room)
{
    if (p >= 1.0) return n;
    if (p <= 0.0) return 1;
    int64_t below = 0, not_above = 0; /* sums of the first 1, 2, ... that are < p, <= p */
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += entries[i].prob;
        *room = fmin(*room, fabs(sum - p));
        below += sum < p;
        not_above += sum <= p;
    }
    int64_t kept = below + 1;
    if (made & 1u << CUT_EARLY) kept = not_above > 0 ? not_above : 1;
    if (made & 1u << ONE_TOO_MANY) kept = below + 2;
    return kept < n ? kept : n;
}

/* One row. Returns how far its nearest decision is from flipping. */
static double sample_row(double *probs, int64_t *token, const float *logits,
                         const struct rule *asked, double draw, int64_t V, uint32_t made)
{
    struct rule rule = *asked;
    struct entry *entries = memory_new((size_t)V, sizeof *entries);
    double room = 1.0, total = 0.0, sum = 0.0;
    int64_t last = 0;

    if (rule.temperature == 0.0) rule.temperature = 1.0, rule.k = 1;
    if (rule.k <= 0 || rule.k > V) rule.k = V;

    for (int64_t v = 0; v < V; v++)
        entries[v] = (struct entry){.logit = (double)logits[v], .token = v};
    qsort(entries, (size_t)V, sizeof *entries,
          made & 1u << TIES_REVERSED ? ties_reversed : ties_by_token);

    const int64_t considered = made & 1u << P_BEFORE_K ? V : rule.k;
    softmax(entries, considered, made & 1u << TEMPERATURE_AFTER ? 1.0 : rule.temperature);
    int64_t kept = nucleus(entries, considered, rule.p, made, &room);
    if (kept > rule.k) kept = rule.k;
    if (made & 1u << TEMPERATURE_AFTER) softmax(entries, considered, rule.temperature);

    for (int64_t i = 0; i < kept; i++) total += entries[i].prob;
    if (made & 1u << NO_RENORMALISATION) total = 1.0;
    for (int64_t v = 0; v < V; v++) probs[v] = 0.0;
    for (int64_t i = 0; i < kept; i++)
        probs[made & 1u << SORT_NOT_UNDONE ? i : entries[i].token] = entries[i].prob / total;

    for (int64_t v = 0; v < V; v++)
        if (probs[v] > 0.0) last = v;
    *token = -1;
    for (int64_t v = 0; v < last; v++) {
        sum += probs[v];
        if (sum > 0.0) room = fmin(room, fabs(sum - draw));
        if (sum > draw && *token < 0) *token = v;
    }
    if (*token < 0) *token = last; /* whether or not rounding lets the sum pass the draw */
    free(entries);
    return room;
}

/* No combination of mistakes puts a decision of this row within 1e-4 of flipping: float32 is off
 * by about 1e-6 at most. */
static bool clear_of_edges(const float *logits, const struct rule *rule, double draw, int64_t V)
{
    double *probs = memory_new((size_t)V, sizeof *probs);
    int64_t token;
    bool clear = true;
    for (uint32_t made = 0; clear && made < 1u << N_MISTAKES; made++)
        clear = sample_row(probs, &token, logits, rule, draw, V, made) > 1e-4;
    free(probs);
    return clear;
}

/* Every mistake but the order of ties shows in this row. */
static bool tells_mistakes_apart(const float *logits, const struct rule *rule, int64_t V)
{
    double *right = memory_new((size_t)V, sizeof *right);
    double *wrong = memory_new((size_t)V, sizeof *wrong);
    int64_t token;
    bool all = true;
    sample_row(right, &token, logits, rule, 0.5, V, 0);
    for (int i = 0; i < N_MISTAKES; i++) {
        double most = 0.0;
        if (i == TIES_REVERSED) continue;
        sample_row(wrong, &token, logits, rule, 0.5, V, 1u << i);
        for (int64_t v = 0; v < V; v++) most = fmax(most, fabs(wrong[v] - right[v]));
        all = all && most > 0.01;
    }
    free(right);
    free(wrong);
    return all;
}

static float any_draw(struct rng *rng) { return (float)rng_below(rng, 1 << 24) / (float)(1 << 24); }

/* Multiples of 1/64, all different, exact in float32 */
static void any_logits(float *logits, int64_t V, struct rng *rng)
{
    for (int64_t v = 0; v < V; v++) {
        bool new;
        do {
            new = true;
            logits[v] = (float)(round(64.0 * 2.0 * rng_normal(rng)) / 64.0);
            for (int64_t u = 0; u < v; u++) new = new &&logits[u] != logits[v];
        } while (!new);
    }
}

/* Few different values, so that several logits are equal */
static void tied_logits(float *logits, int64_t V, struct rng *rng)
{
    for (int64_t v = 0; v < V; v++) logits[v] = 0.5f * (float)rng_between(rng, -1, 2);
}

/* The largest are 1, 2, ... below a thousand, the others far away. */
static void large_logits(float *logits, int64_t V, struct rng *rng)
{
    for (int64_t v = 0; v < V; v++) logits[v] = 1000.0f - (float)v;
    for (int64_t v = V / 2; v < V; v++) logits[v] = -1000.0f + (float)v;
    for (int64_t v = V - 1; v > 0; v--) {
        const int64_t other = rng_below(rng, v + 1);
        const float kept = logits[v];
        logits[v] = logits[other];
        logits[other] = kept;
    }
}

/* All three filters at work, in rows where each mistake shows */
static const struct rule all_three = {.temperature = 1.5, .p = 0.8, .k = 5};

static void telling_logits(float *logits, int64_t V, struct rng *rng)
{
    do any_logits(logits, V, rng);
    while (!tells_mistakes_apart(logits, &all_three, V));
}

typedef void fill_logits(float *logits, int64_t V, struct rng *rng);

static void add_fields(struct record *in, int64_t B, int64_t V, const struct rule *rule)
{
    record_add_f32(in, "logits", SHAPE(B, V));
    record_add_real(in, "temperature", rule->temperature);
    record_add_int(in, "top_k", rule->k);
    record_add_real(in, "top_p", rule->p);
    record_add_f32(in, "draws", SHAPE(B));
}

static void make(struct record *in, int64_t B, int64_t V, struct rule rule, fill_logits *fill,
                 struct rng *rng)
{
    add_fields(in, B, V, &rule);
    float *logits = record_find(in, "logits")->data, *draws = record_find(in, "draws")->data;
    for (int64_t b = 0; b < B; b++) do {
            fill(logits + b * V, V, rng);
            draws[b] = any_draw(rng);
        } while (!clear_of_edges(logits + b * V, &rule, (double)draws[b], V));
}

/* Whether the first and the last token of the vocabulary are cut */
static bool cut_at_both_ends(const float *logits, const struct rule *rule, int64_t V)
{
    double *probs = memory_new((size_t)V, sizeof *probs);
    int64_t token;
    sample_row(probs, &token, logits, rule, 0.5, V, 0);
    const bool cut = probs[0] == 0.0 && probs[V - 1] == 0.0;
    free(probs);
    return cut;
}

/* A few rows draw 0, the others the largest float below 1: in float32, rounding leaves the sum of
 * about every sixth row there or below, and then neither end of the vocabulary is right. */
static void make_ends(struct record *in, struct rng *rng)
{
    enum { B = 52, V = 16 };
    const struct rule rule = {.temperature = 1.25, .p = 0.9};
    add_fields(in, B, V, &rule);
    float *logits = record_find(in, "logits")->data, *draws = record_find(in, "draws")->data;
    for (int64_t b = 0; b < B; b++) {
        float *row = logits + b * V;
        draws[b] = b < 4 ? 0.0f : 1.0f - 1.0f / (float)(1 << 24);
        do any_logits(row, V, rng);
        while (!cut_at_both_ends(row, &rule, V) ||
               !clear_of_edges(row, &rule, (double)draws[b], V));
    }
}

/* Two or four logits are 0 and the others far below: the sum of the first half of the zeros is
 * top_p, exactly, in float32 too. No multiple of 1/32 that is drawn is near any running sum. */
static void make_exact(struct record *in, struct rng *rng)
{
    enum { B = 4, V = 7 };
    const struct rule rule = {.temperature = 1.0, .p = 0.5};
    add_fields(in, B, V, &rule);
    float *logits = record_find(in, "logits")->data, *draws = record_find(in, "draws")->data;
    for (int64_t b = 0; b < B; b++) {
        for (int64_t v = 0; v < V; v++) logits[b * V + v] = -200.0f;
        for (int64_t zeros = b % 2 ? 2 : 4; zeros > 0;) {
            float *logit = &logits[b * V + rng_below(rng, V)];
            if (*logit != 0.0f) *logit = 0.0f, zeros--;
        }
        draws[b] = (float)(2 * rng_below(rng, 16) + 1) / 32.0f;
    }
}

/* Draw 0 takes the very first token, unless it was cut: its probability is exp(-60), which is
 * nothing beside 1 but no underflow. */
static void make_p_one(struct record *in, struct rng *rng)
{
    enum { B = 3, V = 5 };
    const struct rule rule = {.temperature = 1.0, .p = 1.0};
    add_fields(in, B, V, &rule);
    float *logits = record_find(in, "logits")->data;
    for (int64_t b = 0; b < B; b++) logits[b * V + rng_between(rng, 1, V - 1)] = 60.0f;
}

enum { MANY_DRAWS = 2048 };

/* One row of logits, drawn from many times */
static void make_distribution(struct record *in, struct rng *rng)
{
    const int64_t V = 12;
    const struct rule rule = {.temperature = 1.25, .k = 9, .p = 0.9};
    add_fields(in, MANY_DRAWS, V, &rule);
    float *logits = record_find(in, "logits")->data, *draws = record_find(in, "draws")->data;
    do any_logits(logits, V, rng);
    while (!clear_of_edges(logits, &rule, (double)any_draw(rng), V));
    for (int64_t b = 0; b < MANY_DRAWS; b++) {
        for (int64_t v = 0; v < V; v++) logits[b * V + v] = logits[v];
        draws[b] = any_draw(rng);
    }
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    typedef struct rule rule;
    switch (kind) {
    case TEMPERATURE: make(in, 3, 6, (rule){0.8, 1.0, 0}, any_logits, rng); break;
    case TOP_K: make(in, 3, 7, (rule){1.0, 1.0, 3}, any_logits, rng); break;
    case TOP_P: make(in, 4, 8, (rule){1.0, 0.7, 0}, any_logits, rng); break;
    case ALL: make(in, 4, 10, all_three, telling_logits, rng); break;
    case HOT: make(in, 4, 12, (rule){1.7, 0.85, 0}, any_logits, rng); break;
    case LARGER: make(in, 4, 48, (rule){1.3, 0.9, 24}, any_logits, rng); break;
    case TIES_K: make(in, 6, 9, (rule){1.5, 1.0, 4}, tied_logits, rng); break;
    case TIES_P: make(in, 6, 9, (rule){0.75, 0.47, 0}, tied_logits, rng); break;
    case GREEDY: make(in, 6, 9, (rule){0.0, 0.9, 3}, tied_logits, rng); break;
    case P_ZERO: make(in, 3, 7, (rule){1.2, 0.0, 0}, any_logits, rng); break;
    case K_OVER: make(in, 3, 7, (rule){0.9, 0.75, 20}, any_logits, rng); break;
    case ENDS: make_ends(in, rng); break;
    case EXACT: make_exact(in, rng); break;
    case P_ONE: make_p_one(in, rng); break;
    case MANY_TIES: make(in, 2, 300, (rule){1.0, 1.0, 100}, tied_logits, rng); break;
    case ONE_TOKEN: make(in, 2, 1, (rule){0.7, 0.5, 1}, any_logits, rng); break;
    case LARGE: make(in, 3, 10, (rule){0.5, 0.95, 0}, large_logits, rng); break;
    case DISTRIBUTION: make_distribution(in, rng); break;
    default: check_failed("known kind", __FILE__, __LINE__);
    }
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t B = record_dim(in, "logits", 0), V = record_dim(in, "logits", 1);
    const float *logits = record_f32(in, "logits"), *draws = record_f32(in, "draws");
    const struct rule rule = {record_real(in, "temperature"), record_real(in, "top_p"),
                              record_int(in, "top_k")};
    double *probs = record_add_f64(out, "probs", SHAPE(B, V));
    /* Over many draws some lie at a border: there the frequencies are judged, not each token. */
    int64_t *tokens = B == MANY_DRAWS ? NULL : record_add_i64(out, "tokens", SHAPE(B));
    for (int64_t b = 0; b < B; b++) {
        int64_t token;
        sample_row(probs + b * V, &token, logits + b * V, &rule, (double)draws[b], V, made);
        if (tokens) tokens[b] = token;
    }
}

static int64_t reduction(const struct record *in) { return record_dim(in, "logits", 1); }

static const struct output_rule rules[] = {
    {.field = "probs", .axes = "BV", .reduction = reduction},
    {.field = "tokens", .axes = "B", .exact = true},
};

/* Each row of `probs` is a distribution, and the token is one that it allows. */
static void judge_rows(struct findings *findings, const struct case_run *run, int index)
{
    const struct array *probs = record_find(run->out, "probs");
    const struct array *tokens = record_find(run->out, "tokens");
    const int64_t B = probs->dims[0], V = probs->dims[1];

    for (int64_t b = 0; b < B; b++) {
        double sum = 0.0;
        for (int64_t v = 0; v < V; v++) sum += array_at(probs, b * V + v);
        if (!(fabs(sum - 1.0) > 1e-4)) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("the probabilities of row %d sum to %g, not to 1"), (int)b, sum);
        break;
    }
    if (!tokens || array_count(tokens) != B) {
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("one token is expected for each of the %d rows"), (int)B);
        return;
    }
    for (int64_t b = 0; b < B; b++) {
        const double token = array_at(tokens, b);
        const bool known = token >= 0.0 && token < (double)V;
        if (known && array_at(probs, b * V + (int64_t)token) > 0.0) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("row %d chose token %g, to which its own probabilities give no chance"),
                    (int)b, token);
        return;
    }
}

/* The frequency of each token is compared with its probability by Bernstein's inequality: with n
 * draws, P(|count - n p| > t) <= 2 exp(-t^2 / (2 (n p (1-p) + t/3))). The bound t is such that a
 * right sampler fails, over all tokens together, with a probability below 1e-6. */
static void judge_frequencies(struct findings *findings, const struct case_run *run, int index)
{
    const struct array *tokens = record_find(run->out, "tokens");
    const int64_t n = record_dim(run->in, "logits", 0), V = record_dim(run->in, "logits", 1);
    if (!tokens || array_count(tokens) != n) return; /* judge_rows() has said so */

    struct record right = {0};
    solve(&right, run->in, 0);
    const double *probs = record_f64(&right, "probs");
    const double level = log(2.0 * (double)V / 1e-6);
    for (int64_t v = 0; v < V; v++) {
        const double p = probs[v], expected = p * (double)n, third = level / 3.0;
        double bound = third + sqrt(third * third + 2.0 * level * expected * (1.0 - p));
        int64_t count = 0;
        for (int64_t b = 0; b < n; b++) count += array_at(tokens, b) == (double)v;
        if (p == 0.0) bound = 0.0;
        if (!(fabs((double)count - expected) > bound)) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("token %d was chosen %d times in %d draws; its probability %.4f gives about "
                      "%.0f, and a difference of more than %.0f is no accident"),
                    (int)v, (int)count, (int)n, p, expected, bound);
        break;
    }
    record_done(&right);
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    for (int i = 0; i < n_runs; i++) {
        if (!runs[i].out->n_fields) continue;
        judge_rows(findings, &runs[i], i);
        if (runs[i].kind == DISTRIBUTION) judge_frequencies(findings, &runs[i], i);
    }
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    const struct rule rule = {.temperature = 0.8, .p = 0.9, .k = 50};
    (void)calls;
    add_fields(in, 4, n, &rule);
    float *logits = record_find(in, "logits")->data, *draws = record_find(in, "draws")->data;
    for (int64_t i = 0; i < 4 * n; i++) logits[i] = (float)(2.0 * rng_normal(rng));
    for (int64_t b = 0; b < 4; b++) draws[b] = any_draw(rng);
}

const struct oracle oracle_top_p = {
    .name = "top-p",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .rules = rules,
    .n_rules = (int)(sizeof rules / sizeof *rules),
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 1024,
};
