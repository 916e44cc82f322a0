#include "tensor/attention_kernel.h"

#include "tensor/attention_internal.h"
#include "tensor/row.h"
#include "tensor/vector.h"

enum {
    BLOCK = ATTENTION_BLOCK,
    KEYS = ATTENTION_KEYS,
    STRIP = 16,
    FEW = ATTENTION_FEW,
    AHEAD = 16
};

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* One lane's floats_fma(). */
VECTOR_INLINE float number_fma(float a, float b, float c)
{
    return LANES == 1 ? a * b + c : fmaf(a, b, c);
}

/* ---- a small product:  c[i,j] = sum over k of a[i,k] b[k,j], or += ----
 *
 * a is read number by number, wherever it is; rows of b and c are contiguous, those of b padded to
 * whole vectors. The sum over k is one chain: it does not depend on I and J. */

enum { TALL = 6, WIDE = LANES == 16 || LANES == 4 ? 4 : 2 }; /* 24 accumulators of 32; 12 of 16 */

struct operand {
    const float *data;
    ptrdiff_t row, column;
};

VECTOR_INLINE void tile(float *c, ptrdiff_t c_row, struct operand a, const float *b,
                        ptrdiff_t b_row, int K, bool add, int last, const int tall, const int wide)
{
    floats sum[TALL][WIDE];
    UNROLL
    for (int i = 0; i < tall; i++) {
        UNROLL
        for (int j = 0; j < wide; j++) {
            const float *from = c + i * c_row + j * LANES;
            if (!add) sum[i][j] = floats_set(0);
            else sum[i][j] = j == wide - 1 ? floats_take(from, last, 0) : floats_load(from);
        }
    }
    for (int k = 0; k < K; k++) {
        floats row[WIDE];
        UNROLL
        for (int j = 0; j < wide; j++) row[j] = floats_load(b + k * b_row + j * LANES);
        UNROLL
        for (int i = 0; i < tall; i++) {
            const floats number = floats_set(a.data[i * a.row + k * a.column]);
            UNROLL
            for (int j = 0; j < wide; j++) sum[i][j] = floats_fma(number, row[j], sum[i][j]);
        }
    }
    UNROLL
    for (int i = 0; i < tall; i++) {
        UNROLL
        for (int j = 0; j < wide; j++) {
            float *to = c + i * c_row + j * LANES;
            if (j == wide - 1) floats_give(to, sum[i][j], last);
            else floats_store(to, sum[i][j]);
        }
    }
}

/* `wide` vectors of columns, all rows. */
VECTOR_INLINE void panel(float *c, ptrdiff_t c_row, struct operand a, const float *b,
                         ptrdiff_t b_row, int I, int K, bool add, int last, const int wide)
{
    int i = 0;
    for (; i + TALL <= I; i += TALL, a.data += TALL * a.row)
        tile(c + i * c_row, c_row, a, b, b_row, K, add, last, TALL, wide);
    for (; i + 4 <= I; i += 4, a.data += 4 * a.row)
        tile(c + i * c_row, c_row, a, b, b_row, K, add, last, 4, wide);
    for (; i < I; i++, a.data += a.row)
        tile(c + i * c_row, c_row, a, b, b_row, K, add, last, 1, wide);
}

static void product(float *c, ptrdiff_t c_row, struct operand a, const float *b, ptrdiff_t b_row,
                    int I, int J, int K, bool add)
{
    int j = 0;
    for (; j + WIDE * LANES <= J; j += WIDE * LANES)
        panel(c + j, c_row, a, b + j, b_row, I, K, add, LANES, WIDE);
    for (; j + 2 * LANES <= J; j += 2 * LANES)
        panel(c + j, c_row, a, b + j, b_row, I, K, add, LANES, 2);
    for (; j < J; j += LANES) panel(c + j, c_row, a, b + j, b_row, I, K, add, J - j, 1);
}

/* ---- the lanes of a block ---- */

struct lanes {
    int n, J; /* queries; the same in whole vectors */
    /* as floats, since they are compared with vectors; whole numbers below 2^24 */
    float from[BLOCK], to[BLOCK], position[BLOCK], slope[BLOCK];
    int t[BLOCK], h[BLOCK];
};

