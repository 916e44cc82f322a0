/* verb_bench.c -- lcx bench: how fast is it here, beside what the machine can do. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "table.h"
#include "verbs.h"

static const struct verb verbs[] = {
    {&usage_bench_grade, bench_grade},   {&usage_bench_kernels, bench_kernels},
    {&usage_bench_tensor, bench_tensor}, {&usage_bench_tokenizer, bench_tokenizer},
    {&usage_bench_train, bench_train},   {NULL, NULL},
};

const struct usage usage_bench = {
    .name = "bench",
    .arguments = "",
    .summary = N_("Measure: medians of several runs, and the machine's own limits"),
    .example = "lcx bench grade\nlcx bench grade 01 --json",
    .verbs = verbs,
};

int verb_bench(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_bench, argc, argv);
}

/* ---- rows ---- */

struct bench_row *bench_row(struct bench *bench, const char *metric, const char *unit,
                            const char *format, ...)
{
    CHECK(bench->n_rows < BENCH_ROWS_LIMIT);
    struct bench_row *row = &bench->rows[bench->n_rows++];
    *row = (struct bench_row){.metric = metric, .unit = unit, .threads = 1};
    va_list args;
    va_start(args, format);
    vsnprintf(row->name, sizeof row->name, format, args);
    va_end(args);
    return row;
}

void bench_add(struct bench_row *row, double value)
{
    CHECK(row->n < BENCH_RUNS_LIMIT);
    row->values[row->n++] = value;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The values in order, into `sorted`. */
static void sort_values(double sorted[BENCH_RUNS_LIMIT], const struct bench_row *row)
{
    memcpy(sorted, row->values, (size_t)row->n * sizeof *sorted);
    qsort(sorted, (size_t)row->n, sizeof *sorted, ascending);
}

double bench_median(const struct bench_row *row)
{
    double sorted[BENCH_RUNS_LIMIT];
    CHECK(row->n > 0);
    sort_values(sorted, row);
    return (sorted[(row->n - 1) / 2] + sorted[row->n / 2]) / 2;
}

static void print_row(const struct app *app, const struct bench *bench, const struct bench_row *row)
{
    app_json(app, json_pack("{s:s, s:s, s:s, s:f, s:s, s:i}", "bench", bench->name, "case",
                            row->name, "metric", row->metric, "value", bench_median(row), "unit",
                            row->unit, "threads", row->threads));
}

static int digits_of(double value) { return fabs(value) < 10 ? 2 : fabs(value) < 100 ? 1 : 0; }

/* Does the case alone say what was measured? */
static bool needs_metric(const struct bench *bench, const struct bench_row *row)
{
    for (int i = 0; i < bench->n_rows; i++)
        if (&bench->rows[i] != row && strcmp(bench->rows[i].name, row->name) == 0) return true;
    return strcmp(row->name, "machine") == 0;
}

static void add_row(struct table *table, const struct bench *bench, const struct bench_row *row)
{
    double sorted[BENCH_RUNS_LIMIT];
    const double median = bench_median(row);
    sort_values(sorted, row);
    const double least = sorted[0], greatest = sorted[row->n - 1];
    if (needs_metric(bench, row))
        table_format(table, STYLE_STRONG, "%s: %s", row->name, row->metric);
    else table_add(table, STYLE_STRONG, row->name);
    table_format(table, STYLE_STRONG, "%.*f %s", digits_of(median), median, row->unit);
    table_format(table, STYLE_DIM, "%.*f .. %.*f", digits_of(least), least, digits_of(greatest),
                 greatest);
    if (row->target <= 0) {
        table_add(table, STYLE_NONE, NULL);
        return;
    }
    const bool met = median <= row->target;
    table_format(table, met ? STYLE_GOOD : STYLE_BAD, "%.0f %s", row->target,
                 met ? _("met") : _("MISSED"));
}

void bench_print(const struct app *app, const struct bench *bench)
{
    struct table table;
    struct text out = {0};
    table_init(&table, 4);
    if (!app->json) {
        const char *const heads[] = {_("case"), _("median"), _("range"), _("at most")};
        for (int i = 0; i < 4; i++) table_add(&table, STYLE_DIM, heads[i]);
    }
    for (int i = 0; i < bench->n_rows; i++) {
        if (!bench->rows[i].n) continue;
        if (app->json) print_row(app, bench, &bench->rows[i]);
        else add_row(&table, bench, &bench->rows[i]);
    }
    if (!app->json) {
        table_print(&out, app, &table, 0);
        app_print(app, text_string(&out));
    }
    text_done(&out);
    table_done(&table);
}

/* ---- while it runs ---- */

static bool tells(const struct app *app)
{
    return app->err.is_terminal && !app->plain && !app->json;
}

void bench_tell(const struct app *app, int done, int all, int64_t began_ns)
{
    char left[24];
    if (!tells(app) || !done) return;
    const int64_t passed_ms = (clock_steady_ns() - began_ns) / 1000000;
    fputc('\r', stderr);
    fprintf(stderr, _("%d of %d, about %s left"), done, all,
            app_clock(left, passed_ms * (all - done) / done));
    fputs("\033[K", stderr);
    fflush(stderr);
}

void bench_told(const struct app *app)
{
    if (tells(app)) fputs("\r\033[K", stderr);
}

/* Our environment with another LCX_HOME; the strings are borrowed but for the first. */
static char **environment_with(const char *home)
{
    int n = 0, kept = 1;
    while (environ[n]) n++;
    char **environment = memory_new((size_t)n + 2, sizeof *environment);
    environment[0] = text_printf("LCX_HOME=%s", home);
    for (int i = 0; i < n; i++)
        if (!text_starts_with(environ[i], "LCX_HOME=")) environment[kept++] = environ[i];
    return environment;
}

enum status bench_run(double *ms, int *code, const char *const *argv, const char *home,
                      struct error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    pid_t pid;
    int state = 0;
    char **environment = environment_with(home);

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT); /* the caller may ignore it, to tidy up afterwards */
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

    const int64_t began = clock_steady_ns();
    const int failed =
        posix_spawn(&pid, argv[0], &actions, &attributes, (char *const *)argv, environment);
    while (!failed && waitpid(pid, &state, 0) < 0 && errno == EINTR) {}
    *ms = (double)(clock_steady_ns() - began) / 1e6;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(environment[0]);
    free(environment);
    if (failed) return error_set(err, STATUS_IO, "%s: %s", argv[0], strerror(failed));
    *code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
    return STATUS_OK;
}
