/* drill_read.c -- lcx drill show, notes, hint and history: what there is to read. */
#include <stdlib.h>
#include <string.h>

#include "drill.h"
#include "table.h"

/* ---- the task and the notes ---- */

static int show_page(struct app *app, const struct drill *drill, const char *what)
{
    struct text out = {0};
    struct error err;
    char *path = text_printf("%s/%s.%s.md", drill->folder, what, app->language);
    int status = EXIT_DONE;
    if (app->json) {
        struct text page = {0};
        if (drill_read_page(&page, drill, what, app->language, &err)) status = app_fail(app, &err);
        else
            app_json(app, json_pack("{s:s, s:s, s:s}", "drill", drill->number, "page", what,
                                    "markdown", text_string(&page)));
        text_done(&page);
    } else if (app_markdown(app, &out, path, &err)) {
        status = app_fail(app, &err);
    } else {
        app_page(app, text_string(&out));
    }
    free(path);
    text_done(&out);
    return status;
}

const struct usage usage_drill_show = {
    .name = "drill show",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("The task, as an interviewer would give it"),
    .example = "lcx drill show 01",
};

int drill_show(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    const struct drill *drill;
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_show, argc, argv, &status)) return status;
    status = work_drill(app, arguments.words[0], &drill);
    return status ? status : show_page(app, drill, "task");
}

const struct usage usage_drill_notes = {
    .name = "drill notes",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("What a strong candidate says aloud, follow-ups, usual mistakes"),
    .details = N_("Read them after you have tried: during an exam they are closed."),
    .example = "lcx drill notes 01",
};

/* Whether an exam of this drill runs now: its results open when it has ended. */
static bool exam_is_open(struct app *app, const char *drill)
{
    struct sitting sitting;
    bool found = false;
    if (sitting_running(&sitting, &found, app->progress, drill, NULL) || !found) return false;
    const bool exam = sitting.exam;
    sitting_done(&sitting);
    return exam;
}

int drill_notes(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    const struct drill *drill;
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_notes, argc, argv, &status)) return status;
    status = work_drill(app, arguments.words[0], &drill);
    if (status) return status;
    if (exam_is_open(app, drill->number)) {
        app_note(app, _("the notes of drill %s open when its exam has ended"), drill->number);
        return EXIT_NO;
    }
    return show_page(app, drill, "notes");
}

/* ---- hints ---- */

const struct usage usage_drill_hint = {
    .name = "drill hint",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("The next hint; a hinted pass counts as Hard"),
    .example = "lcx drill hint 01",
};

int work_hint(struct app *app, const struct drill *drill, struct text *out)
{
    struct error err;
    struct sitting sitting;
    bool found;
    int used = 0;
    if (sitting_running(&sitting, &found, app->progress, drill->number, &err))
        return app_fail(app, &err);
    if (!found)
        return app_misuse(app, _("drill %s is not running: lcx drill start %s"), drill->number,
                          drill->number);
    const int known = (int)drill->hints_count, before = sitting.hints;
    enum status status = STATUS_OK;
    if (before < known || sitting.exam) /* past the last one, it is shown again at no cost */
        status = sitting_hint(app->progress, sitting.id, &used, &err);
    else used = known;
    sitting_done(&sitting);
    if (status == STATUS_USAGE) {
        app_note(app, "%s", err.message);
        return EXIT_NO;
    }
    if (status) return app_fail(app, &err);
    if (!known) {
        text_add(out, _("This drill has no hints.\n"));
        return EXIT_DONE;
    }
    char *title = text_printf(_("Hint %d of %d"), used, known);
    app_heading(app, out, title);
    app_paragraph(app, out, 0, words_in(&drill->hints[used - 1], app->language));
    free(title);
    return EXIT_DONE;
}

int drill_hint(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    const struct drill *drill;
    struct text out = {0};
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_hint, argc, argv, &status)) return status;
    status = work_drill(app, arguments.words[0], &drill);
    if (!status) status = work_hint(app, drill, &out);
    if (!status && app->json)
        app_json(app, json_pack("{s:s, s:s}", "drill", drill->number, "hint", text_string(&out)));
    else if (!status) app_print(app, text_string(&out));
    text_done(&out);
    return status;
}

/* ---- history ---- */

static const struct option_description history_options[] = {
    {"source", "ID", N_("print what was submitted in that attempt")},
    {"result", "ID", N_("print its result.json")},
    {NULL, NULL, NULL},
};
const struct usage usage_drill_history = {
    .name = "drill history",
    .arguments = "[NN]",
    .least = 0,
    .most = 1,
    .summary = N_("Your attempts, newest first; their source and results"),
    .example = "lcx drill history 01\nlcx drill history --source ID > before.py",
    .options = history_options,
};

