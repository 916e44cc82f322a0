#include "progress/attempt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "progress/progress_internal.h"
#include "progress/sitting.h"
#include "store/query.h"

static const char *const kind_names[] = {"check", "submit", "snapshot"};
static const char *const state_names[] = {"grading", "interrupted", "done"};
static const char *const verdict_names[] = {NULL, "pass", "fail", "limit", "unavailable", "error"};

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

static int place_of(const char *name, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (names[i] && strcmp(names[i], name) == 0) return i;
    return -1;
}

const char *attempt_kind_name(enum attempt_kind kind)
{
    CHECK((int)kind >= 0 && (int)kind < COUNT_OF(kind_names));
    return kind_names[kind];
}

const char *attempt_state_name(enum attempt_state state)
{
    CHECK((int)state >= 0 && (int)state < COUNT_OF(state_names));
    return state_names[state];
}

const char *attempt_verdict_name(enum attempt_verdict verdict)
{
    CHECK((int)verdict >= 0 && (int)verdict < COUNT_OF(verdict_names));
    return verdict_names[verdict];
}

bool attempt_verdict_parse(const char *name, enum attempt_verdict *verdict)
{
    const int place = place_of(name, verdict_names, COUNT_OF(verdict_names));
    if (place < 0) return false;
    *verdict = (enum attempt_verdict)place;
    return true;
}

/* ---- whose it is ----
 * "boot pid start": a process id alone is used again, with its start time and the boot it is not. */

static void boot_id(char out[40])
{
    struct text text = {0};
    out[0] = '\0';
    if (file_read(&text, "/proc/sys/kernel/random/boot_id", 64, NULL) == STATUS_OK)
        snprintf(out, 40, "%.36s", text_string(&text));
    text_done(&text);
}

/* When the process started, in ticks since boot: field 22 of its stat. -1: no such process. */
static long long process_start(long pid)
{
    struct text text = {0};
    long long start = -1;
    char *path = text_printf("/proc/%ld/stat", pid);
    if (file_read(&text, path, 4096, NULL) == STATUS_OK) {
        /* the second field is a name in brackets that may hold anything */
        const char *field = strrchr(text_string(&text), ')');
        for (int i = 2; field && i < 22; i++) {
            field = strchr(field, ' ');
            if (field) field++;
        }
        if (field) start = atoll(field);
    } else if (!file_exists("/proc/self/stat") && (kill((pid_t)pid, 0) == 0 || errno == EPERM)) {
        start = 0; /* no /proc here: alive is all that can be said */
    }
    text_done(&text);
    free(path);
    return start;
}

static char *owner_self(void)
{
    char boot[40];
    boot_id(boot);
    return text_printf("%s %ld %lld", *boot ? boot : "-", (long)getpid(), process_start(getpid()));
}

static bool owner_is_alive(const char *owner)
{
    char boot[40], now[40];
    long pid;
    long long start;
    boot_id(now);
    if (sscanf(owner, "%39s %ld %lld", boot, &pid, &start) != 3 || pid <= 0) return false;
    return strcmp(boot, *now ? now : "-") == 0 && process_start(pid) == start;
}

enum status attempt_mark_interrupted(struct progress *progress, struct error *err)
{
    CHECK(database_in_transaction(progress->database));
    char(*dead)[ID_SIZE] = memory_new(1, sizeof *dead);
    int n = 0;
    struct query query;

    query_open(&query, progress->database,
               "SELECT id, ifnull(owner, '') FROM attempt WHERE state = 'grading'");
    while (query_row(&query)) {
        if (owner_is_alive(query_text(&query, 1))) continue;
        dead = memory_grow(dead, (size_t)n + 1, sizeof *dead);
        snprintf(dead[n++], ID_SIZE, "%s", query_text(&query, 0));
    }
    enum status status = query_done(&query, err);
    for (int i = 0; i < n && !status; i++) {
        query_open(&query, progress->database,
                   "UPDATE attempt SET state = 'interrupted', owner = NULL WHERE id = ?1");
        query_bind_text(&query, 1, dead[i]);
        status = query_run(&query, err);
    }
    free(dead);
    return status;
}

