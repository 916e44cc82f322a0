#include "rounds/round.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"
#include "store/query.h"

static const char *const state_names[] = {N_("planned"), N_("running"), N_("done"),
                                          N_("abandoned")};
static const char *const kind_names[] = {"words", "drill", "cards", "worksheet"};

const char *round_state_name(enum round_state state)
{
    CHECK((unsigned)state < sizeof state_names / sizeof *state_names);
    return state_names[state];
}

const char *step_kind_name(enum step_kind kind)
{
    CHECK((unsigned)kind < sizeof kind_names / sizeof *kind_names);
    return kind_names[kind];
}

static int index_of(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return (int)i;
    check_failed("a name that the table accepts", __FILE__, __LINE__);
}

static void copy_into(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static int64_t now_of(const struct progress *progress) { return clock_wall_ms(progress->clock); }

bool round_is_rehearsal(const struct round *round) { return round->time_factor < 1.0; }

/* ---- rounds ---- */

#define ROUND_COLUMNS \
    "id, packet, place, name, content, exam, time_factor, seed, lane, language, started_ms," \
    " ended_ms, state"

static struct round round_of(const struct query *query)
{
    struct round round = {
        .place = (int)query_int(query, 2),
        .exam = query_int(query, 5) != 0,
        .time_factor = query_real(query, 6),
        .seed = query_int(query, 7),
        .started_ms = query_int(query, 10),
        .ended_ms = query_int(query, 11),
        .state = (enum round_state)index_of(state_names, 4, query_text(query, 12)),
    };
    copy_into(round.id, sizeof round.id, query_text(query, 0));
    copy_into(round.packet, sizeof round.packet, query_text(query, 1));
    copy_into(round.name, sizeof round.name, query_text(query, 3));
    copy_into(round.content, sizeof round.content, query_text(query, 4));
    copy_into(round.lane, sizeof round.lane, query_text(query, 8));
    copy_into(round.language, sizeof round.language, query_text(query, 9));
    return round;
}

enum status round_plan(struct round *round, struct progress *progress,
                       const struct round_start *start, struct error *err)
{
    *round = (struct round){0};
    if (!(start->time_factor >= 0.02 && start->time_factor <= 3))
        return error_set(err, STATUS_USAGE, _("time factor %g: expected 0.02 to 3"),
                         start->time_factor);

    struct round planned = {.place = start->place,
                            .exam = start->exam,
                            .time_factor = start->time_factor,
                            .seed = start->seed};
    progress_id(planned.id);
    copy_into(planned.packet, sizeof planned.packet, start->packet);
    copy_into(planned.name, sizeof planned.name, start->name);
    copy_into(planned.content, sizeof planned.content, start->content);
    copy_into(planned.lane, sizeof planned.lane, start->lane);
    copy_into(planned.language, sizeof planned.language, start->language);

    struct query query;
    query_open(&query, progress->database,
               "INSERT INTO round (" ROUND_COLUMNS ", created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
               " ?7, ?8, ?9, ?10, 0, 0, 'planned', ?11)");
    query_bind_text(&query, 1, planned.id);
    query_bind_text(&query, 2, *planned.packet ? planned.packet : NULL);
    query_bind_int(&query, 3, planned.place);
    query_bind_text(&query, 4, planned.name);
    query_bind_text(&query, 5, planned.content);
    query_bind_int(&query, 6, planned.exam);
    query_bind_real(&query, 7, planned.time_factor);
    query_bind_int(&query, 8, planned.seed);
    query_bind_text(&query, 9, planned.lane);
    query_bind_text(&query, 10, planned.language);
    query_bind_int(&query, 11, now_of(progress));
    const enum status status = query_run(&query, err);
    if (!status) *round = planned;
    return status;
}

enum status round_drop(struct round *round, struct progress *progress, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "DELETE FROM round WHERE id = ?1 AND state = 'planned' AND packet IS NULL");
    query_bind_text(&query, 1, round->id);
    const enum status status = query_run(&query, err);
    if (!status) *round = (struct round){0};
    return status;
}

