/* bench_train.c -- lcx bench train: how long a step of training takes.
 *
 *   gpt2-124m/b4t64/f32    forward, backward, clipping and AdamW, batch 4, context 64
 *   gpt2-124m/b4t64/bf16   the same with products of bf16
 *   machine                what the threads can multiply and read at most
 *
 * Weights and tokens are random: speed does not depend on them. The first steps, which touch memory
 * for the first time, are not measured; then both take turns.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/pages.h"
#include "base/rng.h"
#include "bench.h"
#include "model/transformer.h"
#include "train/optimizer.h"

static const struct option_description options[] = {
    {"shape", "NAME",
     N_("another model than gpt2-124m: gpt2-355m, llama-1.1b, shakespeare-char...")},
    {"batch", "N", N_("sequences at once; 4 by default")},
    {"context", "N", N_("tokens in each; 64 by default")},
    {"runs", "N", N_("how many steps are measured; 5 by default")},
    {"threads", "N", N_("threads; one a processor by default")},
    {NULL, NULL, NULL},
};

const struct usage usage_bench_train = {
    .name = "bench train",
    .arguments = "",
    .summary = N_("How long a step of training takes, and what share of the machine it uses"),
    .details =
        N_("GFLOP/s count 2 operations for each weight of a matrix product in a forward pass, "
           "twice that in a backward pass, and attention; not the optimizer."),
    .example = "lcx bench train\nlcx bench train --threads 1 --runs 3 --json",
    .options = options,
};

struct training_bench {
    struct app *app;
    struct bench bench;
    const char *shape;
    int B, T, runs, threads;
    struct pool *pool;
    struct parameters parameters;
    struct transformer *transformers[TRANSFORMER_NUMBERS_COUNT];
    struct optimizer optimizer;
    float *gradients;
    int32_t *tokens, *targets;
    double *sums;
};

static enum status open_training(struct training_bench *training, struct error *err)
{
    static const struct optimizer_settings adamw = {
        .kind = OPTIMIZER_ADAMW, .beta_1 = 0.9, .beta_2 = 0.95, .eps = 1e-8};
    struct parameters *parameters = &training->parameters;
    struct model_config config;
    struct rng rng;
    const int M = training->B * training->T;
    if (!model_config_preset(&config, training->shape))
        return error_set(err, STATUS_USAGE, _("%s: there is no such shape"), training->shape);
    if (training->T > config.T)
        return error_set(err, STATUS_USAGE, _("context %d: %s has %d at most"), training->T,
                         training->shape, config.T);
    enum status status = pool_open(&training->pool, training->threads, err);
    if (!status) status = parameters_init(parameters, &config, err);
    if (status) return status;
    parameters_randomize(parameters, 1, training->pool);
    for (int i = 0; i < TRANSFORMER_NUMBERS_COUNT && !status; i++) {
        status = transformer_open(&training->transformers[i], parameters, M, TRANSFORMER_LEARNS,
                                  training->pool, err);
        if (!status)
            status =
                transformer_choose(training->transformers[i], (enum transformer_numbers)i, err);
    }
    struct optimizer_group *groups = optimizer_groups(parameters, 0.1, false);
    if (!status) status = optimizer_init(&training->optimizer, &adamw, groups, parameters->n, err);
    free(groups);
    training->gradients = pages_new(parameters->count * sizeof(float));
    if (!status && !training->gradients)
        status = error_set(err, STATUS_LIMIT, _("%.0f MiB of memory for the gradients"),
                           (double)parameters->count * sizeof(float) / (1 << 20));
    training->sums = memory_new((size_t)parameters->n, sizeof *training->sums);
    training->tokens = memory_new((size_t)M, sizeof *training->tokens);
    training->targets = memory_new((size_t)M, sizeof *training->targets);
    rng_init(&rng, 1, 1);
    for (int i = 0; i < M; i++) {
        training->tokens[i] = (int32_t)rng_below(&rng, config.V);
        training->targets[i] = (int32_t)rng_below(&rng, config.V);
    }
    return status;
}

static void close_training(struct training_bench *training)
{
    pages_free(training->gradients, training->parameters.count * sizeof(float));
    for (int i = 0; i < TRANSFORMER_NUMBERS_COUNT; i++)
        transformer_close(training->transformers[i]);
    optimizer_done(&training->optimizer);
    parameters_done(&training->parameters);
    pool_close(training->pool);
    free(training->tokens);
    free(training->targets);
    free(training->sums);
}

static double ms_since(int64_t began_ns) { return (double)(clock_steady_ns() - began_ns) / 1e6; }

static double norm_of(struct training_bench *training)
{
    double sum = 0;
    optimizer_square_sums(&training->optimizer, training->sums, training->gradients,
                          training->pool);
    for (int i = 0; i < training->parameters.n; i++) sum += training->sums[i];
    return sqrt(sum);
}

struct step_times {
    double all, learn, update;
};

static struct step_times step(struct training_bench *training, int numbers)
{
    struct step_times times;
    const int B = training->B, T = training->T;
    const int64_t began = clock_steady_ns();
    transformer_learn(training->transformers[numbers], training->tokens, training->targets, B, T,
                      1.0f / (float)(B * T), training->gradients, NULL);
    times.learn = ms_since(began);
    const int64_t learned = clock_steady_ns();
    const double norm = norm_of(training);
    optimizer_update(&training->optimizer, training->parameters.data, training->gradients, 1e-4,
                     norm > 1 ? 1 / norm : 1, training->pool);
    times.update = ms_since(learned);
    times.all = ms_since(began);
    return times;
}

/* The rows of one kind of numbers. */
struct case_rows {
    struct bench_row *ms, *speed, *learn, *update;
};