/* ---- writing down ---- */

/* A snapshot is the work at zero, wherever it is taken: it stands there on the clock. */
static enum status place_at_zero(struct attempt *attempt, struct progress *progress,
                                 const struct sitting *sitting, int64_t written_ms,
                                 struct error *err)
{
    const int64_t zero = sitting->deadline_ms;
    char when[32];
    bool taken;
    const enum status status = sitting_has_snapshot(&taken, progress, sitting->id, err);
    if (status) return status;
    if (taken)
        return error_set(err, STATUS_CONFLICT, _("drill %s: the snapshot at zero is taken already"),
                         sitting->drill);
    if (sitting->state != SITTING_RUNNING)
        return error_set(err, STATUS_CONFLICT, _("drill %s: this sitting has ended (%s)"),
                         sitting->drill, sitting_state_name(sitting->state));
    if (attempt->submitted_ms < zero)
        return error_set(err, STATUS_CONFLICT, _("drill %s: its clock has not reached zero"),
                         sitting->drill);
    const bool before_zero = written_ms > 0 && written_ms <= zero;
    if (!before_zero && attempt->submitted_ms > zero + SITTING_GRACE_MS)
        return error_set(err, STATUS_CONFLICT,
                         _("drill %s: the file was last written at %s, after zero: it is no "
                           "snapshot"),
                         sitting->drill, clock_utc(when, written_ms));
    attempt->submitted_ms = zero;
    return STATUS_OK;
}

/* What a sitting makes of an attempt begun now. */
static enum status place_on_clock(struct attempt *attempt, struct progress *progress,
                                  const struct attempt_start *start, struct error *err)
{
    const char *id = start->sitting;
    struct sitting sitting;
    enum status status = sitting_load(&sitting, progress, id, err);
    if (status) return status;
    if (sitting.state == SITTING_RUNNING && sitting.paused_ms)
        status = sitting_unpause(progress, &sitting, err);
    if (!status && attempt->kind == ATTEMPT_SNAPSHOT)
        status = place_at_zero(attempt, progress, &sitting, start->written_ms, err);

    struct sitting running = sitting; /* the clock as if it still ran: ended ones show how late */
    running.state = SITTING_RUNNING;
    const struct sitting_time time = sitting_time(&running, attempt->submitted_ms);

    snprintf(attempt->sitting, sizeof attempt->sitting, "%s", sitting.id);
    snprintf(attempt->drill, sizeof attempt->drill, "%s", sitting.drill);
    snprintf(attempt->lane, sizeof attempt->lane, "%s", sitting.lane);
    snprintf(attempt->mode, sizeof attempt->mode, "%s", sitting.mode);
    attempt->exam = sitting.exam;
    attempt->rehearsal = sitting_is_rehearsal(&sitting);
    attempt->elapsed_ms = time.elapsed_ms;
    attempt->overtime = time.overtime_ms > 0;
    attempt->counts = attempt->kind != ATTEMPT_CHECK && !attempt->rehearsal &&
                      sitting.state == SITTING_RUNNING && !(sitting.exam && attempt->overtime);
    sitting_done(&sitting);
    return status;
}

static enum status insert(struct progress *progress, const struct attempt *attempt,
                          const struct attempt_start *start, struct error *err)
{
    char *owner = owner_self();
    struct query query;
    query_open(&query, progress->database,
               "INSERT INTO attempt (id, sitting, drill, lane, mode, exam, kind, counts, rehearsal,"
               " overtime, seed, submitted_ms, elapsed_ms, state, owner, source_size, source)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'grading', ?14,"
               " ?15, ?16)");
    query_bind_text(&query, 1, attempt->id);
    query_bind_text(&query, 2, attempt->sitting[0] ? attempt->sitting : NULL);
    query_bind_text(&query, 3, attempt->drill);
    query_bind_text(&query, 4, attempt->lane);
    query_bind_text(&query, 5, attempt->mode);
    query_bind_int(&query, 6, attempt->exam);
    query_bind_text(&query, 7, attempt_kind_name(attempt->kind));
    query_bind_int(&query, 8, attempt->counts);
    query_bind_int(&query, 9, attempt->rehearsal);
    query_bind_int(&query, 10, attempt->overtime);
    query_bind_int(&query, 11, start->seed);
    query_bind_int(&query, 12, attempt->submitted_ms);
    query_bind_int(&query, 13, attempt->elapsed_ms);
    query_bind_text(&query, 14, owner);
    query_bind_int(&query, 15, (int64_t)start->source_size);
    query_bind_bytes(&query, 16, start->source ? start->source : "", start->source_size);
    free(owner);
    return query_run(&query, err);
}

