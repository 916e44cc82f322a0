/* attention.h -- each query mixes the values of the positions it may see, weighted by its keys.
 *
 *   score[t,s] = scale * (q[t] . k[s])            optionally cap * tanh(score / cap)
 *                + alibi * -|position(t) - s| + mask[t,s]
 *   p[t,:]     = softmax over the visible s       out[t] = sum_s p[t,s] v[s]
 *
 *   causal, T = 3 new positions, S = 5 in all (aligned at the bottom right):
 *            s  0 1 2 3 4
 *        t=0    x x x . .
 *        t=1    x x x x .
 *        t=2    x x x x x
 *
 *   H query heads share KVH heads of keys and values: head h reads h / (H / KVH).
 *
 * Promises: a position that may not be seen has weight exactly zero, and what lies there (NaN
 * included) is not looked at; a query that sees nothing gets zeros and lse = -inf, and gives zero
 * gradients. Nothing of size T * S is kept: backward recomputes from lse. The result of one head of
 * one sequence does not depend on the others in the batch.
 * Does not know: projections, rotary positions, where past keys are kept.
 * Source: Vaswani et al. 2017 (arXiv:1706.03762); Dao et al. 2022 (arXiv:2205.14135) for the tiles
 *         and the recomputation; Ainslie et al. 2023 (arXiv:2305.13245) for shared heads.
 * Lab: 15 Attention. Tests: tests/tensor/attention_test.c
 */
#ifndef TENSOR_ATTENTION_H
#define TENSOR_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/pool.h"

struct attention_dims {
    int B, T, S;        /* sequences, queries each, positions with keys each */
    int H, KVH, D;      /* KVH divides H */
    bool causal;        /* query t sees s <= position(t) only */
    float scale;        /* of q . k: usually 1 / sqrt(D); taken as it is, also 0 */
    float cap;          /* soft limit of a scaled score; 0: none */
    int window;         /* see the last `window` positions only, itself included; 0: all */
    const int *lengths; /* [B] keys at s >= lengths[b] are padding; NULL: none is */
    const int *first;   /* [B] position(t) = first[b] + t; NULL: S - T + t */
    const float *alibi; /* [H] slopes; NULL: none */
    const float *mask;  /* added to scores, -inf hides; NULL: none */
    ptrdiff_t mask_batch, mask_head, mask_row; /* its strides; mask [T,S]: 0, 0, S */
};

/* One of q, k, v where it lies: head h of position t of sequence b starts at
 * data + b * batch + t * row + h * D. */
struct attention_view {
    const float *data;
    ptrdiff_t row;   /* floats from one position to the next; 0: contiguous, heads * D */
    ptrdiff_t batch; /* floats from one sequence to the next; 0: contiguous, positions * row */
};

struct attention_gradient {
    float *data;
    ptrdiff_t row, batch; /* as above */
};

/* out [B,T,H,D] and lse [B,H,T] written; lse (the log of the sum of exp(score)) is kept for the
 * backward pass and may be NULL when there is none. q [B,T,H,D], k and v [B,S,KVH,D]. out overlaps
 * nothing. */
void attention_forward(struct pool *pool, float *out, float *lse, struct attention_view q,
                       struct attention_view k, struct attention_view v,
                       const struct attention_dims *dims);

/* dq, dk, dv written (positions nobody saw: zeros). dout, out [B,T,H,D] and lse from the forward
 * pass. No gradient with regard to mask and alibi. */
void attention_backward(struct pool *pool, struct attention_gradient dq,
                        struct attention_gradient dk, struct attention_gradient dv,
                        const float *dout, const float *out, const float *lse,
                        struct attention_view q, struct attention_view k, struct attention_view v,
                        const struct attention_dims *dims);

/* The same in the plainest C, in double; probs [B,H,T,S] is written for those who want to look at
 * the weights, or NULL. */
void attention_forward_plain(float *out, float *lse, float *probs, struct attention_view q,
                             struct attention_view k, struct attention_view v,
                             const struct attention_dims *dims);
void attention_backward_plain(struct attention_gradient dq, struct attention_gradient dk,
                              struct attention_gradient dv, const float *dout, const float *out,
                              const float *lse, struct attention_view q, struct attention_view k,
                              struct attention_view v, const struct attention_dims *dims);

#endif
