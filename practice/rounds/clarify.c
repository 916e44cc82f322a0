#include "rounds/clarify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "grader/rubric.h"
#include "rounds/draw.h"

/* ---- matching ---- */

/* A question is no sentence to be judged: "peak traffic?" is a fair one. The cards' lines are read as
 * a rubric's items, one card each. */
static struct rubric rubric_of(const struct brief *brief)
{
    struct rubric rubric = {.items = memory_new(brief->cards_count, sizeof *rubric.items),
                            .items_count = brief->cards_count};
    for (unsigned i = 0; i < brief->cards_count; i++)
        rubric.items[i] = (struct rubric_item){.name = brief->cards[i].name,
                                               .weight = brief->cards[i].weight,
                                               .found = brief->cards[i].asked};
    return rubric;
}

static bool is_assumption(const char *question)
{
    static const char *const words[] = {"assum", "suppos",    "supon", "supong",
                                        "asum",  "let's say", "say ",  "digamos"};
    struct prose prose;
    bool is_one = false;
    if (prose_read(&prose, question, NULL)) return false;
    for (int i = 0; i < prose.n_sentences; i++)
        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            const char *at = strstr(prose.sentences[i].folded, words[j]);
            if (at && (at == prose.sentences[i].folded || at[-1] == ' ')) is_one = true;
        }
    is_one = is_one && prose.n_questions == 0;
    prose_done(&prose);
    return is_one;
}

enum status clarify_match(struct clarify *clarify, const struct brief *brief, const char *language,
                          const char *question, struct error *err)
{
    struct rubric rubric = rubric_of(brief);
    struct rubric_reader *reader;
    struct rubric_grade grade = {0};

    *clarify = (struct clarify){.assumed = is_assumption(question)};
    enum status status = rubric_open(&reader, &rubric, language, err);
    if (!status) {
        rubric_accept_keywords(reader);
        status = rubric_apply(&grade, reader, question, err);
        for (int i = 0; !status && i < grade.n_findings; i++)
            if (grade.findings[i].verdict == RUBRIC_FOUND &&
                clarify->n < CLARIFY_CARDS_PER_QUESTION)
                clarify->cards[clarify->n++] = &brief->cards[i];
        rubric_grade_done(&grade);
        rubric_close(reader);
    }
    free(rubric.items);
    return status;
}

enum known { CARD_UNKNOWN, CARD_ASSUMED, CARD_ASKED };

/* What is known of a card, from the stored questions. */
static enum known known_of(const struct answer *answers, int n, const char *card)
{
    enum known known = CARD_UNKNOWN;
    for (int i = 0; i < n; i++) {
        json_t *result;
        if (json_parse(&result, answers[i].result, strlen(answers[i].result), NULL)) continue;
        const bool assumed = json_is_true(json_object_get(result, "assumed"));
        const json_t *cards = json_object_get(result, "cards");
        for (size_t j = 0; j < json_array_size(cards); j++) {
            const char *name = json_string_value(json_array_get(cards, j));
            const enum known now = assumed ? CARD_ASSUMED : CARD_ASKED;
            if (name && strcmp(name, card) == 0 && now > known) known = now;
        }
        json_decref(result);
    }
    return known;
}

enum status clarify_ask(struct clarify *clarify, struct progress *progress,
                        const struct round *round, struct step *step, const struct brief *brief,
                        const char *question, struct error *err)
{
    struct answer *before;
    int n_before;
    enum status status = clarify_match(clarify, brief, round->language, question, err);
    if (!status) status = answer_list(&before, &n_before, progress, round->id, step->place, err);
    if (status) return status;

    json_t *cards = json_array();
    double seconds = 0;
    for (int i = 0; i < clarify->n; i++) {
        json_array_append_new(cards, json_string(clarify->cards[i]->name));
        if (!clarify->assumed && known_of(before, n_before, clarify->cards[i]->name) != CARD_ASKED)
            seconds += clarify->cards[i]->seconds;
    }
    answer_list_done(before, n_before);
    json_t *result = json_pack("{s:b, s:o}", "assumed", clarify->assumed, "cards", cards);
    struct answer answer = {.ask = text_copy("?"),
                            .text = text_copy(question),
                            .started_ms = step->started_ms,
                            .score = -1,
                            .result = json_line(result)};
    json_decref(result);
    char *item = text_printf("%s/clarify", step->item);
    strncat(answer.item, item, sizeof answer.item - 1);
    free(item);
    status = answer_add(&answer, progress, round, step, err);
    answer_done(&answer);
    if (!status && seconds > 0)
        status =
            step_spend(step, progress, round, llround(seconds * 1000 * round->time_factor), err);
    return status;
}

