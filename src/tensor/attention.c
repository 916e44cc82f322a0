#include "tensor/attention.h"

#include <math.h>
#include <string.h>

#include "tensor/attention_internal.h"
#include "tensor/attention_kernel.h"
#include "tensor/row.h"

/* ---- plain ---- */

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* One score, and in `slope` its derivative with regard to q . k. */
static double score_at(const struct attention_dims *dims, int b, int h, int t, int s, double qk,
                       double *slope)
{
    double score = qk * (double)dims->scale;
    *slope = (double)dims->scale;
    if (dims->cap > 0) {
        const double bent = tanh(score / (double)dims->cap);
        score = (double)dims->cap * bent;
        *slope *= 1 - bent * bent;
    }
    if (dims->alibi)
        score -= (double)dims->alibi[h] * fabs((double)attention_position(dims, b, t) - s);
    if (dims->mask)
        score +=
            (double)dims->mask[b * dims->mask_batch + h * dims->mask_head + t * dims->mask_row + s];
    return score;
}

/* out and lse (and probs) of one query. */
static void mix_plain(float *out, float *lse, float *probs, struct attention_view q,
                      struct attention_view k, struct attention_view v,
                      const struct attention_dims *dims, int b, int h, int t)
{
    const int T = dims->T, S = dims->S, H = dims->H, D = dims->D;
    const int from = attention_from(dims, b, t), to = attention_to(dims, b, t);
    const ptrdiff_t kv_head = (ptrdiff_t)(h / (H / dims->KVH)) * D;
    const float *query = q.data + b * q.batch + t * q.row + (ptrdiff_t)h * D;
    const float *keys = k.data + b * k.batch + kv_head;
    const float *values = v.data + b * v.batch + kv_head;
    const size_t row = row_of(b * H + h, T) + (size_t)t;
    float *mixed = out + row_at(b, t, h, T, H, D);
    float *weight = probs ? probs + row * (size_t)S : NULL;
    double largest = -INFINITY, sum = 0, slope;

    for (int i = 0; i < D; i++) mixed[i] = 0;
    for (int s = 0; weight && s < S; s++) weight[s] = 0;
    if (lse) lse[row] = -INFINITY;

    for (int s = from; s < to; s++) {
        const double score = score_at(dims, b, h, t, s, dot(query, keys + s * k.row, D), &slope);
        if (score > largest || isnan(score)) largest = score;
    }
    if (largest == -INFINITY) return; /* it sees nothing */
    for (int s = from; s < to; s++)
        sum += exp(score_at(dims, b, h, t, s, dot(query, keys + s * k.row, D), &slope) - largest);
    if (lse) lse[row] = (float)(largest + log(sum));

    for (int s = from; s < to; s++) {
        const double score = score_at(dims, b, h, t, s, dot(query, keys + s * k.row, D), &slope);
        const double p = exp(score - largest) / sum;
        if (weight) weight[s] = (float)p;
        if (p == 0) continue; /* hidden by the mask: its value is not looked at */
        for (int i = 0; i < D; i++)
            mixed[i] = (float)((double)mixed[i] + p * (double)values[s * v.row + i]);
    }
}

void attention_forward_plain(float *out, float *lse, float *probs, struct attention_view q,
                             struct attention_view k, struct attention_view v,
                             const struct attention_dims *dims)
{
    attention_check(dims);
    q = attention_view_whole(q, dims->T, dims->H * dims->D);
    k = attention_view_whole(k, dims->S, dims->KVH * dims->D);
    v = attention_view_whole(v, dims->S, dims->KVH * dims->D);
    for (int b = 0; b < dims->B; b++)
        for (int h = 0; h < dims->H; h++)
            for (int t = 0; t < dims->T; t++) mix_plain(out, lse, probs, q, k, v, dims, b, h, t);
}

static void gradient_zero(struct attention_gradient g, int B, int positions, int width)
{
    for (int b = 0; b < B; b++)
        for (int t = 0; t < positions; t++)
            for (int i = 0; i < width; i++) g.data[b * g.batch + t * g.row + i] = 0;
}

