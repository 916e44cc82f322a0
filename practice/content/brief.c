#include "content/brief.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "content/question_schema.h"

static const struct cyaml_schema_value a_choice = {CYAML_VALUE_FLOAT(CYAML_FLAG_DEFAULT, double)};

static const struct cyaml_schema_field variable_fields[] = {
    SCHEMA_TEXT("name", struct brief_variable, name, 1, 31),
    SCHEMA_TEXT("en", struct brief_variable, en, 1, 200),
    SCHEMA_TEXT("es", struct brief_variable, es, 1, 200),
    SCHEMA_TEXT("unit", struct brief_variable, unit, 0, 20),
    SCHEMA_LIST("choices", struct brief_variable, choices, a_choice, 9),
    CYAML_FIELD_END};
static const struct cyaml_schema_value variable_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct brief_variable, variable_fields)};

static const struct cyaml_schema_field card_fields[] = {
    SCHEMA_TEXT("name", struct brief_card, name, 1, 40),
    CYAML_FIELD_INT("weight", CYAML_FLAG_DEFAULT, struct brief_card, weight),
    CYAML_FIELD_INT("seconds", CYAML_FLAG_DEFAULT, struct brief_card, seconds),
    SCHEMA_LISTS("asked", struct brief_card, asked),
    SCHEMA_WORDS("answer", struct brief_card, answer),
    SCHEMA_WORDS("consequence", struct brief_card, consequence),
    CYAML_FIELD_END};
static const struct cyaml_schema_value card_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct brief_card, card_fields)};

static const struct cyaml_schema_field estimate_fields[] = {
    SCHEMA_TEXT("name", struct brief_estimate, name, 1, 31),
    SCHEMA_TEXT("en", struct brief_estimate, en, 1, 200),
    SCHEMA_TEXT("es", struct brief_estimate, es, 1, 200),
    SCHEMA_TEXT("unit", struct brief_estimate, unit, 0, 20),
    SCHEMA_TEXT("from", struct brief_estimate, from, 1, 400),
    CYAML_FIELD_INT("weight", CYAML_FLAG_DEFAULT, struct brief_estimate, weight),
    CYAML_FIELD_END};
static const struct cyaml_schema_value estimate_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct brief_estimate, estimate_fields)};

static const struct cyaml_schema_field brief_fields[] = {
    SCHEMA_TEXT("number", struct brief, number, 1, 2),
    SCHEMA_TEXT("name", struct brief, name, 1, 40),
    SCHEMA_WORDS("title", struct brief, title),
    CYAML_FIELD_INT("minutes", CYAML_FLAG_DEFAULT, struct brief, minutes),
    SCHEMA_LIST("labs", struct brief, labs, schema_word, 8),
    SCHEMA_LIST("skills", struct brief, skills, schema_word, 12),
    SCHEMA_WORDS("vague", struct brief, vague),
    SCHEMA_LIST("variables", struct brief, variables, variable_value, 30),
    SCHEMA_LIST("cards", struct brief, cards, card_value, 20),
    SCHEMA_LIST("estimates", struct brief, estimates, estimate_value, 16),
    SCHEMA_LIST("nodes", struct brief, nodes, schema_node, 8),
    CYAML_FIELD_END};
static const struct cyaml_schema_value brief_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct brief, brief_fields)};

static const char *const parts[] = {"architecture", "deep-dive", "failure-1", "failure-2"};
enum { N_PARTS = sizeof parts / sizeof *parts, CARDS_LEAST = 12, CARDS_MOST = 16 };

