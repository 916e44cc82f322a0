#include "progress/fsrs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

/* The published numbers were computed in single precision. */
static const double tolerance = 1e-5;

static void assert_close(double got, double expected)
{
    if (!(fabs(got - expected) <= tolerance * fabs(expected)))
        fail_msg("got %.9g, published %.9g", got, expected);
}

#define W (&fsrs_default)

static void first_difficulties_are_the_published_ones(void **state)
{
    (void)state;
    static const double expected[] = {6.4133, 5.11217071, 2.11810397, 1.0};
    static const double stability[] = {0.212, 1.2931, 2.3065, 8.2956};
    for (int g = 1; g <= 4; g++) {
        assert_close(fsrs_first_difficulty(W, (enum fsrs_rating)g), expected[g - 1]);
        assert_close(fsrs_first_stability(W, (enum fsrs_rating)g), stability[g - 1]);
    }
}

static void next_difficulties_are_the_published_ones(void **state)
{
    (void)state;
    static const double expected[] = {8.341763, 6.6659956, 4.990228, 3.3144615};
    for (int g = 1; g <= 4; g++)
        assert_close(fsrs_next_difficulty(W, 5.0, (enum fsrs_rating)g), expected[g - 1]);
}

static void stabilities_are_the_published_ones(void **state)
{
    (void)state;
    static const double recalled[] = {25.602541, 28.226582, 58.656002, 127.226685};
    static const double forgotten[] = {1.0525396, 1.1894329, 1.3680838, 1.584989};
    static const double same_day[] = {1.596818, 5.0, 5.0, 8.12961};
    static const double recall[] = {0.9, 0.8, 0.7, 0.6};
    for (int g = 1; g <= 4; g++) {
        const struct fsrs_memory before = {5.0, g};
        assert_close(fsrs_recalled(W, before, recall[g - 1], (enum fsrs_rating)g), recalled[g - 1]);
        assert_close(fsrs_forgotten(W, before, recall[g - 1]), forgotten[g - 1]);
        assert_close(fsrs_same_day(W, 5.0, (enum fsrs_rating)g), same_day[g - 1]);
    }
}

static void the_published_history_gives_its_memory(void **state)
{
    (void)state;
    static const int ratings[] = {1, 3, 3, 3, 3, 3}, days[] = {0, 0, 1, 3, 8, 21};
    struct fsrs_memory memory = {0};
    for (int i = 0; i < 6; i++)
        memory = fsrs_review(W, memory, (enum fsrs_rating)ratings[i], days[i]);
    assert_close(memory.stability, 53.62691);
    assert_close(memory.difficulty, 6.3574867);
}

/* ---- whole schedules ---- */

static const int ratings[] = {3, 3, 3, 3, 3, 3, 1, 1, 3, 3, 3, 3, 3};
enum { N_RATINGS = sizeof ratings / sizeof ratings[0] };

static void without_steps_the_published_intervals_follow(void **state)
{
    (void)state;
    static const int expected[] = {2, 11, 46, 163, 497, 1346, 9, 1, 2, 4, 7, 13, 22};
    struct fsrs_memory memory = {0};
    int interval = 0;
    for (int i = 0; i < N_RATINGS; i++) {
        memory = fsrs_review(W, memory, (enum fsrs_rating)ratings[i], interval);
        interval = fsrs_interval(W, memory.stability, 0.9);
        assert_int_equal(interval, expected[i]);
    }
}

/* A scheduler with learning steps of 1 and 10 minutes and a relearning step of 10, around the same
 * formulas. Reviews happen when due; days between them are counted whole. */
struct stepper {
    enum { LEARNING, REVIEWING, RELEARNING } phase;
    int step;
    struct fsrs_memory memory;
    double minutes, last_minutes;
};

