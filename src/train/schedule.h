/* schedule.h -- the learning rate at each step: a function of the step alone, so resuming needs no state.
 *
 *   rate                         warm-up, then
 *   peak   /-------.   wsd       constant   peak
 *         /  \      \            linear     down to `least` at `steps`
 *        /     `-.   \           cosine     half a wave down to `least`
 *       /  cosine  `--\  least   wsd        peak, then in the last `decay` steps linearly to `least`
 *                    steps       inverse    peak * sqrt(warm_up / step)
 *
 * Source: nanoGPT for warm-up and cosine; Hu et al. 2024 (arXiv:2404.06395) for warm-up, stable,
 *         decay; Vaswani et al. 2017 for the inverse root.
 * Tests: tests/train/schedule_test.c
 */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stdint.h>

enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_LINEAR,
    SCHEDULE_COSINE,
    SCHEDULE_WSD,
    SCHEDULE_INVERSE,
    SCHEDULE_COUNT
};
extern const char *const schedule_names[]; /* "constant", "linear", ...; ends with NULL */

struct schedule {
    enum schedule_kind kind;
    double peak, least;
    int64_t warm_up; /* steps that climb; 0: none */
    int64_t steps;   /* in all; from there on `least` */
    int64_t decay;   /* wsd: how many at the end go down */
};

/* step counts from 0. Warm-up reaches the peak at step `warm_up`, and is never 0. */
double schedule_rate(const struct schedule *schedule, int64_t step);

#endif
