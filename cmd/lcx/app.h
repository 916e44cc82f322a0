/* app.h -- what every verb is given: the user's wishes, the screen, and where things are.
 *
 *   main.c finds the verb and reads the options that all verbs share;
 *   a verb reads its own (arguments.h), opens what it needs, prints, returns its exit status.
 *
 * Nothing is read before it is needed: `lcx help` opens no database and no content.
 *
 * Exit status: 0 done or yes; 1 an answer of no; 2 wrong use; 3 the world or we failed.
 * Standard output holds the answer (with --json one object a line and nothing else),
 * standard error what went wrong, as `lcx: what: why`.
 *
 * Tests: tests/cli/
 */
#ifndef LCX_APP_H
#define LCX_APP_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/locale.h"
#include "base/terminal.h"
#include "base/text.h"
#include "content/drill.h"
#include "content/lab.h"
#include "progress/progress.h"
#include "progress/settings.h"

enum exit_status { EXIT_DONE = 0, EXIT_NO = 1, EXIT_MISUSE = 2, EXIT_TROUBLE = 3 };

struct app {
    const char *language; /* "en" or "es" */
    bool json;            /* JSON Lines on standard output, nothing else */
    bool plain;
    bool unsafe;         /* --unsafe: grade without namespaces and Landlock */
    bool help;           /* --help was given: arguments_read() answers it */
    bool language_given; /* --lang was given: it goes before the setting */
    struct terminal out; /* standard output */
    struct terminal err; /* standard error */
    const struct clock *clock;

    /* Where things are. Never NULL; whether they exist is for the one who opens them. */
    char *content;    /* holds labs/ and content/ */
    char *helpers;    /* holds what the sandbox and the graders execute */
    char *catalogues; /* messages in other languages */
    char *data;       /* the user's folder, not made yet */

    /* Opened on first use; NULL or empty before. Owned here. */
    char *cache;
    struct progress *progress;
    struct settings settings; /* loaded with `progress` */
    struct labs *labs;
    struct drills drills;
    bool drills_open;
};

/* Open the user's database and settings, the labs, the drills. 0, or the exit status after
 * the reason was printed. Calling again costs nothing. */
MUST_CHECK int app_open_progress(struct app *app);
MUST_CHECK int app_open_labs(struct app *app);
MUST_CHECK int app_open_drills(struct app *app);

/* The interpreter that the user configured, NULL when none. Needs app_open_progress(). */
const char *app_python(const struct app *app);

/* The folder for what need not be found out twice; NULL when it cannot be made. */
const char *app_cache(struct app *app);

/* True when a database is there already; looks without making anything. */
bool app_has_progress(const struct app *app);

/* Print `lcx: message` on standard error and give the exit status that fits it. */
int app_fail(const struct app *app, const struct error *err);

/* The same for wrong use, with a format; the status is EXIT_MISUSE. */
int app_misuse(const struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);

/* A note on standard error, in a line of its own. */
void app_note(const struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- standard output ---- */

/* Print one JSON object on a line and release it. */
void app_json(const struct app *app, json_t *row);

/* Print text as it is; app_page() gives it to $PAGER when it is longer than the screen. */
void app_print(const struct app *app, const char *text);
void app_page(const struct app *app, const char *text);

/* A name that somebody else chose, as it may stand in a line: nothing in it moves the cursor, breaks
 * the line or reorders it. The caller frees it. Every path that is printed goes through here; notes
 * and failures do so by themselves. */
char *app_clean(const char *name);

/* Append a paragraph wrapped to the screen, indented by so many spaces. */
void app_paragraph(const struct app *app, struct text *out, int indent, const char *text);

/* Append a heading and its empty line. */
void app_heading(const struct app *app, struct text *out, const char *heading);

/* Append a command that the reader may type. */
void app_command(const struct app *app, struct text *out, const char *command);

/* Append Markdown for this screen. */
MUST_CHECK enum status app_markdown(const struct app *app, struct text *out, const char *path,
                                    struct error *err);

/* "12:31", "1:02:00" from milliseconds, rounded down, into `out`; returns `out`. */
const char *app_clock(char out[24], int64_t ms);

/* "2026-11-23 21:04:05" here, from wall time, into `out`; returns `out`. */
const char *app_moment(char out[24], int64_t ms);

/* Ask on the terminal; false when nobody can answer. */
bool app_confirm(const struct app *app, const char *question);

/* The one of the names (ending in NULL) that was probably meant; NULL when none is close. */
const char *app_nearest(const char *word, const char *const *names);

/* main.c: find out who we are; release everything. */
void app_init(struct app *app, bool plain, bool json, const char *language);
void app_done(struct app *app);

#endif
