/* Style: ranks by counting, float32 throughout, a mask array, small functions. */
#include "top_p.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static void order_by_rank(int *order, const float *x, int n)
{
    for (int i = 0; i < n; i++) {
        int rank = 0;
        for (int j = 0; j < n; j++) rank += x[j] > x[i] || (x[j] == x[i] && j < i);
        order[rank] = i;
    }
}

static void scale(float *probs, const bool *keep, int n)
{
    float sum = 0.0f;
    for (int v = 0; v < n; v++) sum += keep[v] ? probs[v] : 0.0f;
    for (int v = 0; v < n; v++) probs[v] = keep[v] ? probs[v] / sum : 0.0f;
}

static int inverse_cdf(const float *probs, const bool *keep, int n, float draw)
{
    float sum = 0.0f;
    int last = -1;
    for (int v = 0; v < n; v++) {
        if (!keep[v]) continue;
        last = v;
        sum += probs[v];
        if (sum > draw) break;
    }
    assert(last >= 0);
    return last;
}

void top_p_sample(float *probs, int *tokens, const float *logits, float temperature, int top_k,
                  float top_p, const float *draws, int B, int V)
{
    int *order = calloc((size_t)V, sizeof *order);
    bool *keep = calloc((size_t)V, sizeof *keep);
    assert(order && keep && temperature >= 0.0f && top_k >= 0);
    for (int b = 0; b < B; b++) {
        const float *x = logits + (long)b * V;
        float *p = probs + (long)b * V;
        order_by_rank(order, x, V);
        const float max = x[order[0]];
        const bool greedy = temperature == 0.0f;
        const int k = greedy ? 1 : top_k && top_k < V ? top_k : V;
        for (int i = 0; i < V; i++) {
            int v = order[i];
            keep[v] = i < k;
            p[v] = i == 0 ? 1.0f : keep[v] ? expf((x[v] - max) / temperature) : 0.0f;
        }
        scale(p, keep, V);
        if (top_p < 1.0f) {
            float sum = p[order[0]];
            for (int i = 1; i < V; i++) {
                keep[order[i]] = keep[order[i]] && sum < top_p;
                sum += p[order[i]];
            }
            scale(p, keep, V);
        }
        tokens[b] = inverse_cdf(p, keep, V, draws[b]);
    }
    free(order);
    free(keep);
}
