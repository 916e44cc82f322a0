/* verb_help.c -- lcx help: the verbs; and what the packager needs: completions and the manual. */
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

static const struct option_description options[] = {
    {"completion", "bash|zsh|fish", N_("print the completion for a shell")},
    {"manual", NULL, N_("print the manual page")},
    {NULL, NULL, NULL},
};
const struct usage usage_help = {
    .name = "help",
    .arguments = "[VERB...]",
    .least = 0,
    .most = 2,
    .summary = N_("What there is, and how a verb is used"),
    .example = "lcx help\nlcx help config set\nlcx help --completion bash > lcx.bash",
    .options = options,
};

static const char *last_word(const char *name)
{
    const char *space = strrchr(name, ' ');
    return space ? space + 1 : name;
}

/* ---- completions ---- */

static void add_options(struct text *out, const struct usage *usage, const char *before)
{
    for (const struct option_description *o = usage->options; o && o->name; o++)
        text_format(out, "%s--%s", before, o->name);
}

static bool has_option(const struct usage *usage, const char *name)
{
    for (const struct option_description *o = usage->options; o && o->name; o++)
        if (strcmp(o->name, name) == 0) return true;
    return false;
}

/* " list get set --json": what may follow the verb. */
static void add_followers(struct text *out, const struct usage *usage)
{
    for (const struct verb *verb = usage->verbs; verb && verb->usage; verb++)
        text_format(out, " %s", last_word(verb->usage->name));
    add_options(out, usage, " ");
    if (usage != &usage_lcx)
        for (const struct option_description *o = usage_lcx.options; o->name; o++)
            if (!has_option(usage, o->name)) text_format(out, " --%s", o->name);
}

/* A verb in a verb goes before it: the patterns are beginnings, since words may come after. */
static void add_cases(struct text *out, const struct usage *usage)
{
    for (const struct verb *verb = usage->verbs; verb && verb->usage; verb++) {
        add_cases(out, verb->usage);
        text_format(out, "    '%s'*) words='", verb->usage->name);
        add_followers(out, verb->usage);
        text_add(out, "' ;;\n");
    }
}

/* "en es" for "en|es"; the caller frees it. */
static char *choices_in_words(const char *choices)
{
    char *words = text_copy(choices);
    for (char *c = words; *c; c++)
        if (*c == '|') *c = ' ';
    return words;
}

/* The options whose values are listed, each after its verb: a shell pattern and the values. A
 * verb's own option goes before the shared one of the same name. */
static void add_choices(struct text *out, const struct usage *usage, const char *form)
{
    for (const struct verb *verb = usage->verbs; verb && verb->usage; verb++)
        add_choices(out, verb->usage, form);
    for (const struct option_description *o = usage->options; o && o->name; o++) {
        if (!o->value || !strchr(o->value, '|')) continue;
        char *values = choices_in_words(o->value);
        char *pattern = usage == &usage_lcx ? text_printf("*' --%s'", o->name)
                                            : text_printf("'%s'*' --%s'", usage->name, o->name);
        text_format(out, form, pattern, values);
        free(pattern);
        free(values);
    }
}

static void bash_completion(struct text *out)
{
    text_add(
        out,
        "# bash completion for lcx\n"
        "_lcx() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb='' words='' i\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case ${COMP_WORDS[i]} in -* | [0-9]* | */* | en | es) ;;\n"
        "        *) verb=${verb:+$verb }${COMP_WORDS[i]} ;; esac\n"
        "    done\n"
        "    case \"$verb $before\" in\n");
    add_choices(out, &usage_lcx,
                "    %s) COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n");
    text_add(out, "    esac\n"
                  "    case $verb in\n"
                  "    '') words='");
    add_followers(out, &usage_lcx);
    text_add(out, "' ;;\n");
    add_cases(out, &usage_lcx);
    text_add(out, "    esac\n"
                  "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                  "}\n"
                  "complete -o default -F _lcx lcx\n");
}

