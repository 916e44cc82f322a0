/* lora.h -- the functions to implement. */
#ifndef LORA_H
#define LORA_H

#include <stdbool.h>

/* A linear layer with a low-rank adapter: y = x W^T + (alpha/R) (x A^T) B^T.
 * The buffers belong to the caller, are row-major and do not overlap. A caller that does not use
 * lora_init() fills A and B and sets `merged` to false; after that only these functions write. */
struct lora {
    int n_in, n_out, rank; /* I, O, R */
    float alpha;
    bool merged; /* whether W holds the adapter */
    float *W;    /* [O,I]  the base: frozen; only merge and unmerge may write it */
    float *A;    /* [R,I] */
    float *B;    /* [O,R] */
};

/* Fill A from `draws` [R,I], uniform numbers in [0,1), and B with zeros; W is not looked
 * at. `merged` becomes false, whatever it was. */
void lora_init(struct lora *lora, const float *draws);

/* y [N,O] is written; x [N,I]. */
void lora_forward(float *y, const struct lora *lora, const float *x, int N);

/* d_x [N,I], d_A [R,I] and d_B [O,R] are written (not added to); x [N,I], d_y [N,O].
 * Only called while the layer is not merged. */
void lora_backward(float *d_x, float *d_A, float *d_B, const struct lora *lora, const float *x,
                   const float *d_y, int N);

/* One step of gradient descent on what may be trained. Not called while merged. */
void lora_step(struct lora *lora, const float *x, const float *d_y, float lr, int N);

/* Put the adapter into W, and take it out again. */
void lora_merge(struct lora *lora);
void lora_unmerge(struct lora *lora);

#endif
