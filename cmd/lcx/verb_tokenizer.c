/* verb_tokenizer.c -- lcx tokenizer: learn one from text, turn text into ids and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "table.h"
#include "text/bpe_train.h"
#include "text/encode_file.h"
#include "text/token_file.h"
#include "text/tokenizer.h"
#include "text/tokenizer_file.h"
#include "verbs.h"

static int tokenizer_train(struct app *app, int argc, char **argv);
static int tokenizer_encode(struct app *app, int argc, char **argv);
static int tokenizer_decode_ids(struct app *app, int argc, char **argv);
static int tokenizer_info(struct app *app, int argc, char **argv);
static int tokenizer_convert(struct app *app, int argc, char **argv);

static const struct option_description train_options[] = {
    {"out", "PATH", N_("where it goes: a file, or a folder for vocab.json")},
    {"format", "json|gpt2|gguf|llama2c",
     N_("tokenizer.json, vocab.json with merges.txt in a folder, a GGUF file, or tok.bin")},
    {"size", "N", N_("tokens in all, bytes and special ones included; 4096 by default")},
    {"split", "none|gpt2|cl100k|o200k|llama3|qwen2", N_("how text is cut first; gpt2 by default")},
    {"special", "NAME,...", N_("special tokens: cut out of the text, ids at the end")},
    {"least", "N", N_("a pair must occur so often to be merged; 2 by default")},
    {"characters", NULL, N_("one token a character instead of byte pairs")},
    {"threads", "N", N_("threads that read the text; as many as there are processors by default")},
    {NULL, NULL, NULL},
};
static const struct usage usage_tokenizer_train = {
    .name = "tokenizer train",
    .arguments = "FILE...",
    .least = 1,
    .most = 4096,
    .summary = N_("Learn a byte-pair vocabulary from text"),
    .details = N_(
        "The pair with the highest count is merged, again and again; on a tie the pair whose byte "
        "strings are greatest. The result depends on the text alone."),
    .example = "lcx tokenizer train --size 4096 --out tokenizer.json book.txt\n"
               "lcx tokenizer train --characters --out letters.json book.txt",
    .options = train_options,
};

static const struct option_description encode_options[] = {
    {"vocab", "PATH", N_("the tokenizer: a file, or a folder that holds one")},
    {"count", NULL, N_("only how many there are")},
    {"out", "FILE", N_("write a token file, for training, instead of printing ids")},
    {"special", "refuse|text|allow",
     N_("what to do with text that is the name of a special token; refuse by default")},
    {"offsets", NULL, N_("a row for each token: id, where it begins, its bytes")},
    {"threads", "N", N_("threads that read the text; as many as there are processors by default")},
    {NULL, NULL, NULL},
};
static const struct usage usage_encode = {
    .name = "tokenizer encode",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .summary = N_("Text to token ids"),
    .details = N_("FILE is - for standard input. Ids are printed on one line."),
    .example = "lcx tokenizer encode --vocab tokenizer.json book.txt\n"
               "lcx tokenizer encode --vocab gpt2/ --count book.txt\n"
               "lcx tokenizer encode --vocab tokenizer.json --out book.tokens book.txt",
    .options = encode_options,
};

static const struct option_description decode_options[] = {
    {"vocab", "PATH", N_("the tokenizer: a file, or a folder that holds one")},
    {"special", NULL, N_("write the names of special tokens")},
    {NULL, NULL, NULL},
};
static const struct usage usage_decode = {
    .name = "tokenizer decode",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .summary = N_("Token ids to text"),
    .details =
        N_("FILE holds ids as numbers with blanks between, or is a token file; - is standard "
           "input. What is printed are the bytes of the tokens."),
    .example = "echo 15496 995 | lcx tokenizer decode --vocab gpt2/ -",
    .options = decode_options,
};

static const struct usage usage_info = {
    .name = "tokenizer info",
    .arguments = "PATH",
    .least = 1,
    .most = 1,
    .summary = N_("What a tokenizer, or a token file, is"),
    .details =
        N_("PATH is tokenizer.json, a folder with it or with vocab.json and merges.txt, a GGUF "
           "file, tok.bin, NAME.tiktoken, or a token file."),
    .example = "lcx tokenizer info tokenizer.json\nlcx tokenizer info book.tokens",
};

static const struct option_description convert_options[] = {
    {"out", "PATH", N_("where it goes: a file, or a folder for vocab.json")},
    {"format", "json|gpt2|gguf|llama2c",
     N_("tokenizer.json, vocab.json with merges.txt in a folder, a GGUF file, or tok.bin")},
    {NULL, NULL, NULL},
};
static const struct usage usage_convert = {
    .name = "tokenizer convert",
    .arguments = "PATH",
    .least = 1,
    .most = 1,
    .summary = N_("Write a tokenizer in another form"),
    .details = N_("A form that cannot hold it is refused, with the reason."),
    .example = "lcx tokenizer convert --format gguf --out vocabulary.gguf tokenizer.json",
    .options = convert_options,
};

static const struct verb verbs[] = {
    {&usage_tokenizer_train, tokenizer_train}, {&usage_encode, tokenizer_encode},
    {&usage_decode, tokenizer_decode_ids},     {&usage_info, tokenizer_info},
    {&usage_convert, tokenizer_convert},       {NULL, NULL},
};
const struct usage usage_tokenizer = {
    .name = "tokenizer",
    .arguments = "",
    .summary = N_("Text to tokens and back; learn a vocabulary"),
    .example = "lcx tokenizer train --size 4096 --out tokenizer.json book.txt\n"
               "lcx tokenizer encode --vocab tokenizer.json --count book.txt",
    .verbs = verbs,
};

int verb_tokenizer(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_tokenizer, argc, argv);
}

enum { INPUT_LIMIT = INT32_MAX };

/* ---- input ---- */

