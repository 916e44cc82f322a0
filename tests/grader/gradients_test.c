/* The oracles' gradients against float64 central differences of their own forward pass.
 *
 *   L(x) = sum of upstream * forward       or the forward output itself when it is one number
 *   dL/dx ~ (L(x + h) - L(x - h)) / 2h     extrapolated to h = 0 from halved steps (Ridders)
 *
 * Agreement: 1e-6 of the largest element. Inputs are float32, so they are first rounded to a grid
 * on which every x + h and x - h is exact.
 * Source: Ridders 1982, "Accurate computation of F'(x) and F'(x)F''(x)".
 */
#include "grader/oracle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "content/drill.h"

enum { STEPS = 10, ELEMENT_LIMIT = 96, SEEDS = 2 };
static const double agreement = 1e-6;

/* One gradient. A drill with a `.gradient` rule that is not here fails the test. */
struct derivative {
    const char *drill, *gradient; /* the output that holds it */
    const char *input;            /* with respect to this input; NULL: it is zero by definition */
    const char *forward;          /* the output that is differentiated */
    const char *upstream;         /* the input that multiplies it; NULL: `forward` is one number */
    bool adds;                    /* it is added to the input of the same name */
    int op_backward, op_forward;  /* where they are two operations; equal: one call gives both */
};

static const struct derivative derivatives[] = {
    {"checkpointing", "dx", .input = "x", .forward = "y", .upstream = "dy"},
    {"checkpointing", "d_weights", .input = "w", .forward = "y", .upstream = "dy", .adds = true},
    {"lora", "d_x", "x", "y", .upstream = "d_y", .op_backward = 3, .op_forward = 2},
    {"lora", "d_A", "A", "y", .upstream = "d_y", .op_backward = 3, .op_forward = 2},
    {"lora", "d_B", "B", "y", .upstream = "d_y", .op_backward = 3, .op_forward = 2},
    {"dpo", "d_policy", "policy", "loss", .op_backward = 1, .op_forward = 0},
    {"dpo", "d_reference", .op_backward = 1, .op_forward = 0}, /* the reference is frozen */
    {"layernorm", "d_x", "x", "y", .upstream = "d_y"},
    {"layernorm", "d_gamma", "gamma", "y", .upstream = "d_y"},
    {"layernorm", "d_beta", "beta", "y", .upstream = "d_y"},
    {"rmsnorm", "d_x", "x", "y", .upstream = "d_y"},
    {"rmsnorm", "d_gamma", "gamma", "y", .upstream = "d_y"},
};
enum { N_DERIVATIVES = sizeof derivatives / sizeof derivatives[0] };

static struct drills drills;
static int n_cases[N_DERIVATIVES]; /* in which each was compared */
static double worst_seen;

static int begin(void **state)
{
    (void)state;
    struct error err = {0};
    if (!drills_load(&drills, SOURCE_ROOT "/labs", &err)) return 0;
    print_error("%s\n", err.message);
    return -1;
}

static int end(void **state)
{
    (void)state;
    drills_done(&drills);
    return 0;
}

/* ---- L, and its derivative along one input element ---- */

static double scalar_loss(const struct oracle *oracle, const struct derivative *derivative,
                          const struct record *in)
{
    struct record out = {0};
    double loss = 0.0;
    oracle->solve(&out, in, 0);
    const struct array *forward = record_find(&out, derivative->forward);
    if (!forward) fail_msg("%s has no output %s", derivative->drill, derivative->forward);
    const struct array *upstream =
        derivative->upstream ? record_find(in, derivative->upstream) : NULL;
    const int64_t count = array_count(forward);
    assert_true(forward->dtype == DTYPE_F64);
    assert_int_equal(count, upstream ? array_count(upstream) : 1);
    for (int64_t i = 0; i < count; i++)
        loss += array_at(forward, i) * (upstream ? array_at(upstream, i) : 1.0);
    record_done(&out);
    return loss;
}

/* The largest power of two that is no larger than a sixteenth of the elements' spread. */
static double largest_step(const struct array *array)
{
    const int64_t count = array_count(array);
    double mean = 0.0, spread = 0.0;
    for (int64_t i = 0; i < count; i++) mean += array_at(array, i) / (double)count;
    for (int64_t i = 0; i < count; i++) spread += pow(array_at(array, i) - mean, 2);
    spread = sqrt(spread / (double)count);
    return exp2(floor(log2((spread > 0 ? spread : fmax(1e-3, fabs(mean))) / 16.0)));
}

/* Round to multiples of the smallest step, so that stepping is exact. */
static void round_to_grid(const struct array *array, double step)
{
    const double grid = step / exp2(STEPS - 1);
    float *x = array->data;
    for (int64_t i = 0; i < array_count(array); i++)
        x[i] = (float)(round((double)x[i] / grid) * grid);
}

