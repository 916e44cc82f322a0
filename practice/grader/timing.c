#include "grader/timing.h"

#include <math.h>
#include <stdlib.h>

#include "grader/compare.h"

enum { ROUNDS = 7, BATCH_LIMIT = 64, CALLS_LIMIT = 4096, TRIES = 3, TIMING_STREAM = 1000 };
static const double batch_ns =
    2e6; /* a batch should take this long: well above the clock's noise */

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

/* How many calls make a batch long enough to time. */
static int calls_for(struct runner *runner, const struct oracle *oracle, int64_t n,
                     bool calls_inside, struct rng *rng, struct trouble *trouble)
{
    const int most = calls_inside ? CALLS_LIMIT : BATCH_LIMIT;
    struct batch *batch = memory_new(1, sizeof *batch);
    int calls = 2;
    for (; calls < most; calls *= 2) {
        batch_make(batch, oracle, n, calls, calls_inside, rng);
        double ns = batch_time(batch, runner, trouble);
        batch_done(batch);
        if (trouble->kind || ns >= batch_ns) break;
    }
    free(batch);
    return calls < most ? calls : most;
}

/* Time per call at size n, as the slope between K and 3K calls. */
static double time_per_call(struct runner *runner, const struct oracle *oracle, int64_t n,
                            bool calls_inside, struct rng *rng, struct trouble *trouble)
{
    const int calls = calls_for(runner, oracle, n, calls_inside, rng, trouble);
    double slopes[5];
    int count = 0;
    struct batch *few = memory_new(1, sizeof *few), *many = memory_new(1, sizeof *many);

    for (int i = 0; i < 5 && !trouble->kind; i++) {
        batch_make(few, oracle, n, calls, calls_inside, rng);
        batch_make(many, oracle, n, 3 * calls, calls_inside, rng);
        const double short_ns = batch_time(few, runner, trouble);
        if (!trouble->kind) {
            const double long_ns = batch_time(many, runner, trouble);
            const double slope = (long_ns - short_ns) / (2 * calls);
            slopes[count++] = slope > 0 ? slope : long_ns / (3 * calls);
        }
        batch_done(few);
        batch_done(many);
    }
    free(few);
    free(many);
    return trouble->kind || !count ? 0.0 : median(slopes, count);
}

void timing_complexity(double *exponent, struct runner *candidate, const struct oracle *oracle,
                       uint64_t seed, struct trouble *trouble)
{
    const struct complexity *rule = &oracle->complexity;
    double least = INFINITY;

    for (int attempt = 0; attempt < TRIES && !trouble->kind; attempt++) {
        double times[TIMED_SIZES];
        for (int i = 0; i < TIMED_SIZES && !trouble->kind; i++) {
            struct rng rng;
            rng_init(&rng, seed, TIMING_STREAM + (uint64_t)(attempt * TIMED_SIZES + i));
            times[i] = fmax(1.0, time_per_call(candidate, oracle, rule->sizes[i],
                                               rule->calls_inside, &rng, trouble));
        }
        if (trouble->kind) break;
        least = fmin(least, timing_exponent(rule->sizes, times, TIMED_SIZES));
        if (least <= rule->limit) break;
    }
    *exponent = isfinite(least) ? least : 0.0;
}

/* One round: the same new inputs for both, few and many calls; slopes in nanoseconds. */
static void round_of(double slopes[2], struct runner *const runners[2], const struct oracle *oracle,
                     int calls, struct rng *rng, bool *wrong, struct trouble *trouble)
{
    struct batch *few = memory_new(1, sizeof *few), *many = memory_new(1, sizeof *many);
    batch_make(few, oracle, oracle->speed_n, calls, false, rng);
    batch_make(many, oracle, oracle->speed_n, 3 * calls, false, rng);

    for (int i = 0; i < 2 && !trouble->kind; i++) {
        const double short_ns = batch_time(few, runners[i], trouble);
        batch_forget_outputs(few);
        if (trouble->kind) break;
        const double long_ns = batch_time(many, runners[i], trouble);
        const double slope = (long_ns - short_ns) / (2 * calls);
        slopes[i] = slope > 0 ? slope : long_ns / (3 * calls);
        if (i == 0 && !trouble->kind && oracle->solve) {
            struct record want = {0};
            const int at = (int)rng_below(rng, many->n);
            oracle->solve(&want, &many->in[at], 0);
            if (!compare_matches(oracle, &many->in[at], &want, &many->out[at])) *wrong = true;
            record_done(&want);
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
    struct rng rng;

    *speed = (struct speed){0};
    rng_init(&rng, seed, TIMING_STREAM - 1);
    const int calls = calls_for(candidate, oracle, oracle->speed_n, false, &rng, trouble);
    int n = 0;
    for (; n < ROUNDS && !trouble->kind && !speed->wrong; n++) {
        double slopes[2] = {0};
        round_of(slopes, runners, oracle, calls, &rng, &speed->wrong, trouble);
        mine[n] = slopes[0];
        theirs[n] = slopes[1];
        ratios[n] = slopes[1] > 0 ? slopes[0] / slopes[1] : 0.0;
    }
    if (trouble->kind || n == 0) return;
    speed->ratio = median(ratios, n);
    speed->low = ratios[0];
    speed->high = ratios[n - 1];
    speed->call_us = median(mine, n) / 1e3;
    speed->reference_us = median(theirs, n) / 1e3;
}
