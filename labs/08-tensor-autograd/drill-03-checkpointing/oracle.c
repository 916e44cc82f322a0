/* Gradient checkpointing in float64, with the mistakes people make.
 *
 *   layer i:   y = x + m * tanh(x W_i)          m: 4/3 or 0 for each number, from the seed
 *   backward:  g = dy * m * (1 - tanh^2),  dx = dy + g W_i^T,  dW_i = x^T g
 *
 * What was in memory follows from the order of the calls, which the layers write down: an
 * activation had to be there from the forward that made it to the last call that took it.
 *
 * Source: Chen et al. 2016 (arXiv:1604.06174).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grader/oracle.h"

enum { INPUT_GRADIENT_LOST, NOT_ACCUMULATED, ANOTHER_SEED, BORDER, STORED, N_MISTAKES };

static const struct mistake mistakes[N_MISTAKES] = {
    [INPUT_GRADIENT_LOST] = {.name = "input-gradient-lost"},
    [NOT_ACCUMULATED] = {.name = "not-accumulated"},
    [ANOTHER_SEED] = {.name = "another-seed"},
    [BORDER] = {.name = "border-off-by-one"},
    [STORED] = {.name = "everything-stored", .found = FOUND_BY_JUDGE},
};

enum {
    ONE_LAYER,
    EVEN,
    ROOT,
    RAGGED,
    ACCUMULATE,
    WIDE,
    DEEP,
    EVERY_ONE,
    ONE_SEGMENT,
    BEYOND,
    FAR_BEYOND,
    NO_SQUARE,
    EVERY_THREE,
    EVERY_FIVE,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [ONE_LAYER] = {N_("one layer"), CASE_NUMBERS, true},
    [EVEN] = {N_("two segments"), CASE_NUMBERS, true},
    [ROOT] = {N_("nine layers, every third kept"), CASE_NUMBERS, true},
    [RAGGED] = {N_("a shorter last segment"), CASE_NUMBERS, false},
    [ACCUMULATE] = {N_("gradients from earlier batches"), CASE_NUMBERS, false},
    [WIDE] = {N_("wider layers"), CASE_NUMBERS, false},
    [DEEP] = {N_("many layers"), CASE_NUMBERS, false},
    [EVERY_ONE] = {N_("every activation kept"), CASE_EDGE, false},
    [ONE_SEGMENT] = {N_("one segment only"), CASE_EDGE, false},
    [BEYOND] = {N_("more between two kept than layers"), CASE_EDGE, false},
    [FAR_BEYOND] = {N_("the largest every"), CASE_EDGE, false},
    [NO_SQUARE] = {N_("24 layers, every eighth kept"), CASE_NUMBERS, false},
    [EVERY_THREE] = {N_("the same network, every third kept"), CASE_PROPERTY, false},
    [EVERY_FIVE] = {N_("the same network, every fifth kept"), CASE_PROPERTY, false},
};

static void fill(struct record *in, const char *name, int ndim, const int64_t *dims, double size,
                 struct rng *rng)
{
    float *x = record_add_f32(in, name, ndim, dims);
    const int64_t count = array_count(record_find(in, name));
    for (int64_t i = 0; i < count; i++) x[i] = (float)(size * rng_normal(rng));
}

static void make(struct record *in, struct rng *rng, int64_t L, int64_t every, int64_t N, int64_t C,
                 double earlier)
{
    fill(in, "x", SHAPE(N, C), 1.0, rng);
    fill(in, "dy", SHAPE(N, C), 1.0, rng);
    fill(in, "w", SHAPE(L, C, C), (L > 16 ? 0.35 : 0.7) / sqrt((double)C), rng); /* tame in depth */
    fill(in, "d_weights", SHAPE(L, C, C), earlier, rng);
    int64_t *seeds = record_add_i64(in, "seeds", SHAPE(4 * L)); /* more than are needed */
    for (int64_t i = 0; i < 4 * L; i++) seeds[i] = rng_below(rng, (int64_t)1 << 31);
    record_add_int(in, "every", every);
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    switch (kind) {
    case ONE_LAYER: make(in, rng, 1, 1, 2, 4, 0.0); break;
    case EVEN: make(in, rng, 4, 2, 2, 4, 0.0); break;
    case ROOT: make(in, rng, 9, 3, 3, 4, 1.0); break;
    case RAGGED: make(in, rng, 10, 4, 3, 5, 1.0); break;
    case ACCUMULATE: make(in, rng, 6, 3, 2, 4, 3.0); break;
    case WIDE: make(in, rng, 8, 3, 4, 16, 1.0); break;
    case DEEP: make(in, rng, 32, 6, 2, 4, 1.0); break;
    case EVERY_ONE: make(in, rng, 5, 1, 2, 4, 1.0); break;
    case ONE_SEGMENT: make(in, rng, 5, 5, 2, 4, 1.0); break;
    case BEYOND: make(in, rng, 5, 9, 2, 4, 1.0); break;
    case FAR_BEYOND: make(in, rng, 6, INT32_MAX, 2, 4, 1.0); break;
    case NO_SQUARE: make(in, rng, 24, 8, 2, 4, 1.0); break;
    case EVERY_THREE:
    case EVERY_FIVE:
        rng_init(rng, rng->seed, EVERY_THREE);
        make(in, rng, 13, kind == EVERY_THREE ? 3 : 5, 2, 4, 1.0);
        break;
    default: CHECK(kind >= 0 && kind < N_KINDS);
    }
}

