/* the tail still points into the node that left the queue last */
#include "batcher.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

struct node {
    struct node *next;
    int request, n_prompt, max_new, n_new;
    int64_t blocks;
};

struct batcher {
    int64_t n_blocks, block_size, token_budget, max_running;
    struct node *head, **tail; /* waiting */
    struct node *running;
};

struct batcher *batcher_new(int n_blocks, int block_size, int token_budget, int max_running)
{
    struct batcher *batcher = malloc(sizeof *batcher);
    assert(batcher);
    *batcher = (struct batcher){n_blocks, block_size, token_budget, max_running, NULL, NULL, NULL};
    batcher->tail = &batcher->head;
    return batcher;
}

static void free_list(struct node *list)
{
    while (list) {
        struct node *next = list->next;
        free(list);
        list = next;
    }
}

void batcher_free(struct batcher *batcher)
{
    free_list(batcher->head);
    free_list(batcher->running);
    free(batcher);
}

bool batcher_add(struct batcher *batcher, int request, int n_prompt, int max_new)
{
    int64_t length = (int64_t)n_prompt + max_new;
    int64_t blocks = length / batcher->block_size + (length % batcher->block_size != 0);
    if (n_prompt > batcher->token_budget || blocks > batcher->n_blocks) {
        return false;
    }
    struct node *node = malloc(sizeof *node);
    assert(node);
    *node = (struct node){NULL, request, n_prompt, max_new, 0, blocks};
    *batcher->tail = node;
    batcher->tail = &node->next;
    return true;
}

int batcher_step(struct batcher *batcher, struct work *work)
{
    int n = 0;
    int64_t tokens = 0;
    int64_t free_blocks = batcher_free_blocks(batcher);

    for (struct node *node = batcher->running; node; node = node->next) {
        work[n++] = (struct work){.request = node->request, .n_tokens = 1};
        tokens++;
    }

    struct node *node = batcher->head;
    while (node && n < batcher->max_running && tokens + node->n_prompt <= batcher->token_budget &&
           node->blocks <= free_blocks) {
        work[n++] = (struct work){.request = node->request, .n_tokens = node->n_prompt};
        tokens += node->n_prompt;
        free_blocks -= node->blocks;
        batcher->head = node->next;
        node->next = batcher->running;
        batcher->running = node;
        node = batcher->head;
    }

    struct node **link = &batcher->running;
    while (*link) {
        struct node *running = *link;
        if (++running->n_new == running->max_new) {
            *link = running->next;
            free(running);
        } else {
            link = &running->next;
        }
    }
    return n;
}

void batcher_end(struct batcher *batcher, int request)
{
    struct node **link = &batcher->running;
    while (*link && (*link)->request != request) {
        link = &(*link)->next;
    }
    if (*link) {
        struct node *node = *link;
        *link = node->next;
        free(node);
    }
}

int batcher_free_blocks(const struct batcher *batcher)
{
    int64_t used = 0;
    for (const struct node *node = batcher->running; node; node = node->next) {
        used += node->blocks;
    }
    return (int)(batcher->n_blocks - used);
}
