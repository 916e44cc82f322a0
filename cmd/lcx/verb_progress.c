/* verb_progress.c -- lcx progress: how ready, how sure, what is remembered, what is coming. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agenda.h"
#include "drill.h"
#include "progress/attempt.h"
#include "progress/day.h"
#include "rounds/packet.h"
#include "table.h"
#include "verbs.h"

enum { FORECAST_DAYS = 7 };

const struct usage usage_progress = {
    .name = "progress",
    .arguments = "",
    .summary = N_("How ready for each round, what is remembered, what the coming days hold"),
    .details = N_("Readiness is recall times how often you pass, over the drills and questions "
                  "that a round asks for; the range says how sure that is. It says nothing about "
                  "being hired."),
    .example = "lcx progress\nlcx progress --json",
};

static int percent(double share) { return (int)lround(100 * share); }

/* ---- readiness ---- */

static json_t *round_row(const struct agenda *agenda, const char *name, int round, int64_t day,
                         const struct readiness *readiness, int n_skills)
{
    char date[16];
    const struct plan_recall *recall = &agenda->plan.rounds[round];
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:i, s:i}", "kind", "round", "round", name,
                  "date", day_text(date, day), "readiness", readiness->mean, "low", readiness->low,
                  "high", readiness->high, "skills", n_skills, "tried", readiness->n_tried);
    if (!agenda->plan.outlook) return row;
    json_object_set_new(row, "items", json_integer(recall->items));
    json_object_set_new(row, "seen", json_integer(recall->seen));
    json_object_set_new(row, "seen_if_kept", json_integer(recall->seen_kept));
    if (recall->recall >= 0) json_object_set_new(row, "recall", json_real(recall->recall));
    if (recall->recall_kept >= 0)
        json_object_set_new(row, "recall_if_kept", json_real(recall->recall_kept));
    return row;
}

static void round_cells(struct table *table, const char *name, const struct readiness *readiness,
                        int n_skills)
{
    table_add(table, STYLE_STRONG, name);
    table_format(table, STYLE_NONE, "%3d %%", percent(readiness->mean));
    table_format(table, STYLE_DIM, _("between %d and %d"), percent(readiness->low),
                 percent(readiness->high));
    table_format(table, STYLE_NONE, _("%d of %d tried"), readiness->n_tried, n_skills);
}

static enum status add_rounds(struct app *app, struct text *out, const struct agenda *agenda,
                              int64_t day, struct error *err)
{
    struct table table;
    table_init(&table, 4);
    enum status status = STATUS_OK;
    for (int i = 0; !status && round_kinds[i].name; i++) {
        struct readiness readiness;
        int n_skills;
        status = study_readiness(&readiness, &n_skills, i, &agenda->library, &app->drills,
                                 app->progress, day, err);
        if (status) break;
        if (app->json)
            app_json(app, round_row(agenda, round_kinds[i].name, i, day, &readiness, n_skills));
        else round_cells(&table, round_kinds[i].name, &readiness, n_skills);
    }
    if (!app->json) table_print(out, app, &table, 2);
    table_done(&table);
    return status;
}

/* With a date ahead: what will be recalled on it, round by round. */
static void add_recall(const struct app *app, struct text *out, const struct agenda *agenda)
{
    struct table table;
    table_init(&table, 3);
    for (int i = 0; round_kinds[i].name; i++) {
        const struct plan_recall *recall = &agenda->plan.rounds[i];
        if (!recall->items) continue;
        table_add(&table, STYLE_STRONG, round_kinds[i].name);
        if (recall->recall >= 0)
            table_format(&table, STYLE_NONE, _("recall %d %% of %d seen"), percent(recall->recall),
                         recall->seen);
        else table_add(&table, STYLE_DIM, _("nothing seen yet"));
        if (recall->recall_kept >= 0)
            table_format(&table, STYLE_NONE, _("%d %% of %d if you keep to the plan (of %d)"),
                         percent(recall->recall_kept), recall->seen_kept, recall->items);
        else table_add(&table, STYLE_NONE, NULL);
    }
    table_print(out, app, &table, 2);
    table_done(&table);
}

/* ---- what is answered in words ---- */

struct tally {
    int items, seen;
    double recall; /* the sum, over what was seen */
};

