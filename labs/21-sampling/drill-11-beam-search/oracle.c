/* Beam search in float64, with the mistakes people make.
 *
 *   keep the K best of: finished beams as they are, unfinished ones with one token more;
 *   best by the sum of log-probabilities; at the end, order by sum / length^alpha
 *
 * The model is a table: a state s (how the sequence so far is summed up), next[s,token] and
 * log_probs[s,:]. Log-probabilities are multiples of a power of two, so that their sums are exact
 * in float32 in any order and ties are ties for everyone.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grader/oracle.h"

enum {
    GROWING,
    DUPLICATES,
    START_COUNTED,
    PENALTY_IN_PRUNE,
    NOT_REORDERED,
    MULTIPLIED,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [GROWING] = {.name = "finished-keeps-growing"},
    [DUPLICATES] = {.name = "duplicate-beams"},
    [START_COUNTED] = {.name = "start-counted"},
    [PENALTY_IN_PRUNE] = {.name = "length-penalty-in-prune"},
    [NOT_REORDERED] = {.name = "caches-not-reordered"},
    [MULTIPLIED] = {.name = "probabilities-multiplied"},
};

enum {
    BIT_G = 1 << GROWING,
    BIT_D = 1 << DUPLICATES,
    BIT_S = 1 << START_COUNTED,
    BIT_P = 1 << PENALTY_IN_PRUNE,
    BIT_N = 1 << NOT_REORDERED,
    BIT_M = 1 << MULTIPLIED,
    FINISHED_LAST =
        1 << N_MISTAKES, /* in ties; no mistake with a name, but a case is aimed at it */
};

enum {
    GREEDY,
    TWO,
    PLAIN,
    PENALTY,
    LONGER,
    AS_MANY,
    CACHES,
    NO_END,
    ALL_END,
    UNLIKELY,
    TIES,
    FINISHED_TIES,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [GREEDY] = {N_("one beam"), CASE_NUMBERS, true},
    [TWO] = {N_("two beams"), CASE_NUMBERS, true},
    [PLAIN] = {N_("no length penalty"), CASE_NUMBERS, true},
    [PENALTY] = {N_("length penalty"), CASE_NUMBERS, false},
    [LONGER] = {N_("more beams, longer"), CASE_NUMBERS, false},
    [AS_MANY] = {N_("as many beams as tokens"), CASE_NUMBERS, false},
    [CACHES] = {N_("beams that change places"), CASE_NUMBERS, false},
    [NO_END] = {N_("no beam finishes"), CASE_EDGE, false},
    [ALL_END] = {N_("all beams finish early"), CASE_EDGE, false},
    [UNLIKELY] = {N_("very unlikely sequences"), CASE_EDGE, false},
    [TIES] = {N_("ties"), CASE_EDGE, false},
    [FINISHED_TIES] = {N_("ties with finished beams"), CASE_EDGE, false},
};

/* Each kind's sizes, how likely the end token is, and mistakes that must show in it. */
static const struct shape {
    int K, V, L;
    double alpha, end;
    uint32_t shows;
} shapes[N_KINDS] = {
    [GREEDY] = {1, 5, 4, 0.0, -1.0, 0},
    [TWO] = {2, 5, 4, 0.0, 0.0, BIT_D},
    [PLAIN] = {3, 8, 6, 0.0, 0.5, BIT_G | BIT_D | BIT_N},
    [PENALTY] = {3, 7, 7, 1.0, 0.5, BIT_G | BIT_P},
    [LONGER] = {5, 12, 10, 0.7, 0.5, BIT_G | BIT_D | BIT_P | BIT_N},
    [AS_MANY] = {6, 6, 5, 0.5, 0.0, BIT_D | BIT_N},
    [CACHES] = {4, 6, 8, 0.0, -9.0, BIT_N},
    [NO_END] = {3, 6, 6, 1.0, -30.0, BIT_D},
    [ALL_END] = {3, 6, 12, 0.6, 3.0, BIT_G | BIT_P},
    [UNLIKELY] = {3, 6, 6, 0.8, 0.0, BIT_M},
    [TIES] = {3, 5, 2, 0.0, 0.0, 0},
    [FINISHED_TIES] = {3, 5, 4, 0.0, 0.0, 0},
};

enum { STATES = 24 };

struct problem {
    int64_t M, V, K, L, start, end;
    double alpha;
    const int32_t *next;    /* [M,V] */
    const float *log_probs; /* [M,V] */
};

static struct problem problem_of(const struct record *in)
{
    return (struct problem){.M = record_dim(in, "next", 0),
                            .V = record_dim(in, "next", 1),
                            .K = record_int(in, "n_beams"),
                            .L = record_int(in, "max_length"),
                            .start = record_int(in, "start"),
                            .end = record_int(in, "end"),
                            .alpha = record_real(in, "alpha"),
                            .next = record_i32(in, "next"),
                            .log_probs = record_f32(in, "log_probs")};
}

