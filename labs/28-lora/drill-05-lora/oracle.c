/* LoRA in float64, with the mistakes people make.
 *
 *   y = x W^T + (alpha/R) (x A^T) B^T     x [N,I]  W [O,I]  A [R,I]  B [O,R]
 *   d_x = d_y W + d_h A                   d_h = (alpha/R) d_y B
 *   d_A = d_h^T x                         d_B = (alpha/R) d_y^T (x A^T)
 *
 * Source: Hu et al. 2021 (arXiv:2106.09685). We differ: A starts
 *         uniform in +-1/sqrt(I), and the draws are given.
 */
#include <math.h>
#include <stdlib.h>

#include "grader/oracle.h"

enum {
    BOTH_ZERO,
    NO_SCALE,
    TRANSPOSED,
    BASE_GRADIENT,
    MERGED_TWICE,
    MERGED_AND_ADDED,
    DX_BASE_ONLY,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [BOTH_ZERO] = {.name = "both-zero"},       [NO_SCALE] = {.name = "no-scale"},
    [TRANSPOSED] = {.name = "transposed"},     [BASE_GRADIENT] = {.name = "base-gradient"},
    [MERGED_TWICE] = {.name = "merged-twice"}, [MERGED_AND_ADDED] = {.name = "merged-and-added"},
    [DX_BASE_ONLY] = {.name = "dx-base-only"},
};

/* What the harness calls; call.c and call.py have the same list. */
enum {
    OP_INIT,
    OP_START,
    OP_FORWARD,
    OP_BACKWARD,
    OP_STEP,
    OP_MERGE,
    OP_TWICE,
    OP_UNMERGE,
    OP_LIFE
};

enum {
    INIT,
    INIT_ODD,
    FORWARD,
    ONE,
    SMALL_ALPHA,
    SQUARE,
    WIDE,
    BACKWARD,
    BACKWARD_SQUARE,
    BACKWARD_ODD,
    STEP,
    MERGE,
    MERGE_TWICE,
    UNMERGE,
    START,
    LIFE,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [INIT] = {N_("initialisation"), CASE_NUMBERS, true},
    [INIT_ODD] = {N_("initialisation, odd sizes"), CASE_NUMBERS, false},
    [FORWARD] = {N_("forward"), CASE_NUMBERS, true},
    [ONE] = {N_("forward, one token and rank 1"), CASE_NUMBERS, false},
    [SMALL_ALPHA] = {N_("forward, alpha smaller than the rank"), CASE_NUMBERS, false},
    [SQUARE] = {N_("forward, all sizes equal"), CASE_NUMBERS, false},
    [WIDE] = {N_("forward, larger sizes"), CASE_NUMBERS, false},
    [BACKWARD] = {N_("backward"), CASE_GRADIENT, true},
    [BACKWARD_SQUARE] = {N_("backward, all sizes equal"), CASE_GRADIENT, false},
    [BACKWARD_ODD] = {N_("backward, odd sizes"), CASE_GRADIENT, false},
    [STEP] = {N_("one training step"), CASE_NUMBERS, false},
    [MERGE] = {N_("merge"), CASE_NUMBERS, true},
    [MERGE_TWICE] = {N_("merge twice, then unmerge"), CASE_EDGE, false},
    [UNMERGE] = {N_("unmerge without merge, and after it"), CASE_EDGE, false},
    [START] = {N_("a fresh adapter"), CASE_PROPERTY, false},
    [LIFE] = {N_("several calls on one layer"), CASE_EDGE, false},
};

static void add_normal(struct record *in, const char *name, int64_t rows, int64_t columns,
                       double size, struct rng *rng)
{
    float *x = record_add_f32(in, name, SHAPE(rows, columns));
    for (int64_t i = 0; i < rows * columns; i++) x[i] = (float)(size * rng_normal(rng));
}

