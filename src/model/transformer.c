#include "model/transformer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/pages.h"
#include "base/rng.h"
#include "base/text.h"
#include "tensor/activation.h"
#include "tensor/bf16.h"
#include "tensor/cross_entropy.h"
#include "tensor/embedding.h"
#include "tensor/gemm.h"
#include "tensor/norm.h"

enum {
    LINE = 16, /* floats in a cache line: buffers start on one */
    PIECE =
        1 << 14, /* numbers of one elementwise task; fixed, so that nothing depends on threads */
    LOGITS_AT_ONCE =
        64 << 20, /* numbers in the buffer of the head, at most, unless one row is more */
};

const char *const transformer_numbers_names[] = {"f32", "bf16", NULL};

/* What a block leaves for its backward pass. */
struct block_state {
    float *x;                    /* [M,C] what came in */
    float *n1, *mean_1, *rstd_1; /* [M,C], [M], [M] (norm after: the sum before the second norm) */
    float *qkv;                  /* [M,QKV], queries and keys turned */
    float *mix, *lse;            /* [M,H*D], [B,H,T] */
    float *x2;                   /* [M,C] x + attention */
    float *n2, *mean_2, *rstd_2;
    float *up;  /* [M,F], gate and up: [M,2F] */
    float *act; /* [M,F] */
};

struct transformer {
    const struct parameters *parameters;
    struct model_config config;
    struct pool *pool;
    enum transformer_use use;
    int M;    /* tokens at once, at most */
    int HD;   /* width of the queries */
    int QKV;  /* width of queries, keys and values together */
    int UP;   /* width of the first product of the feed-forward half */
    int rows; /* of logits at once */

    struct rope rope;
    float *sinusoids; /* [T,C] or NULL */
    float *slopes;    /* [H] or NULL */

    float *arena;
    size_t arena_count;
    struct block_state *blocks; /* [L]; inference: all the same memory */
    float *x, *nf, *mean_f, *rstd_f, *logits, *losses;
    float *sum; /* [M,C] what a half of a block adds */
    float *dx, *dn, *dqkv, *dmix, *dact;

    uint16_t *rounded; /* the parameters in bf16; NULL: products are of f32 */

    /* The pass that is under way. */
    int B, T;
    const struct transformer_dropout *dropout; /* NULL: none */
};

/* ---- the plan ---- */

struct arena {
    float *base; /* NULL: only count */
    size_t used;
};

static float *take(struct arena *arena, size_t rows, size_t columns)
{
    const size_t at = arena->used;
    arena->used += (rows * columns + LINE - 1) / LINE * LINE;
    return arena->base ? arena->base + at : NULL;
}

static int logit_rows(const struct model_config *config, int M)
{
    const int rows = LOGITS_AT_ONCE / config->V;
    return rows < 1 ? 1 : rows < M ? rows : M;
}

static void plan_block(struct block_state *block, const struct transformer *t, struct arena *arena)
{
    const size_t M = (size_t)t->M, C = (size_t)t->config.C;
    block->x = take(arena, M, C);
    block->n1 = take(arena, M, C);
    block->mean_1 = take(arena, M, 1);
    block->rstd_1 = take(arena, M, 1);
    block->qkv = take(arena, M, (size_t)t->QKV);
    block->mix = take(arena, M, (size_t)t->HD);
    block->lse = take(arena, M, (size_t)t->config.H);
    block->x2 = take(arena, M, C);
    block->n2 = take(arena, M, C);
    block->mean_2 = take(arena, M, 1);
    block->rstd_2 = take(arena, M, 1);
    block->up = take(arena, M, (size_t)t->UP);
    block->act = take(arena, M, (size_t)t->config.F);
}

