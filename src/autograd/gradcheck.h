/* gradcheck.h -- does a backward pass tell the truth? Ask the forward pass, a step to each side.
 *
 *   numeric[i,j] = (y[i](x[j] + h) - y[i](x[j] - h)) / 2h       central difference
 *   right if |backward - numeric| <= atol + rtol * |numeric|     for each output i, input j
 *
 *   At a kink the slopes of the two sides differ however small the step:
 *
 *        \   /     left -1, right 1: any number between is a subgradient, and right
 *         \ /      A kink beside x, but within the step: a smaller step sees only one side.
 *
 * Promises: the whole Jacobian is compared, one backward pass an output; the first word on a mistake
 * is its worst element, with its name, both numbers and the slopes of the two sides. The backward
 * pass is run twice and must give the same bits. A number that is not finite is a mistake.
 * Cost: 2n + 1 forward and 2m backward passes; a few more forward passes where something is odd.
 * Does not know: who computes, or in what; `single` is for passes that work in f32.
 * Source: the defaults are those of torch.autograd.gradcheck. We differ: kinks are looked at.
 * Lab: 07 Scalar autograd, 08 Tensor autograd. Tests: tests/autograd/gradcheck_test.c
 */
#ifndef AUTOGRAD_GRADCHECK_H
#define AUTOGRAD_GRADCHECK_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of x with a name, for messages: weight[3]. */
struct gradcheck_input {
    const char *name;
    size_t n;
};

struct gradcheck {
    /* y [m] written from x [n]. Must not keep or change x. */
    void (*forward)(void *context, double *y, const double *x);
    /* dx [n], zeroed by us, written or added to: dy [m] times the derivatives of y at x. */
    void (*backward)(void *context, double *dx, const double *dy, const double *x);
    void *context;

    const double *x; /* [n]: where to check; the pieces one after the other */
    size_t n, m;
    const struct gradcheck_input *inputs; /* [n_inputs], n in all; or none: x[j] */
    size_t n_inputs;

    double eps, atol, rtol; /* 0: 1e-6, 1e-5, 1e-3; with `single` 2^-7, 1e-3, 1e-3 */
    bool single;            /* x is rounded to f32 (steps included), and differences are coarser */
};

struct gradcheck_report {
    size_t checked; /* elements of the Jacobian */
    size_t wrong;
    size_t kinks; /* right, but at a kink or beside one */

    /* the worst element that is wrong */
    size_t output, input;
    double backward, numeric, left, right;
    char message[512]; /* a sentence; empty when all is right */
};

/* True when all elements are right. The report (never NULL) is written. */
bool gradcheck_run(const struct gradcheck *check, struct gradcheck_report *report);

#endif