/* A file, or standard input for "-". */
static enum status read_input(struct text *out, const char *path, struct error *err)
{
    if (strcmp(path, "-") != 0) return file_read(out, path, INPUT_LIMIT, err);
    char buffer[65536];
    for (;;) {
        const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_set_errno(err, STATUS_IO, _("standard input"));
        if (n == 0) break;
        text_add_bytes(out, buffer, (size_t)n);
        if (out->size > INPUT_LIMIT)
            return error_set(err, STATUS_LIMIT, _("standard input: larger than %d bytes"),
                             INPUT_LIMIT);
    }
    text_add_bytes(out, "", 0);
    return STATUS_OK;
}

/* The tokenizer of --vocab; 0, or the exit status after the reason was printed. */
static int open_vocabulary(const struct app *app, const struct arguments *arguments,
                           struct tokenizer **tokenizer)
{
    struct error err;
    const char *path = arguments_value(arguments, "vocab");
    if (!path)
        return app_misuse(app, _("%s: which tokenizer? --vocab PATH"), arguments->usage->name);
    return tokenizer_open(tokenizer, path, &err) ? app_fail(app, &err) : EXIT_DONE;
}

/* The threads of --threads; 0, or the exit status. */
static int open_threads(const struct app *app, const struct arguments *arguments,
                        struct pool **pool)
{
    struct error err;
    double threads;
    const long here = sysconf(_SC_NPROCESSORS_ONLN);
    const double most = here < 1 ? 1 : here > 16 ? 16 : (double)here;
    if (!arguments_number(arguments, app, "threads", 1, POOL_THREADS_LIMIT, most, &threads))
        return EXIT_MISUSE;
    return pool_open(pool, (int)threads, &err) ? app_fail(app, &err) : EXIT_DONE;
}

/* ---- train ---- */

/* The names between commas: pointers into `copy`, which the caller frees. */
static int split_names(const char *list, char **copy, const char ***names)
{
    int n = 0;
    *copy = text_copy(list);
    *names = memory_new(*copy ? strlen(*copy) + 1 : 1, sizeof **names);
    for (char *rest = *copy, *name; rest && (name = strsep(&rest, ",")) != NULL;)
        (*names)[n++] = name;
    return n;
}

static enum status train_characters(struct tokenizer **out, const struct arguments *arguments,
                                    struct error *err)
{
    struct text text = {0};
    enum status status = STATUS_OK;
    for (int i = 0; i < arguments->n && !status; i++)
        status = read_input(&text, arguments->words[i], err);
    if (!status) status = tokenizer_of_characters(out, text.data, text.size, err);
    text_done(&text);
    return status;
}

