/* grows the ring with realloc: entries that wrapped around are in the wrong place */
#include "batcher.h"

#include <stdlib.h>

struct request {
    int number, n_prompt, left, blocks;
};

struct batcher {
    int n_blocks, block_size, token_budget, max_running;
    int free_blocks, n_running, running_room;
    struct request *running;
    struct request *ring;
    size_t head, count, room;
};

struct batcher *batcher_new(int n_blocks, int block_size, int token_budget, int max_running)
{
    struct batcher *b = calloc(1, sizeof *b);
    if (b) {
        b->n_blocks = b->free_blocks = n_blocks;
        b->block_size = block_size;
        b->token_budget = token_budget;
        b->max_running = max_running;
    }
    return b;
}

void batcher_free(struct batcher *b)
{
    if (b) {
        free(b->running);
        free(b->ring);
        free(b);
    }
}

bool batcher_add(struct batcher *b, int request, int n_prompt, int max_new)
{
    long long blocks = ((long long)n_prompt + max_new + b->block_size - 1) / b->block_size;
    if (n_prompt > b->token_budget || blocks > b->n_blocks) {
        return false;
    }
    if (b->count == b->room) {
        size_t room = b->room ? 2 * b->room : 16;
        struct request *ring = realloc(b->ring, room * sizeof *ring);
        if (!ring) {
            abort();
        }
        b->ring = ring;
        b->room = room;
    }
    b->ring[(b->head + b->count++) % b->room] =
        (struct request){request, n_prompt, max_new, (int)blocks};
    return true;
}

static void finish(struct batcher *b, int place)
{
    b->free_blocks += b->running[place].blocks;
    b->running[place] = b->running[--b->n_running];
}

int batcher_step(struct batcher *b, struct work *work)
{
    int n = 0;
    for (; n < b->n_running; n++) {
        work[n] = (struct work){b->running[n].number, 1};
    }
    int tokens = n;
    while (b->count && b->n_running < b->max_running) {
        struct request *next = &b->ring[b->head];
        if (next->n_prompt > b->token_budget - tokens || next->blocks > b->free_blocks) {
            break;
        }
        if (b->n_running == b->running_room) {
            b->running_room = b->running_room ? 2 * b->running_room : 8;
            b->running = realloc(b->running, (size_t)b->running_room * sizeof *b->running);
            if (!b->running) {
                abort();
            }
        }
        tokens += next->n_prompt;
        b->free_blocks -= next->blocks;
        b->running[b->n_running++] = *next;
        work[n++] = (struct work){next->number, next->n_prompt};
        b->head = (b->head + 1) % b->room;
        b->count--;
    }
    for (int place = b->n_running - 1; place >= 0; place--) {
        if (--b->running[place].left == 0) {
            finish(b, place);
        }
    }
    return n;
}

void batcher_end(struct batcher *b, int request)
{
    for (int place = 0; place < b->n_running; place++) {
        if (b->running[place].number == request) {
            finish(b, place);
            return;
        }
    }
}

int batcher_free_blocks(const struct batcher *b) { return b->free_blocks; }
