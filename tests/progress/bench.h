/* bench.h -- a database in a folder of its own, with a clock that the test moves. */
#ifndef TESTS_PROGRESS_BENCH_H
#define TESTS_PROGRESS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../store/scratch.h"
#include "base/locale.h"
#include "progress/attempt.h"
#include "progress/day.h"
#include "progress/progress.h"
#include "progress/review.h"
#include "progress/sitting.h"
#include "store/query.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* 2026-11-23, 12:00 UTC, a Monday */
#define NOON INT64_C(1795435200000)

struct bench {
    char *folder;
    struct clock clock;
    struct progress *progress;
};

static inline void bench_open(struct bench *bench)
{
    struct error err = {0};
    if (progress_open(&bench->progress, bench->folder, &bench->clock, &err))
        fail_msg("%s", err.message);
}

static inline void bench_reopen(struct bench *bench)
{
    progress_close(bench->progress);
    bench_open(bench);
}

static inline int bench_set_up(void **state)
{
    struct bench *bench = memory_new(1, sizeof *bench);
    bench->folder = scratch_folder();
    bench->clock = clock_fixed(NOON);
    bench_open(bench);
    *state = bench;
    return 0;
}

static inline int bench_tear_down(void **state)
{
    struct bench *bench = *state;
    progress_close(bench->progress);
    scratch_remove(bench->folder);
    free(bench);
    return 0;
}

static inline void bench_main(void)
{
    setenv("TZ", "UTC", 1);
    locale_init("en", "/nonexistent");
}

/* Start a sitting of 20 minutes; its id stays valid until the next one. */
static inline const char *bench_sit(struct bench *bench, const char *drill, bool exam,
                                    double factor)
{
    static char id[ID_SIZE];
    struct error err = {0};
    struct sitting sitting;
    const struct sitting_start start = {.drill = drill,
                                        .lane = "c",
                                        .mode = "blank",
                                        .exam = exam,
                                        .path = "/home/x/attention.c",
                                        .seed = -1,
                                        .time_factor = factor,
                                        .minutes = 20};
    if (sitting_begin(&sitting, bench->progress, &start, &err)) fail_msg("%s", err.message);
    memcpy(id, sitting.id, sizeof id);
    sitting_done(&sitting);
    return id;
}

static inline const char *bench_begin(struct bench *bench, const char *sitting,
                                      enum attempt_kind kind)
{
    static char id[ID_SIZE];
    struct error err = {0};
    const struct attempt_start start = {
        .sitting = sitting, .kind = kind, .seed = 5, .source = "int x;\n", .source_size = 7};
    if (attempt_begin(id, bench->progress, &start, &err)) fail_msg("%s", err.message);
    return id;
}

/* Take the snapshot as a command does that comes after zero: from a file last written then. */
static inline enum status bench_snapshot(struct bench *bench, char id[ID_SIZE], const char *sitting,
                                         int64_t written_ms, struct error *err)
{
    const struct attempt_start start = {.sitting = sitting,
                                        .kind = ATTEMPT_SNAPSHOT,
                                        .written_ms = written_ms,
                                        .seed = 5,
                                        .source = "int x;\n",
                                        .source_size = 7};
    return attempt_begin(id, bench->progress, &start, err);
}

/* How many sittings wait for their work at zero. */
static inline int bench_overdue(struct bench *bench)
{
    struct sitting *list;
    int n;
    assert_int_equal(sitting_overdue(&list, &n, bench->progress, NULL), STATUS_OK);
    sitting_list_done(list, n);
    return n;
}

/* There is no snapshot; whether that ended the sitting. */
static inline bool bench_no_snapshot(struct bench *bench, const char *sitting)
{
    bool ended;
    assert_int_equal(sitting_no_snapshot(bench->progress, sitting, &ended, NULL), STATUS_OK);
    return ended;
}

static inline void bench_finish(struct bench *bench, const char *attempt,
                                enum attempt_verdict verdict)
{
    struct error err = {0};
    if (attempt_finish(bench->progress, attempt, verdict,
                       verdict == ATTEMPT_FAIL ? "no-scale" : NULL, "{\"schema\":1}", &err))
        fail_msg("%s", err.message);
}

static inline void bench_submit(struct bench *bench, const char *sitting,
                                enum attempt_verdict verdict)
{
    bench_finish(bench, bench_begin(bench, sitting, ATTEMPT_SUBMIT), verdict);
}

static inline enum sitting_state bench_state(struct bench *bench, const char *sitting)
{
    struct sitting loaded;
    assert_int_equal(sitting_load(&loaded, bench->progress, sitting, NULL), STATUS_OK);
    const enum sitting_state state = loaded.state;
    sitting_done(&loaded);
    return state;
}

static inline int64_t bench_ask(struct bench *bench, const char *sql)
{
    struct error err = {0};
    struct query query;
    query_open(&query, bench->progress->database, sql);
    const int64_t answer = query_row(&query) ? query_int(&query, 0) : -1;
    if (query_done(&query, &err)) fail_msg("%s: %s", sql, err.message);
    return answer;
}

/* The rating of a sitting, RATING_NONE when it has none. */
static inline enum fsrs_rating bench_rating(struct bench *bench, const char *sitting)
{
    char *sql =
        text_printf("SELECT ifnull((SELECT rating FROM review WHERE sitting = '%s'), 0)", sitting);
    const int64_t rating = bench_ask(bench, sql);
    free(sql);
    return (enum fsrs_rating)rating;
}

#endif
