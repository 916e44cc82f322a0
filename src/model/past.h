/* past.h -- where the keys and values of earlier positions are: model/ asks, infer/ provides.
 *
 *   transformer_forward(new tokens, past)
 *      each layer:   past->append(its new keys and values)   past->view() = all, old and new
 *      at the end:   past->n += T
 *
 * Does not know: how they are stored. Filled by: infer/kv_cache.h
 */
#ifndef MODEL_PAST_H
#define MODEL_PAST_H

#include "tensor/attention.h"

struct past {
    int n; /* positions of each sequence that are there already */

    /* Keep the keys and values [B,T,KVH,D] of the positions n .. n + T - 1 of a layer. */
    void (*append)(struct past *past, int layer, struct attention_view k, struct attention_view v,
                   int B, int T);

    /* Where the positions 0 .. n + T - 1 of a layer lie now. */
    void (*view)(const struct past *past, int layer, struct attention_view *k,
                 struct attention_view *v);
};

#endif
