/* optimizer.h -- SGD, Adam, AdamW, Lion, Muon: from gradients to new parameters.
 *
 *   sgd     m = momentum m + g              p -= rate m       (nesterov: rate (g + momentum m))
 *   adam    m = b1 m + (1-b1) g             p -= rate (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)
 *           v = b2 v + (1-b2) g^2           decay is added to g
 *   adamw   the same                        decay shrinks p by rate * decay
 *   lion    p -= rate sign(b1 m + (1-b1) g) m = b2 m + (1-b2) g, after; decay as in adamw
 *   muon    matrices of the blocks: m = momentum m + (1-momentum) g, made orthogonal by five
 *           Newton-Schulz steps, times sqrt(max(1, rows/columns)); everything else: adamw
 *
 * A group is a stretch of the parameters with a rate and a decay of its own. The usual rule:
 * matrices and embeddings decay, gains and biases do not.
 *
 * Promises: results do not depend on the number of threads or the instruction set (Muon: on the
 * instruction set they do, as matrix products do). The state is two buffers and the step: saved and
 * restored, a run goes on bit for bit. An update allocates nothing.
 * Does not know: models' blocks, schedules, files.
 * Source: Kingma and Ba 2014 (arXiv:1412.6980), Loshchilov and Hutter 2017 (arXiv:1711.05101), Chen
 *         et al. 2023 (arXiv:2302.06675), Jordan et al. 2024 (Muon, kellerjordan.github.io/posts/muon).
 * Lab: 04. Tests: tests/train/optimizer_test.c
 */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H

#include <stdint.h>

#include "base/pool.h"
#include "model/parameters.h"

enum optimizer_kind {
    OPTIMIZER_SGD,
    OPTIMIZER_ADAM,
    OPTIMIZER_ADAMW,
    OPTIMIZER_LION,
    OPTIMIZER_MUON,
    OPTIMIZER_COUNT
};
extern const char
    *const optimizer_names[]; /* "sgd", "adam", "adamw", "lion", "muon"; ends with NULL */

struct optimizer_settings {
    enum optimizer_kind kind;
    double beta_1, beta_2, eps;
    double momentum; /* sgd, muon */
    bool nesterov;
    double muon_factor; /* muon: its rate is so many times that of the others */
};

struct optimizer_group {
    size_t offset, count;
    int rows, columns; /* muon: a matrix to be made orthogonal; else 0 */
    double rate;       /* times the rate of the step */
    double decay;
};

struct optimizer {
    struct optimizer_settings settings;
    struct optimizer_group *groups;
    int n_groups;
    size_t count;          /* of parameters */
    float *first, *second; /* [count]; second NULL when the kind has none */
    int64_t step;          /* updates made */

    struct optimizer_piece {
        int group;
        size_t offset, count;
    } * pieces; /* what one task works on */
    int n_pieces;
    double *sums; /* [n_pieces] */
    float *muon;  /* scratch of the largest matrix; NULL without Muon */
    size_t muon_count;
};

/* Groups are copied; together they cover 0 .. count - 1 in order. STATUS_USAGE for settings outside
 * their bounds, STATUS_LIMIT without the memory. */
MUST_CHECK enum status optimizer_init(struct optimizer *optimizer,
                                      const struct optimizer_settings *settings,
                                      const struct optimizer_group *groups, int n_groups,
                                      struct error *err);
void optimizer_done(struct optimizer *optimizer);

/* One group a parameter of the model, in the order of its table, by the usual rule; the caller
 * frees them. */
struct optimizer_group *optimizer_groups(const struct parameters *parameters, double decay,
                                         bool muon);

/* Sum of squares of each group's numbers, out [n_groups], in a fixed order. */
void optimizer_square_sums(struct optimizer *optimizer, double *out, const float *numbers,
                           struct pool *pool);

/* One update of p [count] by g [count] times `scale` (clipping, averaging). g is zeros afterwards,
 * while it is in the cache anyway: the next step adds to it. */
void optimizer_update(struct optimizer *optimizer, float *p, float *g, double rate, double scale,
                      struct pool *pool);

/* Newton-Schulz: x [rows,columns] becomes nearly orthogonal, its singular values near 1. `scratch`
 * holds rows * columns + 2 * min(rows, columns)^2 numbers. */
void optimizer_orthogonalize(float *x, int rows, int columns, float *scratch, struct pool *pool);

#endif
