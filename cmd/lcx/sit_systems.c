/* sit_systems.c -- the first half of a design: requirements found by asking, and the estimate. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/capacity.h"
#include "plan/unit.h"
#include "rounds/clarify.h"
#include "rounds/estimate.h"
#include "sit.h"

static const struct brief *brief_of(const struct sit *sit, const struct step *step)
{
    return library_brief(sit->library, step->item);
}

/* ---- clarify ---- */

/* Tell the answers of the cards that a question found, or that it found none. */
static void tell_cards(const struct sit *sit, const struct clarify *clarify)
{
    if (clarify->n == 0)
        sit_say(sit, 2,
                clarify->assumed
                    ? _("Noted, though nothing in this system hangs on it.")
                    : _("I have nothing on that. Ask about one thing at a time, or assume."));
    for (int i = 0; i < clarify->n; i++) {
        char *answer = sit_fill(sit, words_in(&clarify->cards[i]->answer, sit->round->language));
        if (clarify->assumed) {
            sit_say(sit, 2, _("An assumption is fine; it earns half of what asking does."));
        } else {
            sit_say(sit, 2, answer);
        }
        free(answer);
    }
}

enum sit_end sit_cards(struct sit *sit, struct step *step)
{
    const struct brief *brief = brief_of(sit, step);
    struct text line = {0};
    struct error err;
    char *vague = sit_fill(sit, words_in(&brief->vague, sit->round->language));

    sit_say(sit, 0, vague);
    free(vague);
    fputc('\n', stdout);
    sit_say(
        sit, 0,
        _("Ask what you need to know, one question a line; each answer takes 10 to 30 seconds of the "
          "clock, as it does in a room. \"assume ...\" states an assumption. :d when you know "
          "enough."));
    enum sit_end end;
    for (;;) {
        end = sit_line(sit, step, "? ", &line);
        if (end != SIT_DONE) break;
        if (text_string(&line)[strspn(text_string(&line), " \t.")] == '\0') continue;
        struct clarify clarify;
        if (clarify_ask(&clarify, sit->app->progress, sit->round, step, brief, text_string(&line),
                        &err)) {
            app_fail(sit->app, &err);
            end = SIT_TROUBLE;
            break;
        }
        tell_cards(sit, &clarify);
        if (!sit->round->exam && clock_wall_ms(sit->app->clock) >= step->deadline_ms) {
            app_print(sit->app, _("The phase's time is over; :d goes on.\n"));
        }
    }
    text_done(&line);
    if (end != SIT_SKIPPED) return end;

    struct answer answer;
    if (clarify_end(&answer, sit->app->progress, sit->round, step, brief, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    if (!sit->round->exam) sit_show_result(sit, &answer, false);
    answer_done(&answer);
    return SIT_DONE;
}

/* ---- estimate ---- */

/* The variables with what was told of them (in practice everything was, at the end of the questions),
 * and the estimates that are wanted. */
static enum status show_sheet(const struct sit *sit, const struct brief *brief, struct error *err)
{
    const bool spanish = strcmp(sit->round->language, "es") == 0;
    bool *told = memory_new(brief->variables_count + 1, sizeof *told);
    const enum status status = clarify_told(told, sit->app->progress, sit->round, brief, err);
    struct text out = {0};
    app_paragraph(sit->app, &out, 0,
                  _("Estimate, one line each: name = number unit. The first block is what you may "
                    "assume, with what you were told; what you leave out is taken as it is. The "
                    "second is what you are to find. :d when you are done."));
    text_add(&out, "\n");
    for (unsigned i = 0; !status && i < brief->variables_count; i++) {
        const struct brief_variable *variable = &brief->variables[i];
        char *name = text_printf("{%s}", variable->name);
        char *value = told[i] || !sit->round->exam ? sit_fill(sit, name) : text_copy("");
        text_format(&out, "  %-16s %11s %-8s %s\n", variable->name, value, variable->unit,
                    spanish ? variable->es : variable->en);
        free(name);
        free(value);
    }
    text_add(&out, "\n");
    for (unsigned i = 0; i < brief->estimates_count; i++) {
        const struct brief_estimate *estimate = &brief->estimates[i];
        text_format(&out, "  %-16s %11s %-8s %s\n", estimate->name, "?", estimate->unit,
                    spanish ? estimate->es : estimate->en);
    }
    text_add(&out, "\n");
    if (!status) app_print(sit->app, text_string(&out));
    text_done(&out);
    free(told);
    return status;
}

void sit_reference(struct sit *sit, const struct brief *brief)
{
    const unsigned n = brief->variables_count + brief->estimates_count;
    struct expression_value *values;
    struct text named = {0}, figures = {0};
    struct error err;
    if (sit->reference_told || brief_draw(&values, brief, -1, &err)) return;
    sit->reference_told = true;
    for (unsigned i = 0; i < n; i++) {
        const bool variable = i < brief->variables_count;
        if (variable && brief->variables[i].choices_count == 1) continue;
        const char *unit =
            variable ? brief->variables[i].unit : brief->estimates[i - brief->variables_count].unit;
        text_format(&named, "%s%s {%s}%s%s", named.size ? ", " : "", values[i].name, values[i].name,
                    *unit ? " " : "", unit);
    }
    brief_fill(&figures, text_string(&named), values, (int)n);
    char *words = text_printf(_("From here on we both reckon with one system, whatever you found: "
                                "%s."),
                              text_string(&figures));
    sit_say(sit, 0, words);
    fputc('\n', stdout);
    free(words);
    text_done(&named);
    text_done(&figures);
    free(values);
}

enum sit_end sit_worksheet(struct sit *sit, struct step *step)
{
    const struct brief *brief = brief_of(sit, step);
    struct text line = {0};
    struct error err;
    struct estimate sheet;
    enum sit_end end;

    if (show_sheet(sit, brief, &err) ||
        estimate_open(&sheet, sit->app->progress, sit->round, step, brief, sit->figures, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    for (;;) {
        end = sit_line(sit, step, "= ", &line);
        if (end != SIT_DONE) break;
        const char *words = text_string(&line);
        if (words[strspn(words, " \t.")] == '\0') continue;
        const enum status status = estimate_line(&sheet, words, &err);
        if (status == STATUS_IO || status == STATUS_CONFLICT) {
            app_fail(sit->app, &err);
            end = SIT_TROUBLE;
            break;
        }
        if (status) sit_say(sit, 2, err.message);
    }
    text_done(&line);
    if (end == SIT_SKIPPED) {
        struct answer answer;
        end = SIT_DONE;
        if (estimate_end(&answer, &sheet, &err)) {
            app_fail(sit->app, &err);
            end = SIT_TROUBLE;
        } else {
            if (!sit->round->exam) sit_show_result(sit, &answer, false);
            answer_done(&answer);
        }
    }
    estimate_done(&sheet);
    return end;
}
