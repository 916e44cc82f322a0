/* A KV cache in float64, with the mistakes people make.
 *
 *   h = x + position[p]          p: where the token stands in its sequence
 *   q, k, v = heads(h Wq), heads(h Wk), heads(h Wv);  k and v join the cache
 *   out = join(softmax(q . k[0..p] / sqrt(D)) v[0..p]) Wo
 *
 * The inputs are a script (call.c has its words): feeding in any pieces must give
 * what one pass over the whole sequence gives.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grader/oracle.h"

enum {
    MASK_T_BELOW_S,
    POSITIONS_FROM_ZERO,
    STALE_POSITIONS,
    SHARED_ROWS,
    VALUE_BEFORE,
    COPY_EACH_STEP,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [MASK_T_BELOW_S] = {.name = "mask-when-t-below-s"},
    [POSITIONS_FROM_ZERO] = {.name = "positions-from-zero"},
    [STALE_POSITIONS] = {.name = "stale-positions"},
    [SHARED_ROWS] = {.name = "shared-rows"},
    [VALUE_BEFORE] = {.name = "value-before-computed"},
    [COPY_EACH_STEP] = {.name = "copy-each-step", .found = FOUND_BY_COMPLEXITY},
};

enum {
    APPEND_ONCE,
    APPEND_BY_ONE,
    LAYER_WHOLE,
    LAYER_DECODE,
    APPEND_PIECES,
    LAYER_PIECES,
    ODD,
    LONG,
    FEW_QUERIES,
    REWIND,
    LAYER_REWIND,
    TWO_CACHES,
    AT_ONCE,
    ONE_BY_ONE,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [APPEND_ONCE] = {N_("append once, attend"), CASE_NUMBERS, true},
    [APPEND_BY_ONE] = {N_("append and attend, one token at a time"), CASE_NUMBERS, true},
    [LAYER_WHOLE] = {N_("forward, one pass"), CASE_NUMBERS, true},
    [LAYER_DECODE] = {N_("forward, prefill and decode"), CASE_NUMBERS, true},
    [APPEND_PIECES] = {N_("append and attend, several tokens at a time"), CASE_NUMBERS, false},
    [LAYER_PIECES] = {N_("forward, several tokens at a time"), CASE_NUMBERS, false},
    [ODD] = {N_("odd sizes"), CASE_NUMBERS, false},
    [LONG] = {N_("longer sequence"), CASE_NUMBERS, false},
    [FEW_QUERIES] = {N_("fewer or more queries than new positions"), CASE_EDGE, false},
    [REWIND] = {N_("append after truncate"), CASE_EDGE, false},
    [LAYER_REWIND] = {N_("forward after truncate"), CASE_EDGE, false},
    [TWO_CACHES] = {N_("several caches at once"), CASE_EDGE, false},
    [AT_ONCE] = {N_("prefill and decode, at once"), CASE_PROPERTY, false},
    [ONE_BY_ONE] = {N_("prefill and decode, one by one"), CASE_PROPERTY, false},
};

/* Truncate to `keep` (unless negative), take `feed` tokens, ask `ask` queries. */
struct step {
    int feed, ask, keep;
};

