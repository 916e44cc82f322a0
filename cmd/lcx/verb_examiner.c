/* verb_examiner.c -- lcx examiner: an optional second reader of answers, and how far to trust it. */
#include <stdlib.h>
#include <string.h>

#include "grader/examiner.h"
#include "grader/rubric.h"
#include "rounds/judge.h"
#include "sit.h"
#include "verbs.h"

enum { TIMEOUT_S = 120, N_ANCHORS = 4, QUESTIONS_BY_DEFAULT = 3 };

bool app_examiner(const struct app *app, struct examiner *examiner, bool *counts)
{
    const struct settings *settings = &app->settings;
    *examiner = (struct examiner){.url = settings->examiner_url,
                                  .model = settings->examiner_model,
                                  .key = getenv("LCX_EXAMINER_KEY"),
                                  .timeout_s = TIMEOUT_S};
    *counts = strcmp(settings->examiner_trusted, settings->examiner_model) == 0;
    return *settings->examiner_url && *settings->examiner_model;
}

/* ---- agreement with the anchors ---- */

struct agreement {
    int same, items;       /* items judged as the proven rubric does */
    int ranked, questions; /* questions whose anchors the examiner ranks rightly */
};

static const char *anchor(const struct anchors *anchors, const char *language, int which)
{
    const struct anchor_set *set = strcmp(language, "es") == 0 ? &anchors->es : &anchors->en;
    const char *const texts[N_ANCHORS] = {set->soup, set->wrong, set->adequate, set->excellent};
    return texts[which];
}

/* One anchored answer: the examiner's own share of the items, and how often it agrees. */
static enum status examine_one(struct agreement *agreement, double *share,
                               const struct examiner *examiner, const struct question_node *node,
                               const char *language, const char *answer, struct error *err)
{
    json_t *result;
    double score, met = 0;
    enum status status = judge_text(&result, &score, node, language, answer, err);
    if (!status)
        status = examiner_grade(&score, result, examiner, node, language, answer, false, err);
    const json_t *items = json_object_get(result, "items");
    for (size_t i = 0; !status && i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const bool found =
            strcmp(json_string_value(json_object_get(item, "verdict")), "found") == 0;
        const bool is_met =
            strcmp(json_string_value(json_object_get(item, "examiner")), "met") == 0;
        met += is_met;
        agreement->items++;
        agreement->same += found == is_met;
    }
    *share = json_array_size(items) ? met / (double)json_array_size(items) : 0;
    json_decref(result);
    return status;
}

static enum status examine_question(struct app *app, struct agreement *agreement,
                                    const struct examiner *examiner,
                                    const struct question *question, struct error *err)
{
    struct anchors *anchors;
    double share[N_ANCHORS] = {0};
    enum status status = anchors_load(&anchors, question, err);
    if (status) return status;
    const struct agreement before = *agreement;
    for (int i = 0; !status && i < N_ANCHORS; i++)
        status = examine_one(agreement, &share[i], examiner, &question->nodes[0], app->language,
                             anchor(anchors, app->language, i), err);
    anchors_free(anchors);
    if (status) return status;

    const bool ranked = share[0] <= share[2] && share[1] < share[2] && share[2] < share[3];
    agreement->questions++;
    agreement->ranked += ranked;
    char *line = text_printf("%-20s %3d/%-3d  %3.0f %3.0f %3.0f %3.0f   %s\n", question->number,
                             agreement->same - before.same, agreement->items - before.items,
                             100 * share[0], 100 * share[1], 100 * share[2], 100 * share[3],
                             ranked ? _("ranked") : _("not ranked"));
    app_print(app, line);
    free(line);
    return STATUS_OK;
}

