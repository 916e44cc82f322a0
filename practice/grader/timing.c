#include "grader/timing.h"

#include <math.h>
#include <stdlib.h>

#include "grader/compare.h"
#include "grader/findings.h"

enum { ROUNDS = 5, BATCH_LIMIT = 64, CALLS_LIMIT = 4096, TRIES = 3, TIMING_STREAM = 1000 };
enum { LOOK_STREAM = 2000, LOOKED_AT = 2, ASKED_LIMIT = 4 };
static const double slow_ns = 1e8; /* a message this slow is not worth repeating */
static const double long_ns = 2e7; /* one message of this length says enough */
static const double batch_ns =
    1e6; /* a batch should take this long: well above the clock's noise */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof *values, by_value);
    return n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

double timing_exponent(const int64_t *sizes, const double *times, int n)
{
    double x_mean = 0.0, y_mean = 0.0, xy = 0.0, xx = 0.0;
    for (int i = 0; i < n; i++) {
        x_mean += log((double)sizes[i]) / n;
        y_mean += log(times[i]) / n;
    }
    for (int i = 0; i < n; i++) {
        const double x = log((double)sizes[i]) - x_mean;
        xy += x * (log(times[i]) - y_mean);
        xx += x * x;
    }
    return xy / xx;
}

struct batch {
    struct record in[BATCH_LIMIT * 3], out[BATCH_LIMIT * 3];
    int n;
};

static void batch_make(struct batch *batch, const struct oracle *oracle, int64_t n, int calls,
                       bool calls_inside, struct rng *rng)
{
    batch->n = calls_inside ? 1 : calls;
    CHECK(batch->n <= BATCH_LIMIT * 3);
    for (int i = 0; i < batch->n; i++) {
        batch->in[i] = (struct record){0};
        oracle->make_timed(&batch->in[i], n, calls_inside ? calls : 1, rng);
    }
}

/* Nanoseconds of one message with this batch. */
static double batch_time(struct batch *batch, struct runner *runner, struct trouble *trouble)
{
    int64_t elapsed = 0;
    runner_call(runner, batch->in, batch->out, batch->n, &elapsed, trouble);
    return (double)elapsed;
}

static void batch_forget_outputs(struct batch *batch)
{
    for (int i = 0; i < batch->n; i++) record_done(&batch->out[i]);
}

static void batch_done(struct batch *batch)
{
    batch_forget_outputs(batch);
    for (int i = 0; i < batch->n; i++) record_done(&batch->in[i]);
    batch->n = 0;
}

/* What is timed: one size of one submission. */
struct timed {
    struct runner *runner;
    const struct oracle *oracle;
    int64_t n;
    bool calls_inside;
    struct rng rng;
    int64_t series, done; /* calls_inside: fields of the record, see oracle.h */
    struct rng look;      /* which answers are compared */
    int n_asked;          /* messages that were asked apart */
    bool ask_next;
    struct growth *growth;
};

/* Whether a timed call's answer is that of the oracle. */
static bool answer_is_right(const struct oracle *oracle, const struct record *in,
                            const struct record *out)
{
    bool right = true;
    if (oracle->solve) {
        struct record want = {0};
        oracle->solve(&want, in, 0);
        right = compare_matches(oracle, in, &want, out);
        record_done(&want);
    } else if (oracle->judge) {
        const struct case_run run = {.kind = 0, .in = in, .out = out};
        struct findings findings = {0};
        oracle->judge(&findings, &run, 1);
        right = findings.n == 0;
        findings_done(&findings);
    }
    return right;
}

/* Compare LOOKED_AT answers of a message, chosen after it was answered. */
static void look_at(struct timed *timed, const struct batch *batch, int calls)
{
    if (!timed->growth || timed->growth->wrong_n) return;
    bool right = true;
    for (int i = 0; i < LOOKED_AT && right; i++) {
        const int64_t at = rng_below(&timed->look, calls);
        right = timed->calls_inside
                    ? timed->oracle->complexity.right(&batch->in[0], &batch->out[0], at)
                    : answer_is_right(timed->oracle, &batch->in[at], &batch->out[at]);
    }
    if (right) return;
    timed->growth->wrong_n = timed->n;
    timed->growth->wrong_calls = calls;
}

static void batch_number(struct batch *batch, const struct timed *timed, bool asked)
{
    struct record *in = &batch->in[0];
    if (!record_find(in, "done")) {
        record_add_int(in, "series", timed->series);
        record_add_int(in, "done", 0);
        record_add_int(in, "asked", 0);
    }
    *(int64_t *)record_find(in, "done")->data = timed->done;
    *(int64_t *)record_find(in, "asked")->data = asked;
}