static enum status train_pairs(struct tokenizer **out, struct bpe_train_report *report,
                               const struct arguments *arguments,
                               const struct bpe_train_options *options, struct error *err)
{
    struct bpe_trainer *trainer;
    enum status status = bpe_trainer_open(&trainer, options, err);
    for (int i = 0; i < arguments->n && !status; i++)
        status = bpe_trainer_add_file(trainer, arguments->words[i], err);
    if (!status) status = bpe_trainer_run(trainer, out, report, err);
    bpe_trainer_close(trainer);
    return status;
}

static void say_trained(const struct app *app, const struct tokenizer *tokenizer,
                        const struct bpe_train_report *report, const char *path, double seconds)
{
    const bool pairs = tokenizer->kind == TOKENIZER_BYTES;
    if (app->json) {
        json_t *row =
            json_pack("{s:s, s:i, s:i, s:f}", "path", path, "size", tokenizer_size(tokenizer),
                      "merges", tokenizer->bpe.n_merges, "seconds", seconds);
        if (pairs) {
            json_object_set_new(row, "bytes", json_integer((json_int_t)report->n_bytes));
            json_object_set_new(row, "pieces", json_integer((json_int_t)report->n_pieces));
            json_object_set_new(row, "different", json_integer((json_int_t)report->n_different));
            json_object_set_new(row, "last_count", json_integer((json_int_t)report->last_count));
        }
        app_json(app, row);
        return;
    }
    char *name = app_clean(path);
    if (pairs)
        printf(_("%s: %d tokens, %d of them merges, from %.1f MB in %.2f s; the last pair occurred "
                 "%llu times\n"),
               name, tokenizer_size(tokenizer), tokenizer->bpe.n_merges,
               (double)report->n_bytes / 1e6, seconds, (unsigned long long)report->last_count);
    else printf(_("%s: %d characters\n"), name, tokenizer_size(tokenizer));
    free(name);
}

static enum tokenizer_format format_named(const char *name)
{
    static const char *const names[] = {[TOKENIZER_JSON] = "json",
                                        [TOKENIZER_GPT2] = "gpt2",
                                        [TOKENIZER_GGUF] = "gguf",
                                        [TOKENIZER_LLAMA2C] = "llama2c"};
    for (int i = 0; name && i < 4; i++)
        if (strcmp(name, names[i]) == 0) return (enum tokenizer_format)i;
    return TOKENIZER_JSON;
}

static int tokenizer_train(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct bpe_train_options options = {0};
    struct bpe_train_report report = {0};
    struct tokenizer *tokenizer;
    struct error err;
    double size, least;
    char *copy;
    const char **names;
    int status;
    if (!arguments_read(&arguments, app, &usage_tokenizer_train, argc, argv, &status))
        return status;
    if (!arguments_number(&arguments, app, "size", 256, VOCABULARY_LIMIT, 4096, &size) ||
        !arguments_number(&arguments, app, "least", 1, 9e15, 2, &least))
        return EXIT_MISUSE;
    const char *path = arguments_value(&arguments, "out");
    const char *split = arguments_value(&arguments, "split");
    const char *format = arguments_value(&arguments, "format");
    if (!path)
        return app_misuse(app, _("%s: where shall it go? --out PATH"), arguments.usage->name);
    options.V = (int)size;
    options.least = (uint64_t)least;
    options.split = split ? split_named(split) : SPLIT_GPT2;
    options.n_specials = split_names(arguments_value(&arguments, "special"), &copy, &names);
    options.specials = names;
    status = open_threads(app, &arguments, &options.pool);
    if (status) return status;

    const int64_t began = clock_steady_ns();
    enum status trained = arguments_value(&arguments, "characters")
                              ? train_characters(&tokenizer, &arguments, &err)
                              : train_pairs(&tokenizer, &report, &arguments, &options, &err);
    const double seconds = (double)(clock_steady_ns() - began) / 1e9;
    pool_close(options.pool);
    free(copy);
    free(names);
    if (trained) return app_fail(app, &err);
    trained = tokenizer_save(tokenizer, path, format_named(format), &err);
    if (!trained) say_trained(app, tokenizer, &report, path, seconds);
    tokenizer_close(tokenizer);
    return trained ? app_fail(app, &err) : EXIT_DONE;
}

/* ---- encode ---- */

