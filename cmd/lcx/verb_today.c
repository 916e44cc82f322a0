/* verb_today.c -- lcx, lcx today: what to do now, and how. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agenda.h"
#include "drill.h"
#include "progress/attempt.h"
#include "progress/day.h"
#include "progress/sitting.h"
#include "rounds/draw.h"
#include "rounds/packet.h"
#include "table.h"
#include "verbs.h"

const struct usage usage_today = {
    .name = "today",
    .arguments = "",
    .summary = N_("What to do now, and how: running clocks, what is due, what is new"),
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
    struct round *rounds;
    int n_sittings = 0, n_attempts = 0, n_rounds = 0;
    enum status status = sitting_list(&sittings, &n_sittings, app->progress, NULL, 1, err);
    if (status) return status;
    sitting_list_done(sittings, n_sittings);
    status = attempt_list(&attempts, &n_attempts, app->progress, NULL, NULL, 1, err);
    if (status) return status;
    attempt_list_done(attempts, n_attempts);
    status = round_list(&rounds, &n_rounds, app->progress, NULL, 1, err);
    if (status) return status;
    free(rounds);
    *first = n_sittings == 0 && n_attempts == 0 && n_rounds == 0;
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

/* The round, and the loop, that is being sat: before anything else. */
struct sat {
    struct round round;
    struct packet packet;
    bool in_round, in_packet;
};

static enum status find_sat(struct sat *sat, struct app *app, struct error *err)
{
    *sat = (struct sat){0};
    const enum status status = round_running(&sat->round, &sat->in_round, app->progress, err);
    return status ? status : packet_running(&sat->packet, &sat->in_packet, app->progress, err);
}

static bool is_review(const struct sat *sat)
{
    return sat->in_round && strcmp(sat->round.name, "review") == 0;
}

static enum status count_ended(int *ended, int *all, struct app *app, const struct packet *packet,
                               struct error *err)
{
    struct round *rounds;
    *ended = 0;
    const enum status status = round_list(&rounds, all, app->progress, packet->id, 0, err);
    if (status) return status;
    for (int i = 0; i < *all; i++) *ended += rounds[i].state > ROUND_RUNNING;
    free(rounds);
    return STATUS_OK;
}

static enum status add_sat(struct app *app, struct text *out, const struct sat *sat,
                           struct error *err)
{
    struct table table;
    enum status status = STATUS_OK;
    table_init(&table, 3);
    if (sat->in_packet) {
        int ended = 0, all = 0;
        status = count_ended(&ended, &all, app, &sat->packet, err);
        table_add(&table, STYLE_STRONG, _("the loop"));
        table_format(&table, STYLE_NONE, _("%d of %d rounds done"), ended, all);
        table_add(&table, STYLE_CODE, sat->in_round ? NULL : "lcx loop next");
    }
    if (sat->in_round) {
        table_add(&table, STYLE_STRONG,
                  is_review(sat) ? _("review") : phase_title(sat->round.name));
        table_add(&table, STYLE_NONE, _("begun, not finished"));
        table_add(&table, STYLE_CODE, is_review(sat) ? "lcx review" : "lcx loop next");
    }
    table_print(out, app, &table, 2);
    table_done(&table);
    return status;
}

/* What lcx review asks: everything but drills and whole new questions. */
static bool is_reviewed(const struct agenda *agenda, const struct plan_entry *entry)
{
    const struct plan_item *item = &agenda->study.items[entry->item];
    return item->kind == PLAN_NODE || item->kind == PLAN_CARD ||
           (item->kind == PLAN_TREE && entry->reason == PLAN_REVIEW);
}

