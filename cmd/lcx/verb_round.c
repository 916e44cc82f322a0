/* verb_round.c -- lcx round, ask, design, paper: one round, or one item of it. */
#include <stdlib.h>
#include <string.h>

#include "rounds/packet.h"
#include "rounds/paper_copy.h"
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
    {"list", NULL,
     N_("the rounds, or the one named: minutes, what is graded, the labs that prepare it")},
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
    .example =
        "lcx round --list\nlcx round coding --list\nlcx round phone --lane numpy\nlcx round systems --exam",
    .options = round_options,
};

/* What `lab` prepares of the round, or NULL. */
static const char *prepared(const struct app *app, const struct lab *lab, const char *round)
{
    for (unsigned i = 0; i < lab->prepares_count; i++)
        if (strcmp(round_name(lab->prepares[i].round), round) == 0)
            return words_in(&lab->prepares[i].what, app->language);
    return NULL;
}

static void list_round_json(const struct app *app, const struct round_kind *kind)
{
    json_t *labs = json_array();
    for (unsigned i = 0; i < app->labs->labs_count; i++) {
        const struct lab *lab = &app->labs->labs[i];
        const char *what = prepared(app, lab, kind->name);
        if (what)
            json_array_append_new(labs, json_pack("{s:s, s:s}", "lab", lab->number, "what", what));
    }
    app_json(app, json_pack("{s:s, s:s, s:s, s:i, s:s, s:o}", "round", kind->name, "number",
                            kind->number, "title", _(kind->title), "minutes", kind->minutes,
                            "graded", _(kind->graded), "labs", labs));
}

/* `what`: one line a lab with what it prepares; else only their numbers. */
static void list_round(const struct app *app, struct text *out, const struct round_kind *kind,
                       bool what)
{
    struct text numbers = {0};
    text_format(out, "%-3s %-11s %3d min  %s\n", kind->number, kind->name, kind->minutes,
                _(kind->title));
    app_paragraph(app, out, 25, _(kind->graded));
    for (unsigned i = 0; i < app->labs->labs_count; i++) {
        const struct lab *lab = &app->labs->labs[i];
        const char *part = prepared(app, lab, kind->name);
        if (!part) continue;
        text_format(&numbers, " %s", lab->number);
        if (!what) continue;
        char *line = text_printf(_("lab %s: %s"), lab->number, part);
        app_paragraph(app, out, 25, line);
        free(line);
    }
    if (numbers.size && !what) {
        char *line = text_printf(_("labs%s"), text_string(&numbers));
        app_paragraph(app, out, 25, line);
        free(line);
    }
    text_done(&numbers);
}

/* All rounds, or the one that is named. */
static int list_rounds(struct app *app, const struct round_kind *only)
{
    struct text out = {0};
    const int status = app_open_labs(app);
    if (status) return status;
    for (const struct round_kind *kind = round_kinds; kind->name; kind++) {
        if (only && kind != only) continue;
        if (app->json) list_round_json(app, kind);
        else list_round(app, &out, kind, only != NULL);
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

/* Say that there is no such round, and which is near. */
static int no_round(struct app *app, const char *word)
{
    const char *names[16];
    int n = 0;
    for (const struct round_kind *k = round_kinds; k->name; k++) names[n++] = k->name;
    names[n] = NULL;
    const char *near = app_nearest(word, names);
    return near ? app_misuse(app, _("there is no round %s; did you mean %s?"), word, near)
                : app_misuse(app, _("there is no round %s; lcx round --list names them"), word);
}

int verb_round(struct app *app, int argc, char **argv)
{
    struct arguments arguments;
    int status;
    if (!arguments_read(&arguments, app, &usage_round, argc, argv, &status)) return status;
    const bool list = arguments_value(&arguments, "list") != NULL;
    if (arguments.n == 0) return list_rounds(app, NULL);
    const struct round_kind *kind = round_kind(arguments.words[0]);
    const bool leaves = strcmp(arguments.words[0], "leave") == 0 && !list;
    if (!kind && !leaves) return no_round(app, arguments.words[0]);
    if (list) return list_rounds(app, kind);
    status = app_open_progress(app);
    if (status) return status;
    if (leaves) return leave(app);

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

static const struct option_description paper_options[] = {
    {"list", NULL, N_("what there is")},
    {"file", "FILE", N_("your copy of the paper: it is kept in your data folder")},
    {"fetch", NULL, N_("fetch the paper from its address by https, and keep it")},
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
    .details =
        N_("The paper is yours: bring it with --file, or let it be fetched. \"lcx paper cold\" "
           "takes any text, with a rubric that holds for every paper."),
    .example = "lcx paper vaswani-2017 --fetch\nlcx paper hu-2021 --file lora.pdf\nlcx paper cold",
    .options = paper_options,
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

/* Bring or fetch the copy when it is asked for. 0 or an exit status. */
static int prepare_paper(struct app *app, const struct paper *paper,
                         const struct arguments *arguments)
{
    const char *file = arguments_value(arguments, "file");
    struct error err;
    char hash[SHA256_TEXT];
    bool first;
    enum status status = STATUS_OK;

    if (file) {
        status = paper_copy_bring(app->progress, paper, file, &err);
        if (status == STATUS_NOT_FOUND || status == STATUS_FORMAT)
            return app_misuse(app, "%s", err.message);
    } else if (arguments_value(arguments, "fetch")) {
        status = paper_copy_fetch(hash, &first, app->progress, paper, &err);
        if (!status)
            app_note(app,
                     first ? _("sha256 %s: recorded, nothing was known to compare it with")
                           : _("sha256 %s: as expected"),
                     hash);
    }
    return status ? app_fail(app, &err) : EXIT_DONE;
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
    const struct paper *paper = known ? library_paper(&library, item) : NULL;
    if (paper && strcmp(kind, "paper") == 0) status = prepare_paper(app, paper, &arguments);
    library_done(&library);
    if (status) return status;
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
