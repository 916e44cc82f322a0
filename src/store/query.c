#include "store/query.h"

#include "store/database_internal.h"

void query_open(struct query *query, struct database *database, const char *sql)
{
    *query = (struct query){.database = database};
    query->result = sqlite3_prepare_v2(database->handle, sql, -1, &query->statement, NULL);
}

static void note(struct query *query, int result)
{
    if (query->result == SQLITE_OK) query->result = result;
}

void query_bind_int(struct query *query, int parameter, int64_t value)
{
    if (query->result == SQLITE_OK)
        note(query, sqlite3_bind_int64(query->statement, parameter, value));
}

void query_bind_real(struct query *query, int parameter, double value)
{
    if (query->result == SQLITE_OK)
        note(query, sqlite3_bind_double(query->statement, parameter, value));
}

void query_bind_text(struct query *query, int parameter, const char *value)
{
    if (query->result == SQLITE_OK) /* a NULL string binds NULL */
        note(query, sqlite3_bind_text(query->statement, parameter, value, -1, SQLITE_TRANSIENT));
}

void query_bind_bytes(struct query *query, int parameter, const void *bytes, size_t size)
{
    if (query->result != SQLITE_OK) return;
    if (bytes)
        note(query,
             sqlite3_bind_blob64(query->statement, parameter, bytes, size, SQLITE_TRANSIENT));
    else note(query, sqlite3_bind_null(query->statement, parameter));
}

void query_bind_null(struct query *query, int parameter)
{
    if (query->result == SQLITE_OK) note(query, sqlite3_bind_null(query->statement, parameter));
}

bool query_row(struct query *query)
{
    if (query->result != SQLITE_OK) return false;
    const int result = sqlite3_step(query->statement);
    if (result == SQLITE_ROW) return true;
    if (result != SQLITE_DONE) note(query, result);
    return false;
}

int64_t query_int(const struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

double query_real(const struct query *query, int column)
{
    return sqlite3_column_double(query->statement, column);
}

const char *query_text(const struct query *query, int column)
{
    return (const char *)sqlite3_column_text(query->statement, column);
}

const void *query_bytes(const struct query *query, int column, size_t *size)
{
    const void *bytes = sqlite3_column_blob(query->statement, column);
    *size = (size_t)sqlite3_column_bytes(query->statement, column);
    return bytes;
}

bool query_is_null(const struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

enum status query_done(struct query *query, struct error *err)
{
    enum status status = STATUS_OK;
    /* The words are the handle's last ones, so they are taken before anything else is asked. */
    if (query->result != SQLITE_OK) status = database_failure(query->database, query->result, err);
    sqlite3_finalize(query->statement);
    query->statement = NULL;
    return status;
}

enum status query_run(struct query *query, struct error *err)
{
    while (query_row(query)) continue;
    return query_done(query, err);
}

void query_reset(struct query *query)
{
    if (query->result != SQLITE_OK) return;
    note(query, sqlite3_reset(query->statement));
    note(query, sqlite3_clear_bindings(query->statement));
}
