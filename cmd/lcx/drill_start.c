/* drill_start.c -- lcx drill start: write the file, start the stored clock, show the task. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "drill.h"

static const struct option_description options[] = {
    {"lang", "c|numpy|torch", N_("the lane to solve it in")},
    {"mode", "blank|bugs",
     N_("a blank file (the default), or a solution with 3 to 5 mistakes planted")},
    {"exam", NULL, N_("no pause, no hints, debrief at the end")},
    {"dir", "FOLDER", N_("where to write the file; the current folder by default")},
    {"time-factor", "X",
     N_("multiply the clock, 0.02 to 3; below 1 it is a rehearsal and never counts")},
    {"seed", "S", N_("plant the mistakes of this seed (with --mode bugs)")},
    {"no-editor", NULL, N_("do not open the editor")},
    {NULL, NULL, NULL},
};

const struct usage usage_drill_start = {
    .name = "drill start",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("Write the file to work in, start the clock, show the task"),
    .details =
        N_("The file is never overwritten. The clock is stored: it survives a crash and a restart. "
           "On a terminal, your editor is opened (lcx config set editor, or $EDITOR)."),
    .example =
        "lcx drill start 01 --lang numpy\nlcx drill start 06 --lang torch --mode bugs --exam",
    .options = options,
};

/* What the candidate begins with. */
static enum status first_source(struct text *out, const struct drill *drill, enum lane lane,
                                bool bugs, uint64_t seed, struct error *err)
{
    struct plant plant;
    return bugs ? plant_bugs(&plant, out, drill, lane, seed, err)
                : drill_read(out, drill, "starter", lane, err);
}

/* In C the interface lies beside the file, so that it compiles with the candidate's own tools. */
static enum status write_header(const struct drill *drill, const char *folder, struct error *err)
{
    struct text header = {0};
    char *from = text_printf("%s/%s.h", drill->folder, drill->file);
    char *to = text_printf("%s/%s.h", folder, drill->file);
    enum status status = file_read(&header, from, 1 << 20, err);
    if (!status && !file_exists(to)) status = file_create(to, header.data, header.size, 0644, err);
    text_done(&header);
    free(from);
    free(to);
    return status;
}

static void show_task(const struct app *app, struct text *out, const struct drill *drill)
{
    struct error err;
    char *path = text_printf("%s/task.%s.md", drill->folder, app->language);
    if (app_markdown(app, out, path, &err)) app_note(app, "%s", err.message);
    free(path);
}

static void show_start(const struct app *app, const struct drill *drill,
                       const struct sitting *sitting)
{
    struct text out = {0};
    char *clock = work_clock(app, sitting), *path = app_clean(sitting->path);
    show_task(app, &out, drill);
    text_add(&out, "\n");
    text_format(&out, _("Your file: %s\n"), path);
    text_format(&out, _("Clock:     %s%s\n"), clock,
                sitting_is_rehearsal(sitting) ? _(" (a rehearsal: it does not count)") : "");
    if (strcmp(sitting->mode, "bugs") == 0)
        text_format(&out, _("Planted:   3 to 5 mistakes, seed %lld\n"), (long long)sitting->seed);
    text_add(&out, "\n");
    text_format(&out, _("Check the visible cases:  lcx drill check %s\n"), drill->number);
    text_format(&out, _("Grade on every save:      lcx drill watch %s\n"), drill->number);
    text_format(&out, _("Submit:                   lcx drill submit %s\n"), drill->number);
    if (!sitting->exam)
        text_format(&out, _("A hint:                   lcx drill hint %s\n"), drill->number);
    app_print(app, text_string(&out));
    text_done(&out);
    free(clock);
    free(path);
}

static void start_json(const struct app *app, const struct drill *drill,
                       const struct sitting *sitting)
{
    char deadline[32];
    json_t *row = json_object();
    json_object_set_new(row, "drill", json_string(drill->number));
    json_object_set_new(row, "lang", json_string(sitting->lane));
    json_object_set_new(row, "mode", json_string(sitting->mode));
    json_object_set_new(row, "exam", json_boolean(sitting->exam));
    json_object_set_new(row, "sitting", json_string(sitting->id));
    json_object_set_new(row, "file", json_string(sitting->path));
    json_object_set_new(row, "deadline", json_string(clock_utc(deadline, sitting->deadline_ms)));
    json_object_set_new(row, "seed", sitting->seed < 0 ? json_null() : json_integer(sitting->seed));
    app_json(app, row);
}

/* As git does: by the shell, since it may have options. */
bool app_edit(const struct app *app, const char *path)
{
    const char *editor =
        app->settings.editor && *app->settings.editor ? app->settings.editor : getenv("VISUAL");
    if (!editor || !*editor) editor = getenv("EDITOR");
    if (!editor || !*editor || !app->out.is_terminal || !isatty(0)) return false;

    char *command = text_printf("%s \"$1\"", editor);
    const pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, editor, path, (char *)NULL);
        _exit(127);
    }
    int state = 0;
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR) {}
    const bool started = child > 0 && !(WIFEXITED(state) && WEXITSTATUS(state) == 127);
    if (!started) app_note(app, _("%s could not be started; open %s yourself"), editor, path);
    free(command);
    return started;
}

struct plan {
    const struct drill *drill;
    enum lane lane;
    bool bugs, exam;
    uint64_t seed;
    double time_factor;
    int minutes;
    char *path;
};