static enum status begin(char id[ID_SIZE], struct progress *progress,
                         const struct attempt_start *start, struct error *err)
{
    struct attempt attempt = {.kind = start->kind, .submitted_ms = progress_now(progress)};
    enum status status = sitting_end_overdue(progress, err);

    progress_id(attempt.id);
    if (start->sitting) {
        if (!status) status = place_on_clock(&attempt, progress, start, err);
    } else {
        snprintf(attempt.drill, sizeof attempt.drill, "%s", start->drill);
        snprintf(attempt.lane, sizeof attempt.lane, "%s", start->lane);
        snprintf(attempt.mode, sizeof attempt.mode, "%s", start->mode);
    }
    if (!status) status = insert(progress, &attempt, start, err);
    if (!status) memcpy(id, attempt.id, ID_SIZE);
    return status;
}

enum status attempt_begin(char id[ID_SIZE], struct progress *progress,
                          const struct attempt_start *start, struct error *err)
{
    id[0] = '\0';
    if (start->source_size > ATTEMPT_SOURCE_LIMIT)
        return error_set(err, STATUS_LIMIT, _("submission: %zu bytes, at most %d are taken"),
                         start->source_size, ATTEMPT_SOURCE_LIMIT);
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = database_end(progress->database, begin(id, progress, start, err), err);
    if (status) id[0] = '\0';
    return status;
}

/* ---- completing ---- */

struct waiting {
    bool found, done, interrupted;
    bool ends; /* a pass ends its sitting: it counts, or it is the rehearsal's */
    char sitting[ID_SIZE];
    int64_t submitted_ms;
};

static enum status look_up(struct waiting *waiting, struct progress *progress, const char *id,
                           struct error *err)
{
    struct query query;
    *waiting = (struct waiting){0};
    query_open(&query, progress->database,
               "SELECT state, counts OR (rehearsal AND kind <> 'check'), ifnull(sitting, ''),"
               " submitted_ms FROM attempt"
               " WHERE id = ?1");
    query_bind_text(&query, 1, id);
    if (query_row(&query)) {
        *waiting = (struct waiting){
            .found = true,
            .done = strcmp(query_text(&query, 0), "done") == 0,
            .interrupted = strcmp(query_text(&query, 0), "interrupted") == 0,
            .ends = query_int(&query, 1) != 0,
            .submitted_ms = query_int(&query, 3),
        };
        snprintf(waiting->sitting, ID_SIZE, "%s", query_text(&query, 2));
    }
    const enum status status = query_done(&query, err);
    if (status || waiting->found) return status;
    return error_set(err, STATUS_NOT_FOUND, _("attempt %s: there is none with this id"), id);
}

static enum status complete(struct progress *progress, const char *id, enum attempt_verdict verdict,
                            const char *diagnosis, const char *result, struct error *err)
{
    struct waiting waiting;
    enum status status = look_up(&waiting, progress, id, err);
    if (status) return status;
    if (waiting.done)
        return error_set(err, STATUS_CONFLICT, _("attempt %s: it has been graded already"), id);

    struct query query;
    query_open(&query, progress->database,
               "UPDATE attempt SET state = 'done', verdict = ?2, diagnosis = ?3, result = ?4,"
               " owner = NULL WHERE id = ?1");
    query_bind_text(&query, 1, id);
    query_bind_text(&query, 2, attempt_verdict_name(verdict));
    query_bind_text(&query, 3, diagnosis);
    query_bind_text(&query, 4, result);
    status = query_run(&query, err);

    if (!status && waiting.ends && verdict == ATTEMPT_PASS) {
        struct sitting sitting;
        status = sitting_load(&sitting, progress, waiting.sitting, err);
        if (!status && sitting.state == SITTING_RUNNING)
            status = sitting_end(progress, &sitting, SITTING_PASSED, waiting.submitted_ms, id, err);
        sitting_done(&sitting);
    }
    return status ? status : sitting_end_overdue(progress, err);
}

