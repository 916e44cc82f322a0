/* all missing activations are computed again before the first backward */
#include "checkpointing.h"

#include <stdlib.h>

void checkpointing(float *y, float *dx, float *d_weights, const float *x, const float *dy,
                   int every, const struct layers *layers)
{
    const int L = layers->L, last = (L - 1) / every * every;
    const size_t bytes = layers->activation_size * sizeof(float);
    void *const context = layers->context;
    float **a = calloc((size_t)L + 1, sizeof *a); /* a[0] and a[L] stay empty */
    int64_t *seed = malloc((size_t)L * sizeof *seed);
    float *d_weight = malloc(layers->weight_size * sizeof *d_weight);

    for (int i = 0; i < L; i++) {
        float *out = i + 1 == L ? y : malloc(bytes);
        seed[i] = layers->next_seed(context);
        layers->forward(context, i, out, i ? a[i] : x, seed[i]);
        if (i + 1 < L) {
            a[i + 1] = out;
        }
        if (i < last && i % every) {
            free(a[i]);
            a[i] = NULL;
        }
    }

    for (int i = 1; i < L; i++) {
        if (!a[i]) {
            a[i] = malloc(bytes);
            layers->forward(context, i - 1, a[i], i > 1 ? a[i - 1] : x, seed[i - 1]);
        }
    }
    for (int i = L - 1; i >= 0; i--) {
        layers->backward(context, i, dx, d_weight, i ? a[i] : x, i + 1 == L ? dy : dx, seed[i]);
        float *sum = d_weights + (size_t)i * layers->weight_size;
        for (size_t w = 0; w < layers->weight_size; w++) {
            sum[w] += d_weight[w];
        }
        free(a[i]);
    }

    free(d_weight);
    free(seed);
    free(a);
}