static enum status one(struct round *round, bool *found, struct query *query, struct error *err)
{
    *round = (struct round){0};
    *found = query_row(query);
    if (*found) *round = round_of(query);
    return query_done(query, err);
}

enum status round_load(struct round *round, struct progress *progress, const char *id,
                       struct error *err)
{
    struct query query;
    bool found;
    query_open(&query, progress->database, "SELECT " ROUND_COLUMNS " FROM round WHERE id = ?1");
    query_bind_text(&query, 1, id);
    const enum status status = one(round, &found, &query, err);
    if (!status && !found) return error_set(err, STATUS_NOT_FOUND, _("there is no round %s"), id);
    return status;
}

enum status round_running(struct round *round, bool *found, struct progress *progress,
                          struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " ROUND_COLUMNS " FROM round WHERE state = 'running'");
    return one(round, found, &query, err);
}

enum status round_list(struct round **out, int *n, struct progress *progress, const char *packet,
                       int limit, struct error *err)
{
    struct query query;
    *out = NULL;
    *n = 0;
    if (packet) {
        query_open(&query, progress->database,
                   "SELECT " ROUND_COLUMNS " FROM round WHERE packet = ?1 ORDER BY place");
        query_bind_text(&query, 1, packet);
    } else {
        query_open(&query, progress->database,
                   "SELECT " ROUND_COLUMNS " FROM round WHERE state <> 'planned'"
                   " ORDER BY started_ms DESC, id LIMIT ?1");
        query_bind_int(&query, 1, limit ? limit : -1);
    }
    while (query_row(&query)) {
        *out = memory_grow(*out, (size_t)*n + 1, sizeof **out);
        (*out)[(*n)++] = round_of(&query);
    }
    const enum status status = query_done(&query, err);
    if (status) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return status;
}

static enum status insert_step(struct progress *progress, const char *round,
                               const struct step *step, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "INSERT INTO step (round, place, phase, kind, item, minutes, started_ms,"
               " deadline_ms, paused_ms, ended_ms, sitting)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, NULL)");
    query_bind_text(&query, 1, round);
    query_bind_int(&query, 2, step->place);
    query_bind_text(&query, 3, step->phase);
    query_bind_text(&query, 4, step_kind_name(step->kind));
    query_bind_text(&query, 5, step->item);
    query_bind_int(&query, 6, step->minutes);
    return query_run(&query, err);
}

enum status round_begin(struct round *round, struct progress *progress, const struct step *steps,
                        int n_steps, struct error *err)
{
    struct round running;
    bool found;
    CHECK(n_steps > 0 && n_steps <= ROUND_STEP_LIMIT);
    const int64_t now = now_of(progress);

    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = round_running(&running, &found, progress, err);
    if (!status && found)
        status = error_set(err, STATUS_CONFLICT,
                           _("the round %s is running: go on with it (lcx loop next), or leave it "
                             "(lcx round leave)"),
                           running.name);
    for (int i = 0; !status && i < n_steps; i++) {
        struct step step = steps[i];
        step.place = i;
        status = insert_step(progress, round->id, &step, err);
    }
    if (!status) {
        struct query query;
        query_open(&query, progress->database,
                   "UPDATE round SET state = 'running', started_ms = ?2"
                   " WHERE id = ?1 AND state = 'planned'");
        query_bind_text(&query, 1, round->id);
        query_bind_int(&query, 2, now);
        status = query_run(&query, err);
        if (!status && database_changes(progress->database) != 1)
            status =
                error_set(err, STATUS_CONFLICT, _("the round %s was begun already"), round->name);
    }
    status = database_end(progress->database, status, err);
    if (!status) {
        round->state = ROUND_RUNNING;
        round->started_ms = now;
    }
    return status;
}

static enum status changed_elsewhere(const struct round *round, struct error *err)
{
    return error_set(
        err, STATUS_CONFLICT,
        _("the round %s was changed by another lcx meanwhile; nothing was overwritten"),
        round->name);
}

