#include "store/database.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/locale.h"
#include "store/database_internal.h"
#include "store/query.h"

/* ---- failures ---- */

enum status database_failure(const struct database *database, int result, struct error *err)
{
    const char *path = database->path;
    const char *why = database->handle ? sqlite3_errmsg(database->handle) : sqlite3_errstr(result);

    /* SQLite says "disk I/O error" for most of what the system refused; the system's word is better. */
    const int number = database->handle ? sqlite3_system_errno(database->handle) : 0;
    int kind = result & 0xff;
    if (kind == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT)) kind = SQLITE_FULL;
    if (kind == SQLITE_IOERR && number) why = strerror(number);

    switch (kind) {
    case SQLITE_FULL:
        return error_set(err, STATUS_IO,
                         _("%s: the disk is full: free some space and try again; nothing was "
                           "written"),
                         path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, STATUS_CONFLICT,
                         _("%s: another process has been using it for more than %d s: wait for it "
                           "or end it"),
                         path, DATABASE_WAIT_MS / 1000);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return error_set(err, STATUS_IO,
                         _("%s: cannot be written (%s): check the owner and mode of the file and "
                           "its folder"),
                         path, why);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, STATUS_FORMAT,
                         _("%s: damaged, or not a database (%s): move it away, or put a copy "
                           "(%s.before-N) in its place"),
                         path, why, path);
    case SQLITE_CONSTRAINT: return error_set(err, STATUS_CONFLICT, "%s: %s", path, why);
    default: break;
    }
    CHECK(result != SQLITE_NOMEM && result != SQLITE_MISUSE); /* ours to prevent, as everywhere */
    return error_set(err, STATUS_IO, "%s: %s", path, why);
}

enum status database_execute(struct database *database, const char *sql, struct error *err)
{
    const int result = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? STATUS_OK : database_failure(database, result, err);
}

/* ---- transactions ---- */

enum status database_begin(struct database *database, struct error *err)
{
    CHECK(!database_in_transaction(database));
    return database_execute(database, "BEGIN IMMEDIATE", err);
}

enum status database_commit(struct database *database, struct error *err)
{
    const enum status status = database_execute(database, "COMMIT", err);
    if (status) database_rollback(database);
    return status;
}

void database_rollback(struct database *database)
{
    /* Some failures have rolled back already; then there is nothing to do. */
    if (database_in_transaction(database))
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool database_in_transaction(const struct database *database)
{
    return !sqlite3_get_autocommit(database->handle);
}

enum status database_end(struct database *database, enum status status, struct error *err)
{
    if (!status) return database_commit(database, err);
    database_rollback(database);
    return status;
}

int64_t database_changes(const struct database *database)
{
    return sqlite3_changes64(database->handle);
}

const char *database_path(const struct database *database) { return database->path; }

/* ---- small questions ---- */

static enum status ask_int(struct database *database, const char *sql, int64_t *out,
                           struct error *err)
{
    struct query query;
    query_open(&query, database, sql);
    *out = query_row(&query) ? query_int(&query, 0) : 0;
    return query_done(&query, err);
}

static enum status ask_text(struct database *database, const char *sql, char **out,
                            struct error *err)
{
    struct query query;
    query_open(&query, database, sql);
    *out = query_row(&query) ? text_copy(query_text(&query, 0)) : NULL;
    const enum status status = query_done(&query, err);
    if (status) {
        free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- copies ---- */

static char *folder_of(const char *path)
{
    char *scratch = text_copy(path);
    char *folder = text_copy(dirname(scratch));
    free(scratch);
    return folder;
}

static enum status sync_path(const char *path, int flags, struct error *err)
{
    const int fd = open(path, flags | O_CLOEXEC);
    enum status status = STATUS_OK;
    if (fd < 0) return error_set_errno(err, STATUS_IO, "%s", path);
    if (fsync(fd) != 0 && errno != EINVAL) status = error_set_errno(err, STATUS_IO, "%s", path);
    close(fd);
    return status;
}

enum status database_copy(struct database *database, const char *to, struct error *err)
{
    char *beside = text_printf("%s.%ld.tmp", to, (long)getpid());
    char *folder = folder_of(to);
    enum status status = STATUS_OK;

    unlink(beside);
    /* VACUUM INTO fills an empty file, and so the mode is ours. */
    const int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        status = error_set_errno(err, STATUS_IO, _("%s: cannot be copied"), to);
        goto done;
    }
    close(fd);

    struct query query;
    query_open(&query, database, "VACUUM INTO ?1");
    query_bind_text(&query, 1, beside);
    status = query_run(&query, err);
    if (status) error_prefix(err, _("copy to %s"), to);
    if (!status) status = sync_path(beside, O_RDONLY, err); /* VACUUM INTO does not */
    if (!status && rename(beside, to) != 0)
        status = error_set_errno(err, STATUS_IO, _("%s: cannot be copied"), to);
    if (!status) status = sync_path(folder, O_RDONLY | O_DIRECTORY, err);
    if (status) unlink(beside);
done:
    free(folder);
    free(beside);
    return status;
}

/* The N of "NAME.before-N", or -1. */
static int copy_number(const char *entry, const char *name)
{
    const size_t size = strlen(name);
    if (strncmp(entry, name, size) != 0 || !text_starts_with(entry + size, ".before-")) return -1;
    const char *digits = entry + size + strlen(".before-");
    const size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 6 || digits[n] != '\0') return -1;
    return atoi(digits);
}

static int by_number_down(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

/* The numbers of the copies beside `path`, highest first; the caller frees them. */
static int *copy_list(const char *path, int *n_copies)
{
    char *scratch = text_copy(path);
    const char *name = basename(scratch);
    char *folder = folder_of(path);
    DIR *entries = opendir(folder);
    int *numbers = memory_new(1, sizeof *numbers), n = 0;

    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        const int number = copy_number(entry->d_name, name);
        if (number < 0) continue;
        numbers = memory_grow(numbers, (size_t)n + 1, sizeof *numbers);
        numbers[n++] = number;
    }
    if (entries) closedir(entries);
    qsort(numbers, (size_t)n, sizeof *numbers, by_number_down);
    free(folder);
    free(scratch);
    *n_copies = n;
    return numbers;
}

/* Remove copies that a killed process left half written: "NAME.before-N.PID.tmp". */
static void remove_half_copies(const char *path)
{
    char *scratch = text_copy(path), *folder = folder_of(path);
    char *start = text_printf("%s.before-", basename(scratch));
    DIR *entries = opendir(folder);

    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (!text_starts_with(entry->d_name, start) || !text_ends_with(entry->d_name, ".tmp"))
            continue;
        char *half = path_join(folder, entry->d_name);
        unlink(half);
        free(half);
    }
    if (entries) closedir(entries);
    free(start);
    free(folder);
    free(scratch);
}