static double kept(int64_t seed, int64_t i)
{
    uint64_t z = (uint64_t)seed * 0x9E3779B97F4A7C15u + (uint64_t)(i + 1) * 0xD1B54A32D192ED03u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z >> 62 ? 4.0 / 3.0 : 0.0;
}

static void branch(double *z, const double *x, const float *w, int64_t N, int64_t C)
{
    for (int64_t n = 0; n < N; n++)
        for (int64_t j = 0; j < C; j++) {
            double sum = 0.0;
            for (int64_t i = 0; i < C; i++) sum += x[n * C + i] * (double)w[i * C + j];
            z[n * C + j] = tanh(sum);
        }
}

static void forward(double *y, const double *x, const float *w, int64_t seed, int64_t N, int64_t C)
{
    double *z = memory_new((size_t)(N * C), sizeof *z);
    branch(z, x, w, N, C);
    for (int64_t i = 0; i < N * C; i++) y[i] = x[i] + kept(seed, i) * z[i];
    free(z);
}

/* dy becomes dx; the gradient of the weights is added to d_w. */
static void backward(double *dy, double *d_w, const double *x, const float *w, int64_t seed,
                     int64_t N, int64_t C)
{
    double *g = memory_new((size_t)(N * C), sizeof *g);
    branch(g, x, w, N, C);
    for (int64_t i = 0; i < N * C; i++) g[i] = dy[i] * kept(seed, i) * (1.0 - g[i] * g[i]);
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < C; i++)
            for (int64_t j = 0; j < C; j++) {
                d_w[i * C + j] += x[n * C + i] * g[n * C + j];
                dy[n * C + i] += g[n * C + j] * (double)w[i * C + j];
            }
    free(g);
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t N = record_dim(in, "x", 0), C = record_dim(in, "x", 1), size = N * C;
    const int64_t L = record_dim(in, "w", 0);
    const int64_t every = made & 1u << STORED ? 1 : record_int(in, "every");
    const float *x = record_f32(in, "x"), *dy = record_f32(in, "dy"), *w = record_f32(in, "w");
    const int64_t *drawn = record_i64(in, "seeds");
    double *y = record_add_f64(out, "y", SHAPE(N, C)), *dx = record_add_f64(out, "dx", SHAPE(N, C));
    double *d_w = record_add_f64(out, "d_weights", SHAPE(L, C, C));
    double *a = memory_new((size_t)((L + 1) * size), sizeof *a); /* a[i]: the input of layer i */
    double *inputs = memory_new((size_t)(L * size), sizeof *inputs);
    int64_t *seeds = memory_new((size_t)L, sizeof *seeds), next = 0;

    for (int64_t i = 0; i < L; i++) seeds[i] = drawn[next++];
    for (int64_t i = 0; i < size; i++) a[i] = (double)x[i], dx[i] = (double)dy[i];
    for (int64_t i = 0; i < L; i++)
        forward(a + (i + 1) * size, a + i * size, w + i * C * C, seeds[i], N, C);
    memcpy(y, a + L * size, (size_t)size * sizeof *y);
    for (int64_t i = 0; i < L * C * C; i++)
        d_w[i] = made & 1u << NOT_ACCUMULATED ? 0.0 : (double)record_f32(in, "d_weights")[i];

    for (int64_t first = (L - 1) / every * every; first >= 0; first -= every) {
        const int64_t last = first + every < L ? first + every : L;
        const int64_t from = made & 1u << BORDER ? first + 1 : first;
        if (made & 1u << INPUT_GRADIENT_LOST)
            for (int64_t i = 0; i < size; i++) dx[i] = (double)dy[i];
        if (made & 1u << ANOTHER_SEED)
            for (int64_t i = first; i < last; i++) seeds[i] = drawn[next++];
        memcpy(inputs, a + from * size, (size_t)size * sizeof *inputs);
        for (int64_t i = first; i < last - 1; i++) {
            double *input = inputs + (i - first) * size;
            forward(input + size, input, w + i * C * C, seeds[i], N, C);
        }
        for (int64_t i = last - 1; i >= first; i--)
            backward(dx, d_w + i * C * C, inputs + (i - first) * size, w + i * C * C, seeds[i], N,
                     C);
    }
    free(a);
    free(inputs);
    free(seeds);
}

