/* archive_import.c -- reading an archive, of which nothing is believed. */
#include "progress/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "progress/archive_internal.h"
#include "progress/attempt.h"
#include "progress/progress_internal.h"
#include "progress/review.h"
#include "progress/settings.h"
#include "store/query.h"

/* ---- reading: everything into a temporary table first ---- */

struct reader {
    struct progress *progress;
    const char *name; /* of the archive, for messages */
    int fd;
};

static struct archive *open_archive(const struct reader *reader, bool raw, struct error *err)
{
    struct archive *archive = archive_read_new();
    CHECK(archive);
    archive_read_support_filter_gzip(archive);
    if (raw) archive_read_support_format_raw(archive);
    else archive_read_support_format_tar(archive);
    if (lseek(reader->fd, 0, SEEK_SET) == 0 &&
        archive_read_open_fd(archive, reader->fd, 65536) == ARCHIVE_OK)
        return archive;
    const char *why = archive_error_string(archive);
    error_set(err, STATUS_FORMAT, _("%s: not an archive: %s"), reader->name, why ? why : "?");
    archive_read_free(archive);
    return NULL;
}

static enum status broken(const struct reader *reader, struct archive *archive, struct error *err)
{
    const char *why = archive_error_string(archive);
    return error_set(err, STATUS_FORMAT, _("%s: damaged or cut short: %s"), reader->name,
                     why ? why : "?");
}

/* Unpack to nowhere: the end is there, and it is not larger than it may be. A tar reader stops at
 * the tar's own end and would not see that bytes are missing after it. */
static enum status check_stream(const struct reader *reader, struct error *err)
{
    struct archive *archive = open_archive(reader, true, err);
    if (!archive) return STATUS_FORMAT;

    struct archive_entry *entry;
    enum status status = STATUS_OK;
    int64_t total = 0;
    const int opened = archive_read_next_header(archive, &entry);
    if (opened != ARCHIVE_OK)
        status = opened == ARCHIVE_EOF
                     ? error_set(err, STATUS_FORMAT, _("%s: it is empty"), reader->name)
                     : broken(reader, archive, err);
    while (!status) {
        char buffer[65536];
        const la_ssize_t n = archive_read_data(archive, buffer, sizeof buffer);
        if (n == 0) break;
        if (n < 0) status = broken(reader, archive, err);
        else total += n;
        if (total > ARCHIVE_SIZE_LIMIT + (ARCHIVE_SIZE_LIMIT >> 2)) /* tar adds its own blocks */
            status = error_set(err, STATUS_LIMIT, _("%s: unpacks to more than %lld bytes"),
                               reader->name, (long long)ARCHIVE_SIZE_LIMIT);
    }
    archive_read_free(archive);
    return status;
}

/* How large a file of this name may be; -1: no such name in an archive of ours. */
static int64_t size_limit_of(const char *name)
{
    char id[ID_SIZE];
    int at = 0;
    if (strcmp(name, "manifest.json") == 0) return ARCHIVE_LINES_LIMIT;
    if (strcmp(name, "settings.json") == 0) return 1 << 20;
    for (int t = 0; t < N_TABLES; t++)
        if (strcmp(name, archive_tables[t].file) == 0) return ARCHIVE_LINES_LIMIT;
    if (archive_folder_of(name) >= 0) return ARCHIVE_FILE_LIMIT;
    if (sscanf(name, "attempts/%36[a-f0-9-]/%n", id, &at) != 1 || at == 0 || !progress_id_valid(id))
        return -1;
    if (strcmp(name + at, "result.json") == 0) return ATTEMPT_RESULT_LIMIT;
    if (strcmp(name + at, "solution.c") == 0 || strcmp(name + at, "solution.py") == 0)
        return ATTEMPT_SOURCE_LIMIT;
    return -1;
}