static enum status check_brief(const struct brief *brief, const char *path, struct error *err)
{
    if (brief->cards_count < CARDS_LEAST || brief->cards_count > CARDS_MOST)
        return error_set(err, STATUS_FORMAT, "%s: %u cards, expected %d to %d", path,
                         brief->cards_count, CARDS_LEAST, CARDS_MOST);
    for (unsigned i = 0; i < brief->cards_count; i++)
        if (brief->cards[i].weight < 1 || brief->cards[i].weight > 3 ||
            brief->cards[i].seconds < 5 || brief->cards[i].seconds > 120 ||
            !brief->cards[i].asked.en_count || !brief->cards[i].asked.es_count)
            return error_set(err, STATUS_FORMAT,
                             "%s: card %s: expected a weight of 1 to 3, 5 to 120 seconds and lines "
                             "in both languages",
                             path, brief->cards[i].name);
    for (unsigned i = 0; i < brief->variables_count; i++)
        if (brief->variables[i].choices_count == 0)
            return error_set(err, STATUS_FORMAT, "%s: variable %s has no choices", path,
                             brief->variables[i].name);
    for (unsigned i = 0; i < N_PARTS; i++)
        if (i >= brief->nodes_count || strcmp(brief->nodes[i].id, parts[i]) != 0)
            return error_set(err, STATUS_FORMAT, "%s: node %u should be %s", path, i + 1, parts[i]);
    return question_nodes_check(brief->nodes, brief->nodes_count, path, err);
}

enum status brief_load(struct brief **brief, const char *path, struct error *err)
{
    void *value = NULL;
    *brief = NULL;
    enum status status = yaml_load(&value, &brief_value, path, err);
    if (status) return status;

    struct brief *loaded = value;
    struct expression_value *values = NULL;
    status = check_brief(loaded, path, err);
    if (!status) status = brief_draw(&values, loaded, -1, err); /* the estimates can be computed */
    free(values);
    if (status) brief_free(loaded);
    else *brief = loaded;
    return status;
}

void brief_free(struct brief *brief) { yaml_done(&brief_value, brief); }

enum status brief_compute(struct expression_value *values, const struct brief *brief,
                          struct error *err)
{
    const int n_variables = (int)brief->variables_count;
    for (int i = 0; i < (int)brief->estimates_count; i++) {
        const struct brief_estimate *estimate = &brief->estimates[i];
        values[n_variables + i].name = estimate->name;
        const enum status status = expression_evaluate(
            &values[n_variables + i].value, estimate->from, values, n_variables + i, err);
        if (status) return error_prefix(err, "%s: %s", brief->name, estimate->name);
    }
    return STATUS_OK;
}

enum status brief_draw(struct expression_value **out, const struct brief *brief, int64_t seed,
                       struct error *err)
{
    struct expression_value *values =
        memory_new(brief->variables_count + brief->estimates_count + 1, sizeof *values);
    struct rng rng;

    rng_init(&rng, (uint64_t)seed, 0);

    *out = NULL;
    for (unsigned i = 0; i < brief->variables_count; i++) {
        const struct brief_variable *variable = &brief->variables[i];
        const int64_t drawn = rng_below(&rng, variable->choices_count);
        values[i].name = variable->name;
        values[i].value = variable->choices[seed < 0 ? variable->choices_count / 2 : drawn];
    }
    const enum status status = brief_compute(values, brief, err);
    if (status) free(values);
    else *out = values;
    return status;
}

/* "10M" reads better than "10000000"; what is computed is rounded to what an estimate can tell. */
static void add_figure(struct text *out, double value)
{
    static const struct {
        double from;
        const char *suffix;
    } steps[] = {{1e12, "T"}, {1e9, "B"}, {1e6, "M"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (value >= steps[i].from) {
            text_format(out, "%g%s", value / steps[i].from, steps[i].suffix);
            return;
        }
    if (value == floor(value) || fabs(value) >= 1000) text_format(out, "%.0f", value);
    else text_format(out, "%.3g", value);
}

void brief_fill(struct text *out, const char *words, const struct expression_value *values, int n)
{
    for (const char *at = words; *at;) {
        const char *open = strchr(at, '{'), *close = open ? strchr(open, '}') : NULL;
        if (!close) {
            text_add(out, at);
            return;
        }
        text_add_bytes(out, at, (size_t)(open - at));
        const size_t size = (size_t)(close - open - 1);
        int found = -1;
        for (int i = 0; i < n; i++)
            if (strlen(values[i].name) == size && strncmp(values[i].name, open + 1, size) == 0)
                found = i;
        if (found >= 0) add_figure(out, values[found].value);
        else text_add_bytes(out, open, size + 2);
        at = close + 1;
    }
}