/* Ridders: a table of central differences, each column free of one more power of h^2. */
static double differentiate(const struct oracle *oracle, const struct derivative *derivative,
                            const struct record *in, float *x, double step)
{
    double table[STEPS][STEPS], best = 0.0, least = INFINITY;
    const float middle = *x;
    for (int i = 0; i < STEPS; i++, step /= 2.0) {
        *x = (float)((double)middle + step);
        assert_true((double)*x - (double)middle == step);
        const double above = scalar_loss(oracle, derivative, in);
        *x = (float)((double)middle - step);
        const double below = scalar_loss(oracle, derivative, in);
        *x = middle;
        table[i][0] = (above - below) / (2.0 * step);
        double power = 4.0;
        for (int j = 1; j <= i; j++, power *= 4.0) {
            table[i][j] = (power * table[i][j - 1] - table[i - 1][j - 1]) / (power - 1.0);
            const double error =
                fmax(fabs(table[i][j] - table[i][j - 1]), fabs(table[i][j] - table[i - 1][j - 1]));
            if (error >= least) continue;
            least = error;
            best = table[i][j];
        }
        if (i && fabs(table[i][i] - table[i - 1][i - 1]) >= 2.0 * least) break; /* only noise now */
    }
    return best;
}

/* ---- one case ---- */

static void expect_zeros(const struct array *gradient, const struct derivative *derivative)
{
    for (int64_t i = 0; i < array_count(gradient); i++)
        if (array_at(gradient, i) != 0.0)
            fail_msg("%s: %s[%d] is %g, expected 0", derivative->drill, derivative->gradient,
                     (int)i, array_at(gradient, i));
}

static void set_op(struct record *in, int op)
{
    const struct array *array = record_find(in, "op");
    assert_true(array && array->dtype == DTYPE_I64);
    *(int64_t *)array->data = op;
}

/* The elements to compare: all of them, or about ELEMENT_LIMIT evenly spread. */
static int64_t stride_of(int64_t count) { return (count + ELEMENT_LIMIT - 1) / ELEMENT_LIMIT; }

static void compare_elements(const struct oracle *oracle, const struct derivative *derivative,
                             const char *kind, struct record *in, const struct array *gradient,
                             double step)
{
    const struct array *input = record_find(in, derivative->input);
    const struct array *before = derivative->adds ? record_find(in, derivative->gradient) : NULL;
    const int64_t count = array_count(input), stride = stride_of(count);
    double largest = 0.0, worst = 0.0;
    int64_t where = 0;
    assert_int_equal(array_count(gradient), count);
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(array_at(gradient, i) - (before ? array_at(before, i) : 0.0)));

    if (derivative->op_backward != derivative->op_forward) set_op(in, derivative->op_forward);
    for (int64_t i = 0; i < count; i += stride) {
        const double numeric =
            differentiate(oracle, derivative, in, (float *)input->data + i, step);
        const double off =
            fabs(array_at(gradient, i) - (before ? array_at(before, i) : 0.0) - numeric);
        assert_true(isfinite(off));
        if (off <= worst) continue;
        worst = off;
        where = i;
    }
    if (largest > 0) worst_seen = fmax(worst_seen, worst / largest);
    if (!(worst <= agreement * largest))
        fail_msg("%s, \"%s\": %s[%d] is off by %.3g; the largest element is %.3g",
                 derivative->drill, kind, derivative->gradient, (int)where, worst, largest);
}

/* False when this case does not give the gradient. */
static bool compare_case_of(const struct oracle *oracle, const struct derivative *derivative,
                            int kind, uint64_t seed)
{
    struct record in = {0}, out = {0};
    struct rng rng;
    rng_init(&rng, seed, (uint64_t)kind);
    oracle->make_case(&in, kind, &rng);
    const struct array *input = derivative->input ? record_find(&in, derivative->input) : NULL;
    const double step = input ? largest_step(input) : 0.0;
    if (input) {
        assert_true(input->dtype == DTYPE_F32);
        round_to_grid(input, step);
    }
    oracle->solve(&out, &in, 0);
    const struct array *gradient = record_find(&out, derivative->gradient);
    if (gradient && !derivative->input) expect_zeros(gradient, derivative);
    if (gradient && input)
        compare_elements(oracle, derivative, oracle->kinds[kind].name, &in, gradient, step);
    record_done(&in);
    record_done(&out);
    return gradient != NULL;
}

static void gradients_agree_with_central_differences(void **state)
{
    (void)state;
    for (int d = 0; d < N_DERIVATIVES; d++) {
        const struct oracle *oracle = oracle_find(derivatives[d].drill);
        if (!oracle) fail_msg("there is no drill %s", derivatives[d].drill);
        for (int kind = 0; kind < oracle->n_kinds; kind++)
            for (uint64_t seed = 1; seed <= SEEDS; seed++)
                n_cases[d] += compare_case_of(oracle, &derivatives[d], kind, seed);
        if (!n_cases[d])
            fail_msg("%s: no case has %s", derivatives[d].drill, derivatives[d].gradient);
    }
    print_message("worst: %.2g of the largest element\n", worst_seen);
}

static void no_gradient_of_a_drill_goes_unproved(void **state)
{
    (void)state;
    for (int i = 0; i < drills.n_drills; i++) {
        const struct oracle *oracle = oracle_find(drills.drills[i]->name);
        assert_non_null(oracle);
        for (int r = 0; r < oracle->n_rules; r++) {
            bool listed = !oracle->rules[r].gradient;
            for (int d = 0; d < N_DERIVATIVES; d++)
                listed = listed || (strcmp(derivatives[d].drill, oracle->name) == 0 &&
                                    strcmp(derivatives[d].gradient, oracle->rules[r].field) == 0);
            if (!listed)
                fail_msg("drill %s: nothing here differentiates %s", drills.drills[i]->number,
                         oracle->rules[r].field);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_central_differences),
        cmocka_unit_test(no_gradient_of_a_drill_goes_unproved),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