/* Whether the next message is one whose answer takes time: the first of all, the first of full
 * length, and now and then another. */
static bool asks_apart(struct timed *timed)
{
    if (!timed->growth || !timed->oracle->complexity.asked_apart) return false;
    if (timed->n_asked == ASKED_LIMIT && !timed->ask_next) return false;
    const bool asked = timed->ask_next || rng_below(&timed->look, 12) == 0;
    if (asked) timed->n_asked++;
    timed->ask_next = false;
    return asked;
}

static int first_calls(const struct timed *timed)
{
    return timed->calls_inside ? 2 : 1; /* an oracle tells by calls > 1 that it is to repeat */
}

/* The least of three messages with `calls` calls: noise only adds. A long one is long enough by
 * itself. */
static double least_time(struct timed *timed, int calls, struct trouble *trouble)
{
    double least = INFINITY;
    struct batch *batch = memory_new(1, sizeof *batch);
    for (int measured = 0; measured < 3 && !trouble->kind;) {
        const bool apart = asks_apart(timed);
        /* Calls inside one make their own inputs; otherwise every message has new ones. */
        if (!timed->calls_inside) batch_done(batch);
        if (!batch->n)
            batch_make(batch, timed->oracle, timed->n, calls, timed->calls_inside, &timed->rng);
        if (timed->calls_inside) batch_number(batch, timed, apart);
        const double ns = batch_time(batch, timed->runner, trouble);
        timed->done += calls;
        if (!trouble->kind && (apart || !timed->oracle->complexity.asked_apart))
            look_at(timed, batch, calls);
        batch_forget_outputs(batch);
        if (apart) continue;
        least = fmin(least, ns);
        measured++;
        if (least > long_ns) break;
    }
    batch_done(batch);
    free(batch);
    return least;
}

/* How many calls take about target_ns, beyond what a message costs by itself. */
static int calls_for(struct timed *timed, double target_ns, struct trouble *trouble)
{
    const int most = timed->calls_inside ? CALLS_LIMIT : BATCH_LIMIT, first = first_calls(timed);
    const double one = least_time(timed, first, trouble);
    double more = 0.0;
    int calls = first;
    if (one > long_ns) return first;
    while (calls < most && !trouble->kind && more < batch_ns) {
        calls *= 2;
        more = least_time(timed, calls, trouble) - one;
    }
    if (more > 0.0) calls = (int)fmin(most, ceil(target_ns / (more / (calls - first))));
    return calls < first ? first : calls < most ? calls : most;
}

/* Time per call, as the slope between K and 3K calls. */
static double time_per_call(struct timed *timed, double target_ns, struct trouble *trouble)
{
    const int calls = calls_for(timed, target_ns, trouble);
    double few = INFINITY, many = INFINITY;
    timed->ask_next = true;

    for (int i = 0; i < 2 && !trouble->kind; i++) {
        few = fmin(few, least_time(timed, calls, trouble));
        if (trouble->kind) break;
        many = fmin(many, least_time(timed, 3 * calls, trouble));
        if (many > 3 * long_ns) break;
    }
    return many > few ? (many - few) / (2 * calls) : many / (3 * calls);
}

static bool found_wrong(const struct growth *growth) { return growth && growth->wrong_n; }

/* On a busy machine a long message is interrupted more often than a short one, which looks like
 * growth. So messages of every size are made about as long as the shortest of the largest size; and
 * a largest size that takes very long is left out, since three sizes tell growth well enough.
 * Answers are not looked at when `growth` is NULL. */
static double fit_exponent(struct growth *growth, struct runner *candidate,
                           const struct oracle *oracle, uint64_t seed, uint64_t stream,
                           struct trouble *trouble)
{
    const struct complexity *rule = &oracle->complexity;
    struct timed timed[TIMED_SIZES];
    int64_t sizes[TIMED_SIZES];
    double times[TIMED_SIZES], target_ns = batch_ns;
    int n = 0;