static void plan(struct transformer *t, struct arena *arena)
{
    const size_t M = (size_t)t->M, C = (size_t)t->config.C;
    if (t->use == TRANSFORMER_LEARNS) {
        for (int l = 0; l < t->config.L; l++) plan_block(&t->blocks[l], t, arena);
    } else {
        plan_block(&t->blocks[0], t, arena);
        for (int l = 1; l < t->config.L; l++) t->blocks[l] = t->blocks[0];
    }
    t->x = take(arena, M, C);
    t->nf = take(arena, M, C);
    t->mean_f = take(arena, M, 1);
    t->rstd_f = take(arena, M, 1);
    t->sum = take(arena, M, C);
    t->losses = take(arena, M, 1);
    t->logits = take(arena, (size_t)t->rows, (size_t)t->config.V);
    if (t->use == TRANSFORMER_LEARNS) {
        t->dx = take(arena, M, C);
        t->dn = take(arena, M, C);
        t->dqkv = take(arena, M, (size_t)t->QKV);
        t->dmix = take(arena, M, (size_t)t->HD);
        t->dact = take(arena, M, (size_t)t->config.F);
    }
}

static void set_sizes(struct transformer *t, const struct model_config *config, int M,
                      enum transformer_use use)
{
    *t = (struct transformer){.config = *config, .M = M, .use = use};
    t->HD = config->H * config->D;
    t->QKV = (config->H + 2 * config->KVH) * config->D;
    t->UP = config->activation == MODEL_ACTIVATION_SWIGLU ? 2 * config->F : config->F;
    t->rows = logit_rows(config, M);
    t->blocks = memory_new((size_t)config->L, sizeof *t->blocks);
}

size_t transformer_bytes(const struct model_config *config, int M, enum transformer_use use)
{
    struct transformer t;
    struct arena arena = {0};
    set_sizes(&t, config, M, use);
    plan(&t, &arena);
    free(t.blocks);
    return arena.used * sizeof(float);
}

static enum status open_positions(struct transformer *t, struct error *err)
{
    const struct model_config *config = &t->config;
    if (config->position == MODEL_POSITION_ROPE) {
        const struct rope_config rope = {.D_rotary = config->D,
                                         .positions = config->T,
                                         .layout = config->rope_layout,
                                         .base = (double)config->rope_base,
                                         .scaling = config->rope_scaling,
                                         .factor = (double)config->rope_factor,
                                         .original = config->rope_trained_positions};
        return rope_init(&t->rope, &rope, err);
    }
    if (config->position == MODEL_POSITION_SINUSOIDAL) {
        if (config->C % 2)
            return error_set(err, STATUS_USAGE,
                             _("model: C is %d, sinusoidal positions need an even one"), config->C);
        t->sinusoids = memory_new((size_t)config->T * (size_t)config->C, sizeof *t->sinusoids);
        sinusoidal_positions(t->sinusoids, config->T, config->C);
    }
    if (config->position == MODEL_POSITION_ALIBI) {
        t->slopes = memory_new((size_t)config->H, sizeof *t->slopes);
        alibi_slopes(t->slopes, config->H);
    }
    return STATUS_OK;
}

enum status transformer_open(struct transformer **out, const struct parameters *parameters, int M,
                             enum transformer_use use, struct pool *pool, struct error *err)
{
    CHECK(M >= 1);
    struct transformer *t = memory_new(1, sizeof *t);
    struct arena arena = {0};
    *out = NULL;
    set_sizes(t, &parameters->config, M, use);
    t->parameters = parameters;
    t->pool = pool;
    plan(t, &arena);
    t->arena_count = arena.used;
    t->arena = pages_new(arena.used * sizeof(float));
    enum status status = STATUS_OK;
    if (!t->arena)
        status = error_set(err, STATUS_LIMIT, _("model: %.0f MiB of memory for %d tokens at once"),
                           (double)arena.used * sizeof(float) / (1 << 20), M);
    if (!status) status = open_positions(t, err);
    if (status) {
        transformer_close(t);
        return status;
    }
    arena = (struct arena){.base = t->arena};
    plan(t, &arena);
    *out = t;
    return STATUS_OK;
}

void transformer_close(struct transformer *t)
{
    if (!t) return;
    pages_free(t->arena, t->arena_count * sizeof(float));
    if (t->rounded) pages_free(t->rounded, t->parameters->count * sizeof *t->rounded);
    rope_done(&t->rope);
    free(t->sinusoids);
    free(t->slopes);
    free(t->blocks);
    free(t);
}

