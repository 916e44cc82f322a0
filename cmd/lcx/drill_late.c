/* drill_late.c -- what is graded later than it was handed in.
 *
 *   a submission whose grader died    its source, moment and seed are stored: graded as if then
 *   the work at zero that no watcher took
 *                                     the file, if it was last written before zero: stored as the
 *                                     snapshot, graded; otherwise said, and the sitting goes on
 *                                     (practice) or ends with its last submission (exam)
 *
 * Nothing is lost by a crash in between: a snapshot is stored before it is graded, and a stored one
 * that has no verdict is graded by the next command.
 */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "drill.h"

/* ---- one stored attempt ---- */

enum outcome { OUTCOME_GRADED, OUTCOME_NOT_HERE, OUTCOME_FAILED };

/* The mistakes planted in the sitting that the attempt belongs to. */
static enum status find_plant(struct plant *plant, struct app *app, const struct drill *drill,
                              const struct attempt *attempt, enum lane lane, struct error *err)
{
    struct sitting sitting;
    if (strcmp(attempt->mode, "bugs") != 0) return STATUS_OK;
    enum status status = sitting_load(&sitting, app->progress, attempt->sitting, err);
    if (status) return status;
    status = plant_bugs(plant, NULL, drill, lane, (uint64_t)sitting.seed, err);
    sitting_done(&sitting);
    return status;
}

/* Grade what attempt `id`, which is ours, holds. One that cannot be graded on this machine is put
 * back when `keep` is set: it waits for the day it can. Failures are said. */
static enum outcome grade_attempt(struct app *app, const struct drill *drill, struct grader *grader,
                                  const char *id, bool keep, enum verdict *verdict)
{
    struct error err;
    struct attempt attempt;
    struct plant plant = {0};
    enum lane lane;
    if (attempt_load(&attempt, app->progress, id, &err)) {
        (void)app_fail(app, &err);
        return OUTCOME_FAILED;
    }
    CHECK(lane_parse(&lane, attempt.lane));
    enum outcome outcome = OUTCOME_GRADED;
    if (find_plant(&plant, app, drill, &attempt, lane, &err)) {
        (void)app_fail(app, &err);
        outcome = OUTCOME_FAILED;
    } else {
        struct result result;
        const struct grade_request request = {.drill = drill,
                                              .lane = lane,
                                              .mode = plant.n ? "bugs" : "blank",
                                              .source = attempt.source,
                                              .seed = (uint64_t)attempt.seed,
                                              .exam = attempt.exam,
                                              .timing = true,
                                              .speed = true,
                                              .planted = plant.names,
                                              .n_planted = plant.n};
        grade(&result, grader, &request);
        *verdict = result.verdict;
        if (keep && result.verdict == VERDICT_UNAVAILABLE) {
            outcome = OUTCOME_NOT_HERE;
            result_done(&result);
        } else if (work_store(app, &request, id, &result)) {
            outcome = OUTCOME_FAILED;
        } else {
            result_done(&result);
        }
    }
    if (outcome != OUTCOME_GRADED && attempt_put_back(app->progress, id, &err))
        (void)app_fail(app, &err);
    attempt_done(&attempt);
    return outcome;
}

static const char *verdict_word(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASS: return _("passed");
    case VERDICT_FAIL: return _("failed");
    case VERDICT_LIMIT: return _("limit hit");
    case VERDICT_UNAVAILABLE:
    case VERDICT_ERROR: return _("not graded");
    }
    return "";
}

/* ---- submissions whose grader died ---- */

static int regrade_one(struct app *app, const struct drill *drill, struct grader *grader,
                       const struct attempt *attempt)
{
    struct error err;
    enum verdict verdict;
    char when[32];
    const enum status status = attempt_resume(app->progress, attempt->id, &err);
    if (status == STATUS_CONFLICT) return EXIT_DONE; /* another process was quicker */
    if (status) return app_fail(app, &err);
    if (grade_attempt(app, drill, grader, attempt->id, false, &verdict) != OUTCOME_GRADED)
        return EXIT_TROUBLE;
    app_note(app, _("the submission of %s, whose grading was interrupted, is graded now: %s"),
             clock_utc(when, attempt->submitted_ms), verdict_word(verdict));
    return EXIT_DONE;
}

int work_regrade(struct app *app, const struct drill *drill, struct grader *grader)
{
    struct error err;
    struct attempt *attempts;
    int n, status = EXIT_DONE;
    if (attempt_interrupted(&attempts, &n, app->progress, &err)) return app_fail(app, &err);
    for (int i = n - 1; i >= 0 && !status; i--) /* oldest first */
        if (strcmp(attempts[i].drill, drill->number) == 0 && attempts[i].kind != ATTEMPT_CHECK)
            status = regrade_one(app, drill, grader, &attempts[i]);
    attempt_list_done(attempts, n);
    return status;
}

/* ---- the work at zero ---- */

/* What one command settles: the grader is started when there is something to grade. */
struct settling {
    struct app *app;
    struct grader grader;
    bool has_grader;
};

