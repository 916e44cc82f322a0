/* brief.h -- one design brief of the ML-systems round, as its file tells it.
 *
 *   vague line -> cards, found by asking -> estimates -> architecture -> deep dive -> two failures
 *
 * A seed picks one choice of each variable; brief_draw() gives the figures of that one sitting, and
 * brief_fill() puts them into the texts ("{users}").
 * Tests: tests/content/library_test.c
 */
#ifndef CONTENT_BRIEF_H
#define CONTENT_BRIEF_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "content/expression.h"
#include "content/question.h"

struct brief_variable {
    char *name, *en, *es, *unit;
    double *choices;
    unsigned choices_count;
};

struct brief_card {
    char *name;
    int weight;              /* 1 .. 3 */
    int seconds;             /* what asking costs */
    struct word_lists asked; /* lines of terms, against one question of the candidate */
    struct words answer, consequence;
};

struct brief_estimate {
    char *name, *en, *es, *unit;
    char *from; /* from variables and the estimates before it */
    int weight;
};

struct brief {
    char *number, *name;
    struct words title;
    int minutes;
    char **labs;
    unsigned labs_count;
    char **skills;
    unsigned skills_count;
    struct words vague;
    struct brief_variable *variables;
    unsigned variables_count;
    struct brief_card *cards;
    unsigned cards_count;
    struct brief_estimate *estimates;
    unsigned estimates_count;
    struct question_node *nodes; /* architecture, deep-dive, failure-1, failure-2 */
    unsigned nodes_count;
};

MUST_CHECK enum status brief_load(struct brief **brief, const char *path, struct error *err);
void brief_free(struct brief *brief);

/* The variables' values for a seed, [variables_count + estimates_count]: the estimates computed
 * behind them. Names are borrowed from the brief; the caller frees *out. seed -1: the middle choice
 * of each. */
MUST_CHECK enum status brief_draw(struct expression_value **out, const struct brief *brief,
                                  int64_t seed, struct error *err);

/* The estimates again, from variables that the candidate chose: values[0 .. variables_count). */
MUST_CHECK enum status brief_compute(struct expression_value *values, const struct brief *brief,
                                     struct error *err);

/* Append a text of the brief with its figures in place of {names}. */
void brief_fill(struct text *out, const char *words, const struct expression_value *values, int n);

#endif
