#include "progress/progress.h"

#include "bench.h"
#include "progress/settings.h"

static void ids_are_fresh_and_well_formed(void **state)
{
    (void)state;
    char a[ID_SIZE], b[ID_SIZE];
    for (int i = 0; i < 100; i++) {
        progress_id(a);
        progress_id(b);
        assert_string_not_equal(a, b);
        assert_int_equal(strlen(a), 36);
        assert_true(a[8] == '-' && a[13] == '-' && a[14] == '4' && a[18] == '-' && a[23] == '-');
        assert_non_null(strchr("89ab", a[19]));
    }
}

static void opening_makes_a_private_folder_and_reopening_changes_nothing(void **state)
{
    struct bench *bench = *state;
    char *folder = path_join(bench->folder, "a/b");
    struct progress *progress;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(progress_open(&progress, folder, &bench->clock, NULL), STATUS_OK);
        assert_int_equal(scratch_mode(folder), 0700);
        assert_int_equal(scratch_mode(database_path(progress->database)), 0600);
        progress_close(progress);
    }
    free(folder);

    setenv("LCX_HOME", bench->folder, 1); /* without a folder: the user's */
    assert_int_equal(progress_open(&progress, NULL, &bench->clock, NULL), STATUS_OK);
    assert_string_equal(progress->folder, bench->folder);
    progress_close(progress);
    unsetenv("LCX_HOME");
}

/* Every schema that was ever released has its history in tests/data; a new schema needs one more. */
static void every_released_history_opens_today(void **state)
{
    struct bench *bench = *state;
    for (int version = 1; version <= progress_schema(); version++) {
        struct bench old = {.folder = text_printf("%s/schema-%d", bench->folder, version),
                            .clock = clock_fixed(NOON + 3 * DAY)};
        char *database = path_join(old.folder, "lynx-cortex.db");
        struct text sql = {0};
        struct error err = {0};
        char *history = text_printf(SOURCE_ROOT "/tests/data/progress/schema-%d.sql", version);
        if (file_read(&sql, history, 1 << 20, &err)) fail_msg("%s", err.message);

        /* an empty file of the same name, filled as the old program left it */
        static const char *const none[] = {"SELECT 1"};
        const struct database_schema schema = {.program = "x",
                                               .program_version = "0",
                                               .folder_variable = "X",
                                               .application_id = 1,
                                               .migrations = none,
                                               .n_migrations = 1};
        struct database *raw;
        assert_int_equal(database_open(&raw, database, &schema, NULL), STATUS_OK);
        assert_int_equal(database_execute(raw, "DROP TABLE schema_history", NULL), STATUS_OK);
        if (database_execute(raw, sql.data, &err)) fail_msg("%s", err.message);
        database_close(raw);

        bench_open(&old);
        struct database_facts facts;
        assert_int_equal(database_facts(old.progress->database, &facts, NULL), STATUS_OK);
        assert_int_equal(facts.schema, progress_schema());
        assert_int_equal(facts.n_copies, version < progress_schema());
        assert_int_equal(database_verify(old.progress->database, NULL), STATUS_OK);
        assert_int_equal(review_verify(old.progress, &err), STATUS_OK);

        struct settings settings;
        assert_int_equal(settings_load(&settings, old.progress, NULL), STATUS_OK);
        assert_string_equal(settings.language, "es");
        settings_done(&settings);
        struct sitting *sittings;
        struct attempt *attempts;
        struct review *reviews;
        int n;
        assert_int_equal(sitting_list(&sittings, &n, old.progress, NULL, 0, NULL), STATUS_OK);
        assert_int_equal(n, 4);
        assert_true(sittings[n - 1].pauses_ms == MINUTE);
        sitting_list_done(sittings, n);
        assert_int_equal(attempt_list(&attempts, &n, old.progress, NULL, NULL, 0, NULL), STATUS_OK);
        assert_int_equal(n, 5);
        attempt_list_done(attempts, n);
        assert_int_equal(review_list(&reviews, &n, old.progress, "drill/01", NULL), STATUS_OK);
        assert_int_equal(n, 2);
        assert_int_equal(reviews[0].rating, RATING_HARD);
        assert_int_equal(reviews[1].rating, RATING_GOOD);
        assert_int_equal(reviews[1].derived, RATING_EASY);
        free(reviews);
        if (version >= 2) { /* a loop with its second round running, one answer in it */
            assert_int_equal(bench_ask(&old, "SELECT count(*) FROM packet WHERE state = 'running'"),
                             1);
            assert_int_equal(bench_ask(&old, "SELECT count(*) FROM round"), 7);
            assert_int_equal(bench_ask(&old, "SELECT count(*) FROM answer WHERE score = 1"), 1);
        }
        /* its grader is long gone */
        assert_int_equal(attempt_interrupted(&attempts, &n, old.progress, NULL), STATUS_OK);
        assert_int_equal(n, 1);
        attempt_list_done(attempts, n);
        progress_close(old.progress);
        text_done(&sql);
        free(history);
        free(database);
        free(old.folder);
    }
}

