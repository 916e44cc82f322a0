/* verb_today.c -- lcx, lcx today: what to do now, and how. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agenda.h"
#include "drill.h"
#include "progress/attempt.h"
#include "progress/day.h"
#include "progress/sitting.h"
#include "table.h"
#include "verbs.h"

const struct usage usage_today = {
    .name = "today",
    .arguments = "",
    .summary = N_("What to do now, and how: running clocks, what is due, one new drill"),
    .example = "lcx today\nlcx today --json",
};

static int percent(double share) { return (int)lround(100 * share); }

/* ---- the first time ---- */

static void greet(const struct app *app)
{
    struct text out = {0};
    terminal_paint(&out, &app->out, STYLE_STRONG, "lynx-cortex");
    text_add(&out, "\n");
    app_paragraph(
        app, &out, 0,
        _("Practice for AI-lab interviews: you write attention, BPE or a KV cache from a "
          "blank file, with the clock running, and are told what is right, what is wrong, "
          "and which mistake it is."));
    text_add(&out, "\n");

    static const struct {
        const char *command, *why;
    } first[] = {
        {"lcx drill start 01 --lang numpy", N_("sit the first drill: attention, 20 minutes")},
        {"lcx lab 15", N_("read about attention first")},
        {"lcx doctor", N_("see what works on this machine")},
    };
    struct table table;
    table_init(&table, 2);
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        table_add(&table, STYLE_CODE, first[i].command);
        table_add(&table, STYLE_NONE, _(first[i].why));
    }
    table_print(&out, app, &table, 4);
    table_done(&table);

    text_add(&out, "\n");
    char *folder = app_clean(app->progress->folder);
    char *where = text_printf(_("Your work is kept in %s. Nothing leaves this machine. With an "
                                "interview in sight: lcx config interview-date YYYY-MM-DD"),
                              folder);
    free(folder);
    app_paragraph(app, &out, 0, where);
    free(where);
    app_print(app, text_string(&out));
    text_done(&out);
}

static enum status is_first_time(bool *first, struct app *app, struct error *err)
{
    struct sitting *sittings;
    struct attempt *attempts;
    int n_sittings = 0, n_attempts = 0;
    enum status status = sitting_list(&sittings, &n_sittings, app->progress, NULL, 1, err);
    if (status) return status;
    sitting_list_done(sittings, n_sittings);
    status = attempt_list(&attempts, &n_attempts, app->progress, NULL, NULL, 1, err);
    if (status) return status;
    attempt_list_done(attempts, n_attempts);
    *first = n_sittings == 0 && n_attempts == 0;
    return STATUS_OK;
}

/* ---- the day ---- */

static void add_date(const struct app *app, struct text *out, const struct agenda *agenda)
{
    char today[16], interview[16];
    struct text line = {0};
    text_format(&line, _("Today %s"), day_text(today, agenda->today));
    const int64_t left = app->settings.interview_day - agenda->today;
    if (app->settings.interview_day != DAY_NONE) {
        day_text(interview, app->settings.interview_day);
        text_add(&line, " · ");
        if (left > 0)
            text_format(&line,
                        ngettext("interview in %d day (%s)", "interview in %d days (%s)",
                                 (unsigned long)left),
                        (int)left, interview);
        else if (left == 0) text_add(&line, _("the interview is today: rest, eat, good luck"));
        else text_format(&line, _("the interview was on %s"), interview);
    }
    terminal_paint(out, &app->out, STYLE_STRONG, text_string(&line));
    text_add(out, "\n");
    text_done(&line);
}

/* A running sitting: its clock first, then how to go on. */
static enum status add_running(struct app *app, struct text *out, const struct drill *drill,
                               struct error *err)
{
    struct sitting sitting;
    bool found;
    const enum status status = sitting_running(&sitting, &found, app->progress, drill->number, err);
    if (status || !found) return status;

    const struct sitting_time time = sitting_time(&sitting, clock_wall_ms(app->clock));
    char left[24], of[24];
    struct text line = {0};
    text_format(&line, "%s %s · %s · ", drill->number, words_in(&drill->title, app->language),
                sitting.lane);
    if (time.paused) text_format(&line, _("paused, %s left"), app_clock(left, time.left_ms));
    else if (time.left_ms > 0)
        text_format(&line, _("%s left of %s"), app_clock(left, time.left_ms),
                    app_clock(of, time.budget_ms));
    else text_format(&line, _("%s over time"), app_clock(left, time.overtime_ms));
    if (sitting.exam) text_format(&line, " · %s", _("exam"));
    terminal_wrap(out, text_string(&line), app->out.width, "  ", "  ", false);
    text_clear(&line);

