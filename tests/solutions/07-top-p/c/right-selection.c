/* Style: no sorting and no buffer but probs: repeated selection of the next largest logit. */
#include "top_p.h"

#include <math.h>

/* The token that comes after `previous` in the order (logit down, token up); -1: the first. */
static int next_largest(const float *x, int V, int previous)
{
    int best = -1;
    for (int v = 0; v < V; v++) {
        int after = previous < 0 || x[v] < x[previous] || (x[v] == x[previous] && v > previous);
        if (after && (best < 0 || x[v] > x[best])) best = v;
    }
    return best;
}

void top_p_sample(float *probs, int *tokens, const float *logits, float temperature, int top_k,
                  float top_p, const float *draws, int B, int V)
{
    if (top_k == 0 || top_k > V) top_k = V;
    if (temperature == 0) {
        top_k = 1;
        temperature = 1;
    }
    for (int b = 0; b < B; b++, logits += V, probs += V) {
        for (int v = 0; v < V; v++) probs[v] = 0;

        const int first = next_largest(logits, V, -1);
        const double max = logits[first];
        double total = 0;
        for (int i = 0, v = first; i < top_k; i++, v = next_largest(logits, V, v))
            total += exp((logits[v] - max) / temperature);

        double sum = 0;
        int last = first;
        for (int i = 0, v = first; i < top_k; i++, v = next_largest(logits, V, v)) {
            double p = exp((logits[v] - max) / temperature) / total;
            sum += p;
            probs[v] = (float)p;
            if (v > last) last = v;
            if (top_p < 1 && sum >= top_p) break;
        }

        double running = 0;
        tokens[b] = -1;
        for (int v = 0; v < V; v++) {
            probs[v] = (float)(probs[v] / sum);
            running += probs[v];
            if (tokens[b] < 0 && running > draws[b]) tokens[b] = v;
        }
        if (tokens[b] < 0) tokens[b] = last;
    }
}
