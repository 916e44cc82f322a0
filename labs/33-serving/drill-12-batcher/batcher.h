/* batcher.h -- the functions to implement. */
#ifndef BATCHER_H
#define BATCHER_H

#include <stdbool.h>

struct batcher; /* yours: define it in batcher.c */

/* The model's work on one request in one step. */
struct work {
    int request;
    int n_tokens;
};

/* All four numbers are at least 1, max_running at most 1000, the others at most 2^29.
 * batcher_free() releases it; it is never called with NULL. */
struct batcher *batcher_new(int n_blocks, int block_size, int token_budget, int max_running);
void batcher_free(struct batcher *batcher);

/* A request arrives. `request` is its number: 0 or more, never used twice, not an index.
 * n_prompt and max_new are from 1 to 2^29. False: it can never run, and is forgotten. Any number
 * of requests may wait. */
bool batcher_add(struct batcher *batcher, int request, int n_prompt, int max_new);

/* Decide one step. Returns how many requests it works on, each once, in any order.
 *
 *   work   [max_running]   written from the start */
int batcher_step(struct batcher *batcher, struct work *work);

/* The model ended a running request before its max_new tokens. */
void batcher_end(struct batcher *batcher, int request);

/* Blocks that nobody holds now. */
int batcher_free_blocks(const struct batcher *batcher);

#endif
