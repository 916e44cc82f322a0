#include "autograd/scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/locale.h"

enum scalar_op {
    SCALAR_CONSTANT,
    SCALAR_VARIABLE,
    SCALAR_ADD,
    SCALAR_SUBTRACT,
    SCALAR_MULTIPLY,
    SCALAR_DIVIDE,
    SCALAR_POWER,
    SCALAR_NEGATE,
    SCALAR_EXP,
    SCALAR_LOG,
    SCALAR_TANH,
    SCALAR_RELU,
    SCALAR_SIGMOID,
    SCALAR_SIN,
    SCALAR_COS,
};

static const char *const op_names[] = {
    [SCALAR_CONSTANT] = "constant", [SCALAR_VARIABLE] = "variable", [SCALAR_ADD] = "+",
    [SCALAR_SUBTRACT] = "-",        [SCALAR_MULTIPLY] = "*",        [SCALAR_DIVIDE] = "/",
    [SCALAR_POWER] = "pow",         [SCALAR_NEGATE] = "negate",     [SCALAR_EXP] = "exp",
    [SCALAR_LOG] = "log",           [SCALAR_TANH] = "tanh",         [SCALAR_RELU] = "relu",
    [SCALAR_SIGMOID] = "sigmoid",   [SCALAR_SIN] = "sin",           [SCALAR_COS] = "cos",
};

struct scalar_node {
    double value;
    int32_t a, b;       /* operands, made before; -1: none */
    int32_t name;       /* where it starts in names; -1: none */
    uint8_t op;         /* enum scalar_op */
    bool has_variables; /* it depends on one, so gradients pass through it */
};

void scalar_graph_init(struct scalar_graph *graph)
{
    *graph = (struct scalar_graph){.nan_value = -1, .nan_gradient = -1};
}

void scalar_graph_done(struct scalar_graph *graph)
{
    free(graph->nodes);
    free(graph->gradients);
    text_done(&graph->names);
    scalar_graph_init(graph);
}

int32_t scalar_mark(const struct scalar_graph *graph) { return graph->count; }

void scalar_rewind(struct scalar_graph *graph, int32_t mark)
{
    CHECK(mark >= 0 && mark <= graph->count);
    graph->count = mark;
    if (graph->n_gradients > mark) graph->n_gradients = mark;
    if (graph->nan_value >= mark) graph->nan_value = -1;
    if (graph->nan_gradient >= mark) graph->nan_gradient = -1;
}

static struct scalar_node *node_of(struct scalar x)
{
    CHECK(x.graph && x.node >= 0 && x.node < x.graph->count);
    return &x.graph->nodes[x.node];
}

static struct scalar node_add(struct scalar_graph *graph, struct scalar_node node)
{
    if (graph->count == graph->capacity) {
        CHECK(graph->count < SCALAR_NODES_LIMIT);
        graph->capacity = graph->capacity ? 2 * graph->capacity : 256;
        graph->nodes = memory_grow(graph->nodes, (size_t)graph->capacity, sizeof *graph->nodes);
    }
    if (isnan(node.value) && graph->nan_value < 0) graph->nan_value = graph->count;
    node.name = -1;
    graph->nodes[graph->count] = node;
    return (struct scalar){graph, graph->count++};
}

struct scalar scalar_variable(struct scalar_graph *graph, double value)
{
    return node_add(
        graph, (struct scalar_node){
                   .value = value, .a = -1, .b = -1, .op = SCALAR_VARIABLE, .has_variables = true});
}

struct scalar scalar_constant(struct scalar_graph *graph, double value)
{
    return node_add(graph,
                    (struct scalar_node){.value = value, .a = -1, .b = -1, .op = SCALAR_CONSTANT});
}

double scalar_value(struct scalar x) { return node_of(x)->value; }

