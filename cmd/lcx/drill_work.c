#include "drill.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

int work_drill(struct app *app, const char *word, const struct drill **drill)
{
    struct error err;
    int status = app_open_drills(app);
    if (status) return status;
    if (drills_find(drill, &app->drills, word, &err)) return app_misuse(app, "%s", err.message);
    return app_open_progress(app);
}

static char *absolute(const char *path)
{
    char resolved[PATH_MAX];
    if (realpath(path, resolved)) return text_copy(resolved);
    if (*path == '/') return text_copy(path);
    char folder[PATH_MAX];
    if (!getcwd(folder, sizeof folder)) return text_copy(path);
    return path_join(folder, path);
}

/* Which Python lane a file is for, when nothing else says so: the one whose library it imports. */
static enum lane lane_of_source(const char *path, const char *source)
{
    if (text_ends_with(path, ".c")) return LANE_C;
    for (const char *line = source; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (text_starts_with(line, "import torch") || text_starts_with(line, "from torch"))
            return LANE_TORCH;
    }
    return LANE_NUMPY;
}

int work_read(struct work *work, const struct app *app)
{
    struct error err;
    text_clear(&work->source);
    enum status status = file_read(&work->source, work->path, ATTEMPT_SOURCE_LIMIT, &err);
    if (status == STATUS_NOT_FOUND)
        return app_misuse(app, _("%s: there is no such file; lcx drill start %s writes it"),
                          work->path, work->drill->number);
    if (!status && memchr(work->source.data, 0, work->source.size))
        status = error_set(&err, STATUS_FORMAT, _("%s: holds a NUL byte, so it is no source file"),
                           work->path);
    return status ? app_fail(app, &err) : EXIT_DONE;
}

/* The sitting whose file this is: the running one, else the latest. */
static int find_sitting(struct work *work, struct app *app, const char *file)
{
    struct error err;
    bool found = false;
    const char *number = work->drill->number;
    if (sitting_running(&work->sitting, &found, app->progress, number, &err))
        return app_fail(app, &err);
    if (!found && !file && sitting_latest(&work->sitting, &found, app->progress, number, &err))
        return app_fail(app, &err);
    work->exam = found && work->sitting.state == SITTING_RUNNING && work->sitting.exam;
    if (found && file) { /* another file stands for itself, but an exam is an exam */
        char *given = absolute(file);
        if (strcmp(given, work->sitting.path) != 0) {
            sitting_done(&work->sitting);
            found = false;
        }
        free(given);
    }
    work->has_sitting = found;
    return EXIT_DONE;
}

static int take_mode(struct work *work, const struct app *app)
{
    struct error err;
    work->mode = "blank";
    if (!work->has_sitting) return EXIT_DONE;
    if (strcmp(work->sitting.mode, "bugs") != 0) return EXIT_DONE;
    work->mode = "bugs";
    if (plant_bugs(&work->plant, NULL, work->drill, work->lane, (uint64_t)work->sitting.seed, &err))
        return app_fail(app, &err);
    return EXIT_DONE;
}

int work_open(struct work *work, struct app *app, const char *word, const char *file,
              const char *lane)
{
    *work = (struct work){0};
    int status = work_drill(app, word, &work->drill);
    if (!status) status = find_sitting(work, app, file);
    if (status) return status;

    if (file) {
        work->path = absolute(file);
    } else if (work->has_sitting) {
        work->path = text_copy(work->sitting.path);
    } else {
        return app_misuse(
            app, _("drill %s has not been started: lcx drill start %s --lang c|numpy|torch"),
            work->drill->number, work->drill->number);
    }
    status = work_read(work, app);
    if (status) return status;

    if (lane) {
        CHECK(lane_parse(&work->lane, lane)); /* the option takes these words only */
        if (work->has_sitting && strcmp(work->sitting.lane, lane) != 0) {
            sitting_done(&work->sitting); /* started for another lane: it stands for itself */
            work->has_sitting = false;
        }
    } else if (work->has_sitting) {
        CHECK(lane_parse(&work->lane, work->sitting.lane));
    } else {
        work->lane = lane_of_source(work->path, text_string(&work->source));
    }
    return take_mode(work, app);
}

