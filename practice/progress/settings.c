#include "progress/settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fetch.h"
#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"
#include "progress/day.h"
#include "progress/progress_internal.h"
#include "store/query.h"

const char *const setting_names[] = {
    "language",     "interview-date", "time-factor",       "python",
    "editor",       "daily-minutes",  "desired-retention", "weekly-sittings",
    "examiner-url", "examiner-model", "examiner-trusted",  NULL,
};

static enum status whole_number(const char *name, const char *value, int low, int high, int *out,
                                struct error *err)
{
    char *end;
    errno = 0;
    const long number = strtol(value, &end, 10);
    if (errno || end == value || *end || number < low || number > high)
        return error_set(err, STATUS_USAGE, _("%s: '%s' is not a whole number from %d to %d"), name,
                         value, low, high);
    *out = (int)number;
    return STATUS_OK;
}

static enum status real_number(const char *name, const char *value, double low, double high,
                               double *out, struct error *err)
{
    char *end;
    /* digits and a point only: no "inf", no hexadecimal */
    const bool plain = *value && strspn(value, "0123456789.") == strlen(value);
    const double number = plain ? strtod(value, &end) : NAN;
    if (!plain || *end || !(number >= low && number <= high))
        return error_set(err, STATUS_USAGE, _("%s: '%s' is not a number from %g to %g"), name,
                         value, low, high);
    *out = number;
    return STATUS_OK;
}

static enum status take(struct settings *settings, const char *name, const char *value,
                        struct error *err)
{
    if (strlen(value) > SETTING_VALUE_LIMIT || value[strcspn(value, "\n\r")] != '\0' ||
        text_utf8_valid(value, strlen(value)) != strlen(value))
        return error_set(err, STATUS_USAGE,
                         _("%s: the value must be one line of text, %d bytes at "
                           "most"),
                         name, SETTING_VALUE_LIMIT);

    if (strcmp(name, "language") == 0) {
        if (strcmp(value, "en") != 0 && strcmp(value, "es") != 0)
            return error_set(err, STATUS_USAGE, _("%s: '%s' is neither en nor es"), name, value);
        memcpy(settings->language, value, sizeof settings->language);
        return STATUS_OK;
    }
    if (strcmp(name, "interview-date") == 0) {
        if (!day_parse(value, &settings->interview_day))
            return error_set(err, STATUS_USAGE,
                             _("%s: '%s' is not a date like 2026-12-01 that exists"), name, value);
        return STATUS_OK;
    }
    if (strcmp(name, "time-factor") == 0)
        return real_number(name, value, 0.02, 3.0, &settings->time_factor, err);
    if (strcmp(name, "python") == 0) {
        if (value[0] != '/')
            return error_set(err, STATUS_USAGE,
                             _("%s: '%s' is not an absolute path, such as /usr/bin/python3"), name,
                             value);
        free(settings->python);
        settings->python = text_copy(value);
        return STATUS_OK;
    }
    if (strcmp(name, "editor") == 0) {
        free(settings->editor);
        settings->editor = text_copy(value);
        return STATUS_OK;
    }
    if (strcmp(name, "daily-minutes") == 0)
        return whole_number(name, value, 5, 600, &settings->daily_minutes, err);
    if (strcmp(name, "desired-retention") == 0)
        return real_number(name, value, 0.7, 0.97, &settings->retention, err);
    if (strcmp(name, "weekly-sittings") == 0)
        return whole_number(name, value, 0, 50, &settings->weekly_sittings, err);

    if (strcmp(name, "examiner-url") == 0) {
        if (!fetch_allowed(value))
            return error_set(err, STATUS_USAGE,
                             _("%s: '%s' is neither https:// nor http:// on this machine, such as "
                               "http://127.0.0.1:8080/v1"),
                             name, value);
        free(settings->examiner_url);
        settings->examiner_url = text_copy(value);
        return STATUS_OK;
    }
    if (strcmp(name, "examiner-model") == 0) {
        free(settings->examiner_model);
        settings->examiner_model = text_copy(value);
        return STATUS_OK;
    }
    if (strcmp(name, "examiner-trusted") == 0) {
        free(settings->examiner_trusted);
        settings->examiner_trusted = text_copy(value);
        return STATUS_OK;
    }

    struct text known = {0};
    for (int i = 0; setting_names[i]; i++)
        text_format(&known, "%s%s", i ? ", " : "", setting_names[i]);
    error_set(err, STATUS_USAGE, _("%s: there is no such setting; there are: %s"), name,
              text_string(&known));
    text_done(&known);
    return STATUS_USAGE;
}

static void defaults(struct settings *settings)
{
    *settings = (struct settings){
        .interview_day = DAY_NONE,
        .time_factor = 1.0,
        .python = text_copy(""),
        .editor = text_copy(""),
        .examiner_url = text_copy(""),
        .examiner_model = text_copy(""),
        .examiner_trusted = text_copy(""),
        .daily_minutes = 60,
        .retention = 0.9,
        .weekly_sittings = 5,
    };
}

