/* bench_grade.c -- lcx bench grade: how long a candidate waits for a verdict.
 *
 *   drill01/c       a whole `lcx drill submit` of the reference, as a fresh process: our own start,
 *                   the interpreter's, the compiler's, the sandbox, complexity and speed
 *   drill-list      a whole `lcx drill list`
 *   sandbox         /bin/true in the sandbox, less the bare process
 *   machine         what one thread (or --threads N) can read and multiply at most
 *
 * The cases take turns, so that all see the same machine. One lap before the first warms caches and
 * shows that the references pass; it is not measured.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/machine.h"
#include "bench.h"
#include "content/marked.h"
#include "grader/runner.h"
#include "sandbox/sandbox.h"

static const struct option_description options[] = {
    {"lang", "c|numpy|torch", N_("one lane only")},
    {"runs", "N", N_("how many times each case is measured; 5 by default")},
    {"threads", "N", N_("threads for the machine's own limits; a submission has one")},
    {NULL, NULL, NULL},
};

const struct usage usage_bench_grade = {
    .name = "bench grade",
    .arguments = "[NN ...]",
    .least = 0,
    .most = 32,
    .summary = N_("How long a verdict takes, for every drill and lane that is here"),
    .details = N_(
        "Each run is a fresh process that grades the reference with hidden cases, in a home of its "
        "own. "
        "Your attempts are not touched. Exit status 1 when a reference does not pass."),
    .example = "lcx bench grade 01\nlcx bench grade --lang c --runs 11 --json",
    .options = options,
};

/* The targets of drill 01 on two cores. */
static const double target_ms[LANE_COUNT] = {
    [LANE_C] = 600, [LANE_NUMPY] = 1000, [LANE_TORCH] = 4000};
static const double target_list_ms = 30, target_sandbox_ms = 15;

/* A command that is measured. */
struct subject {
    struct bench_row *row;
    const char *argv[12];
    char *source; /* the submission's file; NULL: none */
    bool out;     /* it did not do what it should: not measured any more */
};

struct grading_bench {
    struct app *app;
    struct bench bench;
    struct subject subjects[BENCH_ROWS_LIMIT];
    int n_subjects;
    char *folder, *home; /* of our own, below the cache */
    char program[PATH_MAX];
    int runs, threads;
    bool wrong;
};

/* ---- what is measured ---- */

/* The reference as a candidate would hand it in: without the marked alternatives. */
static enum status write_reference(struct grading_bench *grading, char **path,
                                   const struct drill *drill, enum lane lane, struct error *err)
{
    struct text marked_source = {0}, source = {0};
    struct marked marked = {0};
    char *file = drill_file_name(drill, lane);
    *path = text_printf("%s/%s-%s-%s", grading->folder, drill->number, lane_name(lane), file);
    enum status status = drill_read(&marked_source, drill, "reference", lane, err);
    if (!status) status = marked_init(&marked, text_string(&marked_source), err);
    if (!status) status = marked_expand(&source, &marked, text_string(&marked_source), 0, err);
    if (!status) status = file_write(*path, text_string(&source), source.size, 0644, err);
    marked_done(&marked);
    text_done(&marked_source);
    text_done(&source);
    free(file);
    return status;
}

static int add_verdict(struct grading_bench *grading, const struct drill *drill, enum lane lane)
{
    struct error err;
    struct subject *subject = &grading->subjects[grading->n_subjects++];
    subject->row = bench_row(&grading->bench, "verdict_ms", "ms", "drill%s/%s", drill->number,
                             lane_name(lane));
    if (strcmp(drill->number, "01") == 0) subject->row->target = target_ms[lane];
    if (write_reference(grading, &subject->source, drill, lane, &err))
        return app_fail(grading->app, &err);
    const char *const argv[] = {grading->program, "drill",         "submit",
                                drill->number,    subject->source, "--lang",
                                lane_name(lane),  "--json",        NULL};
    memcpy(subject->argv, argv, sizeof argv);
    return EXIT_DONE;
}