static enum status read_bytes(struct text *out, const struct reader *reader,
                              struct archive *archive, const char *name, int64_t limit,
                              struct error *err)
{
    for (;;) {
        char buffer[65536];
        const la_ssize_t n = archive_read_data(archive, buffer, sizeof buffer);
        if (n == 0) return STATUS_OK;
        if (n < 0) return broken(reader, archive, err);
        text_add_bytes(out, buffer, (size_t)n);
        if ((int64_t)out->size > limit)
            return error_set(err, STATUS_LIMIT, _("%s: %s is larger than %lld bytes"), reader->name,
                             name, (long long)limit);
    }
}

/* "stories", "stories/" */
static bool is_folder(const char *name)
{
    for (int f = 0; f < N_FOLDERS; f++) {
        const size_t size = strlen(archive_folders[f]);
        if (strncmp(name, archive_folders[f], size) == 0 &&
            (name[size] == '\0' || strcmp(name + size, "/") == 0))
            return true;
    }
    return false;
}

/* One entry into the temporary table. */
static enum status stage_entry(const struct reader *reader, struct archive *archive,
                               struct archive_entry *entry, int64_t *total, struct error *err)
{
    const char *name = archive_entry_pathname(entry);
    if (!name) return error_set(err, STATUS_FORMAT, _("%s: an entry without a name"), reader->name);
    while (text_starts_with(name, "./")) name += 2; /* as tar itself writes them */

    const bool linked = archive_entry_hardlink(entry) || archive_entry_symlink(entry);
    if (archive_entry_filetype(entry) == AE_IFDIR && !linked) {
        const bool known = *name == '\0' || strcmp(name, "attempts") == 0 || is_folder(name) ||
                           (text_starts_with(name, "attempts/") && !strstr(name, ".."));
        if (known) return STATUS_OK; /* a folder by itself holds nothing */
    }
    const int64_t limit = size_limit_of(name);
    if (limit < 0 || linked || archive_entry_filetype(entry) != AE_IFREG)
        return error_set(err, STATUS_FORMAT,
                         _("%s: '%.80s' has no place in an archive of lynx-cortex"), reader->name,
                         name);
    if (archive_entry_size_is_set(entry) && archive_entry_size(entry) > limit)
        return error_set(err, STATUS_LIMIT, _("%s: %s is larger than %lld bytes"), reader->name,
                         name, (long long)limit);

    struct text bytes = {0};
    enum status status = read_bytes(&bytes, reader, archive, name, limit, err);
    *total += (int64_t)bytes.size;
    if (!status && *total > ARCHIVE_SIZE_LIMIT)
        status = error_set(err, STATUS_LIMIT, _("%s: unpacks to more than %lld bytes"),
                           reader->name, (long long)ARCHIVE_SIZE_LIMIT);
    if (!status) {
        struct query query;
        query_open(&query, reader->progress->database,
                   "INSERT INTO temp.incoming (name, bytes) VALUES (?1, ?2)");
        query_bind_text(&query, 1, name);
        query_bind_bytes(&query, 2, text_string(&bytes), bytes.size);
        status = query_run(&query, err);
        if (status == STATUS_CONFLICT)
            status = error_set(err, STATUS_FORMAT, _("%s: %s is in it twice"), reader->name, name);
    }
    text_done(&bytes);
    return status;
}

static enum status stage(const struct reader *reader, struct error *err)
{
    struct archive *archive = open_archive(reader, false, err);
    if (!archive) return STATUS_FORMAT;

    enum status status = STATUS_OK;
    int64_t total = 0;
    while (!status) {
        struct archive_entry *entry;
        const int result = archive_read_next_header(archive, &entry);
        if (result == ARCHIVE_EOF) break;
        status = result == ARCHIVE_OK ? stage_entry(reader, archive, entry, &total, err)
                                      : broken(reader, archive, err);
    }
    archive_read_free(archive);
    return status;
}