void scalar_set(struct scalar variable, double value)
{
    struct scalar_node *node = node_of(variable);
    CHECK(node->op == SCALAR_VARIABLE);
    node->value = value;
    struct scalar_graph *graph = variable.graph;
    if (!isnan(value) && graph->nan_value == variable.node) graph->nan_value = -1;
    if (isnan(value) && (graph->nan_value < 0 || graph->nan_value > variable.node))
        graph->nan_value = variable.node;
}

/* ---- values ---- */

/* exp never overflows here, and 1 - sigmoid(x) is sigmoid(-x) to the last digit. */
static double sigmoid(double x)
{
    if (x >= 0) return 1 / (1 + exp(-x));
    const double e = exp(x);
    return e / (1 + e);
}

static struct scalar make(enum scalar_op op, struct scalar a, struct scalar b, double value)
{
    const bool two = b.graph != NULL;
    CHECK(!two || a.graph == b.graph);
    const bool has_variables = node_of(a)->has_variables || (two && node_of(b)->has_variables);
    return node_add(a.graph, (struct scalar_node){.value = value,
                                                  .a = a.node,
                                                  .b = two ? b.node : -1,
                                                  .op = (uint8_t)op,
                                                  .has_variables = has_variables});
}

static const struct scalar none = {0};

struct scalar scalar_add(struct scalar a, struct scalar b)
{
    return make(SCALAR_ADD, a, b, scalar_value(a) + scalar_value(b));
}

struct scalar scalar_subtract(struct scalar a, struct scalar b)
{
    return make(SCALAR_SUBTRACT, a, b, scalar_value(a) - scalar_value(b));
}

struct scalar scalar_multiply(struct scalar a, struct scalar b)
{
    return make(SCALAR_MULTIPLY, a, b, scalar_value(a) * scalar_value(b));
}

struct scalar scalar_divide(struct scalar a, struct scalar b)
{
    return make(SCALAR_DIVIDE, a, b, scalar_value(a) / scalar_value(b));
}

struct scalar scalar_power(struct scalar a, struct scalar b)
{
    return make(SCALAR_POWER, a, b, pow(scalar_value(a), scalar_value(b)));
}

struct scalar scalar_negate(struct scalar a)
{
    return make(SCALAR_NEGATE, a, none, -scalar_value(a));
}

struct scalar scalar_exp(struct scalar a)
{
    return make(SCALAR_EXP, a, none, exp(scalar_value(a)));
}

struct scalar scalar_log(struct scalar a)
{
    return make(SCALAR_LOG, a, none, log(scalar_value(a)));
}

struct scalar scalar_tanh(struct scalar a)
{
    return make(SCALAR_TANH, a, none, tanh(scalar_value(a)));
}

struct scalar scalar_relu(struct scalar a)
{
    const double x = scalar_value(a);
    return make(SCALAR_RELU, a, none, x <= 0 ? 0 : x); /* NaN stays */
}

struct scalar scalar_sigmoid(struct scalar a)
{
    return make(SCALAR_SIGMOID, a, none, sigmoid(scalar_value(a)));
}

struct scalar scalar_sin(struct scalar a)
{
    return make(SCALAR_SIN, a, none, sin(scalar_value(a)));
}

struct scalar scalar_cos(struct scalar a)
{
    return make(SCALAR_COS, a, none, cos(scalar_value(a)));
}

/* ---- derivatives as numbers ---- */

static double power_by_base(double a, double b)
{
    return b == 0 ? 0 : b * pow(a, b - 1); /* a^0 is flat at a = 0 too */
}

static double power_by_exponent(double a, double b)
{
    return a == 0 && b > 0 ? 0 : pow(a, b) * log(a);
}

