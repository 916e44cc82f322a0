#include "progress/sitting.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "progress/day.h"
#include "progress/progress_internal.h"
#include "progress/rating.h"
#include "progress/review.h"
#include "store/query.h"

static const char *const state_names[] = {N_("running"), N_("passed"), N_("failed"), N_("given-up"),
                                          N_("expired")};
enum { N_STATES = sizeof state_names / sizeof state_names[0], PAUSES_LIMIT = 10000 };

const char *sitting_state_name(enum sitting_state state)
{
    CHECK((int)state >= 0 && (int)state < N_STATES);
    return state_names[state];
}

static enum sitting_state state_of(const char *name)
{
    int state = 0;
    while (state < N_STATES && strcmp(name, state_names[state]) != 0) state++;
    CHECK(state < N_STATES); /* the table accepts these only */
    return (enum sitting_state)state;
}

/* ---- the clock ---- */

static int64_t budget_of(int minutes, double factor) { return llround(minutes * 60000.0 * factor); }

static int64_t not_negative(int64_t x) { return x > 0 ? x : 0; }

struct sitting_time sitting_time(const struct sitting *sitting, int64_t now_ms)
{
    struct sitting_time time = {
        .budget_ms = budget_of(sitting->minutes, sitting->time_factor),
        .paused = sitting->state == SITTING_RUNNING && sitting->paused_ms > 0,
    };
    int64_t at = now_ms;
    if (sitting->state != SITTING_RUNNING) at = sitting->ended_ms;
    else if (time.paused) at = sitting->paused_ms;

    /* deadline - budget is the start moved on by all pauses. A wall clock set back shows zero. */
    time.elapsed_ms = not_negative(at - (sitting->deadline_ms - time.budget_ms));
    time.left_ms = not_negative(time.budget_ms - time.elapsed_ms);
    time.overtime_ms = not_negative(time.elapsed_ms - time.budget_ms);
    return time;
}

bool sitting_is_rehearsal(const struct sitting *sitting) { return sitting->time_factor < 1.0; }

bool sitting_pauses_parse(const char *text, int64_t *sum_ms)
{
    json_t *list;
    *sum_ms = 0;
    if (json_parse(&list, text, strlen(text), NULL)) return false;

    bool good = json_is_array(list) && json_array_size(list) <= PAUSES_LIMIT;
    json_int_t before = 0;
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        const json_t *pause = json_array_get(list, i);
        const json_t *from = json_array_get(pause, 0), *to = json_array_get(pause, 1);
        good = json_array_size(pause) == 2 && json_is_integer(from) && json_is_integer(to) &&
               json_integer_value(from) >= before &&
               json_integer_value(to) >= json_integer_value(from) &&
               json_integer_value(to) <= INT64_C(253402300799999);
        if (!good) break;
        before = json_integer_value(to);
        *sum_ms += json_integer_value(to) - json_integer_value(from);
    }
    json_decref(list);
    return good;
}

/* ---- reading ---- */

#define COLUMNS \
    "id, drill, lane, mode, exam, path, seed, time_factor, minutes, started_ms, deadline_ms," \
    " paused_ms, pauses, hints, state, ended_ms"

static void copy_into(char *out, size_t size, const char *text) { snprintf(out, size, "%s", text); }

static struct sitting from_row(const struct query *query)
{
    struct sitting sitting = {
        .exam = query_int(query, 4) != 0,
        .path = text_copy(query_text(query, 5)),
        .seed = query_int(query, 6),
        .time_factor = query_real(query, 7),
        .minutes = (int)query_int(query, 8),
        .started_ms = query_int(query, 9),
        .deadline_ms = query_int(query, 10),
        .paused_ms = query_int(query, 11),
        .hints = (int)query_int(query, 13),
        .state = state_of(query_text(query, 14)),
        .ended_ms = query_int(query, 15),
    };
    copy_into(sitting.id, sizeof sitting.id, query_text(query, 0));
    copy_into(sitting.drill, sizeof sitting.drill, query_text(query, 1));
    copy_into(sitting.lane, sizeof sitting.lane, query_text(query, 2));
    copy_into(sitting.mode, sizeof sitting.mode, query_text(query, 3));
    sitting_pauses_parse(query_text(query, 12), &sitting.pauses_ms);
    return sitting;
}