/* Query first + l of the group is head (first + l) % G at position (first + l) / G. */
static void lanes_init(struct lanes *lanes, const struct attention_group *group, int first, int n)
{
    const struct attention_dims *dims = group->dims;
    const int G = dims->H / dims->KVH;

    lanes->n = n;
    lanes->J = (n + LANES - 1) / LANES * LANES;
    for (int l = 0; l < lanes->J; l++) {
        const int at = first + (l < n ? l : n - 1); /* what is left over repeats the last */
        const int t = at / G, h = group->kvh * G + at % G;
        lanes->t[l] = t;
        lanes->h[l] = h;
        lanes->from[l] = (float)attention_from(dims, group->b, t);
        lanes->to[l] = (float)attention_to(dims, group->b, t);
        lanes->position[l] = (float)attention_position(dims, group->b, t);
        lanes->slope[l] = dims->alibi ? dims->alibi[h] : 0;
    }
}

/* Keys [at, at + count) of a tile, and how many of them each vector of lanes needs. */
struct span {
    int at, count;
    bool partly; /* some lane does not see some key */
    int seen[BLOCK / LANES];
};

static struct span span_of(const struct lanes *lanes, const struct attention_dims *dims, int tile)
{
    const int from = (int)lanes->from[0], to = (int)lanes->to[lanes->n - 1];
    const int last_from = (int)lanes->from[lanes->n - 1], first_to = (int)lanes->to[0];
    struct span span = {.at = tile < from ? from : tile};
    const int end = tile + KEYS < to ? tile + KEYS : to;

    span.count = end - span.at;
    span.partly = span.at < last_from || end > first_to || dims->mask;
    for (int j = 0; j < lanes->J; j += LANES) {
        const int seen = (int)lanes->to[j + LANES - 1] - span.at;
        span.seen[j / LANES] = seen < 0 ? 0 : seen < span.count ? seen : span.count;
    }
    return span;
}

/* The first vector of lanes that sees any of the keys from `key` on (counted from span.at). */
static int first_lane(const struct lanes *lanes, const struct span *span, int key)
{
    int j = 0;
    while (j < lanes->J - LANES && span->seen[j / LANES] <= key) j += LANES;
    return j;
}

static bool rows_finite(const float *x, ptrdiff_t row, int rows, int D)
{
    const floats zero = floats_set(0);
    floats sum = zero;
    for (int i = 0; i < rows; i++)
        for (int d = 0; d < D; d += LANES)
            sum = floats_fma(floats_take(x + i * row + d, D - d, 0), zero, sum);
    return floats_sum(sum) == 0;
}

/* rows[l,:] = the row of lane l, of [T,H,D] with these strides. */
static void take_rows(float *rows, int wide, const float *data, ptrdiff_t row,
                      const struct lanes *lanes, int D)
{
    for (int l = 0; l < lanes->n; l++) {
        const float *x = data + lanes->t[l] * row + (ptrdiff_t)lanes->h[l] * D;
        for (int d = 0; d < wide; d += LANES)
            floats_store(rows + row_of(l, wide) + d,
                         d < D ? floats_take(x + d, D - d, 0) : floats_set(0));
    }
    for (int l = lanes->n; l < lanes->J; l++)
        for (int d = 0; d < wide; d++) rows[row_of(l, wide) + (size_t)d] = 0;
}

/* across[d,l] = rows[l,d] * scale. Rows are padded to a whole number of vectors. */
static void turn_rows(float *across, const float *rows, int wide, int J, int D, float scale)
{
    const floats times = floats_set(scale);
    for (int l = 0; l < J; l += LANES)
        for (int d = 0; d < D; d += LANES) {
            floats square[LANES];
            for (int i = 0; i < LANES; i++)
                square[i] = floats_load(rows + row_of(l + i, wide) + d) * times;
            floats_transpose(square);
            for (int i = 0; i < LANES && d + i < D; i++)
                floats_store(across + row_of(d + i, BLOCK) + l, square[i]);
        }
}

/* to[l,d] = across[d,l] * share[l]: the way back, to where each lane's row lies. */
static void give_rows(float *to, ptrdiff_t row, const float *across, const float *share,
                      const struct lanes *lanes, int D)
{
    for (int l = 0; l < lanes->n; l += LANES)
        for (int d = 0; d < D; d += LANES) {
            floats square[LANES];
            const floats times = floats_load(share + l);
            for (int i = 0; i < LANES; i++) {
                square[i] = floats_set(0);
                if (d + i < D) square[i] = floats_load(across + row_of(d + i, BLOCK) + l) * times;
            }
            floats_transpose(square);
            for (int i = 0; i < LANES && l + i < lanes->n; i++)
                floats_give(to + lanes->t[l + i] * row + (ptrdiff_t)lanes->h[l + i] * D + d,
                            square[i], D - d);
        }
}