enum status attempt_finish(struct progress *progress, const char *id, enum attempt_verdict verdict,
                           const char *diagnosis, const char *result, struct error *err)
{
    CHECK(verdict != ATTEMPT_NO_VERDICT && result);
    json_t *parsed;
    const size_t size = strlen(result);
    if (size > ATTEMPT_RESULT_LIMIT)
        return error_set(err, STATUS_LIMIT, _("result: %zu bytes, at most %d are kept"), size,
                         ATTEMPT_RESULT_LIMIT);
    enum status status = json_parse(&parsed, result, size, err);
    if (status) return status;
    json_decref(parsed);

    status = database_begin(progress->database, err);
    if (status) return status;
    return database_end(progress->database, complete(progress, id, verdict, diagnosis, result, err),
                        err);
}

static enum status take_up(struct progress *progress, const char *id, struct error *err)
{
    struct waiting waiting;
    enum status status = look_up(&waiting, progress, id, err);
    if (status) return status;
    if (!waiting.interrupted)
        return error_set(err, STATUS_CONFLICT, _("attempt %s: it is not interrupted (%s)"), id,
                         waiting.done ? "done" : "grading");
    char *owner = owner_self();
    struct query query;
    query_open(&query, progress->database,
               "UPDATE attempt SET state = 'grading', owner = ?2 WHERE id = ?1");
    query_bind_text(&query, 1, id);
    query_bind_text(&query, 2, owner);
    free(owner);
    return query_run(&query, err);
}

enum status attempt_resume(struct progress *progress, const char *id, struct error *err)
{
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    return database_end(progress->database, take_up(progress, id, err), err);
}

enum status attempt_put_back(struct progress *progress, const char *id, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "UPDATE attempt SET state = 'interrupted', owner = NULL"
               " WHERE id = ?1 AND state = 'grading'");
    query_bind_text(&query, 1, id);
    return query_run(&query, err);
}

/* ---- reading ---- */

#define COLUMNS \
    "id, ifnull(sitting, ''), drill, lane, mode, exam, kind, counts, rehearsal, overtime, seed," \
    " submitted_ms, elapsed_ms, state, verdict, diagnosis, source_size"

static struct attempt from_row(const struct query *query)
{
    const char *verdict = query_text(query, 14);
    struct attempt attempt = {
        .exam = query_int(query, 5) != 0,
        .counts = query_int(query, 7) != 0,
        .rehearsal = query_int(query, 8) != 0,
        .overtime = query_int(query, 9) != 0,
        .seed = query_int(query, 10),
        .submitted_ms = query_int(query, 11),
        .elapsed_ms = query_int(query, 12),
        .diagnosis = text_copy(query_text(query, 15)),
        .source_size = (size_t)query_int(query, 16),
    };
    const int kind = place_of(query_text(query, 6), kind_names, COUNT_OF(kind_names));
    const int state = place_of(query_text(query, 13), state_names, COUNT_OF(state_names));
    CHECK(kind >= 0 && state >= 0); /* the table accepts these only */
    attempt.kind = (enum attempt_kind)kind;
    attempt.state = (enum attempt_state)state;
    if (verdict) CHECK(attempt_verdict_parse(verdict, &attempt.verdict));
    snprintf(attempt.id, sizeof attempt.id, "%s", query_text(query, 0));
    snprintf(attempt.sitting, sizeof attempt.sitting, "%s", query_text(query, 1));
    snprintf(attempt.drill, sizeof attempt.drill, "%s", query_text(query, 2));
    snprintf(attempt.lane, sizeof attempt.lane, "%s", query_text(query, 3));
    snprintf(attempt.mode, sizeof attempt.mode, "%s", query_text(query, 4));
    return attempt;
}