static struct case_rows add_case(struct training_bench *training, int numbers)
{
    struct bench *bench = &training->bench;
    struct case_rows rows;
    rows.ms = bench_row(bench, "ms_per_step", "ms", "%s/b%dt%d/%s", training->shape, training->B,
                        training->T, transformer_numbers_names[numbers]);
    rows.speed = bench_row(bench, "gflops", "gflops", "%s", rows.ms->name);
    rows.learn = bench_row(bench, "ms_learn", "ms", "%s", rows.ms->name);
    rows.update = bench_row(bench, "ms_update", "ms", "%s", rows.ms->name);
    rows.ms->threads = rows.speed->threads = training->threads;
    rows.learn->threads = rows.update->threads = training->threads;
    return rows;
}

static void measure(struct training_bench *training)
{
    struct bench *bench = &training->bench;
    const int M = training->B * training->T;
    const double gflop =
        3.0 * M * model_config_flops(&training->parameters.config, (training->T + 1) / 2) / 1e9;
    struct case_rows rows[TRANSFORMER_NUMBERS_COUNT];
    for (int i = 0; i < TRANSFORMER_NUMBERS_COUNT; i++) rows[i] = add_case(training, i);
    struct bench_row *peak = bench_row(bench, "f32_peak", "gflops", "machine");
    peak->threads = training->threads;

    for (int i = 0; i < TRANSFORMER_NUMBERS_COUNT; i++)
        step(training, i); /* touches memory first */
    const int64_t began = clock_steady_ns();
    for (int run = 0; run < training->runs; run++) {
        bench_tell(training->app, run, training->runs, began);
        bench_add(peak, machine_f32_gflops(training->threads));
        for (int i = 0; i < TRANSFORMER_NUMBERS_COUNT; i++) {
            const struct step_times times = step(training, i);
            bench_add(rows[i].ms, times.all);
            bench_add(rows[i].speed, gflop / times.all * 1e3);
            bench_add(rows[i].learn, times.learn);
            bench_add(rows[i].update, times.update);
        }
    }
    bench_told(training->app);
}

int bench_train(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct error err;
    double batch, context, runs, threads;
    int status;
    if (!arguments_read(&arguments, app, &usage_bench_train, argc, argv, &status)) return status;
    const double processors = (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (!arguments_number(&arguments, app, "batch", 1, 1024, 4, &batch) ||
        !arguments_number(&arguments, app, "context", 1, 1 << 20, 64, &context) ||
        !arguments_number(&arguments, app, "runs", 1, BENCH_RUNS_LIMIT, 5, &runs) ||
        !arguments_number(&arguments, app, "threads", 1, MACHINE_THREADS_LIMIT,
                          processors < 1 ? 1 : processors, &threads))
        return EXIT_MISUSE;
    const char *shape = arguments_value(&arguments, "shape");
    struct training_bench *training = memory_new(1, sizeof *training);
    *training = (struct training_bench){.app = app,
                                        .bench.name = "train",
                                        .shape = shape ? shape : "gpt2-124m",
                                        .B = (int)batch,
                                        .T = (int)context,
                                        .runs = (int)runs,
                                        .threads = (int)threads};
    if (open_training(training, &err)) {
        status = app_fail(app, &err);
    } else {
        measure(training);
        bench_print(app, &training->bench);
    }
    close_training(training);
    free(training);
    return status;
}
