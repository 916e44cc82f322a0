/* drill_clock.c -- lcx drill pause, resume and reset: what can be done to a running sitting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "drill.h"

const struct usage usage_drill_pause = {
    .name = "drill pause",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("Stop the clock (in practice; an exam has no pause)"),
    .example = "lcx drill pause 01",
};
const struct usage usage_drill_resume = {
    .name = "drill resume",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("Let the clock run again"),
    .example = "lcx drill resume 01",
};
const struct usage usage_drill_reset = {
    .name = "drill reset",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("Give up the running sitting and put its file aside, to begin anew"),
    .details =
        N_("The file is renamed, never deleted; attempts and their sources stay in the history. "
           "Giving up counts as not remembered."),
    .example = "lcx drill reset 01",
};

typedef enum status change(struct progress *progress, const char *id, struct error *err);

/* Do it to the drill's running sitting and say where its clock stands. `sitting` is the caller's when 0. */
static int change_running(struct app *app, const struct usage *usage, int argc, char **argv,
                          change *act, struct sitting *sitting)
{
    struct arguments arguments;
    const struct drill *drill;
    struct error err;
    bool found;
    int status;
    if (!arguments_read(&arguments, app, usage, argc, argv, &status)) return status ? status : -1;
    status = work_drill(app, arguments.words[0], &drill);
    if (status) return status;
    if (sitting_running(sitting, &found, app->progress, drill->number, &err))
        return app_fail(app, &err);
    if (!found)
        return app_misuse(app, _("drill %s is not running: lcx drill start %s"), drill->number,
                          drill->number);
    const enum status changed = act(app->progress, sitting->id, &err);
    if (!changed) return EXIT_DONE;
    sitting_done(sitting);
    if (changed != STATUS_USAGE) return app_fail(app, &err);
    app_note(app, "%s", err.message);
    return EXIT_NO;
}

static int pause_or_resume(struct app *app, const struct usage *usage, int argc, char **argv,
                           change *act)
{
    struct sitting sitting, now;
    struct error err;
    const int status = change_running(app, usage, argc, argv, act, &sitting);
    if (status) return status < 0 ? EXIT_DONE : status;
    if (sitting_load(&now, app->progress, sitting.id, &err)) {
        sitting_done(&sitting);
        return app_fail(app, &err);
    }
    char *clock = work_clock(app, &now);
    if (app->json) {
        app_json(app, json_pack("{s:s, s:b, s:s}", "drill", now.drill, "paused", now.paused_ms != 0,
                                "clock", clock));
    } else {
        char *line = text_printf("%s\n", clock);
        app_print(app, line);
        free(line);
    }
    free(clock);
    sitting_done(&now);
    sitting_done(&sitting);
    return EXIT_DONE;
}

int drill_pause(struct app *app, int argc, char **argv)
{
    return pause_or_resume(app, &usage_drill_pause, argc, argv, sitting_pause);
}

int drill_resume(struct app *app, int argc, char **argv)
{
    return pause_or_resume(app, &usage_drill_resume, argc, argv, sitting_resume);
}

/* "attention.py" becomes "attention.1.py", or the next number that is free. */
static char *put_aside(const struct app *app, const char *path)
{
    const char *dot = strrchr(path, '.');
    for (int i = 1; dot && i < 1000; i++) {
        char *aside = text_printf("%.*s.%d%s", (int)(dot - path), path, i, dot);
        if (!file_exists(aside) && rename(path, aside) == 0) return aside;
        free(aside);
    }
    app_note(app, _("%s stays where it is: it could not be renamed"), path);
    return NULL;
}

int drill_reset(struct app *app, int argc, char **argv)
{
    struct sitting sitting;
    const int status =
        change_running(app, &usage_drill_reset, argc, argv, sitting_give_up, &sitting);
    if (status) return status < 0 ? EXIT_DONE : status;
    char *aside = file_exists(sitting.path) ? put_aside(app, sitting.path) : NULL;
    if (app->json) {
        app_json(app, json_pack("{s:s, s:s, s:s?}", "drill", sitting.drill, "state", "given-up",
                                "aside", aside));
    } else {
        struct text out = {0};
        if (aside) {
            char *clean = app_clean(aside);
            text_format(&out, _("Your file is now %s\n"), clean);
            free(clean);
        }
        text_format(&out, _("Begin anew: lcx drill start %s --lang %s\n"), sitting.drill,
                    sitting.lane);
        app_print(app, text_string(&out));
        text_done(&out);
    }
    free(aside);
    sitting_done(&sitting);
    return EXIT_DONE;
}
