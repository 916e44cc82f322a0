/* archive.c -- which tables an archive holds, and forgetting them. */
#include "progress/archive.h"

#include <stddef.h>
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

static const struct archive_field packet_fields[] = {
    {"id", FIELD_TEXT, false},        {"track", FIELD_TEXT, false},
    {"days", FIELD_INT, false},       {"phone_lane", FIELD_TEXT, false},
    {"exam", FIELD_BOOL, false},      {"time_factor", FIELD_REAL, false},
    {"seed", FIELD_INT, false},       {"language", FIELD_TEXT, false},
    {"started_ms", FIELD_INT, false}, {"ended_ms", FIELD_INT, false},
    {"state", FIELD_TEXT, false},
};

static const struct archive_field round_fields[] = {
    {"id", FIELD_TEXT, false},          {"packet", FIELD_TEXT, true},
    {"place", FIELD_INT, false},        {"name", FIELD_TEXT, false},
    {"content", FIELD_TEXT, false},     {"exam", FIELD_BOOL, false},
    {"time_factor", FIELD_REAL, false}, {"seed", FIELD_INT, false},
    {"lane", FIELD_TEXT, false},        {"language", FIELD_TEXT, false},
    {"created_ms", FIELD_INT, false},   {"started_ms", FIELD_INT, false},
    {"ended_ms", FIELD_INT, false},     {"state", FIELD_TEXT, false},
};

static const struct archive_field step_fields[] = {
    {"round", FIELD_TEXT, false},     {"place", FIELD_INT, false},
    {"phase", FIELD_TEXT, false},     {"kind", FIELD_TEXT, false},
    {"item", FIELD_TEXT, false},      {"minutes", FIELD_INT, false},
    {"started_ms", FIELD_INT, false}, {"deadline_ms", FIELD_INT, false},
    {"paused_ms", FIELD_INT, false},  {"ended_ms", FIELD_INT, false},
    {"sitting", FIELD_TEXT, true},
};

