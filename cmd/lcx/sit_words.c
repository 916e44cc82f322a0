/* sit_words.c -- questions answered in words: ask, answer, grade, confirm. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "rounds/judge.h"
#include "rounds/walk.h"
#include "rounds/weak.h"
#include "sit.h"

enum { LONG_MINUTES = 4, FLIP_LIMIT = 16 };

void sit_say(const struct sit *sit, int indent, const char *words)
{
    struct text out = {0}, clean = {0};
    terminal_clean(&clean, words, strlen(words)); /* it may quote an answer */
    app_paragraph(sit->app, &out, indent, text_string(&clean));
    app_print(sit->app, text_string(&out));
    text_done(&clean);
    text_done(&out);
}

char *sit_fill(const struct sit *sit, const char *words)
{
    struct text out = {0};
    brief_fill(&out, words, sit->figures, sit->n_figures);
    return out.data ? text_take(&out) : text_copy("");
}

/* ---- what is asked ---- */

/* "weak-2": the second weakest point of the packet, quoted before the manager's question. */
static char *weak_ask(struct sit *sit, const struct step *step, const char *ask)
{
    struct weak_point *points;
    struct error err;
    int n;
    const int wanted = step->phase[strlen(step->phase) - 1] - '1';
    const char *packet = *sit->round->packet ? sit->round->packet : NULL;

    if (wanted < 0) return text_copy(ask);
    if (weak_points(&points, &n, sit->app->progress, packet, wanted + 1, &err)) {
        app_note(sit->app, "%s", err.message);
        return text_copy(ask);
    }
    char *words = text_copy(ask);
    if (n > wanted) {
        const struct weak_point *point = &points[wanted];
        free(words);
        words = text_printf(
            *point->sentence ? _("In the %s round you were asked: \"%s\" You said: \"%s\" What "
                                 "was missing: %s. %s")
                             : _("In the %s round you were asked: \"%s\"%s What was missing: %s. "
                                 "%s"),
            phase_title(point->round), point->ask, point->sentence, point->missing, ask);
    }
    weak_points_done(points, n);
    return words;
}

static char *ask_of(struct sit *sit, const struct step *step, const struct question_node *node)
{
    char *ask = sit_fill(sit, words_in(&node->ask, sit->round->language));
    if (strncmp(step->phase, "weak-", 5) != 0) return ask;
    char *quoted = weak_ask(sit, step, ask);
    free(ask);
    return quoted;
}

/* ---- what came of it ---- */

/* "found", padded and coloured. */
static void add_verdict(const struct sit *sit, struct text *out, const char *verdict)
{
    enum { WIDTH = 14 };
    const bool found = verdict && strcmp(verdict, "found") == 0;
    const bool contradicted = verdict && strcmp(verdict, "contradicted") == 0;
    const char *words = found ? _("found") : contradicted ? _("contradicted") : _("not found");
    const enum style style = found ? STYLE_GOOD : contradicted ? STYLE_BAD : STYLE_DIM;
    terminal_paint(out, &sit->app->out, style, words);
    for (int i = terminal_columns(words, strlen(words)); i < WIDTH; i++) text_add_char(out, ' ');
}

/*   3  not found     what was looked for
 *                    “the sentence that decided”
 *                    -> the correction                                                          */
static void show_item(const struct sit *sit, const json_t *item, int number)
{
    static const char margin[] = "                   ";
    const char *sentence = json_string_value(json_object_get(item, "sentence"));
    const char *correction = json_string_value(json_object_get(item, "correction"));
    const char *words = json_string_value(json_object_get(item, "text"));
    struct text first = {0}, out = {0};
    const int width = sit->app->out.width;

    if (number > 0) text_format(&first, "%3d  ", number);
    else text_add(&first, "     ");
    add_verdict(sit, &first, json_string_value(json_object_get(item, "verdict")));
    terminal_wrap(&out, words ? words : "", width, text_string(&first), margin, false);
    if (sentence) {
        struct text quoted = {0};
        text_add(&quoted, "“");
        terminal_clean(&quoted, sentence, strlen(sentence));
        text_add(&quoted, "”");
        for (char *c = quoted.data; *c; c++)
            if (*c == '\n') *c = ' ';
        terminal_wrap(&out, text_string(&quoted), width, margin, margin, false);
        text_done(&quoted);
    }
    if (correction) {
        char *arrow = text_printf("-> %s", correction);
        terminal_wrap(&out, arrow, width, margin, margin, false);
        free(arrow);
    }
    app_print(sit->app, text_string(&out));
    text_done(&first);
    text_done(&out);
}