/* ---- scores ---- */

static struct operand rows_of(struct attention_view view, const struct attention_group *group,
                              int at)
{
    const ptrdiff_t head = (ptrdiff_t)group->kvh * group->dims->D;
    return (struct operand){view.data + group->b * view.batch + at * view.row + head, view.row, 1};
}

static struct operand turned(struct operand a) { return (struct operand){a.data, a.column, a.row}; }

/* tile[s,l] = a[s,:] . across[:,l] for all pairs that see each other, in strips of keys. */
static void scores_of(float *to, struct operand a, const float *across, const struct lanes *lanes,
                      const struct span *span, int D)
{
    const int strip = span->partly ? STRIP : span->count;
    for (int s = 0; s < span->count; s += strip) {
        const int n = span->count - s < strip ? span->count - s : strip,
                  j = first_lane(lanes, span, s);
        const struct operand keys = {a.data + s * a.row, a.row, a.column};
        product(to + row_of(s, BLOCK) + j, BLOCK, keys, across + j, BLOCK, n, lanes->J - j, D,
                false);
    }
}

/* Cap, slopes and mask on one vector of scores of key s; `bend` is the derivative of the cap. */
VECTOR_INLINE floats bent(floats score, const struct attention_group *group,
                          const struct lanes *lanes, int s, int j, floats *bend)
{
    const struct attention_dims *dims = group->dims;
    if (dims->cap > 0) {
        const floats b = floats_tanh(score / floats_set(dims->cap));
        score = b * floats_set(dims->cap);
        *bend = floats_fma(floats_set(0) - b, b, floats_set(1));
    }
    if (dims->alibi) {
        const floats distance = floats_abs(floats_load(lanes->position + j) - floats_set((float)s));
        score = score - floats_load(lanes->slope + j) * distance;
    }
    if (dims->mask) {
        float add[LANES];
        for (int l = 0; l < LANES; l++)
            add[l] = dims->mask[group->b * dims->mask_batch + lanes->h[j + l] * dims->mask_head +
                                lanes->t[j + l] * dims->mask_row + s];
        score = score + floats_load(add);
    }
    return score;
}

VECTOR_INLINE floats hidden(floats score, const struct lanes *lanes, int s, int j)
{
    const floats key = floats_set((float)s), none = floats_set(-INFINITY);
    score = floats_where_less(key, floats_load(lanes->to + j), score, none);
    return floats_where_less(key, floats_load(lanes->from + j), none, score);
}

static bool plain_scores(const struct attention_dims *dims)
{
    return dims->cap == 0 && !dims->alibi && !dims->mask;
}

/* ---- forward ---- */

/* Scores become exp(score - largest so far); what was summed before is to be multiplied by
 * `again`. Returns whether any of that is not 1. */
static bool softmax_step(float *scores, float *largest, float *sum, float *again,
                         const struct attention_group *group, const struct lanes *lanes,
                         const struct span *span)
{
    const bool as_they_are = plain_scores(group->dims) && !span->partly;
    bool changed = false;

    for (int j = 0; j < lanes->J; j += LANES) {
        const int n = span->seen[j / LANES];
        const floats before = floats_load(largest + j);
        floats most = before, most2 = before, bend = before;

        if (!as_they_are)
            for (int s = 0; s < n; s++) {
                float *at = scores + row_of(s, BLOCK) + j;
                const floats score = bent(floats_load(at), group, lanes, span->at + s, j, &bend);
                floats_store(at, hidden(score, lanes, span->at + s, j));
            }
        int s = 0;
        for (; s + 2 <= n; s += 2) {
            most = floats_max(most, floats_load(scores + row_of(s, BLOCK) + j));
            most2 = floats_max(most2, floats_load(scores + row_of(s + 1, BLOCK) + j));
        }
        if (s < n) most = floats_max(most, floats_load(scores + row_of(s, BLOCK) + j));
        most = floats_max(most, most2);

        /* Where nothing was seen yet, -inf - -inf would be NaN. */
        const floats shift = floats_where_less(most, floats_set(-FLT_MAX), floats_set(0), most);
        const floats times = floats_exp(before - shift);
        floats total = floats_load(sum + j) * times;
        for (s = 0; s < n; s++) {
            float *at = scores + row_of(s, BLOCK) + j;
            const floats e = floats_exp(floats_load(at) - shift);
            total = total + e;
            floats_store(at, e);
        }
        floats_store(largest + j, most);
        floats_store(sum + j, total);
        floats_store(again + j, times);
        for (int l = j; l < j + LANES; l++) changed |= again[l] != 1;
    }
    return changed;
}

