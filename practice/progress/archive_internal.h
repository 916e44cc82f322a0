/* archive_internal.h -- what writing and reading an archive share: which tables, which fields. */
#ifndef PROGRESS_ARCHIVE_INTERNAL_H
#define PROGRESS_ARCHIVE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "progress/archive.h"

#define ARCHIVE_FORMAT "lynx-cortex-data"
enum { ARCHIVE_FORMAT_VERSION = 1 };

/* What a line holds: one list for both ways. */
struct archive_field {
    const char *name;
    enum {
        FIELD_TEXT,
        FIELD_INT,
        FIELD_REAL,
        FIELD_BOOL,
        FIELD_JSON,
    } type;
    bool may_be_null;
};

struct archive_table {
    const char *file;
    const char *count; /* its name in the manifest */
    const struct archive_field *fields;
    int n_fields;
    const char *select, *insert;
};
enum { TABLE_SITTINGS, TABLE_ATTEMPTS, TABLE_REVIEWS, N_TABLES };
extern const struct archive_table archive_tables[];

int *archive_count(struct archive_counts *counts, int table);

/* Of an attempt's source file: "c" or "py". */
const char *archive_extension(const char *lane);

/* As the manifest holds it: XXH64 in hexadecimal. */
void archive_hash(char out[17], const void *bytes, size_t size);

#endif
