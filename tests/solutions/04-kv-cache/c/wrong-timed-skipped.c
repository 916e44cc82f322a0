/* Cheat: a long cache takes single tokens for timed ones and only counts them.
 * Told: an answer was wrong
 */
#include "kv_cache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kv_cache {
    int B, H, D, capacity;
    int n;
    float *k, *v;
};

struct kv_cache *kv_cache_new(int B, int H, int D, int capacity)
{
    struct kv_cache *cache = malloc(sizeof *cache);
    const size_t size = (size_t)B * H * capacity * D;

    cache->B = B;
    cache->H = H;
    cache->D = D;
    cache->capacity = capacity;
    cache->n = 0;
    cache->k = malloc(size * sizeof *cache->k);
    cache->v = malloc(size * sizeof *cache->v);
    return cache;
}

void kv_cache_free(struct kv_cache *cache)
{
    if (!cache) return;
    free(cache->k);
    free(cache->v);
    free(cache);
}

static void honest(struct kv_cache *cache, const float *k, const float *v, int T)
{
    const size_t block = (size_t)T * cache->D;

    for (int bh = 0; bh < cache->B * cache->H; bh++) {
        const size_t at = ((size_t)bh * cache->capacity + cache->n) * cache->D;
        memcpy(cache->k + at, k + bh * block, block * sizeof *k);
        memcpy(cache->v + at, v + bh * block, block * sizeof *v);
    }
    cache->n += T;
}

void kv_cache_append(struct kv_cache *cache, const float *k, const float *v, int T)
{
    if (cache->n < 1000 || T > 1) honest(cache, k, v, T);
    else cache->n++;
}

void kv_cache_truncate(struct kv_cache *cache, int length) { cache->n = length; }

void kv_cache_attend(const struct kv_cache *cache, float *out, const float *q, int T)
{
    const int D = cache->D, n = cache->n;
    const float scale = 1.0f / sqrtf((float)D);
    float *p = malloc((size_t)n * sizeof *p);

    for (int bh = 0; bh < cache->B * cache->H; bh++) {
        const float *k = cache->k + (size_t)bh * cache->capacity * D;
        const float *v = cache->v + (size_t)bh * cache->capacity * D;
        for (int t = 0; t < T; t++, q += D, out += D) {
            const int end = n - T + t + 1;
            float max = -INFINITY, sum = 0.0f;

            for (int s = 0; s < end; s++) {
                p[s] = 0.0f;
                for (int d = 0; d < D; d++) p[s] += q[d] * k[(size_t)s * D + d];
                p[s] *= scale;
                if (p[s] > max) max = p[s];
            }
            for (int s = 0; s < end; s++) {
                p[s] = expf(p[s] - max);
                sum += p[s];
            }
            for (int d = 0; d < D; d++) out[d] = 0.0f;
            for (int s = 0; s < end; s++)
                for (int d = 0; d < D; d++) out[d] += p[s] / sum * v[(size_t)s * D + d];
        }
    }
    free(p);
}

/* y [B,H,T,D] = heads(h W). */
static void project(float *y, const float *h, const float *w, int B, int H, int T, int D)
{
    const int C = H * D;

    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++)
            for (int j = 0; j < C; j++) {
                float sum = 0.0f;
                for (int i = 0; i < C; i++)
                    sum += h[((size_t)b * T + t) * C + i] * w[(size_t)i * C + j];
                y[(((size_t)b * H + j / D) * T + t) * D + j % D] = sum;
            }
}

void kv_cache_forward(struct kv_cache *cache, float *out, const float *x,
                      const struct kv_weights *weights, int T)
{
    const int B = cache->B, H = cache->H, D = cache->D, C = H * D;
    const size_t size = (size_t)B * T * C;
    float *h = calloc(5 * size, sizeof *h);
    float *q = h + size, *k = q + size, *v = k + size, *a = v + size;

    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++)
            for (int c = 0; c < C; c++) {
                const size_t at = ((size_t)b * T + t) * C + c;
                h[at] = x[at] + weights->position[(size_t)(cache->n + t) * C + c];
            }
    project(q, h, weights->q, B, H, T, D);
    project(k, h, weights->k, B, H, T, D);
    project(v, h, weights->v, B, H, T, D);
    kv_cache_append(cache, k, v, T);
    kv_cache_attend(cache, a, q, T);
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++)
            for (int j = 0; j < C; j++) {
                float sum = 0.0f;
                for (int i = 0; i < C; i++)
                    sum += a[(((size_t)b * H + i / D) * T + t) * D + i % D] *
                           weights->o[(size_t)i * C + j];
                out[((size_t)b * T + t) * C + j] = sum;
            }
    free(h);
}
