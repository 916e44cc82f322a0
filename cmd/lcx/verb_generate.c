/* verb_generate.c -- lcx generate: a model goes on with a text.
 *
 * Standard output holds the text alone, prompt included, as it comes: whole characters only.
 */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "infer/generate.h"
#include "model/weights.h"
#include "text/tokenizer.h"
#include "verbs.h"

static const struct option_description options[] = {
    {"model", "RUN_OR_FILE", N_("the folder of a run, or a .safetensors or llama2.c .bin file")},
    {"tokenizer", "FILE", N_("its tokenizer; by default tokenizer.json beside the model")},
    {"max-tokens", "N", N_("how many tokens at most; 200 by default")},
    {"temperature", "X", N_("0: always the likeliest; 0.8 by default")},
    {"top-k", "N", N_("draw among the N likeliest only; 0, the default: all")},
    {"top-p", "X", N_("draw among the likeliest that make up this share; 1 by default")},
    {"seed", "N", N_("which random numbers; another each time by default")},
    {"stop", "TEXT", N_("end before this text")},
    {"threads", "N", N_("threads; one a processor by default")},
    {NULL, NULL, NULL},
};

const struct usage usage_generate = {
    .name = "generate",
    .arguments = "[PROMPT]",
    .least = 0,
    .most = 1,
    .summary = N_("Let a model go on with a text"),
    .details =
        N_("The same model, prompt, settings and seed give the same text. A text longer than "
           "the model's context goes on with the newer half of it in sight."),
    .example = "lcx generate --model runs/corpus\n"
               "lcx generate --model runs/shakespeare --temperature 0.7 --seed 1 \"ROMEO:\"",
    .options = options,
};

struct speaking {
    struct app *app;
    struct parameters parameters;
    struct tokenizer *tokenizer;
    struct pool *pool;
    struct generator generator;
    struct decoder decoder;
    struct text text; /* all of it so far */
    size_t printed;   /* of that */
    const char *stop; /* NULL: none */
};

/* ---- what is asked for ---- */

/* The file of a run, or the name itself; the caller frees it. */
static char *model_file(const char *model)
{
    static const char *const names[] = {"model.safetensors", "best.safetensors",
                                        "checkpoint.safetensors"};
    if (!file_is_folder(model)) return text_copy(model);
    for (int i = 0; i < 3; i++) {
        char *path = path_join(model, names[i]);
        if (file_exists(path)) return path;
        free(path);
    }
    return path_join(model, names[0]); /* its absence is what will be said */
}

static enum status open_all(struct speaking *speaking, const struct arguments *arguments,
                            int threads, const struct sampler_settings *settings, struct error *err)
{
    char *path = model_file(arguments_value(arguments, "model"));
    const char *given = arguments_value(arguments, "tokenizer");
    char *copy = text_copy(path);
    char *tokenizer = given ? text_copy(given) : path_join(dirname(copy), "tokenizer.json");
    enum status status = pool_open(&speaking->pool, threads, err);
    if (!status) status = weights_load(&speaking->parameters, path, err);
    if (!status) status = tokenizer_open(&speaking->tokenizer, tokenizer, err);
    if (!status && tokenizer_size(speaking->tokenizer) > speaking->parameters.config.V)
        status = error_set(err, STATUS_USAGE,
                           _("%s has %d tokens, the model knows %d: they do not belong together"),
                           tokenizer, tokenizer_size(speaking->tokenizer),
                           speaking->parameters.config.V);
    if (!status)
        status = generator_init(&speaking->generator, &speaking->parameters, settings,
                                speaking->pool, err);
    free(path);
    free(copy);
    free(tokenizer);
    return status;
}

static void close_all(struct speaking *speaking)
{
    generator_done(&speaking->generator);
    tokenizer_close(speaking->tokenizer);
    parameters_done(&speaking->parameters);
    pool_close(speaking->pool);
    text_done(&speaking->text);
}

/* ---- the text ---- */

/* How much of the end might be the beginning of `stop`. */
static size_t held_back(const struct speaking *speaking)
{
    const size_t size = speaking->text.size - speaking->printed;
    size_t n = speaking->stop ? strlen(speaking->stop) - 1 : 0;
    if (n > size) n = size;
    for (; n > 0; n--)
        if (memcmp(speaking->text.data + speaking->text.size - n, speaking->stop, n) == 0) break;
    return n;
}

