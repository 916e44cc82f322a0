/* backward writes straight into d_weights: what was there is lost */
#include "checkpointing.h"

#include <stdlib.h>
#include <string.h>

void checkpointing(float *y, float *dx, float *d_weights, const float *x, const float *dy,
                   int every, const struct layers *layers)
{
    int L = layers->L;
    int k = every < L ? every : L;
    int n_segments = (L + k - 1) / k;
    size_t n = layers->activation_size, m = layers->weight_size;
    void *context = layers->context;

    int64_t *seeds = malloc((size_t)L * sizeof *seeds);
    float *kept = malloc((size_t)n_segments * n * sizeof *kept);
    float *inputs = malloc((size_t)k * n * sizeof *inputs);

    for (int i = 0; i < L; i++) {
        seeds[i] = layers->next_seed(context);
    }

    /* forward: y is the running activation */
    memcpy(y, x, n * sizeof *y);
    for (int i = 0; i < L; i++) {
        if (i % k == 0) {
            memcpy(kept + (size_t)(i / k) * n, y, n * sizeof *y);
        }
        layers->forward(context, i, y, y, seeds[i]);
    }

    /* backward: dx is the running gradient */
    memcpy(dx, dy, n * sizeof *dx);
    for (int s = n_segments - 1; s >= 0; s--) {
        int first = s * k;
        int count = L - first < k ? L - first : k;
        memcpy(inputs, kept + (size_t)s * n, n * sizeof *inputs);
        for (int j = 0; j + 1 < count; j++) {
            layers->forward(context, first + j, inputs + (size_t)(j + 1) * n,
                            inputs + (size_t)j * n, seeds[first + j]);
        }
        for (int j = count - 1; j >= 0; j--) {
            int i = first + j;
            layers->backward(context, i, dx, d_weights + (size_t)i * m, inputs + (size_t)j * n, dx,
                             seeds[i]);
        }
    }

    free(inputs);
    free(kept);
    free(seeds);
}