/* Show how the examiner does on the anchored answers of the first `n` questions, or of one. */
static int examine(struct app *app, const struct examiner *examiner, const char *word, int n,
                   struct agreement *agreement)
{
    struct library library;
    struct error err;
    int status = sit_library(app, &library);
    if (status) return status;
    const struct question *only = word ? library_question(&library, word) : NULL;
    *agreement = (struct agreement){0};
    if (word && !only) {
        status = app_misuse(app, _("there is no question %s; lcx ask --list names them"), word);
    } else {
        app_print(app,
                  _("question             agrees   met of soup, wrong, adequate, excellent, %\n"));
        for (int i = 0; !status && i < library.questions.n_questions; i++) {
            const struct question *question = library.questions.questions[i];
            if (only ? question != only : agreement->questions >= n) continue;
            if (examine_question(app, agreement, examiner, question, &err))
                status = app_fail(app, &err);
        }
    }
    library_done(&library);
    if (!status && agreement->items) {
        char *line = text_printf(
            _("%s agrees with the proven rubric on %d of %d items (%.0f %%) and "
              "ranks %d of %d questions.\n"),
            examiner->model, agreement->same, agreement->items,
            100.0 * agreement->same / agreement->items, agreement->ranked, agreement->questions);
        app_print(app, line);
        free(line);
    }
    return status;
}

/* ---- the verbs ---- */

static const struct option_description check_options[] = {
    {"questions", "N", N_("how many questions to try (3)")},
    {NULL, NULL, NULL},
};

static const struct usage usage_check = {
    .name = "examiner check",
    .arguments = "[NN]",
    .least = 0,
    .most = 1,
    .summary = N_("Show how well the endpoint agrees with the anchored answers"),
    .example = "lcx examiner check\nlcx examiner check 01",
    .options = check_options,
};

static const struct usage usage_trust = {
    .name = "examiner trust",
    .arguments = "",
    .summary = N_("Show the agreement, then let the endpoint's verdicts count"),
    .details =
        N_("What it finds with a verbatim quote counts as found from then on; what the rubric "
           "found or saw contradicted stays. Setting another model ends the trust; "
           "\"lcx config set examiner-trusted ''\" does too."),
    .example = "lcx examiner trust --questions 5",
    .options = check_options,
};

/* The endpoint that is set. False after saying what to set. */
static bool open_examiner(struct app *app, struct examiner *examiner, int *status)
{
    bool counts;
    *status = app_open_progress(app);
    if (*status) return false;
    if (app_examiner(app, examiner, &counts)) return true;
    app_note(app,
             _("no examiner is set: lcx config set examiner-url http://127.0.0.1:8080/v1 and lcx "
               "config set examiner-model NAME"));
    *status = EXIT_NO;
    return false;
}

static int run(struct app *app, const struct usage *usage, int argc, char **argv, bool trust)
{
    struct arguments arguments;
    struct examiner examiner;
    struct agreement agreement;
    struct error err;
    double n;
    int status;
    if (!arguments_read(&arguments, app, usage, argc, argv, &status)) return status;
    if (!arguments_number(&arguments, app, "questions", 1, 100, QUESTIONS_BY_DEFAULT, &n))
        return EXIT_MISUSE;
    if (!open_examiner(app, &examiner, &status)) return status;
    status = examine(app, &examiner, arguments.n ? arguments.words[0] : NULL, (int)n, &agreement);
    if (status || !trust) return status;
    if (app->out.is_terminal && !app_confirm(app, _("Let its verdicts count?"))) return EXIT_NO;
    if (settings_set(app->progress, "examiner-trusted", examiner.model, &err))
        return app_fail(app, &err);
    app_note(app, _("the verdicts of %s count from now on"), examiner.model);
    return EXIT_DONE;
}

static int examiner_check(struct app *app, int argc, char **argv)
{
    return run(app, &usage_check, argc, argv, false);
}

static int examiner_trust(struct app *app, int argc, char **argv)
{
    return run(app, &usage_trust, argc, argv, true);
}

static const struct verb verbs[] = {
    {&usage_check, examiner_check},
    {&usage_trust, examiner_trust},
    {NULL, NULL},
};

const struct usage usage_examiner = {
    .name = "examiner",
    .arguments = "",
    .summary = N_("An optional second reader of your answers: any OpenAI-compatible endpoint"),
    .details =
        N_("Off unless you set one: lcx config set examiner-url http://127.0.0.1:8080/v1 and lcx "
           "config set examiner-model NAME; a key is taken from LCX_EXAMINER_KEY. It is asked "
           "about one rubric item at a time and must quote your words; it never gives a total. "
           "Your answers then go to that address, and nowhere else."),
    .example = "lcx examiner check\nlcx examiner trust",
    .verbs = verbs,
};

int verb_examiner(struct app *app, int argc, char **argv)
{
    return verbs_run(app, &usage_examiner, argc, argv);
}