/* ---- the end ---- */

enum status clarify_end(struct answer *answer, struct progress *progress, const struct round *round,
                        const struct step *step, const struct brief *brief, struct error *err)
{
    struct answer *asked;
    int n;
    *answer = (struct answer){0};
    enum status status = answer_list(&asked, &n, progress, round->id, step->place, err);
    if (status) return status;

    const char *language = round->language;
    const int n_figures = (int)(brief->variables_count + brief->estimates_count);
    struct expression_value *figures;
    status = brief_draw(&figures, brief, round->seed, err);
    if (status) {
        answer_list_done(asked, n);
        return status;
    }
    json_t *items = json_array();
    double all = 0, got = 0;
    for (unsigned i = 0; i < brief->cards_count; i++) {
        const struct brief_card *card = &brief->cards[i];
        const enum known known = known_of(asked, n, card->name);
        all += card->weight;
        got += card->weight * (known == CARD_ASKED ? 1 : known == CARD_ASSUMED ? 0.5 : 0);
        struct text text = {0}, correction = {0};
        if (known == CARD_ASSUMED)
            text_add(&text, _("you assumed, which counts half; asked, you would have heard: "));
        brief_fill(&text, words_in(&card->answer, language), figures, n_figures);
        json_t *item =
            json_pack("{s:s, s:i, s:s, s:s}", "name", card->name, "weight", card->weight, "verdict",
                      known ? "found" : "not-found", "text", text_string(&text));
        if (!known) {
            brief_fill(&correction, words_in(&card->consequence, language), figures, n_figures);
            json_object_set_new(item, "correction", json_string(text_string(&correction)));
        }
        json_array_append_new(items, item);
        text_done(&text);
        text_done(&correction);
    }
    struct text ask = {0};
    text_format(&ask, "%s: ", phase_title(step->phase));
    brief_fill(&ask, words_in(&brief->vague, language), figures, n_figures);
    free(figures);
    json_t *result =
        json_pack("{s:f, s:s, s:o}", "score", got / all, "language", language, "items", items);
    *answer = (struct answer){
        .ask = text_copy(text_string(&ask)),
        .text = text_printf(ngettext("%d question", "%d questions", (unsigned long)n), n),
        .started_ms = step->started_ms,
        .submitted_ms = step_submitted_ms(step, progress, round),
        .score = got / all,
        .result = json_line(result)};
    json_decref(result);
    text_done(&ask);
    answer_list_done(asked, n);
    char *item = text_printf("%s/clarify", step->item);
    strncat(answer->item, item, sizeof answer->item - 1);
    free(item);
    status = answer_add(answer, progress, round, step, err);
    if (status) answer_done(answer);
    return status;
}

enum status clarify_told(bool *told, struct progress *progress, const struct round *round,
                         const struct brief *brief, struct error *err)
{
    struct answer *asked;
    int n;
    for (unsigned v = 0; v < brief->variables_count; v++) told[v] = false;
    const enum status status = answer_list(&asked, &n, progress, round->id, -1, err);
    if (status) return status;
    for (unsigned i = 0; i < brief->cards_count; i++) {
        if (known_of(asked, n, brief->cards[i].name) != CARD_ASKED) continue;
        for (unsigned v = 0; v < brief->variables_count; v++) {
            char *named = text_printf("{%s}", brief->variables[v].name);
            if (strstr(words_in(&brief->cards[i].answer, round->language), named)) told[v] = true;
            free(named);
        }
    }
    answer_list_done(asked, n);
    return STATUS_OK;
}
