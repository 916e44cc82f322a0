/* attention_kernel.h -- blocks of attention, for one instruction set. See tensor/kernel.h.
 *
 * Queries lie side by side in the lanes of vectors, keys are numbers broadcast from where they are:
 * neither keys nor values are copied, and no step sums across lanes.
 *
 *                      lanes: BLOCK queries (t, head of the group), t slowest
 *                    +------------------------+
 *     for each key   | scores [KEYS, BLOCK]   |   scores = k queries^T       queries^T [D, BLOCK]
 *                    +------------------------+   mixed^T += v^T exp(scores - largest)
 *
 * Promises: a query's numbers depend on its own lane only: tiles of keys begin at multiples of
 * KEYS, and a hidden key adds an exact zero.
 */
#ifndef TENSOR_ATTENTION_KERNEL_H
#define TENSOR_ATTENTION_KERNEL_H

#include <stdbool.h>

#include "tensor/attention.h"
#include "tensor/kernel.h"

enum { ATTENTION_BLOCK = 64, ATTENTION_KEYS = 64, ATTENTION_FEW = 4 };

/* One group of heads of one sequence, all with the same keys. */
struct attention_group {
    const struct attention_dims *dims;
    int b, kvh;
    struct attention_view q, k, v; /* whole strides */
    float *scratch;                /* attention_scratch_floats(D), on a multiple of 64 bytes */
    float *out, *lse;              /* of the whole call; lse may be NULL in the forward pass */
    const float *dout;             /* backward only, with out and lse as inputs */
    struct attention_gradient dq, dk, dv;
};

static inline size_t attention_scratch_floats(int D)
{
    const size_t wide = ((size_t)D + 15) / 16 * 16;
    /* queries^T, mixed^T (dqueries^T), dout^T, queries and dout by rows; three tiles */
    return 5 * wide * ATTENTION_BLOCK + 3 * ATTENTION_KEYS * ATTENTION_BLOCK;
}

struct attention_kernel {
    /* Lanes first .. first + n - 1 of the group, n <= ATTENTION_BLOCK. */
    void (*forward)(const struct attention_group *group, int first, int n);
    /* The whole group; dk and dv are of zeros already. False, with nothing written, when a number
     * is not finite: an exact zero times it would not be zero. The caller goes the plain way. */
    bool (*backward)(const struct attention_group *group);
    /* One new position of the whole group, ATTENTION_FEW heads at most, no mask: vectors lie along
     * D, since lanes would stay empty. */
    void (*few)(const struct attention_group *group);
};
KERNEL_CHOICE(attention_kernel)

#endif
