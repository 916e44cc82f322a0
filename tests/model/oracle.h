/* oracle.h -- the transformer once more, in double and in the plainest loops, to compare with.
 *
 * Written from the equations, not from src/model: it shares only the table of parameters. One
 * sequence at a time, no cache, everything recomputed.
 */
#ifndef TESTS_MODEL_ORACLE_H
#define TESTS_MODEL_ORACLE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/parameters.h"

static inline double *oracle_new(size_t n)
{
    double *memory = calloc(n ? n : 1, sizeof *memory);
    CHECK(memory);
    return memory;
}

static inline void oracle_norm(double *out, const double *x, const double *w, size_t gain,
                               size_t bias, const struct model_config *config, int T)
{
    const int C = config->C;
    for (int t = 0; t < T; t++) {
        double mean = 0, square = 0;
        for (int c = 0; c < C; c++) mean += x[t * C + c] / C;
        if (config->norm == MODEL_NORM_RMS) mean = 0;
        for (int c = 0; c < C; c++) square += pow(x[t * C + c] - mean, 2) / C;
        for (int c = 0; c < C; c++) {
            out[t * C + c] =
                (x[t * C + c] - mean) / sqrt(square + (double)config->norm_eps) * w[gain + c];
            if (bias != PARAMETER_NONE) out[t * C + c] += w[bias + c];
        }
    }
}

static inline void oracle_linear(double *y, const double *x, const double *w, size_t matrix,
                                 size_t bias, int T, int N, int K)
{
    for (int t = 0; t < T; t++)
        for (int n = 0; n < N; n++) {
            double sum = bias == PARAMETER_NONE ? 0 : w[bias + n];
            for (int k = 0; k < K; k++) sum += x[t * K + k] * w[matrix + (size_t)n * K + k];
            y[t * N + n] = sum;
        }
}

static inline void oracle_turn(double *head, int position, const struct model_config *config)
{
    const int D = config->D;
    for (int i = 0; i < D / 2; i++) {
        const double angle = position * pow((double)config->rope_base, -2.0 * i / D);
        const int a = config->rope_layout == ROPE_HALF ? i : 2 * i;
        const int b = config->rope_layout == ROPE_HALF ? i + D / 2 : 2 * i + 1;
        const double x = head[a], y = head[b];
        head[a] = x * cos(angle) - y * sin(angle);
        head[b] = x * sin(angle) + y * cos(angle);
    }
}

/* sum [T,C] = attention(in) */
static inline void oracle_attend(double *sum, const double *in, const double *w,
                                 const struct block_offsets *at, const struct model_config *config,
                                 int T)
{
    const int H = config->H, KVH = config->KVH, D = config->D;
    const int QKV = (H + 2 * KVH) * D;
    double *qkv = oracle_new((size_t)T * QKV), *mix = oracle_new((size_t)T * H * D);
    double *score = oracle_new((size_t)T);
    oracle_linear(qkv, in, w, at->qkv, at->qkv_bias, T, QKV, config->C);
    for (int t = 0; t < T && config->position == MODEL_POSITION_ROPE; t++)
        for (int h = 0; h < H + KVH; h++) oracle_turn(qkv + t * QKV + h * D, t, config);
    for (int t = 0; t < T; t++)
        for (int h = 0; h < H; h++) {
            const int kvh = h / (H / KVH);
            double most = -INFINITY, all = 0;
            for (int s = 0; s <= t; s++) {
                score[s] = 0;
                for (int i = 0; i < D; i++)
                    score[s] += qkv[t * QKV + h * D + i] * qkv[s * QKV + (H + kvh) * D + i];
                score[s] /= sqrt((double)D);
                if (config->position == MODEL_POSITION_ALIBI) /* H is a power of two in the tests */
                    score[s] -= pow(2, -8.0 * (h + 1) / H) * (t - s);
                if (score[s] > most) most = score[s];
            }
            for (int s = 0; s <= t; s++) all += exp(score[s] - most);
            for (int s = 0; s <= t; s++)
                for (int i = 0; i < D; i++)
                    mix[t * H * D + h * D + i] +=
                        exp(score[s] - most) / all * qkv[s * QKV + (H + KVH + kvh) * D + i];
        }
    oracle_linear(sum, mix, w, at->projection, at->projection_bias, T, config->C, H * D);
    free(qkv);
    free(mix);
    free(score);
}

