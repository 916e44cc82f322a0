/* sit_drill.c -- a drill inside a round: its own file and clock, checked and submitted from here. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drill.h"
#include "rounds/judge.h"
#include "sit.h"

/* What a drill's sitting is worth in a round: 1 passed in time, 0.75 over time, 0.1 less for each hint
 * (at least 0.6); not passed but for one mistake that the grader can name 0.4, else 0. */
static double score_of(const struct sitting *sitting, const struct attempt *last)
{
    if (sitting->state == SITTING_PASSED) {
        const struct sitting_time time = sitting_time(sitting, sitting->ended_ms);
        const double score = (time.overtime_ms > 0 ? 0.75 : 1.0) - 0.1 * sitting->hints;
        return score < 0.6 ? 0.6 : score;
    }
    return last && last->diagnosis && *last->diagnosis ? 0.4 : 0;
}

static void tell_worth(const struct sit *sit, double score)
{
    char *words =
        text_printf(_("It counts %.0f %% in this round: passed over time counts 75, and each "
                      "hint takes 10, down to 60."),
                    100 * score);
    sit_say(sit, 0, words);
    free(words);
}

static const struct drill *drill_of(struct sit *sit, const struct step *step)
{
    struct error err;
    const struct drill *drill;
    if (app_open_drills(sit->app)) return NULL;
    if (!text_starts_with(step->item, "drill/")) {
        app_note(sit->app, _("%s: these lessons do not have it; lcx round leave ends the round"),
                 step->item);
        return NULL;
    }
    if (drills_find(&drill, &sit->app->drills, step->item + strlen("drill/"), &err)) {
        app_fail(sit->app, &err);
        return NULL;
    }
    return drill;
}

/* The step's sitting: the stored one, one that runs already, or a new one. */
static enum sit_end open_sitting(struct sit *sit, struct step *step, const struct drill *drill,
                                 struct sitting *sitting)
{
    struct error err;
    bool found = false;
    enum status status = STATUS_OK;