/* The drills that were named (all, when none was), in the lanes that are here. */
static int add_drills(struct grading_bench *grading, const struct arguments *arguments)
{
    struct app *app = grading->app;
    const char *only = arguments_value(arguments, "lang");
    struct error err;
    bool present[LANE_COUNT];
    for (int lane = 0; lane < LANE_COUNT; lane++) {
        struct lane_tools tools;
        present[lane] = !only || strcmp(only, lane_name((enum lane)lane)) == 0;
        if (!present[lane]) continue;
        lane_tools(&tools, (enum lane)lane, app_python(app), app_cache(app));
        present[lane] = tools.present;
        if (!tools.present)
            app_note(app, _("%s is not available here, so it is not measured: %s"),
                     lane_title((enum lane)lane), tools.detail);
    }
    const int n = arguments->n ? arguments->n : app->drills.n_drills;
    for (int i = 0; i < n; i++) {
        const struct drill *drill = arguments->n ? NULL : app->drills.drills[i];
        if (!drill && drills_find(&drill, &app->drills, arguments->words[i], &err))
            return app_misuse(app, "%s", err.message);
        for (int lane = 0; lane < LANE_COUNT; lane++) {
            if (!present[lane] || grading->bench.n_rows > BENCH_ROWS_LIMIT - 8) continue;
            const int status = add_verdict(grading, drill, (enum lane)lane);
            if (status) return status;
        }
    }
    return EXIT_DONE;
}

static void add_list(struct grading_bench *grading)
{
    struct subject *subject = &grading->subjects[grading->n_subjects++];
    subject->row = bench_row(&grading->bench, "wall_ms", "ms", "drill-list");
    subject->row->target = target_list_ms;
    const char *const argv[] = {grading->program, "drill", "list", "--json", NULL};
    memcpy(subject->argv, argv, sizeof argv);
}

/* ---- laps ---- */

/* 0, or the exit status when the whole thing must end. */
static int run_subject(struct grading_bench *grading, struct subject *subject, bool measured)
{
    struct error err;
    double ms;
    int code;
    if (bench_run(&ms, &code, subject->argv, grading->home, &err))
        return app_fail(grading->app, &err);
    if (code == 128 + SIGINT) return EXIT_TROUBLE; /* Ctrl-C, which was meant for us too */
    if (code != EXIT_DONE) {
        bench_told(grading->app);
        (void)app_misuse(grading->app,
                         _("%s: exit status %d, so it is not measured; see lcx drill prove"),
                         subject->row->name, code);
        grading->wrong = subject->out = true;
    } else if (measured) {
        bench_add(subject->row, ms);
    }
    return EXIT_DONE;
}

static int run_laps(struct grading_bench *grading)
{
    const int all = (grading->runs + 1) * grading->n_subjects;
    const int64_t began = clock_steady_ns();
    int done = 0;
    for (int lap = 0; lap <= grading->runs; lap++)
        for (int i = 0; i < grading->n_subjects; i++) {
            struct subject *subject = &grading->subjects[i];
            const int status = subject->out ? EXIT_DONE : run_subject(grading, subject, lap > 0);
            if (status) return status;
            bench_tell(grading->app, ++done, all, began);
        }
    return EXIT_DONE;
}

/* ---- the sandbox over the bare process ---- */

static const char *const nothing[] = {"/usr/bin/true", NULL};

static enum status run_sandboxed(double *ms, struct error *err)
{
    struct sandbox sandbox;
    struct sandbox_report report;
    char *folder;
    const int64_t began = clock_steady_ns();
    enum status status = sandbox_folder_new(&folder, NULL, err);
    if (status) return status;
    const struct sandbox_request request = {
        .profile = &sandbox_profile_c, .argv = nothing, .folder = folder};
    status = sandbox_start(&sandbox, &request, err);
    if (!status) status = sandbox_finish(&sandbox, &report, err);
    if (!status) sandbox_report_done(&report);
    const enum status removed = sandbox_folder_remove(folder, status ? NULL : err);
    *ms = (double)(clock_steady_ns() - began) / 1e6;
    free(folder);
    return status ? status : removed;
}

/* What each run in the sandbox took over the median of the bare process, in turns. They are
 * short, so there are four times as many. */