static void print_ids(const struct app *app, const struct tokens *tokens)
{
    if (app->json) {
        json_t *ids = json_array();
        for (size_t i = 0; i < tokens->n; i++)
            json_array_append_new(ids, json_integer(tokens->ids[i]));
        app_json(app, json_pack("{s:I, s:o}", "count", (json_int_t)tokens->n, "ids", ids));
        return;
    }
    for (size_t i = 0; i < tokens->n; i++) printf(i ? " %d" : "%d", tokens->ids[i]);
    putchar('\n');
}

/* A token's bytes as a JSON string shows them: what is no whole character is U+FFFD. */
static void print_offsets(const struct app *app, const struct tokenizer *tokenizer,
                          const struct tokens *tokens)
{
    struct text line = {0};
    size_t at = 0;
    for (size_t i = 0; i < tokens->n; i++) {
        size_t size;
        const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, tokens->ids[i], &size);
        json_t *text = json_text(bytes, size);
        if (app->json) {
            app_json(app, json_pack("{s:i, s:I, s:I, s:o}", "id", tokens->ids[i], "offset",
                                    (json_int_t)at, "size", (json_int_t)size, "text", text));
        } else {
            char *shown = json_line(text);
            text_clear(&line);
            text_format(&line, "%8d %10zu  %s\n", tokens->ids[i], at, shown);
            app_print(app, text_string(&line));
            free(shown);
            json_decref(text);
        }
        at += size;
    }
    text_done(&line);
}

/* Where ids go as they come: into memory, into a file, or nowhere but into a count. */
struct taker {
    struct tokens tokens;
    struct token_writer *writer;
    bool counts;
    uint64_t n;
};

static enum status take_ids(void *context, const int32_t *ids, size_t n, struct error *err)
{
    struct taker *taker = context;
    taker->n += n;
    if (taker->counts) return STATUS_OK;
    if (taker->writer) return token_writer_add(taker->writer, ids, n, err);
    tokens_reserve(&taker->tokens, n);
    if (n) memcpy(taker->tokens.ids + taker->tokens.n, ids, n * sizeof *ids);
    taker->tokens.n += n;
    return STATUS_OK;
}

static void show_encoded(const struct app *app, const struct arguments *arguments,
                         const struct tokenizer *tokenizer, const struct taker *taker)
{
    const char *path = arguments_value(arguments, "out");
    if (path) {
        char *name = app_clean(path);
        if (app->json)
            app_json(app, json_pack("{s:s, s:I}", "path", path, "count", (json_int_t)taker->n));
        else printf(_("%s: %llu tokens\n"), name, (unsigned long long)taker->n);
        free(name);
    } else if (taker->counts) {
        if (app->json) app_json(app, json_pack("{s:I}", "count", (json_int_t)taker->n));
        else printf("%llu\n", (unsigned long long)taker->n);
    } else if (arguments_value(arguments, "offsets")) {
        print_offsets(app, tokenizer, &taker->tokens);
    } else {
        print_ids(app, &taker->tokens);
    }
}

static int tokenizer_encode(struct app *app, int argc, char **argv)
{
    static const char *const rules[] = {"refuse", "text", "allow"};
    struct arguments arguments;
    struct encode_options options = {0};
    struct tokenizer *tokenizer;
    struct taker taker = {0};
    struct pool *pool;
    struct error err;
    int status;
    if (!arguments_read(&arguments, app, &usage_encode, argc, argv, &status)) return status;
    const char *rule = arguments_value(&arguments, "special");
    const char *out = arguments_value(&arguments, "out");
    for (int i = 0; i < 3 && rule; i++)
        if (strcmp(rule, rules[i]) == 0) options.specials = (enum special_rule)i;
    status = open_threads(app, &arguments, &pool);
    if (!status) status = open_vocabulary(app, &arguments, &tokenizer);
    if (status) return status;

    taker.counts = !out && arguments_value(&arguments, "count");
    enum status encoded = STATUS_OK;
    if (out)
        encoded = token_writer_open(&taker.writer, out, (uint64_t)tokenizer_size(tokenizer),
                                    tokenizer->hash, &err);
    if (!encoded)
        encoded =
            encode_file(tokenizer, &options, pool, arguments.words[0], take_ids, &taker, &err);
    if (!encoded && out) {
        encoded = token_writer_end(taker.writer, &err);
        taker.writer = NULL;
    }
    token_writer_drop(taker.writer);
    if (encoded == STATUS_USAGE) error_prefix(&err, _("%s (--special)"), arguments.words[0]);
    if (encoded) status = app_fail(app, &err);
    else show_encoded(app, &arguments, tokenizer, &taker);
    tokens_done(&taker.tokens);
    tokenizer_close(tokenizer);
    pool_close(pool);
    return status;
}