static void a_newer_history_is_refused_with_what_to_do(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    struct progress *progress;
    char *sql =
        text_printf("PRAGMA user_version = 7; INSERT INTO schema_history VALUES (7, '0.9.2')");
    assert_int_equal(database_execute(bench->progress->database, sql, &err), STATUS_OK);
    free(sql);
    assert_int_equal(progress_open(&progress, bench->folder, &bench->clock, &err),
                     STATUS_UNAVAILABLE);
    assert_null(progress);
    char *expected = text_printf("this data was written by a newer lcx (schema 7, this one knows "
                                 "%d): install lcx >= 0.9.2 or set LCX_HOME",
                                 progress_schema());
    if (!strstr(err.message, expected)) fail_msg("%s", err.message);
    free(expected);
}

static int open_it(void *context)
{
    struct bench *bench = context;
    struct error err = {0};
    struct progress *progress;
    for (int i = 0; i < 5; i++) {
        struct sitting *overdue = NULL;
        int n = 0;
        bool ended;
        enum status status = progress_open(&progress, bench->folder, &bench->clock, &err);
        if (!status) status = sitting_overdue(&overdue, &n, progress, &err);
        for (int k = 0; k < n && !status; k++)
            status = sitting_no_snapshot(progress, overdue[k].id, &ended, &err);
        sitting_list_done(overdue, n);
        progress_close(progress);
        if (!status) continue;
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}

/* 0: it took the snapshot; 1: another one did; 2: neither. */
static int take_snapshot(void *context)
{
    struct bench *bench = context;
    struct error err = {0};
    char id[ID_SIZE];
    struct sitting sitting;
    bool found;
    if (progress_open(&bench->progress, bench->folder, &bench->clock, &err) ||
        sitting_running(&sitting, &found, bench->progress, "01", &err) || !found)
        return 2;
    const enum status status = bench_snapshot(bench, id, sitting.id, NOON, &err);
    sitting_done(&sitting);
    progress_close(bench->progress);
    return status == STATUS_OK ? 0 : status == STATUS_CONFLICT ? 1 : 2;
}

static void many_that_come_after_zero_take_one_snapshot(void **state)
{
    struct bench *bench = *state;
    pid_t pids[6];
    int others = 0;
    bench_sit(bench, "01", true, 1.0);
    bench->clock.now_ms += DAY;
    fflush(NULL);
    for (int i = 0; i < 6; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) _exit(take_snapshot(bench));
    }
    for (int i = 0; i < 6; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        others += WEXITSTATUS(status);
    }
    assert_int_equal(others, 5);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM attempt WHERE kind = 'snapshot'"), 1);
}

static void many_that_open_at_once_end_a_sitting_once(void **state)
{
    struct bench *bench = *state;
    char id[ID_SIZE];
    pid_t pids[6];
    memcpy(id, bench_sit(bench, "01", true, 1.0), ID_SIZE);
    bench->clock.now_ms += DAY;
    fflush(NULL);
    for (int i = 0; i < 6; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) _exit(open_it(bench));
    }
    for (int i = 0; i < 6; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(bench_state(bench, id), SITTING_EXPIRED);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 1);
    assert_int_equal(database_verify(bench->progress->database, NULL), STATUS_OK);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_fresh_and_well_formed),
        TEST(opening_makes_a_private_folder_and_reopening_changes_nothing),
        TEST(every_released_history_opens_today),
        TEST(a_newer_history_is_refused_with_what_to_do),
        TEST(many_that_open_at_once_end_a_sitting_once),
        TEST(many_that_come_after_zero_take_one_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