#define STEPS(...) \
    (const struct step[]){__VA_ARGS__}, \
        (int)(sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static void fill(struct record *in, const char *name, int ndim, const int64_t *dims, double size,
                 struct rng *rng)
{
    float *x = record_add_f32(in, name, ndim, dims);
    const int64_t count = array_count(record_find(in, name));
    for (int64_t i = 0; i < count; i++) x[i] = (float)(size * rng_normal(rng));
}

static void add_steps(struct record *in, const struct step *steps, int n, int64_t *fed,
                      int64_t *asked)
{
    int64_t *feed = record_add_i64(in, "feed", SHAPE(n)),
            *ask = record_add_i64(in, "ask", SHAPE(n));
    int64_t *keep = record_add_i64(in, "keep", SHAPE(n));
    for (int i = 0; i < n; i++) {
        *fed += feed[i] = steps[i].feed;
        *asked += ask[i] = steps[i].ask;
        keep[i] = steps[i].keep;
    }
}

static void make_cache(struct record *in, struct rng *rng, int64_t B, int64_t H, int64_t D,
                       const struct step *steps, int n_steps)
{
    int64_t N = 0, M = 0;
    add_steps(in, steps, n_steps, &N, &M);
    fill(in, "k", SHAPE(B, H, N, D), 1.0, rng);
    fill(in, "v", SHAPE(B, H, N, D), 1.0, rng);
    fill(in, "q", SHAPE(B, H, M, D), 1.0, rng);
    record_add_int(in, "capacity", N); /* exactly as much as is ever fed */
}

static void make_layer(struct record *in, struct rng *rng, int64_t B, int64_t H, int64_t D,
                       bool split, const struct step *steps, int n_steps)
{
    static const char *const names[] = {"wq", "wk", "wv", "wo"};
    const int64_t C = H * D;
    int64_t N = 0, M = 0;
    add_steps(in, steps, n_steps, &N, &M);
    fill(in, "x", SHAPE(B, N, C), 1.0, rng);
    for (int i = 0; i < 4; i++) fill(in, names[i], SHAPE(C, C), 1.0 / sqrt((double)C), rng);
    fill(in, "position", SHAPE(N, C), 1.0, rng);
    record_add_int(in, "heads", H);
    *record_add_bool(in, "split", SCALAR) = split;
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    switch (kind) {
    case APPEND_ONCE: make_cache(in, rng, 1, 2, 4, STEPS({5, 5, -1})); break;
    case APPEND_BY_ONE:
        make_cache(in, rng, 2, 2, 4, STEPS({1, 1, -1}, {1, 1, -1}, {1, 1, -1}, {1, 1, -1}));
        break;
    case LAYER_WHOLE: make_layer(in, rng, 2, 2, 4, false, STEPS({5, 5, -1})); break;
    case LAYER_DECODE:
        make_layer(in, rng, 2, 2, 4, false, STEPS({4, 4, -1}, {1, 1, -1}, {1, 1, -1}));
        break;
    case APPEND_PIECES:
        make_cache(in, rng, 2, 3, 8, STEPS({3, 3, -1}, {1, 1, -1}, {4, 4, -1}, {2, 2, -1}));
        break;
    case LAYER_PIECES:
        make_layer(in, rng, 2, 4, 4, false, STEPS({2, 2, -1}, {5, 5, -1}, {1, 1, -1}, {3, 3, -1}));
        break;
    case ODD: make_layer(in, rng, 3, 5, 3, false, STEPS({7, 7, -1}, {1, 1, -1}, {2, 2, -1})); break;
    case LONG:
        make_layer(in, rng, 1, 2, 16, false,
                   STEPS({40, 40, -1}, {1, 1, -1}, {1, 1, -1}, {6, 6, -1}, {1, 1, -1}));
        break;
    case FEW_QUERIES:
        make_cache(in, rng, 2, 2, 4, STEPS({6, 2, -1}, {3, 1, -1}, {1, 5, -1}));
        break;
    case REWIND: /* to some, to all, to none of what is held */
        make_cache(in, rng, 2, 2, 4,
                   STEPS({5, 5, -1}, {2, 2, 3}, {1, 1, -1}, {2, 2, 6}, {3, 3, 0}, {1, 1, -1}));
        break;
    case LAYER_REWIND:
        make_layer(in, rng, 2, 2, 4, false,
                   STEPS({5, 5, -1}, {2, 2, 3}, {1, 1, -1}, {3, 3, 0}, {1, 1, -1}));
        break;
    case TWO_CACHES:
        make_layer(in, rng, 3, 2, 4, true, STEPS({4, 4, -1}, {1, 1, -1}, {2, 2, -1}));
        break;
    case AT_ONCE:
        rng_init(rng, rng->seed, AT_ONCE);
        make_layer(in, rng, 2, 2, 4, false, STEPS({6, 6, -1}));
        break;
    case ONE_BY_ONE: /* the same numbers, token by token */
        rng_init(rng, rng->seed, AT_ONCE);
        make_layer(in, rng, 2, 2, 4, false,
                   STEPS({1, 1, -1}, {1, 1, -1}, {1, 1, -1}, {1, 1, -1}, {1, 1, -1}, {1, 1, -1}));
        break;
    default: CHECK(kind >= 0 && kind < N_KINDS);
    }
}

struct cache {
    int64_t B, H, D, capacity;
    int64_t length;  /* positions held */
    int64_t counted; /* positions ever appended, which truncate() does not lower */
    double *k, *v;   /* [B,H,capacity,D] */
};

static struct cache cache_of(int64_t B, int64_t H, int64_t D, int64_t capacity)
{
    struct cache cache = {.B = B, .H = H, .D = D, .capacity = capacity};
    cache.k = memory_new((size_t)(B * H * capacity * D), sizeof *cache.k);
    cache.v = memory_new((size_t)(B * H * capacity * D), sizeof *cache.v);
    return cache;
}

static void cache_done(struct cache *cache)
{
    free(cache->k);
    free(cache->v);
}

static void append(struct cache *cache, const double *k, const double *v, int64_t T, bool shared)
{
    const int64_t H = cache->H, D = cache->D;
    for (int64_t b = 0; b < cache->B; b++)
        for (int64_t h = 0; h < H; h++) {
            const int64_t to = ((b * H + h) * cache->capacity + cache->length) * D;
            const int64_t from = ((shared ? cache->B - 1 : b) * H + h) * T * D;
            memcpy(cache->k + to, k + from, (size_t)(T * D) * sizeof *k);
            memcpy(cache->v + to, v + from, (size_t)(T * D) * sizeof *v);
        }
    cache->length += T;
    cache->counted += T;
}

static void attend(const struct cache *cache, double *out, const double *q, int64_t T,
                   uint32_t made)
{
    const int64_t D = cache->D, S = cache->length;
    double *weight = memory_new((size_t)S, sizeof *weight);
    for (int64_t bh = 0; bh < cache->B * cache->H; bh++)
        for (int64_t t = 0; t < T; t++) {
            const double *k = cache->k + bh * cache->capacity * D;
            const double *v = cache->v + bh * cache->capacity * D;
            const double *query = q + (bh * T + t) * D;
            double *mixed = out + (bh * T + t) * D, max = -INFINITY, sum = 0.0;
            const int64_t visible = (made & 1u << MASK_T_BELOW_S ? 0 : S - T) + t + 1;

            for (int64_t s = 0; s < visible; s++) {
                weight[s] = 0.0;
                for (int64_t i = 0; i < D; i++) weight[s] += query[i] * k[s * D + i];
                weight[s] /= sqrt((double)D);
                max = fmax(max, weight[s]);
            }
            for (int64_t s = 0; s < visible; s++) sum += weight[s] = exp(weight[s] - max);
            for (int64_t i = 0; i < D; i++) mixed[i] = 0.0;
            for (int64_t s = 0; s < visible; s++)
                for (int64_t i = 0; i < D; i++) mixed[i] += weight[s] / sum * v[s * D + i];
        }
    free(weight);
}

/* Positions `first`.. of a float32 [R,N,D] as float64 [R,count,D] */
static double *part(const float *x, int64_t R, int64_t N, int64_t D, int64_t first, int64_t count)
{
    double *copy = memory_new((size_t)(R * count * D), sizeof *copy);
    for (int64_t r = 0; r < R; r++)
        for (int64_t i = 0; i < count * D; i++)
            copy[r * count * D + i] = (double)x[(r * N + first) * D + i];
    return copy;
}

static void paste(double *out, const double *x, int64_t R, int64_t N, int64_t D, int64_t first,
                  int64_t count)
{
    for (int64_t r = 0; r < R; r++)
        memcpy(out + (r * N + first) * D, x + r * count * D, (size_t)(count * D) * sizeof *x);
}

static void solve_cache(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t B = record_dim(in, "k", 0), H = record_dim(in, "k", 1);
    const int64_t N = record_dim(in, "k", 2), D = record_dim(in, "k", 3);
    const int64_t M = record_dim(in, "q", 2), n_steps = record_dim(in, "feed", 0);
    const int64_t *feed = record_i64(in, "feed"), *ask = record_i64(in, "ask");
    const int64_t *keep = record_i64(in, "keep");
    double *result = record_add_f64(out, "out", SHAPE(B, H, M, D));
    struct cache cache = cache_of(B, H, D, N);

    for (int64_t i = 0, at = 0, asked = 0; i < n_steps; at += feed[i], asked += ask[i], i++) {
        double *k = part(record_f32(in, "k"), B * H, N, D, at, feed[i]);
        double *v = part(record_f32(in, "v"), B * H, N, D, at, feed[i]);
        double *q = part(record_f32(in, "q"), B * H, M, D, asked, ask[i]);
        double *y = memory_new((size_t)(B * H * ask[i] * D), sizeof *y);
        if (keep[i] >= 0) cache.length = keep[i];
        append(&cache, k, v, feed[i], made & 1u << SHARED_ROWS);
        attend(&cache, y, q, ask[i], made);
        paste(result, y, B * H, M, D, asked, ask[i]);
        free(k);
        free(v);
        free(q);
        free(y);
    }
    cache_done(&cache);
}

/* [B,T,C] -> heads(x W) [B,H,T,D]; without W the heads of x itself */
static double *heads(const double *x, const float *w, int64_t B, int64_t T, int64_t H, int64_t D)
{
    const int64_t C = H * D;
    double *y = memory_new((size_t)(B * T * C), sizeof *y);
    for (int64_t r = 0; r < B * T; r++)
        for (int64_t c = 0; c < C; c++) {
            double sum = w ? 0.0 : x[r * C + c];
            for (int64_t j = 0; w && j < C; j++) sum += x[r * C + j] * (double)w[j * C + c];
            y[((r / T * H + c / D) * T + r % T) * D + c % D] = sum;
        }
    return y;
}

static void forward(struct cache *cache, double *out, double *x, const struct record *in, int64_t T,
                    uint32_t made)
{
    const int64_t B = cache->B, H = cache->H, D = cache->D, C = H * D;
    const float *position = record_f32(in, "position"), *wo = record_f32(in, "wo");
    int64_t first = cache->length;
    if (made & 1u << POSITIONS_FROM_ZERO) first = 0;
    if (made & 1u << STALE_POSITIONS) first = cache->counted;

    for (int64_t r = 0; r < B * T; r++)
        for (int64_t c = 0; c < C; c++) x[r * C + c] += (double)position[(first + r % T) * C + c];
    double *q = heads(x, record_f32(in, "wq"), B, T, H, D);
    double *k = heads(x, record_f32(in, "wk"), B, T, H, D);
    double *v = heads(x, made & 1u << VALUE_BEFORE ? NULL : record_f32(in, "wv"), B, T, H, D);
    double *mixed = memory_new((size_t)(B * T * C), sizeof *mixed);

    append(cache, k, v, T, made & 1u << SHARED_ROWS);
    attend(cache, mixed, q, T, made);
    for (int64_t r = 0; r < B * T; r++)
        for (int64_t c = 0; c < C; c++) {
            double sum = 0.0;
            for (int64_t j = 0; j < C; j++)
                sum += mixed[((r / T * H + j / D) * T + r % T) * D + j % D] * (double)wo[j * C + c];
            out[r * C + c] = sum;
        }
    free(q);
    free(k);
    free(v);
    free(mixed);
}

static void solve_layer(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t B = record_dim(in, "x", 0), N = record_dim(in, "x", 1);
    const int64_t C = record_dim(in, "x", 2), H = record_int(in, "heads");
    const int64_t *feed = record_i64(in, "feed"), *keep = record_i64(in, "keep");
    const int64_t n_caches = record_int(in, "split") ? B : 1, rows = B / n_caches;
    double *result = record_add_f64(out, "out", SHAPE(B, N, C));

    for (int64_t c = 0; c < n_caches; c++) {
        struct cache cache = cache_of(rows, H, C / H, N);
        const int64_t start = c * rows * N * C;
        for (int64_t i = 0, at = 0; i < record_dim(in, "feed", 0); at += feed[i], i++) {
            double *x = part(record_f32(in, "x") + start, rows, N, C, at, feed[i]);
            double *y = memory_new((size_t)(rows * feed[i] * C), sizeof *y);
            if (keep[i] >= 0) cache.length = keep[i];
            forward(&cache, y, x, in, feed[i], made);
            paste(result + start, y, rows, N, C, at, feed[i]);
            free(x);
            free(y);
        }
        cache_done(&cache);
    }
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    if (record_find(in, "x")) solve_layer(out, in, made);
    else solve_cache(out, in, made);
}

/* The longest chain of sums: width, positions, width again. */
static int64_t reduction(const struct record *in)
{
    if (record_find(in, "x")) return 2 * record_dim(in, "x", 2) + record_dim(in, "x", 1);
    return record_dim(in, "k", 2) + record_dim(in, "k", 3);
}

static const struct output_rule rules[] = {{.field = "out", .reduction = reduction}};

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    const struct record *once = NULL, *by_one = NULL;
    int index = 0;
    for (int i = 0; i < n_runs; i++) {
        if (runs[i].kind == AT_ONCE) once = runs[i].out;
        if (runs[i].kind == ONE_BY_ONE) by_one = runs[i].out, index = i;
    }
    if (!once || !by_one || !once->n_fields || !by_one->n_fields) return;

    const struct array *a = record_find(once, "out"), *b = record_find(by_one, "out");
    const int64_t N = a->dims[1], C = a->dims[2];
    for (int64_t i = 0; i < array_count(a); i++) {
        const double x = array_at(a, i), y = array_at(b, i);
        if (!(fabs(x - y) > 1e-3 * (1.0 + fabs(x)))) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("sequence %d, token %d: one pass over all tokens gives %g, one token at a "
                      "time gives %g: with a cache both must be the same"),
                    (int)(i / (N * C)), (int)(i / C % N), x, y);
        return;
    }
}