/* Zero times what is not finite would not be zero: where the weight is zero, the value is not
 * looked at. The same sums in the same order. */
static void mix_carefully(float *mixed, struct operand values, const float *weights,
                          const struct lanes *lanes, const struct span *span, int D)
{
    for (int l = 0; l < lanes->n; l++)
        for (int d = 0; d < D; d++) {
            float *m = mixed + row_of(d, BLOCK) + l;
            for (int s = 0; s < span->seen[l / LANES]; s++) {
                const float weight = weights[row_of(s, BLOCK) + (size_t)l];
                if (weight != 0) *m = number_fma(values.data[s * values.row + d], weight, *m);
            }
        }
}

/* mixed[d,l] += sum over s of values[s,d] weights[s,l] */
static void mix_step(float *mixed, struct operand values, const float *weights,
                     const struct lanes *lanes, const struct span *span, int D)
{
    if (!span->partly) {
        product(mixed, BLOCK, turned(values), weights, BLOCK, D, lanes->J, span->count, true);
        return;
    }
    if (!rows_finite(values.data, values.row, span->count, D)) {
        mix_carefully(mixed, values, weights, lanes, span, D);
        return;
    }
    for (int j = 0; j < lanes->J; j += LANES)
        product(mixed + j, BLOCK, turned(values), weights + j, BLOCK, D, LANES,
                span->seen[j / LANES], true);
}

static void give_mixed(const struct attention_group *group, const struct lanes *lanes,
                       const float *mixed, const float *largest, const float *sum)
{
    const struct attention_dims *dims = group->dims;
    const int T = dims->T, H = dims->H, D = dims->D;
    const floats zero = floats_set(0), tiny = floats_set(FLT_MIN);
    float share[BLOCK] = {0}, lse[BLOCK] = {0};

    /* A sum is 0 where nothing was seen, else 1 or more, or NaN. */
    for (int l = 0; l < lanes->J; l += LANES) {
        const floats s = floats_load(sum + l);
        floats_store(share + l, floats_where_less(s, tiny, zero, floats_set(1) / s));
        floats_store(lse + l, floats_where_less(s, tiny, floats_set(-INFINITY),
                                                floats_load(largest + l) + floats_log(s)));
    }
    give_rows(group->out + row_at(group->b, 0, 0, T, H, D), (ptrdiff_t)H * D, mixed, share, lanes,
              D);
    for (int l = 0; group->lse && l < lanes->n; l++)
        group->lse[row_of(group->b * H + lanes->h[l], T) + (size_t)lanes->t[l]] = lse[l];
}

static void forward(const struct attention_group *group, int first, int n)
{
    const struct attention_dims *dims = group->dims;
    const int D = dims->D, wide = (D + 15) / 16 * 16;
    const size_t lane_buffer = (size_t)wide * BLOCK;
    float *queries = group->scratch, *mixed = queries + lane_buffer;
    float *rows = mixed + lane_buffer, *scores = rows + 3 * lane_buffer;
    float largest[BLOCK], sum[BLOCK], again[BLOCK];
    struct lanes lanes;

    lanes_init(&lanes, group, first, n);
    take_rows(rows, wide, group->q.data + group->b * group->q.batch, group->q.row, &lanes, D);
    turn_rows(queries, rows, wide, lanes.J, D, dims->scale);
    for (int l = 0; l < lanes.J; l++) largest[l] = -INFINITY, sum[l] = 0;
    memset(mixed, 0, row_of(D, BLOCK) * sizeof *mixed);

    const int from = (int)lanes.from[0], to = (int)lanes.to[n - 1];
    for (int at = from / KEYS * KEYS; at < to; at += KEYS) {
        const struct span span = span_of(&lanes, dims, at);
        const struct operand keys = rows_of(group->k, group, span.at);
        const struct operand values = rows_of(group->v, group, span.at);

        scores_of(scores, keys, queries, &lanes, &span, D);
        if (softmax_step(scores, largest, sum, again, group, &lanes, &span) && at >= from)
            for (int d = 0; d < D; d++)
                for (int j = 0; j < lanes.J; j += LANES) {
                    float *m = mixed + row_of(d, BLOCK) + j;
                    floats_store(m, floats_load(m) * floats_load(again + j));
                }
        mix_step(mixed, values, scores, &lanes, &span, D);
    }
    give_mixed(group, &lanes, mixed, largest, sum);
}

