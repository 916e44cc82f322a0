/* archive.c -- which tables an archive holds, and forgetting them. */
#include "progress/archive.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/locale.h"
#include "progress/archive_internal.h"
#include "progress/progress_internal.h"
#include "store/query.h"

/* ---- what a line holds: one list for both ways ---- */

static const struct archive_field sitting_fields[] = {
    {"id", FIELD_TEXT, false},         {"drill", FIELD_TEXT, false},
    {"lane", FIELD_TEXT, false},       {"mode", FIELD_TEXT, false},
    {"exam", FIELD_BOOL, false},       {"path", FIELD_TEXT, false},
    {"seed", FIELD_INT, false},        {"time_factor", FIELD_REAL, false},
    {"minutes", FIELD_INT, false},     {"started_ms", FIELD_INT, false},
    {"deadline_ms", FIELD_INT, false}, {"paused_ms", FIELD_INT, false},
    {"pauses", FIELD_JSON, false},     {"hints", FIELD_INT, false},
    {"state", FIELD_TEXT, false},      {"ended_ms", FIELD_INT, false},
};

static const struct archive_field attempt_fields[] = {
    {"id", FIELD_TEXT, false},         {"sitting", FIELD_TEXT, true},
    {"drill", FIELD_TEXT, false},      {"lane", FIELD_TEXT, false},
    {"mode", FIELD_TEXT, false},       {"exam", FIELD_BOOL, false},
    {"kind", FIELD_TEXT, false},       {"counts", FIELD_BOOL, false},
    {"rehearsal", FIELD_BOOL, false},  {"overtime", FIELD_BOOL, false},
    {"seed", FIELD_INT, false},        {"submitted_ms", FIELD_INT, false},
    {"elapsed_ms", FIELD_INT, false},  {"state", FIELD_TEXT, false},
    {"verdict", FIELD_TEXT, true},     {"diagnosis", FIELD_TEXT, true},
    {"source_size", FIELD_INT, false},
};

static const struct archive_field review_fields[] = {
    {"id", FIELD_TEXT, false},
    {"item", FIELD_TEXT, false},
    {"sitting", FIELD_TEXT, true},
    {"reviewed_ms", FIELD_INT, false},
    {"day", FIELD_INT, false},
    {"rating", FIELD_INT, false},
    {"derived", FIELD_INT, false},
    {"algo", FIELD_TEXT, false},
    {"weights", FIELD_JSON, false},
    {"elapsed_days", FIELD_INT, true},
    {"stability_before", FIELD_REAL, true},
    {"difficulty_before", FIELD_REAL, true},
    {"stability_after", FIELD_REAL, false},
    {"difficulty_after", FIELD_REAL, false},
};

/* An attempt that is being graded leaves as an interrupted one: its grader stays behind. */
static const char select_sittings[] =
    "SELECT id, drill, lane, mode, exam, path, seed, time_factor, minutes, started_ms, deadline_ms,"
    " paused_ms, pauses, hints, state, ended_ms FROM sitting ORDER BY started_ms, id";
static const char select_attempts[] =
    "SELECT id, sitting, drill, lane, mode, exam, kind, counts, rehearsal, overtime, seed,"
    " submitted_ms, elapsed_ms, iif(state = 'grading', 'interrupted', state), verdict, diagnosis,"
    " source_size FROM attempt ORDER BY submitted_ms, rowid";
static const char select_reviews[] =
    "SELECT id, item, sitting, reviewed_ms, day, rating, derived, algo, weights, elapsed_days,"
    " stability_before, difficulty_before, stability_after, difficulty_after FROM review"
    " ORDER BY reviewed_ms, id";

static const char insert_sitting[] =
    "INSERT INTO sitting (id, drill, lane, mode, exam, path, seed, time_factor, minutes,"
    " started_ms, deadline_ms, paused_ms, pauses, hints, state, ended_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    " ON CONFLICT (id) DO NOTHING";
static const char insert_attempt[] =
    "INSERT INTO attempt (id, sitting, drill, lane, mode, exam, kind, counts, rehearsal, overtime,"
    " seed, submitted_ms, elapsed_ms, state, verdict, diagnosis, source_size, source, result)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
    " ?19) ON CONFLICT (id) DO NOTHING";
/* A sitting is rated once: not when it was rated here, nor when it still runs here. */
static const char insert_review[] =
    "INSERT INTO review (id, item, sitting, reviewed_ms, day, rating, derived, algo, weights,"
    " elapsed_days, stability_before, difficulty_before, stability_after, difficulty_after)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14"
    " WHERE NOT EXISTS (SELECT 1 FROM review WHERE sitting = ?3)"
    " AND NOT EXISTS (SELECT 1 FROM sitting WHERE id = ?3 AND state = 'running')"
    " ON CONFLICT (id) DO NOTHING";

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

const struct archive_table archive_tables[] = {
    {"sittings.jsonl", "sittings", sitting_fields, COUNT_OF(sitting_fields), select_sittings,
     insert_sitting},
    {"attempts.jsonl", "attempts", attempt_fields, COUNT_OF(attempt_fields), select_attempts,
     insert_attempt},
    {"reviews.jsonl", "reviews", review_fields, COUNT_OF(review_fields), select_reviews,
     insert_review},
};
int *archive_count(struct archive_counts *counts, int table)
{
    return table == TABLE_SITTINGS   ? &counts->sittings
           : table == TABLE_ATTEMPTS ? &counts->attempts
                                     : &counts->reviews;
}

const char *archive_extension(const char *lane) { return strcmp(lane, "c") == 0 ? "c" : "py"; }

void archive_hash(char out[17], const void *bytes, size_t size)
{
    snprintf(out, 17, "%016llx", (unsigned long long)XXH64(bytes, size, 0));
}

/* ---- forgetting ---- */

static enum status delete_rows(struct progress *progress, const char *sql, const char *drill,
                               int *n, struct error *err)
{
    struct query query;
    query_open(&query, progress->database, sql);
    query_bind_text(&query, 1, drill);
    const enum status status = query_run(&query, err);
    if (!status) *n = (int)database_changes(progress->database);
    return status;
}

static enum status forget_rows(struct progress *progress, const char *drill,
                               struct archive_counts *removed, struct error *err)
{
    enum status status =
        delete_rows(progress, "DELETE FROM review WHERE ?1 IS NULL OR item = 'drill/' || ?1", drill,
                    &removed->reviews, err);
    if (!status)
        status = delete_rows(progress, "DELETE FROM attempt WHERE ?1 IS NULL OR drill = ?1", drill,
                             &removed->attempts, err);
    if (!status)
        status = delete_rows(progress, "DELETE FROM sitting WHERE ?1 IS NULL OR drill = ?1", drill,
                             &removed->sittings, err);
    if (!status)
        status = delete_rows(progress, "DELETE FROM setting WHERE ?1 IS NULL", drill,
                             &removed->settings, err);
    return status;
}

enum status archive_forget(struct progress *progress, const char *drill,
                           struct archive_counts *removed, struct error *err)
{
    struct archive_counts counts = {0};
    if (removed) *removed = counts;
    if (drill && !progress_drill_valid(drill))
        return error_set(err, STATUS_USAGE, _("drill '%s': not a drill's number"), drill);

    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = database_end(progress->database, forget_rows(progress, drill, &counts, err), err);
    if (status) return status;
    if (removed) *removed = counts;
    status = database_remove_copies(progress->database, err);
    return status ? status : database_compact(progress->database, err);
}
