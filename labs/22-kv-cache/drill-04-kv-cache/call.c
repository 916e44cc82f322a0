/* Runs a script against the candidate's cache. Step i: truncate to keep[i] (unless it is
 * negative), take the next feed[i] tokens, ask with the last ask[i] of them or of all held.
 * With `split`, every sequence of the batch has a cache of its own, all alive at once. */
#include "kv_cache.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "grader/harness/harness.h"

enum {
    SIZES = 4, /* of the timed caches */
    TB = 2,
    TH = 2,
    TD = 16,
    ROW = TB * TH * TD,
    ROWS = 4096,  /* different inputs */
    APPENDS = 8,  /* in one timed call */
    WINDOW = 256, /* appends between two truncations, which bound the memory */
};

/* Rows `first`.. of `count` along axis 1 of [R,N,D], as a buffer of its own. */
static float *part(const float *x, int64_t R, int64_t N, int64_t D, int64_t first, int64_t count)
{
    float *copy = memory_new((size_t)(R * count * D + 1), sizeof *copy);
    for (int64_t r = 0; r < R; r++)
        memcpy(copy + r * count * D, x + (r * N + first) * D, (size_t)(count * D) * sizeof *copy);
    return copy;
}

static void paste(float *out, const float *x, int64_t R, int64_t N, int64_t D, int64_t first,
                  int64_t count)
{
    for (int64_t r = 0; r < R; r++)
        memcpy(out + (r * N + first) * D, x + r * count * D, (size_t)(count * D) * sizeof *x);
}

/* Put back what the candidate got, so that a change it made shows as one of the inputs. */
static void given(const struct record *in, const char *name, int64_t start, const float *x,
                  int64_t R, int64_t N, int64_t D, int64_t first, int64_t count)
{
    paste((float *)record_find(in, name)->data + start, x, R, N, D, first, count);
}

static void spoil(float *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++) x[i] = NAN;
}

static float *nothing(int64_t count)
{
    float *x = memory_new((size_t)(count + 1), sizeof *x);
    spoil(x, count);
    return x;
}

static void run_layer(const struct record *in, struct record *out)
{
    const int64_t B = record_dim(in, "x", 0), N = record_dim(in, "x", 1);
    const int64_t C = record_dim(in, "x", 2), H = record_int(in, "heads");
    const int64_t capacity = record_dim(in, "position", 0), n_steps = record_dim(in, "feed", 0);
    const int64_t *feed = record_i64(in, "feed"), *keep = record_i64(in, "keep");
    const struct kv_weights weights = {record_f32(in, "wq"), record_f32(in, "wk"),
                                       record_f32(in, "wv"), record_f32(in, "wo"),
                                       record_f32(in, "position")};
    const int64_t n_caches = record_int(in, "split") ? B : 1, rows = B / n_caches;
    struct kv_cache **caches = memory_new((size_t)n_caches, sizeof *caches);
    float *result = output_f32(out, "out", SHAPE(B, N, C));

    for (int64_t c = 0; c < n_caches; c++)
        caches[c] = kv_cache_new((int)rows, (int)H, (int)(C / H), (int)capacity);
    for (int64_t i = 0, at = 0; i < n_steps; at += feed[i], i++)
        for (int64_t c = 0; c < n_caches; c++) {
            const int64_t start = c * rows * N * C;
            float *x = part(record_f32(in, "x") + start, rows, N, C, at, feed[i]);
            float *y = nothing(rows * feed[i] * C);
            if (keep[i] >= 0) kv_cache_truncate(caches[c], (int)keep[i]);
            kv_cache_forward(caches[c], y, x, &weights, (int)feed[i]);
            given(in, "x", start, x, rows, N, C, at, feed[i]);
            paste(result + start, y, rows, N, C, at, feed[i]);
            free(x);
            free(y);
        }
    for (int64_t c = 0; c < n_caches; c++) kv_cache_free(caches[c]);
    free(caches);
}

