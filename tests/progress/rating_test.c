#include "progress/rating.h"

#include "bench.h"

static void the_table_of_ratings_holds(void **state)
{
    (void)state;
    const int64_t budget = 20 * MINUTE, limit = 12 * MINUTE; /* 60 % */
    const struct {
        struct rating_facts facts; /* rehearsal, passed, hints, submissions, our faults, elapsed */
        enum fsrs_rating rating;
    } rows[] = {
        {{false, false, 0, 1, 0, 0, budget}, RATING_AGAIN},
        {{false, false, 0, 0, 0, 0, budget}, RATING_AGAIN}, /* nothing submitted */
        {{false, false, 2, 5, 1, 0, budget}, RATING_AGAIN},
        {{false, false, 0, 0, 3, 0, budget}, RATING_NONE}, /* only our faults */
        {{false, true, 1, 1, 0, MINUTE, budget}, RATING_HARD},
        {{false, true, 0, 1, 0, budget + 1, budget}, RATING_HARD},
        {{false, true, 3, 9, 0, budget + 1, budget}, RATING_HARD},
        {{false, true, 0, 1, 0, budget, budget}, RATING_GOOD}, /* zero is in time */
        {{false, true, 0, 1, 0, limit, budget}, RATING_GOOD},
        {{false, true, 0, 1, 0, limit - 1, budget}, RATING_EASY},
        {{false, true, 0, 2, 0, limit - 1, budget}, RATING_GOOD}, /* not the first submission */
        {{false, true, 0, 1, 4, MINUTE, budget}, RATING_EASY}, /* our faults are not submissions */
        {{true, true, 0, 1, 0, MINUTE, budget}, RATING_NONE},
        {{true, false, 0, 1, 0, MINUTE, budget}, RATING_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rating_derive(&rows[i].facts) != rows[i].rating)
            fail_msg("row %zu: %s", i, fsrs_rating_name(rating_derive(&rows[i].facts)));
}

/* Sit `drill`: wait, submit the verdicts in order a minute apart, end. */
static enum fsrs_rating sit(struct bench *bench, const char *drill, int hints, int64_t minutes,
                            const enum attempt_verdict *verdicts, int n, bool give_up)
{
    static char sitting[ID_SIZE];
    int used;
    memcpy(sitting, bench_sit(bench, drill, false, 1.0), ID_SIZE);
    for (int i = 0; i < hints; i++)
        assert_int_equal(sitting_hint(bench->progress, sitting, &used, NULL), STATUS_OK);
    bench->clock.now_ms += minutes * MINUTE;
    for (int i = 0; i < n; i++) {
        bench_submit(bench, sitting, verdicts[i]);
        bench->clock.now_ms += MINUTE;
    }
    if (give_up) assert_int_equal(sitting_give_up(bench->progress, sitting, NULL), STATUS_OK);
    return bench_rating(bench, sitting);
}

static void whole_sittings_are_rated_by_it(void **state)
{
    struct bench *bench = *state;
    const enum attempt_verdict pass[] = {ATTEMPT_PASS};
    const enum attempt_verdict later[] = {ATTEMPT_FAIL, ATTEMPT_LIMIT, ATTEMPT_PASS};
    const enum attempt_verdict ours[] = {ATTEMPT_ERROR, ATTEMPT_UNAVAILABLE, ATTEMPT_PASS};
    assert_int_equal(sit(bench, "01", 0, 5, pass, 1, false), RATING_EASY);
    assert_int_equal(sit(bench, "02", 0, 13, pass, 1, false), RATING_GOOD);
    assert_int_equal(sit(bench, "03", 0, 2, later, 3, false), RATING_GOOD);
    assert_int_equal(sit(bench, "04", 1, 2, pass, 1, false), RATING_HARD);
    assert_int_equal(sit(bench, "05", 0, 21, pass, 1, false), RATING_HARD);
    assert_int_equal(sit(bench, "06", 0, 2, later, 2, true), RATING_AGAIN);
    assert_int_equal(sit(bench, "07", 0, 2, NULL, 0, true), RATING_AGAIN);
    assert_int_equal(sit(bench, "08", 0, 2, ours, 3, false), RATING_EASY);
    assert_int_equal(sit(bench, "09", 0, 2, ours, 2, true), RATING_NONE);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 8);
}

static void a_rating_can_be_lowered_and_never_raised(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    char sitting[ID_SIZE];
    memcpy(sitting, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    bench->clock.now_ms += 15 * MINUTE;
    bench_submit(bench, sitting, ATTEMPT_PASS);
    assert_int_equal(bench_rating(bench, sitting), RATING_GOOD);
    bench->clock.now_ms += 3 * DAY;
    bench_submit(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_PASS); /* a later review */
    struct review_memory before, after;
    assert_int_equal(review_memory(&before, bench->progress, "drill/01", 0.9, NULL), STATUS_OK);

    assert_int_equal(rating_lower(bench->progress, sitting, RATING_EASY, &err), STATUS_USAGE);
    assert_int_equal(rating_lower(bench->progress, sitting, RATING_GOOD, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "rated good"));
    assert_int_equal(rating_lower(bench->progress, sitting, RATING_HARD, &err), STATUS_OK);
    assert_int_equal(bench_rating(bench, sitting), RATING_HARD);
    assert_int_equal(rating_lower(bench->progress, sitting, RATING_GOOD, &err), STATUS_USAGE);
    assert_int_equal(rating_lower(bench->progress, "no-such", RATING_AGAIN, &err),
                     STATUS_NOT_FOUND);

    /* what came after is replayed, what was derived is kept */
    assert_int_equal(review_memory(&after, bench->progress, "drill/01", 0.9, NULL), STATUS_OK);
    assert_true(after.memory.stability < before.memory.stability);
    assert_int_equal(review_verify(bench->progress, NULL), STATUS_OK);
    assert_int_equal(bench_ask(bench, "SELECT derived FROM review ORDER BY reviewed_ms"),
                     RATING_GOOD);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_table_of_ratings_holds),
        TEST(whole_sittings_are_rated_by_it),
        TEST(a_rating_can_be_lowered_and_never_raised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