    for (; n < TIMED_SIZES && !trouble->kind && !found_wrong(growth); n++) {
        timed[n] = (struct timed){.runner = candidate,
                                  .oracle = oracle,
                                  .n = rule->sizes[n],
                                  .calls_inside = rule->calls_inside,
                                  .ask_next = true,
                                  .growth = growth};
        if (candidate->lane == LANE_C && rule->c_times) timed[n].n *= rule->c_times;
        rng_init(&timed[n].look, seed, LOOK_STREAM + stream + (uint64_t)n);
        timed[n].series = rng_below(&timed[n].look, (int64_t)1 << 31);
        rng_init(&timed[n].rng, seed, stream + (uint64_t)n);
        sizes[n] = timed[n].n;
        const double shortest = least_time(&timed[n], first_calls(&timed[n]), trouble);
        if (n == TIMED_SIZES - 1 && shortest > slow_ns) break;
        target_ns = fmin(long_ns, fmax(batch_ns, shortest));
    }
    for (int i = 0; i < n && !trouble->kind && !found_wrong(growth); i++)
        times[i] = fmax(1.0, time_per_call(&timed[i], target_ns, trouble));
    return trouble->kind || found_wrong(growth) ? INFINITY : timing_exponent(sizes, times, n);
}

void timing_complexity(struct growth *growth, struct runner *candidate, const struct oracle *oracle,
                       uint64_t seed, bool wrong_expected, struct trouble *trouble)
{
    static const double clearly = 0.5; /* this far above the limit is not noise */
    const double limit = oracle->complexity.limit;
    double least = INFINITY;

    *growth = (struct growth){0};
    for (int i = 0; i < TRIES && !trouble->kind; i++) {
        least = fmin(least, fit_exponent(wrong_expected ? NULL : growth, candidate, oracle, seed,
                                         TIMING_STREAM + (uint64_t)(i * TIMED_SIZES), trouble));
        if (growth->wrong_n || least <= limit || least > limit + clearly) break;
    }
    growth->exponent = isfinite(least) ? least : 0.0;
}

/* One round: the same new inputs for both, few and many calls; slopes in nanoseconds. */
static void round_of(double slopes[2], struct runner *const runners[2], const struct oracle *oracle,
                     int calls, struct rng *rng, bool *wrong, struct trouble *trouble)
{
    struct batch *few = memory_new(1, sizeof *few), *many = memory_new(1, sizeof *many);
    batch_make(few, oracle, oracle->speed_n, calls, false, rng);
    batch_make(many, oracle, oracle->speed_n, 3 * calls, false, rng);

    for (int i = 0; i < 2 && !trouble->kind; i++) {
        const double few_ns = batch_time(few, runners[i], trouble);
        batch_forget_outputs(few);
        if (trouble->kind) break;
        const double many_ns = batch_time(many, runners[i], trouble);
        const double slope = (many_ns - few_ns) / (2 * calls);
        slopes[i] = slope > 0 ? slope : many_ns / (3 * calls);
        if (i == 0 && !trouble->kind) {
            const int64_t at = rng_below(rng, many->n);
            if (!answer_is_right(oracle, &many->in[at], &many->out[at])) *wrong = true;
        }
        batch_forget_outputs(many);
    }
    batch_done(few);
    batch_done(many);
    free(few);
    free(many);
}

void timing_speed(struct speed *speed, struct runner *candidate, struct runner *reference,
                  const struct oracle *oracle, uint64_t seed, struct trouble *trouble)
{
    struct runner *const runners[2] = {candidate, reference};
    double ratios[ROUNDS], mine[ROUNDS], theirs[ROUNDS];
    struct timed timed = {.runner = candidate, .oracle = oracle, .n = oracle->speed_n};

    *speed = (struct speed){0};
    rng_init(&timed.rng, seed, TIMING_STREAM - 1);
    const int calls = calls_for(&timed, batch_ns, trouble);
    if (!trouble->kind && least_time(&timed, 1, trouble) > slow_ns)
        return; /* would take too long */
    int n = 0;
    for (; n < ROUNDS && !trouble->kind && !speed->wrong; n++) {
        double slopes[2] = {0};
        round_of(slopes, runners, oracle, calls, &timed.rng, &speed->wrong, trouble);
        mine[n] = slopes[0];
        theirs[n] = slopes[1];
        ratios[n] = slopes[1] > 0 ? slopes[0] / slopes[1] : 0.0;
    }
    if (trouble->kind || n == 0) return;
    speed->ratio = median(ratios, n);
    speed->low = ratios[n / 4]; /* median() has sorted them: the quartiles */
    speed->high = ratios[n - 1 - n / 4];
    speed->call_us = median(mine, n) / 1e3;
    speed->reference_us = median(theirs, n) / 1e3;
}