static struct tally tally_of(const struct agenda *agenda, enum plan_kind kind)
{
    struct tally tally = {0};
    for (int i = 0; i < agenda->study.n; i++) {
        const struct plan_item *item = &agenda->study.items[i];
        if (item->kind != kind) continue;
        tally.items++;
        if (!item->memory.reviews) continue;
        tally.seen++;
        tally.recall += review_recall(&item->memory, agenda->today);
    }
    return tally;
}

static void add_words(const struct app *app, struct text *out, const struct agenda *agenda)
{
    static const struct {
        enum plan_kind kind;
        const char *key, *name;
    } rows[] = {
        {PLAN_TREE, "questions", N_("questions")},
        {PLAN_NODE, "follow-ups", N_("follow-ups")},
        {PLAN_CARD, "cards", N_("cards")},
    };
    struct table table;
    table_init(&table, 3);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct tally tally = tally_of(agenda, rows[i].kind);
        if (app->json) {
            json_t *row = json_pack("{s:s, s:s, s:i, s:i}", "kind", "memory", "of", rows[i].key,
                                    "items", tally.items, "seen", tally.seen);
            if (tally.seen)
                json_object_set_new(row, "recall", json_real(tally.recall / tally.seen));
            app_json(app, row);
            continue;
        }
        table_add(&table, STYLE_STRONG, _(rows[i].name));
        table_format(&table, STYLE_NONE, _("%d of %d seen"), tally.seen, tally.items);
        if (tally.seen)
            table_format(&table, STYLE_NONE, _("recall %d %%"), percent(tally.recall / tally.seen));
        else table_add(&table, STYLE_NONE, NULL);
    }
    if (!app->json) table_print(out, app, &table, 2);
    table_done(&table);
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
    for (int i = 0; !status && i < agenda->study.n_drills; i++) {
        const struct drill *drill = app->drills.drills[i];
        struct attempt_summary summary;
        status = attempt_summarize(&summary, app->progress, drill->number, err);
        if (status) break;
        const int64_t interview = app->settings.interview_day;
        if (app->json)
            app_json(app, drill_row(app, drill, &summary, &agenda->study.items[i], agenda->today,
                                    interview));
        else
            drill_cells(&table, app, drill, &summary, &agenda->study.items[i], agenda->today,
                        interview);
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
            app_json(app, json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:i}", "kind", "day", "date",
                                    date, "minutes", day->minutes, "reviews", day->reviews, "new",
                                    day->fresh, "new_cards", day->cards, "left_out", day->backlog));
            continue;
        }
        table_add(&table, STYLE_NONE, date);
        table_format(&table, STYLE_STRONG, _("%d min"), day->minutes);
        table_format(&table, STYLE_NONE, _("to repeat %d, new %d"), day->reviews,
                     day->fresh + day->cards);
        if (day->backlog) table_format(&table, STYLE_WARN, _("%d do not fit"), day->backlog);
        else table_add(&table, STYLE_NONE, NULL);
    }
    if (!app->json) table_print(out, app, &table, 2);
    table_done(&table);
}

/* With an interview date: what cannot be seen twice before it. */
static void add_outlook(struct app *app, struct text *out, const struct agenda *agenda)
{
    for (int i = 0; app->json && i < agenda->plan.n_outlook; i++) {
        const struct plan_outlook *outlook = &agenda->plan.outlook[i];
        const struct plan_item *item = &agenda->study.items[outlook->item];
        char number[24];
        json_t *row =
            json_pack("{s:s, s:s, s:s, s:i, s:b}", "kind", "outlook", "what", agenda_kind(item),
                      "item", item->id, "sightings", outlook->sightings, "fits", outlook->fits);
        if (item->kind == PLAN_DRILL)
            json_object_set_new(row, "drill", json_string(agenda_number(number, item)));
        if (outlook->recall >= 0) json_object_set_new(row, "recall", json_real(outlook->recall));
        app_json(app, row);
    }
    if (app->json) return;
    char *names = agenda_left_out(agenda, app);
    if (*names) {
        char *line =
            text_printf(_("Will not fit twice before the interview: %s. More minutes a day "
                          "(lcx config daily-minutes N) make room."),
                        names);
        text_add(out, "\n");
        app_paragraph(app, out, 0, line);
        free(line);
    }
    free(names);
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
    enum status status = add_rounds(app, &out, agenda, day, err);
    if (!status && !app->json && agenda->plan.outlook) {
        app_heading(app, &out, _("Recall on that day"));
        add_recall(app, &out, agenda);
    }
    if (!status && !app->json) app_heading(app, &out, _("Answers in words"));
    if (!status) add_words(app, &out, agenda);
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