/* ---- backward ----
 *
 *   p = exp(score - lse)     dv += p dout     dp = v dout^T     ds = p (dp - share) scale
 *   dq += ds^T k             dk += ds q       share = dout . out */

/* dx[s,:] += weights[s,l] rows[l,:], strip by strip from the first lane that sees its keys. */
static void back_step(float *dx, ptrdiff_t row, const float *weights, const float *rows, int wide,
                      const struct lanes *lanes, const struct span *span, int D)
{
    const int strip = span->partly ? STRIP : span->count;
    for (int s = 0; s < span->count; s += strip) {
        const int n = span->count - s < strip ? span->count - s : strip,
                  j = first_lane(lanes, span, s);
        const struct operand w = {weights + row_of(s, BLOCK) + j, BLOCK, 1};
        product(dx + s * row, row, w, rows + row_of(j, wide), wide, n, D, lanes->J - j, true);
    }
}

/* scores become p, dp becomes ds. */
static void unsoftmax(float *scores, float *dp, const float *lse, const float *share,
                      const struct attention_group *group, const struct lanes *lanes,
                      const struct span *span)
{
    const bool as_they_are = plain_scores(group->dims) && !span->partly;
    const floats scale = floats_set(group->dims->scale), none = floats_set(0);

    for (int j = 0; j < lanes->J; j += LANES) {
        const floats less = floats_load(lse + j), mean = floats_load(share + j);
        int s = 0;
        for (; s < span->seen[j / LANES]; s++) {
            float *p_at = scores + row_of(s, BLOCK) + j, *dp_at = dp + row_of(s, BLOCK) + j;
            floats score = floats_load(p_at), bend = floats_set(1);
            if (!as_they_are) {
                score = bent(score, group, lanes, span->at + s, j, &bend);
                score = hidden(score, lanes, span->at + s, j);
            }
            const floats p = floats_exp(score - less);
            floats_store(p_at, p);
            floats_store(dp_at, p * (floats_load(dp_at) - mean) * bend * scale);
        }
        for (; s < span->count;
             s++) { /* a strip may begin at a lane that sees only its first keys */
            floats_store(scores + row_of(s, BLOCK) + j, none);
            floats_store(dp + row_of(s, BLOCK) + j, none);
        }
    }
}

