/* archive_internal.h -- what writing and reading an archive share: which tables, which fields. */
#ifndef PROGRESS_ARCHIVE_INTERNAL_H
#define PROGRESS_ARCHIVE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "progress/archive.h"

#define ARCHIVE_FORMAT "lynx-cortex-data"
enum { ARCHIVE_FORMAT_VERSION = 2, ARCHIVE_FILE_LIMIT = 1 << 20 };

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
    int since; /* the format version that it came with */
};
enum {
    TABLE_SITTINGS,
    TABLE_ATTEMPTS,
    TABLE_REVIEWS,
    TABLE_PACKETS,
    TABLE_ROUNDS,
    TABLE_STEPS,
    TABLE_ANSWERS,
    N_TABLES
};
extern const struct archive_table archive_tables[];

int *archive_count(struct archive_counts *counts, int table);

/* What the manifest counts, by name; each with the format version that it came with. */
struct archive_counter {
    const char *name;
    size_t offset; /* in struct archive_counts */
    int since;
};
enum { N_COUNTERS = 10 };
extern const struct archive_counter archive_counters[N_COUNTERS];
int *archive_counted(struct archive_counts *counts, const struct archive_counter *counter);

/* ---- archive_files.c: folders of plain files beside the database ---- */

enum { FOLDER_STORIES, FOLDER_DRAFTS, N_FOLDERS };
extern const char *const archive_folders[N_FOLDERS];

/* Which folder "stories/01-x.md" belongs to; -1 when it is no name of ours. */
int archive_folder_of(const char *path);

/* Give each file to `visit`, by name; *n is how many. */
MUST_CHECK enum status archive_each_file(struct progress *progress, int folder, int *n,
                                         enum status (*visit)(void *context, const char *name,
                                                              const struct text *bytes,
                                                              struct error *err),
                                         void *context, struct error *err);

/* Make a file; one that is there already stays, *added is false then. */
MUST_CHECK enum status archive_add_file(bool *added, struct progress *progress, const char *name,
                                        const void *bytes, size_t size, struct error *err);
void archive_remove_file(struct progress *progress, const char *name);

/* Remove both folders. */
MUST_CHECK enum status archive_forget_files(struct progress *progress,
                                            struct archive_counts *removed, struct error *err);

/* Of an attempt's source file: "c" or "py". */
const char *archive_extension(const char *lane);

/* As the manifest holds it: XXH64 in hexadecimal. */
void archive_hash(char out[17], const void *bytes, size_t size);

#endif