    char *path = app_clean(sitting.path);
    text_format(&line, _("your file: %s"), path);
    free(path);
    terminal_wrap(out, text_string(&line), app->out.width, "  ", "  ", false);
    text_done(&line);
    struct table table;
    table_init(&table, 2);
    table_format(&table, STYLE_CODE, "lcx drill watch %s", drill->number);
    table_add(&table, STYLE_NONE, _("grade the visible cases each time you save"));
    table_format(&table, STYLE_CODE, "lcx drill submit %s", drill->number);
    table_add(&table, STYLE_NONE, _("hidden cases; this one counts"));
    table_print(out, app, &table, 4);
    table_done(&table);
    sitting_done(&sitting);
    return STATUS_OK;
}

static void add_entries(struct app *app, struct text *out, const struct agenda *agenda,
                        enum plan_reason reason)
{
    char lane[LANE_SIZE];
    agenda_lane(lane, app);
    struct table table;
    table_init(&table, 5);
    for (int i = 0; i < agenda->plan.n_today; i++) {
        const struct plan_entry *entry = &agenda->plan.today[i];
        if (entry->reason != reason) continue;
        const struct drill *drill = app->drills.drills[entry->item];
        table_add(&table, STYLE_STRONG, drill->number);
        table_add(&table, STYLE_NONE, words_in(&drill->title, app->language));
        table_format(&table, STYLE_NONE, _("%d min"), entry->minutes);
        if (entry->recall >= 0)
            table_format(&table, STYLE_DIM, _("recall %d %%"), percent(entry->recall));
        else table_add(&table, STYLE_NONE, NULL);
        table_format(&table, STYLE_CODE, "lcx drill start %s --lang %s", drill->number, lane);
    }
    table_print(out, app, &table, 2);
    table_done(&table);
}

static int count_entries(const struct agenda *agenda, enum plan_reason reason)
{
    int n = 0;
    for (int i = 0; i < agenda->plan.n_today; i++) n += agenda->plan.today[i].reason == reason;
    return n;
}

static enum status add_interrupted(struct app *app, struct text *out, struct error *err)
{
    struct attempt *attempts;
    int n = 0;
    const enum status status = attempt_interrupted(&attempts, &n, app->progress, err);
    if (status || !n) return status;
    char *line =
        text_printf(_("An attempt at drill %s was cut off while it was graded; it is kept: "
                      "lcx drill history %s"),
                    attempts[0].drill, attempts[0].drill);
    text_add(out, "\n");
    app_paragraph(app, out, 0, line);
    free(line);
    attempt_list_done(attempts, n);
    return STATUS_OK;
}

/* Sittings of the last day whose time ended without a submission: nobody was there to say so. */
static enum status add_expired(struct app *app, struct text *out, struct error *err)
{
    enum { DAY_MS = 24 * 3600 * 1000, LATEST = 10 };
    struct sitting *sittings;
    int n;
    const enum status status = sitting_list(&sittings, &n, app->progress, NULL, LATEST, err);
    if (status) return status;
    for (int i = 0; i < n; i++) {
        if (sittings[i].state != SITTING_EXPIRED) continue;
        if (clock_wall_ms(app->clock) - sittings[i].ended_ms > DAY_MS) continue;
        char *path = app_clean(sittings[i].path);
        char *line =
            text_printf(_("Drill %s: its time ended and nothing had been submitted. Your file is "
                          "still there: %s"),
                        sittings[i].drill, path);
        app_paragraph(app, out, 0, line);
        free(line);
        free(path);
    }
    sitting_list_done(sittings, n);
    return STATUS_OK;
}

static enum status add_week(struct app *app, struct text *out, const struct agenda *agenda,
                            struct error *err)
{
    int sittings = 0;
    const enum status status = sitting_week_count(&sittings, app->progress, err);
    if (status) return status;
    struct text line = {0};
    text_format(&line, _("Practised today: %d of %d min"), agenda->minutes_done,
                app->settings.daily_minutes);
    if (app->settings.weekly_sittings)
        text_format(&line, _(" · this week: %d of %d sittings"), sittings,
                    app->settings.weekly_sittings);
    if (agenda->plan.left_out)
        text_format(&line,
                    ngettext(" · %d more is due and does not fit today",
                             " · %d more are due and do not fit today",
                             (unsigned long)agenda->plan.left_out),
                    agenda->plan.left_out);
    text_add(out, "\n");
    terminal_wrap(out, text_string(&line), app->out.width, "", "", false);
    text_done(&line);
    return STATUS_OK;
}

/* When the next review falls due, so that an empty day says when to come back. */
static int64_t next_due(const struct agenda *agenda)
{
    int64_t next = DAY_NONE;
    for (int i = 0; i < agenda->n; i++) {
        const struct review_memory *memory = &agenda->items[i].memory;
        if (memory->reviews && (next == DAY_NONE || memory->due_day < next)) next = memory->due_day;
    }
    return next;
}

