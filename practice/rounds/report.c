#include "rounds/report.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/terminal.h"
#include "rounds/draw.h"
#include "rounds/judge.h"
#include "rounds/weak.h"

enum { N_WEAKEST = 3 };
static const double cut_offs[] = {0.35, 0.6, 0.8}; /* of the shares for a 2, a 3 and a 4 */

int report_score(double share)
{
    int score = 1;
    for (size_t i = 0; i < sizeof cut_offs / sizeof *cut_offs; i++)
        if (share >= cut_offs[i]) score++;
    return score;
}

void report_range(double *low, double *high, double share, double n_items)
{
    /* Beta(a, b) by its moments: close enough for a range that is told in whole points. */
    const double a = 1 + share * n_items, b = 1 + (1 - share) * n_items, n = a + b;
    const double mean = a / n, deviation = sqrt(a * b / (n * n * (n + 1)));
    *low = fmax(0, mean - 1.645 * deviation);
    *high = fmin(1, mean + 1.645 * deviation);
}

/* ---- one round ---- */

struct tally {
    int n_items; /* rubric items behind them */
    int overtime;
};

static json_t *answer_json(struct tally *tally, const struct answer *answer,
                           const struct library *library, const char *language)
{
    json_t *result = NULL;
    if (json_parse(&result, answer->result, strlen(answer->result), NULL)) result = json_object();
    judge_apply(result, answer->confirmed);
    json_t *items = json_object_get(result, "items");
    json_t *value =
        json_pack("{s:s, s:s, s:s, s:s, s:f, s:b}", "item", answer->item, "title",
                  library_title(library, answer->item, language), "ask", answer->ask, "text",
                  answer->text, "score", answer->score, "overtime", answer->overtime);
    json_object_set(value, "items", items ? items : json_null());
    static const char *const of_a_drill[] = {"state", "lane", "hints", "submitted", "diagnosis"};
    for (size_t i = 0; i < sizeof of_a_drill / sizeof *of_a_drill; i++)
        if (json_object_get(result, of_a_drill[i]))
            json_object_set(value, of_a_drill[i], json_object_get(result, of_a_drill[i]));
    json_object_set_new(value, "confirmed", answer->confirmed ? json_true() : json_false());

    tally->n_items += json_array_size(items) ? (int)json_array_size(items) : 1;
    tally->overtime += answer->overtime;
    json_decref(result);
    return value;
}

static enum status round_json(json_t **out, struct progress *progress, const struct round *round,
                              const struct library *library, const char *language,
                              struct error *err)
{
    const struct round_kind *kind = round_kind(round->name);
    struct answer *answers;
    struct step *steps;
    int n, n_steps;
    struct tally tally = {0};
    *out = NULL;
    enum status status = answer_list(&answers, &n, progress, round->id, -1, err);
    if (status) return status;
    status = step_list(&steps, &n_steps, progress, round->id, err);
    if (status) {
        answer_list_done(answers, n);
        return status;
    }

    json_t *list = json_array(), *phases = json_array();
    for (int i = 0; i < n; i++)
        if (answers[i].score >= 0)
            json_array_append_new(list, answer_json(&tally, &answers[i], library, language));
    for (int i = 0; i < n_steps; i++) {
        const struct step_time time = step_time(&steps[i], round, clock_wall_ms(progress->clock));
        char *title = step_title(library, steps[i].phase, steps[i].item, language);
        json_array_append_new(
            phases, json_pack("{s:s, s:s, s:s, s:f, s:f}", "phase", steps[i].phase, "title", title,
                              "item", steps[i].item, "minutes", (double)time.budget_ms / 60000,
                              "minutes_used", (double)time.elapsed_ms / 60000));
        free(title);
    }
    *out = json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "round", round->name, "number",
                     kind ? kind->number : "", "title", kind ? _(kind->title) : round->name,
                     "state", round_state_name(round->state), "rehearsal",
                     round_is_rehearsal(round), "phases", phases, "answers", list);
    int n_scored;
    const double share = answer_share(&n_scored, answers, n, round->name);
    if (n_scored) {
        double low, high;
        report_range(&low, &high, share, tally.n_items);
        json_object_set_new(*out, "share", json_real(share));
        json_object_set_new(*out, "score", json_integer(report_score(share)));
        json_object_set_new(*out, "score_low", json_integer(report_score(fmin(low, share))));
        json_object_set_new(*out, "score_high", json_integer(report_score(fmax(high, share))));
        json_object_set_new(*out, "overtime", json_integer(tally.overtime));
    }
    free(steps);
    answer_list_done(answers, n);
    return STATUS_OK;
}