void work_done(struct work *work)
{
    if (work->has_sitting) sitting_done(&work->sitting);
    free(work->path);
    text_done(&work->source);
    *work = (struct work){0};
}

struct grader work_grader(struct app *app)
{
    sandbox_init(app->helpers);
    struct error err;
    if (sandbox_sweep(NULL, &err)) app_note(app, "%s", err.message);
    if (app->unsafe)
        app_note(app, "%s",
                 _("--unsafe: where no wall can be had, this code runs with your rights to files "
                   "and network"));
    return (struct grader){
        .helpers = app->helpers,
        .python = app_python(app),
        .cache = app_cache(app),
        .unsafe = app->unsafe,
    };
}

static enum attempt_verdict stored_verdict(enum verdict verdict)
{
    static const enum attempt_verdict stored[] = {
        [VERDICT_PASS] = ATTEMPT_PASS,   [VERDICT_FAIL] = ATTEMPT_FAIL,
        [VERDICT_LIMIT] = ATTEMPT_LIMIT, [VERDICT_UNAVAILABLE] = ATTEMPT_UNAVAILABLE,
        [VERDICT_ERROR] = ATTEMPT_ERROR,
    };
    return stored[verdict];
}

/* Grade what stands in `id`, and store the result. */
static int grade_stored(struct app *app, struct grader *grader, const struct grade_request *request,
                        const char *id, struct result *result)
{
    struct error err;
    grade(result, grader, request);

    result->exam =
        false; /* the whole is stored, for afterwards; history waits for the exam's end */
    json_t *json = result_json(result, app->language);
    result->exam = request->exam;
    char *line = json_line(json);
    json_decref(json);
    const enum status status =
        attempt_finish(app->progress, id, stored_verdict(result->verdict),
                       result->n_diagnosis ? result->diagnosis[0] : NULL, line, &err);
    free(line);
    if (!status) return EXIT_DONE;
    result_done(result);
    return app_fail(app, &err);
}

int work_grade(struct app *app, struct work *work, struct grader *grader, enum attempt_kind kind,
               uint64_t seed, struct result *result)
{
    struct error err;
    char id[ID_SIZE];
    const bool running = work->has_sitting && work->sitting.state == SITTING_RUNNING;
    const struct attempt_start start = {
        .sitting = running ? work->sitting.id : NULL,
        .drill = work->drill->number,
        .lane = lane_name(work->lane),
        .mode = work->mode,
        .kind = kind,
        .seed = (int64_t)seed,
        .source = text_string(&work->source),
        .source_size = work->source.size,
    };
    if (attempt_begin(id, app->progress, &start, &err)) return app_fail(app, &err);

    const struct grade_request request = {
        .drill = work->drill,
        .lane = work->lane,
        .mode = work->mode,
        .source = text_string(&work->source),
        .seed = seed,
        .exam = work->exam,
        .visible_only = kind == ATTEMPT_CHECK,
        .timing = kind != ATTEMPT_CHECK,
        .speed = kind != ATTEMPT_CHECK,
        .planted = work->plant.names,
        .n_planted = work->plant.n,
    };
    const int status = grade_stored(app, grader, &request, id, result);
    if (!status && work->has_sitting) { /* a pass ends it: read it again */
        struct sitting now;
        if (!sitting_load(&now, app->progress, work->sitting.id, &err)) {
            sitting_done(&work->sitting);
            work->sitting = now;
        }
    }
    return status;
}

/* One attempt whose grader died. */
static int regrade_one(struct app *app, const struct drill *drill, struct grader *grader,
                       const char *id)
{
    struct error err;
    struct attempt attempt;
    struct plant plant = {0};
    struct result result;
    enum lane lane;
    if (attempt_resume(app->progress, id, &err) || attempt_load(&attempt, app->progress, id, &err))
        return app_fail(app, &err);

    int status = EXIT_DONE;
    CHECK(lane_parse(&lane, attempt.lane));
    if (strcmp(attempt.mode, "bugs") == 0) {
        struct sitting sitting;
        enum status found = sitting_load(&sitting, app->progress, attempt.sitting, &err);
        if (!found) {
            found = plant_bugs(&plant, NULL, drill, lane, (uint64_t)sitting.seed, &err);
            sitting_done(&sitting);
        }
        if (found) status = app_fail(app, &err);
    }
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
    if (!status) status = grade_stored(app, grader, &request, id, &result);
    if (!status) {
        char when[32];
        app_note(app, _("the submission of %s, whose grading was interrupted, is graded now: %s"),
                 clock_utc(when, attempt.submitted_ms), _(verdict_name(result.verdict)));
        result_done(&result);
    }
    attempt_done(&attempt);
    return status;
}