static void run_cache(const struct record *in, struct record *out)
{
    const int64_t B = record_dim(in, "k", 0), H = record_dim(in, "k", 1);
    const int64_t N = record_dim(in, "k", 2), D = record_dim(in, "k", 3);
    const int64_t M = record_dim(in, "q", 2), n_steps = record_dim(in, "feed", 0);
    const int64_t *feed = record_i64(in, "feed"), *ask = record_i64(in, "ask");
    const int64_t *keep = record_i64(in, "keep");
    struct kv_cache *cache = kv_cache_new((int)B, (int)H, (int)D, (int)record_int(in, "capacity"));
    float *result = output_f32(out, "out", SHAPE(B, H, M, D));

    for (int64_t i = 0, at = 0, asked = 0; i < n_steps; at += feed[i], asked += ask[i], i++) {
        float *k = part(record_f32(in, "k"), B * H, N, D, at, feed[i]);
        float *v = part(record_f32(in, "v"), B * H, N, D, at, feed[i]);
        float *q = part(record_f32(in, "q"), B * H, M, D, asked, ask[i]);
        float *y = nothing(B * H * ask[i] * D);
        if (keep[i] >= 0) kv_cache_truncate(cache, (int)keep[i]);
        kv_cache_append(cache, k, v, (int)feed[i]);
        given(in, "k", 0, k, B * H, N, D, at, feed[i]);
        given(in, "v", 0, v, B * H, N, D, at, feed[i]);
        spoil(k, B * H * feed[i] * D);
        spoil(v, B * H * feed[i] * D);
        kv_cache_attend(cache, y, q, (int)ask[i]);
        given(in, "q", 0, q, B * H, M, D, asked, ask[i]);
        paste(result, y, B * H, M, D, asked, ask[i]);
        free(k);
        free(v);
        free(q);
        free(y);
    }
    kv_cache_free(cache);
}

/* Row r of the timed inputs: the ROW numbers that begin at r, here of k and v each. */
static void fill_cache(struct kv_cache *cache, const struct record *in, int64_t n)
{
    const float *from_k = record_f32(in, "fill_k"), *from_v = record_f32(in, "fill_v");
    float *k = memory_new((size_t)(n * ROW), sizeof *k),
          *v = memory_new((size_t)(n * ROW), sizeof *v);
    for (int64_t bh = 0; bh < TB * TH; bh++)
        for (int64_t i = 0; i < n; i++) {
            memcpy(k + (bh * n + i) * TD, from_k + i % ROWS + bh * TD, TD * sizeof *k);
            memcpy(v + (bh * n + i) * TD, from_v + (i + i / ROWS) % ROWS + bh * TD, TD * sizeof *v);
        }
    kv_cache_append(cache, k, v, (int)n);
    free(k);
    free(v);
}

/* `calls` times APPENDS appends of one token to a cache that holds n, each with inputs of its own;
 * then, when asked, one question, whose answer depends on all that is held. The caches of all sizes
 * are filled in the first call and kept, so that filling is no part of the time. */
static void run_timed(const struct record *in, struct record *out)
{
    static struct kv_cache *caches[SIZES];
    const int64_t appends = APPENDS * record_int(in, "calls");
    const int64_t turn = record_int(in, "turn") + 613 * record_int(in, "done");
    const int64_t *sizes = record_i64(in, "sizes"), which = record_int(in, "which");
    const float *k = record_f32(in, "k"), *v = record_f32(in, "v");

    for (int i = 0; i < SIZES && !caches[SIZES - 1]; i++) {
        caches[i] = kv_cache_new(TB, TH, TD, (int)(sizes[i] + WINDOW));
        fill_cache(caches[i], in, sizes[i]);
    }
    for (int64_t i = 0; i < appends; i++) {
        const int64_t row = (turn + i + 7 * (i / WINDOW)) % ROWS;
        if (i % WINDOW == 0) kv_cache_truncate(caches[which], (int)sizes[which]);
        kv_cache_append(caches[which], k + row, v + row, 1);
    }
    if (!record_int(in, "asked")) {
        record_add_int(out, "appends", appends);
        return;
    }

    const int64_t window = (appends - 1) / WINDOW, first = turn + window * (WINDOW + 7);
    float q[ROW]; /* 8 times the keys at the positions sought */
    for (int64_t bh = 0; bh < TB * TH; bh++) {
        const int64_t at = record_i64(in, "sought")[bh], n = sizes[which];
        const float *row =
            at < n ? record_f32(in, "fill_k") + at % ROWS : k + (first + at - n) % ROWS;
        for (int64_t d = bh * TD; d < (bh + 1) * TD; d++) q[d] = 8.0f * row[d];
    }
    kv_cache_attend(caches[which], output_f32(out, "out", SHAPE(TB, TH, 1, TD)), q, 1);
}

void harness_call(const struct record *in, struct record *out)
{
    if (record_find(in, "calls")) run_timed(in, out);
    else if (record_find(in, "x")) run_layer(in, out);
    else run_cache(in, out);
}