static void add_entries(struct app *app, struct text *out, const struct agenda *agenda,
                        enum plan_reason reason)
{
    struct table table;
    char number[24], command[64];
    table_init(&table, 5);
    for (int i = 0; i < agenda->plan.n_today; i++) {
        const struct plan_entry *entry = &agenda->plan.today[i];
        const struct plan_item *item = &agenda->study.items[entry->item];
        if (entry->reason != reason || is_reviewed(agenda, entry)) continue;
        table_format(&table, STYLE_STRONG, "%s %s",
                     item->kind == PLAN_DRILL ? _("drill") : _("question"),
                     agenda_number(number, item));
        table_add(&table, STYLE_NONE, agenda_title(agenda, app, entry->item));
        table_format(&table, STYLE_NONE, _("%d min"), entry->minutes);
        if (entry->recall >= 0)
            table_format(&table, STYLE_DIM, _("recall %d %%"), percent(entry->recall));
        else table_add(&table, STYLE_NONE, NULL);
        table_add(&table, STYLE_CODE, agenda_command(command, app, item, entry->reason));
    }
    table_print(out, app, &table, 2);
    table_done(&table);
}

/* "4 answers in words and 12 cards (3 of them new), 25 min: lcx review" */
static void add_reviewed(struct app *app, struct text *out, const struct agenda *agenda)
{
    int nodes = 0, cards = 0, fresh = 0, minutes = 0;
    for (int i = 0; i < agenda->plan.n_today; i++) {
        const struct plan_entry *entry = &agenda->plan.today[i];
        if (!is_reviewed(agenda, entry)) continue;
        minutes += entry->minutes;
        fresh += entry->reason == PLAN_NEW;
        if (agenda->study.items[entry->item].kind == PLAN_CARD) cards++;
        else nodes++;
    }
    if (!minutes) return;

    struct text line = {0};
    struct table table;
    if (nodes)
        text_format(&line, ngettext("%d question", "%d questions", (unsigned long)nodes), nodes);
    if (nodes && cards) text_add(&line, ", ");
    if (cards) text_format(&line, ngettext("%d card", "%d cards", (unsigned long)cards), cards);
    if (fresh) text_format(&line, ngettext(" (%d new)", " (%d new)", (unsigned long)fresh), fresh);
    table_init(&table, 4);
    table_add(&table, STYLE_STRONG, _("review"));
    table_add(&table, STYLE_NONE, text_string(&line));
    table_format(&table, STYLE_NONE, _("%d min"), minutes);
    table_add(&table, STYLE_CODE, "lcx review");
    app_heading(app, out, _("To answer in words"));
    table_print(out, app, &table, 2);
    table_done(&table);
    text_done(&line);
}

static int count_entries(const struct agenda *agenda, enum plan_reason reason)
{
    int n = 0;
    for (int i = 0; i < agenda->plan.n_today; i++) {
        const struct plan_entry *entry = &agenda->plan.today[i];
        n += entry->reason == reason && !is_reviewed(agenda, entry);
    }
    return n;
}

