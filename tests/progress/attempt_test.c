#include "progress/attempt.h"

#include <sys/mman.h>

#include "base/rng.h"
#include "bench.h"

static struct attempt load(struct bench *bench, const char *id)
{
    struct attempt attempt;
    struct error err = {0};
    if (attempt_load(&attempt, bench->progress, id, &err)) fail_msg("%s", err.message);
    return attempt;
}

static void what_was_submitted_comes_back_byte_for_byte(void **state)
{
    struct bench *bench = *state;
    static const char source[] = "int\0x\xff;\n";
    char id[ID_SIZE];
    const char *sitting = bench_sit(bench, "01", true, 1.0);
    const struct attempt_start start = {.sitting = sitting,
                                        .kind = ATTEMPT_SUBMIT,
                                        .seed = 123,
                                        .source = source,
                                        .source_size = sizeof source - 1};
    bench->clock.now_ms += 7 * MINUTE;
    assert_int_equal(attempt_begin(id, bench->progress, &start, NULL), STATUS_OK);

    struct attempt attempt = load(bench, id);
    assert_int_equal(attempt.state, ATTEMPT_GRADING);
    assert_int_equal(attempt.verdict, ATTEMPT_NO_VERDICT);
    assert_null(attempt.result);
    attempt_done(&attempt);
    assert_int_equal(attempt_finish(bench->progress, id, ATTEMPT_FAIL, "no-scale",
                                    "{\"verdict\":\"fail\"}", NULL),
                     STATUS_OK);
    bench_reopen(bench);
    attempt = load(bench, id);
    assert_string_equal(attempt.sitting, sitting);
    assert_string_equal(attempt.drill, "01");
    assert_string_equal(attempt.lane, "c");
    assert_true(attempt.exam && attempt.counts && !attempt.rehearsal && !attempt.overtime);
    assert_true(attempt.seed == 123 && attempt.elapsed_ms == 7 * MINUTE);
    assert_true(attempt.submitted_ms == NOON + 7 * MINUTE);
    assert_int_equal(attempt.state, ATTEMPT_DONE);
    assert_int_equal(attempt.verdict, ATTEMPT_FAIL);
    assert_string_equal(attempt.diagnosis, "no-scale");
    assert_string_equal(attempt.result, "{\"verdict\":\"fail\"}");
    assert_int_equal(attempt.source_size, sizeof source - 1);
    assert_memory_equal(attempt.source, source, sizeof source - 1);
    attempt_done(&attempt);
}

static void a_submission_needs_no_sitting(void **state)
{
    struct bench *bench = *state;
    char id[ID_SIZE];
    const struct attempt_start start = {.drill = "02",
                                        .lane = "numpy",
                                        .mode = "blank",
                                        .kind = ATTEMPT_SUBMIT,
                                        .seed = 1,
                                        .source = NULL};
    assert_int_equal(attempt_begin(id, bench->progress, &start, NULL), STATUS_OK);
    bench_finish(bench, id, ATTEMPT_PASS);
    struct attempt attempt = load(bench, id);
    assert_string_equal(attempt.sitting, "");
    assert_string_equal(attempt.drill, "02");
    assert_false(attempt.counts);
    assert_int_equal(attempt.source_size, 0);
    attempt_done(&attempt);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 0);
}

static void what_is_too_large_or_no_json_or_unknown_is_refused(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    char id[ID_SIZE];
    char *large = memory_new(ATTEMPT_SOURCE_LIMIT + 1, 1);
    const char *sitting = bench_sit(bench, "01", false, 1.0);
    struct attempt_start start = {.sitting = sitting,
                                  .kind = ATTEMPT_SUBMIT,
                                  .source = large,
                                  .source_size = ATTEMPT_SOURCE_LIMIT + 1};
    assert_int_equal(attempt_begin(id, bench->progress, &start, &err), STATUS_LIMIT);
    assert_non_null(strstr(err.message, "1048577 bytes, at most 1048576"));
    assert_string_equal(id, "");
    start.source_size--;
    assert_int_equal(attempt_begin(id, bench->progress, &start, &err), STATUS_OK);
    free(large);

    assert_int_equal(attempt_finish(bench->progress, id, ATTEMPT_PASS, NULL, "{", &err),
                     STATUS_FORMAT);
    assert_int_equal(attempt_finish(bench->progress, "no-such", ATTEMPT_PASS, NULL, "{}", &err),
                     STATUS_NOT_FOUND);
    start.sitting = "no-such";
    assert_int_equal(attempt_begin(id, bench->progress, &start, &err), STATUS_NOT_FOUND);
}

static void the_first_result_stays(void **state)
{
    struct bench *bench = *state;
    const char *id = bench_begin(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_SUBMIT);
    bench_finish(bench, id, ATTEMPT_FAIL);
    assert_int_equal(attempt_finish(bench->progress, id, ATTEMPT_PASS, NULL, "{}", NULL),
                     STATUS_CONFLICT);
    struct attempt attempt = load(bench, id);
    assert_int_equal(attempt.verdict, ATTEMPT_FAIL);
    attempt_done(&attempt);
}

