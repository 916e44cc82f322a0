/* The DPO loss and its gradient in float64, with the mistakes people make.
 *
 *   logp(row)   = sum over the reply's tokens t of log softmax(logits[row,t-1,:])[token t]
 *   reward(row) = beta (logp of the policy - logp of the reference)
 *   z(p)        = reward(chosen row p) - reward(rejected row P + p)
 *   loss        = mean over pairs of -log sigmoid(z)
 *   d loss / d logits[row,t-1,v] = +-(-beta sigmoid(-z) / P) ([v = token t] - softmax[v])
 *
 * Source: Rafailov et al. 2023 (arXiv:2305.18290).
 */
#include <math.h>
#include <stdlib.h>

#include "grader/oracle.h"

enum {
    MEAN_FOR_SUM,
    PROMPT_COUNTED,
    PADDING_COUNTED,
    NO_SHIFT,
    MARGIN_SIGN,
    REFERENCE_GRADIENT,
    LOG_OF_SIGMOID,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [MEAN_FOR_SUM] = {.name = "mean-for-sum"},
    [PROMPT_COUNTED] = {.name = "prompt-counted"},
    [PADDING_COUNTED] = {.name = "padding-counted"},
    [NO_SHIFT] = {.name = "no-shift"},
    [MARGIN_SIGN] = {.name = "margin-sign"},
    [REFERENCE_GRADIENT] = {.name = "reference-gradient"},
    [LOG_OF_SIGMOID] = {.name = "log-of-sigmoid"},
};

/* What the harness calls; call.c and call.py know the same two numbers. */
enum { OP_FORWARD, OP_BACKWARD };

enum {
    PLAIN,
    PADDED,
    ONE,
    ODD,
    LONG,
    GRADIENT,
    GRADIENT_PADDED,
    GRADIENT_LONG,
    GRADIENT_EQUAL,
    GRADIENT_ONE_TOKEN,
    MARGINS,
    GRADIENT_MARGINS,
    EQUAL,
    PAIR,
    PAIR_SWAPPED,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [PLAIN] = {N_("loss, no padding"), CASE_NUMBERS, true},
    [PADDED] = {N_("loss, with padding"), CASE_NUMBERS, true},
    [ONE] = {N_("one pair, one reply token"), CASE_NUMBERS, false},
    [ODD] = {N_("loss, odd sizes"), CASE_NUMBERS, false},
    [LONG] = {N_("loss, longer replies"), CASE_NUMBERS, false},
    [GRADIENT] = {N_("gradient, no padding"), CASE_GRADIENT, true},
    [GRADIENT_PADDED] = {N_("gradient, with padding"), CASE_GRADIENT, false},
    [GRADIENT_LONG] = {N_("gradient, longer replies"), CASE_GRADIENT, false},
    [GRADIENT_EQUAL] = {N_("gradient, policy equal to the reference"), CASE_GRADIENT, false},
    [GRADIENT_ONE_TOKEN] = {N_("gradient, a vocabulary of one token"), CASE_EDGE, false},
    [MARGINS] = {N_("very large margins"), CASE_EDGE, false},
    [GRADIENT_MARGINS] = {N_("gradient, very large margins"), CASE_EDGE, false},
    [EQUAL] = {N_("policy equal to the reference"), CASE_PROPERTY, true},
    [PAIR] = {N_("chosen and rejected"), CASE_PROPERTY, false},
    [PAIR_SWAPPED] = {N_("chosen and rejected, exchanged"), CASE_PROPERTY, false},
};

/* P pairs: equal prompts, replies of different length, and any token where padding is. */
static void make(struct record *in, int op, int64_t P, int64_t T, int64_t V, double beta,
                 bool padded, struct rng *rng)
{
    const int64_t rows = 2 * P;
    record_add_int(in, "op", op);
    float *policy = record_add_f32(in, "policy", SHAPE(rows, T, V));
    float *reference = record_add_f32(in, "reference", SHAPE(rows, T, V));
    for (int64_t i = 0; i < rows * T * V; i++) {
        const double common = 1.5 * rng_normal(rng);
        policy[i] = (float)(common + 0.7 * rng_normal(rng));
        reference[i] = (float)(common + 0.7 * rng_normal(rng));
    }
    int64_t *tokens = record_add_i64(in, "tokens", SHAPE(rows, T));
    int64_t *prompt_length = record_add_i64(in, "prompt_length", SHAPE(rows));
    int64_t *length = record_add_i64(in, "length", SHAPE(rows));
    for (int64_t i = 0; i < rows * T; i++) tokens[i] = rng_below(rng, V);
    for (int64_t p = 0; p < P; p++) {
        /* at least two prompt tokens and, with padding, a place for it, where T allows */
        const int64_t last = padded && T > 4 ? T - 3 : T - 1;
        prompt_length[p] = prompt_length[P + p] = rng_between(rng, last < 2 ? 1 : 2, last);
        for (int64_t t = 0; t < prompt_length[p]; t++) tokens[(P + p) * T + t] = tokens[p * T + t];
    }
    for (int64_t row = 0; row < rows; row++) {
        length[row] = padded ? rng_between(rng, prompt_length[row] + 1, T - 1) : T;
    }
    record_add_real(in, "beta", beta);
}

