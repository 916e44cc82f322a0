#include "progress/fsrs.h"

#include <math.h>

#include "base/error.h"

static const double stability_low = 0.001, stability_high = 36500.0, first_stability_high = 100.0;

const struct fsrs_weights fsrs_default = {
    {0.212,  1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001,  1.8722, 0.1666, 0.796,
     1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542},
};

static double within(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double curve_factor(double decay) { return pow(0.9, 1.0 / decay) - 1.0; }

double fsrs_recall(const struct fsrs_weights *weights, double stability, double days)
{
    const double decay = -weights->w[20];
    return pow(1.0 + curve_factor(decay) * fmax(days, 0.0) / stability, decay);
}

int fsrs_interval(const struct fsrs_weights *weights, double stability, double retention)
{
    const double decay = -weights->w[20];
    const double days = stability / curve_factor(decay) * (pow(retention, 1.0 / decay) - 1.0);
    return (int)within(nearbyint(days), 1.0, FSRS_INTERVAL_LIMIT);
}

double fsrs_first_stability(const struct fsrs_weights *weights, enum fsrs_rating rating)
{
    return within(weights->w[rating - 1], stability_low, first_stability_high);
}

static double first_difficulty_raw(const double *w, enum fsrs_rating rating)
{
    return w[4] - exp(w[5] * ((int)rating - 1)) + 1.0;
}

double fsrs_first_difficulty(const struct fsrs_weights *weights, enum fsrs_rating rating)
{
    return within(first_difficulty_raw(weights->w, rating), 1.0, 10.0);
}

double fsrs_next_difficulty(const struct fsrs_weights *weights, double difficulty,
                            enum fsrs_rating rating)
{
    const double *w = weights->w;
    const double change = -w[6] * ((int)rating - 3);
    const double damped = difficulty + change * (10.0 - difficulty) / 9.0;
    const double easy = first_difficulty_raw(w, RATING_EASY); /* not clamped */
    return within(w[7] * easy + (1.0 - w[7]) * damped, 1.0, 10.0);
}

double fsrs_recalled(const struct fsrs_weights *weights, struct fsrs_memory before, double recall,
                     enum fsrs_rating rating)
{
    const double *w = weights->w;
    const double gain = exp(w[8]) * (11.0 - before.difficulty) * pow(before.stability, -w[9]) *
                        (exp(w[10] * (1.0 - recall)) - 1.0);
    const double hard = rating == RATING_HARD ? w[15] : 1.0;
    const double easy = rating == RATING_EASY ? w[16] : 1.0;
    return within(before.stability * (1.0 + gain * hard * easy), stability_low, stability_high);
}

double fsrs_forgotten(const struct fsrs_weights *weights, struct fsrs_memory before, double recall)
{
    const double *w = weights->w;
    const double kept = w[11] * pow(before.difficulty, -w[12]) *
                        (pow(before.stability + 1.0, w[13]) - 1.0) * exp(w[14] * (1.0 - recall));
    const double most = before.stability / exp(w[17] * w[18]);
    return within(fmin(kept, most), stability_low, stability_high);
}

double fsrs_same_day(const struct fsrs_weights *weights, double stability, enum fsrs_rating rating)
{
    const double *w = weights->w;
    double gain = exp(w[17] * ((int)rating - 3 + w[18])) * pow(stability, -w[19]);
    if (rating != RATING_AGAIN) gain = fmax(gain, 1.0);
    return within(stability * gain, stability_low, stability_high);
}

struct fsrs_memory fsrs_review(const struct fsrs_weights *weights, struct fsrs_memory before,
                               enum fsrs_rating rating, double days)
{
    CHECK(rating >= RATING_AGAIN && rating <= RATING_EASY);
    if (before.stability <= 0.0)
        return (struct fsrs_memory){fsrs_first_stability(weights, rating),
                                    fsrs_first_difficulty(weights, rating)};

    const double recall = fsrs_recall(weights, before.stability, days);
    struct fsrs_memory after;
    after.difficulty = fsrs_next_difficulty(weights, before.difficulty, rating);
    if (days < 1.0) after.stability = fsrs_same_day(weights, before.stability, rating);
    else if (rating == RATING_AGAIN) after.stability = fsrs_forgotten(weights, before, recall);
    else after.stability = fsrs_recalled(weights, before, recall, rating);
    return after;
}

bool fsrs_weights_valid(const struct fsrs_weights *weights)
{
    for (int i = 0; i < FSRS_WEIGHTS; i++)
        if (!isfinite(weights->w[i]) || weights->w[i] < 0.0 || weights->w[i] > 100.0) return false;
    /* exponents of e stay small; a decay of 0 would divide by zero */
    return weights->w[5] <= 10.0 && weights->w[8] <= 10.0 && weights->w[10] <= 10.0 &&
           weights->w[14] <= 10.0 && weights->w[17] * (1.0 + weights->w[18]) <= 50.0 &&
           weights->w[9] <= 5.0 && weights->w[12] <= 5.0 && weights->w[13] <= 5.0 &&
           weights->w[19] <= 5.0 && weights->w[7] <= 1.0 && weights->w[20] >= 0.01 &&
           weights->w[20] <= 5.0;
}

const char *fsrs_rating_name(enum fsrs_rating rating)
{
    static const char *const names[] = {"none", "again", "hard", "good", "easy"};
    CHECK(rating >= RATING_NONE && rating <= RATING_EASY);
    return names[rating];
}