static int print_attempt(struct app *app, const char *id, bool source)
{
    struct error err;
    struct attempt attempt;
    if (attempt_load(&attempt, app->progress, id, &err)) return app_fail(app, &err);
    if (!source && exam_is_open(app, attempt.drill)) {
        app_note(app, _("the results of drill %s open when its exam has ended"), attempt.drill);
        attempt_done(&attempt);
        return EXIT_NO;
    }
    if (source) fwrite(attempt.source, 1, attempt.source_size, stdout);
    else if (attempt.result) printf("%s\n", attempt.result);
    else app_note(app, _("attempt %s was interrupted and has no result; its source is kept"), id);
    attempt_done(&attempt);
    return EXIT_DONE;
}

static const char *outcome(const struct attempt *attempt)
{
    if (attempt->state == ATTEMPT_GRADING) return N_("being graded");
    if (attempt->state == ATTEMPT_INTERRUPTED) return N_("interrupted");
    return attempt_verdict_name(attempt->verdict);
}

static void add_attempt(struct app *app, struct table *table, const struct attempt *attempt)
{
    char when[32], clock[24];
    table_add(table, STYLE_NONE, clock_utc(when, attempt->submitted_ms));
    table_add(table, STYLE_STRONG, attempt->drill);
    table_add(table, STYLE_NONE, attempt->lane);
    table_add(table, STYLE_NONE, attempt_kind_name(attempt->kind));
    table_add(table, attempt->verdict == ATTEMPT_PASS ? STYLE_GOOD : STYLE_NONE,
              _(outcome(attempt)));
    table_add(table, STYLE_NONE, attempt->sitting[0] ? app_clock(clock, attempt->elapsed_ms) : "");
    const bool open = attempt->diagnosis && !exam_is_open(app, attempt->drill);
    char *diagnosis = app_clean(open ? attempt->diagnosis : ""); /* an archive may say anything */
    table_add(table, STYLE_NONE, diagnosis);
    free(diagnosis);
    table_add(table, STYLE_DIM, attempt->id);
}

static void attempt_json(struct app *app, const struct attempt *attempt)
{
    char when[32];
    const char *verdict = attempt_verdict_name(attempt->verdict);
    json_t *row = json_object();
    json_object_set_new(row, "id", json_string(attempt->id));
    json_object_set_new(row, "drill", json_string(attempt->drill));
    json_object_set_new(row, "lang", json_string(attempt->lane));
    json_object_set_new(row, "mode", json_string(attempt->mode));
    json_object_set_new(row, "kind", json_string(attempt_kind_name(attempt->kind)));
    json_object_set_new(row, "state", json_string(attempt_state_name(attempt->state)));
    json_object_set_new(row, "counts", json_boolean(attempt->counts));
    json_object_set_new(row, "exam", json_boolean(attempt->exam));
    json_object_set_new(row, "submitted", json_string(clock_utc(when, attempt->submitted_ms)));
    json_object_set_new(row, "elapsed_ms", json_integer(attempt->elapsed_ms));
    json_object_set_new(row, "seed", json_integer(attempt->seed));
    json_object_set_new(row, "verdict", verdict ? json_string(verdict) : json_null());
    json_object_set_new(row, "diagnosis",
                        attempt->diagnosis && !exam_is_open(app, attempt->drill)
                            ? json_string(attempt->diagnosis)
                            : json_null());
    app_json(app, row);
}

int drill_history(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    const struct drill *drill = NULL;
    struct attempt *attempts;
    struct error err;
    int n, status;
    if (!arguments_read(&arguments, app, &usage_drill_history, argc, argv, &status)) return status;
    status = arguments.n ? work_drill(app, arguments.words[0], &drill) : app_open_progress(app);
    if (status) return status;
    if (!drill) work_settle(app, NULL);
    const char *source = arguments_value(&arguments, "source"),
               *result = arguments_value(&arguments, "result");
    if (source || result) return print_attempt(app, source ? source : result, source != NULL);

    if (attempt_list(&attempts, &n, app->progress, drill ? drill->number : NULL, NULL, 0, &err))
        return app_fail(app, &err);
    struct table table;
    table_init(&table, 8);
    for (int i = 0; i < n; i++)
        if (app->json) attempt_json(app, &attempts[i]);
        else add_attempt(app, &table, &attempts[i]);
    if (!app->json) {
        struct text out = {0};
        table_print(&out, app, &table, 0);
        if (!n) app_paragraph(app, &out, 0, _("No attempts yet."));
        app_page(app, text_string(&out));
        text_done(&out);
    }
    table_done(&table);
    attempt_list_done(attempts, n);
    return EXIT_DONE;
}
