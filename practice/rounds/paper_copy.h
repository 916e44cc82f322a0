/* paper_copy.h -- the user's own copy of a paper; none is bundled.
 *
 *   papers/NAME.pdf in the data folder      brought from a file, or fetched when asked
 *   papers/NAME.sha256                      as it was at the first fetch
 *
 * A fetched copy is held to the hash that the content pins, else to the one that was recorded at the
 * first fetch; another one is refused, and the copy that was there stays.
 * Tests: tests/rounds/paper_copy_test.c
 */
#ifndef ROUNDS_PAPER_COPY_H
#define ROUNDS_PAPER_COPY_H

#include <stdbool.h>

#include "base/error.h"
#include "content/paper.h"
#include "progress/progress.h"

enum { PAPER_SIZE_LIMIT = 64 << 20, SHA256_TEXT = 65 };

/* Where the copy lies, or would; the caller frees it. *there says which. */
MUST_CHECK enum status paper_copy_path(char **path, bool *there, struct progress *progress,
                                       const struct paper *paper, struct error *err);

/* Copy the user's file. Errors of file_read(). */
MUST_CHECK enum status paper_copy_bring(struct progress *progress, const struct paper *paper,
                                        const char *file, struct error *err);

/* Fetch it from the paper's address; its sha256 into `hash`, *first when nothing was known to compare
 * it with. STATUS_CONFLICT when it is not what it was; STATUS_NOT_FOUND without an address; else as
 * fetch_run(). */
MUST_CHECK enum status paper_copy_fetch(char hash[SHA256_TEXT], bool *first,
                                        struct progress *progress, const struct paper *paper,
                                        struct error *err);

#endif