static void of_two_being_graded_the_first_pass_ends_the_sitting(void **state)
{
    struct bench *bench = *state;
    char sitting[ID_SIZE], first[ID_SIZE], second[ID_SIZE];
    memcpy(sitting, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    bench->clock.now_ms += 5 * MINUTE;
    memcpy(first, bench_begin(bench, sitting, ATTEMPT_SUBMIT), ID_SIZE);
    bench->clock.now_ms += 10 * MINUTE;
    memcpy(second, bench_begin(bench, sitting, ATTEMPT_SUBMIT), ID_SIZE);
    bench_finish(bench, second, ATTEMPT_PASS); /* its verdict comes first */
    bench_finish(bench, first, ATTEMPT_PASS);
    assert_int_equal(bench_ask(bench, "SELECT sum(counts) FROM attempt"), 2);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 1);
    assert_int_equal(bench_rating(bench, sitting), RATING_GOOD);
    assert_int_equal(bench_ask(bench, "SELECT ended_ms FROM sitting"), NOON + 15 * MINUTE);
}

static void lists_and_summaries_leave_out_what_they_should(void **state)
{
    struct bench *bench = *state;
    struct attempt *list;
    struct attempt_summary summary;
    int n;
    assert_int_equal(attempt_summarize(&summary, bench->progress, "01", NULL), STATUS_OK);
    assert_int_equal(summary.best, ATTEMPT_NO_VERDICT);
    assert_true(summary.best_elapsed_ms == -1 && summary.last_ms == 0);

    char sitting[ID_SIZE];
    memcpy(sitting, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    bench_finish(bench, bench_begin(bench, sitting, ATTEMPT_CHECK), ATTEMPT_PASS);
    bench->clock.now_ms += 3 * MINUTE;
    bench_submit(bench, sitting, ATTEMPT_FAIL);
    bench->clock.now_ms += 3 * MINUTE;
    bench_submit(bench, sitting, ATTEMPT_PASS);
    bench->clock.now_ms += 3 * MINUTE;
    bench_submit(bench, sitting, ATTEMPT_LIMIT);
    bench_submit(bench, bench_sit(bench, "02", false, 0.5), ATTEMPT_PASS); /* a rehearsal */

    assert_int_equal(attempt_summarize(&summary, bench->progress, "01", NULL), STATUS_OK);
    assert_int_equal(summary.submissions, 3);
    assert_int_equal(summary.passes, 1);
    assert_int_equal(summary.best, ATTEMPT_PASS);
    assert_true(summary.best_elapsed_ms == 6 * MINUTE);
    assert_true(summary.last_ms == NOON + 9 * MINUTE);
    assert_int_equal(attempt_summarize(&summary, bench->progress, "02", NULL), STATUS_OK);
    assert_int_equal(summary.submissions, 0);

    assert_int_equal(attempt_list(&list, &n, bench->progress, "01", NULL, 0, NULL), STATUS_OK);
    assert_int_equal(n, 4);
    assert_int_equal(list[0].verdict, ATTEMPT_LIMIT); /* newest first */
    assert_int_equal(list[3].kind, ATTEMPT_CHECK);
    assert_null(list[0].source);
    assert_int_equal(list[0].source_size, 7);
    attempt_list_done(list, n);
    assert_int_equal(attempt_list(&list, &n, bench->progress, NULL, NULL, 2, NULL), STATUS_OK);
    assert_int_equal(n, 2);
    attempt_list_done(list, n);
    assert_int_equal(attempt_list(&list, &n, bench->progress, NULL, sitting, 0, NULL), STATUS_OK);
    assert_int_equal(n, 4);
    attempt_list_done(list, n);
}

/* ---- dying graders ---- */

struct victim {
    struct bench *bench;
    const char *sitting;
    volatile int64_t *begun, *finished; /* shared: calls that returned */
    bool forever;
};

static int grade_until_killed(void *context)
{
    struct victim *victim = context;
    struct bench *bench = victim->bench;
    struct progress *progress;
    if (progress_open(&progress, bench->folder, &bench->clock, NULL)) return 1;
    do {
        char id[ID_SIZE];
        const struct attempt_start start = {.sitting = victim->sitting,
                                            .kind = ATTEMPT_SUBMIT,
                                            .seed = 9,
                                            .source = "the work",
                                            .source_size = 8};
        if (attempt_begin(id, progress, &start, NULL)) return 2;
        ++*victim->begun;
        if (!victim->forever) return 0; /* dies without finishing */
        if (attempt_finish(progress, id, ATTEMPT_FAIL, NULL, "{}", NULL)) return 3;
        ++*victim->finished;
    } while (victim->forever);
    return 0;
}

static volatile int64_t *shared_numbers(void)
{
    volatile int64_t *numbers =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(numbers != MAP_FAILED);
    return numbers;
}

static void a_dead_graders_attempt_is_interrupted_and_can_be_taken_up(void **state)
{
    struct bench *bench = *state;
    struct attempt *list;
    int n;
    volatile int64_t *numbers = shared_numbers();
    char sitting[ID_SIZE];
    memcpy(sitting, bench_sit(bench, "01", true, 1.0), ID_SIZE);
    progress_close(bench->progress);
    bench->clock.now_ms += 5 * MINUTE;
    struct victim victim = {bench, sitting, numbers, numbers + 1, false};
    assert_int_equal(scratch_run(grade_until_killed, &victim), 0);

    bench->clock.now_ms += DAY;
    bench_open(bench);
    assert_int_equal(attempt_interrupted(&list, &n, bench->progress, NULL), STATUS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].state, ATTEMPT_INTERRUPTED);
    assert_true(list[0].elapsed_ms == 5 * MINUTE);
    char id[ID_SIZE];
    memcpy(id, list[0].id, ID_SIZE);
    attempt_list_done(list, n);
    assert_int_equal(bench_state(bench, sitting), SITTING_RUNNING); /* it was in time: waited for */

    assert_int_equal(attempt_resume(bench->progress, id, NULL), STATUS_OK);
    assert_int_equal(attempt_resume(bench->progress, id, NULL), STATUS_CONFLICT);
    bench_reopen(bench);
    struct attempt attempt = load(bench, id);
    assert_int_equal(attempt.state, ATTEMPT_GRADING); /* by this living process */
    assert_string_equal(attempt.source, "the work");
    attempt_done(&attempt);
    bench_finish(bench, id, ATTEMPT_PASS);
    assert_int_equal(bench_state(bench, sitting), SITTING_PASSED);
    assert_int_equal(bench_rating(bench, sitting), RATING_EASY); /* 5 of 20 minutes, first time */
    munmap((void *)(uintptr_t)numbers, 4096);
}

