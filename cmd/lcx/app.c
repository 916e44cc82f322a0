#include "app.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/markdown.h"
#include "progress/home.h"

/* ---- where things are ---- */

/* The folder of this program's file; the caller frees it. */
static char *program_folder(void)
{
    char path[PATH_MAX];
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0) return text_copy("");
    path[size] = '\0';
    return text_copy(dirname(path));
}

static void find_places(struct app *app)
{
    char *folder = program_folder();
    const bool at_home = strcmp(folder, LCX_BUILD_ROOT) == 0;
    const char *content = getenv("LCX_CONTENT");

    app->content = text_copy(content && *content ? content
                             : at_home           ? LCX_SOURCE_ROOT
                                                 : LCX_DATADIR);
    app->helpers = text_copy(at_home ? LCX_BUILD_ROOT "/practice/grader/harness" : LCX_LIBEXECDIR);
    app->catalogues = at_home ? path_join(LCX_BUILD_ROOT, "po") : text_copy(LCX_LOCALEDIR);
    free(folder);
}

bool app_has_progress(const struct app *app)
{
    char *path = path_join(app->data, "lynx-cortex.db");
    const bool there = file_exists(path);
    free(path);
    return there;
}

/* ---- beginning and end ---- */

void app_init(struct app *app, bool plain, bool json, const char *language)
{
    *app = (struct app){.plain = plain, .json = json, .clock = &clock_system};
    app->language_given = language != NULL;
    find_places(app);
    if (home_data_path(&app->data, NULL)) app->data = text_copy(""); /* who needs it says why */
    locale_init(language, app->catalogues);
    app->language = locale_language();
    app->out = terminal_of(STDOUT_FILENO, plain);
    if (!app->out.is_terminal) app->out.plain = true; /* a pipe gets what --plain gives */
    app->err = terminal_of(STDERR_FILENO, plain);
}

void app_done(struct app *app)
{
    if (app->progress) settings_done(&app->settings);
    progress_close(app->progress);
    labs_free(app->labs);
    if (app->drills_open) drills_done(&app->drills);
    free(app->content);
    free(app->helpers);
    free(app->catalogues);
    free(app->data);
    free(app->cache);
}

/* ---- opening ---- */

int app_open_progress(struct app *app)
{
    if (app->progress) return EXIT_DONE;
    struct error err;
    struct progress *progress;
    if (progress_open(&progress, NULL, app->clock, &err)) return app_fail(app, &err);
    if (settings_load(&app->settings, progress, &err)) {
        progress_close(progress);
        return app_fail(app, &err);
    }
    app->progress = progress;
    return EXIT_DONE;
}

const char *app_python(const struct app *app)
{
    return app->progress && *app->settings.python ? app->settings.python : NULL;
}

const char *app_cache(struct app *app)
{
    if (!app->cache && home_cache_folder(&app->cache, NULL)) app->cache = NULL;
    return app->cache;
}

static int no_content(const struct app *app, struct error *err)
{
    error_prefix(err, _("the lessons cannot be read (LCX_CONTENT says where they are)"));
    (void)app_fail(app, err);
    return EXIT_TROUBLE;
}

int app_open_labs(struct app *app)
{
    struct error err;
    if (!app->labs && labs_load(&app->labs, app->content, &err)) return no_content(app, &err);
    return EXIT_DONE;
}

int app_open_drills(struct app *app)
{
    if (app->drills_open) return EXIT_DONE;
    struct error err;
    char *folder = path_join(app->content, "labs");
    const enum status status = drills_load(&app->drills, folder, &err);
    free(folder);
    if (status) return no_content(app, &err);
    app->drills_open = true;
    return EXIT_DONE;
}

/* ---- what went wrong ---- */

static enum exit_status exit_status_of(enum status status)
{
    switch (status) {
    case STATUS_OK: return EXIT_DONE;
    case STATUS_USAGE:
    case STATUS_NOT_FOUND: return EXIT_MISUSE;
    case STATUS_LIMIT:
    case STATUS_CONFLICT: return EXIT_NO;
    case STATUS_FORMAT:
    case STATUS_IO:
    case STATUS_UNAVAILABLE: return EXIT_TROUBLE;
    }
    return EXIT_TROUBLE;
}

static void print_trouble(const struct app *app, const char *message)
{
    struct text clean = {0};
    terminal_clean(&clean, message, strlen(message));
    fflush(stdout);
    fprintf(stderr, "%slcx:%s %s\n", terminal_on(&app->err, STYLE_BAD),
            terminal_off(&app->err, STYLE_BAD), text_string(&clean));
    text_done(&clean);
}

int app_fail(const struct app *app, const struct error *err)
{
    print_trouble(app, err->message);
    return (int)exit_status_of(err->status);
}

int app_misuse(const struct app *app, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    print_trouble(app, message);
    return EXIT_MISUSE;
}

void app_note(const struct app *app, const char *format, ...)
{
    (void)app; /* standard error is not the answer: --json does not silence it */
    char note[2048];
    struct text clean = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(note, sizeof note, format, args);
    va_end(args);
    terminal_clean(&clean, note, strlen(note));
    fflush(stdout);
    fprintf(stderr, "%s\n", text_string(&clean));
    text_done(&clean);
}

