/* drill_watch.c -- lcx drill watch: grade the visible cases on every save, beside the clock.
 *
 *   saved --200 ms at rest--> other bytes than before? --> check --> shown
 *   the clock reaches zero --> what is there then is graded as the snapshot
 *                                practice: overtime      exam: it ends here
 *
 * On a terminal: single keys and a status line. Elsewhere: one result a save, until standard input
 * closes or SIGTERM.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/watch.h"
#include "drill.h"
#include "grader/worker.h"
#include "screen.h"

const struct usage usage_drill_watch = {
    .name = "drill watch",
    .arguments = "NN",
    .least = 1,
    .most = 1,
    .summary = N_("Grade the visible cases on every save, with the clock in sight"),
    .details = N_(
        "Keys: r run again, h hint, t task, s submit (hidden cases; it counts), p pause the "
        "clock and let it run again, q quit. At zero what you have is graded as your snapshot; in "
        "practice you may go on.\n"
        "Without a terminal: one result a save, until standard input closes; with --json, "
        "result.json lines."),
    .example = "lcx drill watch 01\ntail -f /dev/null | lcx drill watch 01 --json",
};

struct watching {
    struct app *app;
    struct work work;
    struct grader grader;
    struct watch watch;
    struct screen screen;

    struct text graded; /* the bytes of the last grading */
    bool has_graded;
    const char *standing; /* what the last one said, in a word or two */
    enum style standing_style;

    int64_t left_ms;     /* when the clock was looked at last; 0: at zero or past it */
    bool zero_passed;    /* and we were there */
    bool settled;        /* what was to be done without a snapshot is done */
    struct text at_zero; /* the file at that moment, when a grading was under way */

    /* For the status line's own thread while a grading is under way. */
    struct sitting clock; /* without its path */
    const char *doing;

    bool sat; /* a sitting was running when we began: its end is ours */
    bool pass_shown;
    bool over;
    int exit_status;
};

/* ---- the clock ---- */

static struct sitting_time clock_of(const struct watching *watching, const struct sitting *sitting)
{
    return sitting_time(sitting, clock_wall_ms(watching->app->clock));
}

static bool is_running(const struct watching *watching)
{
    return watching->work.has_sitting && watching->work.sitting.state == SITTING_RUNNING;
}

static bool in_exam(const struct watching *watching)
{
    return is_running(watching) && watching->work.sitting.exam;
}

/* Other processes may pause it, submit, or give up: read it again. */
static void read_sitting(struct watching *watching)
{
    struct sitting now;
    struct error err;
    if (!watching->work.has_sitting ||
        sitting_load(&now, watching->app->progress, watching->work.sitting.id, &err))
        return; /* a database that is busy for a moment is asked again */
    sitting_done(&watching->work.sitting);
    watching->work.sitting = now;
}

/* ---- the status line ---- */

static void add_clock(const struct watching *watching, struct text *out,
                      const struct sitting *sitting, bool words)
{
    const struct sitting_time time = clock_of(watching, sitting);
    const enum style style = time.overtime_ms > 0           ? STYLE_BAD
                             : time.left_ms < 2 * 60 * 1000 ? STYLE_WARN
                                                            : STYLE_STRONG;
    char left[24];
    char *clock = work_clock(watching->app, sitting);
    if (*clock) {
        if (!words) {
            free(clock);
            app_clock(left, time.overtime_ms ? time.overtime_ms : time.left_ms);
            clock = text_printf("%s%s", time.overtime_ms ? "+" : "", left);
        }
        terminal_paint(out, &watching->app->out, style, clock);
        text_add(out, " · ");
    }
    free(clock);
}

static void add_keys(const struct watching *watching, struct text *out, bool words)
{
    const bool exam = watching->work.exam, closed = exam && watching->zero_passed;
    const struct {
        const char *key, *word;
        bool shown;
    } keys[] = {
        {"r", _("run"), !closed},
        {"h", _("hint"), is_running(watching) && !exam},
        {"t", _("task"), true},
        {"s", _("submit"), !closed},
        {"p", watching->work.sitting.paused_ms ? _("resume") : _("pause"),
         is_running(watching) && !exam},
        {"q", _("quit"), true},
    };
    int n = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (!keys[i].shown) continue;
        if (n++) text_add(out, words ? "  " : " ");
        terminal_paint(out, &watching->app->out, STYLE_CODE, keys[i].key);
        if (words) text_format(out, " %s", keys[i].word);
    }
}