static inline double oracle_activation(double x, enum model_activation activation)
{
    switch (activation) {
    case MODEL_ACTIVATION_GELU:
        return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case MODEL_ACTIVATION_GELU_EXACT: return 0.5 * x * (1 + erf(x / sqrt(2)));
    case MODEL_ACTIVATION_RELU: return x > 0 ? x : 0;
    default: return x / (1 + exp(-x));
    }
}

static inline void oracle_feed_forward(double *sum, const double *in, const double *w,
                                       const struct block_offsets *at,
                                       const struct model_config *config, int T)
{
    const int F = config->F;
    const bool gated = config->activation == MODEL_ACTIVATION_SWIGLU;
    const int UP = gated ? 2 * F : F;
    double *up = oracle_new((size_t)T * UP), *act = oracle_new((size_t)T * F);
    oracle_linear(up, in, w, at->up, at->up_bias, T, UP, config->C);
    for (int t = 0; t < T; t++)
        for (int f = 0; f < F; f++) {
            act[t * F + f] = oracle_activation(up[t * UP + f], config->activation);
            if (gated) act[t * F + f] *= up[t * UP + F + f];
        }
    oracle_linear(sum, act, w, at->down, at->down_bias, T, config->C, F);
    free(up);
    free(act);
}

/* logits [T,V] of one sequence; w: the parameters in double. */
static inline void oracle_forward(double *logits, const struct parameters *p, const double *w,
                                  const int32_t *tokens, int T)
{
    const struct model_config *config = &p->config;
    const int C = config->C;
    const size_t n = (size_t)T * (size_t)C;
    double *x = oracle_new(n), *in = oracle_new(n), *sum = oracle_new(n);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < C; c++) {
            x[t * C + c] = w[p->tokens + (size_t)tokens[t] * C + c];
            if (config->position == MODEL_POSITION_LEARNED)
                x[t * C + c] += w[p->positions + (size_t)t * C + c];
            if (config->position == MODEL_POSITION_SINUSOIDAL) {
                const double angle = t / pow(10000, (double)(c / 2 * 2) / C);
                x[t * C + c] += c % 2 ? cos(angle) : sin(angle);
            }
        }
    for (int l = 0; l < config->L; l++) {
        const struct block_offsets *at = &p->blocks[l];
        if (!config->norm_after) oracle_norm(in, x, w, at->norm_1, at->norm_1_bias, config, T);
        else memcpy(in, x, n * sizeof *in);
        oracle_attend(sum, in, w, at, config, T);
        for (size_t i = 0; i < n; i++) x[i] += sum[i];
        if (config->norm_after) {
            oracle_norm(in, x, w, at->norm_1, at->norm_1_bias, config, T);
            memcpy(x, in, n * sizeof *in);
        } else oracle_norm(in, x, w, at->norm_2, at->norm_2_bias, config, T);
        oracle_feed_forward(sum, in, w, at, config, T);
        for (size_t i = 0; i < n; i++) x[i] += sum[i];
        if (config->norm_after) {
            oracle_norm(in, x, w, at->norm_2, at->norm_2_bias, config, T);
            memcpy(x, in, n * sizeof *in);
        }
    }
    if (!config->norm_after) {
        oracle_norm(in, x, w, p->norm, p->norm_bias, config, T);
        memcpy(x, in, n * sizeof *in);
    }
    oracle_linear(logits, x, w, p->head, PARAMETER_NONE, T, config->V, C);
    free(x);
    free(in);
    free(sum);
}

/* Sum of the losses of B sequences; targets of -1 are left out. */
static inline double oracle_loss(const struct parameters *p, const double *w, const int32_t *tokens,
                                 const int32_t *targets, int B, int T)
{
    const int V = p->config.V;
    double *logits = oracle_new((size_t)T * (size_t)V), loss = 0;
    for (int b = 0; b < B; b++) {
        oracle_forward(logits, p, w, tokens + b * T, T);
        for (int t = 0; t < T; t++) {
            const double *row = logits + (size_t)t * (size_t)V;
            double most = -INFINITY, all = 0;
            if (targets[b * T + t] < 0) continue;
            for (int v = 0; v < V; v++) most = fmax(most, row[v]);
            for (int v = 0; v < V; v++) all += exp(row[v] - most);
            loss += log(all) + most - row[targets[b * T + t]];
        }
    }
    free(logits);
    return loss;
}

#endif
