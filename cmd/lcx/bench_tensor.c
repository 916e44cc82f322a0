/* bench_tensor.c -- lcx bench tensor: products of matrices, beside what the machine can do.
 *
 *   gemm/f32/MxNxK    y [M,N] = x [M,K] w^T, w [N,K]: the forward product of a linear layer
 *   gemm/bf16/MxNxK   the same with x and w in bf16, sums in f32
 *   gemm/int8/MxNxK   the same in bytes, sums in 32 bits
 *   machine           peaks of the instructions, and what can be read
 *
 * Cases take turns. 2 * M * N * K operations each; each value is the mean over some 40 ms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/machine.h"
#include "base/pages.h"
#include "base/pool.h"
#include "bench.h"
#include "tensor/bf16.h"
#include "tensor/cpu.h"
#include "tensor/gemm.h"

enum { SHAPES_LIMIT = 20, MEASURE_NS = 40000000 };

/* A side of a product is held to what memory is taken for: 3 * 2^28 numbers at the very most. */
enum { SIDE_LIMIT = 1 << 20, SIZE_LIMIT = 1 << 28 };

static const struct option_description options[] = {
    {"type", "f32|bf16|int8", N_("one type of numbers only")},
    {"runs", "N", N_("how many times each case is measured; 5 by default")},
    {"threads", "N", N_("threads that work together; by default, one for each processor")},
    {NULL, NULL, NULL},
};

const struct usage usage_bench_tensor = {
    .name = "bench tensor",
    .arguments = "[MxNxK ...]",
    .least = 0,
    .most = SHAPES_LIMIT,
    .summary = N_("How fast matrices are multiplied, in f32, bf16 and bytes"),
    .details =
        N_("y [M,N] = x [M,K] times the transpose of w [N,K]: a linear layer with M tokens, K "
           "numbers in and N out. Without shapes, those of GPT-2 124M and of a Llama of 1.1B."),
    .example = "lcx bench tensor\nlcx bench tensor 256x768x3072 --type bf16 --threads 1 --json",
    .options = options,
};

enum type { TYPE_F32, TYPE_BF16, TYPE_INT8, TYPE_COUNT };

static const char *const type_names[TYPE_COUNT] = {"f32", "bf16", "int8"};

struct shape {
    int M, N, K;
};

static const struct shape usual_shapes[] = {
    {128, 768, 3072}, {128, 3072, 768},  {128, 50257, 768}, {128, 2048, 5632}, {512, 768, 3072},
    {512, 3072, 768}, {512, 2048, 5632}, {1024, 768, 3072}, {1024, 3072, 768}, {1024, 2048, 5632},
};
enum { USUAL_SHAPES = sizeof usual_shapes / sizeof *usual_shapes };

struct subject {
    struct bench_row *row;
    struct shape shape;
    enum type type;
};

struct tensor_bench {
    struct app *app;
    struct bench bench;
    struct subject subjects[SHAPES_LIMIT * TYPE_COUNT];
    int n_subjects, runs, threads;
    struct pool *pool;
    /* The largest x, w and y, as floats; the other types read and write the same memory. */
    float *x, *w, *y;
    size_t x_bytes, w_bytes, y_bytes;
};

/* ---- what is measured ---- */

static bool read_shape(struct shape *shape, const char *word)
{
    int end = 0;
    return strlen(word) < 30 &&
           sscanf(word, "%dx%dx%d%n", &shape->M, &shape->N, &shape->K, &end) == 3 && !word[end] &&
           shape->M > 0 && shape->N > 0 && shape->K > 0 && shape->M <= SIDE_LIMIT &&
           shape->N <= SIDE_LIMIT && shape->K <= GEMM_INT8_K_LIMIT &&
           (int64_t)shape->M * shape->K <= SIZE_LIMIT &&
           (int64_t)shape->N * shape->K <= SIZE_LIMIT && (int64_t)shape->M * shape->N <= SIZE_LIMIT;
}

static void add_subjects(struct tensor_bench *self, struct shape shape, const char *only)
{
    for (int type = 0; type < TYPE_COUNT; type++) {
        if (only && strcmp(only, type_names[type]) != 0) continue;
        struct bench_row *row = bench_row(&self->bench, "gflops", "GFLOP/s", "gemm/%s/%dx%dx%d",
                                          type_names[type], shape.M, shape.N, shape.K);
        row->threads = self->threads;
        self->subjects[self->n_subjects++] = (struct subject){row, shape, (enum type)type};
    }
}

static void grow(size_t *bytes, int rows, int columns)
{
    const size_t needed = (size_t)rows * (size_t)columns * sizeof(float);
    if (needed > *bytes) *bytes = needed;
}

/* Numbers of which every type finds some of every size; what they are does not change the time. */
static enum status take_memory(struct tensor_bench *self, struct error *err)
{
    for (int i = 0; i < self->n_subjects; i++) {
        const struct shape shape = self->subjects[i].shape;
        grow(&self->x_bytes, shape.M, shape.K);
        grow(&self->w_bytes, shape.N, shape.K);
        grow(&self->y_bytes, shape.M, shape.N);
    }
    self->x = pages_new(self->x_bytes);
    self->w = pages_new(self->w_bytes);
    self->y = pages_new(self->y_bytes);
    if (!self->x || !self->w || !self->y)
        return error_set(err, STATUS_LIMIT, _("the matrices need %zu MiB of memory"),
                         (self->x_bytes + self->w_bytes + self->y_bytes) >> 20);
    for (size_t i = 0; i < self->x_bytes / 4; i++) self->x[i] = (float)(i % 251) / 125.5f - 1.0f;
    for (size_t i = 0; i < self->w_bytes / 4; i++) self->w[i] = (float)(i % 241) / 120.5f - 1.0f;
    return pool_open(&self->pool, self->threads, err);
}

