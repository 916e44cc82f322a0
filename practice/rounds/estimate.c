#include "rounds/estimate.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/locale.h"
#include "base/text.h"
#include "plan/capacity.h"
#include "plan/unit.h"
#include "rounds/draw.h"

static enum number_style style_of(const struct round *round)
{
    return strcmp(round->language, "es") == 0 ? NUMBER_SPANISH : NUMBER_ENGLISH;
}

/* ---- one line ---- */

/* Where a name stands among the values; -1 when it is none of the sheet's. */
static int place_of(const struct estimate *estimate, const char *name, size_t size)
{
    const int n = (int)(estimate->brief->variables_count + estimate->brief->estimates_count);
    for (int i = 0; i < n; i++)
        if (strlen(estimate->assumed[i].name) == size &&
            strncmp(estimate->assumed[i].name, name, size) == 0)
            return i;
    return -1;
}

static const char *unit_of(const struct brief *brief, int place)
{
    const int n_variables = (int)brief->variables_count;
    return place < n_variables ? brief->variables[place].unit
                               : brief->estimates[place - n_variables].unit;
}

/* "12 GB" in the sheet's unit ("GiB"); a bare number is in that unit already. */
static bool read_value(double *value, const char *text, const char *unit, enum number_style style)
{
    struct quantity given, one;
    if (!quantity_parse(&given, text, strlen(text), style)) return false;
    *value = given.value;
    if (given.unit == UNIT_NONE && given.per == UNIT_NONE) return true;
    if (strcmp(unit, "x") == 0) return given.unit == UNIT_RATIO; /* "3x" */

    char *wanted = text_printf("1 %s", unit);
    const bool known = quantity_parse(&one, wanted, strlen(wanted), NUMBER_ENGLISH);
    free(wanted);
    if (!known || one.unit != given.unit || one.per != given.per) return false;
    *value = given.value / one.value;
    return true;
}

static enum status take(struct estimate *estimate, const char *line, struct error *err)
{
    while (isspace((unsigned char)*line)) line++;
    size_t size = 0;
    while (isalnum((unsigned char)line[size]) || line[size] == '_') size++;
    const char *at = line + size;
    while (isspace((unsigned char)*at)) at++;
    if (!size || *at != '=')
        return error_set(err, STATUS_USAGE, _("expected a line such as users = 10M"));
    at++;
    while (isspace((unsigned char)*at) || *at == '~') at++;

    const int place = place_of(estimate, line, size);
    if (place < 0) return error_set(err, STATUS_USAGE, _("the sheet has no %.*s"), (int)size, line);
    double value;
    const char *unit = unit_of(estimate->brief, place);
    if (!read_value(&value, at, unit, style_of(estimate->round)))
        return error_set(err, STATUS_USAGE, _("%.*s: expected a number%s%s, got %s"), (int)size,
                         line, *unit ? _(" in ") : "", unit, at);

    const int n_variables = (int)estimate->brief->variables_count;
    if (place < n_variables) {
        estimate->assumed[place].value = value;
        estimate->assumption[place] = true;
    } else {
        estimate->said[place - n_variables] = value;
    }
    return STATUS_OK;
}

/* The assumptions can be computed with: zero users leave nothing to divide by. */
static enum status check_assumed(const struct estimate *estimate, struct error *err)
{
    const size_t n = estimate->brief->variables_count + estimate->brief->estimates_count;
    struct expression_value *values = memory_new(n + 1, sizeof *values);
    memcpy(values, estimate->assumed, n * sizeof *values);
    const enum status status = brief_compute(values, estimate->brief, err);
    free(values);
    if (status && err) err->status = STATUS_USAGE;
    return status ? STATUS_USAGE : STATUS_OK;
}

/* Take a line, or leave the assumptions as they were. */
static enum status take_good(struct estimate *estimate, const char *line, struct error *err)
{
    const size_t n_variables = estimate->brief->variables_count;
    struct expression_value *assumed = memory_new(n_variables + 1, sizeof *assumed);
    bool *assumption = memory_new(n_variables + 1, sizeof *assumption);
    memcpy(assumed, estimate->assumed, n_variables * sizeof *assumed);
    memcpy(assumption, estimate->assumption, n_variables * sizeof *assumption);
    enum status status = take(estimate, line, err);
    if (!status) status = check_assumed(estimate, err);
    if (status) {
        memcpy(estimate->assumed, assumed, n_variables * sizeof *assumed);
        memcpy(estimate->assumption, assumption, n_variables * sizeof *assumption);
    }
    free(assumed);
    free(assumption);
    return status;
}

enum status estimate_line(struct estimate *estimate, const char *line, struct error *err)
{
    enum status status = take_good(estimate, line, err);
    if (status) return status;
    struct answer answer = {.ask = text_copy("="),
                            .text = text_copy(line),
                            .started_ms = estimate->step->started_ms,
                            .score = -1};
    char *item = text_printf("%s/estimate", estimate->step->item);
    strncat(answer.item, item, sizeof answer.item - 1);
    free(item);
    status = answer_add(&answer, estimate->progress, estimate->round, estimate->step, err);
    answer_done(&answer);
    return status;
}

