/* verb_progress.c -- lcx progress: how ready, how sure, what is remembered, what is coming. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agenda.h"
#include "drill.h"
#include "progress/attempt.h"
#include "progress/day.h"
#include "progress/readiness.h"
#include "table.h"
#include "verbs.h"

enum { FORECAST_DAYS = 7 };

const struct usage usage_progress = {
    .name = "progress",
    .arguments = "",
    .summary = N_("How ready for each round, what is remembered, what the coming days hold"),
    .details = N_("Readiness is recall times how often you pass, over the drills that a round asks "
                  "for; the range says how sure that is. It says nothing about being hired."),
    .example = "lcx progress\nlcx progress --json",
};

static int percent(double share) { return (int)lround(100 * share); }

/* ---- readiness ---- */

static bool asks_for(const struct drill *drill, const char *round)
{
    for (unsigned i = 0; i < drill->rounds_count; i++)
        if (strcmp(drill->rounds[i], round) == 0) return true;
    return false;
}

struct round_view {
    struct readiness readiness;
    int n_drills;
};

static enum status read_round(struct round_view *view, struct app *app, const char *round,
                              int64_t day, struct error *err)
{
    struct readiness_skill *skills = memory_new((size_t)app->drills.n_drills, sizeof *skills);
    enum status status = STATUS_OK;
    *view = (struct round_view){0};
    for (int i = 0; !status && i < app->drills.n_drills; i++) {
        const struct drill *drill = app->drills.drills[i];
        if (!asks_for(drill, round)) continue;
        skills[view->n_drills].weight = 1;
        status =
            readiness_evidence(&skills[view->n_drills++], app->progress, drill->number, day, err);
    }
    if (!status && view->n_drills)
        view->readiness = readiness_of(skills, view->n_drills, READINESS_SEED);
    free(skills);
    return status;
}

static enum status add_rounds(struct app *app, struct text *out, int64_t day, struct error *err)
{
    struct table table;
    table_init(&table, 4);
    enum status status = STATUS_OK;
    for (int i = 0; !status && i < ROUND_COUNT; i++) {
        struct round_view view;
        status = read_round(&view, app, round_name(i), day, err);
        if (status || !view.n_drills) continue;
        if (app->json) {
            char date[16];
            app_json(app, json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:i, s:i}", "kind", "round",
                                    "round", round_name(i), "date", day_text(date, day),
                                    "readiness", view.readiness.mean, "low", view.readiness.low,
                                    "high", view.readiness.high, "drills", view.n_drills, "tried",
                                    view.readiness.n_tried));
            continue;
        }
        table_add(&table, STYLE_STRONG, round_name(i));
        table_format(&table, STYLE_NONE, "%3d %%", percent(view.readiness.mean));
        table_format(&table, STYLE_DIM, _("between %d and %d"), percent(view.readiness.low),
                     percent(view.readiness.high));
        table_format(&table, STYLE_NONE, _("%d of %d drills tried"), view.readiness.n_tried,
                     view.n_drills);
    }
    if (!app->json) table_print(out, app, &table, 2);
    table_done(&table);
    return status;
}

/* ---- drills ---- */

static json_t *drill_row(const struct app *app, const struct drill *drill,
                         const struct attempt_summary *summary, const struct plan_item *item,
                         int64_t today, int64_t interview)
{
    char due[16];
    json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:i}", "kind", "drill", "drill", drill->number,
                            "title", words_in(&drill->title, app->language), "submissions",
                            summary->submissions, "passes", summary->passes);
    if (summary->best != ATTEMPT_NO_VERDICT)
        json_object_set_new(row, "best", json_string(attempt_verdict_name(summary->best)));
    if (summary->best_elapsed_ms >= 0)
        json_object_set_new(row, "best_ms", json_integer(summary->best_elapsed_ms));
    if (item->memory.reviews) {
        json_object_set_new(row, "recall", json_real(review_recall(&item->memory, today)));
        json_object_set_new(row, "due", json_string(day_text(due, item->memory.due_day)));
        if (interview > today)
            json_object_set_new(row, "recall_at_interview",
                                json_real(review_recall(&item->memory, interview)));
    }
    return row;
}

static void drill_cells(struct table *table, const struct app *app, const struct drill *drill,
                        const struct attempt_summary *summary, const struct plan_item *item,
                        int64_t today, int64_t interview)
{
    char text[24];
    table_add(table, STYLE_STRONG, drill->number);
    table_add(table, STYLE_NONE, words_in(&drill->title, app->language));
    if (!summary->submissions) table_add(table, STYLE_DIM, _("not tried"));
    else if (summary->passes)
        table_format(table, STYLE_GOOD, _("passed %d of %d"), summary->passes,
                     summary->submissions);
    else table_format(table, STYLE_BAD, _("failed %d"), summary->submissions);
    if (summary->best_elapsed_ms >= 0)
        table_format(table, STYLE_NONE, _("best %s"), app_clock(text, summary->best_elapsed_ms));
    else table_add(table, STYLE_NONE, NULL);
    if (!item->memory.reviews) {
        table_add(table, STYLE_NONE, NULL);
        table_add(table, STYLE_NONE, NULL);
        return;
    }
    const double recall = review_recall(&item->memory, today);
    if (interview > today)
        table_format(table, STYLE_NONE, _("recall %d %%, at the interview %d %%"), percent(recall),
                     percent(review_recall(&item->memory, interview)));
    else table_format(table, STYLE_NONE, _("recall %d %%"), percent(recall));
    table_format(table, item->memory.due_day <= today ? STYLE_WARN : STYLE_DIM, _("due %s"),
                 day_text(text, item->memory.due_day));
}

