/* database.h -- one SQLite file that outlives the process.
 *
 *   database_open   folder and file made private, checked, migrated, ready
 *   query.h         what is asked of it
 *   database_begin  ... database_commit | database_rollback
 *
 * Promises:
 *   1. Write-ahead log, synchronous FULL, foreign keys on: what was committed
 *      survives kill -9 and a power cut; what was not is as if never begun.
 *   2. Before an existing database is migrated it is copied to `FILE.before-N`
 *      (N the schema it becomes); the three highest N are kept. A migration
 *      happens whole or not at all.
 *   3. A schema newer than the program's is refused, with the version needed.
 *   4. Any number of processes may open, migrate and write at once: openers take
 *      turns on `FILE.lock`, writers wait for each other up to ten seconds.
 *   5. Deleted bytes are overwritten (secure_delete) as soon as the log is folded in.
 *
 * The file is 0600, a folder made for it 0700. An open database does not cross a
 * fork: a child opens its own.
 *
 * Does not know: what the tables mean.
 * Tests: tests/store/database_test.c
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum { DATABASE_WAIT_MS = 10000, DATABASE_COPIES_KEPT = 3 };

struct database;

/* What the caller's tables are. Everything is borrowed while the database is open. */
struct database_schema {
    const char *program;           /* "lcx": named in messages */
    const char *program_version;   /* written beside each schema it makes */
    const char *folder_variable;   /* "LCX_HOME": how to use another folder */
    int32_t application_id;        /* marks the file as ours; not 0 */
    const char *const *migrations; /* migrations[i] turns schema i into i + 1; SQL, any number of
                                    * statements, no transaction of its own */
    int n_migrations;              /* the schema that this program knows */
};

/* Open (or make) the database at `path` and bring it to the program's schema.
 * STATUS_IO: folder or disk; STATUS_FORMAT: not a database, or another program's, or damaged;
 * STATUS_UNAVAILABLE: written by a newer program; STATUS_CONFLICT: another process has held it
 * for ten seconds. On failure *out is NULL and the file is as before. */
MUST_CHECK enum status database_open(struct database **out, const char *path,
                                     const struct database_schema *schema, struct error *err);

/* Open what is there only to read it, whatever its schema: nothing is made, migrated or locked. For a
 * question that must not fail for want of an answer. Errors as database_open(). */
MUST_CHECK enum status database_open_to_read(struct database **out, const char *path,
                                             const struct database_schema *schema,
                                             struct error *err);
void database_close(struct database *database); /* harmless on NULL; rolls back what is open */

const char *database_path(const struct database *database); /* borrowed */

/* Run constant SQL, any number of statements. Values never go in here: query.h binds them. */
MUST_CHECK enum status database_execute(struct database *database, const char *sql,
                                        struct error *err);

/* One write transaction at a time; the write lock is taken at once, so nothing in between
 * fails for being late. database_commit rolls back when it fails. */
MUST_CHECK enum status database_begin(struct database *database, struct error *err);
MUST_CHECK enum status database_commit(struct database *database, struct error *err);
void database_rollback(struct database *database);
bool database_in_transaction(const struct database *database);

/* Commit when `status` is STATUS_OK, roll back otherwise; the status of the whole. */
MUST_CHECK enum status database_end(struct database *database, enum status status,
                                    struct error *err);

/* Rows changed by the last statement. */
int64_t database_changes(const struct database *database);

/* Read the whole file and its references. STATUS_OK when sound; STATUS_FORMAT with the first
 * problems in words when not. */
MUST_CHECK enum status database_verify(struct database *database, struct error *err);

/* A compact, consistent copy, written beside `to` and moved there; replaces `to`. */
MUST_CHECK enum status database_copy(struct database *database, const char *to, struct error *err);

/* Rewrite the file without its free pages and fold the log in, so that nothing deleted is left in
 * either. STATUS_CONFLICT when another process is using the database. */
MUST_CHECK enum status database_compact(struct database *database, struct error *err);

/* Remove the copies that migrations left. */
MUST_CHECK enum status database_remove_copies(struct database *database, struct error *err);

struct database_facts {
    int schema;
    int64_t size_bytes; /* file and log */
    int64_t free_bytes; /* what database_compact would give back */
    int n_copies;       /* FILE.before-N */
    int64_t copies_bytes;
};
MUST_CHECK enum status database_facts(struct database *database, struct database_facts *facts,
                                      struct error *err);

#endif