int work_regrade(struct app *app, const struct drill *drill, struct grader *grader)
{
    struct error err;
    struct attempt *attempts;
    int n, status = EXIT_DONE;
    if (attempt_interrupted(&attempts, &n, app->progress, &err)) return app_fail(app, &err);
    for (int i = n - 1; i >= 0 && !status; i--) /* oldest first */
        if (strcmp(attempts[i].drill, drill->number) == 0 && attempts[i].kind != ATTEMPT_CHECK)
            status = regrade_one(app, drill, grader, attempts[i].id);
    attempt_list_done(attempts, n);
    return status;
}

char *work_clock(const struct app *app, const struct sitting *sitting)
{
    char left[24], budget[24];
    const struct sitting_time time = sitting_time(sitting, clock_wall_ms(app->clock));
    if (sitting->state != SITTING_RUNNING) return text_copy("");
    app_clock(budget, time.budget_ms);
    if (time.overtime_ms > 0)
        return text_printf(time.paused ? _("paused, %s over the %s") : _("%s over the %s"),
                           app_clock(left, time.overtime_ms), budget);
    if (time.paused)
        return text_printf(_("paused, %s left of %s"), app_clock(left, time.left_ms), budget);
    return text_printf(_("%s left of %s"), app_clock(left, time.left_ms), budget);
}

int work_exit_status(const struct result *result)
{
    switch (result->verdict) {
    case VERDICT_PASS: return EXIT_DONE;
    case VERDICT_FAIL:
    case VERDICT_LIMIT: return EXIT_NO;
    case VERDICT_UNAVAILABLE:
    case VERDICT_ERROR: return EXIT_TROUBLE;
    }
    return EXIT_TROUBLE;
}

/* ---- shown ---- */

static void show_verdict(const struct app *app, struct text *out, const struct work *work,
                         const struct result *result)
{
    static const char *const words[] = {
        [VERDICT_PASS] = N_("PASS"),       [VERDICT_FAIL] = N_("FAIL"),
        [VERDICT_LIMIT] = N_("LIMIT HIT"), [VERDICT_UNAVAILABLE] = N_("NOT AVAILABLE HERE"),
        [VERDICT_ERROR] = N_("OUR FAULT"),
    };
    static const enum style styles[] = {[VERDICT_PASS] = STYLE_GOOD,
                                        [VERDICT_FAIL] = STYLE_BAD,
                                        [VERDICT_LIMIT] = STYLE_WARN,
                                        [VERDICT_UNAVAILABLE] = STYLE_WARN,
                                        [VERDICT_ERROR] = STYLE_WARN};
    terminal_paint(out, &app->out, styles[result->verdict], _(words[result->verdict]));
    text_format(out, "  %s %s, %s", work->drill->number,
                words_in(&work->drill->title, app->language), lane_title(work->lane));
    if (result->visible_only) text_add(out, _("  (visible cases; does not count)"));
    char *clock = work->has_sitting ? work_clock(app, &work->sitting) : text_copy("");
    if (*clock) text_format(out, "  %s", clock);
    text_add(out, "\n\n");
    free(clock);
}

static void show_checks(const struct app *app, struct text *out, const struct result *result)
{
    static const char *const names[CHECK_COUNT] = {
        N_("build"),    N_("contract"),   N_("shape"),      N_("finite"),     N_("numbers"),
        N_("gradient"), N_("edge cases"), N_("properties"), N_("complexity"), N_("speed"),
    };
    struct text line = {0};
    for (int i = 0; i < CHECK_COUNT; i++) {
        if (result->checks[i] == CHECK_NOT_RUN) continue;
        if (line.size) text_add(&line, " · ");
        text_format(&line, "%s ", _(names[i]));
        if (result->checks[i] == CHECK_PASSED)
            terminal_paint(&line, &app->out, STYLE_GOOD, _("ok"));
        else terminal_paint(&line, &app->out, STYLE_BAD, _("WRONG"));
    }
    app_paragraph(app, out, 0, text_string(&line));
    text_done(&line);
}

