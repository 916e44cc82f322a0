/* attention_internal.h -- what the plain and the fast attention agree on: who sees what.
 *
 * Tests: tests/tensor/attention_test.c
 */
#ifndef TENSOR_ATTENTION_INTERNAL_H
#define TENSOR_ATTENTION_INTERNAL_H

#include "base/error.h"
#include "tensor/attention.h"

static inline struct attention_view attention_view_whole(struct attention_view view, int positions,
                                                         int width)
{
    if (!view.row) view.row = width;
    if (!view.batch) view.batch = positions * view.row;
    return view;
}

static inline struct attention_gradient attention_gradient_whole(struct attention_gradient view,
                                                                 int positions, int width)
{
    if (!view.row) view.row = width;
    if (!view.batch) view.batch = positions * view.row;
    return view;
}

static inline int attention_position(const struct attention_dims *dims, int b, int t)
{
    return (dims->first ? dims->first[b] : dims->S - dims->T) + t;
}

/* Query t of sequence b sees from <= s < to, the mask aside. Both grow with t. */
static inline int attention_from(const struct attention_dims *dims, int b, int t)
{
    if (!dims->window) return 0;
    const int from = attention_position(dims, b, t) - dims->window + 1;
    return from < 0 ? 0 : from;
}

static inline int attention_to(const struct attention_dims *dims, int b, int t)
{
    int to = dims->lengths ? dims->lengths[b] : dims->S;
    if (to > dims->S) to = dims->S;
    if (dims->causal && attention_position(dims, b, t) + 1 < to)
        to = attention_position(dims, b, t) + 1;
    return to < 0 ? 0 : to;
}

static inline void attention_check(const struct attention_dims *dims)
{
    CHECK(dims->B >= 0 && dims->T >= 0 && dims->S >= 0 && dims->D > 0);
    CHECK(dims->KVH > 0 && dims->H % dims->KVH == 0);
    CHECK(dims->window >= 0 && dims->cap >= 0);
}

#endif
