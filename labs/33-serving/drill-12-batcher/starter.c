#include "batcher.h"

#include <stddef.h>

struct batcher *batcher_new(int n_blocks, int block_size, int token_budget, int max_running)
{
    return NULL;
}

void batcher_free(struct batcher *batcher) {}

bool batcher_add(struct batcher *batcher, int request, int n_prompt, int max_new) { return false; }

int batcher_step(struct batcher *batcher, struct work *work) { return 0; }

void batcher_end(struct batcher *batcher, int request) {}

int batcher_free_blocks(const struct batcher *batcher) { return 0; }