/* What the node changes by when its first (second) operand does. */
static double partial_first(const struct scalar_node *node, double a, double b)
{
    switch ((enum scalar_op)node->op) {
    case SCALAR_CONSTANT:
    case SCALAR_VARIABLE: return 0;
    case SCALAR_ADD:
    case SCALAR_SUBTRACT: return 1;
    case SCALAR_MULTIPLY: return b;
    case SCALAR_DIVIDE: return 1 / b;
    case SCALAR_POWER: return power_by_base(a, b);
    case SCALAR_NEGATE: return -1;
    case SCALAR_EXP: return node->value;
    case SCALAR_LOG: return 1 / a;
    case SCALAR_TANH: return 1 - node->value * node->value;
    case SCALAR_RELU: return isnan(a) ? a : a > 0;
    case SCALAR_SIGMOID: return node->value * sigmoid(-a);
    case SCALAR_SIN: return cos(a);
    case SCALAR_COS: return -sin(a);
    }
    check_failed("an operation", __FILE__, __LINE__);
}

static double partial_second(const struct scalar_node *node, double a, double b)
{
    switch ((enum scalar_op)node->op) {
    case SCALAR_ADD: return 1;
    case SCALAR_SUBTRACT: return -1;
    case SCALAR_MULTIPLY: return a;
    case SCALAR_DIVIDE: return -node->value / b;
    case SCALAR_POWER: return power_by_exponent(a, b);
    default: check_failed("an operation on two numbers", __FILE__, __LINE__);
    }
}

/* Memory for a gradient of each of the nodes 0 .. n - 1; new ones are zero. */
static void gradients_reserve(struct scalar_graph *graph, int32_t n)
{
    if (graph->n_gradients >= n) return;
    graph->gradients = memory_grow(graph->gradients, (size_t)n, sizeof *graph->gradients);
    for (int32_t i = graph->n_gradients; i < n; i++) graph->gradients[i] = 0;
    graph->n_gradients = n;
}

void scalar_backward(struct scalar y)
{
    struct scalar_graph *graph = y.graph;
    if (!node_of(y)->has_variables) return;
    const int32_t n = y.node + 1;
    gradients_reserve(graph, n);

    /* This pass's own: what an earlier pass left in a node must not pass through it again. A node
     * that y does not depend on keeps its flow of zero, and is not `reached`. */
    double *flow = memory_new((size_t)n, sizeof *flow);
    bool *reached = memory_new((size_t)n, sizeof *reached);
    flow[y.node] = 1;
    reached[y.node] = true;
    for (int32_t i = y.node; i >= 0; i--) {
        const struct scalar_node *node = &graph->nodes[i];
        if (!reached[i] || !node->has_variables) continue;
        graph->gradients[i] += flow[i];
        if (node->a < 0) continue;
        const double a = graph->nodes[node->a].value;
        const double b = node->b < 0 ? 0 : graph->nodes[node->b].value;
        for (int second = 0; second < 2; second++) {
            const int32_t to = second ? node->b : node->a;
            if (to < 0 || !graph->nodes[to].has_variables) continue;
            const double share =
                flow[i] * (second ? partial_second(node, a, b) : partial_first(node, a, b));
            flow[to] += share;
            reached[to] = true;
            if (isnan(share) && !isnan(flow[i]) && graph->nan_gradient < 0) graph->nan_gradient = i;
        }
    }
    free(reached);
    free(flow);
}

double scalar_gradient(struct scalar x)
{
    CHECK(node_of(x));
    return x.node < x.graph->n_gradients ? x.graph->gradients[x.node] : 0;
}

void scalar_forget_gradients(struct scalar_graph *graph)
{
    graph->n_gradients = 0;
    graph->nan_gradient = -1;
}

/* ---- derivatives as nodes ---- */

/* Without the products with 0 and 1 that most of a gradient's graph would consist of. */
static struct scalar product(struct scalar a, struct scalar b)
{
    const struct scalar_node *node = node_of(a);
    if (node->op == SCALAR_CONSTANT && node->value == 1) return b;
    return scalar_multiply(a, b);
}

static struct scalar power_by_base_node(struct scalar flow, struct scalar a, struct scalar b)
{
    const bool flat = !node_of(b)->has_variables || scalar_value(a) == 0;
    if (scalar_value(b) == 0 && flat) return scalar_constant(a.graph, 0);
    struct scalar less = scalar_subtract(b, scalar_constant(a.graph, 1));
    return product(flow, scalar_multiply(b, scalar_power(a, less)));
}