/* Remove all copies but the `kept` highest. */
static enum status prune_copies(const char *path, int kept, struct error *err)
{
    int n;
    int *numbers = copy_list(path, &n);
    enum status status = STATUS_OK;

    remove_half_copies(path);
    for (int i = kept; i < n && !status; i++) {
        char *copy = text_printf("%s.before-%d", path, numbers[i]);
        if (unlink(copy) != 0 && errno != ENOENT)
            status = error_set_errno(err, STATUS_IO, _("%s: cannot be removed"), copy);
        free(copy);
    }
    free(numbers);
    return status;
}

enum status database_remove_copies(struct database *database, struct error *err)
{
    return prune_copies(database->path, 0, err);
}

/* ---- opening ---- */

/* Openers take turns, so that the log is started and the tables are migrated by one of them. */
static enum status lock_take(int *out, const char *path, struct error *err)
{
    char *lock = text_printf("%s.lock", path);
    enum status status = STATUS_OK;
    const int64_t give_up = clock_steady_ns() + (int64_t)DATABASE_WAIT_MS * 1000000;
    int fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0) {
        status = error_set_errno(err, STATUS_IO,
                                 _("%s: cannot be written: check the owner and mode of its folder"),
                                 path);
        goto done;
    }
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            status = error_set_errno(err, STATUS_IO, "%s", lock);
            break;
        }
        if (clock_steady_ns() > give_up) {
            status = error_set(err, STATUS_CONFLICT,
                               _("%s: another process has been opening it for more than %d s: wait "
                                 "for it or end it"),
                               path, DATABASE_WAIT_MS / 1000);
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    if (status) {
        close(fd);
        fd = -1;
    }
done:
    free(lock);
    *out = fd;
    return status;
}

/* An empty private file where there was none; a private mode where it was open to others.
 * An existing file is never opened here: closing it would drop this process's locks on it. */
static enum status file_make_private(const char *path, struct error *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return STATUS_OK;
    }
    if (errno != EEXIST) return error_set_errno(err, STATUS_IO, _("%s: cannot be made"), path);

    struct stat info;
    if (stat(path, &info) != 0) return error_set_errno(err, STATUS_IO, "%s", path);
    if (!S_ISREG(info.st_mode)) return error_set(err, STATUS_FORMAT, _("%s: not a file"), path);
    if ((info.st_mode & 077) && info.st_uid == geteuid() && chmod(path, 0600) != 0)
        return error_set_errno(err, STATUS_IO, _("%s: cannot be made private"), path);
    return STATUS_OK;
}