void sitting_done(struct sitting *sitting)
{
    free(sitting->path);
    *sitting = (struct sitting){0};
}

/* Read the single row, if any, and finish the query. */
static enum status one(struct sitting *sitting, bool *found, struct query *query, struct error *err)
{
    *sitting = (struct sitting){0};
    *found = query_row(query);
    if (*found) *sitting = from_row(query);
    const enum status status = query_done(query, err);
    if (status) {
        sitting_done(sitting);
        *found = false;
    }
    return status;
}

enum status sitting_load(struct sitting *sitting, struct progress *progress, const char *id,
                         struct error *err)
{
    struct query query;
    bool found;
    query_open(&query, progress->database, "SELECT " COLUMNS " FROM sitting WHERE id = ?1");
    query_bind_text(&query, 1, id);
    const enum status status = one(sitting, &found, &query, err);
    if (status || found) return status;
    return error_set(err, STATUS_NOT_FOUND, _("sitting %s: there is none with this id"), id);
}

enum status sitting_running(struct sitting *sitting, bool *found, struct progress *progress,
                            const char *drill, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM sitting WHERE state = 'running'"
               " AND (?1 IS NULL OR drill = ?1) ORDER BY started_ms DESC, id LIMIT 1");
    query_bind_text(&query, 1, drill);
    return one(sitting, found, &query, err);
}

enum status sitting_latest(struct sitting *sitting, bool *found, struct progress *progress,
                           const char *drill, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM sitting WHERE drill = ?1"
               " ORDER BY started_ms DESC, id LIMIT 1");
    query_bind_text(&query, 1, drill);
    return one(sitting, found, &query, err);
}

/* Read all rows and finish the query. */
static enum status collect(struct sitting **out, int *n, struct query *query, struct error *err)
{
    struct sitting *list = memory_new(1, sizeof *list);
    *out = NULL;
    *n = 0;
    while (query_row(query)) {
        list = memory_grow(list, (size_t)*n + 1, sizeof *list);
        list[(*n)++] = from_row(query);
    }
    const enum status status = query_done(query, err);
    if (status) {
        sitting_list_done(list, *n);
        *n = 0;
    } else {
        *out = list;
    }
    return status;
}

enum status sitting_list(struct sitting **out, int *n, struct progress *progress, const char *drill,
                         int limit, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM sitting WHERE ?1 IS NULL OR drill = ?1"
               " ORDER BY started_ms DESC, id LIMIT ?2");
    query_bind_text(&query, 1, drill);
    query_bind_int(&query, 2, limit > 0 ? limit : -1);
    return collect(out, n, &query, err);
}

void sitting_list_done(struct sitting *sittings, int n)
{
    for (int i = 0; i < n; i++) sitting_done(&sittings[i]);
    free(sittings);
}

/* ---- starting ---- */

static bool is_one_of(const char *value, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(value, *names) == 0) return true;
    return false;
}

static enum status check_start(const struct sitting_start *start, struct error *err)
{
    static const char *const lanes[] = {"c", "numpy", "torch", NULL};
    static const char *const modes[] = {"blank", "bugs", NULL};