static void add_draws(struct record *in, int64_t R, int64_t I, struct rng *rng)
{
    float *draws = record_add_f32(in, "draws", SHAPE(R, I));
    for (int64_t i = 0; i < R * I; i++)
        draws[i] = (float)rng_below(rng, 1 << 24) / (float)(1 << 24);
}

static void make_init(struct record *in, int64_t I, int64_t O, int64_t R, struct rng *rng)
{
    record_add_int(in, "op", OP_INIT);
    record_add_int(in, "n_out", O);
    add_draws(in, R, I, rng);
}

static void make(struct record *in, int op, int64_t N, int64_t I, int64_t O, int64_t R,
                 double alpha, struct rng *rng)
{
    record_add_int(in, "op", op);
    add_normal(in, "x", N, I, 1.0, rng);
    add_normal(in, "W", O, I, 1.0 / sqrt((double)I), rng);
    if (op == OP_START) {
        add_draws(in, R, I, rng);
    } else {
        add_normal(in, "A", R, I, 1.0 / sqrt((double)I), rng);
        add_normal(in, "B", O, R, 0.5, rng);
    }
    record_add_real(in, "alpha", alpha);
    if (op == OP_BACKWARD || op == OP_STEP || op == OP_START || op == OP_LIFE)
        add_normal(in, "d_y", N, O, 1.0, rng);
    if (op == OP_STEP || op == OP_START || op == OP_LIFE) record_add_real(in, "lr", 0.125);
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    switch (kind) {
    case INIT: make_init(in, 6, 4, 2, rng); break;
    case INIT_ODD: make_init(in, 11, 5, 3, rng); break;
    case FORWARD: make(in, OP_FORWARD, 3, 6, 4, 2, 4.0, rng); break;
    case ONE: make(in, OP_FORWARD, 1, 5, 3, 1, 2.0, rng); break;
    case SMALL_ALPHA: make(in, OP_FORWARD, 4, 9, 7, 6, 1.5, rng); break;
    case SQUARE: make(in, OP_FORWARD, 4, 4, 4, 4, 16.0, rng); break;
    case WIDE: make(in, OP_FORWARD, 16, 48, 40, 8, 16.0, rng); break;
    case BACKWARD: make(in, OP_BACKWARD, 3, 6, 4, 2, 4.0, rng); break;
    case BACKWARD_SQUARE: make(in, OP_BACKWARD, 3, 3, 3, 3, 6.0, rng); break;
    case BACKWARD_ODD: make(in, OP_BACKWARD, 5, 7, 9, 3, 1.0, rng); break;
    case STEP: make(in, OP_STEP, 6, 5, 4, 2, 4.0, rng); break;
    case MERGE: make(in, OP_MERGE, 3, 6, 4, 2, 4.0, rng); break;
    case MERGE_TWICE: make(in, OP_TWICE, 3, 5, 7, 3, 6.0, rng); break;
    case UNMERGE: make(in, OP_UNMERGE, 2, 7, 5, 2, 3.0, rng); break;
    case START: make(in, OP_START, 4, 8, 6, 2, 4.0, rng); break;
    case LIFE: /* and a second batch, of another number of tokens */
        make(in, OP_LIFE, 4, 7, 5, 3, 4.5, rng);
        add_normal(in, "x_other", 3, 7, 1.0, rng);
        add_normal(in, "d_y_other", 3, 5, 1.0, rng);
        break;
    default: check_failed("known kind", __FILE__, __LINE__);
    }
}

/* The layer in float64. W, A and B are its own. */
struct layer {
    int64_t I, O, R;
    double scale;
    bool merged;
    double *W, *A, *B;
    uint32_t made;
};

static double *copy_of(const struct record *in, const char *name)
{
    const struct array *array = record_find(in, name);
    const int64_t count = array_count(array);
    double *copy = memory_new((size_t)count, sizeof *copy);
    for (int64_t i = 0; i < count; i++) copy[i] = array_at(array, i);
    return copy;
}

/* Where A[r,i] and B[o,r] lie. */
static int64_t a_at(const struct layer *layer, int64_t r, int64_t i)
{
    return layer->made & 1u << TRANSPOSED ? i * layer->R + r : r * layer->I + i;
}