int transformer_rows(const struct transformer *t) { return t->rows; }

enum status transformer_choose(struct transformer *t, enum transformer_numbers numbers,
                               struct error *err)
{
    const size_t bytes = t->parameters->count * sizeof *t->rounded;
    if (numbers == TRANSFORMER_F32 || t->rounded) return STATUS_OK;
    t->rounded = pages_new(bytes);
    if (t->rounded) return STATUS_OK;
    return error_set(err, STATUS_LIMIT, _("model: %.0f MiB of memory for its parameters"),
                     (double)bytes / (1 << 20));
}

/* ---- small kernels of our own: sums, positions, dropout ---- */

enum site { SITE_EMBEDDING, SITE_ATTENTION, SITE_FEED_FORWARD };

struct addition {
    float *out;
    const float *a, *b; /* b NULL: only a */
    size_t n;
    const struct transformer_dropout *dropout; /* of b; of a when b is NULL; NULL: none */
    uint32_t site;
};

/* Which of four numbers stay, from one block of random numbers: the place says it all. */
static void drop_four(float factor[4], const struct addition *addition, size_t i)
{
    const struct transformer_dropout *dropout = addition->dropout;
    const uint64_t key = dropout->seed ^ 0x64726f706f757421u; /* not the numbers of other uses */
    const uint32_t counter[4] = {(uint32_t)(i / 4), addition->site, (uint32_t)dropout->step,
                                 (uint32_t)(dropout->step >> 32)};
    const uint32_t limit = (uint32_t)((double)dropout->rate * 0x1p32);
    uint32_t random[4];
    philox(random, counter, (uint32_t[]){(uint32_t)key, (uint32_t)(key >> 32)});
    for (int k = 0; k < 4; k++)
        factor[k] = random[k] < limit ? 0.0f : 1.0f / (1.0f - dropout->rate);
}

static void add_piece(void *context, int piece, int worker)
{
    (void)worker;
    const struct addition *addition = context;
    const size_t first = (size_t)piece * PIECE;
    const size_t last = first + PIECE < addition->n ? first + PIECE : addition->n;
    float *out = addition->out;
    const float *a = addition->a, *b = addition->b;

    if (!addition->dropout) {
        for (size_t i = first; i < last; i++) out[i] = a[i] + b[i];
        return;
    }
    for (size_t i = first; i < last; i += 4) {
        float factor[4];
        drop_four(factor, addition, i);
        for (size_t k = i; k < i + 4 && k < last; k++)
            out[k] = b ? a[k] + b[k] * factor[k - i] : a[k] * factor[k - i];
    }
}

/* out = a + drop(b), or out = drop(a) when b is NULL; [M,C]. */
static void add_rows(const struct transformer *t, float *out, const float *a, const float *b,
                     enum site site, int layer)
{
    struct addition addition = {
        .out = out,
        .a = a,
        .b = b,
        .n = (size_t)t->B * (size_t)t->T * (size_t)t->config.C,
        .dropout = t->dropout,
        .site = (uint32_t)layer * 4 + (uint32_t)site,
    };
    if (!b && !addition.dropout) {
        if (out != a) memcpy(out, a, addition.n * sizeof *out);
        return;
    }
    pool_run(t->pool, add_piece, &addition, (int)((addition.n + PIECE - 1) / PIECE));
}

static const float *weight(const struct transformer *t, size_t offset)
{
    return offset == PARAMETER_NONE ? NULL : t->parameters->data + offset;
}

static float *slot(float *gradients, size_t offset)
{
    return offset == PARAMETER_NONE ? NULL : gradients + offset;
}

static void round_piece(void *context, int piece, int worker)
{
    (void)worker;
    const struct transformer *t = context;
    const size_t at = (size_t)piece * PIECE, left = t->parameters->count - at;
    bf16_from_floats(t->rounded + at, t->parameters->data + at, left < PIECE ? left : PIECE);
}

