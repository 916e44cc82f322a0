/* database_internal.h -- what database.c and query.c share: the handle, and how
 * SQLite's numbers become our statuses. */
#ifndef STORE_DATABASE_INTERNAL_H
#define STORE_DATABASE_INTERNAL_H

#include <sqlite3.h>

#include "store/database.h"

struct database {
    sqlite3 *handle;
    char *path;
};

/* Words for the failure `result` (an extended result code) of `handle`. */
enum status database_failure(const struct database *database, int result, struct error *err);

#endif
