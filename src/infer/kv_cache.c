#include "infer/kv_cache.h"

#include <string.h>

#include "base/locale.h"
#include "base/pages.h"
#include "model/parameters.h"

static const struct kv_cache *cache_of(const struct past *past)
{
    return (const struct kv_cache *)(const void *)past; /* its first member */
}

static void append(struct past *past, int layer, struct attention_view k, struct attention_view v,
                   int B, int T)
{
    const struct kv_cache *cache = cache_of(past);
    const size_t width = (size_t)cache->width, bytes = width * sizeof(float);
    CHECK(B <= cache->B && past->n + T <= cache->positions);
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++) {
            const size_t to =
                (size_t)layer * cache->layer +
                ((size_t)b * (size_t)cache->positions + (size_t)(past->n + t)) * width;
            memcpy(cache->keys + to, k.data + b * k.batch + t * k.row, bytes);
            memcpy(cache->values + to, v.data + b * v.batch + t * v.row, bytes);
        }
}

static void view(const struct past *past, int layer, struct attention_view *k,
                 struct attention_view *v)
{
    const struct kv_cache *cache = cache_of(past);
    const size_t at = (size_t)layer * cache->layer;
    const ptrdiff_t row = cache->width, batch = (ptrdiff_t)cache->positions * row;
    *k = (struct attention_view){cache->keys + at, row, batch};
    *v = (struct attention_view){cache->values + at, row, batch};
}

enum status kv_cache_init(struct kv_cache *cache, const struct model_config *config, int B,
                          int positions, struct error *err)
{
    CHECK(B >= 1 && positions >= 1 && positions <= config->T);
    *cache = (struct kv_cache){.past = {.append = append, .view = view},
                               .B = B,
                               .positions = positions,
                               .width = config->KVH * config->D};
    cache->layer = (size_t)B * (size_t)positions * (size_t)cache->width;
    cache->count = cache->layer * (size_t)config->L;
    cache->keys = pages_new(2 * cache->count * sizeof(float));
    if (!cache->keys)
        return error_set(err, STATUS_LIMIT, _("%.0f MiB of memory for keys and values"),
                         2.0 * (double)cache->count * sizeof(float) / (1 << 20));
    cache->values = cache->keys + cache->count;
    return STATUS_OK;
}

void kv_cache_done(struct kv_cache *cache)
{
    pages_free(cache->keys, 2 * cache->count * sizeof(float));
    *cache = (struct kv_cache){0};
}

void kv_cache_keep(struct kv_cache *cache, int n)
{
    CHECK(n >= 0 && n <= cache->past.n);
    cache->past.n = n;
}