static void measure_sandbox(struct grading_bench *grading)
{
    struct bench turns = {0};
    struct bench_row *bare = bench_row(&turns, "", "", "bare"),
                     *boxed = bench_row(&turns, "", "", "boxed");
    struct error err;
    double ms;
    int code;
    sandbox_init(grading->app->helpers);
    for (int turn = 0; turn <= 4 * grading->runs && turn < BENCH_RUNS_LIMIT; turn++) {
        if (run_sandboxed(&ms, &err)) {
            app_note(grading->app, _("the sandbox is not measured: %s"), err.message);
            return;
        }
        if (turn) bench_add(boxed, ms); /* the first finds out what the machine offers */
        if (bench_run(&ms, &code, nothing, grading->home, &err)) return;
        if (turn) bench_add(bare, ms);
    }
    struct bench_row *row = bench_row(&grading->bench, "overhead_ms", "ms", "sandbox/overhead");
    row->target = target_sandbox_ms;
    for (int i = 0; i < boxed->n; i++) bench_add(row, boxed->values[i] - bench_median(bare));
}

static void measure_machine(struct grading_bench *grading)
{
    struct machine machine;
    struct error err;
    if (machine_init(&machine, &err)) {
        app_note(grading->app, _("the machine's limits are not measured: %s"), err.message);
        return;
    }
    struct bench_row *bandwidth =
        bench_row(&grading->bench, "read_bandwidth", "gb_per_s", "machine");
    struct bench_row *peak = bench_row(&grading->bench, "f32_peak", "gflops", "machine");
    bandwidth->threads = peak->threads = grading->threads;
    for (int turn = 0; turn < grading->runs; turn++) {
        bench_add(bandwidth, machine_read_gb_per_s(&machine, grading->threads));
        bench_add(peak, machine_f32_gflops(grading->threads));
    }
    machine_done(&machine);
}

/* ---- a home of its own ---- */

/* The interpreter that the user chose is part of what is measured. */
static int prepare_home(struct grading_bench *grading)
{
    struct app *app = grading->app;
    struct progress *progress;
    struct error err;
    if (!app_cache(app)) {
        error_set(&err, STATUS_IO, _("bench: there is no folder for caches"));
        return app_fail(app, &err);
    }
    const ssize_t size = readlink("/proc/self/exe", grading->program, sizeof grading->program - 1);
    CHECK(size > 0);
    grading->folder = text_printf("%s/bench-%ld", app_cache(app), (long)getpid());
    grading->home = path_join(grading->folder, "home");
    if (folder_make(grading->home, 0700, &err)) return app_fail(app, &err);
    if (!app_python(app)) return EXIT_DONE;
    if (progress_open(&progress, grading->home, app->clock, &err)) return app_fail(app, &err);
    const enum status status = settings_set(progress, "python", app_python(app), &err);
    progress_close(progress);
    return status ? app_fail(app, &err) : EXIT_DONE;
}

static void remove_home(struct grading_bench *grading)
{
    struct error err;
    if (grading->folder && folder_remove(grading->folder, &err))
        app_note(grading->app, "%s", err.message);
    for (int i = 0; i < grading->n_subjects; i++) free(grading->subjects[i].source);
    free(grading->folder);
    free(grading->home);
}

static int measure(struct grading_bench *grading, const struct arguments *arguments)
{
    int status = app_has_progress(grading->app) ? app_open_progress(grading->app) : EXIT_DONE;
    if (!status) status = prepare_home(grading);
    if (!status) status = add_drills(grading, arguments);
    if (status) return status;
    add_list(grading);
    measure_machine(grading);
    status = run_laps(grading);
    if (!status) measure_sandbox(grading);
    return status;
}

int bench_grade(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    double runs, threads;
    int status;
    if (!arguments_read(&arguments, app, &usage_bench_grade, argc, argv, &status)) return status;
    if (!arguments_number(&arguments, app, "runs", 1, BENCH_RUNS_LIMIT, 5, &runs) ||
        !arguments_number(&arguments, app, "threads", 1, MACHINE_THREADS_LIMIT, 1, &threads))
        return EXIT_MISUSE;
    status = app_open_drills(app);
    if (status) return status;

    struct grading_bench *grading = memory_new(1, sizeof *grading);
    *grading = (struct grading_bench){
        .app = app, .bench.name = "grade", .runs = (int)runs, .threads = (int)threads};
    /* Ctrl-C ends what is being measured, and we tidy up after it. */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGINT, &ignore, &before);
    status = measure(grading, &arguments);
    bench_told(app);
    sigaction(SIGINT, &before, NULL);
    if (!status) bench_print(app, &grading->bench);
    if (!status && grading->wrong) status = EXIT_NO;
    remove_home(grading);
    free(grading);
    return status;
}