void sit_show_result(const struct sit *sit, const struct answer *answer, bool numbered)
{
    json_t *result;
    struct error err;
    if (json_parse(&result, answer->result, strlen(answer->result), &err)) {
        app_note(sit->app, "%s", err.message);
        return;
    }
    const json_t *items = json_object_get(result, "items");
    if (answer->score >= 0)
        printf("\n  %.0f %%%s\n", 100 * answer->score, answer->overtime ? _("   (overtime)") : "");
    for (size_t i = 0; i < json_array_size(items); i++)
        show_item(sit, json_array_get(items, i), numbered ? (int)i + 1 : 0);
    fputc('\n', stdout);
    json_decref(result);
}

/* "2 5" -> {1, 4}; false when it is something else. */
static bool read_places(int *places, int *n, const char *line, int limit)
{
    *n = 0;
    for (const char *at = line; *at;) {
        if (isspace((unsigned char)*at) || *at == ',') {
            at++;
            continue;
        }
        char *end;
        const long place = strtol(at, &end, 10);
        if (end == at || place < 1 || place > limit || *n == FLIP_LIMIT) return false;
        places[(*n)++] = (int)place - 1;
        at = end;
    }
    return true;
}

enum sit_end sit_confirm(struct sit *sit, struct step *step, struct answer *answer)
{
    struct text line = {0};
    struct error err;
    json_t *result;
    int places[FLIP_LIMIT], n = 0;
    if (json_parse(&result, answer->result, strlen(answer->result), &err)) return SIT_DONE;

    const int n_items = (int)json_array_size(json_object_get(result, "items"));
    enum sit_end end;
    for (;;) {
        sit_say(
            sit, 0,
            _("Is that what you said? Enter: yes. Or the numbers of the lines that are wrong: each "
              "is turned over."));
        end = sit_line(sit, step, "", &line);
        if (end != SIT_DONE || read_places(places, &n, text_string(&line), n_items)) break;
        char *words = text_printf(_("Expected numbers from 1 to %d, or nothing.\n"), n_items);
        app_print(sit->app, words);
        free(words);
    }
    if (end == SIT_DONE) {
        char *confirmed;
        const double score = judge_confirm(&confirmed, result, places, n);
        if (answer_confirm(answer, sit->app->progress, confirmed, score, &err)) {
            app_fail(sit->app, &err);
            end = SIT_TROUBLE;
        }
        free(confirmed);
        if (end == SIT_DONE && n) printf(_("\n  Corrected: %.0f %%\n\n"), 100 * score);
    }
    json_decref(result);
    text_done(&line);
    return end == SIT_SKIPPED ? SIT_DONE : end;
}

void sit_show_model(const struct sit *sit, const struct question_node *node, bool is_example)
{
    const char *language = sit->round->language;
    char *answer = sit_fill(sit, words_in(&node->answer, language));
    struct text out = {0};
    app_heading(sit->app, &out,
                is_example ? _("A strong answer, to another weak point") : _("A strong answer"));
    for (char *at = answer; *at;) {
        char *end = strstr(at, "\n\n");
        if (end) *end = '\0';
        app_paragraph(sit->app, &out, 2, at);
        text_add_char(&out, '\n');
        if (!end) break;
        at = end + 2;
    }
    for (unsigned i = 0; i < node->numbers_count; i++) {
        const struct question_number *number = &node->numbers[i];
        char *line =
            text_printf("%s: %.6g%s%s (%s)", strcmp(language, "es") == 0 ? number->es : number->en,
                        number->value, *number->unit ? " " : "", number->unit,
                        *number->from ? number->from : number->source);
        app_paragraph(sit->app, &out, 2, line);
        free(line);
    }
    if (node->numbers_count) text_add(&out, "\n");
    app_print(sit->app, text_string(&out));
    text_done(&out);
    free(answer);
}

/* ---- the step ---- */

static const struct question *question_of(const struct sit *sit, const struct step *step)
{
    return text_starts_with(step->item, "question/") ? library_question(sit->library, step->item)
                                                     : NULL;
}

