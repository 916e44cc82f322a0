/* bench_kernels.c -- lcx bench kernels: everything in a model that is not a product of matrices.
 *
 *   norm, softmax, activations ...   bytes read and written at least once, a second, beside reading
 *   attention                        operations of the pairs that see each other, beside the FMA peak
 *
 * Cases take turns, the machine's own limits among them; each value is the mean over some 40 ms.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/machine.h"
#include "base/pages.h"
#include "base/pool.h"
#include "bench.h"
#include "tensor/activation.h"
#include "tensor/attention.h"
#include "tensor/cross_entropy.h"
#include "tensor/elementwise.h"
#include "tensor/embedding.h"
#include "tensor/norm.h"
#include "tensor/rope.h"
#include "tensor/softmax.h"

/* Rows of GPT-2's width, more of them than the last cache holds; its vocabulary. */
enum { M = 8192, C = 768, V = 50257, LOSSES = 128, NUMBERS = M * C, CASES_LIMIT = 40 };
enum { MEASURE_NS = 40000000, PART = 1 << 23 };

static const struct option_description options[] = {
    {"runs", "N", N_("how many times each case is measured; 5 by default")},
    {"threads", "N", N_("threads that work together; by default, one for each processor")},
    {NULL, NULL, NULL},
};

const struct usage usage_bench_kernels = {
    .name = "bench kernels",
    .arguments = "[CASE ...]",
    .least = 0,
    .most = CASES_LIMIT,
    .summary = N_("How fast norms, softmax, activations, the loss and attention are"),
    .details = N_("Bytes or operations a second, beside what the machine can do. A case is named "
                  "by the beginning of its name: attention, norm/layer. Without any, all."),
    .example = "lcx bench kernels\nlcx bench kernels attention --threads 1 --json",
    .options = options,
};

struct kernels_bench {
    struct app *app;
    struct bench bench;
    int runs, threads;
    struct pool *pool;
    float *x, *y, *out, *more; /* [PART] each */
    int32_t *ids;              /* [M] */
    struct rope rope;
};

/* ---- the cases: x and y are read, out is written ---- */

static void softmax_forward(struct kernels_bench *b) { softmax_rows(b->pool, b->out, b->x, M, C); }
static void softmax_backward(struct kernels_bench *b)
{
    softmax_rows_backward(b->pool, b->out, b->y, b->x, M, C);
}
static void layer_forward(struct kernels_bench *b)
{
    layernorm_forward(b->pool, b->out, b->more, b->more + M, b->x, b->y, b->y + C, M, C, 1e-5f);
}
static void layer_backward(struct kernels_bench *b)
{
    layernorm_backward(b->pool, b->out, b->more + 2 * M, b->more + 2 * M + C, b->y, b->x, b->y,
                       b->more, b->more + M, M, C);
}
static void rms_forward(struct kernels_bench *b)
{
    rmsnorm_forward(b->pool, b->out, b->more + M, b->x, b->y, M, C, 1e-5f);
}
static void rms_backward(struct kernels_bench *b)
{
    rmsnorm_backward(b->pool, b->out, b->more + 2 * M, b->y, b->x, b->y, b->more + M, M, C);
}
static void gelu(struct kernels_bench *b) { gelu_forward(b->pool, b->out, b->x, NUMBERS); }
static void gelu_back(struct kernels_bench *b)
{
    gelu_backward(b->pool, b->out, b->y, b->x, NUMBERS);
}
static void swiglu(struct kernels_bench *b) { swiglu_forward(b->pool, b->out, b->x, M, C / 2); }
static void swiglu_back(struct kernels_bench *b)
{
    swiglu_backward(b->pool, b->out, b->y, b->x, M, C / 2);
}
static void add(struct kernels_bench *b) { elementwise_add(b->pool, b->out, b->x, b->y, NUMBERS); }
static void embed(struct kernels_bench *b)
{
    embedding_forward(b->pool, b->out, b->x, b->ids, M, C);
}
static void embed_back(struct kernels_bench *b)
{
    embedding_backward(b->pool, b->out, b->x, b->ids, M, M, C);
}
static void loss_forward(struct kernels_bench *b)
{
    cross_entropy_forward(b->pool, b->more, b->x, b->ids, LOSSES, V);
}
static void loss_both(struct kernels_bench *b)
{
    cross_entropy_both(b->pool, b->more, b->out, b->x, b->ids, 1e-3f, LOSSES, V);
}
static void turn(struct kernels_bench *b)
{
    const struct rope_dims dims = {.B = M / 1024, .T = 1024, .H = C / 64, .D = 64};
    rope_forward(b->pool, b->out, &b->rope, &dims);
}

static struct attention_dims mixing(int B, int T, int S, int H, int KVH)
{
    return (struct attention_dims){
        .B = B, .T = T, .S = S, .H = H, .KVH = KVH, .D = 64, .causal = true, .scale = 0.125f};
}

