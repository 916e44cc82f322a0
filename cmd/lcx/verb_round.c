/* verb_round.c -- lcx round, ask, design, paper: one round, or one item of it. */
#include <string.h>

#include "rounds/packet.h"
#include "sit.h"
#include "verbs.h"

#define CLOCK_OPTIONS \
    {"exam", NULL, N_("no pause, no feedback before the debrief at the end")}, \
        {"time-factor", "X", \
         N_("multiply the clock, 0.02 to 3; below 1 it is a rehearsal and never counts")}, \
    { \
        "seed", "S", N_("draw the same content again") \
    }

/* ---- lcx round ---- */

static const struct option_description round_options[] = {
    {"list", NULL, N_("the rounds: minutes, what is graded, what they draw on")},
    {"lane", "c|numpy|torch", N_("the lane of its drills (numpy by default)")},
    CLOCK_OPTIONS,
    {NULL, NULL, NULL},
};

const struct usage usage_round = {
    .name = "round",
    .arguments = "[NAME | leave]",
    .least = 0,
    .most = 1,
    .summary = N_("Sit one round of the interview, or list them"),
    .details = N_("What you type is kept line by line. A round that was left goes on where it was "
                  "(lcx loop next); its clock runs meanwhile. \"lcx round leave\" ends it."),
    .example = "lcx round --list\nlcx round phone --lane numpy\nlcx round systems --exam",
    .options = round_options,
};

static int list_rounds(struct app *app)
{
    struct text out = {0};
    const int status = app_open_labs(app);
    if (status) return status;
    for (const struct round_kind *kind = round_kinds; kind->name; kind++) {
        if (app->json) {
            app_json(app, json_pack("{s:s, s:s, s:s, s:i, s:s}", "round", kind->name, "number",
                                    kind->number, "title", _(kind->title), "minutes", kind->minutes,
                                    "graded", _(kind->graded)));
            continue;
        }
        text_format(&out, "%-3s %-11s %3d min  %s\n", kind->number, kind->name, kind->minutes,
                    _(kind->title));
        app_paragraph(app, &out, 25, _(kind->graded));
    }
    app_print(app, text_string(&out));
    text_done(&out);
    return EXIT_DONE;
}

static int leave(struct app *app)
{
    struct round round;
    struct error err;
    bool found;
    enum status status = round_running(&round, &found, app->progress, &err);
    if (!status && !found) {
        app_note(app, _("no round is running"));
        return EXIT_NO;
    }
    if (!status) status = round_end(&round, app->progress, ROUND_ABANDONED, &err);
    if (status) return app_fail(app, &err);
    app_note(app, _("the round %s is left; its answers are kept"), round.name);
    return EXIT_DONE;
}

/* The options of a clock into a wish. False after saying what is wrong. */
static bool read_wish(struct sit_wish *wish, struct app *app, const struct arguments *arguments)
{
    double seed;
    wish->exam = arguments_value(arguments, "exam") != NULL;
    if (!arguments_number(arguments, app, "time-factor", 0.02, 3.0, app->settings.time_factor,
                          &wish->time_factor) ||
        !arguments_number(arguments, app, "seed", 0, 9007199254740991.0, -1.0, &seed))
        return false;
    wish->seed = (int64_t)seed;
    return true;
}

int verb_round(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_round, argc, argv, &status)) return status;
    if (arguments_value(&arguments, "list") || arguments.n == 0) return list_rounds(app);
    status = app_open_progress(app);
    if (status) return status;
    if (strcmp(arguments.words[0], "leave") == 0) return leave(app);

    const struct round_kind *kind = round_kind(arguments.words[0]);
    if (!kind) {
        const char *names[16];
        int n = 0;
        for (const struct round_kind *k = round_kinds; k->name; k++) names[n++] = k->name;
        names[n] = NULL;
        const char *near = app_nearest(arguments.words[0], names);
        return near ? app_misuse(app, _("there is no round %s; did you mean %s?"),
                                 arguments.words[0], near)
                    : app_misuse(app, _("there is no round %s; lcx round --list names them"),
                                 arguments.words[0]);
    }
    const char *lane = arguments_value(&arguments, "lane");
    struct sit_wish wish = {.name = kind->name, .content = "", .lane = lane ? lane : "numpy"};
    return read_wish(&wish, app, &arguments) ? sit_new(app, &wish) : EXIT_MISUSE;
}