static int64_t b_at(const struct layer *layer, int64_t o, int64_t r)
{
    return layer->made & 1u << TRANSPOSED ? r * layer->O + o : o * layer->R + r;
}

static double first_value(double draw, int64_t I, uint32_t made)
{
    return made & 1u << BOTH_ZERO ? 0.0 : (2.0 * draw - 1.0) / sqrt((double)I);
}

static void forward(double *y, const struct layer *layer, const float *x, int64_t N)
{
    const bool adapt = !layer->merged || layer->made & 1u << MERGED_AND_ADDED;
    double *hidden = memory_new((size_t)layer->R, sizeof *hidden);
    for (int64_t n = 0; n < N; n++) {
        const float *row = x + n * layer->I;
        for (int64_t r = 0; r < layer->R; r++) {
            hidden[r] = 0.0;
            for (int64_t i = 0; i < layer->I; i++)
                hidden[r] += layer->A[a_at(layer, r, i)] * (double)row[i];
        }
        for (int64_t o = 0; o < layer->O; o++) {
            double sum = 0.0;
            for (int64_t i = 0; i < layer->I; i++)
                sum += layer->W[o * layer->I + i] * (double)row[i];
            for (int64_t r = 0; adapt && r < layer->R; r++)
                sum += layer->scale * layer->B[b_at(layer, o, r)] * hidden[r];
            y[n * layer->O + o] = sum;
        }
    }
    free(hidden);
}

/* The three gradients are zero at entry. */
static void backward(double *d_x, double *d_A, double *d_B, const struct layer *layer,
                     const float *x, const float *d_y, int64_t N)
{
    const int64_t I = layer->I, O = layer->O, R = layer->R;
    for (int64_t n = 0; n < N; n++) {
        for (int64_t o = 0; o < O; o++)
            for (int64_t i = 0; i < I; i++)
                d_x[n * I + i] += (double)d_y[n * O + o] * layer->W[o * I + i];

        for (int64_t r = 0; r < R; r++) {
            double hidden = 0.0, d_hidden = 0.0;
            for (int64_t i = 0; i < I; i++)
                hidden += layer->A[a_at(layer, r, i)] * (double)x[n * I + i];
            for (int64_t o = 0; o < O; o++) {
                const double d = layer->scale * (double)d_y[n * O + o];
                d_hidden += d * layer->B[b_at(layer, o, r)];
                d_B[b_at(layer, o, r)] += d * hidden;
            }
            for (int64_t i = 0; i < I; i++) {
                d_A[a_at(layer, r, i)] += d_hidden * (double)x[n * I + i];
                if (layer->made & 1u << DX_BASE_ONLY) continue;
                d_x[n * I + i] += d_hidden * layer->A[a_at(layer, r, i)];
            }
        }
    }
}

static void step(struct layer *layer, const float *x, const float *d_y, double lr, int64_t N)
{
    const int64_t I = layer->I, O = layer->O, R = layer->R;
    double *d_x = memory_new((size_t)(N * I), sizeof *d_x);
    double *d_A = memory_new((size_t)(R * I), sizeof *d_A);
    double *d_B = memory_new((size_t)(O * R), sizeof *d_B);
    backward(d_x, d_A, d_B, layer, x, d_y, N);
    for (int64_t i = 0; i < R * I; i++) layer->A[i] -= lr * d_A[i];
    for (int64_t i = 0; i < O * R; i++) layer->B[i] -= lr * d_B[i];
    for (int64_t n = 0; layer->made & 1u << BASE_GRADIENT && n < N; n++)
        for (int64_t o = 0; o < O; o++)
            for (int64_t i = 0; i < I; i++)
                layer->W[o * I + i] -= lr * (double)d_y[n * O + o] * (double)x[n * I + i];
    free(d_x);
    free(d_A);
    free(d_B);
}

