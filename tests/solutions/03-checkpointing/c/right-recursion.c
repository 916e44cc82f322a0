/* recursion: over the segments, and over the layers of a segment */
#include "checkpointing.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const struct layers *layers;
    int64_t *seeds;
    float *y, *gradient, *d_weights, *d_weight;
    const float *dy;
    int every;
};

static float *new_floats(size_t count)
{
    float *floats = malloc((count ? count : 1) * sizeof *floats);
    assert(floats);
    return floats;
}

static void backward_layers(struct run *run, int i, int end, const float *x)
{
    const struct layers *layers = run->layers;
    if (i + 1 < end) {
        float *next = new_floats(layers->activation_size);
        layers->forward(layers->context, i, next, x, run->seeds[i]);
        backward_layers(run, i + 1, end, next);
        free(next);
    }
    layers->backward(layers->context, i, run->gradient, run->d_weight, x, run->gradient,
                     run->seeds[i]);
    float *sum = run->d_weights + (size_t)i * layers->weight_size;
    for (size_t w = 0; w < layers->weight_size; w++) {
        sum[w] += run->d_weight[w];
    }
}

static void run_from(struct run *run, int start, const float *x)
{
    const struct layers *layers = run->layers;
    size_t bytes = layers->activation_size * sizeof(float);
    if (start == layers->L) {
        memcpy(run->y, x, bytes);
        memcpy(run->gradient, run->dy, bytes);
        return;
    }
    int end = layers->L - start <= run->every ? layers->L : start + run->every;
    float *a = new_floats(layers->activation_size);
    for (int i = start; i < end; i++) {
        run->seeds[i] = layers->next_seed(layers->context);
        layers->forward(layers->context, i, a, i == start ? x : a, run->seeds[i]);
    }
    run_from(run, end, a);
    free(a);
    backward_layers(run, start, end, x);
}

void checkpointing(float *y, float *dx, float *d_weights, const float *x, const float *dy,
                   int every, const struct layers *layers)
{
    struct run run = {
        .layers = layers,
        .seeds = calloc((size_t)layers->L + 1, sizeof(int64_t)),
        .y = y,
        .gradient = dx,
        .d_weights = d_weights,
        .d_weight = new_floats(layers->weight_size),
        .dy = dy,
        .every = every,
    };
    assert(run.seeds);
    run_from(&run, 0, x);
    free(run.d_weight);
    free(run.seeds);
}
