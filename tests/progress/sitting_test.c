#include "progress/sitting.h"

#include "bench.h"

static struct sitting load(struct bench *bench, const char *id)
{
    struct sitting sitting;
    struct error err = {0};
    if (sitting_load(&sitting, bench->progress, id, &err)) fail_msg("%s", err.message);
    return sitting;
}

static struct sitting_time time_now(struct bench *bench, const char *id)
{
    struct sitting sitting = load(bench, id);
    const struct sitting_time time = sitting_time(&sitting, bench->clock.now_ms);
    sitting_done(&sitting);
    return time;
}

static void what_was_started_is_stored(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", true, 1.5);
    bench_reopen(bench);
    struct sitting sitting = load(bench, id);
    assert_string_equal(sitting.drill, "01");
    assert_string_equal(sitting.lane, "c");
    assert_string_equal(sitting.mode, "blank");
    assert_string_equal(sitting.path, "/home/x/attention.c");
    assert_true(sitting.exam);
    assert_true(sitting.seed == -1 && sitting.time_factor == 1.5);
    assert_true(sitting.started_ms == NOON && sitting.deadline_ms == NOON + 30 * MINUTE);
    assert_int_equal(sitting.state, SITTING_RUNNING);
    assert_false(sitting_is_rehearsal(&sitting));
    sitting_done(&sitting);

    bool found;
    assert_int_equal(sitting_running(&sitting, &found, bench->progress, "01", NULL), STATUS_OK);
    assert_true(found);
    sitting_done(&sitting);
    assert_int_equal(sitting_running(&sitting, &found, bench->progress, NULL, NULL), STATUS_OK);
    assert_true(found);
    sitting_done(&sitting);
    assert_int_equal(sitting_running(&sitting, &found, bench->progress, "02", NULL), STATUS_OK);
    assert_false(found);
    assert_int_equal(sitting_load(&sitting, bench->progress, "none", NULL), STATUS_NOT_FOUND);
}

static void the_clock_runs_on_across_restarts_and_stands_in_pauses(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", false, 1.0);

    bench->clock.now_ms += 5 * MINUTE;
    bench_reopen(bench);
    assert_true(time_now(bench, id).elapsed_ms == 5 * MINUTE);
    assert_int_equal(sitting_pause(bench->progress, id, NULL), STATUS_OK);
    assert_int_equal(sitting_pause(bench->progress, id, NULL), STATUS_USAGE);

    bench->clock.now_ms += 3 * DAY; /* paused, even over days and a restart */
    bench_reopen(bench);
    assert_true(time_now(bench, id).paused);
    assert_true(time_now(bench, id).elapsed_ms == 5 * MINUTE);
    assert_int_equal(sitting_resume(bench->progress, id, NULL), STATUS_OK);
    assert_int_equal(sitting_resume(bench->progress, id, NULL), STATUS_USAGE);

    bench->clock.now_ms += 4 * MINUTE;
    assert_int_equal(sitting_pause(bench->progress, id, NULL), STATUS_OK);
    bench->clock.now_ms += HOUR;
    assert_int_equal(sitting_resume(bench->progress, id, NULL), STATUS_OK);
    bench->clock.now_ms += MINUTE;
    bench_reopen(bench);
    struct sitting sitting = load(bench, id);
    assert_true(sitting.pauses_ms == 3 * DAY + HOUR);
    assert_true(sitting.deadline_ms == NOON + 20 * MINUTE + 3 * DAY + HOUR);
    sitting_done(&sitting);
    const struct sitting_time time = time_now(bench, id);
    assert_true(time.elapsed_ms == 10 * MINUTE && time.left_ms == 10 * MINUTE);
    assert_true(time.overtime_ms == 0 && !time.paused);

    bench->clock.now_ms += 12 * MINUTE;
    assert_true(time_now(bench, id).overtime_ms == 2 * MINUTE);
    assert_true(time_now(bench, id).left_ms == 0);
    bench->clock.now_ms = NOON - HOUR; /* the wall clock was set back */
    assert_true(time_now(bench, id).elapsed_ms == 0);
}

static void submitting_while_paused_starts_the_clock_again(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", false, 1.0);
    bench->clock.now_ms += MINUTE;
    assert_int_equal(sitting_pause(bench->progress, id, NULL), STATUS_OK);
    bench->clock.now_ms += HOUR;
    bench_submit(bench, id, ATTEMPT_FAIL);
    bench->clock.now_ms += MINUTE;
    const struct sitting_time time = time_now(bench, id);
    assert_true(time.elapsed_ms == 2 * MINUTE && !time.paused);
}