static void add_adapter(struct layer *layer, double factor)
{
    for (int64_t o = 0; o < layer->O; o++)
        for (int64_t i = 0; i < layer->I; i++)
            for (int64_t r = 0; r < layer->R; r++)
                layer->W[o * layer->I + i] +=
                    factor * layer->B[b_at(layer, o, r)] * layer->A[a_at(layer, r, i)];
}

static void merge(struct layer *layer)
{
    if (layer->merged && !(layer->made & 1u << MERGED_TWICE)) return;
    add_adapter(layer, layer->scale);
    layer->merged = true;
}

static void unmerge(struct layer *layer)
{
    if (!layer->merged) return;
    add_adapter(layer, -layer->scale);
    layer->merged = false;
}

static void put(struct record *out, const char *name, const double *weight, int64_t rows,
                int64_t columns)
{
    double *copy = record_add_f64(out, name, SHAPE(rows, columns));
    for (int64_t i = 0; i < rows * columns; i++) copy[i] = weight[i];
}

static void put_weights(struct record *out, const struct layer *layer)
{
    put(out, "W", layer->W, layer->O, layer->I);
    put(out, "A", layer->A, layer->R, layer->I);
    put(out, "B", layer->B, layer->O, layer->R);
}

static void solve_merging(struct record *out, struct layer *layer, int64_t op, const float *x,
                          int64_t N)
{
    const int64_t I = layer->I, O = layer->O;
    if (op == OP_UNMERGE) {
        unmerge(layer);
        put(out, "W_never_merged", layer->W, O, I);
    }
    merge(layer);
    if (op == OP_MERGE) {
        put(out, "W_merged", layer->W, O, I);
        forward(record_add_f64(out, "y_merged", SHAPE(N, O)), layer, x, N);
        return;
    }
    if (op == OP_TWICE) {
        merge(layer);
        put(out, "W_merged_twice", layer->W, O, I);
    }
    unmerge(layer);
    put(out, "W_unmerged", layer->W, O, I);
    forward(record_add_f64(out, "y_unmerged", SHAPE(N, O)), layer, x, N);
    if (op == OP_UNMERGE) {
        unmerge(layer);
        put(out, "W_unmerged_twice", layer->W, O, I);
    }
}

static void put_gradients(struct record *out, const char *names[3], const struct layer *layer,
                          const float *x, const float *d_y, int64_t N)
{
    double *d_x = record_add_f64(out, names[0], SHAPE(N, layer->I));
    double *d_A = record_add_f64(out, names[1], SHAPE(layer->R, layer->I));
    double *d_B = record_add_f64(out, names[2], SHAPE(layer->O, layer->R));
    backward(d_x, d_A, d_B, layer, x, d_y, N);
}

