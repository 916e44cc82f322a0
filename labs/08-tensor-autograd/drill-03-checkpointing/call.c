/* The layers: y = x + dropout(tanh(x W_i)), a quarter of the numbers dropped. Every call of
 * forward and backward is written down, for judge(). */
#include "checkpointing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "grader/harness/harness.h"

enum { CALLS_PER_LAYER = 16 }; /* written down; more is refused */

struct stack {
    const struct record *in;
    struct record *out;
    int64_t L, N, C;
    int64_t *calls, n_calls; /* i + 1: forward of layer i; -(i + 1): backward */
    int64_t seeds_drawn;
    float *z, *g; /* [N,C] */
};

/* The one that runs. The candidate's `context` says nothing of where it is, nor of its log. */
static struct stack running;

static bool note(struct stack *stack, int layer, int sign)
{
    if (layer < 0 || layer >= stack->L) {
        harness_refuse(stack->out, "layer %d was called; the layers are 0 to %d", layer,
                       (int)stack->L - 1);
        return false;
    }
    if (stack->n_calls == CALLS_PER_LAYER * stack->L) {
        harness_refuse(stack->out, "more than %d calls of forward and backward for %d layers",
                       (int)stack->n_calls, (int)stack->L);
        return false;
    }
    stack->calls[stack->n_calls++] = sign * (layer + 1);
    return true;
}

static float kept(int64_t seed, int64_t i)
{
    uint64_t z = (uint64_t)seed * 0x9E3779B97F4A7C15u + (uint64_t)(i + 1) * 0xD1B54A32D192ED03u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z >> 62 ? 4.0f / 3.0f : 0.0f;
}

static int64_t next_seed(void *context)
{
    struct stack *stack = &running;
    (void)context;
    if (stack->seeds_drawn < record_dim(stack->in, "seeds", 0))
        return record_i64(stack->in, "seeds")[stack->seeds_drawn++];
    harness_refuse(stack->out, "more than %d seeds drawn for %d layers", (int)stack->seeds_drawn,
                   (int)stack->L);
    return 0;
}

/* z = tanh(x W) */
static void branch(struct stack *stack, int layer, const float *x)
{
    const int64_t N = stack->N, C = stack->C;
    const float *w = record_f32(stack->in, "w") + layer * C * C;
    for (int64_t n = 0; n < N; n++) {
        for (int64_t j = 0; j < C; j++) stack->z[n * C + j] = 0.0f;
        for (int64_t i = 0; i < C; i++)
            for (int64_t j = 0; j < C; j++) stack->z[n * C + j] += x[n * C + i] * w[i * C + j];
    }
    for (int64_t i = 0; i < N * C; i++) stack->z[i] = tanhf(stack->z[i]);
}

static void forward(void *context, int layer, float *y, const float *x, int64_t seed)
{
    struct stack *stack = &running;
    (void)context;
    if (!note(stack, layer, 1)) return;
    branch(stack, layer, x);
    for (int64_t i = 0; i < stack->N * stack->C; i++) y[i] = x[i] + kept(seed, i) * stack->z[i];
}

static void backward(void *context, int layer, float *dx, float *d_weight, const float *x,
                     const float *dy, int64_t seed)
{
    struct stack *stack = &running;
    (void)context;
    const int64_t N = stack->N, C = stack->C;
    if (!note(stack, layer, -1)) return;
    const float *w = record_f32(stack->in, "w") + layer * C * C;

    branch(stack, layer, x);
    for (int64_t i = 0; i < N * C; i++)
        stack->g[i] = dy[i] * kept(seed, i) * (1.0f - stack->z[i] * stack->z[i]);
    for (int64_t i = 0; i < C; i++)
        for (int64_t j = 0; j < C; j++) {
            float sum = 0.0f;
            for (int64_t n = 0; n < N; n++) sum += x[n * C + i] * stack->g[n * C + j];
            d_weight[i * C + j] = sum;
        }
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < C; i++) {
            float sum = dy[n * C + i];
            for (int64_t j = 0; j < C; j++) sum += stack->g[n * C + j] * w[i * C + j];
            dx[n * C + i] = sum;
        }
}

void harness_call(const struct record *in, struct record *out)
{
    const int64_t N = record_dim(in, "x", 0), C = record_dim(in, "x", 1);
    const int64_t L = record_dim(in, "w", 0);
    static char nothing;
    const struct layers layers = {.L = (int)L,
                                  .activation_size = (size_t)(N * C),
                                  .weight_size = (size_t)(C * C),
                                  .context = &nothing,
                                  .next_seed = next_seed,
                                  .forward = forward,
                                  .backward = backward};
    running = (struct stack){.in = in, .out = out, .L = L, .N = N, .C = C};
    running.calls = memory_new((size_t)(CALLS_PER_LAYER * L), sizeof *running.calls);
    running.z = memory_new((size_t)(N * C), sizeof *running.z);
    running.g = memory_new((size_t)(N * C), sizeof *running.g);

    float *y = output_f32(out, "y", SHAPE(N, C)), *dx = output_f32(out, "dx", SHAPE(N, C));
    float *d_weights = output_f32(out, "d_weights", SHAPE(L, C, C));
    memcpy(d_weights, record_f32(in, "d_weights"), (size_t)(L * C * C) * sizeof *d_weights);
    checkpointing(y, dx, d_weights, record_f32(in, "x"), record_f32(in, "dy"),
                  (int)record_int(in, "every"), &layers);

    int64_t *calls = record_add_i64(out, "calls", SHAPE(running.n_calls));
    memcpy(calls, running.calls, (size_t)running.n_calls * sizeof *calls);
    free(running.calls);
    free(running.z);
    free(running.g);
}