/* q, k and v side by side in one buffer, as a model has them. */
static void mix(struct kernels_bench *b, const struct attention_dims dims, bool back)
{
    const int wide = dims.H * dims.D, narrow = dims.KVH * dims.D;
    const ptrdiff_t row = wide + 2 * (ptrdiff_t)narrow;
    const struct attention_view q = {b->x, row, 0}, k = {b->x + wide, row, 0};
    const struct attention_view v = {b->x + wide + narrow, row, 0};
    if (back)
        attention_backward(b->pool, (struct attention_gradient){b->out, row, 0},
                           (struct attention_gradient){b->out + wide, row, 0},
                           (struct attention_gradient){b->out + wide + narrow, row, 0}, b->x, b->y,
                           b->more, q, k, v, &dims);
    else attention_forward(b->pool, b->y, b->more, q, k, v, &dims);
}

static void mix_64(struct kernels_bench *b) { mix(b, mixing(4, 64, 64, 12, 12), false); }
static void mix_64_back(struct kernels_bench *b) { mix(b, mixing(4, 64, 64, 12, 12), true); }
static void mix_1024(struct kernels_bench *b) { mix(b, mixing(1, 1024, 1024, 12, 12), false); }
static void mix_1024_back(struct kernels_bench *b) { mix(b, mixing(1, 1024, 1024, 12, 12), true); }
static void mix_shared(struct kernels_bench *b) { mix(b, mixing(1, 512, 512, 32, 4), false); }
static void mix_shared_back(struct kernels_bench *b) { mix(b, mixing(1, 512, 512, 32, 4), true); }
static void mix_one(struct kernels_bench *b)
{
    const struct attention_dims dims = mixing(1, 1, 4096, 12, 12);
    attention_forward(b->pool, b->out, NULL, (struct attention_view){b->y, 0, 0},
                      (struct attention_view){b->x, 0, 0},
                      (struct attention_view){b->x + PART / 2, 0, 0}, &dims);
}

#define FLOATS(n) (4.0 * (n))
/* 4 operations for each number of each pair, T (T + 1) / 2 pairs a head; backward 2.5 times that */
#define PAIRS(B, T, H) (4.0 * 64 * (B) * (H) * (T) * ((T) + 1) / 2)

