/* verb_train.c -- lcx train: a model learns a text while one watches.
 *
 *   step 120/2000  loss 2.314  41.2k tokens/s  38% of peak  1:04 left       drawn over, on a terminal
 *   step 250   validation 2.071  best                                       stays
 *
 * Ctrl-C saves and ends; lcx train --resume goes on, bit for bit.
 */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/machine.h"
#include "table.h"
#include "train/report.h"
#include "train/train.h"
#include "verbs.h"

static const struct option_description options[] = {
    {"out", "FOLDER", N_("where the run is kept; runs/NAME by default")},
    {"resume", "RUN", N_("go on with the run in this folder")},
    {"show", NULL, N_("list all settings with their values and meaning, and do nothing")},
    {NULL, NULL, NULL},
};

const struct usage usage_train = {
    .name = "train",
    .arguments = "[TEXT] [NAME=VALUE ...]",
    .least = 0,
    .most = 256,
    .summary = N_("Let a model learn a text, and watch it"),
    .details = N_(
        "Without a text it learns the small corpus that is built in (preset tiny). Settings are "
        "NAME=VALUE words, or NAME: VALUE lines of a file NAME.yaml in place of the text; preset=NAME sets several (tiny, shakespeare-char, "
        "llama-tiny, gpt2-124m). --show lists them all with their meaning.\n"
        "Everything about a run is in its folder: settings, log, checkpoint, weights. A run that was "
        "stopped, even by kill -9, goes on with --resume and ends with the same bits as if nothing "
        "had happened."),
    .example = "lcx train\nlcx train shakespeare.txt preset=shakespeare-char\n"
               "lcx train book.txt tokenizer=bpe vocabulary=2048 layers=6 width=192 steps=5000\n"
               "lcx train --resume runs/shakespeare\nlcx train report runs/shakespeare",
    .options = options,
};

static volatile sig_atomic_t asked_to_stop;
static void ask_to_stop(int signal)
{
    (void)signal;
    asked_to_stop = 1;
}

struct watching {
    struct app *app;
    struct trainer *trainer;
    double peak_gflops; /* 0: not measured */
    int64_t drawn_ns;
    bool draws; /* a status line, on a terminal */
    bool line;  /* it is there now */
};

/* ---- what is shown ---- */

static void take_line_away(struct watching *watching)
{
    if (watching->line) fputs("\r\033[K", stderr);
    watching->line = false;
}

/* "41.2k", "980" */
static void thousands(char out[16], double value)
{
    if (value >= 1e6) snprintf(out, 16, "%.2fM", value / 1e6);
    else if (value >= 1e4) snprintf(out, 16, "%.1fk", value / 1e3);
    else snprintf(out, 16, "%.0f", value);
}

static void step_words(struct text *out, const struct watching *watching,
                       const struct train_step *step)
{
    char rate[16], left[24];
    thousands(rate, step->tokens_per_s);
    text_format(out, _("step %lld/%lld  loss %.4f  %s tokens/s"), (long long)step->step,
                (long long)step->steps, step->smooth, rate);
    if (watching->peak_gflops > 0)
        text_format(out, _("  %.0f%% of peak"), 100 * step->gflops / watching->peak_gflops);
    text_format(out, _("  %s left"), app_clock(left, (int64_t)(step->left_s * 1000)));
}

static void draw_step(struct watching *watching, const struct train_step *step)
{
    enum { AGAIN_NS = 100000000 };
    const int64_t now = clock_steady_ns();
    if (now - watching->drawn_ns < AGAIN_NS && step->step < step->steps) return;
    watching->drawn_ns = now;
    struct text words = {0};
    step_words(&words, watching, step);
    fprintf(stderr, "\r%s\033[K", text_string(&words));
    fflush(stderr);
    watching->line = true;
    text_done(&words);
}

static void json_step(const struct watching *watching, const struct train_step *step)
{
    if (step->step % watching->trainer->recipe.log_every && step->step < step->steps) return;
    app_json(watching->app,
             json_pack("{s:s, s:I, s:f, s:f, s:f, s:b, s:f, s:f}", "kind", "step", "step",
                       (json_int_t)step->step, "loss", isfinite(step->loss) ? step->loss : -1.0,
                       "rate", step->rate, "norm", isfinite(step->norm) ? step->norm : -1.0,
                       "skipped", step->skipped, "ms", step->ms, "tokens_per_s",
                       step->tokens_per_s));
}

