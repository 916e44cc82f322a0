/* Style: an array of structs sorted with qsort, double inside. */
#include "top_p.h"

#include <math.h>
#include <stdlib.h>

struct candidate {
    float logit;
    int token;
    double prob;
};

static int larger_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->logit != y->logit) {
        return x->logit > y->logit ? -1 : 1;
    }
    return (x->token > y->token) - (x->token < y->token);
}

static int keep_top_p(const struct candidate *c, int n, double top_p)
{
    if (top_p >= 1.0) {
        return n;
    }
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        sum += c[i].prob;
        if (sum >= top_p) {
            return i + 1;
        }
    }
    return n;
}

static int draw_token(const struct candidate *c, int kept, const float *probs, int V, float draw)
{
    double sum = 0.0;
    for (int v = 0; v < V; v++) {
        sum += probs[v];
        if (sum > draw) {
            return v;
        }
    }
    int last = 0;
    for (int i = 0; i < kept; i++) {
        if (c[i].token > last) {
            last = c[i].token;
        }
    }
    return last;
}

void top_p_sample(float *probs, int *tokens, const float *logits, float temperature, int top_k,
                  float top_p, const float *draws, int B, int V)
{
    struct candidate *c = malloc((size_t)V * sizeof *c);
    if (!c) {
        abort();
    }
    for (int b = 0; b < B; b++) {
        const float *row = logits + (size_t)b * V;
        float *out = probs + (size_t)b * V;
        for (int v = 0; v < V; v++) {
            c[v] = (struct candidate){row[v], v, 0.0};
            out[v] = 0.0f;
        }
        qsort(c, (size_t)V, sizeof *c, larger_first);
        if (temperature == 0.0f) {
            out[c[0].token] = 1.0f;
            tokens[b] = c[0].token;
            continue;
        }
        int kept = top_k > 0 && top_k < V ? top_k : V;
        double sum = 0.0;
        for (int i = 0; i < kept; i++) {
            c[i].prob = exp(((double)c[i].logit - c[0].logit) / temperature);
            sum += c[i].prob;
        }
        for (int i = 0; i < kept; i++) {
            c[i].prob /= sum;
        }
        kept = keep_top_p(c, kept, top_p);
        sum = 0.0;
        for (int i = 0; i < kept; i++) {
            sum += c[i].prob;
        }
        for (int i = 0; i < kept; i++) {
            out[c[i].token] = (float)(c[i].prob / sum);
        }
        tokens[b] = draw_token(c, kept, out, V, draws[b]);
    }
    free(c);
}