/* The clock and the keys always; of the words that explain them, and of the last verdict, what fits. */
static void show_status(struct watching *watching)
{
    static const struct {
        bool clock_words, verdict, key_words;
    } forms[] = {
        {true, true, true},  {true, false, true},  {false, false, true},
        {true, true, false}, {true, false, false}, {false, false, false},
    };
    struct text status = {0};
    if (!watching->screen.line) return;
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        text_clear(&status);
        if (watching->work.has_sitting)
            add_clock(watching, &status, &watching->work.sitting, forms[form].clock_words);
        if (*watching->standing && forms[form].verdict) {
            terminal_paint(&status, &watching->app->out, watching->standing_style,
                           watching->standing);
            text_add(&status, " · ");
        }
        add_keys(watching, &status, forms[form].key_words);
        if (terminal_columns(status.data, status.size) < screen_width(&watching->screen)) break;
    }
    screen_status(&watching->screen, text_string(&status));
    text_done(&status);
}

/* While a grading is under way, in the screen's thread. */
static void compose_busy(void *context, struct text *status)
{
    struct watching *watching = context;
    if (watching->clock.state == SITTING_RUNNING && watching->left_ms > 0 &&
        !clock_of(watching, &watching->clock).left_ms && !watching->at_zero.data &&
        clock_of(watching, &watching->clock).overtime_ms < SITTING_GRACE_MS) {
        struct error err; /* what is there now counts, not what is there when we have time */
        if (file_read(&watching->at_zero, watching->work.path, ATTEMPT_SOURCE_LIMIT, &err))
            text_done(&watching->at_zero);
    }
    if (watching->work.has_sitting) add_clock(watching, status, &watching->clock, true);
    text_add(status, watching->doing);
}

static void busy(struct watching *watching, const char *doing)
{
    watching->doing = doing;
    if (watching->work.has_sitting) watching->clock = watching->work.sitting;
    watching->clock.path = NULL;
    screen_busy(
        &watching->screen, compose_busy, watching,
        _("lcx: stopped while grading; nothing is lost: lcx drill history has the attempt\n"));
}

/* ---- grading ---- */

static void note_verdict(struct watching *watching, const struct result *result)
{
    switch (result->verdict) {
    case VERDICT_PASS:
        watching->standing = result->visible_only ? _("passes") : _("passed");
        watching->standing_style = STYLE_GOOD;
        return;
    case VERDICT_FAIL: watching->standing = _("fails"); break;
    case VERDICT_LIMIT: watching->standing = _("limit hit"); break;
    case VERDICT_UNAVAILABLE:
    case VERDICT_ERROR: watching->standing = _("not graded"); break;
    }
    watching->standing_style = STYLE_BAD;
}

/* "21:04:05  saved", and what came of it. */
static void show_result(struct watching *watching, const char *why, const struct result *result)
{
    const struct app *app = watching->app;
    if (app->json) {
        app_json(app, result_json(result, app->language));
        fflush(stdout);
        return;
    }
    struct text out = {0};
    char moment[16];
    struct tm local;
    const time_t now = (time_t)(clock_wall_ms(app->clock) / 1000);
    strftime(moment, sizeof moment, "%H:%M:%S", localtime_r(&now, &local));
    char *heading = text_printf("%s  %s", moment, why);
    text_add_char(&out, '\n');
    terminal_paint(&out, &app->out, STYLE_DIM, heading);
    text_add_char(&out, '\n');
    work_show_result(app, &out, &watching->work, result);
    screen_print(&watching->screen, text_string(&out));
    text_done(&out);
    free(heading);
}