static void add_scaled(float *to, double a, const float *x, int n)
{
    for (int i = 0; i < n; i++) to[i] = (float)((double)to[i] + a * (double)x[i]);
}

/* What one query sends back:
 *   dv[s] += p dout[t]      dp = dout[t] . v[s]      dscore = p (dp - dout[t] . out[t]) */
static void unmix_plain(struct attention_gradient dq, struct attention_gradient dk,
                        struct attention_gradient dv, const float *dout, const float *out,
                        const float *lse, struct attention_view q, struct attention_view k,
                        struct attention_view v, const struct attention_dims *dims, int b, int h,
                        int t)
{
    const int T = dims->T, H = dims->H, D = dims->D;
    const ptrdiff_t kv_head = (ptrdiff_t)(h / (H / dims->KVH)) * D, head = (ptrdiff_t)h * D;
    const float *query = q.data + b * q.batch + t * q.row + head;
    const float *d_mixed = dout + row_at(b, t, h, T, H, D);
    const double log_sum = (double)lse[row_of(b * H + h, T) + (size_t)t];
    const double share = dot(d_mixed, out + row_at(b, t, h, T, H, D), D);
    if (log_sum == -INFINITY) return; /* it saw nothing */

    for (int s = attention_from(dims, b, t); s < attention_to(dims, b, t); s++) {
        const ptrdiff_t key = b * k.batch + s * k.row + kv_head;
        const ptrdiff_t value = b * v.batch + s * v.row + kv_head;
        double slope;
        const double qk = dot(query, k.data + key, D);
        const double p = exp(score_at(dims, b, h, t, s, qk, &slope) - log_sum);
        if (p == 0) continue;
        const double d_score = p * (dot(d_mixed, v.data + value, D) - share);

        add_scaled(dv.data + b * dv.batch + s * dv.row + kv_head, p, d_mixed, D);
        add_scaled(dq.data + b * dq.batch + t * dq.row + head, d_score * slope, k.data + key, D);
        add_scaled(dk.data + b * dk.batch + s * dk.row + kv_head, d_score * slope, query, D);
    }
}

void attention_backward_plain(struct attention_gradient dq, struct attention_gradient dk,
                              struct attention_gradient dv, const float *dout, const float *out,
                              const float *lse, struct attention_view q, struct attention_view k,
                              struct attention_view v, const struct attention_dims *dims)
{
    const int B = dims->B, T = dims->T, S = dims->S, D = dims->D;
    const int wide = dims->H * D, narrow = dims->KVH * D;

    attention_check(dims);
    q = attention_view_whole(q, T, wide);
    k = attention_view_whole(k, S, narrow);
    v = attention_view_whole(v, S, narrow);
    dq = attention_gradient_whole(dq, T, wide);
    dk = attention_gradient_whole(dk, S, narrow);
    dv = attention_gradient_whole(dv, S, narrow);
    gradient_zero(dq, B, T, wide);
    gradient_zero(dk, B, S, narrow);
    gradient_zero(dv, B, S, narrow);
    for (int b = 0; b < B; b++)
        for (int h = 0; h < dims->H; h++)
            for (int t = 0; t < T; t++)
                unmix_plain(dq, dk, dv, dout, out, lse, q, k, v, dims, b, h, t);
}

/* ---- groups of heads and blocks of queries are shared out ---- */

struct job {
    const struct attention_kernel *kernel;
    struct pool *pool;
    struct attention_group group; /* all but b, kvh and scratch */
    int blocks;                   /* of queries, in a group */
};

static struct attention_group group_of(const struct job *job, int i, int worker)
{
    struct attention_group group = job->group;
    group.b = i / group.dims->KVH;
    group.kvh = i % group.dims->KVH;
    group.scratch = pool_scratch(job->pool, worker,
                                 attention_scratch_floats(group.dims->D) * sizeof *group.scratch);
    return group;
}