static void on_step(void *context, const struct train_step *step)
{
    struct watching *watching = context;
    const int64_t twentieth = step->steps / 20 > 0 ? step->steps / 20 : 1;
    if (watching->app->json) {
        json_step(watching, step);
        return;
    }
    if (step->skipped) {
        take_line_away(watching);
        app_note(watching->app, _("step %lld skipped: loss %g, norm of the gradient %g"),
                 (long long)step->step, step->loss, step->norm);
    }
    if (watching->draws) {
        draw_step(watching, step);
    } else if (step->step % twentieth == 0 || step->step == 1) {
        struct text words = {0};
        step_words(&words, watching, step);
        printf("%s\n", text_string(&words));
        fflush(stdout);
        text_done(&words);
    }
}

static void on_valid(void *context, const struct train_valid *valid)
{
    struct watching *watching = context;
    if (watching->app->json) {
        app_json(watching->app,
                 json_pack("{s:s, s:I, s:f, s:I, s:b, s:f}", "kind", "valid", "step",
                           (json_int_t)valid->step, "loss", valid->loss, "tokens",
                           (json_int_t)valid->tokens, "whole", valid->whole, "best", valid->best));
        return;
    }
    take_line_away(watching);
    printf(_("step %lld  validation loss %.4f over %zu tokens"), (long long)valid->step,
           valid->loss, valid->tokens);
    if (valid->whole) printf(_(", %.3f bits per byte"), valid->bits_per_byte);
    if (valid->loss <= valid->best) printf("%s", _(", the best so far"));
    printf("\n");
    fflush(stdout);
}

static void on_sample(void *context, int64_t step, const char *sample)
{
    struct watching *watching = context;
    const struct app *app = watching->app;
    if (app->json) {
        app_json(app, json_pack("{s:s, s:I, s:o}", "kind", "sample", "step", (json_int_t)step,
                                "text", json_text(sample, strlen(sample))));
        return;
    }
    struct text clean = {0}, out = {0};
    take_line_away(watching);
    terminal_clean(&clean, sample, strlen(sample));
    text_add(&out, terminal_on(&app->out, STYLE_DIM));
    text_format(&out, _("--- it writes, at step %lld"), (long long)step);
    text_add(&out, terminal_off(&app->out, STYLE_DIM));
    text_format(&out, "\n%s\n", text_string(&clean));
    text_add(&out, terminal_on(&app->out, STYLE_DIM));
    text_add(&out, "---");
    text_add(&out, terminal_off(&app->out, STYLE_DIM));
    text_add(&out, "\n");
    app_print(app, text_string(&out));
    fflush(stdout);
    text_done(&clean);
    text_done(&out);
}

static bool stops(void *context)
{
    (void)context;
    return asked_to_stop;
}

/* ---- before it begins ---- */

static void add_setting(void *context, const char *name, const char *value, const char *meaning)
{
    struct table *table = context;
    struct text shown = {0};
    for (const char *c = value; *c; c++)
        if (*c == '\n') text_add(&shown, "\\n");
        else text_add_char(&shown, *c);
    table_add(table, STYLE_CODE, name);
    table_add(table, STYLE_NONE, text_string(&shown));
    table_add(table, STYLE_DIM, meaning);
    text_done(&shown);
}

static void json_setting(void *context, const char *name, const char *value, const char *meaning)
{
    app_json(context, json_pack("{s:s, s:s, s:s, s:s}", "kind", "setting", "name", name, "value",
                                value, "meaning", meaning));
}

static double mib(double bytes) { return bytes / (1 << 20); }

/* Bytes of everything that counts with the parameters: them, gradients, moments, an average. */
static double state_bytes(const struct trainer *trainer)
{
    const int copies = 3 + (trainer->optimizer.second != NULL) + (trainer->average != NULL) +
                       (trainer->before != NULL);
    return (double)copies * (double)trainer->parameters.count * sizeof(float);
}

