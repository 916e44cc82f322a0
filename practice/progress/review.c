#include "progress/review.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "progress/day.h"
#include "progress/progress_internal.h"
#include "store/query.h"

static char *weights_text(const struct fsrs_weights *weights)
{
    json_t *array = json_array();
    for (int i = 0; i < FSRS_WEIGHTS; i++) json_array_append_new(array, json_real(weights->w[i]));
    char *text = json_line(array);
    json_decref(array);
    return text;
}

static bool weights_parse(struct fsrs_weights *weights, const char *text)
{
    json_t *array;
    if (json_parse(&array, text, strlen(text), NULL)) return false;
    bool good = json_is_array(array) && json_array_size(array) == FSRS_WEIGHTS;
    for (size_t i = 0; good && i < FSRS_WEIGHTS; i++) {
        const json_t *number = json_array_get(array, i);
        good = json_is_number(number);
        weights->w[i] = json_number_value(number);
    }
    json_decref(array);
    return good && fsrs_weights_valid(weights);
}

/* What the newest row of an item leaves. */
struct last {
    bool seen;
    int64_t day;
    struct fsrs_memory memory;
};

/* Days of practice between two reviews; a log merged from two time zones never goes back. */
static int64_t days_between(const struct last *last, int64_t day)
{
    return !last->seen ? -1 : day > last->day ? day - last->day : 0;
}

static enum status last_of(struct last *last, struct progress *progress, const char *item,
                           struct error *err)
{
    struct query query;
    *last = (struct last){0};
    query_open(&query, progress->database,
               "SELECT day, stability_after, difficulty_after FROM review WHERE item = ?1"
               " ORDER BY reviewed_ms DESC, id DESC LIMIT 1");
    query_bind_text(&query, 1, item);
    if (query_row(&query))
        *last = (struct last){
            true, query_int(&query, 0), {query_real(&query, 1), query_real(&query, 2)}};
    return query_done(&query, err);
}

enum status review_add(struct progress *progress, const char *item, const char *sitting,
                       int64_t reviewed_ms, enum fsrs_rating rating, struct error *err)
{
    CHECK(database_in_transaction(progress->database));
    char id[ID_SIZE];
    char *weights = weights_text(&fsrs_default);
    struct query query;

    /* The numbers are the replay's, so that there is one way to come by them. */
    query_open(&query, progress->database,
               "INSERT INTO review (id, item, sitting, reviewed_ms, day, rating, derived, algo,"
               " weights, stability_after, difficulty_after)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, '" FSRS_ALGO "', ?7, 0, 0)");
    query_bind_text(&query, 1, progress_id(id));
    query_bind_text(&query, 2, item);
    query_bind_text(&query, 3, sitting);
    query_bind_int(&query, 4, reviewed_ms);
    query_bind_int(&query, 5, day_of(reviewed_ms));
    query_bind_int(&query, 6, rating);
    query_bind_text(&query, 7, weights);
    const enum status status = query_run(&query, err);
    free(weights);
    return status ? status : review_replay(progress, item, err);
}

enum status review_keep(struct progress *progress, const char *item, int64_t reviewed_ms,
                        enum fsrs_rating rating, struct error *err)
{
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = review_add(progress, item, NULL, reviewed_ms, rating, err);
    return database_end(progress->database, status, err);
}

/* The newest row of the item: its id, and what was derived. */
static enum status newest(char id[ID_SIZE], enum fsrs_rating *derived, struct progress *progress,
                          const char *item, struct error *err)
{
    struct query query;
    bool found;
    query_open(&query, progress->database,
               "SELECT id, derived FROM review WHERE item = ?1"
               " ORDER BY reviewed_ms DESC, id DESC LIMIT 1");
    query_bind_text(&query, 1, item);
    found = query_row(&query);
    if (found) {
        snprintf(id, ID_SIZE, "%s", query_text(&query, 0));
        *derived = (enum fsrs_rating)query_int(&query, 1);
    }
    const enum status status = query_done(&query, err);
    if (status || found) return status;
    return error_set(err, STATUS_NOT_FOUND, _("%s was never reviewed"), item);
}