enum { SPEED_N = 48, SHORTEST = 2048 };
enum { TB = 2, TH = 2, TD = 16, ROW = TB * TH * TD }; /* the timed caches */
enum { ROWS = 4096, WINDOW = 256, APPENDS = 8 };      /* as in call.c and call.py */

/* What a timed cache holds. Row r is ROW numbers of `k` and of `v` beginning at r, so that a call
 * has inputs of its own without any being made: first the rows of the fill, as many as the size,
 * then those appended since the last truncation. */
struct timed {
    const float *fill_k, *fill_v, *k, *v;
    int64_t n_fill, n_held;
    int64_t first; /* row of the first appended one that is held; others follow, modulo ROWS */
};

static struct timed timed_of(const struct record *in)
{
    struct timed t = {
        .fill_k = record_f32(in, "fill_k"),
        .fill_v = record_f32(in, "fill_v"),
        .k = record_f32(in, "k"),
        .v = record_f32(in, "v"),
        .n_fill = record_i64(in, "sizes")[record_int(in, "which")],
    };
    const int64_t appends = APPENDS * record_int(in, "calls");
    const int64_t truncated = (appends - 1) / WINDOW * WINDOW;
    const int64_t done = record_find(in, "done") ? record_int(in, "done") : 0;
    t.first = record_int(in, "turn") + 613 * done + truncated + 7 * (truncated / WINDOW);
    t.n_held = t.n_fill + appends - truncated;
    return t;
}

