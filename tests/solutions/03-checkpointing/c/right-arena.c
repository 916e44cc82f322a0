/* one allocation; two gradient buffers that change places; whole segments computed again */
#include "checkpointing.h"

#include <stdlib.h>
#include <string.h>

static void copy(float *to, const float *from, size_t n)
{
    if (n) {
        memcpy(to, from, n * sizeof *to);
    }
}

void checkpointing(float *y, float *dx, float *d_weights, const float *x, const float *dy,
                   int every, const struct layers *layers)
{
    size_t L = (size_t)layers->L, n = layers->activation_size, m = layers->weight_size;
    size_t k = (size_t)every < L ? (size_t)every : L;
    size_t segments = (L + k - 1) / k;
    float *arena = malloc(((segments + k + 1 + 2) * n + m + 1) * sizeof *arena);
    float *kept = arena, *a = kept + segments * n, *g = a + (k + 1) * n, *h = g + n, *dw = h + n;
    int64_t *seeds = malloc((L + 1) * sizeof *seeds);
    if (!arena || !seeds) {
        abort();
    }
    for (size_t i = 0; i < L; i++) {
        seeds[i] = layers->next_seed(layers->context);
    }

    for (size_t s = 0; s < segments; s++) {
        copy(kept + s * n, s ? y : x, n);
        copy(y, kept + s * n, n);
        for (size_t i = s * k; i < (s + 1) * k && i < L; i++) {
            layers->forward(layers->context, (int)i, a, y, seeds[i]);
            copy(y, a, n);
        }
    }

    copy(g, dy, n);
    for (size_t s = segments; s-- > 0;) {
        size_t start = s * k, end = start + k < L ? start + k : L;
        copy(a, kept + start / k * n, n);
        for (size_t i = start; i < end; i++) {
            float *in = a + (i - start) * n;
            layers->forward(layers->context, (int)i, in + n, in, seeds[i]);
        }
        for (size_t i = end; i-- > start;) {
            layers->backward(layers->context, (int)i, h, dw, a + (i - start) * n, g, seeds[i]);
            for (size_t w = 0; w < m; w++) {
                d_weights[i * m + w] += dw[w];
            }
            float *swap = g;
            g = h;
            h = swap;
        }
    }
    copy(dx, g, n);
    free(seeds);
    free(arena);
}