static enum status lower(struct progress *progress, const char *item, enum fsrs_rating rating,
                         struct error *err)
{
    char id[ID_SIZE];
    enum fsrs_rating derived = RATING_NONE;
    struct query query;
    enum status status = newest(id, &derived, progress, item, err);
    if (status) return status;
    if (rating < RATING_AGAIN || rating > derived)
        return error_set(err, STATUS_USAGE,
                         _("a rating of %d: it can be lowered from %d, never "
                           "raised"),
                         rating, derived);
    query_open(&query, progress->database, "UPDATE review SET rating = ?2 WHERE id = ?1");
    query_bind_text(&query, 1, id);
    query_bind_int(&query, 2, rating);
    status = query_run(&query, err);
    return status ? status : review_replay(progress, item, err);
}

enum status review_lower(struct progress *progress, const char *item, enum fsrs_rating rating,
                         struct error *err)
{
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = lower(progress, item, rating, err);
    return database_end(progress->database, status, err);
}

/* ---- replay ---- */

struct step {
    char id[ID_SIZE];
    int64_t elapsed_days;
    struct fsrs_memory before, after;
    bool stored_differs;
};

static bool same(double a, double b) { return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b)); }

/* Every row of the item with the numbers it should have; the caller frees the array. */
static enum status replay(struct step **out, int *n, struct progress *progress, const char *item,
                          struct error *err)
{
    struct step *steps = memory_new(1, sizeof *steps);
    struct last last = {0};
    enum status status = STATUS_OK;
    struct query query;

    *out = NULL;
    *n = 0;
    query_open(&query, progress->database,
               "SELECT id, day, rating, weights, ifnull(elapsed_days, -1),"
               " ifnull(stability_before, 0), ifnull(difficulty_before, 0),"
               " stability_after, difficulty_after"
               " FROM review WHERE item = ?1 ORDER BY reviewed_ms, id");
    query_bind_text(&query, 1, item);
    while (!status && query_row(&query)) {
        struct fsrs_weights weights;
        struct step step = {.before = last.memory};
        const int64_t day = query_int(&query, 1);

        snprintf(step.id, sizeof step.id, "%s", query_text(&query, 0));
        if (!weights_parse(&weights, query_text(&query, 3))) {
            status = error_set(err, STATUS_FORMAT,
                               _("review %s: its weights are not 21 numbers "
                                 "that FSRS-6 can use"),
                               step.id);
            break;
        }
        step.elapsed_days = days_between(&last, day);
        step.after = fsrs_review(&weights, last.memory, (enum fsrs_rating)query_int(&query, 2),
                                 (double)step.elapsed_days);
        step.stored_differs = step.elapsed_days != query_int(&query, 4) ||
                              !same(step.before.stability, query_real(&query, 5)) ||
                              !same(step.before.difficulty, query_real(&query, 6)) ||
                              !same(step.after.stability, query_real(&query, 7)) ||
                              !same(step.after.difficulty, query_real(&query, 8));
        last = (struct last){true, day, step.after};
        steps = memory_grow(steps, (size_t)*n + 1, sizeof *steps);
        steps[(*n)++] = step;
    }
    const enum status read = query_done(&query, status ? NULL : err);
    if (!status) status = read;
    if (status) {
        free(steps);
        *n = 0;
    } else {
        *out = steps;
    }
    return status;
}

static enum status store(struct progress *progress, const struct step *step, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "UPDATE review SET elapsed_days = ?2, stability_before = ?3,"
               " difficulty_before = ?4, stability_after = ?5, difficulty_after = ?6"
               " WHERE id = ?1");
    query_bind_text(&query, 1, step->id);
    if (step->elapsed_days >= 0) {
        query_bind_int(&query, 2, step->elapsed_days);
        query_bind_real(&query, 3, step->before.stability);
        query_bind_real(&query, 4, step->before.difficulty);
    }
    query_bind_real(&query, 5, step->after.stability);
    query_bind_real(&query, 6, step->after.difficulty);
    return query_run(&query, err);
}

