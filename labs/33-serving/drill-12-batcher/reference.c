#include "batcher.h"

#include <stdlib.h>

struct request {
    struct request *next; /* while it waits */
    int number, n_prompt;
    int n_blocks; /* from its admission to its end */
    int left;     /* new tokens still to come */
};

struct batcher {
    int n_blocks, block_size, token_budget, max_running;
    int n_free, n_running;
    struct request **running;      /* [max_running] */
    struct request *first, **last; /* the queue, by arrival; *last is its final NULL */
};

struct batcher *batcher_new(int n_blocks, int block_size, int token_budget, int max_running)
{
    struct batcher *b = calloc(1, sizeof *b);
    *b = (struct batcher){.n_blocks = n_blocks,
                          .block_size = block_size,
                          .token_budget = token_budget,
                          .max_running = max_running,
                          .n_free = n_blocks,
                          .running = calloc((size_t)max_running, sizeof *b->running)};
    b->last = &b->first;
    return b;
}

void batcher_free(struct batcher *b)
{
    for (int i = 0; i < b->n_running; i++) free(b->running[i]);
    while (b->first) {
        struct request *next = b->first->next;
        free(b->first);
        b->first = next;
    }
    free(b->running);
    free(b);
}

bool batcher_add(struct batcher *b, int request, int n_prompt, int max_new)
{
    //: block-rounding
    //| const int n_blocks = (n_prompt + max_new) / b->block_size;
    //: right
    const int n_blocks = (n_prompt + max_new + b->block_size - 1) / b->block_size;
    //: end
    //: impossible-queued
    //: right
    if (n_prompt > b->token_budget || n_blocks > b->n_blocks) return false;
    //: end
    struct request *r = calloc(1, sizeof *r);
    *r = (struct request){
        .number = request, .n_prompt = n_prompt, .n_blocks = n_blocks, .left = max_new};
    *b->last = r;
    b->last = &r->next;
    return true;
}

/* The model works on n_tokens of the request and produces one. */
static struct work advance(struct request *r, int n_tokens)
{
    r->left--;
    return (struct work){.request = r->number, .n_tokens = n_tokens};
}

/* Admit from the queue while its head fits into n_left tokens; returns the new length of work. */
static int admit(struct batcher *b, struct work *work, int n, int *n_left)
{
    struct request **at = &b->first;
    //: static-batch
    //| if (b->n_running > 0) return n;
    //: right
    //: end
    //: slow-step
    //| int n_waiting = 0;
    //| for (const struct request *r = b->first; r; r = r->next) n_waiting++;
    //| while (n_waiting-- > 0 && b->n_running < b->max_running) {
    //: right
    while (*at && b->n_running < b->max_running) {
        //: end
        struct request *r = *at;
        //: budget-by-one
        //| const bool fits = r->n_prompt <= *n_left + 1 && r->n_blocks <= b->n_free;
        //: right
        const bool fits = r->n_prompt <= *n_left && r->n_blocks <= b->n_free;
        //: end
        if (!fits) {
            //: starvation
            //| at = &r->next;
            //| continue;
            //: right
            break;
            //: end
        }
        *at = r->next;
        if (!*at) b->last = at;
        b->running[b->n_running++] = r;
        b->n_free -= r->n_blocks;
        *n_left -= r->n_prompt;
        work[n++] = advance(r, r->n_prompt);
    }
    return n;
}

/* Forget running[i]; its blocks are the caller's affair. */
static void leave(struct batcher *b, int i)
{
    free(b->running[i]);
    b->running[i] = b->running[--b->n_running];
}

static void retire_finished(struct batcher *b)
{
    for (int i = 0; i < b->n_running;) {
        struct request *r = b->running[i];
        if (r->left > 0) {
            i++;
            continue;
        }
        b->n_free += r->n_blocks;
        //: finished-slot-kept
        //| r->n_blocks = 0;
        //| i++;
        //: right
        leave(b, i);
        //: end
    }
}

int batcher_step(struct batcher *b, struct work *work)
{
    const int n_old = b->n_running;
    int n_left = b->token_budget, n = 0;

    //: head-of-line-blocking
    //| n = admit(b, work, n, &n_left);
    //| for (int i = 0; i < n_old && n_left > 0; i++, n_left--)
    //|     work[n++] = advance(b->running[i], 1);
    //: right
    for (int i = 0; i < n_old; i++, n_left--) work[n++] = advance(b->running[i], 1);
    n = admit(b, work, n, &n_left);
    //: end
    retire_finished(b);
    return n;
}

void batcher_end(struct batcher *b, int request)
{
    for (int i = 0; i < b->n_running; i++) {
        if (b->running[i]->number != request) continue;
        //: block-leak
        //: right
        b->n_free += b->running[i]->n_blocks;
        //: end
        leave(b, i);
        return;
    }
}

int batcher_free_blocks(const struct batcher *b) { return b->n_free; }