    if (*step->sitting) {
        status = sitting_load(sitting, sit->app->progress, step->sitting, &err);
        found = !status;
    } else {
        status = sitting_running(sitting, &found, sit->app->progress, drill->number, &err);
    }
    if (status) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    if (!found) {
        enum lane lane;
        CHECK(lane_parse(&lane, sit->round->lane));
        char *folder = text_printf("lcx-%s-%.8s", sit->round->name, sit->round->id);
        const int failed = work_begin(sit->app,
                                      &(struct work_start){.drill = drill,
                                                           .lane = lane,
                                                           .exam = sit->round->exam,
                                                           .time_factor = sit->round->time_factor,
                                                           .minutes = step->minutes,
                                                           .folder = folder},
                                      sitting);
        free(folder);
        if (failed) return SIT_TROUBLE;
    }
    if (step_begin(step, sit->app->progress, sit->round, sitting->id, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    return SIT_DONE;
}

/* What came of the sitting, as the step's answer. */
static enum sit_end keep(struct sit *sit, struct step *step, const struct drill *drill,
                         const struct sitting *sitting)
{
    struct attempt *attempts;
    struct error err;
    int n;
    if (attempt_list(&attempts, &n, sit->app->progress, drill->number, sitting->id, 0, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    const struct attempt *last = NULL;
    for (int i = n - 1; i >= 0; i--)
        if (attempts[i].kind != ATTEMPT_CHECK) last = &attempts[i]; /* the newest comes first */
    int submitted = 0;
    for (int i = 0; i < n; i++) submitted += attempts[i].kind != ATTEMPT_CHECK;
    json_t *result =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "sitting", sitting->id, "state",
                  sitting_state_name(sitting->state), "language", sit->round->language, "lane",
                  sitting->lane, "hints", sitting->hints, "submitted", submitted);
    if (last && last->diagnosis)
        json_object_set_new(result, "diagnosis", json_string(last->diagnosis));
    struct answer answer = {
        .ask = text_printf("%s %s", drill->number, words_in(&drill->title, sit->round->language)),
        .text = text_copy(sitting->path),
        .started_ms = sitting->started_ms,
        .submitted_ms = sit->round->exam && sitting->ended_ms > step->deadline_ms
                            ? step->deadline_ms /* its zero took it */
                            : sitting->ended_ms,
        .score = score_of(sitting, last),
        .result = json_line(result),
    };
    snprintf(answer.item, sizeof answer.item, "%s", step->item);
    json_decref(result);
    attempt_list_done(attempts, n);
    const enum status status = answer_add(&answer, sit->app->progress, sit->round, step, &err);
    if (!status && sitting->state == SITTING_PASSED && answer.score < 1)
        tell_worth(sit, answer.score);
    answer_done(&answer);
    if (status) app_fail(sit->app, &err);
    return status ? SIT_TROUBLE : SIT_DONE;
}

/* One command at the drill's prompt. True when the candidate is done with the drill. */
static bool command(struct sit *sit, const struct drill *drill, const char *word)
{
    static const struct {
        const char *name;
        int (*run)(struct app *app, int argc, char **argv);
    } commands[] = {{"check", drill_check}, {"submit", drill_submit}, {"watch", drill_watch},
                    {"hint", drill_hint},   {"task", drill_show},     {"notes", drill_notes}};
    char *argv[] = {(char *)drill->number, NULL};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(word, commands[i].name) == 0) {
            (void)commands[i].run(sit->app, 1, argv); /* it says itself what went wrong */
            return false;
        }
    if (strcmp(word, "done") == 0) return true;
    app_print(sit->app, _("check, submit, watch, hint, task, done (gives it up), :q leaves\n"));
    return false;
}

/* The exam's clock is at zero: the file as it is is handed in. Where the sitting's own clock is there,
 * too, what was saved before is its snapshot, once nobody else can be taking it (drill_late.c). */
static void hand_in(struct sit *sit, const struct drill *drill, const struct sitting *sitting)
{
    enum { AT_ONCE_MS = 2000 };
    char *argv[] = {(char *)drill->number, NULL};
    const int64_t left_ms = sitting->deadline_ms - clock_wall_ms(sit->app->clock);
    if (left_ms > AT_ONCE_MS) {
        (void)drill_submit(sit->app, 1, argv);
        return;
    }
    const int64_t wait_ms = left_ms + SITTING_GRACE_MS + 1;
    if (wait_ms > 0) {
        app_print(sit->app, _("What your file held at zero is graded in a moment.\n"));
        fflush(stdout);
        nanosleep(&(struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000}, NULL);
    }
    work_settle(sit->app, drill);
}

/* The sitting as it is stored now. False after saying why not. */
static bool reload(struct sit *sit, struct sitting *sitting)
{
    struct sitting now;
    struct error err;
    if (sitting_load(&now, sit->app->progress, sitting->id, &err)) {
        app_fail(sit->app, &err);
        return false;
    }
    sitting_done(sitting);
    *sitting = now;
    return true;
}

/* What is typed until the sitting ends, or the candidate is done with it. */
static enum sit_end work_on(struct sit *sit, struct step *step, const struct drill *drill,
                            struct sitting *sitting)
{
    struct text line = {0};
    struct error err;
    enum sit_end end = SIT_DONE;
    bool is_done = false, warned = false;
    while (end == SIT_DONE && !is_done && sitting->state == SITTING_RUNNING) {
        end = sit_line(sit, step, _("check, submit, watch, hint, task, done "), &line);
        if (end == SIT_LEFT || end == SIT_TROUBLE) break;
        is_done = end == SIT_SKIPPED || command(sit, drill, text_string(&line));
        if (is_done && end == SIT_DONE && !warned) {
            app_print(sit->app, _("It is not passed; done once more gives it up.\n"));
            warned = true;
            is_done = false;
        }
        if (end == SIT_SKIPPED && sit->round->exam &&
            clock_wall_ms(sit->app->clock) >= step->deadline_ms)
            hand_in(sit, drill, sitting);
        end = reload(sit, sitting) ? SIT_DONE : SIT_TROUBLE;
    }
    text_done(&line);
    if (end != SIT_DONE || sitting->state != SITTING_RUNNING) return end;
    if (sitting_give_up(sit->app->progress, sitting->id, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    return reload(sit, sitting) ? SIT_DONE : SIT_TROUBLE;
}

enum sit_end sit_drill(struct sit *sit, struct step *step)
{
    const struct drill *drill = drill_of(sit, step);
    struct sitting sitting = {0};
    if (!drill) return SIT_TROUBLE;

    enum sit_end end = open_sitting(sit, step, drill, &sitting);
    if (end == SIT_DONE) end = work_on(sit, step, drill, &sitting);
    if (end == SIT_DONE) end = keep(sit, step, drill, &sitting);
    sitting_done(&sitting);
    return end;
}