/* The parameters may have changed since the last pass. */
static void round_parameters(struct transformer *t)
{
    if (!t->rounded) return;
    pool_run(t->pool, round_piece, t, (int)((t->parameters->count + PIECE - 1) / PIECE));
}

/* ---- the three products of a linear layer, in the numbers that were chosen ---- */

/* y [M,N] = x [M,K] w' + bias */
static void linear(const struct transformer *t, float *y, const float *x, size_t w, size_t bias,
                   int M, int N, int K)
{
    if (t->rounded) linear_forward_bf16(t->pool, y, x, t->rounded + w, weight(t, bias), M, N, K);
    else linear_forward(t->pool, y, x, weight(t, w), weight(t, bias), M, N, K);
}

/* dx [M,K] = dy [M,N] w */
static void linear_input(const struct transformer *t, float *dx, const float *dy, size_t w, int M,
                         int N, int K)
{
    if (t->rounded) linear_backward_input_bf16(t->pool, dx, dy, t->rounded + w, M, N, K, false);
    else linear_backward_input(t->pool, dx, dy, weight(t, w), M, N, K, false);
}

/* dw += dy' x, dbias += sums of dy */
static void linear_weight(const struct transformer *t, float *gradients, size_t w, size_t bias,
                          const float *dy, const float *x, int M, int N, int K)
{
    float *dw = slot(gradients, w), *dbias = slot(gradients, bias);
    if (t->rounded) linear_backward_weight_bf16(t->pool, dw, dbias, dy, x, M, N, K);
    else linear_backward_weight(t->pool, dw, dbias, dy, x, M, N, K);
}

/* ---- the forward pass ---- */

static void norm_forward(const struct transformer *t, float *out, float *mean, float *rstd,
                         const float *x, size_t gain, size_t bias, int M)
{
    const struct model_config *config = &t->config;
    if (config->norm == MODEL_NORM_LAYER)
        layernorm_forward(t->pool, out, mean, rstd, x, weight(t, gain), weight(t, bias), M,
                          config->C, config->norm_eps);
    else rmsnorm_forward(t->pool, out, rstd, x, weight(t, gain), M, config->C, config->norm_eps);
}

static void embed(const struct transformer *t, float *x, const int32_t *tokens, int first)
{
    const int B = t->B, T = t->T, C = t->config.C;
    const float *table = weight(t, t->parameters->tokens);
    const float *positions = t->sinusoids;
    if (t->config.position == MODEL_POSITION_LEARNED)
        positions = weight(t, t->parameters->positions);
    embedding_forward(t->pool, x, table, tokens, B * T, C);
    for (int i = 0; positions && i < B * T; i++) {
        float *row = x + (size_t)i * (size_t)C;
        const float *position = positions + (size_t)(first + i % T) * (size_t)C;
        for (int c = 0; c < C; c++) row[c] += position[c];
    }
    if (t->dropout) add_rows(t, x, x, NULL, SITE_EMBEDDING, 0);
}

static struct rope_dims turned(const struct transformer *t, int heads, int first)
{
    return (struct rope_dims){.B = t->B,
                              .T = t->T,
                              .H = heads,
                              .D = t->config.D,
                              .row = t->QKV,
                              .batch = (ptrdiff_t)t->T * t->QKV,
                              .first = first};
}

static struct attention_view part_of(const struct transformer *t, const float *qkv, int offset)
{
    return (struct attention_view){qkv + offset, t->QKV, (ptrdiff_t)t->T * t->QKV};
}

static struct attention_dims mixing(const struct transformer *t, int past)
{
    const struct model_config *config = &t->config;
    return (struct attention_dims){.B = t->B,
                                   .T = t->T,
                                   .S = past + t->T,
                                   .H = config->H,
                                   .KVH = config->KVH,
                                   .D = config->D,
                                   .causal = true,
                                   .scale = 1.0f / sqrtf((float)config->D),
                                   .alibi = t->slopes};
}

