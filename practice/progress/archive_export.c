/* archive_export.c -- writing an archive. */
#include "progress/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "progress/archive_internal.h"
#include "progress/progress_internal.h"
#include "store/query.h"

struct writer {
    struct archive *archive;
    const char *path; /* for messages */
    int64_t created_s;
    int64_t total_bytes;
    json_t *files; /* of the manifest */
};

static enum status write_failed(const struct writer *writer, struct error *err)
{
    const int number = archive_errno(writer->archive);
    const char *why = number > 0 ? strerror(number) : archive_error_string(writer->archive);
    return error_set(err, STATUS_IO, _("%s: not written: %s"), writer->path, why ? why : "?");
}

static enum status write_file(struct writer *writer, const char *name, const void *bytes,
                              size_t size, struct error *err)
{
    writer->total_bytes += (int64_t)size;
    if (writer->total_bytes > ARCHIVE_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, _("%s: more than %lld bytes do not fit one archive"),
                         writer->path, (long long)ARCHIVE_SIZE_LIMIT);

    struct archive_entry *entry = archive_entry_new();
    CHECK(entry);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_mtime(entry, (time_t)writer->created_s, 0);
    const bool good =
        archive_write_header(writer->archive, entry) == ARCHIVE_OK &&
        (size == 0 || archive_write_data(writer->archive, bytes, size) == (la_ssize_t)size);
    archive_entry_free(entry);
    if (!good) return write_failed(writer, err);

    char hash[17];
    archive_hash(hash, bytes, size);
    json_object_set_new(writer->files, name,
                        json_pack("{s:I, s:s}", "size", (json_int_t)size, "xxh64", hash));
    return STATUS_OK;
}

static json_t *column_value(const struct query *query, int column,
                            const struct archive_field *field)
{
    if (query_is_null(query, column)) return json_null();
    const char *text = query_text(query, column);
    json_t *value = NULL;
    switch (field->type) {
    case FIELD_TEXT: return json_text(text, strlen(text));
    case FIELD_INT: return json_integer((json_int_t)query_int(query, column));
    case FIELD_REAL: return json_real(query_real(query, column));
    case FIELD_BOOL: return json_boolean(query_int(query, column) != 0);
    case FIELD_JSON: CHECK(json_parse(&value, text, strlen(text), NULL) == STATUS_OK); break;
    }
    return value;
}

static enum status write_table(struct writer *writer, struct progress *progress,
                               const struct archive_table *table, int *n, struct error *err)
{
    struct text lines = {0};
    struct query query;

    *n = 0;
    query_open(&query, progress->database, table->select);
    while (query_row(&query) && lines.size <= ARCHIVE_LINES_LIMIT) {
        json_t *row = json_object();
        for (int i = 0; i < table->n_fields; i++)
            json_object_set_new(row, table->fields[i].name,
                                column_value(&query, i, &table->fields[i]));
        char *line = json_line(row);
        text_format(&lines, "%s\n", line);
        free(line);
        json_decref(row);
        ++*n;
    }
    enum status status = query_done(&query, err);
    if (!status && lines.size > ARCHIVE_LINES_LIMIT)
        status = error_set(err, STATUS_LIMIT, _("%s: %s would be larger than %d bytes"),
                           writer->path, table->file, ARCHIVE_LINES_LIMIT);
    if (!status) status = write_file(writer, table->file, text_string(&lines), lines.size, err);
    text_done(&lines);
    return status;
}

static enum status write_bodies(struct writer *writer, struct progress *progress, struct error *err)
{
    enum status status = STATUS_OK;
    struct query query;
    query_open(&query, progress->database,
               "SELECT id, lane, source, result FROM attempt ORDER BY submitted_ms, rowid");
    while (!status && query_row(&query)) {
        const char *id = query_text(&query, 0), *result = query_text(&query, 3);
        size_t size;
        const void *source = query_bytes(&query, 2, &size);
        char *name =
            text_printf("attempts/%s/solution.%s", id, archive_extension(query_text(&query, 1)));
        status = write_file(writer, name, source ? source : "", size, err);
        free(name);
        if (status || !result) continue;
        name = text_printf("attempts/%s/result.json", id);
        status = write_file(writer, name, result, strlen(result), err);
        free(name);
    }
    const enum status read = query_done(&query, status ? NULL : err);
    return status ? status : read;
}

static enum status write_settings(struct writer *writer, struct progress *progress, int *n,
                                  struct error *err)
{
    json_t *settings = json_object();
    struct query query;

    *n = 0;
    query_open(&query, progress->database, "SELECT name, value FROM setting ORDER BY name");
    while (query_row(&query)) {
        const char *value = query_text(&query, 1);
        json_object_set_new(settings, query_text(&query, 0), json_text(value, strlen(value)));
        ++*n;
    }
    enum status status = query_done(&query, err);
    char *line = json_line(settings);
    if (!status) status = write_file(writer, "settings.json", line, strlen(line), err);
    free(line);
    json_decref(settings);
    return status;
}

