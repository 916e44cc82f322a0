/* plan_item.c -- what the plan is made from, read from the database. */
#include <string.h>

#include "base/text.h"
#include "progress/day.h"
#include "progress/plan.h"
#include "progress/sitting.h"
#include "store/query.h"

static int minutes_up(int64_t ms) { return (int)((ms + 59999) / 60000); }

enum status plan_item_read(struct plan_item *item, struct progress *progress, double retention,
                           struct error *err)
{
    struct sitting sitting;
    bool found = false;
    enum status status = review_memory(&item->memory, progress, item->id, retention, err);
    if (!status && item->kind == PLAN_DRILL)
        status = sitting_running(&sitting, &found, progress, item->id + strlen("drill/"), err);
    if (status) return status;

    item->state = PLAN_STATE_IDLE;
    item->minutes_left = 0;
    if (!found) return STATUS_OK;
    const struct sitting_time time = sitting_time(&sitting, clock_wall_ms(progress->clock));
    item->state = time.left_ms > 0 ? PLAN_STATE_RUNNING : PLAN_STATE_OVERTIME;
    item->minutes_left = minutes_up(time.left_ms);
    sitting_done(&sitting);
    return STATUS_OK;
}

/* A forgotten clock in overtime is no practice: twice its time at most. */
static int64_t at_most_twice(int64_t elapsed_ms, int64_t budget_ms)
{
    if (elapsed_ms < 0) return 0;
    return elapsed_ms < 2 * budget_ms ? elapsed_ms : 2 * budget_ms;
}

static enum status add_sittings(int64_t *done_ms, struct progress *progress, int64_t today,
                                struct error *err)
{
    struct sitting *sittings;
    int n;
    const enum status status = sitting_list(&sittings, &n, progress, NULL, 0, err);
    if (status) return status;
    const int64_t now = clock_wall_ms(progress->clock);
    for (int i = 0; i < n; i++) {
        if (day_of(sittings[i].started_ms) != today) continue;
        const struct sitting_time time = sitting_time(&sittings[i], now);
        *done_ms += at_most_twice(time.elapsed_ms, time.budget_ms);
    }
    sitting_list_done(sittings, n);
    return STATUS_OK;
}

/* From being asked until it was answered. */
static enum status add_answers(int64_t *done_ms, struct progress *progress, int64_t today,
                               struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT answer.started_ms, submitted_ms, minutes FROM answer JOIN step"
               " ON step.round = answer.round AND step.place = answer.step");
    while (query_row(&query))
        if (day_of(query_int(&query, 1)) == today)
            *done_ms += at_most_twice(query_int(&query, 1) - query_int(&query, 0),
                                      60000 * query_int(&query, 2));
    return query_done(&query, err);
}

static enum status count_drills(int *n, struct progress *progress, int64_t today, struct error *err)
{
    struct query query;
    query_open(&query, progress->database, "SELECT min(started_ms) FROM sitting GROUP BY drill");
    while (query_row(&query))
        if (day_of(query_int(&query, 0)) == today) ++*n;
    return query_done(&query, err);
}

enum status plan_done_today(struct plan_done_today *done, struct progress *progress, int64_t today,
                            struct error *err)
{
    int64_t done_ms = 0;
    *done = (struct plan_done_today){0};
    enum status status = add_sittings(&done_ms, progress, today, err);
    if (!status) status = add_answers(&done_ms, progress, today, err);
    if (!status) status = count_drills(&done->new_drills, progress, today, err);
    done->minutes = (int)(done_ms / 60000);
    return status;
}
