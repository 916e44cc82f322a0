#include "top_p.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct entry {
    float logit, prob;
    int token;
};

/* Larger logits first, equal ones by token. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->logit != y->logit) return x->logit < y->logit ? 1 : -1;
    //: ties-reversed
    //| return y->token - x->token;
    //: right
    return x->token - y->token;
    //: end
}

static void softmax(struct entry *entries, int n, float temperature)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++)
        sum += entries[i].prob = expf((entries[i].logit - entries[0].logit) / temperature);
    for (int i = 0; i < n; i++) entries[i].prob /= sum;
}

/* How many of the sorted entries stay: the fewest whose probabilities reach top_p. */
static int nucleus(const struct entry *entries, int n, float top_p)
{
    float sum = 0.0f;
    if (top_p >= 1.0f) return n;
    for (int i = 0; i < n; i++) {
        //: cut-early
        //| sum += entries[i].prob;
        //| if (sum > top_p) return i > 0 ? i : 1;
        //: one-too-many
        //| const bool enough = sum >= top_p;
        //| sum += entries[i].prob;
        //| if (enough) return i + 1;
        //: right
        sum += entries[i].prob;
        if (sum >= top_p) return i + 1;
        //: end
    }
    return n;
}

static void sample_row(float *probs, int *token, const float *logits, float temperature, int top_k,
                       float top_p, float draw, int V, struct entry *entries)
{
    for (int v = 0; v < V; v++) entries[v] = (struct entry){.logit = logits[v], .token = v};
    qsort(entries, (size_t)V, sizeof *entries, compare_entries);

    const int k = top_k > 0 && top_k < V ? top_k : V;
    //: p-before-k
    //| const int considered = V;
    //: right
    const int considered = k;
    //: end
    //: temperature-after-cut
    //| softmax(entries, considered, 1.0f);
    //: right
    softmax(entries, considered, temperature);
    //: end
    int kept = nucleus(entries, considered, top_p);
    if (kept > k) kept = k;
    //: temperature-after-cut
    //| softmax(entries, considered, temperature);
    //: right
    //: end

    //: no-renormalisation
    //| const float total = 1.0f;
    //: right
    float total = 0.0f;
    for (int i = 0; i < kept; i++) total += entries[i].prob;
    //: end
    for (int v = 0; v < V; v++) probs[v] = 0.0f;
    for (int i = 0; i < kept; i++) {
        //: sort-not-undone
        //| probs[i] = entries[i].prob / total;
        //: right
        probs[entries[i].token] = entries[i].prob / total;
        //: end
    }

    float sum = 0.0f;
    for (int v = 0; v < V; v++) {
        if (probs[v] > 0.0f) *token = v; /* stays when rounding leaves the sum below the draw */
        sum += probs[v];
        if (sum > draw) break;
    }
}

void top_p_sample(float *probs, int *tokens, const float *logits, float temperature, int top_k,
                  float top_p, const float *draws, int B, int V)
{
    struct entry *entries = malloc((size_t)V * sizeof *entries);
    if (temperature == 0.0f) {
        temperature = 1.0f;
        top_k = 1; /* greedy: the first of the largest */
    }
    for (int b = 0; b < B; b++) {
        const size_t row = (size_t)b * (size_t)V;
        sample_row(probs + row, &tokens[b], logits + row, temperature, top_k, top_p, draws[b], V,
                   entries);
    }
    free(entries);
}