/* sum = attention(in) Wprojection' */
static void attend(struct transformer *t, struct block_state *block, const struct block_offsets *at,
                   const float *in, int layer, struct past *past)
{
    const struct model_config *config = &t->config;
    const int M = t->B * t->T, KVD = config->KVH * config->D;
    const int first = past ? past->n : 0;

    linear(t, block->qkv, in, at->qkv, at->qkv_bias, M, t->QKV, config->C);
    if (config->position == MODEL_POSITION_ROPE) {
        const struct rope_dims queries = turned(t, config->H, first);
        const struct rope_dims keys = turned(t, config->KVH, first);
        rope_forward(t->pool, block->qkv, &t->rope, &queries);
        rope_forward(t->pool, block->qkv + t->HD, &t->rope, &keys);
    }
    struct attention_view k = part_of(t, block->qkv, t->HD);
    struct attention_view v = part_of(t, block->qkv, t->HD + KVD);
    if (past) {
        past->append(past, layer, k, v, t->B, t->T);
        past->view(past, layer, &k, &v);
    }
    const struct attention_dims dims = mixing(t, first);
    attention_forward(t->pool, block->mix, block->lse, part_of(t, block->qkv, 0), k, v, &dims);
    linear(t, t->sum, block->mix, at->projection, at->projection_bias, M, config->C, t->HD);
}

static void activate(const struct transformer *t, struct block_state *block)
{
    const int M = t->B * t->T, F = t->config.F;
    const size_t n = (size_t)M * (size_t)F;
    switch (t->config.activation) {
    case MODEL_ACTIVATION_GELU: gelu_forward(t->pool, block->act, block->up, n); break;
    case MODEL_ACTIVATION_GELU_EXACT: gelu_exact_forward(t->pool, block->act, block->up, n); break;
    case MODEL_ACTIVATION_SILU: silu_forward(t->pool, block->act, block->up, n); break;
    case MODEL_ACTIVATION_RELU: relu_forward(t->pool, block->act, block->up, n); break;
    case MODEL_ACTIVATION_SWIGLU: swiglu_forward(t->pool, block->act, block->up, M, F); break;
    case MODEL_ACTIVATION_COUNT: CHECK(false);
    }
}

/* sum = activation(n2 Wup') Wdown' */
static void feed_forward(struct transformer *t, struct block_state *block,
                         const struct block_offsets *at)
{
    const struct model_config *config = &t->config;
    const int M = t->B * t->T;
    linear(t, block->up, block->n2, at->up, at->up_bias, M, t->UP, config->C);
    activate(t, block);
    linear(t, t->sum, block->act, at->down, at->down_bias, M, config->C, config->F);
}

/* From block->x to `out`. In inference all blocks share their memory, and out is block->x. */
static void block_forward(struct transformer *t, float *out, int layer, struct past *past)
{
    struct block_state *block = &t->blocks[layer];
    const struct block_offsets *at = &t->parameters->blocks[layer];
    const int M = t->B * t->T;
    if (t->config.norm_after) {
        attend(t, block, at, block->x, layer, past);
        add_rows(t, block->x2, block->x, t->sum, SITE_ATTENTION, layer);
        norm_forward(t, block->n2, block->mean_2, block->rstd_2, block->x2, at->norm_1,
                     at->norm_1_bias, M);
        feed_forward(t, block, at);
        add_rows(t, block->n1, block->n2, t->sum, SITE_FEED_FORWARD, layer);
        norm_forward(t, out, block->mean_1, block->rstd_1, block->n1, at->norm_2, at->norm_2_bias,
                     M);
        return;
    }
    norm_forward(t, block->n1, block->mean_1, block->rstd_1, block->x, at->norm_1, at->norm_1_bias,
                 M);
    attend(t, block, at, block->n1, layer, past);
    add_rows(t, block->x2, block->x, t->sum, SITE_ATTENTION, layer);
    norm_forward(t, block->n2, block->mean_2, block->rstd_2, block->x2, at->norm_2, at->norm_2_bias,
                 M);
    feed_forward(t, block, at);
    add_rows(t, out, block->x2, t->sum, SITE_FEED_FORWARD, layer);
}

