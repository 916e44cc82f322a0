/* A linked list of chunks, one per append, newest first; nothing is allocated ahead. */
#include "kv_cache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
    struct chunk *older;
    int first, count, stride; /* positions first .. first+count-1; stride: rows as allocated */
    float *k, *v;             /* [B*H, stride, D] */
};

struct kv_cache {
    int B, H, D;
    struct chunk *newest;
};

static int held(const struct kv_cache *cache)
{
    return cache->newest ? cache->newest->first + cache->newest->count : 0;
}

static void drop(struct kv_cache *cache)
{
    struct chunk *chunk = cache->newest;
    cache->newest = chunk->older;
    free(chunk->k);
    free(chunk->v);
    free(chunk);
}

struct kv_cache *kv_cache_new(int B, int H, int D, int capacity)
{
    struct kv_cache *cache = calloc(1, sizeof *cache);
    (void)capacity;
    cache->B = B;
    cache->H = H;
    cache->D = D;
    return cache;
}

void kv_cache_free(struct kv_cache *cache)
{
    while (cache && cache->newest) drop(cache);
    free(cache);
}

void kv_cache_append(struct kv_cache *cache, const float *k, const float *v, int T)
{
    const size_t bytes = (size_t)cache->B * cache->H * T * cache->D * sizeof *k;
    struct chunk *chunk = malloc(sizeof *chunk);

    chunk->first = held(cache);
    chunk->count = chunk->stride = T;
    chunk->k = malloc(bytes);
    chunk->v = malloc(bytes);
    memcpy(chunk->k, k, bytes);
    memcpy(chunk->v, v, bytes);
    chunk->older = cache->newest;
    cache->newest = chunk;
}

void kv_cache_truncate(struct kv_cache *cache, int length)
{
    while (cache->newest && cache->newest->first >= length) drop(cache);
    if (cache->newest) cache->newest->count = length - cache->newest->first;
}

/* The memory of one head row at position s, found by walking the chunks back. */
static const float *row(const struct chunk *chunk, int values, int bh, int s, int D)
{
    while (s < chunk->first) chunk = chunk->older;
    return (values ? chunk->v : chunk->k) + ((size_t)bh * chunk->stride + (s - chunk->first)) * D;
}

void kv_cache_attend(const struct kv_cache *cache, float *out, const float *q, int T)
{
    const int n = held(cache), D = cache->D;
    double *p = malloc((size_t)n * sizeof *p);

    for (int i = 0; i < cache->B * cache->H * T; i++) {
        const int bh = i / T, last = n - T + i % T;
        const float *query = q + (size_t)i * D;
        float *o = out + (size_t)i * D;
        double max = -HUGE_VAL, sum = 0;

        for (int s = last; s >= 0; s--) {
            const float *k = row(cache->newest, 0, bh, s, D);
            p[s] = 0;
            for (int d = 0; d < D; d++) p[s] += (double)query[d] * k[d];
            p[s] /= sqrt(D);
            max = p[s] > max ? p[s] : max;
        }
        for (int s = 0; s <= last; s++) sum += p[s] = exp(p[s] - max);
        memset(o, 0, (size_t)D * sizeof *o);
        for (int s = 0; s <= last; s++) {
            const float *v = row(cache->newest, 1, bh, s, D);
            for (int d = 0; d < D; d++) o[d] += (float)(p[s] / sum * v[d]);
        }
    }
    free(p);
}

enum layout { TOKENS_FIRST, HEADS_FIRST };

static size_t index_of(enum layout layout, int b, int t, int c, int H, int T, int D)
{
    if (layout == TOKENS_FIRST) return ((size_t)b * T + t) * H * D + c;
    return (((size_t)b * H + c / D) * T + t) * D + c % D;
}

/* A new array y = x w; x and y in the given layouts. */
static float *linear(const struct kv_cache *cache, const float *x, enum layout x_layout,
                     const float *w, enum layout y_layout, int T)
{
    const int H = cache->H, D = cache->D, C = H * D;
    float *y = calloc((size_t)cache->B * T * C, sizeof *y);

    for (int b = 0; b < cache->B; b++)
        for (int t = 0; t < T; t++)
            for (int i = 0; i < C; i++)
                for (int j = 0; j < C; j++)
                    y[index_of(y_layout, b, t, j, H, T, D)] +=
                        x[index_of(x_layout, b, t, i, H, T, D)] * w[(size_t)i * C + j];
    return y;
}

void kv_cache_forward(struct kv_cache *cache, float *out, const float *x,
                      const struct kv_weights *weights, int T)
{
    const size_t piece = (size_t)T * cache->H * cache->D, size = piece * cache->B;
    const float *position = weights->position + (size_t)held(cache) * cache->H * cache->D;
    float *h = malloc(size * sizeof *h);

    for (size_t i = 0; i < size; i++) h[i] = x[i] + position[i % piece];

    float *q = linear(cache, h, TOKENS_FIRST, weights->q, HEADS_FIRST, T);
    float *k = linear(cache, h, TOKENS_FIRST, weights->k, HEADS_FIRST, T);
    float *v = linear(cache, h, TOKENS_FIRST, weights->v, HEADS_FIRST, T);
    kv_cache_append(cache, k, v, T);
    kv_cache_attend(cache, h, q, T);
    float *y = linear(cache, h, HEADS_FIRST, weights->o, TOKENS_FIRST, T);
    memcpy(out, y, size * sizeof *out);

    free(h);
    free(q);
    free(k);
    free(v);
    free(y);
}
