#include "checkpointing.h"

#include <stdlib.h>
#include <string.h>

void checkpointing(float *y, float *dx, float *d_weights, const float *x, const float *dy,
                   int every, const struct layers *layers)
{
    //: everything-stored
    //| every = 1;
    //: right
    //: end
    const int L = layers->L, n_kept = (L - 1) / every + 1;
    const int longest = every < L ? every : L;
    const size_t size = layers->activation_size;
    int64_t *seeds = malloc((size_t)L * sizeof *seeds);
    float *kept = malloc((size_t)n_kept * size * sizeof *kept);      /* inputs of the segments */
    float *inputs = malloc((size_t)longest * size * sizeof *inputs); /* of one segment's layers */
    float *d_weight = malloc(layers->weight_size * sizeof *d_weight);

    memcpy(y, x, size * sizeof *y);
    for (int i = 0; i < L; i++) {
        //: border-off-by-one
        //: right
        if (i % every == 0) memcpy(kept + (size_t)(i / every) * size, y, size * sizeof *y);
        //: end
        seeds[i] = layers->next_seed(layers->context);
        layers->forward(layers->context, i, y, y, seeds[i]);
        //: border-off-by-one
        //| if (i % every == 0) memcpy(kept + (size_t)(i / every) * size, y, size * sizeof *y);
        //: right
        //: end
    }

    memcpy(dx, dy, size * sizeof *dx);
    for (int segment = n_kept - 1; segment >= 0; segment--) {
        const int first = segment * every, last = first + every < L ? first + every : L;
        //: input-gradient-lost
        //| memcpy(dx, dy, size * sizeof *dx);
        //: right
        //: end
        //: another-seed
        //| for (int i = first; i < last; i++) seeds[i] = layers->next_seed(layers->context);
        //: right
        //: end
        memcpy(inputs, kept + (size_t)segment * size, size * sizeof *inputs);
        for (int i = first; i < last - 1; i++) {
            float *input = inputs + (size_t)(i - first) * size;
            layers->forward(layers->context, i, input + size, input, seeds[i]);
        }
        for (int i = last - 1; i >= first; i--) {
            float *sum = d_weights + (size_t)i * layers->weight_size;
            layers->backward(layers->context, i, dx, d_weight, inputs + (size_t)(i - first) * size,
                             dx, seeds[i]);
            for (size_t w = 0; w < layers->weight_size; w++)
                //: not-accumulated
                //| sum[w] = d_weight[w];
                //: right
                sum[w] += d_weight[w];
            //: end
        }
    }
    free(seeds);
    free(kept);
    free(inputs);
    free(d_weight);
}