/* The smallest failing input in practice: shapes, and the numbers when they are few. */
static void show_input(const struct app *app, struct text *out, const struct result *result)
{
    json_t *object = NULL, *array;
    const char *name;
    if (!result->failing_input ||
        json_parse(&object, result->failing_input, strlen(result->failing_input), NULL))
        return;
    text_add(out, "\n");
    terminal_paint(out, &app->out, STYLE_DIM, _("Smallest failing input:"));
    text_format(out, _(" \"%s\"\n"), _(json_string_value(json_object_get(object, "case"))));
    json_object_foreach(json_object_get(object, "inputs"), name, array)
    {
        char *shape = json_line(json_object_get(array, "shape"));
        json_t *list = json_object_get(array, "values");
        text_format(out, "  %s %s %s", name, json_string_value(json_object_get(array, "dtype")),
                    shape);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *value = json_array_get(list, i);
            text_format(out, json_is_integer(value) ? "%s%.0f" : "%s%.4g", i ? " " : " = ",
                        json_number_value(value));
        }
        text_add(out, "\n");
        free(shape);
    }
    json_decref(object);
}

/* The beginning of what the compiler and the submission printed; the whole is in the history. */
static void show_printed(const struct app *app, struct text *out, const char *printed)
{
    enum { LINES = 20, BYTES = 2000 };
    struct text clean = {0};
    size_t size = 0;
    if (!printed || !*printed) return;
    for (int lines = 0; size < BYTES && lines < LINES && printed[size]; size++)
        lines += printed[size] == '\n';
    size = text_utf8_valid(printed, size);
    terminal_clean(&clean, printed, size);
    text_add(out, "\n");
    terminal_paint(out, &app->out, STYLE_DIM, _("It printed:"));
    text_format(out, "\n%s\n", text_string(&clean));
    if (printed[size])
        text_format(out, _("... and %zu bytes more: lcx drill history --result ID\n"),
                    strlen(printed + size));
    text_done(&clean);
}

static void show_next(const struct app *app, struct text *out, const struct work *work,
                      const struct result *result)
{
    const char *number = work->drill->number;
    char *next = NULL;
    if (result->verdict == VERDICT_PASS)
        next =
            result->visible_only
                ? text_printf(_("Next: lcx drill submit %s"), number)
                : text_printf(
                      _("Next: lcx drill notes %s (what a strong candidate says aloud), then lcx today"),
                      number);
    else if (result->verdict == VERDICT_UNAVAILABLE)
        next = text_printf(_("What is missing, and the command that mends it: lcx doctor"));
    else if (result->verdict == VERDICT_ERROR)
        next = text_printf(
            _("This is not your code's fault; nothing was lost. lcx doctor may say more. Again: lcx drill submit %s"),
            number);
    else if (!work->exam && result->visible_only && work->has_sitting)
        next = text_printf(_("A hint: lcx drill hint %s"), number);
    else if (!work->exam && !result->visible_only && !work->has_sitting)
        next =
            text_printf(_("The same cases again: --seed %llu"), (unsigned long long)result->seed);
    else if (!work->exam && !result->visible_only)
        next = text_printf(_("A hint: lcx drill hint %s. The same cases again: --seed %llu"),
                           number, (unsigned long long)result->seed);
    if (next) {
        text_add(out, "\n");
        app_paragraph(app, out, 0, next);
    }
    free(next);
}

void work_show_result(const struct app *app, struct text *out, const struct work *work,
                      const struct result *result)
{
    struct text clean = {0};
    char *summary = result_summary(result, app->language);

    show_verdict(app, out, work, result);
    const struct finding *first = result_first(result);
    terminal_clean(&clean, summary, strlen(summary));
    if (first && first->check == CHECK_BUILD) text_format(out, "%s\n", text_string(&clean));
    else app_paragraph(app, out, 0, text_string(&clean));
    text_add(out, "\n");
    show_checks(app, out, result);
    if (result->verdict == VERDICT_FAIL) show_input(app, out, result);
    if (!first || first->check != CHECK_BUILD) show_printed(app, out, result->printed);
    show_next(app, out, work, result);
    text_done(&clean);
    free(summary);
}