/* Grade what is in work.source. False when we failed; that was said. */
static bool grade_source(struct watching *watching, enum attempt_kind kind, const char *why)
{
    struct result result;
    const uint64_t seed = kind == ATTEMPT_CHECK ? SEED_VISIBLE : random_seed();

    busy(watching,
         kind == ATTEMPT_CHECK ? _("grading the visible cases") : _("grading the hidden cases"));
    const int status =
        work_grade(watching->app, &watching->work, &watching->grader, kind, seed, &result);
    screen_idle(&watching->screen);
    text_clear(&watching->graded);
    text_add_bytes(&watching->graded, watching->work.source.data, watching->work.source.size);
    watching->has_graded = true;
    if (status) return false;
    note_verdict(watching, &result);
    watching->pass_shown = kind != ATTEMPT_CHECK && result.verdict == VERDICT_PASS;
    show_result(watching, why, &result);
    result_done(&result);
    return true;
}

/* The file as it is now into work.source. False after saying why not. */
static bool read_file(struct watching *watching)
{
    screen_hide(&watching->screen);
    const int status = work_read(&watching->work, watching->app);
    screen_show(&watching->screen);
    return status == EXIT_DONE;
}

static void saved(struct watching *watching)
{
    const struct text *source = &watching->work.source, *graded = &watching->graded;
    if (!file_exists(watching->work.path) || !read_file(watching)) return;
    if (watching->has_graded && source->size == graded->size &&
        memcmp(source->data, graded->data, graded->size) == 0)
        return;
    grade_source(watching, ATTEMPT_CHECK, _("saved"));
}

/* ---- keys ---- */

static void say(struct watching *watching, const char *words)
{
    struct text out = {0};
    text_add_char(&out, '\n');
    app_paragraph(watching->app, &out, 0, words);
    if (!watching->app->json) screen_print(&watching->screen, text_string(&out));
    text_done(&out);
}

static void run_again(struct watching *watching, enum attempt_kind kind)
{
    if (in_exam(watching) && watching->zero_passed) {
        say(watching, _("The exam is over."));
        return;
    }
    if (read_file(watching))
        grade_source(watching, kind, kind == ATTEMPT_CHECK ? _("run") : _("submitted"));
}

static void show_hint(struct watching *watching)
{
    struct text out = {0};
    screen_hide(&watching->screen);
    if (in_exam(watching)) {
        say(watching, _("An exam has no hints."));
    } else if (!work_hint(watching->app, watching->work.drill, &out)) {
        text_add_char(&out, '\n');
        app_print(watching->app, text_string(&out));
    }
    screen_show(&watching->screen);
    text_done(&out);
}

static void show_task(struct watching *watching)
{
    struct text out = {0};
    struct error err;
    char *path =
        text_printf("%s/task.%s.md", watching->work.drill->folder, watching->app->language);
    text_add_char(&out, '\n');
    if (app_markdown(watching->app, &out, path, &err)) say(watching, err.message);
    else screen_print(&watching->screen, text_string(&out));
    text_done(&out);
    free(path);
}

static void pause_or_resume(struct watching *watching)
{
    struct error err;
    const struct sitting *sitting = &watching->work.sitting;
    if (!is_running(watching)) return;
    const enum status status = sitting->paused_ms
                                   ? sitting_resume(watching->app->progress, sitting->id, &err)
                                   : sitting_pause(watching->app->progress, sitting->id, &err);
    read_sitting(watching);
    char *clock = work_clock(watching->app, sitting);
    char *words = sitting->paused_ms ? text_printf(_("The clock stands still: %s"), clock)
                                     : text_printf(_("The clock runs: %s"), clock);
    say(watching, status ? err.message : words);
    free(words);
    free(clock);
}

static void quit(struct watching *watching)
{
    watching->over = true;
    if (!is_running(watching) || watching->app->json) return;
    char *words = watching->work.sitting.paused_ms
                      ? text_printf(_("The clock stands still. Back to it: lcx drill watch %s"),
                                    watching->work.drill->number)
                      : text_printf(_("The clock runs on. Back to it: lcx drill watch %s"),
                                    watching->work.drill->number);
    say(watching, words);
    free(words);
}

static void press(struct watching *watching, int key)
{
    switch (key) {
    case 'r': run_again(watching, ATTEMPT_CHECK); break;
    case 's': run_again(watching, ATTEMPT_SUBMIT); break;
    case 'h': show_hint(watching); break;
    case 't': show_task(watching); break;
    case 'p': pause_or_resume(watching); break;
    case 'q':
    case SCREEN_STOP: quit(watching); break;
    default: return;
    }
    read_sitting(watching);
}

