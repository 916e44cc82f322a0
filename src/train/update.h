/* update.h -- the loops over all numbers of a model: optimizer updates, sums of squares, averages.
 *
 * Each is one pass over memory, compiled for the instruction sets of cpu.h. Every number is treated
 * alone, with the operations written here and no others (no fused ones), so all instruction sets
 * give the same bits; the sum has a fixed order.
 * Tests: tests/train/optimizer_test.c
 */
#ifndef TRAIN_UPDATE_H
#define TRAIN_UPDATE_H

#include <stdbool.h>
#include <stddef.h>

/* p -= rate * (m / bias_1) / (sqrt(v) / root_bias_2 + eps), after m and v took up scale * g. */
struct update_adam {
    float rate;   /* already divided by 1 - beta_1^t */
    float shrink; /* p *= shrink first: 1 - rate * decay (AdamW) */
    float decay;  /* g += decay * p first (Adam) */
    float beta_1, beta_2, eps;
    float root_bias_2; /* sqrt(1 - beta_2^t) */
    float scale;       /* of the gradient: clipping */
};
void update_adam(float *p, float *m, float *v, const float *g, size_t n,
                 const struct update_adam *how);

struct update_sgd {
    float rate, shrink, decay, momentum, scale;
    bool nesterov, first; /* first: the buffer is empty, it becomes g */
};
void update_sgd(float *p, float *m, const float *g, size_t n, const struct update_sgd *how);

struct update_lion {
    float rate, shrink, beta_1, beta_2, scale;
};
void update_lion(float *p, float *m, const float *g, size_t n, const struct update_lion *how);

/* Sum of x^2 in double. */
double update_square_sum(const float *x, size_t n);

/* average = keep * average + (1 - keep) * p */
void update_average(float *average, const float *p, size_t n, float keep);

/* out = a * x + b * y; out may be x or y. */
void update_blend(float *out, const float *x, const float *y, size_t n, float a, float b);

#endif