/* The staged bytes of `name`. *found tells; `out` is empty when there are none. */
static enum status staged(struct text *out, bool *found, const struct reader *reader,
                          const char *name, struct error *err)
{
    struct query query;
    query_open(&query, reader->progress->database,
               "SELECT bytes FROM temp.incoming WHERE name = ?1");
    query_bind_text(&query, 1, name);
    *found = query_row(&query);
    if (*found) {
        size_t size;
        const void *bytes = query_bytes(&query, 0, &size);
        text_add_bytes(out, bytes ? bytes : "", size);
    }
    return query_done(&query, err);
}

static enum status missing(const struct reader *reader, const char *name, struct error *err)
{
    return error_set(err, STATUS_FORMAT, _("%s: %s is missing from it"), reader->name, name);
}

static enum status staged_object(json_t **out, const struct reader *reader, const char *name,
                                 struct error *err)
{
    struct text bytes = {0};
    bool found;
    *out = NULL;
    enum status status = staged(&bytes, &found, reader, name, err);
    if (!status && !found) status = missing(reader, name, err);
    if (!status) {
        status = json_parse(out, text_string(&bytes), bytes.size, err);
        if (!status && !json_is_object(*out))
            status = error_set(err, STATUS_FORMAT, "JSON: not an object");
        if (status) error_prefix(err, "%s: %s", reader->name, name);
    }
    text_done(&bytes);
    if (status) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

/* ---- the manifest ---- */

static enum status check_files(const struct reader *reader, const json_t *files, struct error *err)
{
    enum status status = STATUS_OK;
    size_t n = 0;
    struct query query;

    query_open(&query, reader->progress->database, "SELECT name, bytes FROM temp.incoming");
    while (!status && query_row(&query)) {
        const char *name = query_text(&query, 0);
        if (strcmp(name, "manifest.json") == 0) continue;
        size_t size;
        char hash[17];
        const void *bytes = query_bytes(&query, 1, &size);
        archive_hash(hash, bytes ? bytes : "", size);
        const json_t *file = json_object_get(files, name);
        const json_t *declared = json_object_get(file, "size");
        const char *sum = json_string_value(json_object_get(file, "xxh64"));
        n++;
        if (!json_is_integer(declared) || json_integer_value(declared) != (json_int_t)size ||
            !sum || strcmp(sum, hash) != 0)
            status = error_set(err, STATUS_FORMAT, _("%s: %s is not what its manifest says"),
                               reader->name, name);
    }
    const enum status read = query_done(&query, status ? NULL : err);
    if (status || read) return status ? status : read;
    if (n != json_object_size(files))
        return error_set(err, STATUS_FORMAT, _("%s: %zu files, its manifest lists %zu"),
                         reader->name, n, json_object_size(files));
    return STATUS_OK;
}

/* The counts of a format version: those and no others. */
static bool read_counts(struct archive_counts *counts, const json_t *object, int form)
{
    size_t n = 0;
    for (int i = 0; i < N_COUNTERS; i++) {
        if (archive_counters[i].since > form) continue;
        const json_t *value = json_object_get(object, archive_counters[i].name);
        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            json_integer_value(value) > INT_MAX)
            return false;
        *archive_counted(counts, &archive_counters[i]) = (int)json_integer_value(value);
        n++;
    }
    return json_object_size(object) == n;
}

static enum status check_manifest(const struct reader *reader, struct archive_counts *counts,
                                  int *form_out, struct error *err)
{
    json_t *manifest, *files, *numbers;
    const char *format, *application, *created;
    int version, form;
    json_error_t why;
    enum status status = staged_object(&manifest, reader, "manifest.json", err);
    if (status) return status;

    if (json_unpack_ex(manifest, &why, JSON_STRICT, "{s:s, s:i, s:i, s:s, s:s, s:o, s:o}", "format",
                       &format, "version", &form, "schema", &version, "application", &application,
                       "created", &created, "counts", &numbers, "files", &files) != 0 ||
        strcmp(format, ARCHIVE_FORMAT) != 0 || !json_is_object(files) || version < 1 || form < 1)
        status = error_set(err, STATUS_FORMAT, _("%s: manifest.json: not one of lynx-cortex"),
                           reader->name);
    else if (form > ARCHIVE_FORMAT_VERSION || version > progress_schema())
        status = error_set(err, STATUS_UNAVAILABLE,
                           _("%s: written by a newer lcx (schema %d, this one knows %d): install "
                             "lcx >= %.40s"),
                           reader->name, version, progress_schema(), application);
    else if (!read_counts(counts, numbers, form))
        status = error_set(err, STATUS_FORMAT, _("%s: manifest.json: not one of lynx-cortex"),
                           reader->name);
    else status = check_files(reader, files, err);
    if (!status) *form_out = form;
    json_decref(manifest);
    return status;
}

