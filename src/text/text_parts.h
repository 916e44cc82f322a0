/* text_parts.h -- a long text, read in parts that can be cut into pieces by themselves.
 *
 *   |-------- part --------|--- kept for the next ---|
 *   0                     stop                     size
 *
 * A part ends where a piece begins whatever follows (split_safe), so its pieces are those of the whole
 * text. What follows may be looked at up to `size`, since white space depends on it. Where there is no
 * such place the part grows until there is one.
 * Tests: tests/text/text_parts_test.c
 */
#ifndef TEXT_TEXT_PARTS_H
#define TEXT_TEXT_PARTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

enum { TEXT_PART = 8 << 20 };

struct text_parts {
    const char *path; /* borrowed; "-": standard input */
    int fd;
    bool cuts; /* false: all in one part */
    bool ended;
    size_t part; /* bytes to read at once */
    struct text held;
    size_t stop;
};

/* STATUS_NOT_FOUND, STATUS_IO. */
MUST_CHECK enum status text_parts_open(struct text_parts *parts, const char *path, bool cuts,
                                       struct error *err);
void text_parts_close(struct text_parts *parts);

/* The next part: `parts->held` up to `parts->stop`. False at the end, or when *status says why not. */
MUST_CHECK bool text_parts_next(struct text_parts *parts, enum status *status, struct error *err);

/* Where the part can be cut into about n equal stretches: ends[0..result-1], the last is stop. */
int text_parts_cut(const struct text_parts *parts, size_t *ends, int n);

#endif
