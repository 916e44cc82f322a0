/* fsrs.h -- FSRS-6: how long a memory lasts, and what a review does to it.
 *
 *   stability S    days until recall has fallen to 90 %
 *   difficulty D   1 (easy) .. 10 (hard)
 *   rating G       1 Again, 2 Hard, 3 Good, 4 Easy
 *
 *   recall         R(t,S) = (1 + factor t/S)^decay     decay = -w20, factor = 0.9^(1/decay) - 1
 *   interval       S/factor (r^(1/decay) - 1), rounded, 1 .. 36500 days
 *
 * Pure arithmetic in double: no clock, no state, no steps, no fuzz. New stability and new
 * difficulty are both computed from the old ones.
 * Source: the FSRS-6 algorithm of Open Spaced Repetition; same-day reviews follow the newer rule
 *         (Hard never shortens).
 * Tests: tests/progress/fsrs_test.c (both published vectors)
 */
#ifndef PROGRESS_FSRS_H
#define PROGRESS_FSRS_H

#include <stdbool.h>

#define FSRS_ALGO "fsrs-6"

enum { FSRS_WEIGHTS = 21, FSRS_INTERVAL_LIMIT = 36500 };

enum fsrs_rating { RATING_NONE, RATING_AGAIN, RATING_HARD, RATING_GOOD, RATING_EASY };

struct fsrs_weights {
    double w[FSRS_WEIGHTS];
};

struct fsrs_memory {
    double stability; /* 0: never reviewed */
    double difficulty;
};

extern const struct fsrs_weights fsrs_default;

double fsrs_recall(const struct fsrs_weights *weights, double stability, double days);
int fsrs_interval(const struct fsrs_weights *weights, double stability, double retention);

/* The memory after a review `days` after the one before (ignored at the first). */
struct fsrs_memory fsrs_review(const struct fsrs_weights *weights, struct fsrs_memory before,
                               enum fsrs_rating rating, double days);

/* The formulas by themselves. */
double fsrs_first_stability(const struct fsrs_weights *weights, enum fsrs_rating rating);
double fsrs_first_difficulty(const struct fsrs_weights *weights, enum fsrs_rating rating);
double fsrs_next_difficulty(const struct fsrs_weights *weights, double difficulty,
                            enum fsrs_rating rating);
double fsrs_recalled(const struct fsrs_weights *weights, struct fsrs_memory before, double recall,
                     enum fsrs_rating rating);
double fsrs_forgotten(const struct fsrs_weights *weights, struct fsrs_memory before, double recall);
double fsrs_same_day(const struct fsrs_weights *weights, double stability, enum fsrs_rating rating);

/* All finite, and signs and sizes such that the formulas stay finite. */
bool fsrs_weights_valid(const struct fsrs_weights *weights);

const char *fsrs_rating_name(enum fsrs_rating rating); /* "again"; "none" */

#endif