/* ---- time passes ---- */

/* No work at zero was stored, and it is too late for us to know it: the file says what it was. */
static void settle(struct watching *watching)
{
    watching->settled = true;
    screen_hide(&watching->screen);
    work_settle(watching->app, watching->work.drill);
    screen_show(&watching->screen);
}

/* Zero: what is there now is written down and graded, whatever happens next. */
static void reach_zero(struct watching *watching)
{
    const int64_t late_ms = clock_of(watching, &watching->work.sitting).overtime_ms;
    watching->zero_passed = true;
    if (!watching->at_zero.data && late_ms > SITTING_GRACE_MS) { /* the machine slept */
        settle(watching);
        return;
    }
    if (watching->at_zero.data) {
        watching->work.written_ms = watching->work.sitting.deadline_ms;
        struct text empty = watching->work.source;
        watching->work.source = watching->at_zero;
        watching->at_zero = empty;
        text_done(&watching->at_zero);
    } else if (!read_file(watching)) {
        return;
    }
    say(watching,
        watching->work.exam
            ? _("Time. This is what you have at zero, graded with hidden cases:")
            : _("Time. This is what you have at zero, graded with hidden cases; you may go on, "
                "as overtime:"));
    grade_source(watching, ATTEMPT_SNAPSHOT, _("snapshot"));
}

static void say_ended(struct watching *watching)
{
    const char *number = watching->work.drill->number;
    const enum sitting_state state = watching->work.sitting.state;
    char *words = NULL;
    watching->over = true;
    if (state == SITTING_PASSED) {
        watching->exit_status = EXIT_DONE;
        if (!watching->pass_shown) /* by another process */
            words = text_printf(
                _("This sitting has ended: passed. Next: lcx drill notes %s, then lcx today"),
                number);
    } else {
        watching->exit_status = EXIT_NO;
        words =
            watching->work.exam
                ? text_printf(
                      _("The exam is over. Next: lcx drill notes %s, lcx drill history %s, then "
                        "lcx today"),
                      number, number)
                : text_printf(_("This sitting has ended. Next: lcx drill notes %s, then lcx today"),
                              number);
    }
    if (words) say(watching, words);
    free(words);
}

/* Without a status line the clock is said now and then. */
static void say_clock(struct watching *watching, int64_t before_ms, int64_t left_ms)
{
    static const int minutes[] = {10, 5, 1};
    if (watching->screen.line) return;
    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        const int64_t mark = minutes[i] * INT64_C(60000);
        if (before_ms <= mark || left_ms > mark || !left_ms) continue;
        char *clock = work_clock(watching->app, &watching->work.sitting);
        say(watching, clock);
        free(clock);
    }
}

/* Once a second: the clock, and what others did to the sitting. */
static void tick(struct watching *watching)
{
    struct error err;
    if (!watching->sat) return;
    if (in_exam(watching) && !watching->left_ms) {
        if (progress_settle(watching->app->progress, &err)) return; /* asked again in a second */
        read_sitting(watching);
        if (is_running(watching) && !watching->settled &&
            clock_of(watching, &watching->work.sitting).overtime_ms > SITTING_GRACE_MS)
            settle(watching); /* the file could not be read at zero */
    }
    read_sitting(watching);
    if (is_running(watching)) {
        const int64_t before_ms = watching->left_ms;
        const struct sitting_time time = clock_of(watching, &watching->work.sitting);
        watching->left_ms = time.left_ms;
        if (before_ms > 0 && !time.left_ms && !time.paused) {
            watching->left_ms = 0;
            reach_zero(watching);
        } else {
            say_clock(watching, before_ms, time.left_ms);
        }
    }
    if (!is_running(watching)) say_ended(watching);
}