/* ---- what to do next ---- */

/* The command that practises an item; the caller frees it. */
static char *command_of(const char *item)
{
    static const struct {
        const char *kind, *command;
    } commands[] = {{"question/", "lcx ask"},
                    {"drill/", "lcx drill start"},
                    {"brief/", "lcx design"},
                    {"paper/", "lcx paper"},
                    {"story/", "lcx story rehearse"}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const size_t size = strlen(commands[i].kind);
        if (strncmp(item, commands[i].kind, size) != 0) continue;
        return text_printf("%s %.*s", commands[i].command, (int)strcspn(item + size, "/"),
                           item + size);
    }
    return text_copy("lcx today");
}

static enum status weakest_json(json_t **out, struct progress *progress,
                                const struct packet *packet, const struct library *library,
                                const char *language, struct error *err)
{
    struct weak_point *points;
    int n;
    *out = NULL;
    const enum status status = weak_points(&points, &n, progress, packet->id, N_WEAKEST, err);
    if (status) return status;
    *out = json_array();
    for (int i = 0; i < n; i++) {
        char *command = command_of(points[i].item);
        json_array_append_new(*out, json_pack("{s:s, s:s, s:s, s:f, s:s, s:s, s:s, s:s}", "item",
                                              points[i].item, "title",
                                              library_title(library, points[i].item, language),
                                              "round", points[i].round, "score", points[i].score,
                                              "ask", points[i].ask, "missing", points[i].missing,
                                              "sentence", points[i].sentence, "practise", command));
        free(command);
    }
    weak_points_done(points, n);
    return STATUS_OK;
}

enum status report_json(json_t **out, struct progress *progress, const struct packet *packet,
                        const struct library *library, const char *language, struct error *err)
{
    struct round *rounds;
    json_t *list = json_array(), *weakest = NULL;
    int n;
    *out = NULL;
    enum status status = round_list(&rounds, &n, progress, packet->id, 0, err);
    for (int i = 0; !status && i < n; i++) {
        json_t *value;
        status = round_json(&value, progress, &rounds[i], library, language, err);
        if (!status) {
            json_object_set_new(value, "day", json_integer(packet_day(packet, i)));
            json_array_append_new(list, value);
        }
    }
    if (!status) status = weakest_json(&weakest, progress, packet, library, language, err);
    free(rounds);
    if (status) {
        json_decref(list);
        return status;
    }
    char started[32];
    *out =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:f, s:I, s:s, s:o, s:o}", "schema", 1, "packet",
                  packet->id, "track", packet->track, "state", packet_state_name(packet->state),
                  "language", language, "exam", packet->exam, "time_factor", packet->time_factor,
                  "seed", (json_int_t)packet->seed, "started",
                  clock_utc(started, packet->started_ms), "rounds", list, "weakest", weakest);
    return STATUS_OK;
}

/* ---- Markdown ---- */