    if (!progress_drill_valid(start->drill))
        return error_set(err, STATUS_USAGE, _("drill '%s': not a drill's number"), start->drill);
    if (!is_one_of(start->lane, lanes))
        return error_set(err, STATUS_USAGE, _("lane '%s': neither c, numpy nor torch"),
                         start->lane);
    if (!is_one_of(start->mode, modes))
        return error_set(err, STATUS_USAGE, _("mode '%s': neither blank nor bugs"), start->mode);
    if (!(start->time_factor >= 0.02 && start->time_factor <= 3.0))
        return error_set(err, STATUS_USAGE, _("time factor %g: not from 0.02 to 3"),
                         start->time_factor);
    if (start->minutes < 1 || start->minutes > 600)
        return error_set(err, STATUS_USAGE, _("%d minutes: not from 1 to 600"), start->minutes);
    if (!start->path || !*start->path || strlen(start->path) > 4096 || start->seed < -1)
        return error_set(err, STATUS_USAGE, _("drill %s: its file has no usable path"),
                         start->drill);
    return STATUS_OK;
}

static enum status insert(struct progress *progress, const struct sitting *sitting,
                          struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "INSERT INTO sitting (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
               " ?10, ?11, 0, '[]', 0, 'running', 0)");
    query_bind_text(&query, 1, sitting->id);
    query_bind_text(&query, 2, sitting->drill);
    query_bind_text(&query, 3, sitting->lane);
    query_bind_text(&query, 4, sitting->mode);
    query_bind_int(&query, 5, sitting->exam);
    query_bind_text(&query, 6, sitting->path);
    query_bind_int(&query, 7, sitting->seed);
    query_bind_real(&query, 8, sitting->time_factor);
    query_bind_int(&query, 9, sitting->minutes);
    query_bind_int(&query, 10, sitting->started_ms);
    query_bind_int(&query, 11, sitting->deadline_ms);
    return query_run(&query, err);
}

static enum status begin(struct sitting *sitting, struct progress *progress,
                         const struct sitting_start *start, struct error *err)
{
    struct sitting other;
    bool found;
    enum status status = sitting_end_overdue(progress, err);
    if (!status) status = sitting_running(&other, &found, progress, start->drill, err);
    if (status) return status;
    if (found) {
        char when[32];
        error_set(err, STATUS_CONFLICT,
                  _("drill %s: a sitting in lane %s is running since %s: finish it (lcx drill "
                    "submit %s) or give it up (lcx drill reset %s) first"),
                  start->drill, other.lane, clock_utc(when, other.started_ms), start->drill,
                  start->drill);
        sitting_done(&other);
        return STATUS_CONFLICT;
    }
    struct sitting fresh = {
        .exam = start->exam,
        .path = text_copy(start->path),
        .seed = start->seed,
        .time_factor = start->time_factor,
        .minutes = start->minutes,
        .started_ms = progress_now(progress),
        .state = SITTING_RUNNING,
    };
    progress_id(fresh.id);
    copy_into(fresh.drill, sizeof fresh.drill, start->drill);
    copy_into(fresh.lane, sizeof fresh.lane, start->lane);
    copy_into(fresh.mode, sizeof fresh.mode, start->mode);
    fresh.deadline_ms = fresh.started_ms + budget_of(start->minutes, start->time_factor);

    status = insert(progress, &fresh, err);
    if (status) sitting_done(&fresh);
    else *sitting = fresh;
    return status;
}

enum status sitting_begin(struct sitting *sitting, struct progress *progress,
                          const struct sitting_start *start, struct error *err)
{
    *sitting = (struct sitting){0};
    enum status status = check_start(start, err);
    if (!status) status = database_begin(progress->database, err);
    if (status) return status;
    status = database_end(progress->database, begin(sitting, progress, start, err), err);
    if (status) sitting_done(sitting);
    return status;
}

/* ---- while it runs ---- */

/* Load the sitting for a change; it must be running. */
static enum status load_running(struct sitting *sitting, struct progress *progress, const char *id,
                                struct error *err)
{
    const enum status status = sitting_load(sitting, progress, id, err);
    if (status || sitting->state == SITTING_RUNNING) return status;
    error_set(err, STATUS_USAGE, _("drill %s: this sitting has ended (%s)"), sitting->drill,
              sitting_state_name(sitting->state));
    sitting_done(sitting);
    return STATUS_USAGE;
}

