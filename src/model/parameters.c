#include "model/parameters.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/pages.h"
#include "base/rng.h"
#include "base/text.h"

enum { INIT_PIECE = 1 << 14 }; /* numbers that one stream of random numbers fills */

/* ---- the table ---- */

PRINTF_LIKE(7, 8)
static size_t add(struct parameters *parameters, enum parameter_kind kind, int layer, int ndim,
                  int rows, int columns, const char *format, ...)
{
    struct parameter *p = &parameters->table[parameters->n++];
    *p = (struct parameter){.kind = kind,
                            .layer = layer,
                            .ndim = ndim,
                            .rows = rows,
                            .columns = columns,
                            .offset = parameters->count,
                            .count = (size_t)rows * (size_t)columns};
    va_list args;
    va_start(args, format);
    const int size = vsnprintf(p->name, sizeof p->name, format, args);
    va_end(args);
    CHECK(size > 0 && size <= PARAMETER_NAME_LIMIT);
    p->file_transposed = parameters->config.family == MODEL_FAMILY_GPT2 && ndim == 2 &&
                         (kind == PARAMETER_MATRIX || kind == PARAMETER_PROJECTION) && layer >= 0;
    parameters->count += p->count;
    return p->offset;
}

static size_t add_bias(struct parameters *parameters, int layer, int size, const char *name)
{
    if (!parameters->config.bias) return PARAMETER_NONE;
    return add(parameters, PARAMETER_BIAS, layer, 1, 1, size, "h.%d.%s.bias", layer, name);
}

static size_t add_norm_bias(struct parameters *parameters, int layer, const char *name)
{
    if (parameters->config.norm == MODEL_NORM_RMS) return PARAMETER_NONE;
    return add_bias(parameters, layer, parameters->config.C, name);
}

static void add_gpt2_block(struct parameters *parameters, int l)
{
    const struct model_config *config = &parameters->config;
    const int C = config->C, F = config->F, HD = config->H * config->D;
    const int QKV = (config->H + 2 * config->KVH) * config->D;
    const int up = config->activation == MODEL_ACTIVATION_SWIGLU ? 2 * F : F;
    struct block_offsets *block = &parameters->blocks[l];

    block->norm_1 = add(parameters, PARAMETER_GAIN, l, 1, 1, C, "h.%d.ln_1.weight", l);
    block->norm_1_bias = add_norm_bias(parameters, l, "ln_1");
    block->qkv = add(parameters, PARAMETER_MATRIX, l, 2, QKV, C, "h.%d.attn.c_attn.weight", l);
    block->qkv_bias = add_bias(parameters, l, QKV, "attn.c_attn");
    block->projection =
        add(parameters, PARAMETER_PROJECTION, l, 2, C, HD, "h.%d.attn.c_proj.weight", l);
    block->projection_bias = add_bias(parameters, l, C, "attn.c_proj");
    block->norm_2 = add(parameters, PARAMETER_GAIN, l, 1, 1, C, "h.%d.ln_2.weight", l);
    block->norm_2_bias = add_norm_bias(parameters, l, "ln_2");
    block->up = add(parameters, PARAMETER_MATRIX, l, 2, up, C, "h.%d.mlp.c_fc.weight", l);
    block->up_bias = add_bias(parameters, l, up, "mlp.c_fc");
    block->down = add(parameters, PARAMETER_PROJECTION, l, 2, C, F, "h.%d.mlp.c_proj.weight", l);
    block->down_bias = add_bias(parameters, l, C, "mlp.c_proj");
}

static void add_gpt2(struct parameters *parameters)
{
    const struct model_config *config = &parameters->config;
    const int C = config->C;
    parameters->tokens = add(parameters, PARAMETER_EMBEDDING, -1, 2, config->V, C, "wte.weight");
    if (config->position == MODEL_POSITION_LEARNED)
        parameters->positions =
            add(parameters, PARAMETER_EMBEDDING, -1, 2, config->T, C, "wpe.weight");
    for (int l = 0; l < config->L; l++) add_gpt2_block(parameters, l);
    if (!config->norm_after) {
        parameters->norm = add(parameters, PARAMETER_GAIN, -1, 1, 1, C, "ln_f.weight");
        if (config->bias && config->norm == MODEL_NORM_LAYER)
            parameters->norm_bias = add(parameters, PARAMETER_BIAS, -1, 1, 1, C, "ln_f.bias");
    }
    if (!config->tied)
        parameters->head = add(parameters, PARAMETER_MATRIX, -1, 2, config->V, C, "lm_head.weight");
}