static void grade_snapshot(struct settling *settling, const char *number, const char *id)
{
    struct app *app = settling->app;
    const struct drill *drill;
    struct error err;
    enum verdict verdict;
    if (app_open_drills(app)) return;
    if (drills_find(&drill, &app->drills, number, &err)) {
        app_note(app, "%s", err.message); /* of a program that has other drills: it is kept */
        if (attempt_put_back(app->progress, id, &err)) (void)app_fail(app, &err);
        return;
    }
    if (!settling->has_grader) settling->grader = work_grader(app);
    settling->has_grader = true;
    switch (grade_attempt(app, drill, &settling->grader, id, true, &verdict)) {
    case OUTCOME_GRADED:
        app_note(app, _("drill %s, snapshot at zero: %s. More: lcx drill history %s"), number,
                 verdict_word(verdict), number);
        return;
    case OUTCOME_NOT_HERE:
        app_note(app,
                 _("drill %s: the snapshot at zero is kept, but cannot be graded on this machine; "
                   "lcx doctor says what is missing"),
                 number);
        return;
    case OUTCOME_FAILED: return;
    }
}

/* How it goes on without a snapshot. */
static const char *without_snapshot(struct app *app, const struct sitting *sitting, bool ended)
{
    char submission[ID_SIZE] = "";
    if (!sitting->exam)
        return ended ? _("Its overtime has ended, too.") : _("You go on in overtime.");
    if (!ended) return _("A submission made before zero still waits for its grading.");
    if (sitting_snapshot(submission, app->progress, sitting->id, NULL)) submission[0] = '\0';
    return submission[0] ? _("The exam has ended; your last submission before zero stands.")
                         : _("The exam has ended; nothing had been submitted before zero.");
}

/* In overtime it is said until the first check or submission there. */
static bool is_known(struct app *app, const struct sitting *sitting)
{
    struct attempt *newest;
    int n = 0;
    if (attempt_list(&newest, &n, app->progress, NULL, sitting->id, 1, NULL)) return false;
    const bool known = n > 0 && newest[0].submitted_ms > sitting->deadline_ms;
    attempt_list_done(newest, n);
    return known;
}

static void no_snapshot(struct app *app, const struct sitting *sitting, int64_t written_ms,
                        const struct error *why)
{
    struct error err;
    bool ended;
    char zero[24], written[24];
    if (sitting_no_snapshot(app->progress, sitting->id, &ended, &err)) {
        (void)app_fail(app, &err);
        return;
    }
    if (!ended && is_known(app, sitting)) return;
    const char *next = without_snapshot(app, sitting, ended);
    app_moment(zero, sitting->deadline_ms);
    if (why)
        app_note(app,
                 _("drill %s: the clock reached zero at %s while nothing was running, and the file "
                   "cannot be read now: %s. There is no snapshot. %s"),
                 sitting->drill, zero, why->message, next);
    else
        app_note(app,
                 _("drill %s: the clock reached zero at %s while nothing was running, and the file "
                   "was last written after that, at %s. There is no snapshot. %s"),
                 sitting->drill, zero, app_moment(written, written_ms), next);
}

static void settle_one(struct settling *settling, const struct sitting *sitting)
{
    struct app *app = settling->app;
    struct error err;
    struct text source = {0};
    int64_t written_ms = 0;
    char id[ID_SIZE], zero[24];
    if (work_read_file(&source, &written_ms, sitting->path, &err)) {
        no_snapshot(app, sitting, 0, &err);
    } else if (written_ms > sitting->deadline_ms) {
        no_snapshot(app, sitting, written_ms, NULL);
    } else {
        const struct attempt_start start = {.sitting = sitting->id,
                                            .kind = ATTEMPT_SNAPSHOT,
                                            .written_ms = written_ms,
                                            .seed = (int64_t)random_seed(),
                                            .source = text_string(&source),
                                            .source_size = source.size};
        const enum status status = attempt_begin(id, app->progress, &start, &err);
        if (status && status != STATUS_CONFLICT) (void)app_fail(app, &err);
        if (!status) { /* a conflict: another process was quicker */
            app_note(app,
                     _("drill %s: the clock reached zero at %s while nothing was running. The file "
                       "has not been written since: it is graded as your snapshot."),
                     sitting->drill, app_moment(zero, sitting->deadline_ms));
            grade_snapshot(settling, sitting->drill, id);
        }
    }
    text_done(&source);
}

/* Snapshots that were stored, and whose grading did not come to an end. */
static void take_up(struct settling *settling, const struct drill *drill)
{
    struct app *app = settling->app;
    struct error err;
    struct attempt *attempts;
    int n = 0;
    if (attempt_interrupted(&attempts, &n, app->progress, &err)) {
        (void)app_fail(app, &err);
        return;
    }
    for (int i = n - 1; i >= 0; i--) {
        if (attempts[i].kind != ATTEMPT_SNAPSHOT) continue;
        if (drill && strcmp(attempts[i].drill, drill->number) != 0) continue;
        const enum status status = attempt_resume(app->progress, attempts[i].id, &err);
        if (status && status != STATUS_CONFLICT) (void)app_fail(app, &err);
        if (!status) grade_snapshot(settling, attempts[i].drill, attempts[i].id);
    }
    attempt_list_done(attempts, n);
}

void work_settle(struct app *app, const struct drill *drill)
{
    struct settling settling = {.app = app};
    struct error err;
    struct sitting *overdue;
    int n = 0;
    take_up(&settling, drill);
    if (sitting_overdue(&overdue, &n, app->progress, &err)) {
        (void)app_fail(app, &err);
    } else {
        for (int i = 0; i < n; i++)
            if (!drill || strcmp(overdue[i].drill, drill->number) == 0)
                settle_one(&settling, &overdue[i]);
        sitting_list_done(overdue, n);
    }
    if (settling.has_grader) grader_done(&settling.grader);
}