/* Steps that run end with their round; a paused one ends where it stood. */
static const char end_steps_sql[] =
    "UPDATE step SET ended_ms = ?2, paused_ms = 0,"
    " deadline_ms = deadline_ms + iif(paused_ms > 0 AND ?2 > paused_ms, ?2 - paused_ms, 0)"
    " WHERE round = ?1 AND started_ms > 0 AND ended_ms = 0";

enum status round_end(struct round *round, struct progress *progress, enum round_state state,
                      struct error *err)
{
    struct query query;
    const int64_t now = now_of(progress);
    CHECK(state == ROUND_DONE || state == ROUND_ABANDONED);

    enum status status = database_begin(progress->database, err);
    if (status) return status;
    query_open(&query, progress->database, end_steps_sql);
    query_bind_text(&query, 1, round->id);
    query_bind_int(&query, 2, now);
    status = query_run(&query, err);
    if (!status) {
        query_open(&query, progress->database,
                   "UPDATE round SET state = ?3, ended_ms = ?2"
                   " WHERE id = ?1 AND state IN ('planned', 'running')");
        query_bind_text(&query, 1, round->id);
        query_bind_int(&query, 2, now);
        query_bind_text(&query, 3, round_state_name(state));
        status = query_run(&query, err);
    }
    if (!status && database_changes(progress->database) != 1)
        status = changed_elsewhere(round, err);
    status = database_end(progress->database, status, err);
    if (!status) {
        round->state = state;
        round->ended_ms = now;
    }
    return status;
}

/* ---- steps ---- */

enum status step_list(struct step **out, int *n, struct progress *progress, const char *round,
                      struct error *err)
{
    struct query query;
    *out = NULL;
    *n = 0;
    query_open(&query, progress->database,
               "SELECT place, phase, kind, item, minutes, started_ms, deadline_ms, paused_ms,"
               " ended_ms, sitting FROM step WHERE round = ?1 ORDER BY place");
    query_bind_text(&query, 1, round);
    while (query_row(&query)) {
        struct step step = {
            .place = (int)query_int(&query, 0),
            .kind = (enum step_kind)index_of(kind_names, 4, query_text(&query, 2)),
            .minutes = (int)query_int(&query, 4),
            .started_ms = query_int(&query, 5),
            .deadline_ms = query_int(&query, 6),
            .paused_ms = query_int(&query, 7),
            .ended_ms = query_int(&query, 8),
        };
        copy_into(step.phase, sizeof step.phase, query_text(&query, 1));
        copy_into(step.item, sizeof step.item, query_text(&query, 3));
        copy_into(step.sitting, sizeof step.sitting, query_text(&query, 9));
        *out = memory_grow(*out, (size_t)*n + 1, sizeof **out);
        (*out)[(*n)++] = step;
    }
    const enum status status = query_done(&query, err);
    if (status) {
        free(*out);
        *out = NULL;
        *n = 0;
    }
    return status;
}

static int64_t budget_of(const struct step *step, const struct round *round)
{
    return llround(step->minutes * 60000.0 * round->time_factor);
}

int64_t step_submitted_ms(const struct step *step, const struct progress *progress,
                          const struct round *round)
{
    const int64_t now = now_of(progress);
    return round->exam && step->deadline_ms > 0 && now > step->deadline_ms ? step->deadline_ms
                                                                           : now;
}

struct step_time step_time(const struct step *step, const struct round *round, int64_t now_ms)
{
    struct step_time time = {.budget_ms = budget_of(step, round),
                             .begun = step->started_ms > 0,
                             .paused = step->paused_ms > 0 && step->ended_ms == 0};
    if (time.begun) {
        const int64_t at = step->ended_ms ? step->ended_ms : time.paused ? step->paused_ms : now_ms;
        const int64_t elapsed = at - (step->deadline_ms - time.budget_ms);
        time.elapsed_ms = elapsed > 0 ? elapsed : 0; /* a wall clock set back shows zero */
    }
    time.left_ms = time.elapsed_ms < time.budget_ms ? time.budget_ms - time.elapsed_ms : 0;
    time.overtime_ms = time.elapsed_ms > time.budget_ms ? time.elapsed_ms - time.budget_ms : 0;
    return time;
}