/* Until the shown seconds change, or the file must be looked at. */
static int patience_ms(const struct watching *watching)
{
    int ms = watch_patience_ms(&watching->watch, clock_steady_ns());
    if (!is_running(watching)) return ms;
    const struct sitting_time time = clock_of(watching, &watching->work.sitting);
    const int second = time.paused        ? 1000
                       : time.left_ms > 0 ? (int)(time.left_ms % 1000) + 1
                                          : 1000 - (int)(time.overtime_ms % 1000);
    return second < ms ? second : ms;
}

static void watch_until_over(struct watching *watching)
{
    int64_t ticked_ns = 0;
    while (!watching->over) {
        show_status(watching);
        const int key =
            screen_wait(&watching->screen, watching->watch.inotify, patience_ms(watching));
        if (key != SCREEN_NOTHING) press(watching, key);

        const bool exam_over = in_exam(watching) && watching->zero_passed;
        if (!watching->over && watch_changed(&watching->watch, clock_steady_ns()) && !exam_over)
            saved(watching);
        const bool second = clock_steady_ns() - ticked_ns >= INT64_C(900000000);
        if (!watching->over && (second || key != SCREEN_NOTHING ||
                                !clock_of(watching, &watching->work.sitting).left_ms)) {
            ticked_ns = clock_steady_ns();
            tick(watching);
        }
    }
}

/* ---- beginning ---- */

/* The lane's interpreter imports its library now, so that the first save is answered soon. */
static bool warm_up(struct watching *watching)
{
    struct trouble trouble = {0};
    if (watching->work.lane == LANE_C) return true;
    char *doing = text_printf(_("starting %s"), lane_title(watching->work.lane));
    busy(watching, doing);
    const bool good = worker_get(&watching->grader, watching->work.lane, &trouble) != NULL;
    screen_idle(&watching->screen);
    free(doing);
    if (good) return true;
    struct error err;
    error_set(&err, STATUS_UNAVAILABLE, "%s", trouble.message);
    screen_hide(&watching->screen);
    watching->exit_status = app_fail(watching->app, &err);
    return false;
}

static void say_begin(struct watching *watching)
{
    struct text out = {0};
    struct app *app = watching->app;
    char *path = app_clean(watching->work.path);
    text_format(&out, _("Watching %s\nEach save grades the visible cases.\n"), path);
    free(path);
    if (is_running(watching) && !watching->screen.line) {
        char *clock = work_clock(app, &watching->work.sitting);
        text_format(&out, "%s\n", clock);
        free(clock);
    } else if (!is_running(watching)) {
        char *words =
            text_printf(_("No clock is running: lcx drill start %s begins a sitting that counts."),
                        watching->work.drill->number);
        app_paragraph(app, &out, 0, words);
        free(words);
    }
    if (watching->screen.keys && !watching->screen.line) {
        text_add(&out, _("Keys: "));
        add_keys(watching, &out, true);
        text_add_char(&out, '\n');
    }
    if (!app->json) screen_print(&watching->screen, text_string(&out));
    text_done(&out);
}

int drill_watch(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct watching watching = {.app = app, .exit_status = EXIT_DONE};
    int status;
    if (!arguments_read(&arguments, app, &usage_drill_watch, argc, argv, &status)) return status;
    status = work_open(&watching.work, app, arguments.words[0], NULL, NULL);
    if (status) {
        work_done(&watching.work);
        return status;
    }
    watching.standing = "";
    watching.grader = work_grader(app);
    watching.sat = is_running(&watching);
    const struct sitting_time time = clock_of(&watching, &watching.work.sitting);
    watching.left_ms = watching.sat ? time.left_ms : 0;
    if (watching.sat && !time.left_ms && time.overtime_ms < SITTING_GRACE_MS)
        watching.left_ms = 1; /* zero was a moment ago: still ours to take */
    watching.zero_passed = in_exam(&watching) && !watching.left_ms;
    watch_init(&watching.watch, watching.work.path, WATCH_INOTIFY, clock_steady_ns());

    screen_open(&watching.screen, app);
    say_begin(&watching);
    if (warm_up(&watching)) watch_until_over(&watching);
    screen_hide(&watching.screen);
    screen_close(&watching.screen);

    watch_done(&watching.watch);
    grader_done(&watching.grader);
    text_done(&watching.graded);
    text_done(&watching.at_zero);
    work_done(&watching.work);
    return watching.exit_status;
}