#define LAYER "model.layers.%d."
static void add_llama_block(struct parameters *parameters, int l)
{
    const struct model_config *config = &parameters->config;
    const int C = config->C, F = config->F, HD = config->H * config->D;
    const int KVD = config->KVH * config->D;
    struct block_offsets *block = &parameters->blocks[l];

    *block = (struct block_offsets){0};
    block->norm_1_bias = block->qkv_bias = block->projection_bias = PARAMETER_NONE;
    block->norm_2_bias = block->up_bias = block->down_bias = PARAMETER_NONE;
    block->norm_1 = add(parameters, PARAMETER_GAIN, l, 1, 1, C, LAYER "input_layernorm.weight", l);
    block->qkv = add(parameters, PARAMETER_MATRIX, l, 2, HD, C, LAYER "self_attn.q_proj.weight", l);
    add(parameters, PARAMETER_MATRIX, l, 2, KVD, C, LAYER "self_attn.k_proj.weight", l);
    add(parameters, PARAMETER_MATRIX, l, 2, KVD, C, LAYER "self_attn.v_proj.weight", l);
    block->projection =
        add(parameters, PARAMETER_PROJECTION, l, 2, C, HD, LAYER "self_attn.o_proj.weight", l);
    block->norm_2 =
        add(parameters, PARAMETER_GAIN, l, 1, 1, C, LAYER "post_attention_layernorm.weight", l);
    if (config->activation == MODEL_ACTIVATION_SWIGLU) {
        block->up = add(parameters, PARAMETER_MATRIX, l, 2, F, C, LAYER "mlp.gate_proj.weight", l);
        add(parameters, PARAMETER_MATRIX, l, 2, F, C, LAYER "mlp.up_proj.weight", l);
    } else {
        block->up = add(parameters, PARAMETER_MATRIX, l, 2, F, C, LAYER "mlp.up_proj.weight", l);
    }
    block->down =
        add(parameters, PARAMETER_PROJECTION, l, 2, C, F, LAYER "mlp.down_proj.weight", l);
}
#undef LAYER

static void add_llama(struct parameters *parameters)
{
    const struct model_config *config = &parameters->config;
    const int C = config->C;
    parameters->tokens =
        add(parameters, PARAMETER_EMBEDDING, -1, 2, config->V, C, "model.embed_tokens.weight");
    if (config->position == MODEL_POSITION_LEARNED)
        parameters->positions = add(parameters, PARAMETER_EMBEDDING, -1, 2, config->T, C,
                                    "model.embed_positions.weight");
    for (int l = 0; l < config->L; l++) add_llama_block(parameters, l);
    if (!config->norm_after)
        parameters->norm = add(parameters, PARAMETER_GAIN, -1, 1, 1, C, "model.norm.weight");
    if (!config->tied)
        parameters->head = add(parameters, PARAMETER_MATRIX, -1, 2, config->V, C, "lm_head.weight");
}

void parameters_plan(struct parameters *parameters, const struct model_config *config)
{
    enum { PER_BLOCK = 12, OUTSIDE = 5 };
    *parameters = (struct parameters){.config = *config};
    parameters->table =
        memory_new((size_t)config->L * PER_BLOCK + OUTSIDE, sizeof *parameters->table);
    parameters->blocks = memory_new((size_t)config->L, sizeof *parameters->blocks);
    parameters->positions = parameters->norm = parameters->norm_bias = PARAMETER_NONE;
    parameters->head = PARAMETER_NONE;
    if (config->family == MODEL_FAMILY_GPT2) add_gpt2(parameters);
    else add_llama(parameters);
    if (config->tied) parameters->head = parameters->tokens;
    CHECK((int64_t)parameters->count == model_config_parameters(config));
}

enum status parameters_init(struct parameters *parameters, const struct model_config *config,
                            struct error *err)
{
    parameters_plan(parameters, config);
    parameters->data = pages_new(parameters->count * sizeof(float));
    if (parameters->data) return STATUS_OK;
    const double mib = (double)parameters->count * sizeof(float) / (1 << 20);
    parameters_done(parameters);
    return error_set(err, STATUS_LIMIT, _("model: %.0f MiB of memory for its parameters"), mib);
}

void parameters_done(struct parameters *parameters)
{
    pages_free(parameters->data, parameters->count * sizeof(float));
    free(parameters->table);
    free(parameters->blocks);
    *parameters = (struct parameters){0};
}

const struct parameter *parameters_find(const struct parameters *parameters, const char *name)
{
    for (int i = 0; i < parameters->n; i++)
        if (strcmp(parameters->table[i].name, name) == 0) return &parameters->table[i];
    return NULL;
}

/* ---- how it begins ---- */

struct filling {
    const struct parameters *parameters;
    const struct parameter *parameter;
    uint64_t seed;
    double deviation;
};

static void fill_piece(void *context, int i, int worker)
{
    (void)worker;
    const struct filling *filling = context;
    const struct parameter *p = filling->parameter;
    const size_t first = (size_t)i * INIT_PIECE;
    const size_t last = first + INIT_PIECE < p->count ? first + INIT_PIECE : p->count;
    const uint64_t place = (uint64_t)(p - filling->parameters->table);
    float *data = filling->parameters->data + p->offset;
    struct rng rng;
    rng_init(&rng, filling->seed, place << 32 | (uint64_t)i);
    for (size_t k = first; k < last; k++) data[k] = (float)(filling->deviation * rng_normal(&rng));
}

void parameters_randomize(struct parameters *parameters, uint64_t seed, struct pool *pool)
{
    const double base = 0.02;
    for (int i = 0; i < parameters->n; i++) {
        const struct parameter *p = &parameters->table[i];
        float *data = parameters->data + p->offset;
        if (p->kind == PARAMETER_GAIN || p->kind == PARAMETER_BIAS) {
            for (size_t k = 0; k < p->count; k++) data[k] = p->kind == PARAMETER_GAIN ? 1.0f : 0.0f;
            continue;
        }
        const bool residual = p->kind == PARAMETER_PROJECTION;
        struct filling filling = {parameters, p, seed,
                                  residual ? base / sqrt(2.0 * parameters->config.L) : base};
        pool_run(pool, fill_piece, &filling, (int)((p->count + INIT_PIECE - 1) / INIT_PIECE));
    }
}