/* One layer through many calls: nothing may be left over from an earlier one. */
static void solve_life(struct record *out, struct layer *layer, const struct record *in)
{
    const int64_t I = layer->I, O = layer->O, R = layer->R;
    const int64_t N = record_dim(in, "x", 0), M = record_dim(in, "x_other", 0);
    const float *x = record_f32(in, "x"), *d_y = record_f32(in, "d_y");
    const float *x_other = record_f32(in, "x_other"), *d_y_other = record_f32(in, "d_y_other");
    const double lr = record_real(in, "lr");

    forward(record_add_f64(out, "y_0", SHAPE(N, O)), layer, x, N);
    put_gradients(out, (const char *[3]){"d_x_0", "d_A_0", "d_B_0"}, layer, x_other, d_y_other, M);
    step(layer, x, d_y, lr, N);
    step(layer, x_other, d_y_other, lr, M);
    put(out, "W_1", layer->W, O, I);
    put(out, "A_1", layer->A, R, I);
    put(out, "B_1", layer->B, O, R);
    forward(record_add_f64(out, "y_1", SHAPE(M, O)), layer, x_other, M);
    put_gradients(out, (const char *[3]){"d_x_1", "d_A_1", "d_B_1"}, layer, x, d_y, N);
    merge(layer);
    put(out, "W_1_merged", layer->W, O, I);
    forward(record_add_f64(out, "y_1_merged", SHAPE(N, O)), layer, x, N);
    unmerge(layer);
    put(out, "W_1_unmerged", layer->W, O, I);
    step(layer, x, d_y, lr, N);
    put(out, "A_2", layer->A, R, I);
    put(out, "B_2", layer->B, O, R);
    merge(layer);
    put(out, "W_2_merged", layer->W, O, I);
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t op = record_int(in, "op");
    if (op == OP_INIT) {
        const int64_t R = record_dim(in, "draws", 0), I = record_dim(in, "draws", 1);
        const float *draws = record_f32(in, "draws");
        double *A = record_add_f64(out, "A", SHAPE(R, I));
        for (int64_t i = 0; i < R * I; i++) A[i] = first_value((double)draws[i], I, made);
        record_add_f64(out, "B", SHAPE(record_int(in, "n_out"), R)); /* zeros */
        return;
    }

    const int64_t N = record_dim(in, "x", 0), I = record_dim(in, "x", 1);
    const int64_t O = record_dim(in, "W", 0), R = record_dim(in, op == OP_START ? "draws" : "A", 0);
    const double alpha = record_real(in, "alpha");
    const float *x = record_f32(in, "x");
    struct layer layer = {.I = I, .O = O, .R = R, .W = copy_of(in, "W"), .made = made};
    layer.scale = made & 1u << NO_SCALE ? 1.0 : alpha / (double)R;
    layer.A = copy_of(in, op == OP_START ? "draws" : "A");
    if (op == OP_START) {
        for (int64_t i = 0; i < R * I; i++) layer.A[i] = first_value(layer.A[i], I, made);
        layer.B = memory_new((size_t)(O * R), sizeof *layer.B);
    } else {
        layer.B = copy_of(in, "B");
    }

    switch (op) {
    case OP_FORWARD: forward(record_add_f64(out, "y", SHAPE(N, O)), &layer, x, N); break;
    case OP_BACKWARD:
        put_gradients(out, (const char *[3]){"d_x", "d_A", "d_B"}, &layer, x, record_f32(in, "d_y"),
                      N);
        break;
    case OP_LIFE: solve_life(out, &layer, in); break;
    case OP_START:
        forward(record_add_f64(out, "y", SHAPE(N, O)), &layer, x, N);
        step(&layer, x, record_f32(in, "d_y"), record_real(in, "lr"), N);
        put_weights(out, &layer);
        break;
    case OP_STEP:
        step(&layer, x, record_f32(in, "d_y"), record_real(in, "lr"), N);
        put_weights(out, &layer);
        forward(record_add_f64(out, "y", SHAPE(N, O)), &layer, x, N);
        break;
    default: solve_merging(out, &layer, op, x, N); break;
    }
    free(layer.W);
    free(layer.A);
    free(layer.B);
}

/* The longest sum is over inputs and rank, outputs and rank, or tokens. */
static int64_t reduction(const struct record *in)
{
    if (record_int(in, "op") == OP_INIT) return 1;
    return record_dim(in, "x", 0) + record_dim(in, "x", 1) + record_dim(in, "W", 0);
}