static void kill_9_at_any_moment_loses_no_attempt(void **state)
{
    struct bench *bench = *state;
    struct rng rng;
    const uint64_t seed = random_seed();
    volatile int64_t *numbers = shared_numbers();
    char sitting[ID_SIZE];
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed, 0);
    memcpy(sitting, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    progress_close(bench->progress);
    struct victim victim = {bench, sitting, numbers, numbers + 1, true};

    int64_t most = 0;
    for (int round = 0; round < 20; round++) {
        scratch_run_and_kill(grade_until_killed, &victim, rng_between(&rng, 0, 40000));
        most++; /* one call may have committed and not returned */
        bench_open(bench);
        const int64_t all = bench_ask(bench, "SELECT count(*) FROM attempt");
        const int64_t done = bench_ask(bench, "SELECT count(*) FROM attempt WHERE state = 'done'");
        assert_true(all >= numbers[0] && all <= numbers[0] + most);
        assert_true(done >= numbers[1] && done <= numbers[1] + most);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE state = 'grading'"),
                         0);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE source = x'"
                                          "74686520776f726b'"),
                         all);
        assert_int_equal(database_verify(bench->progress->database, NULL), STATUS_OK);
        assert_int_equal(bench_state(bench, sitting), SITTING_RUNNING);
        progress_close(bench->progress);
    }
    bench_open(bench);
    assert_true(numbers[0] > 0);
    munmap((void *)(uintptr_t)numbers, 4096);
}

static int pass_it(void *context)
{
    struct victim *victim = context;
    struct progress *progress;
    struct error err = {0};
    char id[ID_SIZE];
    enum status status =
        progress_open(&progress, victim->bench->folder, &victim->bench->clock, &err);
    const struct attempt_start start = {.sitting = victim->sitting,
                                        .kind = ATTEMPT_SUBMIT,
                                        .seed = 9,
                                        .source = "the work",
                                        .source_size = 8};
    for (int i = 0; i < 10 && !status; i++) {
        status = attempt_begin(id, progress, &start, &err);
        if (!status) status = attempt_finish(progress, id, ATTEMPT_PASS, NULL, "{}", &err);
    }
    if (status) fprintf(stderr, "%s\n", err.message);
    else progress_close(progress);
    return status;
}

static void two_that_pass_at_once_are_one_rating(void **state)
{
    struct bench *bench = *state;
    char sitting[ID_SIZE];
    memcpy(sitting, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    struct victim victim = {.bench = bench, .sitting = sitting};
    pid_t pids[4];
    fflush(NULL);
    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) _exit(pass_it(&victim));
    }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE verdict = 'pass'"), 40);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 1);
    assert_int_equal(bench_state(bench, sitting), SITTING_PASSED);
    assert_int_equal(review_verify(bench->progress, NULL), STATUS_OK);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_submitted_comes_back_byte_for_byte),
        TEST(a_submission_needs_no_sitting),
        TEST(what_is_too_large_or_no_json_or_unknown_is_refused),
        TEST(the_first_result_stays),
        TEST(of_two_being_graded_the_first_pass_ends_the_sitting),
        TEST(lists_and_summaries_leave_out_what_they_should),
        TEST(a_dead_graders_attempt_is_interrupted_and_can_be_taken_up),
        TEST(kill_9_at_any_moment_loses_no_attempt),
        TEST(two_that_pass_at_once_are_one_rating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
