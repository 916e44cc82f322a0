/* verb_config.c -- lcx config: the few things a user chooses. */
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "verbs.h"

static int config_list(struct app *app, int argc, char **argv);
static int config_get(struct app *app, int argc, char **argv);
static int config_set(struct app *app, int argc, char **argv);
static int config_unset(struct app *app, int argc, char **argv);

static const struct usage usage_list = {
    .name = "config list",
    .arguments = "",
    .summary = N_("All settings, what they are now and what they do"),
    .example = "lcx config list --json",
};
static const struct usage usage_get = {
    .name = "config get",
    .arguments = "NAME",
    .least = 1,
    .most = 1,
    .summary = N_("The value of one setting"),
    .example = "lcx config get interview-date",
};
static const struct usage usage_set = {
    .name = "config set",
    .arguments = "NAME VALUE",
    .least = 2,
    .most = 2,
    .summary = N_("Change one setting"),
    .example = "lcx config set interview-date 2027-03-01\nlcx config set language es",
};
static const struct usage usage_unset = {
    .name = "config unset",
    .arguments = "NAME",
    .least = 1,
    .most = 1,
    .summary = N_("Go back to the default"),
    .example = "lcx config unset editor",
};
static const struct verb verbs[] = {
    {&usage_list, config_list},
    {&usage_get, config_get},
    {&usage_set, config_set},
    {&usage_unset, config_unset},
    {NULL, NULL},
};
const struct usage usage_config = {
    .name = "config",
    .arguments = "",
    .summary = N_("Settings: language, interview date, clocks, tools"),
    .details = N_("lcx config by itself lists them. lcx config NAME VALUE is short for "
                  "lcx config set NAME VALUE."),
    .example = "lcx config\nlcx config set interview-date 2027-03-01",
    .verbs = verbs,
};

static const struct {
    const char *name, *meaning;
} meanings[] = {
    {"language", N_("en or es; without it, the environment's")},
    {"interview-date", N_("YYYY-MM-DD; what is practised is planned towards it")},
    {"time-factor", N_("0.02 to 3, multiplies every clock; below 1 an attempt is a rehearsal")},
    {"python", N_("the interpreter to try first, an absolute path")},
    {"editor", N_("the command that opens your file; without it, $EDITOR")},
    {"daily-minutes", N_("5 to 600: how much a day holds")},
    {"desired-retention", N_("0.7 to 0.97: how likely you want to recall what is due")},
    {"weekly-sittings", N_("0 to 50: the goal of a week")},
    {"examiner-url", N_("an OpenAI-compatible endpoint that reads answers too; none by default")},
    {"examiner-model", N_("its model's name")},
    {"examiner-trusted", N_("the model whose verdicts count; lcx examiner trust sets it")},
};

static const char *meaning_of(const char *name)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (strcmp(meanings[i].name, name) == 0) return _(meanings[i].meaning);
    return "";
}

/* The setting's own spelling of `name` ('_' is taken for '-'), or NULL. */
static const char *spelling(const char *name)
{
    for (int i = 0; setting_names[i]; i++) {
        const char *a = setting_names[i], *b = name;
        while (*a && (*a == *b || (*a == '-' && *b == '_'))) a++, b++;
        if (!*a && !*b) return setting_names[i];
    }
    return NULL;
}

/* The same, but it is said when there is none. */
static const char *find_name(const struct app *app, const char *name)
{
    const char *found = spelling(name);
    if (found) return found;
    const char *nearest = app_nearest(name, setting_names);
    if (nearest)
        (void)app_misuse(app, _("config: no setting \"%s\"; did you mean %s?"), name, nearest);
    else (void)app_misuse(app, _("config: no setting \"%s\"; lcx config lists them"), name);
    return NULL;
}

static json_t *setting_row(const struct app *app, const char *name)
{
    char *value = settings_text(&app->settings, name);
    json_t *row = json_pack("{s:s, s:s}", "setting", name, "value", value ? value : "");
    free(value);
    return row;
}

static int config_list(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_list, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (status) return status;

    if (app->json) {
        for (int i = 0; setting_names[i]; i++) app_json(app, setting_row(app, setting_names[i]));
        return EXIT_DONE;
    }
    struct table table;
    table_init(&table, 3);
    for (int i = 0; setting_names[i]; i++) {
        char *value = settings_text(&app->settings, setting_names[i]);
        table_add(&table, STYLE_NONE, setting_names[i]);
        table_add(&table, value && *value ? STYLE_STRONG : STYLE_DIM,
                  value && *value ? value : _("(not set)"));
        table_add(&table, STYLE_DIM, meaning_of(setting_names[i]));
        free(value);
    }
    struct text out = {0};
    table_print(&out, app, &table, 0);
    app_print(app, text_string(&out));
    text_done(&out);
    table_done(&table);
    return EXIT_DONE;
}

static int config_get(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_get, argc, argv, &status)) return status;
    const char *name = find_name(app, arguments.words[0]);
    if (!name) return EXIT_MISUSE;
    status = app_open_progress(app);
    if (status) return status;

    if (app->json) {
        app_json(app, setting_row(app, name));
        return EXIT_DONE;
    }
    char *value = settings_text(&app->settings, name);
    if (value && *value) printf("%s\n", value);
    status = value && *value ? EXIT_DONE : EXIT_NO;
    free(value);
    return status;
}

/* Store it, and say in one line what it is now. */
static int change(struct app *app, const char *name, const char *value)
{
    name = find_name(app, name);
    if (!name) return EXIT_MISUSE;
    if (strcmp(name, "examiner-trusted") == 0 && *value)
        return app_misuse(app,
                          _("trust is not set by hand: lcx examiner trust shows first how well the "
                            "model agrees"));
    int status = app_open_progress(app);
    if (status) return status;

    struct error err;
    if (settings_set(app->progress, name, value, &err)) return app_fail(app, &err);
    const bool another = strcmp(name, "examiner-url") == 0 || strcmp(name, "examiner-model") == 0;
    if (another && settings_set(app->progress, "examiner-trusted", "", &err))
        return app_fail(app, &err); /* what was shown was shown of another */
    settings_done(&app->settings);
    if (settings_load(&app->settings, app->progress, &err)) return app_fail(app, &err);
    if (strcmp(name, "language") == 0 && !app->language_given) {
        locale_init(app->settings.language[0] ? app->settings.language : NULL, app->catalogues);
        app->language = locale_language();
    }

    if (app->json) {
        app_json(app, setting_row(app, name));
        return EXIT_DONE;
    }
    char *now = settings_text(&app->settings, name);
    if (now && *now) printf(_("%s is now %s\n"), name, now);
    else printf(_("%s is not set now\n"), name);
    free(now);
    return EXIT_DONE;
}

static int config_set(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_set, argc, argv, &status)) return status;
    return change(app, arguments.words[0], arguments.words[1]);
}

static int config_unset(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_unset, argc, argv, &status)) return status;
    return change(app, arguments.words[0], "");
}

int verb_config(struct app *app, int argc, char **argv)
{
    if (argc == 0 && !app->help) return config_list(app, 0, argv);
    if ((argc == 1 || argc == 2) && spelling(argv[0])) /* lcx config NAME [VALUE] */
        return argc == 2 ? config_set(app, argc, argv) : config_get(app, argc, argv);
    return verbs_run(app, &usage_config, argc, argv);
}