static struct scalar power_by_exponent_node(struct scalar flow, struct scalar a, struct scalar b,
                                            struct scalar self)
{
    if (scalar_value(a) == 0 && scalar_value(b) > 0) return scalar_constant(a.graph, 0);
    return product(flow, scalar_multiply(self, scalar_log(a)));
}

/* flow times what the node changes by when its first (second) operand does. */
static struct scalar share_first(enum scalar_op op, struct scalar flow, struct scalar self,
                                 struct scalar a, struct scalar b)
{
    struct scalar_graph *graph = flow.graph;
    switch (op) {
    case SCALAR_CONSTANT:
    case SCALAR_VARIABLE: break;
    case SCALAR_ADD:
    case SCALAR_SUBTRACT: return flow;
    case SCALAR_MULTIPLY: return product(flow, b);
    case SCALAR_DIVIDE: return scalar_divide(flow, b);
    case SCALAR_POWER: return power_by_base_node(flow, a, b);
    case SCALAR_NEGATE: return scalar_negate(flow);
    case SCALAR_EXP: return product(flow, self);
    case SCALAR_LOG: return scalar_divide(flow, a);
    case SCALAR_TANH: {
        struct scalar square = scalar_multiply(self, self);
        return product(flow, scalar_subtract(scalar_constant(graph, 1), square));
    }
    case SCALAR_RELU: {
        const double x = scalar_value(a);
        return product(flow, scalar_constant(graph, isnan(x) ? x : x > 0));
    }
    case SCALAR_SIGMOID:
        return product(flow, scalar_multiply(self, scalar_sigmoid(scalar_negate(a))));
    case SCALAR_SIN: return product(flow, scalar_cos(a));
    case SCALAR_COS: return product(flow, scalar_negate(scalar_sin(a)));
    }
    check_failed("an operation", __FILE__, __LINE__);
}

static struct scalar share_second(enum scalar_op op, struct scalar flow, struct scalar self,
                                  struct scalar a, struct scalar b)
{
    switch (op) {
    case SCALAR_ADD: return flow;
    case SCALAR_SUBTRACT: return scalar_negate(flow);
    case SCALAR_MULTIPLY: return product(flow, a);
    case SCALAR_DIVIDE: return scalar_negate(product(flow, scalar_divide(self, b)));
    case SCALAR_POWER: return power_by_exponent_node(flow, a, b, self);
    default: check_failed("an operation on two numbers", __FILE__, __LINE__);
    }
}

/* Where the nodes of a gradient were put; -1: nothing reached it. */
static void flow_add(struct scalar_graph *graph, int32_t *flow, int32_t to, struct scalar share)
{
    flow[to] = flow[to] < 0 ? share.node : scalar_add((struct scalar){graph, flow[to]}, share).node;
}

void scalar_derivatives(struct scalar y, const struct scalar *x, int n, struct scalar *dx)
{
    struct scalar_graph *graph = y.graph;
    CHECK(node_of(y));
    int32_t *flow = memory_new((size_t)y.node + 1, sizeof *flow);
    for (int32_t i = 0; i < y.node; i++) flow[i] = -1;
    flow[y.node] = scalar_constant(graph, 1).node;

    /* New nodes move graph->nodes, so a node is copied before anything is made of it. */
    for (int32_t i = y.node; i >= 0; i--) {
        const struct scalar_node node = graph->nodes[i];
        if (flow[i] < 0 || !node.has_variables || node.a < 0) continue;
        struct scalar down = {graph, flow[i]}, self = {graph, i};
        struct scalar a = {graph, node.a}, b = {graph, node.b};
        const enum scalar_op op = (enum scalar_op)node.op;
        if (node_of(a)->has_variables)
            flow_add(graph, flow, node.a, share_first(op, down, self, a, b));
        if (node.b >= 0 && node_of(b)->has_variables)
            flow_add(graph, flow, node.b, share_second(op, down, self, a, b));
    }
    for (int i = 0; i < n; i++) {
        CHECK(x[i].graph == graph);
        const bool reached = x[i].node <= y.node && flow[x[i].node] >= 0;
        dx[i] = reached ? (struct scalar){graph, flow[x[i].node]} : scalar_constant(graph, 0);
    }
    free(flow);
}