static void forward_task(void *context, int task, int worker)
{
    const struct job *job = context;
    const struct attention_group group = group_of(job, task / job->blocks, worker);
    const struct attention_dims *dims = group.dims;
    /* The last block first: with a causal mask it sees the most, and is not to be begun last. */
    const int block = job->blocks - 1 - task % job->blocks, G = dims->H / dims->KVH;
    const int n = kernel_rows_of(block, G * dims->T, ATTENTION_BLOCK);

    if (dims->T == 1 && G <= ATTENTION_FEW && !dims->mask) {
        job->kernel->few(&group);
        return;
    }
    job->kernel->forward(&group, block * ATTENTION_BLOCK, n);
}

static void backward_task(void *context, int task, int worker)
{
    const struct job *job = context;
    const struct attention_group group = group_of(job, task, worker);
    const struct attention_dims *dims = group.dims;
    const int G = dims->H / dims->KVH, D = dims->D;
    const ptrdiff_t head = (ptrdiff_t)group.kvh * D;

    for (int s = 0; s < dims->S; s++) {
        float *dk = group.dk.data + group.b * group.dk.batch + s * group.dk.row + head;
        float *dv = group.dv.data + group.b * group.dv.batch + s * group.dv.row + head;
        memset(dk, 0, (size_t)D * sizeof *dk);
        memset(dv, 0, (size_t)D * sizeof *dv);
    }
    if (job->kernel->backward(&group)) return;
    for (int t = 0; t < dims->T; t++) {
        float *dq = group.dq.data + group.b * group.dq.batch + t * group.dq.row + head * G;
        memset(dq, 0, (size_t)(G * D) * sizeof *dq);
        for (int g = 0; g < G; g++)
            unmix_plain(group.dq, group.dk, group.dv, group.dout, group.out, group.lse, group.q,
                        group.k, group.v, dims, group.b, group.kvh * G + g, t);
    }
}

void attention_forward(struct pool *pool, float *out, float *lse, struct attention_view q,
                       struct attention_view k, struct attention_view v,
                       const struct attention_dims *dims)
{
    const int wide = dims->H * dims->D, narrow = dims->KVH * dims->D;
    attention_check(dims);
    struct job job = {.kernel = attention_kernel(), .pool = pool};
    job.group = (struct attention_group){.dims = dims,
                                         .q = attention_view_whole(q, dims->T, wide),
                                         .k = attention_view_whole(k, dims->S, narrow),
                                         .v = attention_view_whole(v, dims->S, narrow),
                                         .out = out,
                                         .lse = lse};
    job.blocks = kernel_tasks(dims->H / dims->KVH * dims->T, ATTENTION_BLOCK);
    pool_run(pool, forward_task, &job, dims->B * dims->KVH * job.blocks);
}

void attention_backward(struct pool *pool, struct attention_gradient dq,
                        struct attention_gradient dk, struct attention_gradient dv,
                        const float *dout, const float *out, const float *lse,
                        struct attention_view q, struct attention_view k, struct attention_view v,
                        const struct attention_dims *dims)
{
    const int wide = dims->H * dims->D, narrow = dims->KVH * dims->D;
    attention_check(dims);
    struct job job = {.kernel = attention_kernel(), .pool = pool};
    job.group = (struct attention_group){.dims = dims,
                                         .q = attention_view_whole(q, dims->T, wide),
                                         .k = attention_view_whole(k, dims->S, narrow),
                                         .v = attention_view_whole(v, dims->S, narrow),
                                         .out = (float *)out,
                                         .lse = (float *)lse,
                                         .dout = dout,
                                         .dq = attention_gradient_whole(dq, dims->T, wide),
                                         .dk = attention_gradient_whole(dk, dims->S, narrow),
                                         .dv = attention_gradient_whole(dv, dims->S, narrow)};
    pool_run(pool, backward_task, &job, dims->B * dims->KVH);
}