void transformer_forward(struct transformer *t, const int32_t *tokens, int B, int T,
                         struct past *past)
{
    const int L = t->config.L, first = past ? past->n : 0;
    CHECK(B >= 1 && T >= 1 && (int64_t)B * T <= t->M && (int64_t)first + T <= t->config.T);
    t->B = B;
    t->T = T;
    const bool apart = t->use == TRANSFORMER_LEARNS; /* each block keeps what came in */
    embed(t, t->blocks[0].x, tokens, first);
    for (int l = 0; l < L; l++) {
        float *out = l + 1 == L ? t->x : apart ? t->blocks[l + 1].x : t->blocks[l].x;
        block_forward(t, out, l, past);
    }
    if (t->config.norm_after)
        memcpy(t->nf, t->x, (size_t)(B * T) * (size_t)t->config.C * sizeof(float));
    else
        norm_forward(t, t->nf, t->mean_f, t->rstd_f, t->x, t->parameters->norm,
                     t->parameters->norm_bias, B * T);
    if (past) past->n += T;
}

const float *transformer_logits(struct transformer *t, int first, int n)
{
    CHECK(first >= 0 && n >= 1 && n <= t->rows && first + n <= t->B * t->T);
    linear(t, t->logits, t->nf + (size_t)first * (size_t)t->config.C, t->parameters->head,
           PARAMETER_NONE, n, t->config.V, t->config.C);
    return t->logits;
}

static double sum_losses(const struct transformer *t, float *losses)
{
    const int M = t->B * t->T;
    double sum = 0;
    for (int i = 0; i < M; i++) sum += (double)t->losses[i];
    if (losses) memcpy(losses, t->losses, (size_t)M * sizeof *losses);
    return sum;
}

double transformer_loss(struct transformer *t, const int32_t *tokens, const int32_t *targets, int B,
                        int T, float *losses)
{
    t->dropout = NULL;
    round_parameters(t);
    transformer_forward(t, tokens, B, T, NULL);
    for (int i = 0; i < B * T; i += t->rows) {
        const int n = B * T - i < t->rows ? B * T - i : t->rows;
        cross_entropy_forward(t->pool, t->losses + i, transformer_logits(t, i, n), targets + i, n,
                              t->config.V);
    }
    return sum_losses(t, losses);
}

/* ---- the backward pass ---- */

static void norm_backward(const struct transformer *t, float *dx, const float *dout, const float *x,
                          const float *mean, const float *rstd, size_t gain, size_t bias,
                          float *gradients)
{
    const int M = t->B * t->T, C = t->config.C;
    if (t->config.norm == MODEL_NORM_LAYER)
        layernorm_backward(t->pool, dx, slot(gradients, gain), slot(gradients, bias), dout, x,
                           weight(t, gain), mean, rstd, M, C);
    else rmsnorm_backward(t->pool, dx, slot(gradients, gain), dout, x, weight(t, gain), rstd, M, C);
}

/* The head, some rows at a time: their logits, losses, and what flows back. dn is written. */
static void head_both(struct transformer *t, const int32_t *targets, float scale, float *gradients)
{
    const int M = t->B * t->T, C = t->config.C, V = t->config.V;
    const size_t head = t->parameters->head;
    for (int i = 0; i < M; i += t->rows) {
        const int n = M - i < t->rows ? M - i : t->rows;
        const size_t at = (size_t)i * (size_t)C;
        transformer_logits(t, i, n);
        cross_entropy_both(t->pool, t->losses + i, t->logits, t->logits, targets + i, scale, n, V);
        linear_input(t, t->dn + at, t->logits, head, n, V, C);
        linear_weight(t, gradients, head, PARAMETER_NONE, t->logits, t->nf + at, n, V, C);
    }
}