/* ---- looking ---- */

void scalar_name(struct scalar x, const char *name)
{
    struct text *names = &x.graph->names;
    CHECK(names->size < INT32_MAX);
    node_of(x)->name = (int32_t)names->size;
    text_add_bytes(names, name, strlen(name) + 1);
}

static const char *label_of(const struct scalar_graph *graph, int32_t i)
{
    const struct scalar_node *node = &graph->nodes[i];
    return node->name < 0 ? op_names[node->op] : graph->names.data + node->name;
}

static void dot_quote(struct text *out, const char *string)
{
    for (const char *c = string; *c; c++) {
        if (*c == '"' || *c == '\\') text_add_char(out, '\\');
        text_add_char(out, *c == '\n' ? ' ' : *c);
    }
}

void scalar_dot(struct scalar y, int limit, struct text *out)
{
    const struct scalar_graph *graph = y.graph;
    CHECK(node_of(y) && limit > 0);
    bool *wanted = memory_new((size_t)y.node + 1, sizeof *wanted);
    wanted[y.node] = true;
    int shown = 0, left_out = 0;

    text_add(out, "digraph scalar {\n    rankdir=LR;\n    node [shape=box];\n");
    for (int32_t i = y.node; i >= 0; i--) {
        const struct scalar_node *node = &graph->nodes[i];
        if (!wanted[i]) continue;
        if (node->a >= 0) wanted[node->a] = true;
        if (node->b >= 0) wanted[node->b] = true;
        if (shown == limit) {
            left_out++;
            continue;
        }
        shown++;
        text_format(out, "    n%d [label=\"", i);
        dot_quote(out, label_of(graph, i));
        text_format(out, "\\n%.6g", node->value);
        if (node->has_variables)
            text_format(out, "\\ngradient %.6g", scalar_gradient((struct scalar){y.graph, i}));
        text_add(out, "\"];\n");
        if (node->a >= 0) text_format(out, "    n%d -> n%d;\n", node->a, i);
        if (node->b >= 0) text_format(out, "    n%d -> n%d;\n", node->b, i);
    }
    if (left_out) text_format(out, "    more [shape=plaintext, label=\"+%d\"];\n", left_out);
    text_add(out, "}\n");
    free(wanted);
}

/* "log(-1)", "/(0, 0)": the operation and the numbers it was given. */
static void operands_describe(struct text *out, const struct scalar_graph *graph, int32_t i)
{
    const struct scalar_node *node = &graph->nodes[i];
    text_format(out, "%s(", op_names[node->op]);
    if (node->a < 0) text_format(out, "%g", node->value);
    else text_format(out, "%g", graph->nodes[node->a].value);
    if (node->b >= 0) text_format(out, ", %g", graph->nodes[node->b].value);
    text_add_char(out, ')');
}

bool scalar_explain_nan(const struct scalar_graph *graph, struct text *out)
{
    const bool in_value = graph->nan_value >= 0;
    const int32_t i = in_value ? graph->nan_value : graph->nan_gradient;
    if (i < 0) return false;

    struct text operands = {0};
    operands_describe(&operands, graph, i);
    if (in_value)
        text_format(out, _("node %d (%s): the first value that is not a number: %s"), i,
                    label_of(graph, i), text_string(&operands));
    else
        text_format(out,
                    _("node %d (%s): the first gradient that is not a number is made on the way "
                      "back through %s"),
                    i, label_of(graph, i), text_string(&operands));
    text_done(&operands);
    return true;
}
