/* Style: float32 everywhere, memset first and only the reply positions visited. */
#include "dpo.h"

#include <math.h>
#include <string.h>

static float log_prob(const float *logits, int token, int V)
{
    float m = logits[0], s = 0.0f;
    for (int v = 1; v < V; v++) m = fmaxf(m, logits[v]);
    for (int v = 0; v < V; v++) s += expf(logits[v] - m);
    return (logits[token] - m) - logf(s);
}

static float reward(const struct dpo_batch *b, int row)
{
    const int *tokens = b->tokens + (long)row * b->T;
    float ratio = 0.0f;
    for (int t = b->prompt_length[row]; t < b->length[row]; t++) {
        long at = ((long)row * b->T + t - 1) * b->V;
        ratio += log_prob(b->policy + at, tokens[t], b->V) -
                 log_prob(b->reference + at, tokens[t], b->V);
    }
    return b->beta * ratio;
}

static float softplus(float x) { return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))); }

static float sigmoid(float x)
{
    float e = expf(-fabsf(x));
    return x >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e);
}

void dpo_forward(float *loss, float *chosen_reward, float *rejected_reward,
                 const struct dpo_batch *batch)
{
    *loss = 0.0f;
    for (int p = 0; p < batch->P; p++) {
        chosen_reward[p] = reward(batch, p);
        rejected_reward[p] = reward(batch, batch->P + p);
        *loss += softplus(rejected_reward[p] - chosen_reward[p]) / (float)batch->P;
    }
}

void dpo_backward(float *d_policy, float *d_reference, const struct dpo_batch *batch)
{
    const int P = batch->P, T = batch->T, V = batch->V;
    const size_t bytes = sizeof(float) * 2 * (size_t)P * (size_t)T * (size_t)V;
    memset(d_policy, 0, bytes);
    memset(d_reference, 0, bytes);

    for (int p = 0; p < P; p++) {
        float z = reward(batch, p) - reward(batch, P + p);
        float d_logp = -batch->beta * sigmoid(-z) / (float)P;
        for (int side = 0; side < 2; side++, d_logp = -d_logp) {
            int row = side * P + p;
            for (int t = batch->prompt_length[row]; t < batch->length[row]; t++) {
                long at = ((long)row * T + t - 1) * V;
                for (int v = 0; v < V; v++)
                    d_policy[at + v] = -d_logp * expf(log_prob(batch->policy + at, v, V));
                d_policy[at + batch->tokens[(long)row * T + t]] += d_logp;
            }
        }
    }
}
