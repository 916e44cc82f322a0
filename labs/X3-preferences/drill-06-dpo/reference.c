#include "dpo.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* The tokens first..last-1 of a row count. */
static int first_token(const struct dpo_batch *batch, int row)
{
    //: prompt-counted
    //| (void)batch, (void)row;
    //| return 1;
    //: right
    return batch->prompt_length[row];
    //: end
}

static int last_token(const struct dpo_batch *batch, int row)
{
    //: padding-counted
    //| (void)row;
    //| return batch->T;
    //: right
    return batch->length[row];
    //: end
}

/* Where the logits lie that predict token t: [V]. */
static size_t predictor(const struct dpo_batch *batch, int row, int t)
{
    //: no-shift
    //| const size_t position = (size_t)row * (size_t)batch->T + (size_t)t;
    //: right
    const size_t position = (size_t)row * (size_t)batch->T + (size_t)t - 1;
    //: end
    return position * (size_t)batch->V;
}

static float log_sum_exp(const float *x, int n)
{
    float max = x[0], sum = 0.0f;
    for (int i = 1; i < n; i++) max = fmaxf(max, x[i]);
    for (int i = 0; i < n; i++) sum += expf(x[i] - max);
    return max + logf(sum);
}

static float log_prob(const struct dpo_batch *batch, const float *logits, int row)
{
    const int first = first_token(batch, row), last = last_token(batch, row);
    float sum = 0.0f;
    for (int t = first; t < last; t++) {
        const float *x = logits + predictor(batch, row, t);
        sum += x[batch->tokens[(size_t)row * (size_t)batch->T + (size_t)t]];
        sum -= log_sum_exp(x, batch->V);
    }
    //: mean-for-sum
    //| return sum / (float)(last - first);
    //: right
    return sum;
    //: end
}

static float reward(const struct dpo_batch *batch, int row)
{
    return batch->beta *
           (log_prob(batch, batch->policy, row) - log_prob(batch, batch->reference, row));
}

/* beta times the margin of pair p: the loss is -log sigmoid of it. */
static float logit(const struct dpo_batch *batch, int p)
{
    //: margin-sign
    //| return reward(batch, batch->P + p) - reward(batch, p);
    //: right
    return reward(batch, p) - reward(batch, batch->P + p);
    //: end
}

void dpo_forward(float *loss, float *chosen_reward, float *rejected_reward,
                 const struct dpo_batch *batch)
{
    float sum = 0.0f;
    for (int p = 0; p < batch->P; p++) {
        const float z = logit(batch, p);
        chosen_reward[p] = reward(batch, p);
        rejected_reward[p] = reward(batch, batch->P + p);
        //: log-of-sigmoid
        //| sum += -logf(1.0f / (1.0f + expf(-z)));
        //: right
        sum += fmaxf(-z, 0.0f) + log1pf(expf(-fabsf(z)));
        //: end
    }
    *loss = sum / (float)batch->P;
}

/* d_logits of one row, when the gradient of the row's log-probability is d. */
static void spread(float *d_logits, const struct dpo_batch *batch, const float *logits, int row,
                   float d)
{
    const int first = first_token(batch, row), last = last_token(batch, row);
    //: mean-for-sum
    //| d /= (float)(last - first);
    //: right
    //: end
    for (int t = first; t < last; t++) {
        const size_t at = predictor(batch, row, t);
        const float normaliser = log_sum_exp(logits + at, batch->V);
        for (int v = 0; v < batch->V; v++)
            d_logits[at + (size_t)v] -= d * expf(logits[at + (size_t)v] - normaliser);
        d_logits[at + (size_t)batch->tokens[(size_t)row * (size_t)batch->T + (size_t)t]] += d;
    }
}

void dpo_backward(float *d_policy, float *d_reference, const struct dpo_batch *batch)
{
    const size_t size = 2 * (size_t)batch->P * (size_t)batch->T * (size_t)batch->V;
    for (size_t i = 0; i < size; i++) d_policy[i] = d_reference[i] = 0.0f;

    for (int p = 0; p < batch->P; p++) {
        const float z = logit(batch, p);
        const float e = expf(-fabsf(z));
        const float wrong = z > 0.0f ? e / (1.0f + e) : 1.0f / (1.0f + e); /* sigmoid(-z) */
        //: margin-sign
        //| const float d = batch->beta * wrong / (float)batch->P;
        //: right
        const float d = -batch->beta * wrong / (float)batch->P;
        //: end
        spread(d_policy, batch, batch->policy, p, d);
        spread(d_policy, batch, batch->policy, batch->P + p, -d);
        //: reference-gradient
        //| spread(d_reference, batch, batch->reference, p, -d);
        //| spread(d_reference, batch, batch->reference, batch->P + p, d);
        //: right
        //: end
    }
}