/* ---- laps ---- */

static void multiply(const struct tensor_bench *self, const struct subject *subject)
{
    const int M = subject->shape.M, N = subject->shape.N, K = subject->shape.K;
    const void *x = self->x, *w = self->w;
    switch (subject->type) {
    case TYPE_F32: linear_forward(self->pool, self->y, self->x, self->w, NULL, M, N, K); return;
    case TYPE_BF16:
        gemm_bf16(self->pool, self->y, N, (struct matrix_bf16){x, K, 1},
                  (struct matrix_bf16){w, 1, K}, M, N, K, false);
        return;
    case TYPE_INT8:
        gemm_int8(self->pool, (int32_t *)(void *)self->y, N, (struct matrix_u8){x, K, 1},
                  (struct matrix_s8){w, 1, K}, M, N, K, false);
        return;
    case TYPE_COUNT: break;
    }
    CHECK(false);
}

/* In 10^9 operations a second. */
static double measure_once(const struct tensor_bench *self, const struct subject *subject)
{
    const struct shape shape = subject->shape;
    const int64_t began = clock_steady_ns();
    int64_t took = 0;
    double work = 0;
    do {
        multiply(self, subject);
        work += 2.0 * shape.M * shape.N * shape.K;
        took = clock_steady_ns() - began;
    } while (took < MEASURE_NS);
    return work / (double)took;
}

/* The first lap is not counted: memory is touched, threads wake. */
static void measure(struct tensor_bench *self)
{
    const int all = (self->runs + 1) * self->n_subjects;
    const int64_t began = clock_steady_ns();
    int done = 0;
    for (int lap = 0; lap <= self->runs; lap++)
        for (int i = 0; i < self->n_subjects; i++) {
            const double rate = measure_once(self, &self->subjects[i]);
            if (lap > 0) bench_add(self->subjects[i].row, rate);
            bench_tell(self->app, ++done, all, began);
        }
}

static void measure_machine(struct tensor_bench *self)
{
    static const struct {
        const char *metric, *unit;
    } peaks[MACHINE_PRODUCT_COUNT] = {
        [MACHINE_F32] = {"f32_peak", "gflops"},
        [MACHINE_BF16] = {"bf16_peak", "gflops"},
        [MACHINE_INT8] = {"int8_peak", "gops"},
    };
    struct machine machine;
    struct error err;
    if (machine_init(&machine, &err)) {
        app_note(self->app, _("the machine's limits are not measured: %s"), err.message);
        return;
    }
    struct bench_row *rows[MACHINE_PRODUCT_COUNT], *bandwidth;
    bandwidth = bench_row(&self->bench, "read_bandwidth", "gb_per_s", "machine");
    bandwidth->threads = self->threads;
    for (int i = 0; i < MACHINE_PRODUCT_COUNT; i++) {
        rows[i] = bench_row(&self->bench, peaks[i].metric, peaks[i].unit, "machine");
        rows[i]->threads = self->threads;
    }
    for (int turn = 0; turn < self->runs; turn++) {
        bench_add(bandwidth, machine_read_gb_per_s(&machine, self->threads));
        for (int i = 0; i < MACHINE_PRODUCT_COUNT; i++) {
            const double peak = machine_peak((enum machine_product)i, self->threads);
            if (peak > 0) bench_add(rows[i], peak); /* 0: there is no such instruction here */
        }
    }
    machine_done(&machine);
}

static enum status run_bench(struct tensor_bench *self, struct error *err)
{
    const enum status status = take_memory(self, err);
    if (status) return status;
    measure(self);
    measure_machine(self);
    bench_told(self->app);
    bench_print(self->app, &self->bench);
    return STATUS_OK;
}

int bench_tensor(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct error err;
    double runs, threads;
    int status;
    if (!arguments_read(&arguments, app, &usage_bench_tensor, argc, argv, &status)) return status;
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (!arguments_number(&arguments, app, "runs", 1, BENCH_RUNS_LIMIT, 5, &runs) ||
        !arguments_number(&arguments, app, "threads", 1, MACHINE_THREADS_LIMIT,
                          processors > 0 ? (double)processors : 1, &threads))
        return EXIT_MISUSE;

    struct tensor_bench *self = memory_new(1, sizeof *self);
    *self = (struct tensor_bench){
        .app = app, .bench.name = "tensor", .runs = (int)runs, .threads = (int)threads};
    const char *only = arguments_value(&arguments, "type");
    for (int i = 0; i < arguments.n; i++) {
        struct shape shape;
        if (!read_shape(&shape, arguments.words[i])) {
            free(self);
            return app_misuse(app,
                              _("%s: a shape is MxNxK, as in 128x3072x768; K is at most %d, and no "
                                "matrix has more than %d numbers"),
                              arguments.words[i], GEMM_INT8_K_LIMIT, SIZE_LIMIT);
        }
        add_subjects(self, shape, only);
    }
    for (int i = 0; !arguments.n && i < USUAL_SHAPES; i++)
        add_subjects(self, usual_shapes[i], only);

    const enum status done = run_bench(self, &err);
    pool_close(self->pool);
    pages_free(self->x, self->x_bytes);
    pages_free(self->w, self->w_bytes);
    pages_free(self->y, self->y_bytes);
    free(self);
    return done ? app_fail(app, &err) : EXIT_DONE;
}
