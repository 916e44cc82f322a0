/* main.c -- lcx: the verbs, and the options that all of them share.
 *
 *   lcx [--lang en|es] [--plain] [--json] [--help] [--version] VERB ...
 *
 * These five may stand anywhere before `--`. A --lang that is no language is left to the
 * verb: some have a --lang of their own, for the language that is programmed in.
 */
#include <stdlib.h>
#include <string.h>

#include "verbs.h"

static const struct verb verbs[] = {
    {&usage_today, verb_today},
    {&usage_review, verb_review},
    {&usage_drill, verb_drill},
    {&usage_loop, verb_loop},
    {&usage_round, verb_round},
    {&usage_ask, verb_ask},
    {&usage_design, verb_design},
    {&usage_paper, verb_paper},
    {&usage_story, verb_story},
    {&usage_examiner, verb_examiner},
    {&usage_lab, verb_lab},
    {&usage_progress, verb_progress},
    {&usage_plan, verb_plan},
    {&usage_tokenizer, verb_tokenizer},
    {&usage_content, verb_content},
    {&usage_config, verb_config},
    {&usage_data, verb_data},
    {&usage_doctor, verb_doctor},
    {&usage_bench, verb_bench},
    {&usage_train, verb_train},
    {&usage_generate, verb_generate},
    {&usage_help, verb_help},
    {NULL, NULL},
};

static const struct option_description shared[] = {
    {"lang", "en|es", N_("the language of messages and lessons")},
    {"plain", NULL,
     N_("no colours, no drawing, no pager, as into a pipe: for screen readers and scripts")},
    {"json", NULL, N_("facts as JSON Lines: one object a line, nothing else")},
    {"help", NULL, N_("what a verb does, with an example")},
    {"version", NULL, N_("the version")},
    {NULL, NULL, NULL},
};

const struct usage usage_lcx = {
    .name = "",
    .arguments = "",
    .least = 0,
    .most = 0,
    .summary = N_("Practise for AI-lab interviews: sit a drill, be graded, remember"),
    .details =
        N_("lcx by itself says what to do today. Every verb explains itself: lcx VERB --help.\n"
           "Exit status: 0 done or yes, 1 an answer of no, 2 wrong use, 3 something failed."),
    .example = "lcx\nlcx lab 15",
    .options = shared,
    .verbs = verbs,
};

struct wishes {
    bool plain, json, help, version;
    const char *language;
};

static bool is_language(const char *word) { return !strcmp(word, "en") || !strcmp(word, "es"); }

/* Take the shared options out of the words; returns how many words are left. */
static int take_shared(struct wishes *wishes, int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            while (i < argc) argv[n++] = argv[i++];
            break;
        }
        if (!strcmp(word, "--plain")) wishes->plain = true;
        else if (!strcmp(word, "--json")) wishes->json = true;
        else if (!strcmp(word, "--help") || !strcmp(word, "-h")) wishes->help = true;
        else if (!strcmp(word, "--version")) wishes->version = true;
        else if (!strcmp(word, "--lang") && i + 1 < argc && is_language(argv[i + 1]))
            wishes->language = argv[++i];
        else if (!strncmp(word, "--lang=", 7) && is_language(word + 7)) wishes->language = word + 7;
        else argv[n++] = argv[i];
    }
    return n;
}

/* The language that the user set, when there is a database to ask. */
static void take_language_setting(struct app *app)
{
    if (app->language_given || !app_has_progress(app)) return;
    char language[3];
    settings_language(language, app->data);
    if (language[0]) locale_init(language, app->catalogues);
    app->language = locale_language();
}

static int run(struct app *app, int argc, char **argv)
{
    if (argc > 0 && argv[0][0] == '-' && strcmp(argv[0], "--") != 0) {
        struct arguments arguments;
        int exit_status;
        if (arguments_read(&arguments, app, &usage_lcx, argc, argv, &exit_status))
            check_failed("an option was left to say why it is wrong", __FILE__, __LINE__);
        return exit_status;
    }
    if (argc == 0 && !app->help) return verb_today(app, 0, argv);
    return verbs_run(app, &usage_lcx, argc, argv);
}

int main(int argc, char **argv)
{
    struct wishes wishes = {0};
    const int n = take_shared(&wishes, argc, argv);
    struct app app;
    app_init(&app, wishes.plain, wishes.json, wishes.language);
    app.help = wishes.help;

    int status = EXIT_DONE;
    if (wishes.version) {
        if (wishes.json) app_json(&app, json_pack("{s:s}", "version", LCX_VERSION));
        else printf("lcx %s\n", LCX_VERSION);
    } else {
        take_language_setting(&app);
        status = run(&app, n, argv);
    }
    app_done(&app);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("lcx: standard output");
        status = EXIT_TROUBLE;
    }
    return status;
}