/* Store `changed` if the step is still as the caller saw it and its round runs, and let the caller
 * see it only when it is stored. */
static enum status replace(struct step *step, const struct step *changed, struct progress *progress,
                           const struct round *round, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "UPDATE step SET started_ms = ?3, deadline_ms = ?4, paused_ms = ?5, ended_ms = ?6,"
               " sitting = ?7 WHERE round = ?1 AND place = ?2 AND started_ms = ?8"
               " AND deadline_ms = ?9 AND paused_ms = ?10 AND ended_ms = ?11"
               " AND EXISTS (SELECT 1 FROM round WHERE id = ?1 AND state = 'running')");
    query_bind_text(&query, 1, round->id);
    query_bind_int(&query, 2, step->place);
    query_bind_int(&query, 3, changed->started_ms);
    query_bind_int(&query, 4, changed->deadline_ms);
    query_bind_int(&query, 5, changed->paused_ms);
    query_bind_int(&query, 6, changed->ended_ms);
    query_bind_text(&query, 7, *changed->sitting ? changed->sitting : NULL);
    query_bind_int(&query, 8, step->started_ms);
    query_bind_int(&query, 9, step->deadline_ms);
    query_bind_int(&query, 10, step->paused_ms);
    query_bind_int(&query, 11, step->ended_ms);
    const enum status status = query_run(&query, err);
    if (status) return status;
    if (database_changes(progress->database) != 1) return changed_elsewhere(round, err);
    *step = *changed;
    return STATUS_OK;
}

enum status step_begin(struct step *step, struct progress *progress, const struct round *round,
                       const char *sitting, struct error *err)
{
    if (step->started_ms > 0 && (!sitting || strcmp(sitting, step->sitting) == 0)) return STATUS_OK;
    struct step begun = *step;
    if (!begun.started_ms) {
        begun.started_ms = now_of(progress);
        begun.deadline_ms = begun.started_ms + budget_of(step, round);
    }
    if (sitting) copy_into(begun.sitting, sizeof begun.sitting, sitting);
    return replace(step, &begun, progress, round, err);
}

enum status step_end(struct step *step, struct progress *progress, const struct round *round,
                     struct error *err)
{
    if (step->ended_ms) return STATUS_OK;
    struct step ended = *step;
    ended.ended_ms = now_of(progress);
    if (!ended.started_ms) { /* passed over */
        ended.started_ms = ended.ended_ms;
        ended.deadline_ms = ended.ended_ms + budget_of(step, round);
    }
    if (ended.paused_ms) { /* it ends where it stood */
        if (ended.ended_ms > ended.paused_ms) ended.deadline_ms += ended.ended_ms - ended.paused_ms;
        ended.paused_ms = 0;
    }
    return replace(step, &ended, progress, round, err);
}

enum status step_pause(struct step *step, struct progress *progress, const struct round *round,
                       struct error *err)
{
    if (round->exam) return error_set(err, STATUS_USAGE, _("an exam is not paused"));
    if (!step->started_ms || step->ended_ms || step->paused_ms)
        return error_set(err, STATUS_USAGE, _("its clock does not run"));
    struct step paused = *step;
    paused.paused_ms = now_of(progress);
    return replace(step, &paused, progress, round, err);
}

enum status step_resume(struct step *step, struct progress *progress, const struct round *round,
                        struct error *err)
{
    if (!step->paused_ms) return error_set(err, STATUS_USAGE, _("its clock is not paused"));
    struct step resumed = *step;
    const int64_t pause = now_of(progress) - step->paused_ms;
    resumed.deadline_ms += pause > 0 ? pause : 0;
    resumed.paused_ms = 0;
    return replace(step, &resumed, progress, round, err);
}