static bool same_plant(const struct plant *a, const struct plant *b)
{
    if (a->n != b->n) return false;
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->names[i], b->names[i]) != 0) return false;
    return true;
}

/* A seed whose mistakes are not those of the hunt before. */
static uint64_t fresh_seed(struct app *app, const struct plan *plan)
{
    enum { TRIES = 50 };
    struct sitting before;
    struct plant old = {0}, drawn;
    enum lane lane;
    bool found = false;
    uint64_t seed = random_seed();

    if (sitting_latest(&before, &found, app->progress, plan->drill->number, NULL) || !found)
        return seed;
    if (strcmp(before.mode, "bugs") == 0 && lane_parse(&lane, before.lane) &&
        plant_bugs(&old, NULL, plan->drill, lane, (uint64_t)before.seed, NULL) == STATUS_OK)
        for (int i = 0; i < TRIES; i++) {
            if (plant_bugs(&drawn, NULL, plan->drill, plan->lane, seed, NULL) != STATUS_OK ||
                !same_plant(&old, &drawn))
                break;
            seed = random_seed();
        }
    sitting_done(&before);
    return seed;
}

/* The file first, never over another one; then the clock. A clock that cannot start takes the file
 * back, so that trying again finds nothing in its way. */
static int begin(struct app *app, const struct plan *plan, const char *folder,
                 struct sitting *sitting)
{
    struct error err;
    struct text source = {0};
    const struct sitting_start start = {
        .drill = plan->drill->number,
        .lane = lane_name(plan->lane),
        .mode = plan->bugs ? "bugs" : "blank",
        .exam = plan->exam,
        .path = plan->path,
        .seed = plan->bugs ? (int64_t)plan->seed : -1,
        .time_factor = plan->time_factor,
        .minutes = plan->minutes,
    };
    enum status status =
        first_source(&source, plan->drill, plan->lane, plan->bugs, plan->seed, &err);
    if (!status) {
        status = file_create(plan->path, text_string(&source), source.size, 0644, &err);
        if (status == STATUS_CONFLICT)
            error_set(
                &err, status,
                _("%s exists and is not overwritten: move it, or choose another place with --dir"),
                plan->path);
    }
    if (!status) {
        status = sitting_begin(sitting, app->progress, &start, &err);
        if (status) unlink(plan->path);
    }
    if (!status && plan->lane == LANE_C && write_header(plan->drill, folder, &err))
        app_note(app, "%s", err.message); /* only the candidate's own compiler needs it */
    text_done(&source);
    return status ? app_fail(app, &err) : EXIT_DONE;
}

int work_begin(struct app *app, const struct work_start *start, struct sitting *sitting)
{
    struct error err;
    struct plan plan = {.drill = start->drill,
                        .lane = start->lane,
                        .exam = start->exam,
                        .time_factor = start->time_factor,
                        .minutes = start->minutes};
    char folder[PATH_MAX];
    if (folder_make(start->folder, 0755, &err)) return app_fail(app, &err);
    if (!realpath(start->folder, folder)) {
        error_set_errno(&err, STATUS_IO, "%s", start->folder);
        return app_fail(app, &err);
    }
    char *file = drill_file_name(plan.drill, plan.lane);
    plan.path = path_join(folder, file);
    free(file);
    const int status = begin(app, &plan, folder, sitting);
    free(plan.path);
    if (!status) show_start(app, plan.drill, sitting);
    return status;
}

int drill_start(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct plan plan = {0};
    struct sitting sitting;
    struct error err;
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_start, argc, argv, &status)) return status;
    status = work_drill(app, arguments.words[0], &plan.drill);
    if (status) return status;

    const char *lane = arguments_value(&arguments, "lang"),
               *mode = arguments_value(&arguments, "mode");
    const char *dir = arguments_value(&arguments, "dir");
    double seed;
    if (!lane)
        return app_misuse(app,
                          _("drill start: which lane? --lang c, --lang numpy or --lang torch"));
    CHECK(lane_parse(&plan.lane, lane));
    plan.bugs = mode && strcmp(mode, "bugs") == 0;
    plan.exam = arguments_value(&arguments, "exam") != NULL;
    plan.minutes = plan.drill->minutes;
    if (!arguments_number(&arguments, app, "time-factor", 0.02, 3.0, app->settings.time_factor,
                          &plan.time_factor) ||
        !arguments_number(&arguments, app, "seed", 0, 9007199254740991.0, -1.0, &seed))
        return EXIT_MISUSE;
    if (seed >= 0 && !plan.bugs)
        return app_misuse(
            app, _("drill start: --seed chooses planted mistakes; it goes with --mode bugs"));
    plan.seed = seed >= 0 ? (uint64_t)seed : fresh_seed(app, &plan);

    char folder[PATH_MAX];
    if (dir && folder_make(dir, 0755, &err)) return app_fail(app, &err);
    if (!realpath(dir ? dir : ".", folder)) {
        error_set_errno(&err, STATUS_IO, "%s", dir ? dir : ".");
        return app_fail(app, &err);
    }
    char *file = drill_file_name(plan.drill, plan.lane);
    plan.path = path_join(folder, file);
    free(file);
    status = begin(app, &plan, folder, &sitting);
    free(plan.path);
    if (status) return status;

    if (app->json) start_json(app, plan.drill, &sitting);
    else show_start(app, plan.drill, &sitting);
    if (!app->json && !arguments_value(&arguments, "no-editor")) app_edit(app, sitting.path);
    sitting_done(&sitting);
    return EXIT_DONE;
}