static void show_model(const struct app *app, const struct trainer *trainer, double peak)
{
    const struct model_config *config = &trainer->parameters.config;
    const int M = (int)(trainer->recipe.batch * trainer->recipe.context);
    const double activations = (double)transformer_bytes(config, M, TRANSFORMER_LEARNS);
    if (app->json) {
        app_json(app, json_pack("{s:s, s:s, s:I, s:f, s:f, s:f, s:i, s:I, s:I, s:I}", "kind", "run",
                                "folder", trainer->folder, "parameters",
                                (json_int_t)trainer->parameters.count, "state_mib",
                                mib(state_bytes(trainer)), "activations_mib", mib(activations),
                                "gflop_per_step", trainer->flops_per_step / 1e9, "threads",
                                pool_threads(trainer->pool), "step", (json_int_t)trainer->step,
                                "tokens_train", (json_int_t)trainer->dataset.n_train,
                                "tokens_valid", (json_int_t)trainer->dataset.n_valid));
        return;
    }
    char parameters[16];
    thousands(parameters, (double)trainer->parameters.count);
    printf(_("model     %d layers, width %d, %d heads, context %d, vocabulary %d: %s parameters\n"),
           config->L, config->C, config->H, config->T, config->V, parameters);
    printf(_("text      %zu tokens to learn from, %zu for validation\n"), trainer->dataset.n_train,
           trainer->dataset.n_valid);
    printf(_("memory    %.1f MiB for parameters, gradients and optimizer, %.1f MiB for a step\n"),
           mib(state_bytes(trainer)), mib(activations));
    printf(_("a step    %d tokens, %.3g GFLOP"), (int)(M * trainer->recipe.accumulate),
           trainer->flops_per_step / 1e9);
    if (peak > 0)
        printf(ngettext("; %d thread reaches %.0f GFLOP/s at most",
                        "; %d threads reach %.0f GFLOP/s at most",
                        (unsigned long)pool_threads(trainer->pool)),
               pool_threads(trainer->pool), peak);
    printf("\n");
    char *folder = app_clean(trainer->folder);
    printf(_("run       %s\n"), folder);
    free(folder);
    if (trainer->step) printf(_("goes on   from step %lld\n"), (long long)trainer->step);
    fflush(stdout);
}

static int show_recipe(const struct app *app, const struct recipe *recipe)
{
    if (app->json) {
        recipe_each(recipe, json_setting, (void *)(uintptr_t)app);
        return EXIT_DONE;
    }
    struct table table;
    struct text out = {0};
    table_init(&table, 3);
    recipe_each(recipe, add_setting, &table);
    table_print(&out, app, &table, 0);
    app_page(app, text_string(&out));
    table_done(&table);
    text_done(&out);
    return EXIT_DONE;
}

/* runs/NAME for a text NAME.txt; runs/NAME-2 when that is taken. The caller frees it. */
static char *new_folder(const struct recipe *recipe)
{
    const char *slash = strrchr(recipe->data, '/');
    const char *name = slash ? slash + 1 : recipe->data;
    if (!*name) name = "corpus";
    int size = (int)strcspn(name, ".");
    if (!size) size = (int)strlen(name);
    for (int i = 1;; i++) {
        char *folder = i == 1 ? text_printf("runs/%.*s", size, name)
                              : text_printf("runs/%.*s-%d", size, name, i);
        if (!file_exists(folder)) return folder;
        free(folder);
    }
}

static bool is_recipe(const char *word)
{
    return text_ends_with(word, ".yaml") || text_ends_with(word, ".yml");
}

static bool is_setting(const char *word) { return strchr(word, '=') && !file_exists(word); }

/* preset= words first, then files, then the other settings. With nothing but settings it is the
 * built-in corpus, and a model that fits it. */
static enum status read_words(struct recipe *recipe, const struct arguments *arguments,
                              struct error *err)
{
    enum status status = STATUS_OK;
    bool small = true;
    for (int i = 0; i < arguments->n; i++)
        small &=
            is_setting(arguments->words[i]) && !text_starts_with(arguments->words[i], "preset=");
    if (small) status = recipe_preset(recipe, "tiny", err);
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < arguments->n && !status; i++) {
            const char *word = arguments->words[i];
            const bool preset = text_starts_with(word, "preset=");
            if (turn == 0 && preset) status = recipe_word(recipe, word, err);
            if (turn == 1 && !is_setting(word) && is_recipe(word))
                status = recipe_file(recipe, word, err);
            else if (turn == 1 && !is_setting(word)) status = recipe_set(recipe, "data", word, err);
            if (turn == 2 && is_setting(word) && !preset) status = recipe_word(recipe, word, err);
        }
    return status;
}