/* ---- standard output ---- */

void app_json(const struct app *app, json_t *row)
{
    (void)app;
    char *line = json_line(row);
    json_decref(row);
    fputs(line, stdout);
    fputc('\n', stdout);
    free(line);
}

void app_print(const struct app *app, const char *text)
{
    (void)app;
    fputs(text, stdout);
}

char *app_clean(const char *name)
{
    struct text clean = {0};
    terminal_clean(&clean, name, strlen(name));
    text_add(&clean, "");
    for (char *c = clean.data; *c; c++)
        if (*c == '\n' || *c == '\t') *c = ' ';
    return text_take(&clean);
}

static int count_lines(const char *text)
{
    int lines = 0;
    for (; *text; text++) lines += *text == '\n';
    return lines;
}

/* Through the pager. False when it could not be started: nothing was shown then. */
static bool page_through(const char *pager, const char *text)
{
    setenv("LESS", "FRX", 0); /* stay on the page, keep colours; leave when it fits */
    setenv("LESSCHARSET", "utf-8", 0);
    fflush(stdout);
    void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* the reader may leave early */
    FILE *pipe = popen(pager, "w");
    bool shown = false;
    if (pipe) {
        fputs(text, pipe);
        const int status = pclose(pipe);
        shown = status != -1 && !(WIFEXITED(status) && WEXITSTATUS(status) >= 126);
    }
    signal(SIGPIPE, before);
    return shown;
}

void app_page(const struct app *app, const char *text)
{
    const char *pager = getenv("PAGER");
    if (!pager) pager = "less";
    const bool wanted = app->out.is_terminal && !app->plain && !app->json && *pager &&
                        strcmp(pager, "cat") != 0 && isatty(STDIN_FILENO) &&
                        count_lines(text) >= app->out.rows;
    if (!wanted || !page_through(pager, text)) app_print(app, text);
}

void app_paragraph(const struct app *app, struct text *out, int indent, const char *text)
{
    char *margin = text_printf("%*s", indent, "");
    terminal_wrap(out, text, app->out.width, margin, margin, false);
    free(margin);
}

void app_heading(const struct app *app, struct text *out, const char *heading)
{
    if (out->size) text_add_char(out, '\n');
    terminal_paint(out, &app->out, STYLE_STRONG, heading);
    text_add(out, "\n\n");
}

void app_command(const struct app *app, struct text *out, const char *command)
{
    text_format(out, "    %s%s%s\n", terminal_on(&app->out, STYLE_CODE), command,
                terminal_off(&app->out, STYLE_CODE));
}

enum status app_markdown(const struct app *app, struct text *out, const char *path,
                         struct error *err)
{
    struct text source = {0};
    enum status status = file_read(&source, path, MARKDOWN_SIZE_LIMIT, err);
    if (!status) status = markdown_render(out, text_string(&source), source.size, &app->out, err);
    text_done(&source);
    return status;
}

const char *app_clock(char out[24], int64_t ms)
{
    const int64_t seconds = (ms > 0 ? ms : 0) / 1000;
    const int hours = (int)(seconds / 3600), minutes = (int)(seconds / 60 % 60);
    if (hours) snprintf(out, 24, "%d:%02d:%02d", hours, minutes, (int)(seconds % 60));
    else snprintf(out, 24, "%d:%02d", minutes, (int)(seconds % 60));
    return out;
}

const char *app_moment(char out[24], int64_t ms)
{
    struct tm local;
    const time_t seconds = (time_t)(ms / 1000);
    if (!localtime_r(&seconds, &local) || !strftime(out, 24, "%Y-%m-%d %H:%M:%S", &local)) *out = 0;
    return out;
}

bool app_confirm(const struct app *app, const char *question)
{
    if (!app->err.is_terminal || !isatty(STDIN_FILENO)) return false;
    fflush(stdout);
    fprintf(stderr, "%s ", question);
    fflush(stderr);
    char answer[16] = "";
    if (!fgets(answer, sizeof answer, stdin)) return false;
    return strchr("ysYS", answer[0]) && answer[0]; /* yes, sí */
}

/* ---- what was probably meant ---- */

enum { NEAREST_WORD = 32 };

/* How many letters must be changed, added, dropped or swapped with a neighbour. */
static int distance(const char *a, const char *b)
{
    const int n = (int)strlen(a), m = (int)strlen(b);
    int d[NEAREST_WORD + 1][NEAREST_WORD + 1];
    if (n > NEAREST_WORD || m > NEAREST_WORD) return INT_MAX;
    for (int i = 0; i <= n; i++) d[i][0] = i;
    for (int j = 0; j <= m; j++) d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[n][m];
}

const char *app_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    int least = INT_MAX;
    for (int i = 0; names[i]; i++) {
        const int d =
            text_starts_with(names[i], word) && strlen(word) > 1 ? 1 : distance(word, names[i]);
        if (d < least) {
            least = d;
            nearest = names[i];
        }
    }
    const int tolerated = strlen(word) <= 3 ? 1 : 2;
    return least <= tolerated ? nearest : NULL;
}