/* Activation backward: from dact [M,F] to the gradient of `up`, which is returned [M,UP]. */
static float *deactivate(struct transformer *t, struct block_state *block)
{
    const int M = t->B * t->T, F = t->config.F;
    const size_t n = (size_t)M * (size_t)F;
    float *d = t->dact;
    switch (t->config.activation) {
    case MODEL_ACTIVATION_GELU: gelu_backward(t->pool, d, d, block->up, n); break;
    case MODEL_ACTIVATION_GELU_EXACT: gelu_exact_backward(t->pool, d, d, block->up, n); break;
    case MODEL_ACTIVATION_SILU: silu_backward(t->pool, d, d, block->up, n); break;
    case MODEL_ACTIVATION_RELU: relu_backward(t->pool, d, d, block->up, n); break;
    case MODEL_ACTIVATION_SWIGLU:
        swiglu_backward(t->pool, block->up, d, block->up, M, F);
        return block->up; /* the next forward pass writes it anew */
    case MODEL_ACTIVATION_COUNT: CHECK(false);
    }
    return d;
}

/* From dsum, the gradient of what the feed-forward half adds, to dn2: written. */
static void feed_forward_backward(struct transformer *t, float *dn2, const float *dsum,
                                  struct block_state *block, const struct block_offsets *at,
                                  float *gradients)
{
    const int M = t->B * t->T, C = t->config.C, F = t->config.F;
    linear_weight(t, gradients, at->down, at->down_bias, dsum, block->act, M, C, F);
    linear_input(t, t->dact, dsum, at->down, M, C, F);
    const float *dup = deactivate(t, block);
    linear_weight(t, gradients, at->up, at->up_bias, dup, block->n2, M, t->UP, C);
    linear_input(t, dn2, dup, at->up, M, t->UP, C);
}

/* From dsum, the gradient of what the attention half adds, to din: written. */
static void attend_backward(struct transformer *t, float *din, const float *dsum, const float *in,
                            struct block_state *block, const struct block_offsets *at,
                            float *gradients)
{
    const struct model_config *config = &t->config;
    const int M = t->B * t->T, KVD = config->KVH * config->D;
    const ptrdiff_t row = t->QKV, batch = (ptrdiff_t)t->T * t->QKV;

    linear_weight(t, gradients, at->projection, at->projection_bias, dsum, block->mix, M, config->C,
                  t->HD);
    linear_input(t, t->dmix, dsum, at->projection, M, config->C, t->HD);
    const struct attention_dims dims = mixing(t, 0);
    attention_backward(t->pool, (struct attention_gradient){t->dqkv, row, batch},
                       (struct attention_gradient){t->dqkv + t->HD, row, batch},
                       (struct attention_gradient){t->dqkv + t->HD + KVD, row, batch}, t->dmix,
                       block->mix, block->lse, part_of(t, block->qkv, 0),
                       part_of(t, block->qkv, t->HD), part_of(t, block->qkv, t->HD + KVD), &dims);
    if (config->position == MODEL_POSITION_ROPE) {
        const struct rope_dims queries = turned(t, config->H, 0);
        const struct rope_dims keys = turned(t, config->KVH, 0);
        rope_backward(t->pool, t->dqkv, &t->rope, &queries);
        rope_backward(t->pool, t->dqkv + t->HD, &t->rope, &keys);
    }
    linear_weight(t, gradients, at->qkv, at->qkv_bias, t->dqkv, in, M, t->QKV, config->C);
    linear_input(t, din, t->dqkv, at->qkv, M, t->QKV, config->C);
}

/* What flows back through dropout; without dropout that is dx itself. */
static const float *undrop(struct transformer *t, const float *dx, enum site site, int layer)
{
    if (!t->dropout) return dx;
    add_rows(t, t->sum, dx, NULL, site, layer);
    return t->sum;
}

static size_t stream_bytes(const struct transformer *t)
{
    return (size_t)t->B * (size_t)t->T * (size_t)t->config.C * sizeof(float);
}

/* dx is the gradient of the block's output, and becomes that of its input. */
static void block_backward(struct transformer *t, int layer, float *gradients)
{
    struct block_state *block = &t->blocks[layer];
    const struct block_offsets *at = &t->parameters->blocks[layer];
    const float *dsum = undrop(t, t->dx, SITE_FEED_FORWARD, layer);
    feed_forward_backward(t, t->dn, dsum, block, at, gradients);
    norm_backward(t, t->dx, t->dn, block->x2, block->mean_2, block->rstd_2, at->norm_2,
                  at->norm_2_bias, gradients);
    dsum = undrop(t, t->dx, SITE_ATTENTION, layer);
    attend_backward(t, t->dn, dsum, block->n1, block, at, gradients);
    norm_backward(t, t->dx, t->dn, block->x, block->mean_1, block->rstd_1, at->norm_1,
                  at->norm_1_bias, gradients);
}