static const float *key_at(const struct timed *t, int64_t i)
{
    return i < t->n_fill ? t->fill_k + i % ROWS : t->k + (t->first + i - t->n_fill) % ROWS;
}

/* Keys repeat after ROWS positions of the fill; their values do not. */
static const float *value_at(const struct timed *t, int64_t i)
{
    return i < t->n_fill ? t->fill_v + (i + i / ROWS) % ROWS
                         : t->v + (t->first + i - t->n_fill) % ROWS;
}

/* Some of the many are looked for: a query is 8 times the key of one of them (call.c makes it), whose 16 numbers are 1 or -1, so that
 * its weight is that of a few thousand others, and out is its value or a mean of few. */
static void make_append(struct record *in, int64_t n, int calls, struct rng *rng)
{
    static const char *const names[] = {"fill_k", "fill_v", "k", "v"};
    struct rng fill_rng;
    rng_init(&fill_rng, rng->seed, SHORTEST); /* the same for all messages: caches are kept */
    int64_t *sizes = record_add_i64(in, "sizes", SHAPE(TIMED_SIZES)), which = 0;
    for (int i = 0; i < TIMED_SIZES; i++) {
        sizes[i] = SHORTEST << i;
        if (sizes[i] == n) which = i;
    }
    for (int i = 0; i < 4; i++) {
        fill(in, names[i], SHAPE(ROWS + ROW), 1.0, i < 2 ? &fill_rng : rng);
        float *x = (float *)record_find(in, names[i])->data;
        for (int64_t r = 0; i % 2 == 0 && r < ROWS + ROW; r++) x[r] = x[r] < 0.0f ? -1.0f : 1.0f;
    }
    record_add_int(in, "which", which);
    record_add_int(in, "calls", calls);
    record_add_int(in, "turn", rng_below(rng, ROWS));
    const struct timed t = timed_of(in);
    int64_t *sought = record_add_i64(in, "sought", SHAPE(TB * TH)); /* positions */
    for (int64_t i = 0; i < TB * TH; i++)
        sought[i] =
            rng_below(rng, 2) ? rng_below(rng, t.n_fill) : rng_between(rng, t.n_fill, t.n_held - 1);
}