static const struct output_rule rules[] = {
    {.field = "A", .axes = "RI", .reduction = reduction},
    {.field = "B", .axes = "OR", .reduction = reduction},
    {.field = "W", .axes = "OI", .reduction = reduction},
    {.field = "y", .axes = "NO", .reduction = reduction},
    {.field = "d_x", .gradient = true, .axes = "NI", .reduction = reduction},
    {.field = "d_A", .gradient = true, .axes = "RI", .reduction = reduction},
    {.field = "d_B", .gradient = true, .axes = "OR", .reduction = reduction},
    {.field = "W_never_merged", .axes = "OI", .reduction = reduction},
    {.field = "W_merged", .axes = "OI", .reduction = reduction},
    {.field = "W_merged_twice", .axes = "OI", .reduction = reduction},
    {.field = "W_unmerged", .axes = "OI", .reduction = reduction},
    {.field = "W_unmerged_twice", .axes = "OI", .reduction = reduction},
    {.field = "y_merged", .axes = "NO", .reduction = reduction},
    {.field = "y_0", .axes = "NO", .reduction = reduction},
    {.field = "d_x_0", .gradient = true, .axes = "NI", .reduction = reduction},
    {.field = "d_A_0", .gradient = true, .axes = "RI", .reduction = reduction},
    {.field = "d_B_0", .gradient = true, .axes = "OR", .reduction = reduction},
    {.field = "W_1", .axes = "OI", .reduction = reduction},
    {.field = "A_1", .axes = "RI", .reduction = reduction},
    {.field = "B_1", .axes = "OR", .reduction = reduction},
    {.field = "y_1", .axes = "NO", .reduction = reduction},
    {.field = "d_x_1", .gradient = true, .axes = "NI", .reduction = reduction},
    {.field = "d_A_1", .gradient = true, .axes = "RI", .reduction = reduction},
    {.field = "d_B_1", .gradient = true, .axes = "OR", .reduction = reduction},
    {.field = "W_1_merged", .axes = "OI", .reduction = reduction},
    {.field = "y_1_merged", .axes = "NO", .reduction = reduction},
    {.field = "W_1_unmerged", .axes = "OI", .reduction = reduction},
    {.field = "A_2", .axes = "RI", .reduction = reduction},
    {.field = "B_2", .axes = "OR", .reduction = reduction},
    {.field = "W_2_merged", .axes = "OI", .reduction = reduction},
    {.field = "y_unmerged", .axes = "NO", .reduction = reduction},
};

/* With B = 0 the layer is the base, and the base stays what it is. */
static void judge_start(struct findings *findings, const struct case_run *run, int index)
{
    const int64_t N = record_dim(run->in, "x", 0), I = record_dim(run->in, "x", 1);
    const int64_t O = record_dim(run->in, "W", 0);
    const float *x = record_f32(run->in, "x"), *W = record_f32(run->in, "W");
    const struct array *y = record_find(run->out, "y"), *after = record_find(run->out, "W");
    const struct array *B = record_find(run->out, "B");

    for (int64_t n = 0; n < N; n++)
        for (int64_t o = 0; o < O; o++) {
            double base = 0.0;
            for (int64_t i = 0; i < I; i++) base += (double)x[n * I + i] * (double)W[o * I + i];
            if (!(fabs(array_at(y, n * O + o) - base) > 1e-4)) continue;
            finding_add(findings, CASE_PROPERTY, index, NULL,
                        _("a fresh adapter changed the layer: y[%d,%d] is %g and the base alone "
                          "gives %g; with B = 0 they must be equal"),
                        (int)n, (int)o, array_at(y, n * O + o), base);
            return;
        }
    for (int64_t i = 0; i < O * I; i++) {
        if (array_at(after, i) == (double)W[i]) continue;
        finding_add(findings, CASE_PROPERTY, index, "base-gradient",
                    _("a training step changed the frozen base: W[%d,%d] was %.9g and is %.9g"),
                    (int)(i / I), (int)(i % I), (double)W[i], array_at(after, i));
        return;
    }
    for (int64_t i = 0; i < array_count(B); i++)
        if (array_at(B, i) != 0.0) return;
    finding_add(findings, CASE_PROPERTY, index, NULL,
                _("after one training step B is still zero: a fresh adapter cannot learn"));
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    for (int i = 0; i < n_runs; i++)
        if (runs[i].kind == START && runs[i].out->n_fields) judge_start(findings, &runs[i], i);
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, OP_BACKWARD, n, 96, 96, 8, 4.0, rng);
}

const struct oracle oracle_lora = {
    .name = "lora",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .rules = rules,
    .n_rules = (int)(sizeof rules / sizeof *rules),
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 16,
};