/* The same where the norms come after the sums. */
static void block_backward_after(struct transformer *t, int layer, float *gradients)
{
    struct block_state *block = &t->blocks[layer];
    const struct block_offsets *at = &t->parameters->blocks[layer];
    const int M = t->B * t->T, C = t->config.C;
    const size_t n = (size_t)M * (size_t)C;

    /* dn = gradient of the second sum, n1 is free from here on */
    memset(t->dn, 0, stream_bytes(t));
    norm_backward(t, t->dn, t->dx, block->n1, block->mean_1, block->rstd_1, at->norm_2,
                  at->norm_2_bias, gradients);
    const float *dsum = undrop(t, t->dn, SITE_FEED_FORWARD, layer);
    float *dn2 = block->n1;
    feed_forward_backward(t, dn2, dsum, block, at, gradients);
    for (size_t i = 0; i < n; i++) dn2[i] += t->dn[i];

    /* dx = gradient of the first sum */
    memset(t->dx, 0, stream_bytes(t));
    norm_backward(t, t->dx, dn2, block->x2, block->mean_2, block->rstd_2, at->norm_1,
                  at->norm_1_bias, gradients);
    dsum = undrop(t, t->dx, SITE_ATTENTION, layer);
    attend_backward(t, t->dn, dsum, block->x, block, at, gradients);
    for (size_t i = 0; i < n; i++) t->dx[i] += t->dn[i];
}

static void embed_backward(struct transformer *t, const int32_t *tokens, float *gradients)
{
    const int B = t->B, T = t->T, C = t->config.C;
    if (t->dropout) add_rows(t, t->dx, t->dx, NULL, SITE_EMBEDDING, 0);
    embedding_backward(t->pool, slot(gradients, t->parameters->tokens), t->dx, tokens, B * T,
                       t->config.V, C);
    if (t->config.position != MODEL_POSITION_LEARNED) return;
    float *positions = slot(gradients, t->parameters->positions);
    for (int i = 0; i < B * T; i++) {
        float *to = positions + (size_t)(i % T) * (size_t)C;
        const float *from = t->dx + (size_t)i * (size_t)C;
        for (int c = 0; c < C; c++) to[c] += from[c];
    }
}

double transformer_learn(struct transformer *t, const int32_t *tokens, const int32_t *targets,
                         int B, int T, float scale, float *gradients,
                         const struct transformer_dropout *dropout)
{
    CHECK(t->use == TRANSFORMER_LEARNS);
    t->dropout = dropout && dropout->rate > 0 ? dropout : NULL;
    round_parameters(t);
    transformer_forward(t, tokens, B, T, NULL);
    head_both(t, targets, scale, gradients);
    if (t->config.norm_after) {
        memcpy(t->dx, t->dn, stream_bytes(t));
    } else {
        memset(t->dx, 0, stream_bytes(t));
        norm_backward(t, t->dx, t->dn, t->x, t->mean_f, t->rstd_f, t->parameters->norm,
                      t->parameters->norm_bias, gradients);
    }
    for (int l = t->config.L - 1; l >= 0; l--) {
        if (t->config.norm_after) block_backward_after(t, l, gradients);
        else block_backward(t, l, gradients);
    }
    embed_backward(t, tokens, gradients);
    t->dropout = NULL;
    return sum_losses(t, NULL);
}

void transformer_residual_rms(const struct transformer *t, float *out)
{
    CHECK(t->use == TRANSFORMER_LEARNS);
    const size_t n = (size_t)t->B * (size_t)t->T * (size_t)t->config.C;
    for (int l = 0; l <= t->config.L; l++) {
        const float *x = l == t->config.L ? t->x : t->blocks[l].x;
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
        out[l] = (float)sqrt(sum / (double)(n ? n : 1));
    }
}
