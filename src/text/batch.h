/* batch.h -- what a training step is given: windows of a token file, and the tokens that follow.
 *
 *   file       t0 t1 t2 t3 t4 t5 ...
 *   inputs     [B,T]   t2 t3 t4          a window of T
 *   targets    [B,T]   t3 t4 t5          the same, one later
 *
 * Random windows are drawn by (seed, stream, step): the place in the data is the number of the step,
 * so a run that is resumed goes on with the batch it would have had. Sequential ones cover the file in
 * order, for validation.
 * Tests: tests/text/batch_test.c
 */
#ifndef TEXT_BATCH_H
#define TEXT_BATCH_H

#include "text/token_file.h"

struct batch_source {
    const struct token_file *file; /* borrowed */
    int B, T;
    uint64_t seed, stream;
    uint64_t step; /* of the next batch; set it to resume */
};

/* STATUS_USAGE when the file has fewer than T + 1 tokens. */
MUST_CHECK enum status batch_source_init(struct batch_source *source, const struct token_file *file,
                                         int B, int T, uint64_t seed, uint64_t stream,
                                         struct error *err);

/* The random windows of `source->step`, which goes on by one. */
void batch_next(struct batch_source *source, int32_t *inputs, int32_t *targets);

/* How many windows of T the file has that do not overlap. */
uint64_t batch_windows(const struct batch_source *source);

/* Windows first .. first+B-1 in order; past the last one targets are -1, which no loss counts, and
 * inputs are 0. How many windows are real. */
int batch_sequence(const struct batch_source *source, uint64_t first, int32_t *inputs,
                   int32_t *targets);

#endif
