#include "kv_cache.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct kv_cache {
    int B, H, D, capacity;
    int length; /* positions held, so also the position of the next token */
    //: stale-positions
    //| int counted;
    //: right
    //: end
    float *k, *v; /* [B,H,capacity,D] */
};

/* Where row [i,j,k,:] starts in a [*,J,K,N] buffer. */
static size_t row_at(int i, int j, int k, int J, int K, int N)
{
    return (((size_t)i * (size_t)J + (size_t)j) * (size_t)K + (size_t)k) * (size_t)N;
}

struct kv_cache *kv_cache_new(int B, int H, int D, int capacity)
{
    struct kv_cache *cache = calloc(1, sizeof *cache);
    const size_t count = (size_t)B * (size_t)H * (size_t)capacity * (size_t)D;
    cache->B = B, cache->H = H, cache->D = D, cache->capacity = capacity;
    cache->k = calloc(count, sizeof *cache->k);
    cache->v = calloc(count, sizeof *cache->v);
    return cache;
}

void kv_cache_free(struct kv_cache *cache)
{
    if (!cache) return;
    free(cache->k);
    free(cache->v);
    free(cache);
}

//: copy-each-step
//| static float *moved(const struct kv_cache *c, float *old)
//| {
//|     float *new = malloc((size_t)c->B * (size_t)c->H * (size_t)c->capacity * (size_t)c->D * sizeof *new);
//|     for (int b = 0; b < c->B; b++)
//|         for (int h = 0; h < c->H; h++)
//|             memcpy(new + row_at(b, h, 0, c->H, c->capacity, c->D),
//|                    old + row_at(b, h, 0, c->H, c->capacity, c->D),
//|                    (size_t)c->length * (size_t)c->D * sizeof *new);
//|     free(old);
//|     return new;
//| }
//|
//: right
//: end
void kv_cache_append(struct kv_cache *cache, const float *k, const float *v, int T)
{
    const int B = cache->B, H = cache->H, D = cache->D;
    const size_t size = (size_t)T * (size_t)D * sizeof *k;

    //: copy-each-step
    //| cache->k = moved(cache, cache->k);
    //| cache->v = moved(cache, cache->v);
    //: right
    //: end
    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++) {
            const size_t to = row_at(b, h, cache->length, H, cache->capacity, D);
            //: shared-rows
            //| const size_t from = row_at(B - 1, h, 0, H, T, D);
            //: right
            const size_t from = row_at(b, h, 0, H, T, D);
            //: end
            memcpy(cache->k + to, k + from, size);
            memcpy(cache->v + to, v + from, size);
        }
    cache->length += T;
    //: stale-positions
    //| cache->counted += T;
    //: right
    //: end
}

void kv_cache_truncate(struct kv_cache *cache, int length) { cache->length = length; }

void kv_cache_attend(const struct kv_cache *cache, float *out, const float *q, int T)
{
    const int H = cache->H, D = cache->D, S = cache->length;
    const float scale = 1.0f / sqrtf((float)D);
    float *weight = malloc((size_t)S * sizeof *weight);

    for (int b = 0; b < cache->B; b++)
        for (int h = 0; h < H; h++)
            for (int t = 0; t < T; t++) {
                //: mask-when-t-below-s
                //| const int visible = t + 1;
                //: right
                const int visible = S - T + t + 1; /* query t stands at position S - T + t */
                //: end
                const float *query = q + row_at(b, h, t, H, T, D);
                const float *k = cache->k + row_at(b, h, 0, H, cache->capacity, D);
                const float *v = cache->v + row_at(b, h, 0, H, cache->capacity, D);
                float *mixed = out + row_at(b, h, t, H, T, D);
                float max = -INFINITY, sum = 0.0f;

                for (int s = 0; s < visible; s++) {
                    float dot = 0.0f;
                    for (int i = 0; i < D; i++) dot += query[i] * k[s * D + i];
                    weight[s] = scale * dot;
                    max = fmaxf(max, weight[s]);
                }
                for (int s = 0; s < visible; s++) sum += weight[s] = expf(weight[s] - max);
                for (int i = 0; i < D; i++) mixed[i] = 0.0f;
                for (int s = 0; s < visible; s++)
                    for (int i = 0; i < D; i++) mixed[i] += weight[s] / sum * v[s * D + i];
            }
    free(weight);
}

/* y = x W, x in rows of C */
static void project(float *y, const float *x, const float *w, int rows, int C)
{
    for (int r = 0; r < rows; r++) {
        float *to = y + (size_t)r * (size_t)C;
        for (int j = 0; j < C; j++) to[j] = 0.0f;
        for (int i = 0; i < C; i++) {
            const float xi = x[(size_t)r * (size_t)C + (size_t)i];
            for (int j = 0; j < C; j++) to[j] += xi * w[(size_t)i * (size_t)C + (size_t)j];
        }
    }
}

/* [B,J,K,D] -> [B,K,J,D]: with J = T and K = H this splits the heads, the other way it joins them */
static void swap_axes(float *y, const float *x, int B, int J, int K, int D)
{
    for (int b = 0; b < B; b++)
        for (int j = 0; j < J; j++)
            for (int k = 0; k < K; k++)
                memcpy(y + row_at(b, k, j, K, J, D), x + row_at(b, j, k, J, K, D),
                       (size_t)D * sizeof *y);
}

void kv_cache_forward(struct kv_cache *cache, float *out, const float *x,
                      const struct kv_weights *weights, int T)
{
    const int B = cache->B, H = cache->H, D = cache->D, C = H * D, rows = B * T;
    const size_t count = (size_t)rows * (size_t)C;
    float *work = malloc(5 * count * sizeof *work);
    float *hidden = work, *flat = work + count;
    float *q = work + 2 * count, *k = work + 3 * count, *v = work + 4 * count; /* [B,H,T,D] */

    //: stale-positions
    //| const int first = cache->counted;
    //: positions-from-zero
    //| const int first = 0;
    //: right
    const int first = cache->length;
    //: end
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < C; c++)
            hidden[(size_t)r * (size_t)C + (size_t)c] =
                x[(size_t)r * (size_t)C + (size_t)c] +
                weights->position[(size_t)(first + r % T) * (size_t)C + (size_t)c];

    project(flat, hidden, weights->q, rows, C);
    swap_axes(q, flat, B, T, H, D);
    project(flat, hidden, weights->k, rows, C);
    swap_axes(k, flat, B, T, H, D);
    //: value-before-computed
    //| swap_axes(v, hidden, B, T, H, D);
    //: right
    project(flat, hidden, weights->v, rows, C);
    swap_axes(v, flat, B, T, H, D);
    //: end

    kv_cache_append(cache, k, v, T);
    kv_cache_attend(cache, k, q, T); /* k is in the cache by now: its space is free */
    swap_axes(flat, k, B, H, T, D);
    project(out, flat, weights->o, rows, C);
    free(work);
}
