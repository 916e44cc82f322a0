/* archive.h -- all of a person's practice in one file, and back; and forgetting it.
 *
 *   NAME.tar.gz
 *     manifest.json             format, schema, application, counts, size and xxHash of each file
 *     settings.json             {"language":"es", ...}
 *     sittings.jsonl            one sitting a line
 *     attempts.jsonl            one attempt a line, without
 *     attempts/ID/solution.c    its source (.py in the Python lanes), and
 *     attempts/ID/result.json   its result, when it was graded
 *     reviews.jsonl             one review a line
 *     packets.jsonl             one loop a line; its rounds, their steps and answers in
 *     rounds.jsonl steps.jsonl answers.jsonl
 *     stories/NAME.md           the candidate's stories, as they wrote them
 *     drafts/ID-STEP-PLACE.md   answers that are being written
 *
 * An archive comes from outside: nothing of it is believed. Only the names above, regular files, no
 * name twice, nothing missing, sizes within limits, 1 GiB unpacked in all, JSON of the expected
 * keys and types, every value within the tables' constraints. Import is one transaction; files are
 * made at its end, and taken back when it fails. After kill -9 there may be files without their
 * rows: importing again completes them.
 *
 * Format version 1 had neither packets nor what is below them here; it is still read.
 *
 * Tests: tests/progress/archive_test.c; tests/fuzz/fuzz_archive.c
 */
#ifndef PROGRESS_ARCHIVE_H
#define PROGRESS_ARCHIVE_H

#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"

#define ARCHIVE_SIZE_LIMIT (INT64_C(1) << 30) /* unpacked */
enum { ARCHIVE_LINES_LIMIT = 64 << 20 };      /* of one .jsonl */

struct archive_counts {
    int sittings, attempts, reviews, settings;
    int packets, rounds, steps, answers;
    int stories, drafts; /* files */
};

/* The files beside the database. */
struct archive_file_facts {
    int stories, drafts;
    int64_t size_bytes;
};
void archive_file_facts(struct archive_file_facts *facts, struct progress *progress);

/* Write everything to `path`, which must not exist (STATUS_CONFLICT): whole or not at all, mode
 * 0600. `counts` may be NULL. */
MUST_CHECK enum status archive_export(struct progress *progress, const char *path,
                                      struct archive_counts *counts, struct error *err);

/* Add what `path` holds and the database does not, by id: existing rows win; a setting that is set
 * stays; a file that is here stays. A round that is here keeps its own steps, answers and drafts. A
 * packet or round that runs there is abandoned when another runs here. Memory is replayed from the
 * merged log. All or nothing. `added` may be NULL.
 * STATUS_FORMAT, STATUS_LIMIT: the archive, naming the file and line; STATUS_UNAVAILABLE: written by
 * a newer program; STATUS_NOT_FOUND, STATUS_IO. */
MUST_CHECK enum status archive_import(struct progress *progress, const char *path,
                                      struct archive_counts *added, struct error *err);

/* The same from a descriptor of a regular file, read from its start; `name` is for messages. */
MUST_CHECK enum status archive_import_from(struct progress *progress, int fd, const char *name,
                                           struct archive_counts *added, struct error *err);

/* Delete one drill's sittings, attempts, reviews and answers (NULL: everything, settings, stories and
 * drafts too), and the copies that migrations left, and rewrite the database so that the bytes are
 * gone from it. Files outside the data folder, and archives exported earlier, are not touched. STATUS_CONFLICT when another process
 * is using the database: the rows are gone then, and calling again finishes the rest.
 * `removed` may be NULL. */
MUST_CHECK enum status archive_forget(struct progress *progress, const char *drill,
                                      struct archive_counts *removed, struct error *err);

#endif