static void an_exam_has_no_pause_and_no_hint(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    int hints;
    const char *id = bench_sit(bench, "01", true, 1.0);
    assert_int_equal(sitting_pause(bench->progress, id, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "no pause"));
    assert_int_equal(sitting_hint(bench->progress, id, &hints, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "no hints"));

    id = bench_sit(bench, "02", false, 1.0);
    assert_int_equal(sitting_hint(bench->progress, id, &hints, &err), STATUS_OK);
    assert_int_equal(sitting_hint(bench->progress, id, &hints, &err), STATUS_OK);
    assert_int_equal(hints, 2);
}

static void one_sitting_of_a_drill_runs_at_a_time(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    struct sitting sitting;
    const char *id = bench_sit(bench, "01", false, 1.0);
    struct sitting_start start = {.drill = "01",
                                  .lane = "numpy",
                                  .mode = "bugs",
                                  .path = "/x.py",
                                  .seed = 3,
                                  .time_factor = 1,
                                  .minutes = 20};
    assert_int_equal(sitting_begin(&sitting, bench->progress, &start, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "lane c is running since 2026-11-23T12:00:00Z"));

    start.drill = "02"; /* another drill is no conflict */
    assert_int_equal(sitting_begin(&sitting, bench->progress, &start, &err), STATUS_OK);
    assert_true(sitting.seed == 3);
    sitting_done(&sitting);
    start.drill = "01";
    assert_int_equal(sitting_give_up(bench->progress, id, &err), STATUS_OK);
    assert_int_equal(bench_state(bench, id), SITTING_GIVEN_UP);
    assert_int_equal(sitting_give_up(bench->progress, id, &err), STATUS_USAGE);
    assert_int_equal(sitting_begin(&sitting, bench->progress, &start, &err), STATUS_OK);
    sitting_done(&sitting);

    bool found;
    assert_int_equal(sitting_latest(&sitting, &found, bench->progress, "01", NULL), STATUS_OK);
    assert_true(found);
    sitting_done(&sitting);
    struct sitting *list;
    int n;
    assert_int_equal(sitting_list(&list, &n, bench->progress, "01", 0, NULL), STATUS_OK);
    assert_int_equal(n, 2);
    sitting_list_done(list, n);
    assert_int_equal(sitting_list(&list, &n, bench->progress, NULL, 2, NULL), STATUS_OK);
    assert_int_equal(n, 2);
    sitting_list_done(list, n);
}

static void values_out_of_range_start_nothing(void **state)
{
    struct bench *bench = *state;
    const struct sitting_start good = {.drill = "01",
                                       .lane = "c",
                                       .mode = "blank",
                                       .path = "/x.c",
                                       .seed = -1,
                                       .time_factor = 1,
                                       .minutes = 20};
    struct sitting_start wrong[10];
    struct sitting sitting;
    for (int i = 0; i < 10; i++) wrong[i] = good;
    wrong[0].drill = "../01";
    wrong[1].drill = "";
    wrong[2].lane = "rust";
    wrong[3].mode = "ladder";
    wrong[4].time_factor = 0.01;
    wrong[5].time_factor = 3.01;
    wrong[6].minutes = 0;
    wrong[7].minutes = 601;
    wrong[8].path = "";
    wrong[9].seed = -2;
    for (int i = 0; i < 10; i++)
        assert_int_equal(sitting_begin(&sitting, bench->progress, &wrong[i], NULL), STATUS_USAGE);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM sitting"), 0);
}

/* ---- the end ---- */

static void a_pass_ends_it_and_a_fail_does_not(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", false, 1.0);
    bench->clock.now_ms += 5 * MINUTE;
    bench_submit(bench, id, ATTEMPT_FAIL);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    bench->clock.now_ms += 5 * MINUTE;
    const char *passing = bench_begin(bench, id, ATTEMPT_SUBMIT);
    bench->clock.now_ms += MINUTE; /* grading takes its time, the clock is the submission's */
    bench_finish(bench, passing, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    bench->clock.now_ms += HOUR;
    assert_true(time_now(bench, id).elapsed_ms == 10 * MINUTE);

    /* grading again later changes nothing */
    bench_submit(bench, id, ATTEMPT_FAIL);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 1);
    assert_int_equal(bench_ask(bench, "SELECT sum(counts) FROM attempt"), 2);
}