static void add_left_out(struct app *app, struct text *out, const struct agenda *agenda)
{
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
    text_format(&line, _("Practised today: %d of %d min"), agenda->done.minutes,
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
    for (int i = 0; i < agenda->study.n; i++) {
        const struct review_memory *memory = &agenda->study.items[i].memory;
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
    struct sat sat;
    enum status status = find_sat(&sat, app, err);
    if (status) return status;
    add_date(app, out, agenda);
    if (sat.in_round || sat.in_packet || count_entries(agenda, PLAN_FINISH)) {
        app_heading(app, out, _("Running now"));
        status = add_sat(app, out, &sat, err);
        for (int i = 0; !status && i < agenda->plan.n_today; i++)
            if (agenda->plan.today[i].reason == PLAN_FINISH)
                status = add_running(app, out, app->drills.drills[agenda->plan.today[i].item], err);
    }
    if (count_entries(agenda, PLAN_REVIEW)) {
        app_heading(app, out, _("Due: what you are about to forget"));
        add_entries(app, out, agenda, PLAN_REVIEW);
    }
    add_reviewed(app, out, agenda);
    if (count_entries(agenda, PLAN_NEW)) {
        app_heading(app, out, _("New"));
        add_entries(app, out, agenda, PLAN_NEW);
    }
    if (!agenda->plan.n_today) add_nothing(app, out, agenda);
    if (!status) status = add_interrupted(app, out, err);
    if (!status) status = add_expired(app, out, err);
    if (!status) add_left_out(app, out, agenda);
    if (!status) status = add_week(app, out, agenda, err);
    return status;
}

/* ---- facts ---- */

/* What is known of the clock of a drill's running sitting. */
static enum status add_clock(json_t *row, struct app *app, const char *drill, struct error *err)
{
    struct sitting sitting;
    bool found;
    const enum status status = sitting_running(&sitting, &found, app->progress, drill, err);
    if (status || !found) return status;
    const struct sitting_time time = sitting_time(&sitting, clock_wall_ms(app->clock));
    json_object_set_new(row, "lane", json_string(sitting.lane));
    json_object_set_new(row, "exam", json_boolean(sitting.exam));
    json_object_set_new(row, "paused", json_boolean(time.paused));
    json_object_set_new(row, "left_ms", json_integer(time.left_ms));
    json_object_set_new(row, "overtime_ms", json_integer(time.overtime_ms));
    json_object_set_new(row, "file", json_string(sitting.path));
    sitting_done(&sitting);
    return STATUS_OK;
}

static enum status print_sat(struct app *app, struct error *err)
{
    struct sat sat;
    int ended = 0, all = 0;
    enum status status = find_sat(&sat, app, err);
    if (!status && sat.in_packet) {
        status = count_ended(&ended, &all, app, &sat.packet, err);
        app_json(app,
                 json_pack("{s:s, s:s, s:i, s:i, s:s}", "kind", "loop", "track", sat.packet.track,
                           "ended", ended, "rounds", all, "command", "lcx loop next"));
    }
    if (!status && sat.in_round)
        app_json(app, json_pack("{s:s, s:s, s:s}", "kind", "round", "round", sat.round.name,
                                "command", is_review(&sat) ? "lcx review" : "lcx loop next"));
    return status;
}

static enum status print_entry(struct app *app, const struct agenda *agenda,
                               const struct plan_entry *entry, struct error *err)
{
    static const char *const kinds[] = {
        [PLAN_FINISH] = "running", [PLAN_REVIEW] = "review", [PLAN_NEW] = "new"};
    const struct plan_item *item = &agenda->study.items[entry->item];
    char number[24], command[64];
    enum status status = STATUS_OK;
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "kind", kinds[entry->reason], "what",
                            agenda_kind(item), "item", item->id, "title",
                            agenda_title(agenda, app, entry->item), "minutes", entry->minutes,
                            "command", agenda_command(command, app, item, entry->reason));
    if (item->kind == PLAN_DRILL)
        json_object_set_new(row, "drill", json_string(agenda_number(number, item)));
    if (entry->recall >= 0) json_object_set_new(row, "recall", json_real(entry->recall));
    if (entry->reason == PLAN_FINISH)
        status = add_clock(row, app, agenda_number(number, item), err);
    if (status) json_decref(row);
    else app_json(app, row);
    return status;
}

static enum status print_rows(struct app *app, const struct agenda *agenda, struct error *err)
{
    enum status status = print_sat(app, err);
    for (int i = 0; !status && i < agenda->plan.n_today; i++)
        status = print_entry(app, agenda, &agenda->plan.today[i], err);
    if (status) return status;

    int sittings = 0, unfit = 0;
    for (int i = 0; i < agenda->plan.n_outlook; i++) unfit += !agenda->plan.outlook[i].fits;
    status = sitting_week_count(&sittings, app->progress, err);
    if (status) return status;
    char today[16], interview[16];
    app_json(app, json_pack("{s:s, s:s, s:s*, s:i, s:i, s:i, s:i, s:i, s:i}", "kind", "day", "date",
                            day_text(today, agenda->today), "interview_date",
                            app->settings.interview_day == DAY_NONE
                                ? NULL
                                : day_text(interview, app->settings.interview_day),
                            "minutes_done", agenda->done.minutes, "daily_minutes",
                            app->settings.daily_minutes, "left_out", agenda->plan.left_out, "unfit",
                            unfit, "week_sittings", sittings, "weekly_goal",
                            app->settings.weekly_sittings));
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