/* Logits at one position, multiples of 128: with such gaps every log-probability is exact in
 * float32. The tokens `a` and `b` get the lowest ones, or the highest. */
static void make_steep(float *logits, int64_t V, int64_t a, int64_t b, bool low, struct rng *rng)
{
    int64_t order[16];
    CHECK(V <= 16);
    for (int64_t v = 0; v < V; v++) order[v] = v;
    for (int64_t v = V - 1; v > 0; v--) {
        const int64_t other = rng_below(rng, v + 1), kept = order[v];
        order[v] = order[other];
        order[other] = kept;
    }
    int64_t rank = 0;
    for (int group = 0; group < 2; group++)
        for (int64_t i = 0; i < V; i++)
            if ((order[i] == a || order[i] == b) == (low == (group == 0)))
                logits[order[i]] = 128.0f * (float)(rank++ - V / 2);
}

/* Pair 0 is as wrong as can be, pair 1 as right: margins of more than a thousand. */
static void make_margins(struct record *in, int op, struct rng *rng)
{
    const int64_t P = 2, T = 7, V = 8;
    make(in, op, P, T, V, 1.0, true, rng);
    float *policy = record_find(in, "policy")->data;
    float *reference = record_find(in, "reference")->data;
    const int64_t *tokens = record_i64(in, "tokens");
    for (int64_t row = 0; row < 2 * P; row++)
        for (int64_t t = 0; t < T; t++) {
            const int64_t at = (row * T + t) * V, now = tokens[row * T + t];
            const int64_t next = t + 1 < T ? tokens[row * T + t + 1] : now;
            const bool low = row == 0 || row == P + 1;
            make_steep(policy + at, V, now, next, low, rng);
            make_steep(reference + at, V, now, next, !low, rng);
        }
}

static void make_equal(struct record *in)
{
    const int64_t count = array_count(record_find(in, "policy"));
    float *reference = record_find(in, "reference")->data;
    for (int64_t i = 0; i < count; i++) reference[i] = record_f32(in, "policy")[i];
}

/* Exchange the first half of an array with the second. */
static void exchange(struct record *in, const char *name)
{
    const struct array *array = record_find(in, name);
    const size_t half = (size_t)array_count(array) / 2 * dtype_size(array->dtype);
    unsigned char *bytes = array->data;
    for (size_t i = 0; i < half; i++) {
        const unsigned char kept = bytes[i];
        bytes[i] = bytes[half + i];
        bytes[half + i] = kept;
    }
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    switch (kind) {
    case PLAIN: make(in, OP_FORWARD, 2, 6, 7, 0.5, false, rng); break;
    case PADDED: make(in, OP_FORWARD, 3, 8, 6, 0.5, true, rng); break;
    case ONE: make(in, OP_FORWARD, 1, 2, 2, 0.25, false, rng); break;
    case ODD: make(in, OP_FORWARD, 5, 7, 3, 0.1, true, rng); break;
    case LONG: make(in, OP_FORWARD, 2, 32, 24, 0.1, true, rng); break;
    case GRADIENT: make(in, OP_BACKWARD, 2, 5, 6, 0.5, false, rng); break;
    case GRADIENT_PADDED: make(in, OP_BACKWARD, 3, 8, 5, 0.5, true, rng); break;
    case GRADIENT_LONG: make(in, OP_BACKWARD, 2, 24, 16, 0.2, true, rng); break;
    case GRADIENT_EQUAL:
        make(in, OP_BACKWARD, 2, 6, 5, 0.5, true, rng);
        make_equal(in);
        break;
    case GRADIENT_ONE_TOKEN: make(in, OP_BACKWARD, 2, 5, 1, 0.5, true, rng); break;
    case MARGINS: make_margins(in, OP_FORWARD, rng); break;
    case GRADIENT_MARGINS: make_margins(in, OP_BACKWARD, rng); break;
    case EQUAL:
        make(in, OP_FORWARD, 3, 6, 5, 0.3, true, rng);
        make_equal(in);
        break;
    case PAIR:
    case PAIR_SWAPPED: /* the same numbers, the replies exchanged */
        rng_init(rng, rng->seed, PAIR);
        make(in, OP_FORWARD, 2, 6, 5, 0.5, true, rng);
        if (kind == PAIR) break;
        exchange(in, "policy");
        exchange(in, "reference");
        exchange(in, "tokens");
        exchange(in, "length");
        break;
    default: check_failed("known kind", __FILE__, __LINE__);
    }
}