static const char *string_of(const json_t *object, const char *key)
{
    const char *string = json_string_value(json_object_get(object, key));
    return string ? string : "";
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* Words of the candidate inside a line of Markdown: no markup of theirs, nothing that moves a
 * cursor or reorders the line, one line. */
static void add_quoted(struct text *out, const char *words)
{
    struct text clean = {0};
    terminal_clean(&clean, words, strlen(words));
    const char *at = text_string(&clean);
    at += strspn(at, " \t\n");
    size_t marker = strspn(at, "0123456789"); /* "1. " would begin a list where a line begins */
    if (!strchr(".)-+=", at[marker])) marker = SIZE_MAX;
    for (size_t i = 0; at[i]; i++) {
        const char c = at[i];
        if (i == marker || strchr("\\`*_{}[]<>#|~&", c)) text_add_char(out, '\\');
        text_add_char(out, c == '\n' || c == '\t' ? ' ' : c);
    }
    text_done(&clean);
}

/* An answer as one quotation that keeps its lines. */
static void add_quotation(struct text *out, const char *words)
{
    bool open = false; /* a line that is not empty came before */
    for (const char *at = words; *at;) {
        const size_t size = strcspn(at, "\n");
        char *line = text_printf("%.*s", (int)size, at);
        const bool blank = line[strspn(line, " \t\r")] == '\0';
        if (blank) {
            text_add(out, open ? "\n>" : "");
        } else {
            text_add(out, open ? "  \n> " : "> "); /* two spaces: the line ends here */
            add_quoted(out, line);
            open = true;
        }
        free(line);
        at += size + (at[size] == '\n');
    }
    text_add(out, "\n\n");
}

static const char *score_words(int score)
{
    static const char *const words[] = {N_("strong no"), N_("no"), N_("yes"), N_("strong yes")};
    return _(words[score - 1]);
}

static void add_verdicts(struct text *out, const json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *verdict = string_of(item, "verdict");
        text_add(out, "- ");
        text_add(out, strcmp(verdict, "found") == 0          ? _("found")
                      : strcmp(verdict, "contradicted") == 0 ? _("contradicted")
                                                             : _("not found"));
        text_add(out, ": ");
        add_quoted(out, string_of(item, "text"));
        if (*string_of(item, "sentence")) {
            text_add(out, " — “");
            add_quoted(out, string_of(item, "sentence"));
            text_add(out, "”");
        }
        if (*string_of(item, "graded")) text_format(out, " *(%s)*", _("corrected by you"));
        text_add(out, "\n");
    }
}

/* "drill: passed, PyTorch, submitted 2 times, 1 hint, scale-missing" */
static void add_drill(struct text *out, const json_t *answer)
{
    const long submitted = (long)json_integer_value(json_object_get(answer, "submitted"));
    const long hints = (long)json_integer_value(json_object_get(answer, "hints"));
    const char *diagnosis = string_of(answer, "diagnosis");
    text_format(out, "%s: %s", _("drill"), _(string_of(answer, "state")));
    if (*string_of(answer, "lane")) text_format(out, ", %s, ", string_of(answer, "lane"));
    if (json_object_get(answer, "submitted"))
        text_format(out,
                    ngettext("submitted once", "submitted %ld times", (unsigned long)submitted),
                    submitted);
    if (hints) {
        text_add(out, ", ");
        text_format(out, ngettext("%ld hint", "%ld hints", (unsigned long)hints), hints);
    }
    text_format(out, "%s%s\n", *diagnosis ? ", " : "", diagnosis);
}

static void add_answer(struct text *out, const json_t *answer)
{
    text_format(out, "\n### %.0f %%: ", 100 * number_of(answer, "score"));
    add_quoted(out, string_of(answer, "ask"));
    text_add(out, "\n\n");
    if (json_is_true(json_object_get(answer, "overtime")))
        text_format(out, "*%s*\n\n", _("over time"));
    if (*string_of(answer, "text")) {
        add_quotation(out, string_of(answer, "text"));
    } else {
        text_format(out, "*%s*\n\n", _("passed over"));
    }
    if (*string_of(answer, "state")) add_drill(out, answer);
    add_verdicts(out, json_object_get(answer, "items"));
}

