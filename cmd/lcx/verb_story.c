/* verb_story.c -- lcx story: the candidate's own stories, kept as their Markdown files. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "rounds/story_card.h"
#include "sit.h"
#include "verbs.h"

/* Open the library and find the archetype. 0 (the library is the caller's), or the exit status. */
static int open_story(struct app *app, struct library *library, const char *word,
                      const struct story **story)
{
    int status = app_open_progress(app);
    if (!status) status = sit_library(app, library);
    if (status) return status;
    *story = word ? library_story(library, word) : NULL;
    if (!word || *story) return EXIT_DONE;

    struct text known = {0};
    for (int i = 0; i < library->n_stories; i++)
        text_format(&known, "%s%s", i ? ", " : "", library->stories[i]->name);
    status = app_misuse(app, _("there is no story %s: there are %s"), word, text_string(&known));
    text_done(&known);
    library_done(library);
    return status;
}

/* Print the checks of a card; true when all are good. */
static bool show_checks(struct app *app, const struct story_card *card)
{
    struct story_check *checks;
    struct error err;
    int n;
    bool good = true;
    if (story_card_check(&checks, &n, card, app->progress, &err)) {
        app_fail(app, &err);
        return false;
    }
    for (int i = 0; i < n; i++) {
        char *line = text_printf("  %s  %s\n", checks[i].good ? _("ok     ") : _("missing"),
                                 checks[i].words);
        app_print(app, line);
        free(line);
        good = good && checks[i].good;
    }
    story_checks_done(checks, n);
    return good;
}

/* ---- list ---- */

static const struct usage usage_list = {
    .name = "story list",
    .arguments = "",
    .summary = N_("The ten archetypes, and which of them you have a card for"),
    .example = "lcx story list",
};

static int story_list(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct library library;
    const struct story *none;
    int status;
    if (!arguments_read(&arguments, app, &usage_list, argc, argv, &status)) return status;
    status = open_story(app, &library, NULL, &none);
    if (status) return status;

    struct text out = {0};
    for (int i = 0; i < library.n_stories; i++) {
        const struct story *story = library.stories[i];
        struct error err;
        char *path;
        if (story_card_path(&path, app->progress, story, &err)) {
            status = app_fail(app, &err);
            break;
        }
        const bool mine = file_exists(path);
        if (app->json)
            app_json(app, json_pack("{s:s, s:s, s:s, s:b, s:s}", "number", story->number, "name",
                                    story->name, "title", words_in(&story->title, app->language),
                                    "card", mine, "file", path));
        else
            text_format(&out, "%s  %-22s %-10s %s\n", story->number, story->name,
                        mine ? _("yours") : "", words_in(&story->title, app->language));
        free(path);
    }
    app_print(app, text_string(&out));
    text_done(&out);
    library_done(&library);
    return status;
}

/* ---- new, edit, check ---- */

static const struct usage usage_new = {
    .name = "story new",
    .arguments = "NAME",
    .least = 1,
    .most = 1,
    .summary = N_("Begin a story's card from its form, and open it in your editor"),
    .example = "lcx story new hard-debug",
};

static int story_new(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct library library;
    const struct story *story;
    struct error err;
    char *path = NULL;
    int status;
    if (!arguments_read(&arguments, app, &usage_new, argc, argv, &status)) return status;
    status = open_story(app, &library, arguments.words[0], &story);
    if (status) return status;

    struct text form = {0}, out = {0};
    story_card_form(&form, story, app->language);
    enum status failed = story_card_path(&path, app->progress, story, &err);
    if (!failed) failed = file_create(path, text_string(&form), form.size, 0600, &err);
    if (failed == STATUS_CONFLICT) {
        status = app_misuse(app, _("%s exists and is not overwritten; lcx story edit %s opens it"),
                            path, story->name);
    } else if (failed) {
        status = app_fail(app, &err);
    } else {
        app_paragraph(app, &out, 0, words_in(&story->listens, app->language));
        if (*story->example.en) {
            text_add(&out, "\n");
            app_heading(app, &out, _("An example, from this project's own history"));
            app_paragraph(app, &out, 2,
                          strcmp(app->language, "es") == 0 ? story->example.es : story->example.en);
            for (unsigned i = 0; i < story->example.evidence_count; i++)
                text_format(&out, "  %s\n", story->example.evidence[i]);
        }
        text_format(&out, _("\nYour card: %s\n"), path);
        app_print(app, text_string(&out));
        app_edit(app, path);
    }
    text_done(&form);
    text_done(&out);
    free(path);
    library_done(&library);
    return status;
}

