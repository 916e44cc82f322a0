/* drill_prove.c -- lcx drill prove: are the drills fit to judge people? */
#include <string.h>

#include "drill.h"
#include "grader/prove.h"
#include "table.h"

static const struct option_description options[] = {
    {"lang", "c|numpy|torch", N_("one lane only")},
    {"seed", "S", N_("the seed of the hidden cases; 1 by default")},
    {NULL, NULL, NULL},
};

const struct usage usage_drill_prove = {
    .name = "drill prove",
    .arguments = "[NN]",
    .least = 0,
    .most = 1,
    .summary =
        N_("Show that references pass, that starters fail, and that every known mistake is named"),
    .example = "lcx drill prove\nlcx drill prove 01 --lang c --json",
    .options = options,
};

struct telling {
    const struct app *app;
    int shown, failed, unavailable;
};

static void tell(void *context, const struct prove_row *row)
{
    struct telling *telling = context;
    const struct app *app = telling->app;
    telling->shown++;
    if (!row->ok && row->verdict == VERDICT_UNAVAILABLE) telling->unavailable++;
    else if (!row->ok) telling->failed++;
    if (app->json) {
        json_t *object = json_object();
        json_object_set_new(object, "drill", json_string(row->drill->number));
        json_object_set_new(object, "lang", json_string(lane_name(row->lane)));
        json_object_set_new(object, "case", json_string(row->name));
        json_object_set_new(object, "verdict", json_string(verdict_name(row->verdict)));
        json_object_set_new(object, "diagnosis",
                            row->diagnosis ? json_string(row->diagnosis) : json_null());
        json_object_set_new(object, "ok", json_boolean(row->ok));
        app_json(app, object);
        return;
    }
    struct text line = {0};
    text_format(&line, "%s %-6s %-36s %-12s %7.0f ms  ", row->drill->number, lane_name(row->lane),
                row->name, verdict_name(row->verdict), row->total_ms);
    terminal_paint(&line, &app->out, row->ok ? STYLE_GOOD : STYLE_BAD,
                   row->ok ? _("ok") : _("WRONG"));
    text_add(&line, "\n");
    if (!row->ok) {
        app_paragraph(app, &line, 3, row->summary);
        if (row->diagnosis) text_format(&line, "   -> %s\n", row->diagnosis);
    }
    app_print(app, text_string(&line));
    text_done(&line);
}

static int prove_drill(struct app *app, struct grader *grader, const struct drill *drill,
                       const char *only, uint64_t seed, struct telling *telling)
{
    struct error err;
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        int failed = 0;
        if (only && strcmp(only, lane_name((enum lane)lane)) != 0) continue;
        if (prove(&failed, grader, drill, (enum lane)lane, seed, app->language, tell, telling,
                  &err))
            return app_fail(app, &err);
    }
    return EXIT_DONE;
}

int drill_prove(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct telling telling = {.app = app};
    const struct drill *one = NULL;
    double seed;
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_prove, argc, argv, &status)) return status;
    if (!arguments_number(&arguments, app, "seed", 0, 9007199254740991.0, 1.0, &seed))
        return EXIT_MISUSE;
    status = app_open_drills(app);
    if (!status && app_has_progress(app)) status = app_open_progress(app); /* for the interpreter */
    if (status) return status;
    struct error err;
    if (arguments.n && drills_find(&one, &app->drills, arguments.words[0], &err))
        return app_misuse(app, "%s", err.message);

    struct grader grader = work_grader(app);
    for (int i = 0; i < app->drills.n_drills && !status; i++)
        if (!one || app->drills.drills[i] == one)
            status = prove_drill(app, &grader, app->drills.drills[i],
                                 arguments_value(&arguments, "lang"), (uint64_t)seed, &telling);
    grader_done(&grader);
    if (status) return status;
    if (!app->json) {
        struct text line = {0};
        text_format(&line, _("%d submissions, %d not as they should be, %d not available here\n"),
                    telling.shown, telling.failed, telling.unavailable);
        app_print(app, text_string(&line));
        text_done(&line);
    }
    return telling.failed ? EXIT_NO : telling.unavailable ? EXIT_TROUBLE : EXIT_DONE;
}