static void add_round(struct text *out, const json_t *round)
{
    const json_t *answers = json_object_get(round, "answers");
    const json_t *phases = json_object_get(round, "phases");
    text_format(out, "\n## %s. %s\n\n", string_of(round, "number"), string_of(round, "title"));
    if (json_array_size(answers) == 0) {
        text_format(out, "%s\n", _("Nothing was seen of this round."));
        return;
    }
    const int score = (int)number_of(round, "score");
    text_format(out, _("**%d of 4: %s** (from %d to %d), %.0f %% of what was looked for"), score,
                score_words(score), (int)number_of(round, "score_low"),
                (int)number_of(round, "score_high"), 100 * number_of(round, "share"));
    if (strcmp(string_of(round, "state"), "done") != 0)
        text_format(out, _("; not sat to its end: %zu answers were seen"),
                    json_array_size(answers));
    text_add(out, json_is_true(json_object_get(round, "rehearsal"))
                      ? _("; a rehearsal, which does not count\n\n")
                      : "\n\n");
    for (size_t i = 0; i < json_array_size(phases); i++) {
        const json_t *phase = json_array_get(phases, i);
        text_format(out, _("- %s: %.1f of %.1f minutes\n"), string_of(phase, "title"),
                    number_of(phase, "minutes_used"), number_of(phase, "minutes"));
    }
    for (size_t i = 0; i < json_array_size(answers); i++)
        add_answer(out, json_array_get(answers, i));
}

static void add_weakest(struct text *out, const json_t *weakest)
{
    text_format(out, "\n## %s\n\n", _("The weakest points, and what to practise next"));
    if (json_array_size(weakest))
        text_format(out, "%s\n\n",
                    _("The lowest scores, one for each question, brief, paper, story or drill. Of "
                      "equals, what was said wrongly comes before what was not said."));
    if (json_array_size(weakest) == 0) text_format(out, "%s\n", _("None was seen."));
    for (size_t i = 0; i < json_array_size(weakest); i++) {
        const json_t *point = json_array_get(weakest, i);
        text_format(out, "%zu. ", i + 1);
        add_quoted(out, string_of(point, "ask"));
        text_format(out, " — %.0f %%. ", 100 * number_of(point, "score"));
        text_format(out, "%s ", _("Missing:"));
        add_quoted(out, string_of(point, "missing"));
        text_add(out, ". ");
        if (*string_of(point, "sentence")) {
            text_format(out, "%s “", _("Said instead:"));
            add_quoted(out, string_of(point, "sentence"));
            text_add(out, "” ");
        }
        text_format(out, "%s `%s`\n", _("Practise:"), string_of(point, "practise"));
    }
}

void report_markdown(struct text *out, const json_t *report)
{
    const json_t *rounds = json_object_get(report, "rounds");
    const bool scientist = strcmp(string_of(report, "track"), "scientist") == 0;

    text_format(out, "# %s\n\n",
                scientist ? _("Interview packet: research scientist")
                          : _("Interview packet: engineer"));
    text_format(out, "%s %s, %s, %s %lld", _("Begun"), string_of(report, "started"),
                json_is_true(json_object_get(report, "exam")) ? _("exam") : _("practice"),
                _("seed"), (long long)json_integer_value(json_object_get(report, "seed")));
    if (number_of(report, "time_factor") != 1)
        text_format(out, _(", all clocks times %g"), number_of(report, "time_factor"));
    text_add(out, "\n\n");
    text_format(out, "| | %s | %s | %s |\n|---|---|---|---|\n", _("Round"), _("Score"), _("Range"));
    for (size_t i = 0; i < json_array_size(rounds); i++) {
        const json_t *round = json_array_get(rounds, i);
        text_format(out, "| %s | %s | ", string_of(round, "number"), string_of(round, "title"));
        if (json_object_get(round, "score"))
            text_format(out, "%d | %d–%d |\n", (int)number_of(round, "score"),
                        (int)number_of(round, "score_low"), (int)number_of(round, "score_high"));
        else text_format(out, "%s | |\n", _("not sat"));
    }
    text_format(out, "\n%s\n",
                _("1 strong no, 2 no, 3 yes, 4 strong yes. A score is the share of what the rubric "
                  "looked for; the range says how sure that is. Nothing here predicts an offer."));
    add_weakest(out, json_object_get(report, "weakest"));
    for (size_t i = 0; i < json_array_size(rounds); i++) add_round(out, json_array_get(rounds, i));
}
