/* Style: one-pass (online) softmax, the gradient written in place as probabilities, pointers. */
#include "dpo.h"

#include <assert.h>
#include <math.h>

struct norm {
    double max, sum;
};

static struct norm online(const float *x, int n)
{
    struct norm s = {-INFINITY, 0.0};
    for (const float *end = x + n; x != end; x++) {
        if (*x > s.max) {
            s.sum = s.sum * exp(s.max - *x) + 1.0;
            s.max = *x;
        } else {
            s.sum += exp(*x - s.max);
        }
    }
    return s;
}

static void rewards(const struct dpo_batch *b, int p, double out[2])
{
    for (int side = 0; side < 2; side++) {
        const long row = p + (long)side * b->P;
        const int *tok = b->tokens + row * b->T;
        double diff = 0.0;
        assert(b->prompt_length[row] >= 1 && b->length[row] <= b->T);
        for (int t = b->prompt_length[row] - 1; t + 1 < b->length[row]; t++) {
            const float *pi = b->policy + (row * b->T + t) * b->V;
            const float *ref = b->reference + (row * b->T + t) * b->V;
            struct norm a = online(pi, b->V), c = online(ref, b->V);
            diff += (pi[tok[t + 1]] - a.max - log(a.sum)) - (ref[tok[t + 1]] - c.max - log(c.sum));
        }
        out[side] = b->beta * diff;
    }
}

void dpo_forward(float *loss, float *chosen_reward, float *rejected_reward,
                 const struct dpo_batch *batch)
{
    double mean = 0.0;
    for (int p = 0; p < batch->P; p++) {
        double r[2];
        rewards(batch, p, r);
        double z = r[0] - r[1];
        mean += ((z < 0 ? -z : 0) + log1p(exp(-fabs(z))) - mean) / (p + 1);
        chosen_reward[p] = (float)r[0];
        rejected_reward[p] = (float)r[1];
    }
    *loss = (float)mean;
}

void dpo_backward(float *d_policy, float *d_reference, const struct dpo_batch *batch)
{
    const long stride = (long)batch->T * batch->V;
    for (long i = 0; i < 2 * batch->P * stride; i++) d_policy[i] = d_reference[i] = 0;
    for (int p = 0; p < batch->P; p++) {
        double r[2];
        rewards(batch, p, r);
        double push = batch->beta / batch->P * 0.5 * (1.0 - tanh(0.5 * (r[0] - r[1])));
        for (int side = 0; side < 2; side++) {
            const long row = p + (long)side * batch->P;
            const double w = side ? -push : push;
            for (int t = batch->prompt_length[row]; t < batch->length[row]; t++) {
                const float *x = batch->policy + row * stride + (t - 1L) * batch->V;
                float *d = d_policy + row * stride + (t - 1L) * batch->V;
                struct norm s = online(x, batch->V);
                const int hit = batch->tokens[row * batch->T + t];
                for (int v = 0; v < batch->V; v++)
                    d[v] = (float)(w * (exp(x[v] - s.max) / s.sum - (v == hit)));
            }
        }
    }
}
