/* marked.h -- one reference file in which every known mistake is an alternative.
 *
 *     //: no-scale                                   (Python: #: and #|)
 *     //| const float scale = 1.0f;
 *     //: right
 *     const float scale = 1.0f / sqrtf((float)D);
 *     //: end
 *
 * The file as it stands is right. Expanding it with a set of mistakes gives the
 * solution that makes them, without any marker. A mistake may have several
 * blocks; a block has one `right` and one or more mistakes, of which at most
 * one may be chosen.
 *
 * Tests: tests/content/marked_test.c
 */
#ifndef CONTENT_MARKED_H
#define CONTENT_MARKED_H

#include "base/error.h"
#include "base/text.h"

enum { MARKED_MISTAKE_LIMIT = 32 };

struct marked {
    char *names[MARKED_MISTAKE_LIMIT]; /* every mistake of the file, in order of appearance */
    int n_names;
    unsigned apart[MARKED_MISTAKE_LIMIT]; /* bit j of apart[i]: i and j share a block */
};

/* Read the markers of `source`. STATUS_FORMAT names the line. */
MUST_CHECK enum status marked_init(struct marked *marked, const char *source, struct error *err);
void marked_done(struct marked *marked);

/* -1 when the file does not know this mistake. */
int marked_find(const struct marked *marked, const char *name);

/* Append to `out` the file with the mistakes in `chosen` (bits as in names) made.
 * STATUS_USAGE when two of them share a block. */
MUST_CHECK enum status marked_expand(struct text *out, const struct marked *marked,
                                     const char *source, unsigned chosen, struct error *err);

#endif
