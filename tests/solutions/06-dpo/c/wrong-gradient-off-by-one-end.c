/* Mistake: the backward also covers the last token, whose logits predict padding. */
#include "dpo.h"

#include <math.h>
#include <stdlib.h>

static double log_sum_exp(const float *logits, int V)
{
    double largest = logits[0];
    for (int v = 1; v < V; v++) {
        if (logits[v] > largest) {
            largest = logits[v];
        }
    }
    double sum = 0.0;
    for (int v = 0; v < V; v++) {
        sum += exp(logits[v] - largest);
    }
    return largest + log(sum);
}

static double reply_logp(const float *logits, const struct dpo_batch *b, int row)
{
    double total = 0.0;
    for (int t = b->prompt_length[row]; t < b->length[row]; t++) {
        const float *at = logits + ((size_t)row * b->T + (t - 1)) * b->V;
        total += at[b->tokens[(size_t)row * b->T + t]] - log_sum_exp(at, b->V);
    }
    return total;
}

static double row_reward(const struct dpo_batch *b, int row)
{
    return b->beta * (reply_logp(b->policy, b, row) - reply_logp(b->reference, b, row));
}

void dpo_forward(float *loss, float *chosen_reward, float *rejected_reward,
                 const struct dpo_batch *batch)
{
    double total = 0.0;
    for (int p = 0; p < batch->P; p++) {
        double chosen = row_reward(batch, p);
        double rejected = row_reward(batch, batch->P + p);
        double z = chosen - rejected;
        total += z > 0 ? log1p(exp(-z)) : log1p(exp(z)) - z;
        chosen_reward[p] = (float)chosen;
        rejected_reward[p] = (float)rejected;
    }
    *loss = (float)(total / batch->P);
}

void dpo_backward(float *d_policy, float *d_reference, const struct dpo_batch *batch)
{
    int P = batch->P, T = batch->T, V = batch->V;
    double *slope = malloc((size_t)P * sizeof *slope);
    if (!slope) {
        abort();
    }
    for (int p = 0; p < P; p++) {
        double z = row_reward(batch, p) - row_reward(batch, P + p);
        slope[p] = -batch->beta / (1.0 + exp(z)) / P;
    }
    for (int row = 0; row < 2 * P; row++) {
        double g = row < P ? slope[row] : -slope[row - P];
        for (int t = 0; t < T; t++) {
            size_t base = ((size_t)row * T + t) * V;
            int predicts =
                t + 1 >= batch->prompt_length[row] && t + 1 <= batch->length[row] && t + 1 < T;
            double lse = predicts ? log_sum_exp(batch->policy + base, V) : 0.0;
            for (int v = 0; v < V; v++) {
                d_reference[base + v] = 0.0f;
                d_policy[base + v] = 0.0f;
                if (predicts) {
                    double hit = v == batch->tokens[(size_t)row * T + t + 1];
                    d_policy[base + v] = (float)(g * (hit - exp(batch->policy[base + v] - lse)));
                }
            }
        }
    }
    free(slope);
}