static void add_nothing(const struct app *app, struct text *out, const struct agenda *agenda)
{
    const int64_t day = next_due(agenda);
    char date[16];
    char *line = day == DAY_NONE
                     ? text_copy(_("Nothing is due. lcx drill list shows what there is."))
                     : text_printf(_("Nothing is due today; next on %s. lcx drill list shows what "
                                     "there is."),
                                   day_text(date, day));
    text_add(out, "\n");
    app_paragraph(app, out, 0, line);
    free(line);
}

static enum status add_day(struct app *app, struct text *out, const struct agenda *agenda,
                           struct error *err)
{
    enum status status = STATUS_OK;
    add_date(app, out, agenda);
    if (count_entries(agenda, PLAN_FINISH)) {
        app_heading(app, out, _("Running now"));
        for (int i = 0; !status && i < agenda->plan.n_today; i++)
            if (agenda->plan.today[i].reason == PLAN_FINISH)
                status = add_running(app, out, app->drills.drills[agenda->plan.today[i].item], err);
    }
    if (count_entries(agenda, PLAN_REVIEW)) {
        app_heading(app, out, _("Due: what you are about to forget"));
        add_entries(app, out, agenda, PLAN_REVIEW);
    }
    if (count_entries(agenda, PLAN_NEW)) {
        app_heading(app, out, _("New"));
        add_entries(app, out, agenda, PLAN_NEW);
    }
    if (!agenda->plan.n_today) add_nothing(app, out, agenda);
    if (!status) status = add_interrupted(app, out, err);
    if (!status) status = add_expired(app, out, err);
    if (!status) status = add_week(app, out, agenda, err);
    return status;
}

/* ---- facts ---- */

static enum status print_rows(struct app *app, const struct agenda *agenda, struct error *err)
{
    static const char *const kinds[] = {
        [PLAN_FINISH] = "running", [PLAN_REVIEW] = "review", [PLAN_NEW] = "new"};
    for (int i = 0; i < agenda->plan.n_today; i++) {
        const struct plan_entry *entry = &agenda->plan.today[i];
        const struct drill *drill = app->drills.drills[entry->item];
        json_t *row =
            json_pack("{s:s, s:s, s:s, s:i}", "kind", kinds[entry->reason], "drill", drill->number,
                      "title", words_in(&drill->title, app->language), "minutes", entry->minutes);
        if (entry->recall >= 0) json_object_set_new(row, "recall", json_real(entry->recall));
        if (entry->reason == PLAN_FINISH) {
            struct sitting sitting;
            bool found;
            const enum status status =
                sitting_running(&sitting, &found, app->progress, drill->number, err);
            if (status) {
                json_decref(row);
                return status;
            }
            if (found) {
                const struct sitting_time time = sitting_time(&sitting, clock_wall_ms(app->clock));
                json_object_set_new(row, "lane", json_string(sitting.lane));
                json_object_set_new(row, "exam", json_boolean(sitting.exam));
                json_object_set_new(row, "paused", json_boolean(time.paused));
                json_object_set_new(row, "left_ms", json_integer(time.left_ms));
                json_object_set_new(row, "overtime_ms", json_integer(time.overtime_ms));
                json_object_set_new(row, "file", json_string(sitting.path));
            }
            sitting_done(&sitting);
        }
        app_json(app, row);
    }
    int sittings = 0;
    const enum status status = sitting_week_count(&sittings, app->progress, err);
    if (status) return status;
    char today[16], interview[16];
    app_json(app,
             json_pack("{s:s, s:s, s:s*, s:i, s:i, s:i, s:i, s:i}", "kind", "day", "date",
                       day_text(today, agenda->today), "interview_date",
                       app->settings.interview_day == DAY_NONE
                           ? NULL
                           : day_text(interview, app->settings.interview_day),
                       "minutes_done", agenda->minutes_done, "daily_minutes",
                       app->settings.daily_minutes, "left_out", agenda->plan.left_out,
                       "week_sittings", sittings, "weekly_goal", app->settings.weekly_sittings));
    return STATUS_OK;
}

int verb_today(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int failed;
    if (!arguments_read(&arguments, app, &usage_today, argc, argv, &failed)) return failed;
    failed = app_open_progress(app);
    if (failed) return failed;

    struct error err;
    bool first = false;
    enum status status = is_first_time(&first, app, &err);
    if (status) return app_fail(app, &err);
    if (first && !app->json) {
        greet(app);
        return EXIT_DONE;
    }
    work_settle(app, NULL);

    struct agenda agenda;
    failed = agenda_make(&agenda, app, 1);
    if (failed) return failed;
    if (app->json) {
        status = print_rows(app, &agenda, &err);
    } else {
        struct text out = {0};
        status = add_day(app, &out, &agenda, &err);
        if (!status) app_print(app, text_string(&out));
        text_done(&out);
    }
    agenda_done(&agenda);
    return status ? app_fail(app, &err) : EXIT_DONE;
}