/* ---- the sheet ---- */

enum status estimate_open(struct estimate *estimate, struct progress *progress,
                          const struct round *round, const struct step *step,
                          const struct brief *brief, const struct expression_value *figures,
                          struct error *err)
{
    struct answer *before;
    int n;
    const size_t n_values = brief->variables_count + brief->estimates_count;
    *estimate =
        (struct estimate){.progress = progress, .round = round, .step = step, .brief = brief};
    enum status status = answer_list(&before, &n, progress, round->id, step->place, err);
    if (status) return status;

    estimate->assumed = memory_new(n_values + 1, sizeof *estimate->assumed);
    memcpy(estimate->assumed, figures, n_values * sizeof *figures);
    estimate->said = memory_new(brief->estimates_count + 1, sizeof *estimate->said);
    estimate->assumption = memory_new(brief->variables_count + 1, sizeof *estimate->assumption);
    for (unsigned i = 0; i < brief->estimates_count; i++) estimate->said[i] = NAN;
    for (int i = 0; i < n; i++)
        if (take_good(estimate, before[i].text, NULL)) continue; /* not of this sheet any more */
    answer_list_done(before, n);
    return STATUS_OK;
}

void estimate_done(struct estimate *estimate)
{
    free(estimate->assumed);
    free(estimate->said);
    free(estimate->assumption);
    *estimate = (struct estimate){0};
}

/* What is said of one estimate: its share of the weight, and in words. */
static double judge(struct text *words, const struct brief_estimate *estimate, double said,
                    double computed, enum number_style style)
{
    if (isnan(said)) {
        text_add(words, _("not given"));
        return 0;
    }
    const struct capacity_check check = capacity_check(said, computed);
    struct text number = {0};
    number_text(&number, said, 4, style);
    text_format(words, _("you: %s%s%s, "), text_string(&number), *estimate->unit ? " " : "",
                estimate->unit);
    text_done(&number);
    switch (check.verdict) {
    case VERDICT_CLOSE: text_add(words, _("close")); return 1;
    case VERDICT_ORDER: text_add(words, _("the order of magnitude, which counts half")); return 0.5;
    case VERDICT_UNIT:
        text_format(words, _("off by a factor of %g: %s"), check.factor,
                    check.reason ? _(check.reason) : "");
        return 0.25;
    case VERDICT_WRONG:
        text_format(words, _("%.2g times what it should be"), check.ratio);
        return 0;
    }
    return 0;
}

enum status estimate_end(struct answer *answer, struct estimate *estimate, struct error *err)
{
    const struct brief *brief = estimate->brief;
    const enum number_style style = style_of(estimate->round);
    const bool spanish = style == NUMBER_SPANISH;
    struct text sheet = {0};
    double all = 0, got = 0;

    *answer = (struct answer){0};
    enum status status = brief_compute(estimate->assumed, brief, err);
    if (status) return status;

    json_t *items = json_array();
    for (unsigned i = 0; i < brief->estimates_count; i++) {
        const struct brief_estimate *each = &brief->estimates[i];
        const double computed = estimate->assumed[brief->variables_count + i].value;
        struct text words = {0}, text = {0};
        const double share = judge(&words, each, estimate->said[i], computed, style);
        all += each->weight;
        got += share * each->weight;
        text_format(&text, "%s: ", spanish ? each->es : each->en);
        number_text(&text, computed, 4, style);
        text_format(&text, " %s = %s; %s", each->unit, each->from, text_string(&words));
        json_array_append_new(items, json_pack("{s:s, s:i, s:s, s:s}", "name", each->name, "weight",
                                               each->weight, "verdict",
                                               share >= 0.5 ? "found" : "not-found", "text",
                                               text_string(&text)));
        if (!isnan(estimate->said[i]))
            text_format(&sheet, "%s = %g %s\n", each->name, estimate->said[i], each->unit);
        text_done(&words);
        text_done(&text);
    }
    json_t *result = json_pack("{s:f, s:s, s:o}", "score", got / all, "language",
                               estimate->round->language, "items", items);
    struct text ask = {0};
    text_format(&ask, "%s: ", phase_title(estimate->step->phase));
    brief_fill(&ask, words_in(&brief->vague, estimate->round->language), estimate->assumed,
               (int)(brief->variables_count + brief->estimates_count));
    *answer = (struct answer){
        .ask = text_copy(text_string(&ask)),
        .text = text_take(&sheet),
        .started_ms = estimate->step->started_ms,
        .submitted_ms = step_submitted_ms(estimate->step, estimate->progress, estimate->round),
        .score = got / all,
        .result = json_line(result)};
    json_decref(result);
    text_done(&ask);
    if (!answer->text) answer->text = text_copy("");
    char *item = text_printf("%s/estimate", estimate->step->item);
    strncat(answer->item, item, sizeof answer->item - 1);
    free(item);
    status = answer_add(answer, estimate->progress, estimate->round, estimate->step, err);
    if (status) answer_done(answer);
    return status;
}