static bool backward(const struct attention_group *group)
{
    const struct attention_dims *dims = group->dims;
    const int T = dims->T, H = dims->H, D = dims->D, G = H / dims->KVH, wide = (D + 15) / 16 * 16;
    const size_t lane_buffer = (size_t)wide * BLOCK;
    float *queries = group->scratch, *dqueries = queries + lane_buffer;
    float *douts = dqueries + lane_buffer, *query_rows = douts + lane_buffer;
    float *dout_rows = query_rows + lane_buffer, *scores = dout_rows + lane_buffer;
    float *dp = scores + KEYS * BLOCK;
    const float *q = group->q.data + group->b * group->q.batch;
    const float *dout = group->dout + row_at(group->b, 0, 0, T, H, D);
    const ptrdiff_t head = (ptrdiff_t)group->kvh * D;
    int seen = 0;
    float lse[BLOCK], share[BLOCK], ones[BLOCK];
    struct lanes lanes;

    for (int t = 0; t < T; t++)
        seen = attention_to(dims, group->b, t) > seen ? attention_to(dims, group->b, t) : seen;
    if (!rows_finite(rows_of(group->k, group, 0).data, group->k.row, seen, D) ||
        !rows_finite(rows_of(group->v, group, 0).data, group->v.row, seen, D) ||
        !rows_finite(q + head * G, group->q.row, T, G * D) ||
        !rows_finite(dout + head * G, (ptrdiff_t)H * D, T, G * D))
        return false;

    for (int l = 0; l < BLOCK; l++) ones[l] = 1;
    for (int first = 0; first < G * T; first += BLOCK) {
        lanes_init(&lanes, group, first, G * T - first < BLOCK ? G * T - first : BLOCK);
        take_rows(query_rows, wide, q, group->q.row, &lanes, D);
        take_rows(dout_rows, wide, dout, (ptrdiff_t)H * D, &lanes, D);
        turn_rows(queries, query_rows, wide, lanes.J, D, dims->scale);
        turn_rows(douts, dout_rows, wide, lanes.J, D, 1);
        memset(dqueries, 0, row_of(D, BLOCK) * sizeof *dqueries);
        for (int l = 0; l < lanes.J; l++) {
            const float *out = group->out + row_at(group->b, lanes.t[l], lanes.h[l], T, H, D);
            floats dot = floats_set(0);
            for (int d = 0; d < D; d += LANES)
                dot = floats_fma(floats_take(out + d, D - d, 0),
                                 floats_load(dout_rows + row_of(l, wide) + d), dot);
            const size_t at = row_of(group->b * H + lanes.h[l], T) + (size_t)lanes.t[l];
            share[l] = l < lanes.n ? floats_sum(dot) : 0;
            /* What saw nothing, and lanes that are not there: exp(score - inf) is 0. */
            lse[l] = l < lanes.n && group->lse[at] != -INFINITY ? group->lse[at] : INFINITY;
        }

        const int from = (int)lanes.from[0], to = (int)lanes.to[lanes.n - 1];
        for (int tile_at = from / KEYS * KEYS; tile_at < to; tile_at += KEYS) {
            const struct span span = span_of(&lanes, dims, tile_at);
            const struct operand keys = rows_of(group->k, group, span.at);
            const struct operand values = rows_of(group->v, group, span.at);
            const ptrdiff_t k_at = group->b * group->dk.batch + span.at * group->dk.row + head;
            const ptrdiff_t v_at = group->b * group->dv.batch + span.at * group->dv.row + head;

            scores_of(scores, keys, queries, &lanes, &span, D);
            scores_of(dp, values, douts, &lanes, &span, D);
            unsoftmax(scores, dp, lse, share, group, &lanes, &span);
            back_step(group->dv.data + v_at, group->dv.row, scores, dout_rows, wide, &lanes, &span,
                      D);
            back_step(group->dk.data + k_at, group->dk.row, dp, query_rows, wide, &lanes, &span, D);
            mix_step(dqueries, keys, dp, &lanes, &span, D);
        }
        give_rows(group->dq.data + group->b * group->dq.batch, group->dq.row, dqueries, ones,
                  &lanes, D);
    }
    return true;
}

/* ---- one new position ---- */

/* mixed[g,:] += scores[g,s] values[s,:] on `vectors` vectors, the last of `left` numbers. */
VECTOR_INLINE void few_mix(float *mixed, int wide, const float *scores, const float *values,
                           ptrdiff_t row, int n, int left, const int heads, const int vectors)
{
    floats mix[FEW][4];
    UNROLL
    for (int g = 0; g < heads; g++) {
        UNROLL
        for (int j = 0; j < vectors; j++) mix[g][j] = floats_load(mixed + g * wide + j * LANES);
    }
    for (int s = 0; s < n; s++) {
        UNROLL
        for (int j = 0; j < vectors; j++) {
            const float *from = values + s * row + j * LANES;
            const floats x = j == vectors - 1 ? floats_take(from, left, 0) : floats_load(from);
            UNROLL
            for (int g = 0; g < heads; g++)
                mix[g][j] = floats_fma(x, floats_set(scores[g * KEYS + s]), mix[g][j]);
        }
    }
    UNROLL
    for (int g = 0; g < heads; g++) {
        UNROLL
        for (int j = 0; j < vectors; j++) floats_store(mixed + g * wide + j * LANES, mix[g][j]);
    }
}

