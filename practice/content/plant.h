/* plant.h -- a bug hunt: a reference with 3 to 5 of its known mistakes made.
 *
 * Promises: the same drill, lane and seed plant the same mistakes; no two that
 * share a block or are listed in never_together.
 * Tests: tests/content/plant_test.c
 */
#ifndef CONTENT_PLANT_H
#define CONTENT_PLANT_H

#include <stdint.h>

#include "content/drill.h"
#include "content/marked.h"

enum { PLANT_LEAST = 3, PLANT_MOST = 5 };

struct plant {
    const char *names[PLANT_MOST]; /* borrowed from the drill */
    int n;
};

/* Append the solution to hunt in to `out` (NULL: only say which) and fill `plant`. */
MUST_CHECK enum status plant_bugs(struct plant *plant, struct text *out, const struct drill *drill,
                                  enum lane lane, uint64_t seed, struct error *err);

#endif