/* The longest chain of sums: one width per layer, and the batch. */
static int64_t reduction(const struct record *in)
{
    return record_dim(in, "w", 0) * record_dim(in, "x", 1) + record_dim(in, "x", 0);
}

static const struct output_rule rules[] = {
    {.field = "y", .reduction = reduction},
    {.field = "dx", .gradient = true, .reduction = reduction},
    {.field = "d_weights", .gradient = true, .reduction = reduction},
};

/* The most activations that had to be in memory at one call, and the most forward calls of one
 * layer. Activation i is the input of layer i; x (0) and y (L) are the caller's. */
static int64_t most_alive(const struct array *calls, int64_t L, int64_t *most_calls, int64_t *layer)
{
    const int64_t n = array_count(calls);
    int64_t *alive = memory_new((size_t)(n + 1), sizeof *alive); /* changes at each call */
    int64_t *made = memory_new((size_t)(L + 1), sizeof *made);   /* the call, or -1 */
    int64_t *used = memory_new((size_t)(L + 1), sizeof *used);   /* its last use since */
    int64_t *forwards = memory_new((size_t)L, sizeof *forwards), most = 0;

    *most_calls = *layer = 0;
    for (int64_t i = 0; i <= L; i++) made[i] = -1;
    for (int64_t t = 0; t <= n; t++) {
        const int64_t call = t < n ? (int64_t)array_at(calls, t) : 0;
        const int64_t i = (call < 0 ? -call : call) - 1;
        if (call && i < L) used[i] = t;
        if (call > 0 && i < L && ++forwards[i] > *most_calls) *most_calls = forwards[i], *layer = i;
        for (int64_t a = 1; a < L; a++) { /* a forward ends the one before; the end ends all */
            if (call && !(call > 0 && a == i + 1)) continue;
            if (made[a] >= 0) alive[made[a]]++, alive[used[a] + 1]--;
            made[a] = used[a] = t;
        }
    }
    for (int64_t t = 0, now = 0; t < n; t++) {
        now += alive[t];
        if (now > most) most = now;
    }
    free(alive);
    free(made);
    free(used);
    free(forwards);
    return most;
}

static void judge_memory(struct findings *findings, const struct case_run *run, int index)
{
    const struct array *calls = record_find(run->out, "calls");
    const int64_t L = record_dim(run->in, "w", 0), every = record_int(run->in, "every");
    const int64_t allowed = (L + every - 1) / every + every;
    int64_t most_calls, layer;
    if (!calls || calls->ndim != 1 || calls->dims[0] < 2 * L) { /* each layer there and back */
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("with %d layers the log has %d calls of forward and backward, fewer than two "
                      "for each layer: the gradients did not come from them"),
                    (int)L, calls ? (int)array_count(calls) : 0);
        return;
    }

    const int64_t most = most_alive(calls, L, &most_calls, &layer);
    if (most_calls > 2)
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("forward of layer %d was called %d times, with %d layers and every = %d: "
                      "twice is enough, once in the forward pass and once for its segment"),
                    (int)layer, (int)most_calls, (int)L, (int)every);
    if (most > allowed)
        finding_add(findings, CASE_PROPERTY, index, most_calls <= 1 ? "everything-stored" : NULL,
                    _("with %d layers and every = %d, %d activations had to be in memory at once; "
                      "at most %d may be: those kept, and those of one segment"),
                    (int)L, (int)every, (int)most, (int)allowed);
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    const struct record *three = NULL, *five = NULL;
    int index = 0;
    for (int i = 0; i < n_runs; i++) {
        if (!runs[i].out->n_fields) continue;
        judge_memory(findings, &runs[i], i);
        if (runs[i].kind == EVERY_THREE) three = runs[i].out;
        if (runs[i].kind == EVERY_FIVE) five = runs[i].out, index = i;
    }
    if (!three || !five) return;

    const struct array *a = record_find(three, "dx"), *b = record_find(five, "dx");
    for (int64_t i = 0; i < array_count(a); i++) {
        const double x = array_at(a, i), y = array_at(b, i);
        if (!(fabs(x - y) > 1e-3 * (1.0 + fabs(x)))) continue;
        finding_add(findings, CASE_PROPERTY, index, NULL,
                    _("dx[%d,%d] is %g with every third activation kept and %g with every fifth: "
                      "what is kept must not change the gradient"),
                    (int)(i / a->dims[1]), (int)(i % a->dims[1]), x, y);
        return;
    }
}

static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    (void)calls;
    make(in, rng, n, 6, 4, 16, 1.0);
}

const struct oracle oracle_checkpointing = {
    .name = "checkpointing",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .rules = rules,
    .n_rules = 3,
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 36,
};