static double step_review(struct stepper *card, enum fsrs_rating rating)
{
    static const double learning[] = {1, 10}, relearning[] = {10};
    const double days = floor((card->minutes - card->last_minutes) / 1440.0);
    card->memory = fsrs_review(W, card->memory, rating, days);
    card->last_minutes = card->minutes;

    const double *steps = card->phase == RELEARNING ? relearning : learning;
    const int n_steps = card->phase == RELEARNING ? 1 : 2;
    double wait;
    if (card->phase == REVIEWING) {
        if (rating == RATING_AGAIN) {
            card->phase = RELEARNING;
            card->step = 0;
            wait = relearning[0];
        } else {
            wait = 1440.0 * fsrs_interval(W, card->memory.stability, 0.9);
        }
    } else if (rating == RATING_AGAIN) {
        card->step = 0;
        wait = steps[0];
    } else if (rating == RATING_GOOD && card->step + 1 < n_steps) {
        wait = steps[++card->step];
    } else {
        card->phase = REVIEWING;
        wait = 1440.0 * fsrs_interval(W, card->memory.stability, 0.9);
    }
    card->minutes += wait;
    return wait;
}

static void with_steps_the_published_intervals_follow(void **state)
{
    (void)state;
    static const int expected[] = {0, 2, 11, 46, 163, 498, 0, 0, 2, 4, 7, 12, 21};
    struct stepper card = {0};
    for (int i = 0; i < N_RATINGS; i++) {
        const double wait = step_review(&card, (enum fsrs_rating)ratings[i]);
        assert_int_equal((int)floor(wait / 1440.0), expected[i]);
    }
}

/* ---- properties ---- */

static void recall_starts_whole_and_is_ninety_percent_after_its_stability(void **state)
{
    (void)state;
    for (double s = 0.01; s < 30000; s *= 3) {
        assert_close(fsrs_recall(W, s, 0), 1.0);
        assert_close(fsrs_recall(W, s, s), 0.9);
        assert_true(fsrs_recall(W, s, 2 * s) < 0.9);
        assert_true(fsrs_recall(W, s, -5) == 1.0); /* a clock set back */
    }
    assert_int_equal(fsrs_interval(W, 100.0, 0.9), 100);
    assert_int_equal(fsrs_interval(W, 0.001, 0.9), 1);
    assert_int_equal(fsrs_interval(W, 36500.0, 0.7), 36500);
    assert_true(fsrs_interval(W, 100.0, 0.95) < 100);
}

static void memory_stays_within_its_bounds_whatever_happens(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, 0);
    for (int run = 0; run < 200; run++) {
        struct fsrs_memory memory = {0};
        for (int i = 0; i < 100; i++) {
            const double days = rng_below(&rng, 4) == 0 ? 0 : (double)rng_below(&rng, 40000);
            const enum fsrs_rating rating = (enum fsrs_rating)rng_between(&rng, 1, 4);
            const struct fsrs_memory before = memory;
            memory = fsrs_review(W, memory, rating, days);
            assert_true(memory.stability >= 0.001 && memory.stability <= 36500);
            assert_true(memory.difficulty >= 1 && memory.difficulty <= 10);
            if (before.stability > 0 && rating == RATING_AGAIN)
                assert_true(memory.stability <= before.stability);
            if (before.stability > 0 && rating != RATING_AGAIN)
                assert_true(memory.stability >= before.stability);
        }
    }
}

static void weights_that_would_break_the_formulas_are_refused(void **state)
{
    (void)state;
    assert_true(fsrs_weights_valid(W));
    for (int i = 0; i < FSRS_WEIGHTS; i++) {
        static const double bad[] = {NAN, INFINITY, -1.0, 1e9};
        for (int k = 0; k < 4; k++) {
            struct fsrs_weights weights = fsrs_default;
            weights.w[i] = bad[k];
            assert_false(fsrs_weights_valid(&weights));
        }
    }
    struct fsrs_weights flat = fsrs_default;
    flat.w[20] = 0;
    assert_false(fsrs_weights_valid(&flat));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_difficulties_are_the_published_ones),
        cmocka_unit_test(next_difficulties_are_the_published_ones),
        cmocka_unit_test(stabilities_are_the_published_ones),
        cmocka_unit_test(the_published_history_gives_its_memory),
        cmocka_unit_test(without_steps_the_published_intervals_follow),
        cmocka_unit_test(with_steps_the_published_intervals_follow),
        cmocka_unit_test(recall_starts_whole_and_is_ninety_percent_after_its_stability),
        cmocka_unit_test(memory_stays_within_its_bounds_whatever_happens),
        cmocka_unit_test(weights_that_would_break_the_formulas_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