static const struct archive_field answer_fields[] = {
    {"id", FIELD_TEXT, false},          {"round", FIELD_TEXT, false},
    {"step", FIELD_INT, false},         {"place", FIELD_INT, false},
    {"item", FIELD_TEXT, false},        {"ask", FIELD_TEXT, false},
    {"text", FIELD_TEXT, false},        {"started_ms", FIELD_INT, false},
    {"submitted_ms", FIELD_INT, false}, {"overtime", FIELD_BOOL, false},
    {"score", FIELD_REAL, true},        {"result", FIELD_TEXT, false},
    {"confirmed", FIELD_TEXT, true},
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

#define PACKET_COLUMNS \
    "id, track, days, phone_lane, exam, time_factor, seed, language, started_ms, ended_ms, state"
#define ROUND_COLUMNS \
    "id, packet, place, name, content, exam, time_factor, seed, lane, language, created_ms," \
    " started_ms, ended_ms, state"
#define STEP_COLUMNS \
    "round, place, phase, kind, item, minutes, started_ms, deadline_ms, paused_ms, ended_ms," \
    " sitting"
#define ANSWER_COLUMNS \
    "id, round, step, place, item, ask, text, started_ms, submitted_ms, overtime, score, result," \
    " confirmed"

static const char select_packets[] =
    "SELECT " PACKET_COLUMNS " FROM packet ORDER BY started_ms, id";
static const char select_rounds[] = "SELECT " ROUND_COLUMNS " FROM round ORDER BY created_ms, id";
static const char select_steps[] = "SELECT " STEP_COLUMNS " FROM step ORDER BY round, place";
static const char select_answers[] =
    "SELECT " ANSWER_COLUMNS " FROM answer ORDER BY round, step, place";

/* One packet and one round run at a time: what runs there is abandoned when another runs here. */
static const char insert_packet[] =
    "INSERT INTO packet (" PACKET_COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
    " iif(other.runs AND ?11 = 'running', max(?9, 1), ?10),"
    " iif(other.runs AND ?11 = 'running', 'abandoned', ?11)"
    " FROM (SELECT EXISTS (SELECT 1 FROM packet WHERE state = 'running') AS runs) AS other"
    " WHERE true ON CONFLICT (id) DO NOTHING";
static const char insert_round[] =
    "INSERT INTO round (" ROUND_COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
    " ?12, iif(other.runs AND ?14 = 'running', max(?12, 1), ?13),"
    " iif(other.runs AND ?14 = 'running', 'abandoned', ?14)"
    " FROM (SELECT EXISTS (SELECT 1 FROM round WHERE state = 'running') AS runs) AS other"
    " WHERE true ON CONFLICT (id) DO NOTHING";
/* Of rounds that came with this archive; of none at all the foreign key complains. */
#define OF_NEW_ROUNDS(round) \
    " WHERE EXISTS (SELECT 1 FROM temp.incoming_round WHERE id = " round ")" \
    " OR NOT EXISTS (SELECT 1 FROM round WHERE id = " round ")"
static const char insert_step[] =
    "INSERT INTO step (" STEP_COLUMNS
    ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11" OF_NEW_ROUNDS("?1");
static const char insert_answer[] =
    "INSERT INTO answer (" ANSWER_COLUMNS ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
    " ?12, ?13" OF_NEW_ROUNDS("?2") " ON CONFLICT (id) DO NOTHING";

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

const struct archive_table archive_tables[] = {
    {"sittings.jsonl", "sittings", sitting_fields, COUNT_OF(sitting_fields), select_sittings,
     insert_sitting, 1},
    {"attempts.jsonl", "attempts", attempt_fields, COUNT_OF(attempt_fields), select_attempts,
     insert_attempt, 1},
    {"reviews.jsonl", "reviews", review_fields, COUNT_OF(review_fields), select_reviews,
     insert_review, 1},
    {"packets.jsonl", "packets", packet_fields, COUNT_OF(packet_fields), select_packets,
     insert_packet, 2},
    {"rounds.jsonl", "rounds", round_fields, COUNT_OF(round_fields), select_rounds, insert_round,
     2},
    {"steps.jsonl", "steps", step_fields, COUNT_OF(step_fields), select_steps, insert_step, 2},
    {"answers.jsonl", "answers", answer_fields, COUNT_OF(answer_fields), select_answers,
     insert_answer, 2},
};

const struct archive_counter archive_counters[N_COUNTERS] = {
    {"sittings", offsetof(struct archive_counts, sittings), 1},
    {"attempts", offsetof(struct archive_counts, attempts), 1},
    {"reviews", offsetof(struct archive_counts, reviews), 1},
    {"settings", offsetof(struct archive_counts, settings), 1},
    {"packets", offsetof(struct archive_counts, packets), 2},
    {"rounds", offsetof(struct archive_counts, rounds), 2},
    {"steps", offsetof(struct archive_counts, steps), 2},
    {"answers", offsetof(struct archive_counts, answers), 2},
    {"stories", offsetof(struct archive_counts, stories), 2},
    {"drafts", offsetof(struct archive_counts, drafts), 2},
};

int *archive_counted(struct archive_counts *counts, const struct archive_counter *counter)
{
    return (int *)(void *)((char *)counts + counter->offset);
}

int *archive_count(struct archive_counts *counts, int table)
{
    for (int i = 0; i < N_COUNTERS; i++)
        if (strcmp(archive_counters[i].name, archive_tables[table].count) == 0)
            return archive_counted(counts, &archive_counters[i]);
    check_failed("a counter for each table", __FILE__, __LINE__);
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
        delete_rows(progress, "DELETE FROM answer WHERE ?1 IS NULL OR item = 'drill/' || ?1", drill,
                    &removed->answers, err);
    if (!status)
        status =
            delete_rows(progress, "DELETE FROM step WHERE ?1 IS NULL", drill, &removed->steps, err);
    if (!status)
        status = delete_rows(progress, "DELETE FROM round WHERE ?1 IS NULL", drill,
                             &removed->rounds, err);
    if (!status)
        status = delete_rows(progress, "DELETE FROM packet WHERE ?1 IS NULL", drill,
                             &removed->packets, err);
    if (!status)
        status =
            delete_rows(progress, "DELETE FROM review WHERE ?1 IS NULL OR item = 'drill/' || ?1",
                        drill, &removed->reviews, err);
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
    if (!drill) status = archive_forget_files(progress, &counts, err);
    if (removed) *removed = counts;
    if (status) return status;
    status = database_remove_copies(progress->database, err);
    return status ? status : database_compact(progress->database, err);
}