static const struct usage usage_edit = {
    .name = "story edit",
    .arguments = "NAME",
    .least = 1,
    .most = 1,
    .summary = N_("Open your card in the editor, then check it"),
    .details = N_("Checked are completeness, the trade-off with its rejected option, two numbers, "
                  "the spoken length and whether the evidence exists. Without an editor it is only "
                  "checked."),
    .example = "lcx story edit hard-debug",
};

/* Read the archetype's card. 0, or the exit status after saying why. */
static int read_card(struct app *app, const struct story *story, struct story_card *card)
{
    struct error err;
    char *path;
    if (story_card_path(&path, app->progress, story, &err)) return app_fail(app, &err);
    const enum status failed = story_card_read(card, path, &err);
    free(path);
    if (failed == STATUS_NOT_FOUND)
        return app_misuse(app, _("there is no card for %s yet: lcx story new %s"), story->name,
                          story->name);
    return failed ? app_fail(app, &err) : EXIT_DONE;
}

static int story_edit(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct library library;
    const struct story *story;
    struct story_card card;
    struct error err;
    char *path;
    int status;
    if (!arguments_read(&arguments, app, &usage_edit, argc, argv, &status)) return status;
    status = open_story(app, &library, arguments.words[0], &story);
    if (status) return status;
    if (story_card_path(&path, app->progress, story, &err)) {
        status = app_fail(app, &err);
    } else {
        if (file_exists(path)) app_edit(app, path);
        status = read_card(app, story, &card);
        if (!status) {
            if (!show_checks(app, &card)) status = EXIT_NO;
            story_card_done(&card);
        }
        free(path);
    }
    library_done(&library);
    return status;
}

/* ---- rehearse ---- */

static const struct option_description rehearse_options[] = {
    {"exam", NULL, N_("no pause, no feedback before the debrief at the end")},
    {"time-factor", "X",
     N_("multiply the clock, 0.02 to 3; below 1 it is a rehearsal and never counts")},
    {NULL, NULL, NULL},
};

static const struct usage usage_rehearse = {
    .name = "story rehearse",
    .arguments = "NAME",
    .least = 1,
    .most = 1,
    .summary = N_("Tell your story aloud against the clock, then answer its five probes"),
    .example = "lcx story rehearse hard-debug",
    .options = rehearse_options,
};

/* "1. Enter when you begin  2. Enter when you end": the seconds between. False at the end of input. */
static bool time_aloud(struct app *app, double *seconds)
{
    int64_t began = 0;
    app_print(app, _("Tell it aloud. Enter when you begin.\n"));
    for (int i = 0; i < 2; i++) {
        char c = '\0';
        while (read(0, &c, 1) == 1 && c != '\n') {}
        if (c != '\n') return false;
        if (i == 0) {
            began = clock_steady_ns();
            app_print(app, _("Enter when you end.\n"));
        }
    }
    *seconds = (double)(clock_steady_ns() - began) / 1e9;
    return true;
}

static int story_rehearse(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    struct library library;
    const struct story *story;
    struct story_card card;
    double factor, seconds;
    int status;
    if (!arguments_read(&arguments, app, &usage_rehearse, argc, argv, &status)) return status;
    status = open_story(app, &library, arguments.words[0], &story);
    if (status) return status;
    if (!arguments_number(&arguments, app, "time-factor", 0.02, 3.0, app->settings.time_factor,
                          &factor)) {
        library_done(&library);
        return EXIT_MISUSE;
    }
    status = read_card(app, story, &card);
    if (status) {
        library_done(&library);
        return status;
    }
    (void)show_checks(app, &card);
    if (app->out.is_terminal && time_aloud(app, &seconds)) {
        char *line =
            text_printf(_("%.0f seconds. Two minutes is what an interviewer gives.\n"), seconds);
        app_print(app, line);
        free(line);
    }
    char item[STEP_ITEM_SIZE];
    snprintf(item, sizeof item, "story/%s", story->number);
    const struct sit_wish wish = {.name = "story",
                                  .content = item,
                                  .lane = "numpy",
                                  .exam = arguments_value(&arguments, "exam") != NULL,
                                  .time_factor = factor,
                                  .seed = -1};
    story_card_done(&card);
    library_done(&library);
    return sit_new(app, &wish);
}

static const struct verb verbs[] = {
    {&usage_list, story_list},
    {&usage_new, story_new},
    {&usage_edit, story_edit},
    {&usage_rehearse, story_rehearse},
    {NULL, NULL},
};

const struct usage usage_story = {
    .name = "story",
    .arguments = "",
    .summary = N_("Your own stories: write, check, rehearse them with probes"),
    .example = "lcx story list\nlcx story new hard-debug\nlcx story rehearse hard-debug",
    .verbs = verbs,
};

int verb_story(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_story, argc, argv);
}