enum { LENGTH_LIMIT = 64 };

struct beam {
    double sum; /* of log-probabilities; their product when MULTIPLIED */
    int64_t length, last, state;
    bool done;
    int32_t tokens[LENGTH_LIMIT];
};

struct choice {
    double key;
    int64_t at;   /* parent * V + token: the order of equals */
    int64_t last; /* among equals, after all that have less here */
};

static int by_key(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? 1 : -1;
    if (x->last != y->last) return x->last > y->last ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* exp as a float32 program sees it */
static double exp_f32(double x) { return x < -103.9 ? 0.0 : exp(x); }

static bool same_tokens(const struct beam *a, const struct beam *b)
{
    return a->length == b->length &&
           memcmp(a->tokens, b->tokens, (size_t)a->length * sizeof *a->tokens) == 0;
}

/* The beam that a choice makes. */
static struct beam grown(const struct beam *beams, const struct choice *choice,
                         const struct problem *p, const double *total, uint32_t made)
{
    struct beam beam = beams[choice->at / p->V];
    beam.sum = total[choice->at];
    beam.last = choice->at % p->V;
    if (!beam.done) beam.tokens[beam.length++] = (int32_t)beam.last;
    if (beam.last == p->end && !(made & BIT_G)) beam.done = true;
    return beam;
}

/* How far apart two neighbours in an order are, when it matters: 0 is a tie. */
static double gap_between(double a, double b, uint32_t made)
{
    if (a == b) return 0.0;
    return made & BIT_M ? fabs(a - b) / fmax(fabs(a), fabs(b)) : fabs(a - b);
}

/* K beams, in final order, with their scores. `sum_gap` and `score_gap` receive the smallest
 * distance between two different sequences whose order mattered. */
static void search(struct beam *beams, double *scores, const struct problem *p, uint32_t made,
                   double *sum_gap, double *score_gap)
{
    const int64_t K = p->K, V = p->V;
    double *total = memory_new((size_t)(K * V), sizeof *total);
    struct choice *choices = memory_new((size_t)(K * V), sizeof *choices);
    struct beam *next = memory_new((size_t)K + 1, sizeof *next);

    *sum_gap = *score_gap = INFINITY;
    for (int64_t k = 0; k < K; k++) {
        const bool exists = k == 0 || made & BIT_D;
        beams[k] = (struct beam){.last = p->start, .sum = exists ? 0.0 : -INFINITY};
        if (made & BIT_M) beams[k].sum = exists ? 1.0 : 0.0;
    }
    for (int64_t t = 0; t < p->L; t++) {
        bool all_done = true;
        for (int64_t k = 0; k < K; k++) { /* every row is stepped, the finished ones in vain */
            struct beam *beam = &beams[k];
            beam->state = p->next[beam->state * V + beam->last];
            for (int64_t v = 0; v < V; v++) {
                const int64_t i = k * V + v;
                double log_prob = (double)p->log_probs[beam->state * V + v];
                if (beam->done) log_prob = v == p->end ? 0.0 : -INFINITY;
                total[i] = made & BIT_M ? beam->sum * exp_f32(log_prob) : beam->sum + log_prob;
                choices[i] = (struct choice){total[i], i, made & FINISHED_LAST && beam->done};
                if (made & BIT_P)
                    choices[i].key /= pow((double)(beam->length + !beam->done), p->alpha);
            }
        }
        qsort(choices, (size_t)(K * V), sizeof *choices, by_key);
        for (int64_t k = 0; k <= K && k < K * V; k++) {
            next[k] = grown(beams, &choices[k], p, total, made);
            /* beams that do not exist, products that are all zero: no order to get wrong */
            const bool matters = k && choices[k].key != -INFINITY && choices[k - 1].key != 0.0;
            if (matters && !same_tokens(&next[k], &next[k - 1]))
                *sum_gap = fmin(*sum_gap, gap_between(choices[k].key, choices[k - 1].key, made));
        }
        for (int64_t k = 0; k < K; k++) {
            if (made & BIT_N) next[k].state = beams[k].state;
            all_done = all_done && next[k].done;
        }
        memcpy(beams, next, (size_t)K * sizeof *beams);
        if (all_done) break;
    }

    for (int64_t k = 0; k < K; k++) {
        const double sum = made & BIT_M ? log(beams[k].sum) : beams[k].sum;
        const int64_t length = beams[k].length + (made & BIT_S ? 1 : 0);
        choices[k] = (struct choice){sum / pow((double)length, p->alpha), k, 0};
        next[k] = beams[k];
    }
    qsort(choices, (size_t)K, sizeof *choices, by_key);
    for (int64_t k = 0; k < K; k++) {
        beams[k] = next[choices[k].at];
        scores[k] = choices[k].key;
        if (k && isfinite(scores[k]) && !same_tokens(&beams[k], &beams[k - 1]))
            *score_gap = fmin(*score_gap, scores[k - 1] - scores[k]);
    }
    free(total);
    free(choices);
    free(next);
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const struct problem p = problem_of(in);
    double sum_gap, score_gap;
    struct beam *beams = memory_new((size_t)p.K, sizeof *beams);
    double *scores = record_add_f64(out, "scores", SHAPE(p.K));
    int64_t *tokens = record_add_i64(out, "tokens", SHAPE(p.K, p.L));
    int64_t *lengths = record_add_i64(out, "lengths", SHAPE(p.K));

    search(beams, scores, &p, made, &sum_gap, &score_gap);
    for (int64_t k = 0; k < p.K; k++) {
        lengths[k] = beams[k].length;
        for (int64_t i = 0; i < p.L; i++)
            tokens[k * p.L + i] = i < lengths[k] ? beams[k].tokens[i] : -1;
    }
    free(beams);
}

/* Log-softmax of random logits, in multiples of 2^-12. */
static void fill_model(struct record *in, const struct shape *shape, int64_t end, struct rng *rng)
{
    float *log_probs = record_find(in, "log_probs")->data;
    int32_t *next = record_find(in, "next")->data;
    for (int64_t s = 0; s < STATES; s++) {
        double logits[64], sum = 0.0;
        for (int64_t v = 0; v < shape->V; v++) {
            logits[v] = 1.5 * rng_normal(rng) + (v == end ? shape->end : 0.0);
            sum += exp(logits[v]);
            next[s * shape->V + v] = (int32_t)rng_below(rng, STATES);
        }
        for (int64_t v = 0; v < shape->V; v++)
            log_probs[s * shape->V + v] =
                (float)(nearbyint((logits[v] - log(sum)) * 4096.0) / 4096.0);
    }
}

/* Every continuation about as unlikely as e^-950: exp() of it is zero even in float64. */
static void fill_unlikely(struct record *in, int64_t count, struct rng *rng)
{
    float *log_probs = record_find(in, "log_probs")->data;
    for (int64_t i = 0; i < count; i++)
        log_probs[i] = -(float)rng_between(rng, 4 * 900, 4 * 1000) / 4.0f;
}

/* Few values, so that many sums are equal; the end token never gets among the best. */
static void fill_ties(struct record *in, int64_t V, int64_t end, struct rng *rng)
{
    float *log_probs = record_find(in, "log_probs")->data;
    for (int64_t i = 0; i < STATES * V; i++)
        log_probs[i] = i % V == end ? -8.0f : -(float)rng_between(rng, 1, 2);
}

/* Nothing or one is lost at each token: finished beams tie with what later parents become. Products
 * of equal sums are equal too, whatever the precision. */
static void fill_finished_ties(struct record *in, int64_t count, struct rng *rng)
{
    float *log_probs = record_find(in, "log_probs")->data;
    for (int64_t i = 0; i < count; i++) log_probs[i] = rng_below(rng, 3) ? -1.0f : 0.0f;
}

static bool differs(const struct record *in, uint32_t made)
{
    struct record right = {0}, wrong = {0};
    solve(&right, in, 0);
    solve(&wrong, in, made);
    const struct array *a = record_find(&right, "tokens"), *b = record_find(&wrong, "tokens");
    bool differs = false;
    for (int64_t i = 0; i < array_count(a) && !differs; i++)
        differs = array_at(a, i) != array_at(b, i);
    if (made == BIT_M) differs = !isfinite(record_f64(&wrong, "scores")[0]);
    record_done(&right);
    record_done(&wrong);
    return differs;
}

/* Wide gaps, for the right search and for every combination of mistakes, so that no order hangs on
 * rounding; and the mistakes that this kind is made for show. */
static bool good(const struct record *in, const struct shape *shape, bool ties)
{
    const struct problem p = problem_of(in);
    struct beam *beams = memory_new((size_t)p.K, sizeof *beams);
    double *scores = memory_new((size_t)p.K, sizeof *scores), sum_gap, score_gap;
    bool good = true;

    for (uint32_t made = 0; made < 1u << N_MISTAKES && good; made++) {
        search(beams, scores, &p, made, &sum_gap, &score_gap);
        if (!made) good = sum_gap >= 1e-3 && score_gap >= 1e-3;
        else if (made & (BIT_M | BIT_P)) good = sum_gap >= 1e-4 && score_gap >= 1e-4;
        else good = score_gap == 0.0 || score_gap >= 1e-4; /* equal sums are exact */
    }
    free(beams);
    free(scores);
    if (ties) good = true;
    for (int m = 0; m < N_MISTAKES && good; m++)
        if (shape->shows & 1u << m) good = differs(in, 1u << m);
    return good;
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    const struct shape *shape = &shapes[kind];
    const int64_t V = shape->V, end = rng_below(rng, V);
    record_add_i32(in, "next", SHAPE(STATES, V));
    record_add_f32(in, "log_probs", SHAPE(STATES, V));
    record_add_int(in, "start", rng_below(rng, V));
    record_add_int(in, "end", end);
    record_add_int(in, "n_beams", shape->K);
    record_add_int(in, "max_length", shape->L);
    record_add_real(in, "alpha", shape->alpha);

    for (int tries = 0;; tries++) {
        CHECK(tries < 100000);
        fill_model(in, shape, end, rng);
        if (kind == UNLIKELY) fill_unlikely(in, STATES * V, rng);
        if (kind == TIES) fill_ties(in, V, end, rng);
        if (kind == FINISHED_TIES) {
            fill_finished_ties(in, STATES * V, rng);
            if (differs(in, FINISHED_LAST)) break;
        } else if (good(in, shape, kind == TIES)) {
            break;
        }
    }
}

static const struct output_rule rules[] = {
    {.field = "tokens", .exact = true},
    {.field = "lengths", .exact = true},
    {.field = "scores"},
};

/* What can be said of a hypothesis without searching. */
static void judge_case(struct findings *findings, const struct case_run *run, int index)
{
    const struct problem p = problem_of(run->in);
    const struct array *tokens = record_find(run->out, "tokens");
    const struct array *lengths = record_find(run->out, "lengths");
    const struct array *scores = record_find(run->out, "scores");

    for (int64_t j = 0; j < p.K; j++) {
        const int64_t length = (int64_t)array_at(lengths, j);
        int64_t state = p.next[p.start];
        double sum = 0.0;
        if (length < 1 || length > p.L) return;
        for (int64_t i = 0; i < length; i++) {
            const int64_t token = (int64_t)array_at(tokens, j * p.L + i);
            if (token < 0 || token >= p.V) {
                finding_add(findings, CASE_PROPERTY, index, NULL,
                            _("hypothesis %d: token %d is %d; tokens are 0 to %d"), (int)j, (int)i,
                            (int)token, (int)p.V - 1);
                return;
            }
            if (token == p.end && i + 1 < length) {
                finding_add(findings, CASE_PROPERTY, index, NULL,
                            _("hypothesis %d goes on after its end token: nothing may follow it"),
                            (int)j);
                return;
            }
            sum += (double)p.log_probs[state * p.V + token];
            state = p.next[state * p.V + token];
        }
        const double score = sum / pow((double)length, p.alpha), got = array_at(scores, j);
        if (isfinite(got) && fabs(got - score) > 1e-3 * (1.0 + fabs(score))) {
            finding_add(findings, CASE_PROPERTY, index, NULL,
                        _("hypothesis %d has the score %g, but its own tokens, read by the model "
                          "one after the other, give %g"),
                        (int)j, got, score);
            return;
        }
        for (int64_t other = 0; other < j; other++) {
            bool same = array_at(lengths, other) == array_at(lengths, j);
            for (int64_t i = 0; i < length && same; i++)
                same = array_at(tokens, other * p.L + i) == array_at(tokens, j * p.L + i);
            if (!same) continue;
            finding_add(findings, CASE_PROPERTY, index, NULL,
                        _("hypotheses %d and %d are the same sequence"), (int)other, (int)j);
            return;
        }
    }
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    for (int i = 0; i < n_runs; i++)
        if (runs[i].out->n_fields) judge_case(findings, &runs[i], i);
}

/* A vocabulary of n, so that choosing among K*n dominates. */
static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    const int64_t end = n - 1;
    int32_t *next = record_add_i32(in, "next", SHAPE(STATES, n));
    float *log_probs = record_add_f32(in, "log_probs", SHAPE(STATES, n));
    for (int64_t i = 0; i < STATES * n; i++) {
        next[i] = (int32_t)rng_below(rng, STATES);
        log_probs[i] = i % n == end ? -30.0f : -(float)rng_between(rng, 4096, 4 * 4096) / 4096.0f;
    }
    record_add_int(in, "start", 0);
    record_add_int(in, "end", end);
    record_add_int(in, "n_beams", 4);
    record_add_int(in, "max_length", 20);
    record_add_real(in, "alpha", 0.6);
}

const struct oracle oracle_beam_search = {
    .name = "beam-search",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .rules = rules,
    .n_rules = 3,
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 200,
};