static enum status pause_clock(struct progress *progress, struct sitting *sitting,
                               struct error *err)
{
    if (sitting->exam)
        return error_set(err, STATUS_USAGE, _("drill %s: an exam has no pause"), sitting->drill);
    if (sitting->paused_ms)
        return error_set(err, STATUS_USAGE, _("drill %s: the clock is stopped already"),
                         sitting->drill);
    struct query query;
    query_open(&query, progress->database, "UPDATE sitting SET paused_ms = ?2 WHERE id = ?1");
    query_bind_text(&query, 1, sitting->id);
    query_bind_int(&query, 2, progress_now(progress));
    return query_run(&query, err);
}

enum status sitting_unpause(struct progress *progress, struct sitting *sitting, struct error *err)
{
    const int64_t from = sitting->paused_ms;
    const int64_t now = progress_now(progress);
    const int64_t to = now > from ? now : from;
    struct query query;

    query_open(&query, progress->database,
               "UPDATE sitting SET paused_ms = 0, deadline_ms = deadline_ms + ?3 - ?2,"
               " pauses = json_insert(pauses, '$[#]', json_array(?2, ?3)) WHERE id = ?1");
    query_bind_text(&query, 1, sitting->id);
    query_bind_int(&query, 2, from);
    query_bind_int(&query, 3, to);
    const enum status status = query_run(&query, err);
    if (status) return status;
    sitting->paused_ms = 0;
    sitting->pauses_ms += to - from;
    sitting->deadline_ms += to - from;
    return STATUS_OK;
}

static enum status resume_clock(struct progress *progress, struct sitting *sitting,
                                struct error *err)
{
    if (!sitting->paused_ms)
        return error_set(err, STATUS_USAGE, _("drill %s: the clock is running already"),
                         sitting->drill);
    return sitting_unpause(progress, sitting, err);
}

static enum status add_hint(struct progress *progress, struct sitting *sitting, struct error *err)
{
    if (sitting->exam)
        return error_set(err, STATUS_USAGE, _("drill %s: an exam has no hints"), sitting->drill);
    struct query query;
    query_open(&query, progress->database, "UPDATE sitting SET hints = hints + 1 WHERE id = ?1");
    query_bind_text(&query, 1, sitting->id);
    sitting->hints++;
    return query_run(&query, err);
}

static enum status give_up(struct progress *progress, struct sitting *sitting, struct error *err)
{
    int64_t ended = progress_now(progress);
    if (ended <= 0) ended = 1;
    return sitting_end(progress, sitting, SITTING_GIVEN_UP, ended, NULL, err);
}

/* One change to a running sitting, in its own transaction; afterwards as it was left in *hints. */
static enum status change(struct progress *progress, const char *id,
                          enum status (*apply)(struct progress *, struct sitting *, struct error *),
                          int *hints, struct error *err)
{
    struct sitting sitting = {0};
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = sitting_end_overdue(progress, err);
    if (!status) status = load_running(&sitting, progress, id, err);
    if (!status) status = apply(progress, &sitting, err);
    status = database_end(progress->database, status, err);
    if (hints) *hints = sitting.hints;
    sitting_done(&sitting);
    return status;
}

enum status sitting_pause(struct progress *progress, const char *id, struct error *err)
{
    return change(progress, id, pause_clock, NULL, err);
}

enum status sitting_resume(struct progress *progress, const char *id, struct error *err)
{
    return change(progress, id, resume_clock, NULL, err);
}

enum status sitting_hint(struct progress *progress, const char *id, int *hints, struct error *err)
{
    return change(progress, id, add_hint, hints, err);
}

enum status sitting_give_up(struct progress *progress, const char *id, struct error *err)
{
    return change(progress, id, give_up, NULL, err);
}

