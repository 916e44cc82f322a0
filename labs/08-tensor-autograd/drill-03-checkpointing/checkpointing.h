/* checkpointing.h -- the function to implement, and the layers it is given. */
#ifndef CHECKPOINTING_H
#define CHECKPOINTING_H

#include <stddef.h>
#include <stdint.h>

/* L layers in a row. What they compute is hidden; we count and order the calls.
 * Pass `context` on to every function. The seed decides a layer's dropout. */
struct layers {
    int L;
    size_t activation_size; /* floats of x, y, dx, dy: the same for all layers */
    size_t weight_size;     /* floats of one layer's weights and of their gradient */
    void *context;

    /* The next seed of the generator: one for each layer, drawn in the order of the layers. */
    int64_t (*next_seed)(void *context);

    /* y = layer(x). y is written; it may be x. */
    void (*forward)(void *context, int layer, float *y, const float *x, int64_t seed);

    /* From the layer's input x and the gradient dy of its output: the gradient dx of x and that of
     * the weights. Both are written (not added to); dx may be dy. */
    void (*backward)(void *context, int layer, float *dx, float *d_weight, const float *x,
                     const float *dy, int64_t seed);
};

/* Forward through all layers, then backward, keeping every `every`-th activation.
 *
 *   y, dx       [activation_size]    written: the last output, the gradient of x
 *   d_weights   [L,weight_size]      added to
 *   x, dy       [activation_size]    the first input, the gradient of y
 *
 * The buffers do not overlap. */
void checkpointing(float *y, float *dx, float *d_weights, const float *x, const float *dy,
                   int every, const struct layers *layers);

#endif