static void a_check_never_counts(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", false, 1.0);
    bench_finish(bench, bench_begin(bench, id, ATTEMPT_CHECK), ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    assert_int_equal(bench_ask(bench, "SELECT sum(counts) FROM attempt"), 0);
}

static void an_exam_ends_at_zero(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", true, 1.0);
    bench->clock.now_ms += 10 * MINUTE;
    bench_submit(bench, id, ATTEMPT_FAIL);
    bench->clock.now_ms = NOON + 20 * MINUTE + 1000; /* within the grace for a snapshot */
    bench_reopen(bench);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    /* ... but a submission of the candidate's own is too late */
    bench_submit(bench, id, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);

    bench->clock.now_ms = NOON + 25 * MINUTE;
    bench_reopen(bench);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING); /* its file was not looked at yet */
    assert_true(bench_no_snapshot(bench, id));
    struct sitting sitting = load(bench, id);
    assert_int_equal(sitting.state, SITTING_FAILED);
    assert_true(sitting.ended_ms == NOON + 20 * MINUTE);
    sitting_done(&sitting);
    assert_int_equal(bench_rating(bench, id), RATING_AGAIN);

    /* overtime is kept and not rated */
    bench_submit(bench, id, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_FAILED);
    assert_int_equal(bench_rating(bench, id), RATING_AGAIN);
    assert_int_equal(bench_ask(bench, "SELECT sum(overtime) FROM attempt"), 2);
    assert_int_equal(bench_ask(bench, "SELECT sum(counts) FROM attempt"), 1);
}

static void the_snapshot_is_what_was_submitted_last_before_zero(void **state)
{
    struct bench *bench = *state;
    char snapshot[ID_SIZE], second[ID_SIZE];
    const char *id = bench_sit(bench, "01", false, 1.0);
    assert_int_equal(sitting_snapshot(snapshot, bench->progress, id, NULL), STATUS_OK);
    assert_string_equal(snapshot, "");
    bench_submit(bench, id, ATTEMPT_FAIL);
    bench->clock.now_ms += 19 * MINUTE;
    memcpy(second, bench_begin(bench, id, ATTEMPT_SUBMIT), ID_SIZE);
    bench_finish(bench, second, ATTEMPT_FAIL);
    bench->clock.now_ms += 30 * 1000;
    bench_finish(bench, bench_begin(bench, id, ATTEMPT_CHECK), ATTEMPT_FAIL);
    bench->clock.now_ms += 10 * MINUTE;
    bench_submit(bench, id, ATTEMPT_FAIL); /* overtime */
    assert_int_equal(sitting_snapshot(snapshot, bench->progress, id, NULL), STATUS_OK);
    assert_string_equal(snapshot, second);
}

static void a_snapshot_taken_at_zero_decides_an_exam(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", true, 1.0);
    bench->clock.now_ms += 20 * MINUTE + 150; /* the watcher wakes a moment late */
    char attempt[ID_SIZE], snapshot[ID_SIZE];
    memcpy(attempt, bench_begin(bench, id, ATTEMPT_SNAPSHOT), ID_SIZE);
    bench->clock.now_ms += MINUTE;
    assert_int_equal(progress_settle(bench->progress, NULL), STATUS_OK);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING); /* its verdict is waited for */
    bench_finish(bench, attempt, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    assert_int_equal(bench_rating(bench, id), RATING_GOOD); /* first submission, but all the time */
    assert_int_equal(sitting_snapshot(snapshot, bench->progress, id, NULL), STATUS_OK);
    assert_string_equal(snapshot, attempt);
}

