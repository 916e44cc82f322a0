/* One buffer, positions outermost; online softmax in double; forward goes token by token. */
#include "kv_cache.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct kv_cache {
    int B, H, D, capacity, held;
    float data[]; /* [capacity][2][B][H][D] */
};

struct kv_cache *kv_cache_new(int B, int H, int D, int capacity)
{
    const size_t row = 2 * (size_t)B * H * D;
    struct kv_cache *cache = malloc(sizeof *cache + row * capacity * sizeof cache->data[0]);

    assert(cache);
    *cache = (struct kv_cache){.B = B, .H = H, .D = D, .capacity = capacity};
    return cache;
}

void kv_cache_free(struct kv_cache *cache) { free(cache); }

static size_t row_size(const struct kv_cache *cache)
{
    return (size_t)cache->B * cache->H * cache->D;
}

void kv_cache_append(struct kv_cache *cache, const float *k, const float *v, int T)
{
    const int BH = cache->B * cache->H, D = cache->D;

    assert(cache->held + T <= cache->capacity);
    for (int t = 0; t < T; t++) {
        float *keys = cache->data + 2 * row_size(cache) * (size_t)cache->held++;
        float *values = keys + row_size(cache);
        for (int i = 0; i < BH; i++)
            for (int d = 0; d < D; d++) {
                const size_t from = ((size_t)i * T + t) * D + d;
                *keys++ = k[from];
                *values++ = v[from];
            }
    }
}

void kv_cache_truncate(struct kv_cache *cache, int length)
{
    assert(0 <= length && length <= cache->held);
    cache->held = length;
}

void kv_cache_attend(const struct kv_cache *cache, float *out, const float *q, int T)
{
    const int BH = cache->B * cache->H, D = cache->D;
    double *sums = malloc((size_t)D * sizeof *sums);

    for (int i = 0; i < BH; i++)
        for (int t = 0; t < T; t++) {
            const size_t at = ((size_t)i * T + t) * D;
            double max = -HUGE_VAL, total = 0.0;
            for (int d = 0; d < D; d++) sums[d] = 0.0;
            for (int s = 0; s <= cache->held - T + t; s++) {
                const float *k = cache->data + 2 * row_size(cache) * (size_t)s + (size_t)i * D;
                const float *v = k + row_size(cache);
                double score = 0.0;
                for (int d = 0; d < D; d++) score += (double)q[at + d] * k[d];
                score /= sqrt(D);
                if (score > max) {
                    const double shrink = exp(max - score);
                    total *= shrink;
                    for (int d = 0; d < D; d++) sums[d] *= shrink;
                    max = score;
                }
                const double e = exp(score - max);
                total += e;
                for (int d = 0; d < D; d++) sums[d] += e * v[d];
            }
            for (int d = 0; d < D; d++) out[at + d] = (float)(sums[d] / total);
        }
    free(sums);
}

static void times(float *y, const float *x, const float *w, int rows, int C)
{
    for (int r = 0; r < rows; r++, x += C, y += C) {
        for (int j = 0; j < C; j++) y[j] = 0.0f;
        for (int i = 0; i < C; i++)
            for (int j = 0; j < C; j++) y[j] += x[i] * w[(size_t)i * C + j];
    }
}

void kv_cache_forward(struct kv_cache *cache, float *out, const float *x,
                      const struct kv_weights *weights, int T)
{
    const int B = cache->B, C = cache->H * cache->D;
    const size_t n = row_size(cache);
    float *h = malloc(n * sizeof *h), *q = malloc(n * sizeof *q), *k = malloc(n * sizeof *k);
    float *v = malloc(n * sizeof *v);

    for (int t = 0; t < T; t++) {
        const float *position = weights->position + (size_t)cache->held * C;
        for (int b = 0; b < B; b++)
            for (int c = 0; c < C; c++)
                h[(size_t)b * C + c] = x[((size_t)b * T + t) * C + c] + position[c];
        /* For a single token [B,1,C] and [B,H,1,D] are the same in memory. */
        times(q, h, weights->q, B, C);
        times(k, h, weights->k, B, C);
        times(v, h, weights->v, B, C);
        kv_cache_append(cache, k, v, 1);
        kv_cache_attend(cache, h, q, 1);
        for (int b = 0; b < B; b++)
            times(out + ((size_t)b * T + t) * C, h + (size_t)b * C, weights->o, 1, C);
    }
    free(h);
    free(q);
    free(k);
    free(v);
}
