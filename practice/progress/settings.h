/* settings.h -- the few things a user chooses.
 *
 *   name                 value                                     default
 *   language             en | es                                   (from the environment)
 *   interview-date       YYYY-MM-DD                                (none)
 *   time-factor          0.02 .. 3, multiplies every clock         1
 *   python               absolute path of an interpreter           (found)
 *   editor               a command                                 ($EDITOR)
 *   daily-minutes        5 .. 600                                  60
 *   desired-retention    0.7 .. 0.97                               0.9
 *   weekly-sittings      0 .. 50, a goal for the week              5
 *   examiner-url         an OpenAI-compatible endpoint              (none: no examiner)
 *   examiner-model       its model's name                          (none)
 *   examiner-trusted     the model whose verdicts count            (none; set by lcx examiner trust)
 *
 * A value is checked when it is set, and again when it is read from an archive.
 * Tests: tests/progress/settings_test.c
 */
#ifndef PROGRESS_SETTINGS_H
#define PROGRESS_SETTINGS_H

#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"

enum { SETTING_VALUE_LIMIT = 4096 };

struct settings {
    char language[3];      /* "en", "es", or "" for the environment's */
    int64_t interview_day; /* day.h, DAY_NONE when not set */
    double time_factor;
    char *python;                                           /* "" when not set */
    char *editor;                                           /* "" when not set */
    char *examiner_url, *examiner_model, *examiner_trusted; /* "" when not set */
    int daily_minutes;
    double retention;
    int weekly_sittings;
};

/* Read all; what was never set has its default. settings_done() releases the strings. */
MUST_CHECK enum status settings_load(struct settings *settings, struct progress *progress,
                                     struct error *err);
void settings_done(struct settings *settings);

/* Set one by name ('_' is taken for '-'); "" goes back to the default. STATUS_USAGE with what would
 * be right: an unknown name, a value out of range, a date that does not exist or has passed, a
 * python that cannot be executed. */
MUST_CHECK enum status settings_set(struct progress *progress, const char *name, const char *value,
                                    struct error *err);

/* The names, in the order above, ending in NULL; and the value of one as text (the caller frees
 * it; "" when not set and there is no default; NULL for an unknown name). */
extern const char *const setting_names[];
char *settings_text(const struct settings *settings, const char *name);

/* The language that was set in the data of `folder`, "" when none was or nobody can tell. Reads this
 * one value and nothing else: no folder is made, nothing is migrated or settled. */
void settings_language(char language[3], const char *folder);

/* Only the form of a value: for what comes from another machine. */
MUST_CHECK enum status setting_check(const char *name, const char *value, struct error *err);

#endif