/* ---- the end ---- */

/* What its counting submissions say; `attempt` is the passing one or NULL. */
static enum status facts_of(struct rating_facts *facts, struct progress *progress,
                            const struct sitting *sitting, const char *attempt, struct error *err)
{
    struct query query;
    *facts = (struct rating_facts){
        .rehearsal = sitting_is_rehearsal(sitting),
        .passed = attempt != NULL,
        .hints = sitting->hints,
        .budget_ms = budget_of(sitting->minutes, sitting->time_factor),
    };
    query_open(&query, progress->database,
               "SELECT count(*) FILTER (WHERE verdict IN ('pass', 'fail', 'limit')),"
               " count(*) FILTER (WHERE verdict IN ('unavailable', 'error')),"
               " max(elapsed_ms) FILTER (WHERE id = ?2)"
               " FROM attempt WHERE sitting = ?1 AND counts = 1 AND (?2 IS NULL OR submitted_ms <="
               " (SELECT submitted_ms FROM attempt WHERE id = ?2))");
    query_bind_text(&query, 1, sitting->id);
    query_bind_text(&query, 2, attempt);
    if (query_row(&query)) {
        facts->submissions = (int)query_int(&query, 0);
        facts->our_faults = (int)query_int(&query, 1);
        facts->elapsed_ms = query_int(&query, 2);
    }
    return query_done(&query, err);
}

enum status sitting_end(struct progress *progress, const struct sitting *sitting,
                        enum sitting_state state, int64_t ended_ms, const char *attempt,
                        struct error *err)
{
    CHECK(database_in_transaction(progress->database) && state != SITTING_RUNNING);
    struct sitting ending = *sitting; /* path stays the caller's */
    enum status status = STATUS_OK;
    struct rating_facts facts;

    if (ending.paused_ms) status = sitting_unpause(progress, &ending, err);
    if (!status) status = facts_of(&facts, progress, &ending, attempt, err);
    if (status) return status;

    struct query query;
    query_open(&query, progress->database,
               "UPDATE sitting SET state = ?2, ended_ms = ?3 WHERE id = ?1");
    query_bind_text(&query, 1, ending.id);
    query_bind_text(&query, 2, sitting_state_name(state));
    query_bind_int(&query, 3, ended_ms);
    status = query_run(&query, err);

    const enum fsrs_rating rating = rating_derive(&facts);
    if (status || rating == RATING_NONE) return status;
    char *item = text_printf("drill/%s", ending.drill);
    status = review_add(progress, item, ending.id, ended_ms, rating, err);
    free(item);
    return status;
}

/* Its time is over at *ended_ms, its work at zero is stored or cannot be had, and nothing submitted
 * in time is waiting for a verdict. */
static enum status is_over(const struct sitting *sitting, struct progress *progress,
                           bool no_snapshot, bool *over, int64_t *ended_ms,
                           enum sitting_state *state, struct error *err)
{
    const int64_t now = progress_now(progress);
    *over = false;
    *ended_ms = sitting->deadline_ms + (sitting->exam ? 0 : SITTING_OVERTIME_MS);
    if (sitting->paused_ms || now <= *ended_ms + (sitting->exam ? SITTING_GRACE_MS : 0))
        return STATUS_OK;

    struct query query;
    query_open(&query, progress->database,
               "SELECT count(*) FILTER (WHERE state <> 'done'),"
               " count(*) FILTER (WHERE verdict IN ('fail', 'limit')),"
               " (SELECT count(*) FROM attempt WHERE sitting = ?1 AND kind = 'snapshot')"
               " FROM attempt WHERE sitting = ?1 AND kind <> 'check' AND (counts = 1 OR rehearsal ="
               " 1)");
    query_bind_text(&query, 1, sitting->id);
    if (query_row(&query)) {
        *over = query_int(&query, 0) == 0 && (no_snapshot || query_int(&query, 2) > 0);
        *state = query_int(&query, 1) > 0 ? SITTING_FAILED : SITTING_EXPIRED;
    }
    return query_done(&query, err);
}