/* ---- lcx train report ---- */

static const struct option_description report_options[] = {
    {"out", "FILE", N_("where the page goes; report.html by default")},
    {NULL, NULL, NULL},
};

static const struct usage usage_train_report = {
    .name = "train report",
    .arguments = "RUN ...",
    .least = 1,
    .most = REPORT_RUNS_LIMIT,
    .summary = N_("Write what runs did as one HTML page, side by side"),
    .details =
        N_("Loss, validation, learning rate, norm of the gradient, speed, the ratio of update "
           "to weight by parameter, and the samples. The page needs nothing else."),
    .example = "lcx train report runs/corpus runs/corpus-2",
    .options = report_options,
};

static int train_report(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct text page = {0};
    struct error err;
    int status;
    if (!arguments_read(&arguments, app, &usage_train_report, argc, argv, &status)) return status;
    const char *out = arguments_value(&arguments, "out");
    if (!out) out = "report.html";
    enum status result = report_write(&page, arguments.words, arguments.n, &err);
    if (!result) result = file_write(out, text_string(&page), page.size, 0644, &err);
    text_done(&page);
    if (result) return app_fail(app, &err);
    char *name = app_clean(out);
    if (app->json) app_json(app, json_pack("{s:s, s:s}", "kind", "report", "file", name));
    else printf(_("Written: %s\n"), name);
    free(name);
    return EXIT_DONE;
}

/* ---- the run ---- */

static double measure_peak(int threads)
{
    double best = 0;
    for (int i = 0; i < 3; i++) best = fmax(best, machine_f32_gflops(threads));
    return best;
}

static int run(struct app *app, struct trainer *trainer)
{
    struct watching watching = {
        .app = app, .trainer = trainer, .draws = app->err.is_terminal && !app->plain && !app->json};
    const struct train_observer observer = {.context = &watching,
                                            .step = on_step,
                                            .valid = on_valid,
                                            .sample = on_sample,
                                            .stop = stops};
    const struct sigaction ask = {.sa_handler = ask_to_stop, .sa_flags = SA_RESETHAND};
    struct error err;
    bool done;
    sigaction(SIGINT, &ask, NULL);
    sigaction(SIGTERM, &ask, NULL);
    watching.peak_gflops = measure_peak(pool_threads(trainer->pool));
    show_model(app, trainer, watching.peak_gflops);
    const enum status status = trainer_run(trainer, &observer, &done, &err);
    take_line_away(&watching);
    if (status) return app_fail(app, &err);
    char *folder = app_clean(trainer->folder);
    if (!app->json && done) {
        printf(_("Done. It writes more with: lcx generate --model %s\n"), folder);
    } else if (!done) {
        app_note(app, _("Stopped at step %lld and saved. Go on with: lcx train --resume %s"),
                 (long long)trainer->step, folder);
    }
    free(folder);
    return done ? EXIT_DONE : EXIT_NO;
}

int verb_train(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct trainer trainer;
    struct recipe recipe;
    struct error err;
    int status;
    if (argc > 0 && strcmp(argv[0], "report") == 0) return train_report(app, argc - 1, argv + 1);
    if (!arguments_read(&arguments, app, &usage_train, argc, argv, &status)) return status;
    const char *resume = arguments_value(&arguments, "resume");
    const char *out = arguments_value(&arguments, "out");
    const bool shows = arguments_value(&arguments, "show") != NULL;
    if (resume && (out || shows))
        return app_misuse(app, _("train: --resume stands without --out and --show"));
    if (resume) {
        if (trainer_resume(&trainer, resume, arguments.words, arguments.n, &err))
            return app_fail(app, &err);
        status = run(app, &trainer);
        trainer_close(&trainer);
        return status;
    }
    recipe_init(&recipe);
    if (read_words(&recipe, &arguments, &err)) {
        status = app_fail(app, &err);
    } else if (shows) {
        status = show_recipe(app, &recipe);
    } else {
        char *folder = out ? text_copy(out) : new_folder(&recipe);
        if (trainer_create(&trainer, &recipe, folder, &err)) {
            status = app_fail(app, &err);
        } else {
            status = run(app, &trainer);
            trainer_close(&trainer);
        }
        free(folder);
    }
    recipe_done(&recipe);
    return status;
}
