#include "text/vocabulary.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static uint32_t hash_of(const void *bytes, size_t size)
{
    return (uint32_t)XXH3_64bits(bytes, size);
}

/* Room for ids up to `id`, in steps that double. */
static void reach(struct vocabulary *vocabulary, int id)
{
    if (id >= vocabulary->capacity) {
        int capacity = vocabulary->capacity ? vocabulary->capacity : 256;
        while (capacity <= id) capacity *= 2;
        vocabulary->tokens =
            memory_grow(vocabulary->tokens, (size_t)capacity, sizeof *vocabulary->tokens);
        memset(vocabulary->tokens + vocabulary->capacity, 0,
               (size_t)(capacity - vocabulary->capacity) * sizeof *vocabulary->tokens);
        vocabulary->capacity = capacity;
    }
    if (id >= vocabulary->size) vocabulary->size = id + 1;
}

enum status vocabulary_set(struct vocabulary *vocabulary, int64_t id, const void *bytes,
                           size_t size, enum token_type type, struct error *err)
{
    if (id < 0 || id >= VOCABULARY_LIMIT)
        return error_set(err, STATUS_LIMIT, "token id %lld: ids are 0 to %d", (long long)id,
                         VOCABULARY_LIMIT - 1);
    if (size > VOCABULARY_TOKEN_LIMIT || vocabulary->bytes.size + size > VOCABULARY_BYTES_LIMIT)
        return error_set(err, STATUS_LIMIT,
                         "token id %lld: %zu bytes; at most %d a token and %d together",
                         (long long)id, size, VOCABULARY_TOKEN_LIMIT, VOCABULARY_BYTES_LIMIT);
    if (id < vocabulary->size && vocabulary->tokens[id].type != TOKEN_UNUSED)
        return error_set(err, STATUS_FORMAT, "token id %lld is given twice", (long long)id);
    reach(vocabulary, (int)id);
    vocabulary->tokens[id] = (struct vocabulary_token){
        .begin = (uint32_t)vocabulary->bytes.size, .size = (uint32_t)size, .type = (uint8_t)type};
    text_add_bytes(&vocabulary->bytes, bytes, size);
    return STATUS_OK;
}

void vocabulary_mark(struct vocabulary *vocabulary, int32_t id, enum token_type type)
{
    CHECK(id >= 0 && id < vocabulary->size);
    vocabulary->tokens[id].type = (uint8_t)type;
}

void vocabulary_index(struct vocabulary *vocabulary)
{
    uint32_t n = 16;
    while (n < 4 * (uint32_t)vocabulary->size) n *= 2;
    free(vocabulary->index);
    vocabulary->index = memory_new(n, sizeof *vocabulary->index);
    vocabulary->index_mask = n - 1;
    for (int id = 0; id < vocabulary->size; id++) {
        const struct vocabulary_token *token = &vocabulary->tokens[id];
        if (token->type != TOKEN_NORMAL) continue;
        const char *bytes = vocabulary->bytes.data + token->begin;
        if (vocabulary_find(vocabulary, bytes, token->size) >= 0) continue;
        uint32_t at = hash_of(bytes, token->size) & vocabulary->index_mask;
        while (vocabulary->index[at]) at = (at + 1) & vocabulary->index_mask;
        vocabulary->index[at] = (uint32_t)id + 1;
    }
}

void vocabulary_index_last(struct vocabulary *vocabulary)
{
    const int32_t id = vocabulary->size - 1;
    if (!vocabulary->index || vocabulary->index_mask < 2 * (uint32_t)vocabulary->size) {
        vocabulary_index(vocabulary); /* its size doubles, so all of this costs little */
        return;
    }
    const struct vocabulary_token *token = &vocabulary->tokens[id];
    const char *bytes = vocabulary->bytes.data + token->begin;
    if (token->type != TOKEN_NORMAL || vocabulary_find(vocabulary, bytes, token->size) >= 0) return;
    uint32_t at = hash_of(bytes, token->size) & vocabulary->index_mask;
    while (vocabulary->index[at]) at = (at + 1) & vocabulary->index_mask;
    vocabulary->index[at] = (uint32_t)id + 1;
}

int32_t vocabulary_find(const struct vocabulary *vocabulary, const void *bytes, size_t size)
{
    uint32_t at = hash_of(bytes, size) & vocabulary->index_mask;
    for (; vocabulary->index[at]; at = (at + 1) & vocabulary->index_mask) {
        const int32_t id = (int32_t)vocabulary->index[at] - 1;
        const struct vocabulary_token *token = &vocabulary->tokens[id];
        if (token->size == size && memcmp(vocabulary->bytes.data + token->begin, bytes, size) == 0)
            return id;
    }
    return -1;
}

const char *vocabulary_bytes(const struct vocabulary *vocabulary, int32_t id, size_t *size)
{
    CHECK(id >= 0 && id < vocabulary->size);
    *size = vocabulary->tokens[id].size;
    return *size ? vocabulary->bytes.data + vocabulary->tokens[id].begin : "";
}

void vocabulary_done(struct vocabulary *vocabulary)
{
    free(vocabulary->tokens);
    free(vocabulary->index);
    text_done(&vocabulary->bytes);
    *vocabulary = (struct vocabulary){0};
}
