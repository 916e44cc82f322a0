#include "arguments.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

/* ---- help ---- */

static void describe_options(const struct app *app, struct text *out, const struct usage *usage)
{
    if (!usage->options) return;
    app_heading(app, out, _("Options"));
    struct table table;
    table_init(&table, 2);
    for (const struct option_description *option = usage->options; option->name; option++) {
        table_format(&table, STYLE_CODE, "--%s%s%s", option->name, option->value ? " " : "",
                     option->value ? option->value : "");
        table_add(&table, STYLE_NONE, _(option->summary));
    }
    table_print(out, app, &table, 4);
    table_done(&table);
}

static void describe_verbs(const struct app *app, struct text *out, const struct usage *usage)
{
    if (!usage->verbs) return;
    app_heading(app, out, _("Verbs"));
    struct table table;
    table_init(&table, 2);
    for (const struct verb *verb = usage->verbs; verb->usage; verb++) {
        table_format(&table, STYLE_CODE, "%s%s%s", verb->usage->name,
                     verb->usage->arguments[0] ? " " : "", verb->usage->arguments);
        table_add(&table, STYLE_NONE, _(verb->usage->summary));
    }
    table_print(out, app, &table, 4);
    table_done(&table);
}

static void describe_synopsis(struct text *out, const struct usage *usage)
{
    text_format(out, "lcx%s%s", usage->name[0] ? " " : "", usage->name);
    if (usage->verbs) text_format(out, " %s", _("VERB"));
    if (usage->arguments[0]) text_format(out, " %s", usage->arguments);
    if (usage->options) text_format(out, " [%s]", _("options"));
    text_add(out, "\n");
}

void usage_describe(const struct app *app, struct text *out, const struct usage *usage)
{
    struct text synopsis = {0};
    describe_synopsis(&synopsis, usage);
    terminal_paint(out, &app->out, STYLE_STRONG, text_string(&synopsis));
    text_done(&synopsis);
    char *summary = text_printf("%s.", _(usage->summary));
    app_paragraph(app, out, 0, summary);
    free(summary);
    if (usage->details) {
        text_add(out, "\n");
        app_paragraph(app, out, 0, _(usage->details));
    }
    describe_verbs(app, out, usage);
    describe_options(app, out, usage);
    if (usage->example) {
        app_heading(app, out, _("Example"));
        for (const char *line = usage->example; *line;) {
            const size_t size = strcspn(line, "\n");
            char *command = text_printf("%.*s", (int)size, line);
            app_command(app, out, command);
            free(command);
            line += size + (line[size] == '\n');
        }
    }
}

static void print_rows(const struct app *app, const struct usage *usage)
{
    json_t *options = json_array();
    for (const struct option_description *option = usage->options; option && option->name; option++)
        json_array_append_new(options,
                              json_pack("{s:s, s:s?, s:s}", "option", option->name, "value",
                                        option->value, "summary", _(option->summary)));
    app_json(app, json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:o}", "verb", usage->name, "arguments",
                            usage->arguments, "summary", _(usage->summary), "details",
                            usage->details ? _(usage->details) : NULL, "example", usage->example,
                            "options", options));
    for (const struct verb *verb = usage->verbs; verb && verb->usage; verb++)
        print_rows(app, verb->usage);
}

void usage_print(const struct app *app, const struct usage *usage)
{
    if (app->json) {
        print_rows(app, usage);
        return;
    }
    struct text out = {0};
    usage_describe(app, &out, usage);
    app_page(app, text_string(&out));
    text_done(&out);
}

/* ---- reading ---- */

static const char *verb_words(const struct usage *usage)
{
    return usage->name[0] ? usage->name : "lcx";
}

/* The value must be one of a|b|c when the description lists them so. */
static bool is_choice(const char *choices, const char *value)
{
    const size_t size = strlen(value);
    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (size && strncmp(at, value, size) == 0 && (at[size] == '|' || !at[size])) return true;
    return false;
}

static int unknown_option(const struct app *app, const struct usage *usage, const char *name,
                          size_t size)
{
    const char *names[ARGUMENTS_OPTION_LIMIT + 6];
    int n = 0;
    for (const struct option_description *option = usage->options; option && option->name; option++)
        names[n++] = option->name;
    names[n++] = "lang";
    names[n++] = "plain";
    names[n++] = "json";
    names[n++] = "help";
    names[n++] = "version";
    names[n] = NULL;

    char *word = text_printf("%.*s", (int)size, name);
    const char *nearest = app_nearest(word, names);
    int status;
    if (strcmp(word, "lang") == 0) status = app_misuse(app, _("--lang: the language is en or es"));
    else if (nearest)
        status = app_misuse(app, _("%s: no option --%s; did you mean --%s?"), verb_words(usage),
                            word, nearest);
    else
        status =
            app_misuse(app, _("%s: no option --%s; --help lists them"), verb_words(usage), word);
    free(word);
    return status;
}