static void zsh_completion(struct text *out)
{
    text_add(out, "#compdef lcx\n"
                  "_lcx() {\n"
                  "    local verb='' list='' i\n"
                  "    for ((i = 2; i < CURRENT; i++)); do\n"
                  "        case $words[i] in -*|[0-9]*|*/*|en|es) ;;\n"
                  "        *) verb=${verb:+$verb }$words[i] ;; esac\n"
                  "    done\n"
                  "    case \"$verb $words[CURRENT-1]\" in\n");
    add_choices(out, &usage_lcx, "    %s) compadd -- %s; return ;;\n");
    text_add(out, "    esac\n"
                  "    case $verb in\n"
                  "    '') list='");
    add_followers(out, &usage_lcx);
    text_add(out, "' ;;\n");
    struct text cases = {0};
    add_cases(&cases, &usage_lcx);
    for (const char *at = text_string(&cases); *at;) { /* `words` is zsh's own name */
        const char *next = strstr(at, ") words='");
        text_add_bytes(out, at, next ? (size_t)(next - at) : strlen(at));
        if (!next) break;
        text_add(out, ") list='");
        at = next + strlen(") words='");
    }
    text_done(&cases);
    text_add(out, "    esac\n"
                  "    if [[ -n $list ]]; then compadd -- ${=list}; fi\n"
                  "    _files\n"
                  "}\n"
                  "_lcx \"$@\"\n");
}

/* In single quotes, for fish. */
static char *fish_quoted(const char *words)
{
    struct text quoted = {0};
    text_add(&quoted, "'");
    for (; *words; words++) {
        if (*words == '\'' || *words == '\\') text_add(&quoted, "\\");
        text_add_char(&quoted, *words);
    }
    text_add(&quoted, "'");
    return text_take(&quoted);
}

static void fish_verb(struct text *out, const char *condition, const struct usage *usage)
{
    char *summary = fish_quoted(usage->summary);
    text_format(out, "complete -c lcx %s -f -a %s -d %s\n", condition, last_word(usage->name),
                summary);
    free(summary);
}

static void fish_options(struct text *out, const struct usage *usage, const char *condition)
{
    for (const struct option_description *o = usage->options; o && o->name; o++) {
        char *summary = fish_quoted(o->summary);
        text_format(out, "complete -c lcx %s -l %s -d %s", condition, o->name, summary);
        free(summary);
        if (o->value && strchr(o->value, '|')) {
            char *values = choices_in_words(o->value);
            text_format(out, " -x -a '%s'", values);
            free(values);
        } else if (o->value) {
            text_add(out, " -r");
        }
        text_add(out, "\n");
    }
}

static void fish_completion(struct text *out)
{
    text_add(out, "# fish completion for lcx\n");
    fish_options(out, &usage_lcx, "");
    for (const struct verb *verb = usage_lcx.verbs; verb->usage; verb++) {
        const struct usage *usage = verb->usage;
        fish_verb(out, "-n __fish_use_subcommand", usage);
        char *condition = text_printf("-n '__fish_seen_subcommand_from %s'", usage->name);
        fish_options(out, usage, condition);
        for (const struct verb *sub = usage->verbs; sub && sub->usage; sub++) {
            fish_verb(out, condition, sub->usage);
            char *inner = text_printf("-n '__fish_seen_subcommand_from %s; and "
                                      "__fish_seen_subcommand_from %s'",
                                      usage->name, last_word(sub->usage->name));
            fish_options(out, sub->usage, inner);
            free(inner);
        }
        free(condition);
    }
}

/* ---- the manual page ---- */

/* roff: a backslash, a leading dot and a hyphen mean something there. */
static void add_roff(struct text *out, const char *words)
{
    bool line_begins = true;
    for (; *words; words++) {
        if (line_begins && (*words == '.' || *words == '\'')) text_add(out, "\\&");
        if (*words == '\\') text_add(out, "\\e");
        else if (*words == '-') text_add(out, "\\-");
        else text_add_char(out, *words);
        line_begins = *words == '\n';
    }
}