static void a_snapshot_nobody_took_at_zero_is_taken_later_from_a_file_that_stood_still(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    char snapshot[ID_SIZE], again[ID_SIZE];
    const int64_t zero = NOON + 20 * MINUTE;
    const char *id = bench_sit(bench, "01", true, 1.0);

    bench->clock.now_ms = zero + 5000; /* these are the watcher's */
    assert_int_equal(bench_overdue(bench), 0);
    bench->clock.now_ms = zero + 5001;
    assert_int_equal(bench_overdue(bench), 1);

    bench->clock.now_ms = zero + 3 * DAY; /* and days later, in an exam */
    bench_reopen(bench);
    assert_int_equal(bench_overdue(bench), 1);
    assert_int_equal(bench_snapshot(bench, snapshot, id, zero + 1, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "2026-11-23T12:20:00Z, after zero"));
    assert_int_equal(bench_snapshot(bench, snapshot, id, 0, &err), STATUS_CONFLICT);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt"), 0);
    assert_int_equal(bench_snapshot(bench, snapshot, id, zero, &err), STATUS_OK);
    assert_int_equal(bench_overdue(bench), 0);
    assert_int_equal(bench_snapshot(bench, again, id, zero, &err), STATUS_CONFLICT); /* once */
    assert_non_null(strstr(err.message, "taken already"));

    bench_reopen(bench); /* its verdict is waited for */
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    struct attempt attempt;
    assert_int_equal(attempt_load(&attempt, bench->progress, snapshot, NULL), STATUS_OK);
    assert_true(attempt.counts && !attempt.overtime);
    assert_true(attempt.submitted_ms == zero && attempt.elapsed_ms == 20 * MINUTE);
    attempt_done(&attempt);
    bench_finish(bench, snapshot, ATTEMPT_PASS);
    struct sitting sitting = load(bench, id);
    assert_int_equal(sitting.state, SITTING_PASSED);
    assert_true(sitting.ended_ms == zero);
    sitting_done(&sitting);
    assert_int_equal(bench_rating(bench, id), RATING_GOOD);

    id = bench_sit(bench, "02", true, 1.0); /* one that fails ends the exam, too */
    bench->clock.now_ms += HOUR;
    assert_int_equal(bench_snapshot(bench, snapshot, id, bench->clock.now_ms - HOUR, &err),
                     STATUS_OK);
    bench_finish(bench, snapshot, ATTEMPT_FAIL);
    assert_int_equal(bench_state(bench, id), SITTING_FAILED);
}