static enum status add_drills(struct app *app, struct text *out, const struct agenda *agenda,
                              struct error *err)
{
    struct table table;
    table_init(&table, 6);
    enum status status = STATUS_OK;
    for (int i = 0; !status && i < agenda->n; i++) {
        const struct drill *drill = app->drills.drills[i];
        struct attempt_summary summary;
        status = attempt_summarize(&summary, app->progress, drill->number, err);
        if (status) break;
        const int64_t interview = app->settings.interview_day;
        if (app->json)
            app_json(app,
                     drill_row(app, drill, &summary, &agenda->items[i], agenda->today, interview));
        else drill_cells(&table, app, drill, &summary, &agenda->items[i], agenda->today, interview);
    }
    if (!app->json) table_print(out, app, &table, 2);
    table_done(&table);
    return status;
}

/* ---- the coming days ---- */

static void add_forecast(struct app *app, struct text *out, const struct agenda *agenda)
{
    struct table table;
    table_init(&table, 4);
    char date[16];
    for (int i = 0; i < agenda->plan.n_days; i++) {
        const struct plan_day *day = &agenda->plan.days[i];
        day_text(date, day->day);
        if (app->json) {
            app_json(app, json_pack("{s:s, s:s, s:i, s:i, s:i, s:i}", "kind", "day", "date", date,
                                    "minutes", day->minutes, "reviews", day->reviews, "new",
                                    day->fresh, "left_out", day->backlog));
            continue;
        }
        table_add(&table, STYLE_NONE, date);
        table_format(&table, STYLE_STRONG, _("%d min"), day->minutes);
        table_format(&table, STYLE_NONE, _("to repeat %d, new %d"), day->reviews, day->fresh);
        if (day->backlog) table_format(&table, STYLE_WARN, _("%d do not fit"), day->backlog);
        else table_add(&table, STYLE_NONE, NULL);
    }
    if (!app->json) table_print(out, app, &table, 2);
    table_done(&table);
}

/* With an interview date: what cannot be seen twice before it. */
static void add_outlook(struct app *app, struct text *out, const struct agenda *agenda)
{
    struct text names = {0};
    for (int i = 0; i < agenda->plan.n_outlook; i++) {
        const struct plan_outlook *outlook = &agenda->plan.outlook[i];
        const struct drill *drill = app->drills.drills[outlook->item];
        if (app->json) {
            json_t *row =
                json_pack("{s:s, s:s, s:i, s:b}", "kind", "outlook", "drill", drill->number,
                          "sightings", outlook->sightings, "fits", outlook->fits);
            if (outlook->recall >= 0)
                json_object_set_new(row, "recall", json_real(outlook->recall));
            app_json(app, row);
        } else if (!outlook->fits) {
            text_format(&names, "%s%s %s", names.size ? ", " : "", drill->number,
                        words_in(&drill->title, app->language));
        }
    }
    if (names.size) {
        char *line =
            text_printf(_("Will not fit twice before the interview: %s. More minutes a day "
                          "(lcx config daily-minutes N) make room."),
                        text_string(&names));
        text_add(out, "\n");
        app_paragraph(app, out, 0, line);
        free(line);
    }
    text_done(&names);
}

static enum status show(struct app *app, const struct agenda *agenda, struct error *err)
{
    const int64_t interview = app->settings.interview_day;
    const int64_t day = interview > agenda->today ? interview : agenda->today;
    char date[16];
    struct text out = {0};

    if (!app->json) {
        char *heading = text_printf(_("Readiness on %s"), day_text(date, day));
        app_heading(app, &out, heading);
        free(heading);
    }
    enum status status = add_rounds(app, &out, day, err);
    if (!status && !app->json) app_heading(app, &out, _("Drills"));
    if (!status) status = add_drills(app, &out, agenda, err);
    if (!status) {
        if (!app->json) app_heading(app, &out, _("The coming days"));
        add_forecast(app, &out, agenda);
        add_outlook(app, &out, agenda);
        if (!app->json) app_page(app, text_string(&out));
    }
    text_done(&out);
    return status;
}

int verb_progress(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int failed;
    if (!arguments_read(&arguments, app, &usage_progress, argc, argv, &failed)) return failed;
    failed = app_open_progress(app);
    if (failed) return failed;
    work_settle(app, NULL);
    struct agenda agenda;
    failed = agenda_make(&agenda, app, FORECAST_DAYS);
    if (failed) return failed;
    struct error err;
    const enum status status = show(app, &agenda, &err);
    agenda_done(&agenda);
    return status ? app_fail(app, &err) : EXIT_DONE;
}