static enum status check_ours(struct database *database, const struct database_schema *schema,
                              int64_t *version, struct error *err)
{
    int64_t id = 0, tables = 0;
    enum status status = ask_int(database, "PRAGMA user_version", version, err);
    if (!status) status = ask_int(database, "PRAGMA application_id", &id, err);
    if (!status) status = ask_int(database, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (status) return status;

    const bool empty = *version == 0 && id == 0 && tables == 0;
    if (!empty && (id != schema->application_id || *version < 1))
        return error_set(err, STATUS_FORMAT,
                         _("%s: a database of another program: move it away or set %s"),
                         database->path, schema->folder_variable);
    if (*version <= schema->n_migrations) return STATUS_OK;

    char *writer;
    status = ask_text(database,
                      "SELECT program_version FROM schema_history ORDER BY schema DESC LIMIT 1",
                      &writer, NULL);
    error_set(
        err, STATUS_UNAVAILABLE,
        _("%s: this data was written by a newer %s (schema %d, this one knows %d): install %s "
          ">= %s or set %s"),
        database->path, schema->program, (int)*version, schema->n_migrations, schema->program,
        !status && writer ? writer : "?", schema->folder_variable);
    free(writer);
    return STATUS_UNAVAILABLE;
}

/* How the connection behaves; the log is switched on the first time. */
static enum status configure(struct database *database, struct error *err)
{
    if (sqlite3_db_readonly(database->handle, "main") == 1)
        return database_failure(database, SQLITE_READONLY, err);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);

    char *mode;
    enum status status = ask_text(database, "PRAGMA journal_mode = WAL", &mode, err);
    if (!status && (!mode || strcmp(mode, "wal") != 0))
        status = error_set(err, STATUS_IO,
                           _("%s: this file system has no write-ahead log (%s): use a folder on a "
                             "local disk"),
                           database->path, mode ? mode : "?");
    free(mode);
    if (!status)
        status = database_execute(database,
                                  "PRAGMA synchronous = FULL;"
                                  "PRAGMA secure_delete = ON;"
                                  "PRAGMA foreign_keys = ON;",
                                  err);
    return status;
}

/* All missing migrations, in one transaction. */
static enum status migrate_steps(struct database *database, const struct database_schema *schema,
                                 int from, struct error *err)
{
    enum status status = STATUS_OK;
    if (from == 0) {
        char *mark = text_printf("PRAGMA application_id = %d", (int)schema->application_id);
        status = database_execute(database, mark, err);
        free(mark);
        if (!status)
            status = database_execute(database,
                                      "CREATE TABLE schema_history ("
                                      " schema INTEGER PRIMARY KEY,"
                                      " program_version TEXT NOT NULL) STRICT",
                                      err);
    }
    for (int i = from; i < schema->n_migrations && !status; i++) {
        status = database_execute(database, schema->migrations[i], err);
        if (status) {
            error_prefix(err, _("schema %d to %d"), i, i + 1);
            break;
        }
        struct query query;
        query_open(&query, database, "INSERT INTO schema_history VALUES (?1, ?2)");
        query_bind_int(&query, 1, i + 1);
        query_bind_text(&query, 2, schema->program_version);
        status = query_run(&query, err);
    }
    if (status) return status;

    char *version = text_printf("PRAGMA user_version = %d", schema->n_migrations);
    status = database_execute(database, version, err);
    free(version);
    if (status) return status;

    struct query query;
    query_open(&query, database, "PRAGMA foreign_key_check");
    const bool broken = query_row(&query);
    char *table = broken ? text_copy(query_text(&query, 0)) : NULL;
    status = query_done(&query, err);
    if (!status && broken)
        status = error_set(err, STATUS_FORMAT, _("%s: table %s refers to rows that do not exist"),
                           database->path, table ? table : "?");
    free(table);
    return status;
}

static enum status migrate(struct database *database, const struct database_schema *schema,
                           int64_t version, struct error *err)
{
    if (version == schema->n_migrations) return STATUS_OK;
    if (version > 0) {
        char *copy = text_printf("%s.before-%d", database->path, schema->n_migrations);
        enum status status = database_copy(database, copy, err);
        free(copy);
        if (!status) status = prune_copies(database->path, DATABASE_COPIES_KEPT, err);
        if (status) return status;
    }
    /* Tables may be rebuilt on the way; references are checked at the end instead. */
    enum status status = database_execute(database, "PRAGMA foreign_keys = OFF", err);
    if (!status) status = database_begin(database, err);
    if (status) return status;
    status = migrate_steps(database, schema, (int)version, err);
    status = database_end(database, status, err);
    if (!status) status = database_execute(database, "PRAGMA foreign_keys = ON", err);
    return status;
}

