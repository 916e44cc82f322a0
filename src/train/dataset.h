/* dataset.h -- a text as token ids, its end kept for validation, cut into windows.
 *
 *   ids     [ ------------- training ------------- | - validation - ]
 *   window  inputs  t[i .. i+T-1]    targets  t[i+1 .. i+T]     i drawn anew for each window
 *
 * Which windows a step reads depends on the seed and the step's number alone, so a position in the
 * data is just that number.
 *
 * Promises: ids are below the tokenizer's size; the hash is of all ids, so a changed text is seen.
 * Does not know: models. Tests: tests/train/dataset_test.c
 */
#ifndef TRAIN_DATASET_H
#define TRAIN_DATASET_H

#include <stdint.h>

#include "base/error.h"
#include "text/tokenizer.h"

struct dataset {
    int32_t *ids;
    size_t n_train, n_valid; /* validation begins at ids + n_train */
    size_t n_bytes_valid;    /* of its text: for bits per byte */
    uint64_t hash;
};

/* Encode the text. STATUS_FORMAT when the tokenizer cannot write it, STATUS_USAGE when either part
 * has not one window of `context` + 1 tokens. `share` of the bytes, at the end, is for validation. */
MUST_CHECK enum status dataset_init(struct dataset *dataset, const struct tokenizer *tokenizer,
                                    const char *bytes, size_t size, double share, int context,
                                    struct error *err);
void dataset_done(struct dataset *dataset);

/* inputs, targets [B,T] written: batch number `index`, each time the same. */
void dataset_batch(const struct dataset *dataset, int32_t *inputs, int32_t *targets, int B, int T,
                   uint64_t seed, uint64_t index);

/* Validation in its order, windows side by side: how many windows of T there are in at most
 * `tokens` (0: in all of it), and `n` of them from number `first`. */
size_t dataset_valid_windows(const struct dataset *dataset, int T, size_t tokens);
void dataset_valid(const struct dataset *dataset, int32_t *inputs, int32_t *targets, size_t first,
                   int n, int T);

#endif
