/* query.h -- one prepared statement: bind, step, read, done.
 *
 *   struct query query;
 *   query_open(&query, database, "SELECT name, size FROM part WHERE kind = ?1");
 *   query_bind_text(&query, 1, kind);
 *   while (query_row(&query)) use(query_text(&query, 0), query_int(&query, 1));
 *   status = query_done(&query, err);
 *
 * A failure anywhere is remembered: the calls after it do nothing, query_row says false, and
 * query_done reports it. So only query_done (or query_run) is checked. SQL is always constant;
 * values are only ever bound.
 *
 * Tests: tests/store/database_test.c
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct database;
struct sqlite3_stmt;

struct query {
    struct database *database;
    struct sqlite3_stmt *statement;
    int result; /* the first failure, as SQLite numbers it */
};

void query_open(struct query *query, struct database *database, const char *sql);

/* Parameters count from 1. Strings and bytes are copied; NULL binds SQL's NULL. */
void query_bind_int(struct query *query, int parameter, int64_t value);
void query_bind_real(struct query *query, int parameter, double value);
void query_bind_text(struct query *query, int parameter, const char *value);
void query_bind_bytes(struct query *query, int parameter, const void *bytes, size_t size);
void query_bind_null(struct query *query, int parameter);

/* The next row is there. */
bool query_row(struct query *query);

/* Columns count from 0. What is returned is borrowed until the next query_row or query_done. */
int64_t query_int(const struct query *query, int column);
double query_real(const struct query *query, int column);
const char *query_text(const struct query *query, int column); /* NULL for SQL's NULL */
const void *query_bytes(const struct query *query, int column, size_t *size);
bool query_is_null(const struct query *query, int column);

/* Release it; STATUS_OK or the first failure. */
MUST_CHECK enum status query_done(struct query *query, struct error *err);

/* Step to the end, then query_done: for statements without rows. */
MUST_CHECK enum status query_run(struct query *query, struct error *err);

/* Start over with new values (the old bindings are cleared). */
void query_reset(struct query *query);

#endif
