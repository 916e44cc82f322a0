#include "progress/settings.h"

#include "base/file.h"
#include "bench.h"

static void unset_they_are_the_defaults(void **state)
{
    struct bench *bench = *state;
    struct settings settings;
    assert_int_equal(settings_load(&settings, bench->progress, NULL), STATUS_OK);
    assert_string_equal(settings.language, "");
    assert_true(settings.interview_day == DAY_NONE);
    assert_true(settings.time_factor == 1.0 && settings.retention == 0.9);
    assert_string_equal(settings.python, "");
    assert_int_equal(settings.daily_minutes, 60);
    assert_int_equal(settings.weekly_sittings, 5);
    for (int i = 0; setting_names[i]; i++) {
        char *text = settings_text(&settings, setting_names[i]);
        assert_non_null(text);
        free(text);
    }
    assert_null(settings_text(&settings, "colour"));
    settings_done(&settings);
}

static void what_is_set_stays_and_an_empty_value_unsets(void **state)
{
    struct bench *bench = *state;
    struct settings settings;
    static const char *const values[][2] = {{"language", "es"},
                                            {"interview-date", "2026-12-24"},
                                            {"time_factor", "1.5"},
                                            {"python", "/bin/sh"},
                                            {"editor", "vi -u NONE"},
                                            {"daily-minutes", "45"},
                                            {"desired-retention", "0.85"},
                                            {"weekly-sittings", "3"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct error err = {0};
        if (settings_set(bench->progress, values[i][0], values[i][1], &err))
            fail_msg("%s", err.message);
    }
    bench_reopen(bench);
    assert_int_equal(settings_load(&settings, bench->progress, NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char *text = settings_text(&settings, setting_names[i]);
        assert_string_equal(text, values[i][1]);
        free(text);
    }
    settings_done(&settings);
    assert_int_equal(settings_set(bench->progress, "language", "", NULL), STATUS_OK);
    assert_int_equal(settings_set(bench->progress, "daily-minutes", "", NULL), STATUS_OK);
    assert_int_equal(settings_load(&settings, bench->progress, NULL), STATUS_OK);
    assert_string_equal(settings.language, "");
    assert_int_equal(settings.daily_minutes, 60);
    settings_done(&settings);
}

static void wrong_values_are_refused_with_what_would_be_right(void **state)
{
    struct bench *bench = *state;
    static const char *const wrong[][3] = {
        {"language", "de", "en nor es"},
        {"language", "español", "en nor es"},
        {"interview-date", "2026-02-30", "2026-12-01"},
        {"interview-date", "tomorrow", "2026-12-01"},
        {"interview-date", "2026-11-22", "has passed (today is 2026-11-23)"},
        {"time-factor", "0.01", "0.02 to 3"},
        {"time-factor", "3.1", "0.02 to 3"},
        {"time-factor", "inf", "0.02 to 3"},
        {"time-factor", "0x1", "0.02 to 3"},
        {"time-factor", "1.2.3", "0.02 to 3"},
        {"python", "python3", "absolute path"},
        {"python", "/nonexistent/python3", "No such file"},
        {"python", "/etc", "not a program"},
        {"python", "/etc/passwd", "not a program"},
        {"editor", "a\nb", "one line"},
        {"daily-minutes", "4", "5 to 600"},
        {"daily-minutes", "60 ", "5 to 600"},
        {"daily-minutes", "99999999999999999999", "5 to 600"},
        {"desired-retention", "1", "0.7 to 0.97"},
        {"desired-retention", "nan", "0.7 to 0.97"},
        {"weekly-sittings", "-1", "0 to 50"},
        {"colour", "red", "language, interview-date"},
        {"colour", "", "language, interview-date"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error err = {0};
        assert_int_equal(settings_set(bench->progress, wrong[i][0], wrong[i][1], &err),
                         STATUS_USAGE);
        if (!strstr(err.message, wrong[i][2]) || !text_starts_with(err.message, wrong[i][0]))
            fail_msg("%s %s: %s", wrong[i][0], wrong[i][1], err.message);
    }
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM setting"), 0);
    assert_int_equal(settings_set(bench->progress, "interview-date", "2026-11-23", NULL),
                     STATUS_OK);
}

static void the_language_is_read_without_opening_the_rest(void **state)
{
    struct bench *bench = *state;
    char language[3];
    settings_language(language, bench->folder);
    assert_string_equal(language, "");
    assert_int_equal(settings_set(bench->progress, "language", "es", NULL), STATUS_OK);
    settings_language(language, bench->folder); /* while it is open elsewhere */
    assert_string_equal(language, "es");

    /* what opening would do to a sitting or an attempt is not done */
    const char *id = bench_begin(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_SUBMIT);
    char *sql = text_printf("UPDATE attempt SET owner = '- 1 1' WHERE id = '%s'", id);
    assert_int_equal(database_execute(bench->progress->database, sql, NULL), STATUS_OK);
    free(sql);
    settings_language(language, bench->folder);
    assert_string_equal(language, "es");
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE state = 'grading'"), 1);

    char *nowhere = path_join(bench->folder, "nowhere");
    settings_language(language, nowhere);
    assert_string_equal(language, "");
    assert_false(file_exists(nowhere));
    free(nowhere);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(unset_they_are_the_defaults),
        TEST(what_is_set_stays_and_an_empty_value_unsets),
        TEST(the_language_is_read_without_opening_the_rest),
        TEST(wrong_values_are_refused_with_what_would_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
