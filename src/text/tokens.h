/* tokens.h -- a growing list of token ids. Out of memory aborts, as in base/text.h. */
#ifndef TEXT_TOKENS_H
#define TEXT_TOKENS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct tokens {
    int32_t *ids;
    size_t n, capacity;
};

/* Make room for `more` ids after the n that are there; what is written there counts once n says so. */
static inline void tokens_reserve(struct tokens *tokens, size_t more)
{
    if (tokens->capacity - tokens->n >= more) return;
    size_t capacity = tokens->capacity + tokens->capacity / 2 + 64;
    if (capacity < tokens->n + more) capacity = tokens->n + more;
    tokens->ids = memory_grow(tokens->ids, capacity, sizeof *tokens->ids);
    tokens->capacity = capacity;
}

static inline void tokens_add(struct tokens *tokens, int32_t id)
{
    tokens_reserve(tokens, 1);
    tokens->ids[tokens->n++] = id;
}

static inline void tokens_done(struct tokens *tokens)
{
    free(tokens->ids);
    *tokens = (struct tokens){0};
}

#endif