/* ---- decode ---- */

/* Ids from a token file's bytes, or from numbers with blanks between. */
static enum status read_ids(struct tokens *tokens, const struct text *input, const char *path,
                            struct error *err)
{
    if (input->size >= 8 && memcmp(input->data, "LCXTOKEN", 8) == 0) {
        struct token_file file;
        const enum status status = token_file_view(&file, input->data, input->size, path, err);
        if (status) return status;
        tokens_reserve(tokens, file.n);
        token_file_read(&file, tokens->ids, 0, file.n);
        tokens->n = file.n;
        return STATUS_OK;
    }
    const char *at = text_string(input), *const end = at + input->size;
    for (;;) {
        while (at < end && strchr(" \t\r\n,[]", *at) && *at) at++;
        if (at == end) return STATUS_OK;
        char *stop;
        errno = 0;
        const long id = strtol(at, &stop, 10);
        if (stop == at || errno || id < 0 || id > INT32_MAX)
            return error_set(err, STATUS_USAGE, _("%s: byte %td: expected a token id"), path,
                             at - input->data);
        tokens_add(tokens, (int32_t)id);
        at = stop;
    }
}

static int tokenizer_decode_ids(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct tokenizer *tokenizer;
    struct tokens tokens = {0};
    struct text input = {0}, text = {0};
    struct error err;
    int status;
    if (!arguments_read(&arguments, app, &usage_decode, argc, argv, &status)) return status;
    status = open_vocabulary(app, &arguments, &tokenizer);
    if (status) return status;
    const bool specials = arguments_value(&arguments, "special") != NULL;
    enum status decoded = read_input(&input, arguments.words[0], &err);
    if (!decoded) decoded = read_ids(&tokens, &input, arguments.words[0], &err);
    if (!decoded)
        decoded = tokenizer_decode(tokenizer, &text, tokens.ids, tokens.n, specials, &err);
    if (decoded) status = app_fail(app, &err);
    else if (app->json)
        app_json(app, json_pack("{s:I, s:o}", "count", (json_int_t)tokens.n, "text",
                                json_text(text_string(&text), text.size)));
    else fwrite(text_string(&text), 1, text.size, stdout);
    tokens_done(&tokens);
    text_done(&input);
    text_done(&text);
    tokenizer_close(tokenizer);
    return status;
}

/* ---- info ---- */

/* The name of the split, "patterns", or "words" for SentencePiece. */
static const char *how_it_cuts(const struct tokenizer *tokenizer)
{
    if (tokenizer->patterns.n) return "patterns";
    if (tokenizer->kind == TOKENIZER_PIECES) return tokenizer->pieces.by_words ? "words" : "none";
    return split_name(tokenizer->split);
}

static const char *const kind_names[] = {"bytes", "pieces", "characters"};

static int info_of_tokens(const struct app *app, const char *path, const struct token_file *file)
{
    if (app->json) {
        char hash[17];
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)file->tokenizer_hash);
        app_json(app, json_pack("{s:s, s:s, s:I, s:I, s:i, s:s}", "path", path, "kind", "tokens",
                                "count", (json_int_t)file->n, "size", (json_int_t)file->V, "width",
                                file->width, "tokenizer", hash));
        return EXIT_DONE;
    }
    printf(_("%llu tokens of a vocabulary of %llu, %d bytes each, made by tokenizer %016llx\n"),
           (unsigned long long)file->n, (unsigned long long)file->V, file->width,
           (unsigned long long)file->tokenizer_hash);
    return EXIT_DONE;
}