static void a_snapshot_in_practice_leaves_the_overtime_open(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    char snapshot[ID_SIZE];
    const char *id = bench_sit(bench, "01", false, 1.0);
    bench->clock.now_ms = NOON + 15 * MINUTE;
    assert_int_equal(bench_snapshot(bench, snapshot, id, NOON, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "not reached zero"));
    bench->clock.now_ms = NOON + HOUR;
    assert_int_equal(bench_snapshot(bench, snapshot, id, NOON + 19 * MINUTE, &err), STATUS_OK);
    bench_finish(bench, snapshot, ATTEMPT_FAIL);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    bench_submit(bench, id, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    assert_int_equal(bench_rating(bench, id), RATING_HARD);

    id = bench_sit(bench, "02", false, 1.0); /* found after the overtime: still the work at zero */
    const int64_t written_ms = bench->clock.now_ms;
    bench->clock.now_ms += 3 * DAY;
    bench_reopen(bench);
    assert_int_equal(bench_snapshot(bench, snapshot, id, written_ms, &err), STATUS_OK);
    bench_finish(bench, snapshot, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    assert_int_equal(bench_rating(bench, id), RATING_GOOD);

    id = bench_sit(bench, "03", false, 1.0); /* a clock that stands reaches nothing */
    assert_int_equal(sitting_pause(bench->progress, id, NULL), STATUS_OK);
    bench->clock.now_ms += 3 * DAY;
    assert_int_equal(bench_overdue(bench), 0);
    assert_int_equal(sitting_give_up(bench->progress, id, NULL), STATUS_OK);
    assert_int_equal(bench_snapshot(bench, snapshot, id, written_ms, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "has ended"));
}

static void a_snapshot_that_cannot_be_graded_here_waits(void **state)
{
    struct bench *bench = *state;
    char snapshot[ID_SIZE];
    const char *id = bench_sit(bench, "01", true, 1.0);
    bench->clock.now_ms += HOUR;
    assert_int_equal(bench_snapshot(bench, snapshot, id, NOON, NULL), STATUS_OK);
    assert_int_equal(attempt_put_back(bench->progress, snapshot, NULL), STATUS_OK);
    bench->clock.now_ms += 10 * DAY;
    bench_reopen(bench);
    assert_int_equal(bench_overdue(bench), 0);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    assert_int_equal(attempt_resume(bench->progress, snapshot, NULL), STATUS_OK);
    bench_finish(bench, snapshot, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    assert_int_equal(attempt_put_back(bench->progress, snapshot, NULL), STATUS_OK); /* harmless */
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE state = 'done'"), 1);
}

static void practice_goes_into_overtime_and_ends_a_day_later(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", false, 1.0);
    bench->clock.now_ms += 20 * MINUTE + DAY;
    bench_reopen(bench);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    assert_false(bench_no_snapshot(bench, id)); /* in overtime nothing ends it */
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    bench->clock.now_ms += 1;
    bench_reopen(bench);
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    assert_true(bench_no_snapshot(bench, id));
    assert_int_equal(bench_state(bench, id), SITTING_EXPIRED);
    assert_int_equal(bench_rating(bench, id), RATING_AGAIN);

    id = bench_sit(bench, "02", false, 1.0);
    bench->clock.now_ms += 5 * HOUR;
    bench_submit(bench, id, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    assert_int_equal(bench_rating(bench, id), RATING_HARD);
}

static void a_submission_being_graded_at_the_end_is_waited_for(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", true, 1.0);
    bench->clock.now_ms += 19 * MINUTE;
    const char *attempt = bench_begin(bench, id, ATTEMPT_SUBMIT);
    bench->clock.now_ms += HOUR;
    bench_reopen(bench); /* this process lives, so it is still being graded */
    assert_int_equal(bench_state(bench, id), SITTING_RUNNING);
    bench_finish(bench, attempt, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED);
    assert_int_equal(bench_rating(bench, id), RATING_GOOD);

    id = bench_sit(bench, "02", true, 1.0);
    attempt = bench_begin(bench, id, ATTEMPT_SUBMIT);
    bench->clock.now_ms += HOUR;
    assert_false(bench_no_snapshot(bench, id)); /* still waited for */
    bench_finish(bench, attempt, ATTEMPT_FAIL); /* and when it fails, the exam ends with it */
    assert_true(bench_no_snapshot(bench, id));
    assert_int_equal(bench_state(bench, id), SITTING_FAILED);
}

static void a_rehearsal_is_kept_and_never_rated(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_sit(bench, "01", false, 0.1);
    bench->clock.now_ms += MINUTE;
    bench_submit(bench, id, ATTEMPT_FAIL);
    bench_submit(bench, id, ATTEMPT_PASS);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE rehearsal"), 2);
    assert_int_equal(bench_ask(bench, "SELECT sum(counts) FROM attempt"), 0);
    assert_int_equal(bench_state(bench, id), SITTING_PASSED); /* it ends like any other */
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 0);
}

static void a_week_begins_on_monday(void **state)
{
    struct bench *bench = *state;
    int n;
    bench->clock.now_ms = NOON - DAY; /* Sunday */
    bench_submit(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_PASS);
    assert_int_equal(sitting_week_count(&n, bench->progress, NULL), STATUS_OK);
    assert_int_equal(n, 1);
    bench->clock.now_ms = NOON;
    assert_int_equal(sitting_week_count(&n, bench->progress, NULL), STATUS_OK);
    assert_int_equal(n, 0);
    bench_submit(bench, bench_sit(bench, "02", false, 1.0), ATTEMPT_PASS);
    bench->clock.now_ms = NOON + 6 * DAY;
    assert_int_equal(sitting_week_count(&n, bench->progress, NULL), STATUS_OK);
    assert_int_equal(n, 1);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_started_is_stored),
        TEST(the_clock_runs_on_across_restarts_and_stands_in_pauses),
        TEST(submitting_while_paused_starts_the_clock_again),
        TEST(an_exam_has_no_pause_and_no_hint),
        TEST(one_sitting_of_a_drill_runs_at_a_time),
        TEST(values_out_of_range_start_nothing),
        TEST(a_pass_ends_it_and_a_fail_does_not),
        TEST(a_check_never_counts),
        TEST(an_exam_ends_at_zero),
        TEST(the_snapshot_is_what_was_submitted_last_before_zero),
        TEST(a_snapshot_taken_at_zero_decides_an_exam),
        TEST(a_snapshot_nobody_took_at_zero_is_taken_later_from_a_file_that_stood_still),
        TEST(a_snapshot_in_practice_leaves_the_overtime_open),
        TEST(a_snapshot_that_cannot_be_graded_here_waits),
        TEST(practice_goes_into_overtime_and_ends_a_day_later),
        TEST(a_submission_being_graded_at_the_end_is_waited_for),
        TEST(a_rehearsal_is_kept_and_never_rated),
        TEST(a_week_begins_on_monday),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