enum status step_spend(struct step *step, struct progress *progress, const struct round *round,
                       int64_t ms, struct error *err)
{
    struct step spent = *step;
    CHECK(ms >= 0 && step->started_ms > 0);
    spent.deadline_ms -= ms;
    return replace(step, &spent, progress, round, err);
}

/* ---- answers ---- */

enum status answer_draft(char **path, struct progress *progress, const struct round *round,
                         const struct step *step, int place, struct error *err)
{
    char *folder = path_join(progress->folder, "drafts");
    const enum status status = folder_make(folder, 0700, err);
    *path = status ? NULL : text_printf("%s/%s-%d-%d.md", folder, round->id, step->place, place);
    free(folder);
    return status;
}

enum status answer_add(struct answer *answer, struct progress *progress, const struct round *round,
                       const struct step *step, struct error *err)
{
    struct query query;
    struct answer stored = *answer;

    progress_id(stored.id);
    copy_into(stored.round, sizeof stored.round, round->id);
    stored.step = step->place;
    if (!stored.submitted_ms) stored.submitted_ms = now_of(progress);
    stored.overtime = step->deadline_ms > 0 && stored.submitted_ms > step->deadline_ms;

    enum status status = database_begin(progress->database, err);
    if (status) return status;
    query_open(&query, progress->database,
               "SELECT (SELECT coalesce(max(place) + 1, 0) FROM answer"
               " WHERE round = ?1 AND step = ?2) FROM round WHERE id = ?1 AND state = 'running'");
    query_bind_text(&query, 1, round->id);
    query_bind_int(&query, 2, step->place);
    const bool runs = query_row(&query);
    if (runs) stored.place = (int)query_int(&query, 0);
    status = query_done(&query, err);
    if (!status && !runs) status = changed_elsewhere(round, err);
    if (!status) {
        query_open(&query, progress->database,
                   "INSERT INTO answer (id, round, step, place, item, ask, text, started_ms,"
                   " submitted_ms, overtime, score, result, confirmed)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, NULL)");
        query_bind_text(&query, 1, stored.id);
        query_bind_text(&query, 2, stored.round);
        query_bind_int(&query, 3, stored.step);
        query_bind_int(&query, 4, stored.place);
        query_bind_text(&query, 5, stored.item);
        query_bind_text(&query, 6, stored.ask);
        query_bind_text(&query, 7, stored.text);
        query_bind_int(&query, 8, stored.started_ms);
        query_bind_int(&query, 9, stored.submitted_ms);
        query_bind_int(&query, 10, stored.overtime);
        if (stored.score >= 0) query_bind_real(&query, 11, stored.score);
        query_bind_text(&query, 12, stored.result ? stored.result : "{}");
        status = query_run(&query, err);
    }
    status = database_end(progress->database, status, err);
    if (status) return status;

    *answer = stored; /* it is stored: a draft that stays behind is swept with its round */
    char *draft;
    if (answer_draft(&draft, progress, round, step, stored.place, NULL)) return STATUS_OK;
    (void)unlink(draft);
    free(draft);
    return STATUS_OK;
}

enum status answer_list(struct answer **out, int *n, struct progress *progress, const char *round,
                        int step, struct error *err)
{
    struct query query;
    *out = NULL;
    *n = 0;
    query_open(&query, progress->database,
               "SELECT id, round, step, place, item, ask, text, started_ms, submitted_ms,"
               " overtime, score, result, confirmed FROM answer"
               " WHERE round = ?1 AND (?2 < 0 OR step = ?2) ORDER BY step, place");
    query_bind_text(&query, 1, round);
    query_bind_int(&query, 2, step);
    while (query_row(&query)) {
        struct answer answer = {
            .step = (int)query_int(&query, 2),
            .place = (int)query_int(&query, 3),
            .ask = text_copy(query_text(&query, 5)),
            .text = text_copy(query_text(&query, 6)),
            .started_ms = query_int(&query, 7),
            .submitted_ms = query_int(&query, 8),
            .overtime = query_int(&query, 9) != 0,
            .score = query_is_null(&query, 10) ? -1 : query_real(&query, 10),
            .result = text_copy(query_text(&query, 11)),
            .confirmed = text_copy(query_text(&query, 12)),
        };
        copy_into(answer.id, sizeof answer.id, query_text(&query, 0));
        copy_into(answer.round, sizeof answer.round, query_text(&query, 1));
        copy_into(answer.item, sizeof answer.item, query_text(&query, 4));
        *out = memory_grow(*out, (size_t)*n + 1, sizeof **out);
        (*out)[(*n)++] = answer;
    }
    const enum status status = query_done(&query, err);
    if (status) {
        answer_list_done(*out, *n);
        *out = NULL;
        *n = 0;
    }
    return status;
}