/* The inputs, and which mistakes are made with them. */
struct batch {
    const float *policy, *reference;
    const int64_t *tokens, *prompt_length, *length;
    double beta;
    int64_t P, T, V;
    uint32_t made;
};

static struct batch batch_of(const struct record *in, uint32_t made)
{
    return (struct batch){
        .policy = record_f32(in, "policy"),
        .reference = record_f32(in, "reference"),
        .tokens = record_i64(in, "tokens"),
        .prompt_length = record_i64(in, "prompt_length"),
        .length = record_i64(in, "length"),
        .beta = record_real(in, "beta"),
        .P = record_dim(in, "policy", 0) / 2,
        .T = record_dim(in, "policy", 1),
        .V = record_dim(in, "policy", 2),
        .made = made,
    };
}

static int64_t first_token(const struct batch *batch, int64_t row)
{
    return batch->made & 1u << PROMPT_COUNTED ? 1 : batch->prompt_length[row];
}

static int64_t last_token(const struct batch *batch, int64_t row)
{
    return batch->made & 1u << PADDING_COUNTED ? batch->T : batch->length[row];
}

/* Where the logits lie that predict token t. */
static int64_t predictor(const struct batch *batch, int64_t row, int64_t t)
{
    const int64_t position = batch->made & 1u << NO_SHIFT ? t : t - 1;
    return (row * batch->T + position) * batch->V;
}

static double log_sum_exp(const float *x, int64_t n)
{
    double max = -INFINITY, sum = 0.0;
    for (int64_t i = 0; i < n; i++) max = fmax(max, (double)x[i]);
    for (int64_t i = 0; i < n; i++) sum += exp((double)x[i] - max);
    /* cppcheck-suppress invalidFunctionArg ; the largest term alone is 1 */
    return max + log(sum);
}

static double log_prob(const struct batch *batch, const float *logits, int64_t row)
{
    const int64_t first = first_token(batch, row), last = last_token(batch, row);
    double sum = 0.0;
    for (int64_t t = first; t < last; t++) {
        const float *x = logits + predictor(batch, row, t);
        sum += (double)x[batch->tokens[row * batch->T + t]] - log_sum_exp(x, batch->V);
    }
    return batch->made & 1u << MEAN_FOR_SUM ? sum / (double)(last - first) : sum;
}

static double reward(const struct batch *batch, int64_t row)
{
    return batch->beta *
           (log_prob(batch, batch->policy, row) - log_prob(batch, batch->reference, row));
}

static double sign(const struct batch *batch)
{
    return batch->made & 1u << MARGIN_SIGN ? -1.0 : 1.0;
}

static double margin(const struct batch *batch, int64_t p)
{
    return sign(batch) * (reward(batch, p) - reward(batch, batch->P + p));
}

/* log(1 + exp(x)) */
static double softplus(double x) { return fmax(x, 0.0) + log1p(exp(-fabs(x))); }

static double pair_loss(const struct batch *batch, double z)
{
    /* in float32 exp(-z) is infinite here, the sigmoid 0 and its logarithm minus infinity */
    if (batch->made & 1u << LOG_OF_SIGMOID && -z > 88.72) return INFINITY;
    return softplus(-z);
}

static void spread(double *d_logits, const struct batch *batch, const float *logits, int64_t row,
                   double d)
{
    const int64_t first = first_token(batch, row), last = last_token(batch, row);
    if (batch->made & 1u << MEAN_FOR_SUM) d /= (double)(last - first);
    for (int64_t t = first; t < last; t++) {
        const int64_t at = predictor(batch, row, t), token = batch->tokens[row * batch->T + t];
        const double normaliser = log_sum_exp(logits + at, batch->V);
        for (int64_t v = 0; v < batch->V; v++)
            d_logits[at + v] +=
                d * ((v == token ? 1.0 : 0.0) - exp((double)logits[at + v] - normaliser));
    }
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const struct batch batch = batch_of(in, made);
    const int64_t P = batch.P;

    if (record_int(in, "op") == OP_FORWARD) {
        double *loss = record_add_f64(out, "loss", SCALAR);
        double *chosen = record_add_f64(out, "chosen_reward", SHAPE(P));
        double *rejected = record_add_f64(out, "rejected_reward", SHAPE(P));
        for (int64_t p = 0; p < P; p++) {
            chosen[p] = reward(&batch, p);
            rejected[p] = reward(&batch, P + p);
            *loss += pair_loss(&batch, margin(&batch, p)) / (double)P;
        }
        return;
    }
    double *d_policy = record_add_f64(out, "d_policy", SHAPE(2 * P, batch.T, batch.V));
    double *d_reference = record_add_f64(out, "d_reference", SHAPE(2 * P, batch.T, batch.V));
    for (int64_t p = 0; p < P; p++) {
        const double wrong = exp(-softplus(margin(&batch, p))); /* sigmoid(-z) */
        const double d = -sign(&batch) * batch.beta * wrong / (double)P;
        spread(d_policy, &batch, batch.policy, p, d);
        spread(d_policy, &batch, batch.policy, P + p, -d);
        if (!(made & 1u << REFERENCE_GRADIENT)) continue;
        spread(d_reference, &batch, batch.reference, p, -d);
        spread(d_reference, &batch, batch.reference, P + p, d);
    }
}