enum status database_open(struct database **out, const char *path,
                          const struct database_schema *schema, struct error *err)
{
    CHECK(schema->application_id != 0 && schema->n_migrations > 0);
    struct database *database = memory_new(1, sizeof *database);
    char *folder = folder_of(path);
    int lock = -1;
    int64_t version = 0;

    *out = NULL;
    database->path = text_copy(path);
    enum status status = folder_make(folder, 0700, err);
    free(folder);
    if (!status) status = lock_take(&lock, path, err);
    if (status) goto fail;

    status = file_make_private(path, err);
    if (status) goto fail;
    const int result = sqlite3_open_v2(path, &database->handle,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL);
    if (result != SQLITE_OK) {
        status = database_failure(database, result, err);
        goto fail;
    }
    sqlite3_extended_result_codes(database->handle, 1);
    sqlite3_busy_timeout(database->handle, DATABASE_WAIT_MS);
    status = check_ours(database, schema, &version, err);
    if (!status) status = configure(database, err);
    if (!status) status = migrate(database, schema, version, err);
    if (status) goto fail;

    close(lock);
    *out = database;
    return STATUS_OK;

fail:
    database_close(database);
    if (lock >= 0) close(lock); /* after the last use of the file */
    return status;
}

enum status database_open_to_read(struct database **out, const char *path,
                                  const struct database_schema *schema, struct error *err)
{
    struct database *database = memory_new(1, sizeof *database);
    int64_t version;
    enum status status = STATUS_OK;

    *out = NULL;
    database->path = text_copy(path);
    const int result = sqlite3_open_v2(path, &database->handle,
                                       SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, NULL);
    if (result != SQLITE_OK) status = database_failure(database, result, err);
    else status = check_ours(database, schema, &version, err);
    if (status) database_close(database);
    else *out = database;
    return status;
}

void database_close(struct database *database)
{
    if (!database) return;
    if (database->handle) {
        database_rollback(database);
        CHECK(sqlite3_close(database->handle) == SQLITE_OK); /* a query was left open otherwise */
    }
    free(database->path);
    free(database);
}

/* ---- keeping house ---- */

enum status database_verify(struct database *database, struct error *err)
{
    struct text problems = {0};
    struct query query;

    query_open(&query, database, "PRAGMA integrity_check(5)");
    while (query_row(&query)) {
        const char *line = query_text(&query, 0);
        if (line && strcmp(line, "ok") != 0)
            text_format(&problems, "%s%s", problems.size ? "; " : "", line);
    }
    enum status status = query_done(&query, err);
    if (status) goto done;

    query_open(&query, database, "PRAGMA foreign_key_check");
    int broken = 0;
    while (query_row(&query)) broken++;
    status = query_done(&query, err);
    if (status) goto done;
    if (broken)
        text_format(&problems, _("%s%d rows refer to rows that do not exist"),
                    problems.size ? "; " : "", broken);
    if (problems.size)
        status = error_set(err, STATUS_FORMAT, _("%s: damaged: %s"), database->path,
                           text_string(&problems));
done:
    text_done(&problems);
    return status;
}

enum status database_compact(struct database *database, struct error *err)
{
    CHECK(!database_in_transaction(database));
    enum status status = database_execute(database, "VACUUM", err);
    if (status) return status;

    struct query query;
    query_open(&query, database, "PRAGMA wal_checkpoint(TRUNCATE)");
    const bool busy = query_row(&query) && query_int(&query, 0) != 0;
    status = query_done(&query, err);
    if (!status && busy) status = database_failure(database, SQLITE_BUSY, err);
    return status;
}

static int64_t file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

enum status database_facts(struct database *database, struct database_facts *facts,
                           struct error *err)
{
    int64_t version = 0, pages = 0, page_bytes = 0;
    *facts = (struct database_facts){0};

    enum status status = ask_int(database, "PRAGMA user_version", &version, err);
    if (!status) status = ask_int(database, "PRAGMA freelist_count", &pages, err);
    if (!status) status = ask_int(database, "PRAGMA page_size", &page_bytes, err);
    if (status) return status;

    char *log = text_printf("%s-wal", database->path);
    facts->schema = (int)version;
    facts->free_bytes = pages * page_bytes;
    facts->size_bytes = file_size(database->path) + file_size(log);
    free(log);

    int *numbers = copy_list(database->path, &facts->n_copies);
    for (int i = 0; i < facts->n_copies; i++) {
        char *copy = text_printf("%s.before-%d", database->path, numbers[i]);
        facts->copies_bytes += file_size(copy);
        free(copy);
    }
    free(numbers);
    return STATUS_OK;
}