void answer_done(struct answer *answer)
{
    free(answer->ask);
    free(answer->text);
    free(answer->result);
    free(answer->confirmed);
    *answer = (struct answer){0};
}

void answer_list_done(struct answer *answers, int n)
{
    for (int i = 0; i < n; i++) answer_done(&answers[i]);
    free(answers);
}

double answer_share(int *n_scored, const struct answer *answers, int n, const char *round_name)
{
    const bool by_step = strcmp(round_name, "phone") == 0 || strcmp(round_name, "research") == 0;
    double sum[ROUND_STEP_LIMIT] = {0}, all = 0;
    int count[ROUND_STEP_LIMIT] = {0}, n_groups = 0;
    *n_scored = 0;
    for (int i = 0; i < n; i++) {
        if (answers[i].score < 0) continue;
        const int group = by_step ? answers[i].step : 0;
        CHECK(group >= 0 && group < ROUND_STEP_LIMIT);
        sum[group] += answers[i].score;
        count[group]++;
        ++*n_scored;
    }
    for (int g = 0; g < ROUND_STEP_LIMIT; g++) {
        if (!count[g]) continue;
        all += sum[g] / count[g];
        n_groups++;
    }
    return n_groups ? all / n_groups : 0;
}

enum status answer_confirm(struct answer *answer, struct progress *progress, const char *confirmed,
                           double score, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "UPDATE answer SET confirmed = ?2, score = ?3 WHERE id = ?1");
    query_bind_text(&query, 1, answer->id);
    query_bind_text(&query, 2, confirmed);
    query_bind_real(&query, 3, score);
    const enum status status = query_run(&query, err);
    if (status) return status;
    free(answer->confirmed);
    answer->confirmed = text_copy(confirmed);
    answer->score = score;
    return STATUS_OK;
}

/* ---- drafts ---- */

/* True when nobody can come back to the draft of that name. */
static enum status is_stale(bool *stale, struct progress *progress, const char *name,
                            int64_t before_ms, struct error *err)
{
    char id[ID_SIZE];
    struct query query;
    *stale = false;
    if (sscanf(name, "%36[a-f0-9-]", id) != 1 || strlen(id) != ID_SIZE - 1) return STATUS_OK;
    query_open(&query, progress->database,
               "SELECT state NOT IN ('planned', 'running') AND ended_ms < ?2 FROM round"
               " WHERE id = ?1");
    query_bind_text(&query, 1, id);
    query_bind_int(&query, 2, before_ms);
    *stale = !query_row(&query) || query_int(&query, 0) != 0;
    const enum status status = query_done(&query, err);
    if (status) *stale = false;
    return status;
}

enum status drafts_sweep(int *n, struct progress *progress, int64_t before_ms, struct error *err)
{
    char *folder = path_join(progress->folder, "drafts");
    DIR *directory = opendir(folder);
    enum status status = STATUS_OK;
    if (n) *n = 0;
    for (struct dirent *entry; directory && !status && (entry = readdir(directory));) {
        bool stale;
        status = is_stale(&stale, progress, entry->d_name, before_ms, err);
        if (!stale || unlinkat(dirfd(directory), entry->d_name, 0) != 0) continue;
        if (n && text_ends_with(entry->d_name, ".md")) ++*n; /* the lock of a round is no draft */
    }
    if (directory) closedir(directory);
    free(folder);
    return status;
}