/* ---- rows ---- */

static bool bind_field(struct query *query, int parameter, const struct archive_field *field,
                       const json_t *value)
{
    if (json_is_null(value)) {
        query_bind_null(query, parameter);
        return field->may_be_null;
    }
    char *line;
    switch (field->type) {
    case FIELD_TEXT:
        if (!json_is_string(value)) return false;
        query_bind_text(query, parameter, json_string_value(value));
        return true;
    case FIELD_INT:
        if (!json_is_integer(value)) return false;
        query_bind_int(query, parameter, json_integer_value(value));
        return true;
    case FIELD_REAL:
        if (!json_is_number(value)) return false;
        query_bind_real(query, parameter, json_number_value(value));
        return true;
    case FIELD_BOOL:
        if (!json_is_boolean(value)) return false;
        query_bind_int(query, parameter, json_is_true(value));
        return true;
    case FIELD_JSON:
        if (!json_is_array(value)) return false;
        line = json_line(value);
        query_bind_text(query, parameter, line);
        free(line);
        return true;
    }
    return false;
}

static const char *string_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text ? text : "";
}

static int64_t int_of(const json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

/* A clock that adds up: what the table cannot say about a sitting. */
static bool sitting_adds_up(const json_t *row)
{
    int64_t pauses_ms;
    char *pauses = json_line(json_object_get(row, "pauses"));
    const bool parsed = sitting_pauses_parse(pauses, &pauses_ms);
    free(pauses);
    const double factor = json_number_value(json_object_get(row, "time_factor"));
    const int64_t minutes = int_of(row, "minutes");
    if (!parsed || !(factor >= 0.02 && factor <= 3.0) || minutes < 1 || minutes > 600) return false;
    const int64_t budget = llround((double)minutes * 60000.0 * factor);
    /* compared by subtraction: the sum of hostile numbers could overflow */
    const int64_t started = int_of(row, "started_ms"), deadline = int_of(row, "deadline_ms");
    return started >= 0 && deadline >= started && deadline - started == budget + pauses_ms;
}

/* The attempt's source and result, into the parameters after its fields. */
static enum status bind_bodies(struct query *query, const struct reader *reader, const json_t *row,
                               struct error *err)
{
    const char *id = string_of(row, "id");
    struct text source = {0}, result = {0};
    char *source_name =
        text_printf("attempts/%s/solution.%s", id, archive_extension(string_of(row, "lane")));
    char *result_name = text_printf("attempts/%s/result.json", id);
    bool has_source = false, has_result = false;
    const bool graded = !json_is_null(json_object_get(row, "verdict"));

    enum status status = staged(&source, &has_source, reader, source_name, err);
    if (!status && !has_source) status = missing(reader, source_name, err);
    if (!status) status = staged(&result, &has_result, reader, result_name, err);
    if (!status && graded != has_result)
        status = error_set(err, STATUS_FORMAT,
                           _("attempt %s: its verdict and its result.json do not "
                             "go together"),
                           id);
    if (!status && has_result) {
        json_t *parsed;
        status = json_parse(&parsed, text_string(&result), result.size, err);
        if (status) error_prefix(err, "%s", result_name);
        json_decref(parsed);
    }
    if (!status) {
        query_bind_bytes(query, archive_tables[TABLE_ATTEMPTS].n_fields + 1, text_string(&source),
                         source.size);
        query_bind_text(query, archive_tables[TABLE_ATTEMPTS].n_fields + 2,
                        has_result ? text_string(&result) : NULL);
    }
    free(source_name);
    free(result_name);
    text_done(&source);
    text_done(&result);
    return status;
}

/* Each id once: a second line with it would be dropped as if it had existed. */
static enum status note_id(const struct reader *reader, const struct archive_table *table,
                           const char *id, struct error *err)
{
    struct query query;
    query_open(&query, reader->progress->database,
               "INSERT INTO temp.incoming_id (file, id) VALUES (?1, ?2)");
    query_bind_text(&query, 1, table->file);
    query_bind_text(&query, 2, id);
    const enum status status = query_run(&query, err);
    return status == STATUS_CONFLICT
               ? error_set(err, STATUS_FORMAT, _("id %.40s is in it twice"), id)
               : status;
}

/* What was found, and what the candidate said to it, are objects. */
static enum status check_answer(const json_t *row, struct error *err)
{
    static const char *const names[] = {"result", "confirmed"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = json_string_value(json_object_get(row, names[i]));
        json_t *value = NULL;
        if (!text) continue;
        enum status status = json_parse(&value, text, strlen(text), err);
        if (!status && !json_is_object(value))
            status = error_set(err, STATUS_FORMAT, "JSON: not an object");
        json_decref(value);
        if (status) return error_prefix(err, "%s", names[i]);
    }
    return STATUS_OK;
}

/* The round came with this archive: its steps, answers and drafts come as well. */
static enum status note_round(const struct reader *reader, const char *id, struct error *err)
{
    struct query query;
    query_open(&query, reader->progress->database,
               "INSERT INTO temp.incoming_round (id) VALUES (?1)");
    query_bind_text(&query, 1, id);
    return query_run(&query, err);
}

static enum status import_row(const struct reader *reader, int t, const json_t *row, int *added,
                              struct error *err)
{
    const struct archive_table *table = &archive_tables[t];
    struct query query;
    enum status status = STATUS_OK;

    if (!json_is_object(row) || json_object_size(row) != (size_t)table->n_fields)
        return error_set(err, STATUS_FORMAT, _("not an object of %d values"), table->n_fields);
    query_open(&query, reader->progress->database, table->insert);
    for (int i = 0; i < table->n_fields && !status; i++) {
        const json_t *value = json_object_get(row, table->fields[i].name);
        if (!value || !bind_field(&query, i + 1, &table->fields[i], value))
            status = error_set(err, STATUS_FORMAT, _("%s: missing, or of the wrong type"),
                               table->fields[i].name);
    }
    if (!status && t == TABLE_STEPS) {
        char *key =
            text_printf("%s/%lld", string_of(row, "round"), (long long)int_of(row, "place"));
        status = note_id(reader, table, key, err);
        free(key);
    } else if (!status) {
        status = note_id(reader, table, string_of(row, "id"), err);
    }
    if (!status && t == TABLE_ANSWERS) status = check_answer(row, err);
    if (!status && t == TABLE_SITTINGS && !sitting_adds_up(row))
        status = error_set(err, STATUS_FORMAT, _("its clock does not add up"));
    if (!status && t == TABLE_ATTEMPTS && strcmp(string_of(row, "state"), "grading") == 0)
        status = error_set(err, STATUS_FORMAT, _("state: nobody is grading it any more"));
    if (!status && t == TABLE_ATTEMPTS) status = bind_bodies(&query, reader, row, err);
    if (status) {
        (void)!query_done(&query, NULL);
        return status;
    }
    status = query_run(&query, err);
    if (status == STATUS_CONFLICT && err) err->status = STATUS_FORMAT;
    if (status == STATUS_CONFLICT) return STATUS_FORMAT;
    if (status) return status;
    const int n = (int)database_changes(reader->progress->database);
    *added += n;
    return n && t == TABLE_ROUNDS ? note_round(reader, string_of(row, "id"), err) : STATUS_OK;
}

static enum status import_table(const struct reader *reader, int t, int expected, int *added,
                                struct error *err)
{
    struct text lines = {0};
    bool found;
    int number = 0;
    enum status status = staged(&lines, &found, reader, archive_tables[t].file, err);
    if (!status && !found) status = missing(reader, archive_tables[t].file, err);

    const char *at = text_string(&lines), *end = at + lines.size;
    while (!status && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        json_t *row;
        number++;
        status = json_parse(&row, at, (size_t)(stop - at), err);
        if (!status) status = import_row(reader, t, row, added, err);
        json_decref(row);
        if (status)
            error_prefix(err, _("%s: %s line %d"), reader->name, archive_tables[t].file, number);
        at = stop + (stop < end);
    }
    if (!status && number != expected)
        status = error_set(err, STATUS_FORMAT, _("%s: %s has %d lines, its manifest says %d"),
                           reader->name, archive_tables[t].file, number, expected);
    text_done(&lines);
    return status;
}

static enum status import_settings(const struct reader *reader, int expected, int *added,
                                   struct error *err)
{
    json_t *settings;
    enum status status = staged_object(&settings, reader, "settings.json", err);
    if (status) return status;
    if (json_object_size(settings) != (size_t)expected)
        status = error_set(err, STATUS_FORMAT, _("%s: %s has %zu lines, its manifest says %d"),
                           reader->name, "settings.json", json_object_size(settings), expected);

    for (void *at = json_object_iter(settings); at && !status;
         at = json_object_iter_next(settings, at)) {
        const char *name = json_object_iter_key(at);
        const char *value = json_string_value(json_object_iter_value(at));
        if (!value || !*value) status = error_set(err, STATUS_FORMAT, _("%.40s: not a text"), name);
        if (!status && setting_check(name, value, err)) status = STATUS_FORMAT;
        if (status) {
            if (err) err->status = status;
            error_prefix(err, "%s: settings.json", reader->name);
            break;
        }
        struct query query;
        query_open(&query, reader->progress->database,
                   "INSERT INTO setting (name, value) VALUES (?1, ?2)"
                   " ON CONFLICT (name) DO NOTHING");
        query_bind_text(&query, 1, name);
        query_bind_text(&query, 2, value);
        status = query_run(&query, err);
        if (!status) *added += (int)database_changes(reader->progress->database);
    }
    json_decref(settings);
    return status;
}

/* A file of a later format version in an archive that says it is older. */
static enum status check_form(const struct reader *reader, int form, struct error *err)
{
    for (int t = 0; t < N_TABLES; t++) {
        struct text bytes = {0};
        bool found = false;
        if (archive_tables[t].since <= form) continue;
        enum status status = staged(&bytes, &found, reader, archive_tables[t].file, err);
        text_done(&bytes);
        if (!status && found)
            status = error_set(err, STATUS_FORMAT,
                               _("%s: '%.80s' has no place in an archive of lynx-cortex"),
                               reader->name, archive_tables[t].file);
        if (status) return status;
    }
    return STATUS_OK;
}

/* What the tables cannot say of the rounds that came, and bringing those to rest that run no more. */
static enum status settle_rounds(const struct reader *reader, struct error *err)
{
    int64_t wrong = 0;
    struct query query;
    query_open(&query, reader->progress->database,
               "SELECT count(*) FROM step JOIN round ON round.id = step.round"
               " LEFT JOIN sitting ON sitting.id = step.sitting"
               " WHERE round.id IN (SELECT id FROM temp.incoming_round)"
               " AND ((round.exam = 1 AND step.paused_ms > 0) OR round.state = 'planned'"
               " OR (sitting.id IS NOT NULL AND step.item <> 'drill/' || sitting.drill))");
    if (query_row(&query)) wrong = query_int(&query, 0);
    const enum status status = query_done(&query, err);
    if (status) return status;
    if (wrong)
        return error_set(err, STATUS_FORMAT, _("%s: %lld steps do not fit their round"),
                         reader->name, (long long)wrong);
    return database_execute(
        reader->progress->database,
        "UPDATE round SET state = 'abandoned', ended_ms = max(started_ms, created_ms, 1)"
        " WHERE id IN (SELECT id FROM temp.incoming_round) AND state IN ('planned', 'running')"
        " AND packet IN (SELECT id FROM packet WHERE state <> 'running');"
        "UPDATE step SET paused_ms = 0, ended_ms = max(started_ms, coalesce((SELECT"
        " max(submitted_ms) FROM answer WHERE answer.round = step.round"
        " AND answer.step = step.place), 0))"
        " WHERE started_ms > 0 AND ended_ms = 0 AND round IN (SELECT id FROM temp.incoming_round)"
        " AND round IN (SELECT id FROM round WHERE state IN ('done', 'abandoned'))",
        err);
}

/* A draft of a round that did not come with this archive belongs to nobody here. */
static enum status is_wanted(bool *wanted, const struct reader *reader, const char *name,
                             struct error *err)
{
    *wanted = true;
    if (archive_folder_of(name) != FOLDER_DRAFTS) return STATUS_OK;
    struct query query;
    query_open(&query, reader->progress->database,
               "SELECT 1 FROM temp.incoming_round WHERE id = substr(?1, 8, 36)");
    query_bind_text(&query, 1, name);
    *wanted = query_row(&query);
    return query_done(&query, err);
}

struct made_files {
    char **names;
    int n;
};

static void take_back(const struct reader *reader, struct made_files *made, bool remove)
{
    for (int i = 0; i < made->n; i++) {
        if (remove) archive_remove_file(reader->progress, made->names[i]);
        free(made->names[i]);
    }
    free(made->names);
    *made = (struct made_files){0};
}

static enum status import_files(const struct reader *reader, const struct archive_counts *expected,
                                struct archive_counts *added, struct made_files *made,
                                struct error *err)
{
    int n[N_FOLDERS] = {0};
    enum status status = STATUS_OK;
    struct query query;
    query_open(&query, reader->progress->database,
               "SELECT name, bytes FROM temp.incoming WHERE name GLOB 'stories/*' OR name GLOB"
               " 'drafts/*'");
    while (!status && query_row(&query)) {
        const char *name = query_text(&query, 0);
        const int folder = archive_folder_of(name);
        size_t size;
        const void *bytes = query_bytes(&query, 1, &size);
        bool wanted, is_new = false;
        n[folder]++;
        status = is_wanted(&wanted, reader, name, err);
        if (!status && wanted)
            status =
                archive_add_file(&is_new, reader->progress, name, bytes ? bytes : "", size, err);
        if (!is_new) continue;
        made->names = memory_grow(made->names, (size_t)made->n + 1, sizeof *made->names);
        made->names[made->n++] = text_copy(name);
        ++*(folder == FOLDER_STORIES ? &added->stories : &added->drafts);
    }
    const enum status read = query_done(&query, status ? NULL : err);
    if (status || read) return status ? status : read;
    if (n[FOLDER_STORIES] != expected->stories || n[FOLDER_DRAFTS] != expected->drafts)
        return error_set(err, STATUS_FORMAT,
                         _("%s: %d stories and %d drafts, its manifest says %d "
                           "and %d"),
                         reader->name, n[FOLDER_STORIES], n[FOLDER_DRAFTS], expected->stories,
                         expected->drafts);
    return STATUS_OK;
}

/* What holds between rows of different archive_tables. */
static enum status check_together(const struct reader *reader, struct error *err)
{
    int64_t wrong = 0, bodies = 0;
    struct query query;
    query_open(&query, reader->progress->database,
               "SELECT (SELECT count(*) FROM attempt JOIN sitting ON sitting.id = attempt.sitting"
               " WHERE attempt.drill <> sitting.drill OR attempt.lane <> sitting.lane"
               " OR attempt.exam <> sitting.exam)"
               " + (SELECT count(*) FROM review JOIN sitting ON sitting.id = review.sitting"
               " WHERE review.item <> 'drill/' || sitting.drill),"
               " (SELECT count(*) FROM temp.incoming WHERE name GLOB 'attempts/*' AND NOT EXISTS"
               " (SELECT 1 FROM temp.incoming_id WHERE file = 'attempts.jsonl'"
               " AND id = substr(name, 10, 36)))");
    if (query_row(&query)) {
        wrong = query_int(&query, 0);
        bodies = query_int(&query, 1);
    }
    const enum status status = query_done(&query, err);
    if (status) return status;
    if (wrong)
        return error_set(err, STATUS_FORMAT,
                         _("%s: %lld rows belong to a sitting of another drill"), reader->name,
                         (long long)wrong);
    if (bodies)
        return error_set(err, STATUS_FORMAT, _("%s: %lld files of attempts that it does not list"),
                         reader->name, (long long)bodies);
    return STATUS_OK;
}

static enum status replay_all(const struct reader *reader, struct error *err)
{
    struct review *rows;
    int n;
    enum status status = review_list(&rows, &n, reader->progress, NULL, err);
    for (int i = 0; i < n && !status; i++)
        if (i == 0 || strcmp(rows[i].item, rows[i - 1].item) != 0)
            status = review_replay(reader->progress, rows[i].item, err);
    free(rows);
    return status;
}

static enum status apply(const struct reader *reader, struct archive_counts *added,
                         struct made_files *made, struct error *err)
{
    struct archive_counts expected = {0};
    int form = 0;
    enum status status = check_manifest(reader, &expected, &form, err);
    if (!status) status = check_form(reader, form, err);
    if (!status) status = import_settings(reader, expected.settings, &added->settings, err);
    for (int t = 0; t < N_TABLES && !status; t++)
        if (archive_tables[t].since <= form)
            status =
                import_table(reader, t, *archive_count(&expected, t), archive_count(added, t), err);
    if (!status) status = check_together(reader, err);
    if (!status) status = settle_rounds(reader, err);
    if (!status) status = replay_all(reader, err);
    if (!status) status = sitting_end_overdue(reader->progress, err);
    if (!status) status = import_files(reader, &expected, added, made, err);
    return status;
}

enum status archive_import_from(struct progress *progress, int fd, const char *name,
                                struct archive_counts *added, struct error *err)
{
    const struct reader reader = {.progress = progress, .name = name, .fd = fd};
    struct archive_counts counts = {0};
    struct made_files made = {0};

    if (added) *added = counts;
    enum status status = check_stream(&reader, err);
    if (status) return status;
    status = database_execute(progress->database,
                              "CREATE TEMP TABLE incoming ("
                              " name TEXT PRIMARY KEY, bytes BLOB NOT NULL);"
                              "CREATE TEMP TABLE incoming_id ("
                              " file TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (file, id))"
                              " WITHOUT ROWID;"
                              "CREATE TEMP TABLE incoming_round (id TEXT PRIMARY KEY)",
                              err);
    if (!status) status = stage(&reader, err);
    if (!status) status = database_begin(progress->database, err);
    if (!status)
        status = database_end(progress->database, apply(&reader, &counts, &made, err), err);
    take_back(&reader, &made, status != STATUS_OK);

    const enum status dropped = database_execute(progress->database,
                                                 "DROP TABLE IF EXISTS temp.incoming_round;"
                                                 "DROP TABLE IF EXISTS temp.incoming_id;"
                                                 "DROP TABLE IF EXISTS temp.incoming",
                                                 status ? NULL : err);
    if (!status && added) *added = counts;
    return status ? status : dropped;
}

enum status archive_import(struct progress *progress, const char *path,
                           struct archive_counts *added, struct error *err)
{
    if (added) *added = (struct archive_counts){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s", path);
    const enum status status = archive_import_from(progress, fd, path, added, err);
    close(fd);
    return status;
}