static enum status write_manifest(struct writer *writer, const struct archive_counts *counts,
                                  struct error *err)
{
    char created[32];
    json_t *numbers = json_object();
    struct archive_counts copy = *counts;
    for (int i = 0; i < N_COUNTERS; i++)
        json_object_set_new(numbers, archive_counters[i].name,
                            json_integer(*archive_counted(&copy, &archive_counters[i])));
    json_t *manifest =
        json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:O}", "format", ARCHIVE_FORMAT, "version",
                  ARCHIVE_FORMAT_VERSION, "schema", progress_schema(), "application",
                  progress_version(), "created", clock_utc(created, writer->created_s * 1000),
                  "counts", numbers, "files", writer->files);
    CHECK(manifest);
    char *line = json_line(manifest);
    const enum status status = write_file(writer, "manifest.json", line, strlen(line), err);
    free(line);
    json_decref(manifest);
    return status;
}

static enum status visit_file(void *context, const char *name, const struct text *bytes,
                              struct error *err)
{
    return write_file(context, name, text_string(bytes), bytes->size, err);
}

static enum status write_all(struct writer *writer, struct progress *progress,
                             struct archive_counts *counts, struct error *err)
{
    /* One moment of the database, while others go on writing. */
    enum status status = database_execute(progress->database, "BEGIN", err);
    if (status) return status;
    status = write_settings(writer, progress, &counts->settings, err);
    for (int t = 0; t < N_TABLES && !status; t++)
        status = write_table(writer, progress, &archive_tables[t], archive_count(counts, t), err);
    if (!status) status = write_bodies(writer, progress, err);
    if (!status)
        status =
            archive_each_file(progress, FOLDER_STORIES, &counts->stories, visit_file, writer, err);
    if (!status)
        status =
            archive_each_file(progress, FOLDER_DRAFTS, &counts->drafts, visit_file, writer, err);
    if (!status) status = write_manifest(writer, counts, err);
    database_rollback(progress->database);
    return status;
}

/* A file without a name, so that nothing is left when we die; named where that is not to be had. */
static int open_unnamed(const char *path, char **name)
{
    char *scratch = text_copy(path);
    int fd = open(dirname(scratch), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    free(scratch);
    *name = NULL;
    if (fd >= 0 && access("/proc/self/fd", X_OK) == 0) return fd;
    if (fd >= 0) close(fd);
    *name = text_printf("%s.%ld.tmp", path, (long)getpid());
    return open(*name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static bool give_name(int fd, const char *name, const char *path)
{
    if (name) {
        if (link(name, path) != 0) return false;
        unlink(name);
        return true;
    }
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}

static void sync_folder(const char *path)
{
    char *scratch = text_copy(path);
    const int fd = open(dirname(scratch), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd); /* some file systems refuse; the file itself is safe */
        close(fd);
    }
    free(scratch);
}

enum status archive_export(struct progress *progress, const char *path,
                           struct archive_counts *counts, struct error *err)
{
    struct archive_counts written = {0};
    char *name;

    if (counts) *counts = written;
    if (file_exists(path))
        return error_set(err, STATUS_CONFLICT, _("%s: exists already; choose another name"), path);
    const int fd = open_unnamed(path, &name);
    if (fd < 0) {
        free(name);
        return error_set_errno(err, STATUS_IO, _("%s: cannot be made"), path);
    }
    struct writer writer = {
        .archive = archive_write_new(),
        .path = path,
        .created_s = progress_now(progress) / 1000,
        .files = json_object(),
    };
    CHECK(writer.archive && writer.files);
    enum status status = STATUS_OK;
    if (archive_write_set_format_pax_restricted(writer.archive) != ARCHIVE_OK ||
        archive_write_add_filter_gzip(writer.archive) != ARCHIVE_OK ||
        archive_write_open_fd(writer.archive, fd) != ARCHIVE_OK)
        status = write_failed(&writer, err);
    if (!status) status = write_all(&writer, progress, &written, err);
    if (!status && archive_write_close(writer.archive) != ARCHIVE_OK)
        status = write_failed(&writer, err);
    archive_write_free(writer.archive);
    json_decref(writer.files);

    if (!status && (fsync(fd) != 0 || !give_name(fd, name, path)))
        status = error_set_errno(err, errno == EEXIST ? STATUS_CONFLICT : STATUS_IO, "%s", path);
    close(fd);
    if (!status) sync_folder(path);
    if (status && name) unlink(name);
    if (!status && counts) *counts = written;
    free(name);
    return status;
}