static void info_for_people(const struct app *app, const struct tokenizer *tokenizer)
{
    static const char *const kinds[] = {N_("byte-level BPE"), N_("SentencePiece BPE"),
                                        N_("characters")};
    struct table table;
    struct text out = {0};
    table_init(&table, 2);
    table_add(&table, STYLE_STRONG, _("kind"));
    table_add(&table, STYLE_NONE, _(kinds[tokenizer->kind]));
    table_add(&table, STYLE_STRONG, _("tokens"));
    table_format(&table, STYLE_NONE, "%d", tokenizer_size(tokenizer));
    table_add(&table, STYLE_STRONG, _("merges"));
    table_format(&table, STYLE_NONE, "%d", tokenizer->bpe.n_merges);
    table_add(&table, STYLE_STRONG, _("split"));
    table_add(&table, STYLE_NONE, how_it_cuts(tokenizer));
    for (int i = 0; i < tokenizer->patterns.n; i++) {
        char *pattern = app_clean(tokenizer->patterns.texts[i]);
        table_add(&table, STYLE_NONE, "");
        table_add(&table, STYLE_DIM, pattern);
        free(pattern);
    }
    table_add(&table, STYLE_STRONG, _("special tokens"));
    table_format(&table, STYLE_NONE, "%d", tokenizer->specials.n);
    for (int i = 0; i < tokenizer->specials.n && i < 16; i++) {
        const struct special *special = &tokenizer->specials.list[i];
        char *name = text_printf("%.*s", (int)special->size, special->bytes);
        char *clean = app_clean(name);
        table_add(&table, STYLE_NONE, "");
        table_format(&table, STYLE_DIM, "%d %s", special->id, clean);
        free(name);
        free(clean);
    }
    table_add(&table, STYLE_STRONG, _("fingerprint"));
    table_format(&table, STYLE_NONE, "%016llx", (unsigned long long)tokenizer->hash);
    table_print(&out, app, &table, 0);
    app_print(app, text_string(&out));
    table_done(&table);
    text_done(&out);
}

static int tokenizer_info(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct tokenizer *tokenizer;
    struct token_file file;
    struct error err;
    int status;
    if (!arguments_read(&arguments, app, &usage_info, argc, argv, &status)) return status;
    const char *path = arguments.words[0];
    if (!file_is_folder(path) && text_ends_with(path, ".tokens")) {
        if (token_file_open(&file, path, &err)) return app_fail(app, &err);
        status = info_of_tokens(app, path, &file);
        token_file_close(&file);
        return status;
    }
    if (tokenizer_open(&tokenizer, path, &err)) return app_fail(app, &err);
    if (app->json) {
        char hash[17];
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)tokenizer->hash);
        json_t *specials = json_array();
        for (int i = 0; i < tokenizer->specials.n; i++) {
            const struct special *special = &tokenizer->specials.list[i];
            json_array_append_new(specials, json_pack("{s:i, s:o}", "id", special->id, "text",
                                                      json_text(special->bytes, special->size)));
        }
        app_json(app,
                 json_pack("{s:s, s:s, s:i, s:i, s:s, s:o, s:s}", "path", path, "kind",
                           kind_names[tokenizer->kind], "size", tokenizer_size(tokenizer), "merges",
                           tokenizer->bpe.n_merges, "split", split_name(tokenizer->split),
                           "specials", specials, "tokenizer", hash));
    } else {
        info_for_people(app, tokenizer);
    }
    tokenizer_close(tokenizer);
    return EXIT_DONE;
}

/* ---- convert ---- */

static int tokenizer_convert(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct tokenizer *tokenizer;
    struct error err;
    int status;
    if (!arguments_read(&arguments, app, &usage_convert, argc, argv, &status)) return status;
    const char *path = arguments_value(&arguments, "out");
    if (!path)
        return app_misuse(app, _("%s: where shall it go? --out PATH"), arguments.usage->name);
    if (tokenizer_open(&tokenizer, arguments.words[0], &err)) return app_fail(app, &err);
    const enum tokenizer_format format = format_named(arguments_value(&arguments, "format"));
    const enum status saved = tokenizer_save(tokenizer, path, format, &err);
    if (!saved && app->json) {
        app_json(app, json_pack("{s:s, s:i}", "path", path, "size", tokenizer_size(tokenizer)));
    } else if (!saved) {
        char *name = app_clean(path);
        printf(_("%s: %d tokens\n"), name, tokenizer_size(tokenizer));
        free(name);
    }
    tokenizer_close(tokenizer);
    return saved ? app_fail(app, &err) : EXIT_DONE;
}