/* Ask the second reader, when one is set. What it cannot say changes nothing. */
static void consult(const struct sit *sit, const struct question_node *node, const char *text,
                    json_t *result, double *score)
{
    struct examiner examiner;
    struct error err;
    double second;
    bool counts;
    if (!*text || !app_examiner(sit->app, &examiner, &counts)) return;
    json_t *examined = json_deep_copy(result);
    if (examiner_grade(&second, examined, &examiner, node, sit->round->language, text, counts,
                       &err)) {
        app_note(sit->app, _("the examiner did not answer: %s"), err.message);
    } else {
        json_object_update(result, examined);
        if (counts) *score = second;
    }
    json_decref(examined);
}

/* Grade and store; the answer is the caller's (answer_done). */
static enum sit_end keep(struct sit *sit, struct step *step, const struct question_node *node,
                         const char *ask, struct sit_reply *reply, struct answer *answer)
{
    struct error err;
    json_t *result;
    double score;
    char item[STEP_ITEM_SIZE];
    const struct question *question = question_of(sit, step);
    const bool self_marked = question && question->self_marked && *question->self_marked;

    *answer = (struct answer){.started_ms = reply->started_ms, .submitted_ms = reply->submitted_ms};
    if (library_node(sit->library, step->item)) snprintf(item, sizeof item, "%s", step->item);
    else library_item(item, step->item, node->id);
    snprintf(answer->item, sizeof answer->item, "%s", item);
    answer->ask = text_copy(ask);
    answer->text = text_copy(text_string(&reply->text));
    enum status status =
        judge_text(&result, &score, node, sit->round->language, answer->text, &err);
    if (!status) consult(sit, node, answer->text, result, &score);
    if (!status) {
        answer->score = self_marked ? -1 : score;
        answer->result = json_line(result);
        json_decref(result);
        status = answer_add(answer, sit->app->progress, sit->round, step, &err);
    }
    if (!status && !self_marked)
        status =
            judge_remember(sit->app->progress, sit->round, item, score, answer->overtime, &err);
    if (!status) return SIT_DONE;
    app_fail(sit->app, &err);
    answer_done(answer);
    return SIT_TROUBLE;
}

static enum sit_end one_node(struct sit *sit, struct step *step, const struct question_node *node,
                             int place)
{
    struct sit_reply reply = {0};
    struct answer answer;
    char *ask = ask_of(sit, step, node);

    if (sit->round->exam && place > 0) fputc('\n', stdout);
    sit_say(sit, 0, ask);
    fputc('\n', stdout);
    enum sit_end end = sit_answer(sit, step, place, ask, node->minutes >= LONG_MINUTES, &reply);
    const bool passed_over = end == SIT_SKIPPED;
    if (passed_over) { /* an empty answer is an answer: it was asked and nothing was said */
        text_clear(&reply.text);
        reply.submitted_ms = step_submitted_ms(step, sit->app->progress, sit->round);
        end = SIT_DONE;
    }
    if (end == SIT_DONE) {
        end = keep(sit, step, node, ask, &reply, &answer);
        if (end == SIT_DONE) {
            if (!sit->round->exam && !passed_over) {
                sit_show_result(sit, &answer, true);
                end = sit_confirm(sit, step, &answer);
            }
            const bool again = text_starts_with(step->phase, "weak-") &&
                               strcmp(step->phase, "weak-1") != 0; /* the example was shown */
            if (!sit->round->exam && end == SIT_DONE && !again)
                sit_show_model(sit, node, text_starts_with(step->phase, "weak-"));
            answer_done(&answer);
        }
    }
    text_done(&reply.text);
    free(ask);
    return end;
}

static bool time_is_over(const struct sit *sit, const struct step *step)
{
    return step->deadline_ms && clock_wall_ms(sit->app->clock) >= step->deadline_ms;
}

enum sit_end sit_words(struct sit *sit, struct step *step)
{
    const struct brief *brief =
        text_starts_with(step->item, "brief/") ? library_brief(sit->library, step->item) : NULL;
    if (brief) sit_reference(sit, brief);
    for (;;) {
        struct answer *answers;
        struct error err;
        int n, place = 0;
        if (answer_list(&answers, &n, sit->app->progress, sit->round->id, -1, &err)) {
            app_fail(sit->app, &err);
            return SIT_TROUBLE;
        }
        const struct question_node *node = walk_next(sit->library, sit->round, step, answers, n);
        for (int i = 0; i < n; i++)
            if (answers[i].step == step->place) place++;
        answer_list_done(answers, n);

        /* At zero no further follow-up is asked; the first question always is. */
        if (!node || (place > 0 && time_is_over(sit, step))) return SIT_DONE;
        const enum sit_end end = one_node(sit, step, node, place);
        if (end != SIT_DONE) return end;
    }
}