VECTOR_INLINE void few_heads(const struct attention_group *group, const int heads)
{
    const struct attention_dims *dims = group->dims;
    const int D = dims->D, wide = (D + 15) / 16 * 16, first_head = group->kvh * heads;
    const int from = attention_from(dims, group->b, 0), to = attention_to(dims, group->b, 0);
    float *query = group->scratch, *mixed = query + FEW * wide, *scores = mixed + FEW * wide;
    const float *q = group->q.data + group->b * group->q.batch + (ptrdiff_t)first_head * D;
    float largest[FEW], sum[FEW];

    memset(query, 0, 2 * (size_t)FEW * wide * sizeof *query); /* and mixed */
    for (int g = 0; g < heads; g++) {
        for (int d = 0; d < D; d++) query[g * wide + d] = q[(ptrdiff_t)g * D + d] * dims->scale;
        largest[g] = -INFINITY, sum[g] = 0;
    }
    for (int at = from / KEYS * KEYS; at < to; at += KEYS) {
        const int begin = at < from ? from : at, end = at + KEYS < to ? at + KEYS : to;
        const struct operand keys = rows_of(group->k, group, begin);
        const struct operand values = rows_of(group->v, group, begin);
        const int n = end - begin;

        for (int s = 0; s < n; s++) {
            const float *key = keys.data + s * keys.row;
            /* Rows lie far apart: what comes next is asked for here, the values for below. */
            for (int d = 0; d < D; d += 16) {
                if (begin + s + AHEAD < to) __builtin_prefetch(key + AHEAD * keys.row + d);
                __builtin_prefetch(values.data + s * values.row + d);
            }
            floats dot[FEW];
            UNROLL
            for (int g = 0; g < heads; g++) dot[g] = floats_set(0);
            for (int d = 0; d < D; d += LANES) {
                const floats x = floats_take(key + d, D - d, 0);
                UNROLL
                for (int g = 0; g < heads; g++)
                    dot[g] = floats_fma(x, floats_load(query + g * wide + d), dot[g]);
            }
            UNROLL
            for (int g = 0; g < heads; g++) scores[g * KEYS + s] = floats_sum(dot[g]);
        }
        for (int g = 0; g < heads; g++) {
            float *score = scores + g * KEYS;
            floats most = floats_set(largest[g]), total = floats_set(0);
            if (dims->cap > 0 || dims->alibi)
                for (int s = 0; s < n; s++) {
                    float x = score[s];
                    if (dims->cap > 0) x = dims->cap * tanhf(x / dims->cap);
                    if (dims->alibi)
                        x -= dims->alibi[first_head + g] *
                             fabsf((float)(attention_position(dims, group->b, 0) - begin - s));
                    score[s] = x;
                }
            for (int s = 0; s < n; s += LANES)
                most = floats_max(most, floats_take(score + s, n - s, -INFINITY));
            const float now = floats_largest(most), shift = now == -INFINITY ? 0 : now;
            const float again = expf(largest[g] - shift);
            for (int s = 0; s < n; s += LANES) {
                const floats e =
                    floats_exp(floats_take(score + s, n - s, -INFINITY) - floats_set(shift));
                total = total + e;
                floats_give(score + s, e, n - s);
            }
            sum[g] = sum[g] * again + floats_sum(total);
            largest[g] = now;
            if (again != 1)
                for (int d = 0; d < wide; d += LANES)
                    floats_store(mixed + g * wide + d,
                                 floats_load(mixed + g * wide + d) * floats_set(again));
        }
        for (int d = 0; d < D; d += 4 * LANES) {
            if (D - d >= 4 * LANES)
                few_mix(mixed + d, wide, scores, values.data + d, values.row, n, LANES, heads, 4);
            else
                for (int rest = d; rest < D; rest += LANES)
                    few_mix(mixed + rest, wide, scores, values.data + rest, values.row, n, D - rest,
                            heads, 1);
        }
    }
    for (int g = 0; g < heads; g++) {
        const float share = sum[g] == 0 ? 0 : 1 / sum[g];
        float *out = group->out + row_at(group->b, 0, first_head + g, 1, dims->H, D);
        for (int d = 0; d < D; d++) out[d] = mixed[g * wide + d] * share;
        if (group->lse)
            group->lse[group->b * dims->H + first_head + g] =
                sum[g] == 0 ? -INFINITY : largest[g] + logf(sum[g]);
    }
}

static void few(const struct attention_group *group)
{
    switch (group->dims->H / group->dims->KVH) {
    case 1: few_heads(group, 1); break;
    case 2: few_heads(group, 2); break;
    case 3: few_heads(group, 3); break;
    default: few_heads(group, 4); break;
    }
}

const struct attention_kernel KERNEL(attention_kernel) = {forward, backward, few};