void settings_done(struct settings *settings)
{
    free(settings->python);
    free(settings->editor);
    free(settings->examiner_url);
    free(settings->examiner_model);
    free(settings->examiner_trusted);
    *settings = (struct settings){0};
}

enum status setting_check(const char *name, const char *value, struct error *err)
{
    struct settings scratch;
    defaults(&scratch);
    const enum status status = take(&scratch, name, value, err);
    settings_done(&scratch);
    return status;
}

enum status settings_load(struct settings *settings, struct progress *progress, struct error *err)
{
    struct settings loaded;
    enum status status = STATUS_OK;
    struct query query;

    *settings = (struct settings){0};
    defaults(&loaded);
    query_open(&query, progress->database, "SELECT name, value FROM setting");
    while (!status && query_row(&query))
        status = take(&loaded, query_text(&query, 0), query_text(&query, 1), err);
    const enum status read = query_done(&query, status ? NULL : err);
    if (!status) status = read;
    if (status) settings_done(&loaded);
    else *settings = loaded;
    return status;
}

void settings_language(char language[3], const char *folder)
{
    struct database *database;
    struct query query;
    char *path = path_join(folder, "lynx-cortex.db");
    language[0] = '\0';
    if (database_open_to_read(&database, path, progress_database_schema(), NULL) == STATUS_OK) {
        query_open(&query, database, "SELECT value FROM setting WHERE name = 'language'");
        if (query_row(&query) &&
            setting_check("language", query_text(&query, 0), NULL) == STATUS_OK)
            memcpy(language, query_text(&query, 0), 3);
        if (query_done(&query, NULL)) language[0] = '\0';
        database_close(database);
    }
    free(path);
}

/* What only this machine, today, can say. */
static enum status check_here(const struct progress *progress, const char *name, const char *value,
                              struct error *err)
{
    if (strcmp(name, "interview-date") == 0) {
        int64_t day;
        char today[16];
        const int64_t now = day_of(progress_now(progress));
        if (day_parse(value, &day) && day < now)
            return error_set(err, STATUS_USAGE, _("%s: %s has passed (today is %s)"), name, value,
                             day_text(today, now));
    }
    if (strcmp(name, "python") == 0) {
        struct stat info;
        if (stat(value, &info) != 0)
            return error_set_errno(err, STATUS_USAGE, "%s: %s", name, value);
        if (!S_ISREG(info.st_mode) || access(value, X_OK) != 0)
            return error_set(err, STATUS_USAGE, _("%s: %s is not a program that can be run"), name,
                             value);
    }
    return STATUS_OK;
}

enum status settings_set(struct progress *progress, const char *name, const char *value,
                         struct error *err)
{
    char *known = text_copy(name);
    for (char *c = known; *c; c++)
        if (*c == '_') *c = '-';

    /* An unknown name is an unknown name, with a value or without. */
    bool exists = false;
    for (int i = 0; setting_names[i]; i++) exists = exists || strcmp(known, setting_names[i]) == 0;

    enum status status = STATUS_OK;
    if (*value || !exists) status = setting_check(known, value, err);
    if (!status && *value) status = check_here(progress, known, value, err);
    if (!status) {
        struct query query;
        query_open(&query, progress->database,
                   *value ? "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
                          : "DELETE FROM setting WHERE name = ?1");
        query_bind_text(&query, 1, known);
        if (*value) query_bind_text(&query, 2, value);
        status = query_run(&query, err);
    }
    free(known);
    return status;
}

char *settings_text(const struct settings *settings, const char *name)
{
    char day[16];
    if (strcmp(name, "language") == 0) return text_copy(settings->language);
    if (strcmp(name, "interview-date") == 0)
        return text_copy(day_text(day, settings->interview_day));
    if (strcmp(name, "time-factor") == 0) return text_printf("%g", settings->time_factor);
    if (strcmp(name, "python") == 0) return text_copy(settings->python);
    if (strcmp(name, "editor") == 0) return text_copy(settings->editor);
    if (strcmp(name, "daily-minutes") == 0) return text_printf("%d", settings->daily_minutes);
    if (strcmp(name, "desired-retention") == 0) return text_printf("%g", settings->retention);
    if (strcmp(name, "weekly-sittings") == 0) return text_printf("%d", settings->weekly_sittings);
    if (strcmp(name, "examiner-url") == 0) return text_copy(settings->examiner_url);
    if (strcmp(name, "examiner-model") == 0) return text_copy(settings->examiner_model);
    if (strcmp(name, "examiner-trusted") == 0) return text_copy(settings->examiner_trusted);
    return NULL;
}