static const struct kernel_case {
    const char *name;
    double bytes, operations; /* one of them */
    void (*run)(struct kernels_bench *b);
} cases[] = {
    {"softmax/forward", FLOATS(2 * NUMBERS), 0, softmax_forward},
    {"softmax/backward", FLOATS(3 * NUMBERS), 0, softmax_backward},
    {"norm/layer/forward", FLOATS(2 * NUMBERS), 0, layer_forward},
    {"norm/layer/backward", FLOATS(4 * NUMBERS), 0, layer_backward},
    {"norm/rms/forward", FLOATS(2 * NUMBERS), 0, rms_forward},
    {"norm/rms/backward", FLOATS(4 * NUMBERS), 0, rms_backward},
    {"gelu/forward", FLOATS(2 * NUMBERS), 0, gelu},
    {"gelu/backward", FLOATS(3 * NUMBERS), 0, gelu_back},
    {"swiglu/forward", FLOATS(1.5 * NUMBERS), 0, swiglu},
    {"swiglu/backward", FLOATS(2.5 * NUMBERS), 0, swiglu_back},
    {"add", FLOATS(3 * NUMBERS), 0, add},
    {"embedding/forward", FLOATS(2 * NUMBERS), 0, embed},
    {"embedding/backward", FLOATS(3 * NUMBERS), 0, embed_back},
    {"loss/forward", FLOATS((double)LOSSES *V), 0, loss_forward},
    {"loss/both", FLOATS(2.0 * LOSSES * V), 0, loss_both},
    {"rope", FLOATS(2 * NUMBERS), 0, turn},
    {"attention/4x64/12/forward", 0, PAIRS(4, 64, 12), mix_64},
    {"attention/4x64/12/backward", 0, 2.5 * PAIRS(4, 64, 12), mix_64_back},
    {"attention/1x1024/12/forward", 0, PAIRS(1, 1024.0, 12), mix_1024},
    {"attention/1x1024/12/backward", 0, 2.5 * PAIRS(1, 1024.0, 12), mix_1024_back},
    {"attention/1x512/32:4/forward", 0, PAIRS(1, 512.0, 32), mix_shared},
    {"attention/1x512/32:4/backward", 0, 2.5 * PAIRS(1, 512.0, 32), mix_shared_back},
    {"attention/one of 4096/12", FLOATS(2.0 * 4096 * 768), 0, mix_one},
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- laps ---- */

static enum status take_memory(struct kernels_bench *b, struct error *err)
{
    float **const parts[] = {&b->x, &b->y, &b->out, &b->more};
    for (int i = 0; i < 4; i++) {
        *parts[i] = pages_new(PART * sizeof(float));
        if (!*parts[i])
            return error_set(err, STATUS_LIMIT, _("the kernels need %zu MiB of memory"),
                             4 * PART * sizeof(float) >> 20);
    }
    b->ids = memory_new(M, sizeof *b->ids);
    for (int i = 0; i < M; i++) b->ids[i] = (int32_t)(i * 7919LL % M);
    for (int i = 0; i < PART; i++) {
        b->x[i] = (float)(i % 251) / 125.5f - 1.0f;
        b->y[i] = (float)(i % 241) / 120.5f - 1.0f;
        b->more[i] = 1;
    }
    const enum status status =
        rope_init(&b->rope, &(struct rope_config){.D_rotary = 64, .positions = 1024}, err);
    return status ? status : pool_open(&b->pool, b->threads, err);
}

static void free_memory(struct kernels_bench *b)
{
    float *const parts[] = {b->x, b->y, b->out, b->more};
    for (int i = 0; i < 4; i++) pages_free(parts[i], PART * sizeof(float));
    pool_close(b->pool);
    rope_done(&b->rope);
    free(b->ids);
    free(b);
}

/* In 10^9 bytes or operations a second. */
static double measure_once(struct kernels_bench *b, const struct kernel_case *one)
{
    const int64_t began = clock_steady_ns();
    int64_t took = 0;
    double work = 0;
    do {
        one->run(b);
        work += one->bytes + one->operations;
        took = clock_steady_ns() - began;
    } while (took < MEASURE_NS);
    return work / (double)took;
}

static struct bench_row *row_of(struct kernels_bench *b, const char *metric, const char *unit,
                                const char *name)
{
    struct bench_row *row = bench_row(&b->bench, metric, unit, "%s", name);
    row->threads = b->threads;
    return row;
}

/* The first lap is not counted: memory is touched, threads wake. */
static void measure(struct kernels_bench *b, const struct machine *machine,
                    const bool wanted[CASES])
{
    struct bench_row *rows[CASES] = {0};
    int n = 1, done = 0;
    for (int i = 0; i < CASES; i++) {
        if (!wanted[i]) continue;
        n++;
        rows[i] = row_of(b, cases[i].bytes > 0 ? "gb_per_s" : "gflops",
                         cases[i].bytes > 0 ? "gb_per_s" : "gflops", cases[i].name);
    }
    struct bench_row *read = row_of(b, "read_bandwidth", "gb_per_s", "machine");
    struct bench_row *peak = row_of(b, "f32_peak", "gflops", "machine");
    const int64_t began = clock_steady_ns();
    for (int lap = 0; lap <= b->runs; lap++) {
        for (int i = 0; i < CASES; i++) {
            if (!rows[i]) continue;
            const double rate = measure_once(b, &cases[i]);
            if (lap > 0) bench_add(rows[i], rate);
            bench_tell(b->app, ++done, (b->runs + 1) * n, began);
        }
        const double bytes = machine_read_gb_per_s(machine, b->threads);
        const double operations = machine_f32_gflops(b->threads);
        if (lap > 0) bench_add(read, bytes), bench_add(peak, operations);
        bench_tell(b->app, ++done, (b->runs + 1) * n, began);
    }
}

static enum status run_bench(struct kernels_bench *b, const bool wanted[CASES], struct error *err)
{
    struct machine machine;
    enum status status = take_memory(b, err);
    if (status) return status;
    status = machine_init(&machine, err);
    if (status) return status;
    measure(b, &machine, wanted);
    machine_done(&machine);
    bench_told(b->app);
    bench_print(b->app, &b->bench);
    return STATUS_OK;
}

int bench_kernels(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct error err;
    double runs, threads;
    bool wanted[CASES];
    int status;
    if (!arguments_read(&arguments, app, &usage_bench_kernels, argc, argv, &status)) return status;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (!arguments_number(&arguments, app, "runs", 1, BENCH_RUNS_LIMIT, 5, &runs) ||
        !arguments_number(&arguments, app, "threads", 1, MACHINE_THREADS_LIMIT,
                          processors > 0 ? (double)processors : 1, &threads))
        return EXIT_MISUSE;

    for (int c = 0; c < CASES; c++) wanted[c] = arguments.n == 0;
    for (int i = 0; i < arguments.n; i++) {
        bool any = false;
        for (int c = 0; c < CASES; c++)
            if (text_starts_with(cases[c].name, arguments.words[i])) wanted[c] = any = true;
        if (!any)
            return app_misuse(app, _("%s: no case begins so; without a name, all are measured"),
                              arguments.words[i]);
    }
    struct kernels_bench *b = memory_new(1, sizeof *b);
    *b = (struct kernels_bench){
        .app = app, .bench.name = "kernels", .runs = (int)runs, .threads = (int)threads};
    const enum status done = run_bench(b, wanted, &err);
    free_memory(b);
    return done ? app_fail(app, &err) : EXIT_DONE;
}