enum status review_replay(struct progress *progress, const char *item, struct error *err)
{
    CHECK(database_in_transaction(progress->database));
    struct step *steps;
    int n;
    enum status status = replay(&steps, &n, progress, item, err);
    for (int i = 0; i < n && !status; i++)
        if (steps[i].stored_differs) status = store(progress, &steps[i], err);
    free(steps);
    return status;
}

enum status review_verify(struct progress *progress, struct error *err)
{
    struct review *rows;
    int n_rows;
    enum status status = review_list(&rows, &n_rows, progress, NULL, err);

    for (int i = 0; i < n_rows && !status; i++) {
        if (i > 0 && strcmp(rows[i].item, rows[i - 1].item) == 0) continue;
        struct step *steps;
        int n;
        status = replay(&steps, &n, progress, rows[i].item, err);
        for (int s = 0; s < n && !status; s++)
            if (steps[s].stored_differs)
                status = error_set(err, STATUS_FORMAT,
                                   _("review %s of %s: not what replaying the log gives"),
                                   steps[s].id, rows[i].item);
        free(steps);
    }
    free(rows);
    return status;
}

/* ---- reading ---- */

enum status review_list(struct review **out, int *n, struct progress *progress, const char *item,
                        struct error *err)
{
    struct review *rows = memory_new(1, sizeof *rows);
    struct query query;

    *out = NULL;
    *n = 0;
    query_open(&query, progress->database,
               "SELECT id, item, ifnull(sitting, ''), reviewed_ms, day, rating, derived,"
               " ifnull(elapsed_days, -1), ifnull(stability_before, 0),"
               " ifnull(difficulty_before, 0), stability_after, difficulty_after"
               " FROM review WHERE ?1 IS NULL OR item = ?1 ORDER BY item, reviewed_ms, id");
    query_bind_text(&query, 1, item);
    while (query_row(&query)) {
        rows = memory_grow(rows, (size_t)*n + 1, sizeof *rows);
        struct review *row = &rows[(*n)++];
        *row = (struct review){
            .reviewed_ms = query_int(&query, 3),
            .day = query_int(&query, 4),
            .rating = (enum fsrs_rating)query_int(&query, 5),
            .derived = (enum fsrs_rating)query_int(&query, 6),
            .elapsed_days = query_int(&query, 7),
            .before = {query_real(&query, 8), query_real(&query, 9)},
            .after = {query_real(&query, 10), query_real(&query, 11)},
        };
        snprintf(row->id, sizeof row->id, "%s", query_text(&query, 0));
        snprintf(row->item, sizeof row->item, "%s", query_text(&query, 1));
        snprintf(row->sitting, sizeof row->sitting, "%s", query_text(&query, 2));
    }
    const enum status status = query_done(&query, err);
    if (status) {
        free(rows);
        *n = 0;
    } else {
        *out = rows;
    }
    return status;
}

enum status review_memory(struct review_memory *memory, struct progress *progress, const char *item,
                          double retention, struct error *err)
{
    struct last last;
    struct query query;

    *memory = (struct review_memory){0};
    query_open(&query, progress->database,
               "SELECT count(*), ifnull(min(day), 0) FROM review WHERE item = ?1");
    query_bind_text(&query, 1, item);
    if (query_row(&query)) {
        memory->reviews = (int)query_int(&query, 0);
        memory->first_day = query_int(&query, 1);
    }
    enum status status = query_done(&query, err);
    if (!status) status = last_of(&last, progress, item, err);
    if (status || !last.seen) {
        memory->reviews = 0;
        return status;
    }
    memory->memory = last.memory;
    memory->last_day = last.day;
    memory->due_day = last.day + fsrs_interval(&fsrs_default, last.memory.stability, retention);
    return STATUS_OK;
}

double review_recall(const struct review_memory *memory, int64_t day)
{
    if (memory->reviews == 0) return -1.0;
    return fsrs_recall(&fsrs_default, memory->memory.stability, (double)(day - memory->last_day));
}

enum status review_recall_on(double *recall, struct progress *progress, const char *item,
                             int64_t day, struct error *err)
{
    struct review_memory memory;
    const enum status status = review_memory(&memory, progress, item, 0.9, err);
    *recall = status ? -1.0 : review_recall(&memory, day);
    return status;
}