static void manual_verb(struct text *out, const struct usage *usage)
{
    text_add(out, ".SS \"lcx ");
    add_roff(out, usage->name);
    if (usage->arguments[0]) text_format(out, " %s", usage->arguments);
    text_add(out, "\"\n");
    add_roff(out, usage->summary);
    text_add(out, ".\n");
    if (usage->details) {
        text_add(out, ".PP\n");
        add_roff(out, usage->details);
        text_add(out, "\n");
    }
    for (const struct option_description *o = usage->options; o && o->name; o++) {
        text_format(out, ".TP\n.B \\-\\-%s%s%s\n", o->name, o->value ? " " : "",
                    o->value ? o->value : "");
        add_roff(out, o->summary);
        text_add(out, "\n");
    }
    if (usage->example) {
        text_add(out, ".PP\n.nf\n");
        add_roff(out, usage->example);
        text_add(out, "\n.fi\n");
    }
    for (const struct verb *verb = usage->verbs; verb && verb->usage; verb++)
        manual_verb(out, verb->usage);
}

static void manual(struct text *out)
{
    text_add(out, ".TH LCX 1 \"\" \"lynx-cortex " LCX_VERSION "\" \"User Commands\"\n"
                  ".SH NAME\nlcx \\- interview practice for AI labs\n"
                  ".SH SYNOPSIS\n.B lcx\n[\\fIVERB\\fR] [\\fIoptions\\fR]\n"
                  ".SH DESCRIPTION\n");
    add_roff(out, usage_lcx.summary);
    text_add(out, ".\n");
    add_roff(out, usage_lcx.details);
    text_add(out, "\n.SH OPTIONS\n");
    for (const struct option_description *o = usage_lcx.options; o->name; o++) {
        text_format(out, ".TP\n.B \\-\\-%s%s%s\n", o->name, o->value ? " " : "",
                    o->value ? o->value : "");
        add_roff(out, o->summary);
        text_add(out, "\n");
    }
    text_add(out, ".SH VERBS\n");
    for (const struct verb *verb = usage_lcx.verbs; verb->usage; verb++)
        manual_verb(out, verb->usage);
    text_add(out, ".SH ENVIRONMENT\n"
                  ".TP\n.B LCX_HOME\nthe folder of your data "
                  "(otherwise $XDG_DATA_HOME/lynx\\-cortex or ~/.local/share/lynx\\-cortex)\n"
                  ".TP\n.B LCX_CONTENT\nthe folder that holds the lessons\n"
                  ".TP\n.B PAGER, EDITOR, NO_COLOR, COLUMNS\nas usual\n"
                  ".SH FILES\n.TP\n.I ~/.local/share/lynx\\-cortex/lynx\\-cortex.db\n"
                  "attempts, memory and settings\n");
}

/* ---- help ---- */

static int show_help(struct app *app, struct arguments *arguments)
{
    const struct usage *usage = &usage_lcx;
    for (int i = 0; i < arguments->n; i++) {
        const struct verb *verb = usage->verbs;
        while (verb && verb->usage && strcmp(last_word(verb->usage->name), arguments->words[i]))
            verb++;
        if (!verb || !verb->usage) /* says what was probably meant */
            return usage->verbs ? verbs_run(app, usage, 1, arguments->words + i)
                                : app_misuse(app, _("help: %s has no verb \"%s\""), usage->name,
                                             arguments->words[i]);
        usage = verb->usage;
    }
    usage_print(app, usage);
    return EXIT_DONE;
}

int verb_help(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_help, argc, argv, &status)) return status;
    const char *shell = arguments_value(&arguments, "completion");
    if (!shell && !arguments_value(&arguments, "manual")) return show_help(app, &arguments);
    if (app->json)
        return app_misuse(app, _("help: --completion and --manual print a file, not rows: leave "
                                 "--json out"));

    struct text out = {0};
    if (!shell) manual(&out);
    else if (strcmp(shell, "bash") == 0) bash_completion(&out);
    else if (strcmp(shell, "zsh") == 0) zsh_completion(&out);
    else fish_completion(&out);
    app_print(app, text_string(&out));
    text_done(&out);
    return EXIT_DONE;
}