static double dot_of(const float *a, const float *b)
{
    double sum = 0.0;
    for (int d = 0; d < TD; d++) sum += (double)a[d] * (double)b[d];
    return sum;
}

/* After its appends the cache is asked once; what it says depends on all that it holds. */
static bool timed_right(const struct record *in, const struct record *out, int64_t call)
{
    const struct array *answer = record_find(out, "out");
    const struct timed t = timed_of(in);
    (void)call;
    if (!answer || array_count(answer) != ROW) return false;

    for (int64_t i = 0; i < TB * TH; i++) {
        const float *sought = key_at(&t, record_i64(in, "sought")[i]) + i * TD;
        double sum = 0.0, mixed[TD] = {0};
        for (int64_t at = 0; at < t.n_held; at++) { /* no score is above 8 * 16 / 4 */
            const double below = 8.0 * dot_of(sought, key_at(&t, at) + i * TD) / 4.0 - 32.0;
            const double weight = below < -40.0 ? 0.0 : exp(below);
            sum += weight;
            for (int d = 0; d < TD && weight > 0.0; d++)
                mixed[d] += weight * (double)value_at(&t, at)[i * TD + d];
        }
        for (int d = 0; d < TD; d++)
            if (!(fabs(array_at(answer, i * TD + d) - mixed[d] / sum) < 1e-3)) return false;
    }
    return true;
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    if (n == SPEED_N) { /* speed: prefill 40 tokens, decode 8 */
        make_layer(in, rng, 2, 4, 16, false,
                   STEPS({40, 40, -1}, {1, 1, -1}, {1, 1, -1}, {1, 1, -1}, {1, 1, -1}, {1, 1, -1},
                         {1, 1, -1}, {1, 1, -1}, {1, 1, -1}));
        return;
    }
    make_append(in, n, calls, rng);
}

const struct oracle oracle_kv_cache = {
    .name = "kv-cache",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .rules = rules,
    .n_rules = 1,
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = SPEED_N,
    .complexity = {.what = N_("time of one append"),
                   .sizes = {SHORTEST, SHORTEST << 1, SHORTEST << 2, SHORTEST << 3},
                   .expected = 0.0,
                   .limit = 0.4,
                   .calls_inside = true,
                   .asked_apart = true,
                   .right = timed_right,
                   .mistake = "copy-each-step"},
};