static int64_t reduction(const struct record *in)
{
    return record_dim(in, "policy", 1) + record_dim(in, "policy", 2);
}

/* Gradients are small numbers (beta/P at most): their absolute tolerance is tighter. */
static const struct output_rule rules[] = {
    {.field = "loss", .reduction = reduction},
    {.field = "chosen_reward", .axes = "P", .reduction = reduction},
    {.field = "rejected_reward", .axes = "P", .reduction = reduction},
    {.field = "d_policy", .axes = "PTV", .gradient = true, .atol = 2e-6, .reduction = reduction},
    {.field = "d_reference", .axes = "PTV", .gradient = true, .atol = 2e-6, .reduction = reduction},
};

static void judge_equal(struct findings *findings, const struct case_run *run, int index)
{
    const double loss = array_at(record_find(run->out, "loss"), 0);
    if (!(fabs(loss - 0.69314718055994531) > 1e-5)) return;
    finding_add(findings, CASE_PROPERTY, index, NULL,
                _("policy and reference are equal, so the loss must be ln 2 = 0.693147; it is %g"),
                loss);
}

/* Nothing flows outside the reply's predictions, nor into the reference. */
static void judge_gradient(struct findings *findings, const struct case_run *run, int index)
{
    const struct batch batch = batch_of(run->in, 0);
    const struct array *d = record_find(run->out, "d_policy");
    const struct array *d_reference = record_find(run->out, "d_reference");

    for (int64_t i = 0; i < array_count(d_reference); i++) {
        if (array_at(d_reference, i) == 0.0) continue;
        finding_add(findings, CASE_PROPERTY, index, "reference-gradient",
                    _("the reference is frozen, but a gradient reaches its logits: row %d, "
                      "position %d"),
                    (int)(i / (batch.T * batch.V)), (int)(i / batch.V % batch.T));
        break;
    }
    for (int64_t row = 0; row < 2 * batch.P; row++)
        for (int64_t t = 0; t < batch.T; t++) {
            if (t + 1 >= batch.prompt_length[row] && t + 1 < batch.length[row]) continue;
            for (int64_t v = 0; v < batch.V; v++) {
                if (array_at(d, (row * batch.T + t) * batch.V + v) == 0.0) continue;
                finding_add(findings, CASE_PROPERTY, index, NULL,
                            _("row %d has a prompt of %d tokens and ends at %d: position %d "
                              "predicts no token of the reply, yet it has a gradient"),
                            (int)row, (int)batch.prompt_length[row], (int)batch.length[row],
                            (int)t);
                return;
            }
        }
}

static void judge_exchanged(struct findings *findings, const struct case_run *pair,
                            const struct case_run *swapped, int index)
{
    const struct array *chosen = record_find(pair->out, "chosen_reward");
    const struct array *rejected = record_find(swapped->out, "rejected_reward");
    for (int64_t p = 0; p < array_count(chosen); p++) {
        if (!(fabs(array_at(chosen, p) - array_at(rejected, p)) > 1e-4)) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("exchanging the two replies of pair %d must exchange their rewards; %g "
                      "became %g"),
                    (int)p, array_at(chosen, p), array_at(rejected, p));
        return;
    }
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    const struct case_run *pair = NULL, *swapped = NULL;
    int index = 0;
    for (int i = 0; i < n_runs; i++) {
        if (!runs[i].out->n_fields) continue;
        if (runs[i].kind == EQUAL) judge_equal(findings, &runs[i], i);
        if (runs[i].kind == GRADIENT_PADDED) judge_gradient(findings, &runs[i], i);
        if (runs[i].kind == PAIR) pair = &runs[i];
        if (runs[i].kind == PAIR_SWAPPED) swapped = &runs[i], index = i;
    }
    if (pair && swapped) judge_exchanged(findings, pair, swapped, index);
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, OP_BACKWARD, 2, n, 64, 0.1, true, rng);
}

const struct oracle oracle_dpo = {
    .name = "dpo",
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
    .speed_n = 32,
};
