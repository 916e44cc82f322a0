#include "train/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct schedule base = {
    .kind = SCHEDULE_COSINE, .peak = 1, .least = 0.1, .warm_up = 10, .steps = 110, .decay = 20};

static void near(double a, double b) { assert_true(fabs(a - b) < 1e-12); }

static void warm_up_climbs_straight_to_the_peak(void **state)
{
    (void)state;
    for (int kind = 0; kind < SCHEDULE_COUNT; kind++) {
        struct schedule schedule = base;
        schedule.kind = (enum schedule_kind)kind;
        near(schedule_rate(&schedule, 0), 1.0 / 11);
        near(schedule_rate(&schedule, 9), 10.0 / 11);
        near(schedule_rate(&schedule, 10), 1);
    }
}

static void each_kind_ends_where_it_says(void **state)
{
    (void)state;
    struct schedule schedule = base;
    near(schedule_rate(&schedule, 60), 0.55); /* half of the wave */
    near(schedule_rate(&schedule, 110), 0.1);
    near(schedule_rate(&schedule, 100000), 0.1);
    schedule.kind = SCHEDULE_LINEAR;
    near(schedule_rate(&schedule, 60), 0.55);
    near(schedule_rate(&schedule, 35), 1 - 0.9 * 0.25);
    near(schedule_rate(&schedule, 110), 0.1);
    schedule.kind = SCHEDULE_WSD;
    near(schedule_rate(&schedule, 90), 1);
    near(schedule_rate(&schedule, 100), 0.55);
    near(schedule_rate(&schedule, 110), 0.1);
    schedule.kind = SCHEDULE_INVERSE;
    near(schedule_rate(&schedule, 40), 0.5);
    near(schedule_rate(&schedule, 1000000), 0.1);
    schedule.kind = SCHEDULE_CONSTANT;
    near(schedule_rate(&schedule, 1000), 1);
}

static void without_warm_up_it_begins_at_the_peak(void **state)
{
    (void)state;
    for (int kind = 0; kind < SCHEDULE_COUNT; kind++) {
        struct schedule schedule = base;
        schedule.kind = (enum schedule_kind)kind;
        schedule.warm_up = 0;
        near(schedule_rate(&schedule, 0), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_up_climbs_straight_to_the_peak),
        cmocka_unit_test(each_kind_ends_where_it_says),
        cmocka_unit_test(without_warm_up_it_begins_at_the_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