static void print_up_to(struct speaking *speaking, size_t end)
{
    if (end <= speaking->printed) return;
    fwrite(speaking->text.data + speaking->printed, 1, end - speaking->printed, stdout);
    fflush(stdout);
    speaking->printed = end;
}

/* Print what is certain; false when the stop text has come up. */
static bool print_on(struct speaking *speaking)
{
    if (speaking->stop && speaking->text.data) {
        const char *found = strstr(speaking->text.data + speaking->printed, speaking->stop);
        if (found) {
            print_up_to(speaking, (size_t)(found - speaking->text.data));
            return false;
        }
    }
    print_up_to(speaking, speaking->text.size - held_back(speaking));
    return true;
}

static enum status feed_prompt(struct speaking *speaking, const char *prompt, struct error *err)
{
    const struct encode_options encoding = {.specials = SPECIALS_TEXT,
                                            .begin = speaking->tokenizer->begin >= 0};
    struct tokens tokens = {0};
    struct encoder *encoder = encoder_open(speaking->tokenizer, &encoding);
    enum status status = encoder_run(encoder, &tokens, prompt, strlen(prompt), err);
    encoder_close(encoder);
    if (!status && tokens.n == 0)
        status = error_set(err, STATUS_USAGE,
                           _("generate: this model has no token to begin with; give it a PROMPT"));
    if (!status) generator_feed(&speaking->generator, tokens.ids, tokens.n);
    for (size_t i = 0; i < tokens.n && !status; i++)
        status = decoder_add(&speaking->decoder, &speaking->text, tokens.ids[i], err);
    tokens_done(&tokens);
    if (!status) print_up_to(speaking, speaking->text.size); /* `stop` ends what is new only */
    return status;
}

static enum status speak(struct speaking *speaking, const char *prompt, int64_t most,
                         struct error *err)
{
    const struct tokenizer *tokenizer = speaking->tokenizer;
    decoder_init(&speaking->decoder, tokenizer, false);
    enum status status = feed_prompt(speaking, prompt, err);
    bool goes_on = true;
    for (int64_t i = 0; i < most && goes_on && !status; i++) {
        const int32_t token = generator_next(&speaking->generator);
        if (token == tokenizer->end || token == tokenizer->begin) break;
        if (token >= tokenizer_size(tokenizer)) break; /* the model's vocabulary is padded */
        status = decoder_add(&speaking->decoder, &speaking->text, token, err);
        if (!status) goes_on = print_on(speaking);
    }
    if (!status && goes_on) {
        decoder_end(&speaking->decoder, &speaking->text);
        print_up_to(speaking, speaking->text.size);
    }
    return status;
}

int verb_generate(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct speaking speaking = {.app = app};
    struct error err;
    double most, temperature, top_k, top_p, seed, threads;
    int status;
    if (!arguments_read(&arguments, app, &usage_generate, argc, argv, &status)) return status;
    if (!arguments_value(&arguments, "model"))
        return app_misuse(app, _("generate: --model is missing: the folder of a run, or a file"));
    const double processors = (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (!arguments_number(&arguments, app, "max-tokens", 0, 1e9, 200, &most) ||
        !arguments_number(&arguments, app, "temperature", 0, 100, 0.8, &temperature) ||
        !arguments_number(&arguments, app, "top-k", 0, 1e9, 0, &top_k) ||
        !arguments_number(&arguments, app, "top-p", 1e-9, 1, 1, &top_p) ||
        !arguments_number(&arguments, app, "seed", 0, 0x1p53, -1, &seed) ||
        !arguments_number(&arguments, app, "threads", 1, POOL_THREADS_LIMIT,
                          processors < 1 ? 1 : processors, &threads))
        return EXIT_MISUSE;
    speaking.stop = arguments_value(&arguments, "stop");
    if (speaking.stop && !*speaking.stop) speaking.stop = NULL;
    const struct sampler_settings settings = {
        .temperature = temperature,
        .top_k = (int)top_k,
        .top_p = top_p,
        .seed = seed < 0 ? random_seed() : (uint64_t)seed,
    };
    const char *prompt = arguments.n ? arguments.words[0] : "";
    enum status result = open_all(&speaking, &arguments, (int)threads, &settings, &err);
    if (!result) result = speak(&speaking, prompt, (int64_t)most, &err);
    if (!result && speaking.text.size && app->out.is_terminal &&
        speaking.text.data[speaking.text.size - 1] != '\n')
        app_print(app, "\n");
    close_all(&speaking);
    return result ? app_fail(app, &err) : EXIT_DONE;
}
