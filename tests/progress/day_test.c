#include "progress/day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void dates_and_numbers_agree_on_every_day(void **state)
{
    (void)state;
    char text[16];
    for (int64_t day = 0; day < 60000; day++) { /* to 2134, over 2000 and 2100 */
        int64_t back;
        const time_t moment = (time_t)(day * 86400);
        struct tm parts;
        char expected[16];
        gmtime_r(&moment, &parts);
        strftime(expected, sizeof expected, "%Y-%m-%d", &parts);
        assert_string_equal(day_text(text, day), expected);
        assert_true(day_parse(text, &back));
        assert_true(back == day);
    }
    assert_string_equal(day_text(text, DAY_NONE), "");
}

static void only_real_dates_are_dates(void **state)
{
    (void)state;
    int64_t day;
    static const char *const wrong[] = {
        "",           "2026-02-30", "2025-02-29",  "2026-13-01", "2026-00-10", "2026-1-01",
        "2026/01/01", "26-01-01",   "2026-01-01 ", " 2026-01-0", "1969-12-31", "2026-04-31",
        "abcd-ef-gh", "2026-01-32", "+026-01-01",  "2100-02-29"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(day_parse(wrong[i], &day));
    assert_true(day_parse("2028-02-29", &day));
    assert_true(day_parse("2000-02-29", &day));
    assert_true(day_parse("9999-12-31", &day));
    assert_true(day == 2932896); /* the tables' limit */
}

static void a_day_of_practice_ends_at_four_in_the_morning(void **state)
{
    (void)state;
    int64_t day;
    assert_true(day_parse("2026-11-23", &day));
    const int64_t midnight = day * 86400000, hour = 3600000;
    assert_true(day_of(midnight + 12 * hour) == day);
    assert_true(day_of(midnight + 24 * hour) == day);     /* midnight */
    assert_true(day_of(midnight + 28 * hour - 1) == day); /* 03:59:59.999 */
    assert_true(day_of(midnight + 28 * hour) == day + 1);
    assert_true(day_of(midnight + 3 * hour) == day - 1);

    /* the user's evening, not Greenwich's */
    setenv("TZ", "XXX8", 1); /* eight hours behind */
    tzset();
    assert_true(day_of(midnight + 11 * hour) == day - 1);
    assert_true(day_of(midnight + 12 * hour) == day);
    setenv("TZ", "UTC", 1);
    tzset();
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_and_numbers_agree_on_every_day),
        cmocka_unit_test(only_real_dates_are_dates),
        cmocka_unit_test(a_day_of_practice_ends_at_four_in_the_morning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