/* One option at argv[*at]. 0, or the exit status. */
static int read_option(struct arguments *arguments, const struct app *app, int argc, char **argv,
                       int *at)
{
    const struct usage *usage = arguments->usage;
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    const size_t size = equals ? (size_t)(equals - name) : strlen(name);

    int place = 0;
    const struct option_description *option = usage->options;
    for (; option && option->name; option++, place++)
        if (strlen(option->name) == size && strncmp(option->name, name, size) == 0) break;
    if (!option || !option->name) return unknown_option(app, usage, name, size);
    CHECK(place < ARGUMENTS_OPTION_LIMIT);

    if (!option->value) {
        if (equals) return app_misuse(app, _("--%s: takes no value"), option->name);
        arguments->values[place] = "";
        return EXIT_DONE;
    }
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value)
        return app_misuse(app, _("--%s: a value is missing: --%s %s"), option->name, option->name,
                          option->value);
    if (strchr(option->value, '|') && !is_choice(option->value, value))
        return app_misuse(app, _("--%s %s: must be one of %s"), option->name, value, option->value);
    arguments->values[place] = value;
    return EXIT_DONE;
}

bool arguments_read(struct arguments *arguments, const struct app *app, const struct usage *usage,
                    int argc, char **argv, int *exit_status)
{
    *arguments = (struct arguments){.usage = usage, .words = argv};
    *exit_status = EXIT_DONE;
    if (app->help) {
        usage_print(app, usage);
        return false;
    }

    bool only_words = false;
    int n = 0; /* words are moved to the front of argv */
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] == '-') {
            *exit_status = read_option(arguments, app, argc, argv, &i);
            if (*exit_status) return false;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] &&
                   !isdigit((unsigned char)argv[i][1])) {
            *exit_status =
                app_misuse(app, _("%s: no option %s; options are whole words, as --help"),
                           verb_words(usage), argv[i]);
            return false;
        } else {
            argv[n++] = argv[i];
        }
    }
    arguments->n = n;
    if (n < usage->least)
        *exit_status = app_misuse(app, _("%s: a word is missing: lcx %s %s"), verb_words(usage),
                                  usage->name, usage->arguments);
    else if (n > usage->most)
        *exit_status =
            app_misuse(app, _("%s: \"%s\" is one word too many: lcx %s %s"), verb_words(usage),
                       argv[usage->most], usage->name, usage->arguments);
    return *exit_status == EXIT_DONE;
}

const char *arguments_value(const struct arguments *arguments, const char *name)
{
    int place = 0;
    for (const struct option_description *option = arguments->usage->options;
         option && option->name; option++, place++)
        if (strcmp(option->name, name) == 0) return arguments->values[place];
    check_failed("the usage has this option", __FILE__, __LINE__);
}

bool arguments_number(const struct arguments *arguments, const struct app *app, const char *name,
                      double low, double high, double otherwise, double *value)
{
    *value = otherwise;
    const char *text = arguments_value(arguments, name);
    if (!text) return true;
    char *end;
    *value = strtod(text, &end);
    if (*text && !*end && isfinite(*value) && *value >= low && *value <= high) return true;
    (void)app_misuse(app, _("--%s %s: must be a number from %g to %g"), name, text, low, high);
    return false;
}

/* ---- verbs in verbs ---- */

static const char *last_word(const char *name)
{
    const char *space = strrchr(name, ' ');
    return space ? space + 1 : name;
}

static int unknown_verb(const struct app *app, const struct usage *usage, const char *word)
{
    const char *names[64];
    int n = 0;
    for (const struct verb *verb = usage->verbs; verb->usage && n < 63; verb++)
        names[n++] = last_word(verb->usage->name);
    names[n] = NULL;
    const char *space = usage->name[0] ? " " : "";
    const char *nearest = app_nearest(word, names);
    if (nearest)
        return app_misuse(app, _("%s%s%s: there is no such verb; did you mean \"%s\"?"),
                          usage->name, space, word, nearest);
    return app_misuse(app, _("%s%s%s: there is no such verb; lcx %s%s--help lists them"),
                      usage->name, space, word, usage->name, space);
}

int verbs_run(struct app *app, const struct usage *usage, int argc, char **argv)
{
    if (argc == 0 && app->help) {
        usage_print(app, usage);
        return EXIT_DONE;
    }
    if (argc == 0) {
        struct text out = {0};
        usage_describe(app, &out, usage);
        fputs(text_string(&out), stderr);
        text_done(&out);
        return EXIT_MISUSE;
    }
    for (const struct verb *verb = usage->verbs; verb->usage; verb++)
        if (strcmp(last_word(verb->usage->name), argv[0]) == 0)
            return verb->run(app, argc - 1, argv + 1);
    return unknown_verb(app, usage, argv[0]);
}
