#include "progress/review.h"

#include <math.h>

#include "bench.h"

static void add(struct bench *bench, const char *item, int64_t when, enum fsrs_rating rating)
{
    struct error err = {0};
    assert_int_equal(database_begin(bench->progress->database, &err), STATUS_OK);
    const enum status status = review_add(bench->progress, item, NULL, when, rating, &err);
    if (database_end(bench->progress->database, status, &err)) fail_msg("%s", err.message);
}

static void the_log_gives_the_published_memory(void **state)
{
    struct bench *bench = *state;
    static const int ratings[] = {1, 3, 3, 3, 3, 3}, days[] = {0, 0, 1, 3, 8, 21};
    int64_t when = NOON;
    for (int i = 0; i < 6; i++) {
        when += days[i] * DAY + MINUTE;
        add(bench, "drill/01", when, (enum fsrs_rating)ratings[i]);
    }
    struct review_memory memory;
    assert_int_equal(review_memory(&memory, bench->progress, "drill/01", 0.9, NULL), STATUS_OK);
    assert_int_equal(memory.reviews, 6);
    assert_true(fabs(memory.memory.stability / 53.62691 - 1) < 1e-5);
    assert_true(fabs(memory.memory.difficulty / 6.3574867 - 1) < 1e-5);
    assert_true(memory.last_day == day_of(when) && memory.due_day == day_of(when) + 54);

    struct review *rows;
    int n;
    assert_int_equal(review_list(&rows, &n, bench->progress, NULL, NULL), STATUS_OK);
    assert_int_equal(n, 6);
    assert_true(rows[0].elapsed_days == -1 && rows[0].before.stability == 0);
    assert_true(rows[1].elapsed_days == 0 && rows[5].elapsed_days == 21);
    for (int i = 1; i < n; i++)
        assert_true(rows[i].before.stability == rows[i - 1].after.stability);
    free(rows);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review WHERE algo = 'fsrs-6' AND"
                                      " json_array_length(weights) = 21"),
                     6);
}

static void an_evening_and_the_morning_after_are_different_days(void **state)
{
    struct bench *bench = *state;
    add(bench, "drill/01", NOON + 11 * HOUR, RATING_GOOD); /* 23:00 */
    add(bench, "drill/01", NOON + 14 * HOUR, RATING_GOOD); /* 02:00, same evening */
    add(bench, "drill/01", NOON + 20 * HOUR, RATING_GOOD); /* 08:00 */
    struct review *rows;
    int n;
    assert_int_equal(review_list(&rows, &n, bench->progress, "drill/01", NULL), STATUS_OK);
    assert_int_equal(n, 3);
    assert_true(rows[1].elapsed_days == 0);
    assert_true(rows[2].elapsed_days == 1);
    free(rows);
}

static void what_was_never_seen_has_no_memory(void **state)
{
    struct bench *bench = *state;
    struct review_memory memory;
    double recall;
    assert_int_equal(review_memory(&memory, bench->progress, "drill/01", 0.9, NULL), STATUS_OK);
    assert_int_equal(memory.reviews, 0);
    assert_true(review_recall(&memory, 20000) == -1.0);
    assert_int_equal(review_recall_on(&recall, bench->progress, "drill/01", 20000, NULL),
                     STATUS_OK);
    assert_true(recall == -1.0);
}

static void recall_on_a_date_falls_with_the_date(void **state)
{
    struct bench *bench = *state;
    double today, due, later;
    add(bench, "drill/01", NOON, RATING_EASY);
    const int64_t day = day_of(NOON);
    assert_int_equal(review_recall_on(&today, bench->progress, "drill/01", day, NULL), STATUS_OK);
    assert_int_equal(review_recall_on(&due, bench->progress, "drill/01", day + 8, NULL), STATUS_OK);
    assert_int_equal(review_recall_on(&later, bench->progress, "drill/01", day + 30, NULL),
                     STATUS_OK);
    assert_true(today == 1.0 && due < 0.91 && due > 0.89 && later < 0.83);
}

static void a_changed_log_is_noticed_and_replayed(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    for (int i = 0; i < 4; i++) add(bench, "drill/01", NOON + i * 3 * DAY, RATING_GOOD);
    add(bench, "drill/02", NOON, RATING_GOOD);
    assert_int_equal(review_verify(bench->progress, &err), STATUS_OK);
    assert_int_equal(database_execute(bench->progress->database,
                                      "UPDATE review SET rating = 1 WHERE id = (SELECT id FROM"
                                      " review WHERE item = 'drill/01' ORDER BY reviewed_ms LIMIT 1"
                                      " OFFSET 1)",
                                      &err),
                     STATUS_OK);
    assert_int_equal(review_verify(bench->progress, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "drill/01"));
    assert_int_equal(database_begin(bench->progress->database, &err), STATUS_OK);
    assert_int_equal(database_end(bench->progress->database,
                                  review_replay(bench->progress, "drill/01", &err), &err),
                     STATUS_OK);
    assert_int_equal(review_verify(bench->progress, &err), STATUS_OK);
}

static void a_rating_can_be_lowered_and_never_raised(void **state)
{
    struct bench *bench = *state;
    struct review_memory good, hard;
    const char *item = "card/softmax-shift";
    assert_int_equal(review_lower(bench->progress, item, RATING_HARD, NULL), STATUS_NOT_FOUND);
    assert_int_equal(review_keep(bench->progress, item, NOON - 9 * DAY, RATING_GOOD, NULL),
                     STATUS_OK);
    assert_int_equal(review_keep(bench->progress, item, NOON, RATING_GOOD, NULL), STATUS_OK);
    assert_int_equal(review_memory(&good, bench->progress, item, 0.9, NULL), STATUS_OK);
    assert_int_equal(review_lower(bench->progress, item, RATING_EASY, NULL), STATUS_USAGE);
    assert_int_equal(review_lower(bench->progress, item, RATING_HARD, NULL), STATUS_OK);
    assert_int_equal(review_memory(&hard, bench->progress, item, 0.9, NULL), STATUS_OK);
    assert_true(hard.memory.stability < good.memory.stability && hard.reviews == 2);
    assert_int_equal(review_verify(bench->progress, NULL), STATUS_OK);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review WHERE rating = 2"
                                      " AND derived = 3"),
                     1);
    /* lowered once, it may go back to what was derived, not above */
    assert_int_equal(review_lower(bench->progress, item, RATING_GOOD, NULL), STATUS_OK);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_log_gives_the_published_memory),
        TEST(an_evening_and_the_morning_after_are_different_days),
        TEST(what_was_never_seen_has_no_memory),
        TEST(recall_on_a_date_falls_with_the_date),
        TEST(a_changed_log_is_noticed_and_replayed),
        TEST(a_rating_can_be_lowered_and_never_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