/* ---- lcx ask, design, paper ---- */

static const struct option_description item_options[] = {
    {"list", NULL, N_("what there is")},
    CLOCK_OPTIONS,
    {NULL, NULL, NULL},
};

const struct usage usage_ask = {
    .name = "ask",
    .arguments = "[NN]",
    .least = 0,
    .most = 1,
    .summary = N_("Answer one whiteboard question and its follow-ups"),
    .details = N_("Without a number, the one that you answered least often."),
    .example = "lcx ask\nlcx ask 01\nlcx ask --list",
    .options = item_options,
};

const struct usage usage_design = {
    .name = "design",
    .arguments = "[N]",
    .least = 0,
    .most = 1,
    .summary = N_("Work on one design brief: ask, estimate, design, foresee failures"),
    .details = N_("The public brief is one vague line; the requirements are found by asking."),
    .example = "lcx design 1\nlcx design --list",
    .options = item_options,
};

const struct usage usage_paper = {
    .name = "paper",
    .arguments = "[NAME]",
    .least = 0,
    .most = 1,
    .summary = N_("Read one paper against the clock and be asked about it"),
    .details = N_("The paper is yours to bring: open its text before the clock runs. \"lcx paper "
                  "cold\" takes any text, with a rubric that holds for every paper."),
    .example = "lcx paper vaswani-2017\nlcx paper cold\nlcx paper --list",
    .options = item_options,
};

static void list_one(const struct app *app, struct text *out, const char *kind, const char *number,
                     const char *title, int minutes)
{
    if (app->json)
        app_json(app, json_pack("{s:s, s:s, s:s, s:i}", "kind", kind, "number", number, "title",
                                title, "minutes", minutes));
    else text_format(out, "%-16s %3d min  %s\n", number, minutes, title);
}

static void list_items(const struct app *app, const struct library *library, const char *kind)
{
    struct text out = {0};
    for (int i = 0; strcmp(kind, "question") == 0 && i < library->questions.n_questions; i++) {
        const struct question *question = library->questions.questions[i];
        list_one(app, &out, kind, question->number, words_in(&question->title, app->language),
                 question->minutes);
    }
    for (int i = 0; strcmp(kind, "brief") == 0 && i < library->n_briefs; i++)
        list_one(app, &out, kind, library->briefs[i]->number,
                 words_in(&library->briefs[i]->title, app->language), library->briefs[i]->minutes);
    for (int i = 0; strcmp(kind, "paper") == 0 && i < library->n_papers; i++)
        list_one(app, &out, kind, library->papers[i]->name, library->papers[i]->title,
                 round_kind("paper")->minutes);
    app_print(app, text_string(&out));
    text_done(&out);
}

static int sit_item(struct app *app, const struct usage *usage, const char *round, const char *kind,
                    int argc, char **argv)
{
    struct arguments arguments;
    struct library library;
    int status;
    if (!arguments_read(&arguments, app, usage, argc, argv, &status)) return status;
    status = app_open_progress(app);
    if (!status) status = sit_library(app, &library);
    if (status) return status;

    char item[STEP_ITEM_SIZE] = "";
    bool known = true;
    if (arguments_value(&arguments, "list")) {
        list_items(app, &library, kind);
        library_done(&library);
        return EXIT_DONE;
    }
    if (arguments.n) {
        unsigned n;
        snprintf(item, sizeof item, "%s/%s", kind, arguments.words[0]);
        known = strlen(arguments.words[0]) + strlen(kind) + 2 <= sizeof item &&
                library_nodes(&library, item, &n) != NULL;
    }
    library_done(&library);
    if (!known)
        return app_misuse(app, _("there is no %s %s; lcx %s --list names them"), usage->name,
                          arguments.words[0], usage->name);
    struct sit_wish wish = {.name = round, .content = item, .lane = "numpy"};
    return read_wish(&wish, app, &arguments) ? sit_new(app, &wish) : EXIT_MISUSE;
}

int verb_ask(struct app *app, int argc, char **argv)
{
    return sit_item(app, &usage_ask, "ask", "question", argc, argv);
}

int verb_design(struct app *app, int argc, char **argv)
{
    return sit_item(app, &usage_design, "systems", "brief", argc, argv);
}

int verb_paper(struct app *app, int argc, char **argv)
{
    return sit_item(app, &usage_paper, "paper", "paper", argc, argv);
}