static enum status end_if_over(struct progress *progress, const struct sitting *sitting,
                               bool no_snapshot, bool *ended, struct error *err)
{
    int64_t ended_ms = 0;
    enum sitting_state state = SITTING_EXPIRED;
    enum status status = is_over(sitting, progress, no_snapshot, ended, &ended_ms, &state, err);
    if (!status && *ended) status = sitting_end(progress, sitting, state, ended_ms, NULL, err);
    return status;
}

enum status sitting_end_overdue(struct progress *progress, struct error *err)
{
    CHECK(database_in_transaction(progress->database));
    struct query query;
    struct sitting *list;
    int n;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM sitting WHERE state = 'running' ORDER BY deadline_ms, id");
    enum status status = collect(&list, &n, &query, err);
    for (int i = 0; i < n && !status; i++) {
        bool ended;
        status = end_if_over(progress, &list[i], false, &ended, err);
    }
    sitting_list_done(list, n);
    return status;
}

enum status sitting_overdue(struct sitting **out, int *n, struct progress *progress,
                            struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM sitting WHERE state = 'running' AND paused_ms = 0"
               " AND deadline_ms < ?1 AND NOT EXISTS (SELECT 1 FROM attempt"
               " WHERE attempt.sitting = sitting.id AND kind = 'snapshot')"
               " ORDER BY deadline_ms, id");
    query_bind_int(&query, 1, progress_now(progress) - SITTING_GRACE_MS);
    return collect(out, n, &query, err);
}

static enum status no_snapshot(struct progress *progress, const char *id, bool *ended,
                               struct error *err)
{
    struct sitting sitting;
    enum status status = sitting_load(&sitting, progress, id, err);
    if (!status && sitting.state == SITTING_RUNNING)
        status = end_if_over(progress, &sitting, true, ended, err);
    sitting_done(&sitting);
    return status;
}

enum status sitting_no_snapshot(struct progress *progress, const char *id, bool *ended,
                                struct error *err)
{
    *ended = false;
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = database_end(progress->database, no_snapshot(progress, id, ended, err), err);
    if (status) *ended = false;
    return status;
}

/* ---- questions ---- */

enum status sitting_snapshot(char attempt[ID_SIZE], struct progress *progress, const char *id,
                             struct error *err)
{
    struct query query;
    attempt[0] = '\0';
    query_open(&query, progress->database,
               "SELECT id FROM attempt WHERE sitting = ?1 AND kind <> 'check' AND overtime = 0"
               " ORDER BY submitted_ms DESC, rowid DESC LIMIT 1");
    query_bind_text(&query, 1, id);
    if (query_row(&query)) copy_into(attempt, ID_SIZE, query_text(&query, 0));
    return query_done(&query, err);
}

enum status sitting_has_snapshot(bool *taken, struct progress *progress, const char *id,
                                 struct error *err)
{
    struct query query;
    *taken = false;
    query_open(&query, progress->database,
               "SELECT count(*) FROM attempt WHERE sitting = ?1 AND kind = 'snapshot'");
    query_bind_text(&query, 1, id);
    if (query_row(&query)) *taken = query_int(&query, 0) > 0;
    return query_done(&query, err);
}

enum status sitting_week_count(int *n, struct progress *progress, struct error *err)
{
    const int64_t today = day_of(progress_now(progress));
    const int64_t monday = today - (today + 3) % 7; /* day 0 was a Thursday */
    struct query query;
    *n = 0;
    query_open(&query, progress->database,
               "SELECT count(*) FROM review WHERE sitting IS NOT NULL AND day >= ?1");
    query_bind_int(&query, 1, monday);
    if (query_row(&query)) *n = (int)query_int(&query, 0);
    return query_done(&query, err);
}