void attempt_done(struct attempt *attempt)
{
    free(attempt->diagnosis);
    free(attempt->result);
    free(attempt->source);
    *attempt = (struct attempt){0};
}

enum status attempt_load(struct attempt *attempt, struct progress *progress, const char *id,
                         struct error *err)
{
    struct query query;
    *attempt = (struct attempt){0};
    query_open(&query, progress->database,
               "SELECT " COLUMNS ", result, source FROM attempt WHERE id = ?1");
    query_bind_text(&query, 1, id);
    const bool found = query_row(&query);
    if (found) {
        *attempt = from_row(&query);
        attempt->result = text_copy(query_text(&query, 17));
        const void *bytes = query_bytes(&query, 18, &attempt->source_size);
        attempt->source = memory_new(attempt->source_size + 1, 1); /* text ends in NUL */
        if (attempt->source_size) memcpy(attempt->source, bytes, attempt->source_size);
    }
    const enum status status = query_done(&query, err);
    if (status) attempt_done(attempt);
    if (status || found) return status;
    return error_set(err, STATUS_NOT_FOUND, _("attempt %s: there is none with this id"), id);
}

static enum status collect(struct attempt **out, int *n, struct query *query, struct error *err)
{
    struct attempt *list = memory_new(1, sizeof *list);
    *out = NULL;
    *n = 0;
    while (query_row(query)) {
        list = memory_grow(list, (size_t)*n + 1, sizeof *list);
        list[(*n)++] = from_row(query);
    }
    const enum status status = query_done(query, err);
    if (status) {
        attempt_list_done(list, *n);
        *n = 0;
    } else {
        *out = list;
    }
    return status;
}

enum status attempt_list(struct attempt **out, int *n, struct progress *progress, const char *drill,
                         const char *sitting, int limit, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM attempt WHERE (?1 IS NULL OR drill = ?1)"
               " AND (?2 IS NULL OR sitting = ?2) ORDER BY submitted_ms DESC, rowid DESC LIMIT ?3");
    query_bind_text(&query, 1, drill);
    query_bind_text(&query, 2, sitting);
    query_bind_int(&query, 3, limit > 0 ? limit : -1);
    return collect(out, n, &query, err);
}

enum status attempt_interrupted(struct attempt **out, int *n, struct progress *progress,
                                struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM attempt WHERE state = 'interrupted'"
               " ORDER BY submitted_ms DESC, rowid DESC");
    return collect(out, n, &query, err);
}

void attempt_list_done(struct attempt *attempts, int n)
{
    for (int i = 0; i < n; i++) attempt_done(&attempts[i]);
    free(attempts);
}

enum status attempt_summarize(struct attempt_summary *summary, struct progress *progress,
                              const char *drill, struct error *err)
{
    struct query query;
    *summary = (struct attempt_summary){.best_elapsed_ms = -1};
    query_open(&query, progress->database,
               "SELECT verdict, elapsed_ms, submitted_ms, sitting IS NOT NULL FROM attempt"
               " WHERE drill = ?1 AND kind <> 'check' AND rehearsal = 0 AND state = 'done'"
               " ORDER BY submitted_ms, rowid");
    query_bind_text(&query, 1, drill);
    while (query_row(&query)) {
        enum attempt_verdict verdict;
        CHECK(attempt_verdict_parse(query_text(&query, 0), &verdict));
        const int64_t elapsed = query_int(&query, 1);
        summary->submissions++;
        summary->last_ms = query_int(&query, 2);
        if (summary->best != ATTEMPT_PASS) summary->best = verdict;
        if (verdict != ATTEMPT_PASS) continue;
        summary->passes++;
        const bool timed = query_int(&query, 3) != 0;
        if (timed && (summary->best_elapsed_ms < 0 || elapsed < summary->best_elapsed_ms))
            summary->best_elapsed_ms = elapsed;
    }
    return query_done(&query, err);
}
