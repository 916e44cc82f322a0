/* scalar.h -- numbers that remember where they came from, and derivatives of any order.
 *
 *   x ----> x*x ---> + ---> y        node    0    1     2       3
 *    \             /                 is      x    x*x   sin x   y
 *     +--> sin x --                  dy/d    2x + cos x     1    1    1
 *
 * A node is made after its operands, so the order of making is a topological order: a backward pass
 * is one loop from y down to node 0 over what y depends on. Nothing recurses, whatever the depth.
 *
 * Promises:
 *   1. A node that is used several times gets the sum of what its uses give, and two backward passes
 *      add up until scalar_forget_gradients().
 *   2. scalar_derivatives() makes nodes, so its results have derivatives in their turn.
 *   3. All memory is the graph's: scalar_rewind() drops all nodes since a mark and scalar_graph_done()
 *      everything, without visiting the nodes.
 *   4. The first node whose value, or whose gradient, is not a number is known, with its operands.
 * At a corner: relu has derivative 0 at 0; a^b with a = 0 and b > 0 has derivative 0 in b.
 * Does not know: arrays, training.
 * Cost: 24 bytes a node, 8 more for a gradient, 8 more during a pass.
 * Lab: 07 Scalar autograd. Tests: tests/autograd/scalar_test.c
 */
#ifndef AUTOGRAD_SCALAR_H
#define AUTOGRAD_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { SCALAR_NODES_LIMIT = 1 << 30 }; /* more than this aborts */

struct scalar_node;

struct scalar_graph {
    struct scalar_node *nodes; /* [count] */
    double *gradients;         /* [n_gradients]; the rest is zero */
    int32_t count, capacity, n_gradients;
    struct text names;
    int32_t nan_value;    /* the first node whose value is not a number; -1: none */
    int32_t nan_gradient; /* where a backward pass first made one out of numbers; -1: none */
};

/* One number of a graph; small, passed by value, valid until the graph is rewound past it. */
struct scalar {
    struct scalar_graph *graph;
    int32_t node;
};

void scalar_graph_init(struct scalar_graph *graph);
void scalar_graph_done(struct scalar_graph *graph); /* harmless on zeros and twice */

/* Everything made after the mark goes at once; what was before stays, gradients too. The letters of
 * names stay until the graph is done. */
int32_t scalar_mark(const struct scalar_graph *graph);
void scalar_rewind(struct scalar_graph *graph, int32_t mark);

/* ---- numbers; both operands must be of one graph ---- */

struct scalar scalar_variable(struct scalar_graph *graph, double value);
struct scalar scalar_constant(struct scalar_graph *graph, double value); /* no derivative in it */

struct scalar scalar_add(struct scalar a, struct scalar b);
struct scalar scalar_subtract(struct scalar a, struct scalar b);
struct scalar scalar_multiply(struct scalar a, struct scalar b);
struct scalar scalar_divide(struct scalar a, struct scalar b);
struct scalar scalar_power(struct scalar a, struct scalar b); /* a^b */
struct scalar scalar_negate(struct scalar a);
struct scalar scalar_exp(struct scalar a);
struct scalar scalar_log(struct scalar a);
struct scalar scalar_tanh(struct scalar a);
struct scalar scalar_relu(struct scalar a);
struct scalar scalar_sigmoid(struct scalar a);
struct scalar scalar_sin(struct scalar a);
struct scalar scalar_cos(struct scalar a);

double scalar_value(struct scalar x);

/* Give a variable another value, between two steps of training. What was made of it before keeps the
 * old one: rewind first. Another kind of node aborts. */
void scalar_set(struct scalar variable, double value);

/* ---- derivatives ---- */

/* Add dy/dx to the gradient of each x that y depends on, y included. */
void scalar_backward(struct scalar y);
double scalar_gradient(struct scalar x); /* 0 where no pass came by, and for constants */
void scalar_forget_gradients(struct scalar_graph *graph);

/* dx[i] = dy/dx[i] as new nodes of the graph, i = 0 .. n - 1; a constant 0 where y does not depend
 * on x[i]. Gradients are neither read nor written. */
void scalar_derivatives(struct scalar y, const struct scalar *x, int n, struct scalar *dx);

/* ---- looking ---- */

/* A name for dot and messages; copied. */
void scalar_name(struct scalar x, const char *name);

/* What y was made of, for Graphviz: nodes with value and gradient, arrows to who uses them. At most
 * `limit` nodes, the latest; says when some were left out. */
void scalar_dot(struct scalar y, int limit, struct text *out);

/* A sentence on the first value that is not a number, or else the first gradient, with the operands;
 * false, and nothing written, when all are numbers. */
bool scalar_explain_nan(const struct scalar_graph *graph, struct text *out);

#endif
