#include "grader/rubric_prove.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "content/expression.h"
#include "grader/rubric_sample.h"

/* What has to hold; content/README.md says why. */
static const double answer_least = 0.85, wrong_most = 0.40, soup_most = 0.25;
static const double adequate_least = 0.40, adequate_most = 0.75, excellent_least = 0.80;
static const double number_tolerance = 0.005;

static const char *const languages[] = {"en", "es", NULL};

/* ---- the list ---- */

void problems_add(struct problems *problems, const char *file, const char *node,
                  const char *language, const char *format, ...)
{
    char *what = NULL;
    va_list arguments;
    va_start(arguments, format);
    CHECK(vasprintf(&what, format, arguments) >= 0);
    va_end(arguments);

    const struct problem *last = problems->n ? &problems->problems[problems->n - 1] : NULL;
    if (last && !strcmp(last->file, file) && !strcmp(last->node, node) &&
        !strcmp(last->language, language) && !strcmp(last->what, what)) {
        free(what); /* once is enough */
        return;
    }
    problems->problems =
        memory_grow(problems->problems, (size_t)problems->n + 1, sizeof *problems->problems);
    problems->problems[problems->n++] = (struct problem){.file = text_copy(file),
                                                         .node = text_copy(node),
                                                         .language = text_copy(language),
                                                         .what = what};
}

void problems_done(struct problems *problems)
{
    for (int i = 0; i < problems->n; i++) {
        free(problems->problems[i].file);
        free(problems->problems[i].node);
        free(problems->problems[i].language);
        free(problems->problems[i].what);
    }
    free(problems->problems);
    *problems = (struct problems){0};
}

static void add_verdicts(struct text *out, const struct rubric_grade *grade,
                         enum rubric_verdict verdict, const char *heading)
{
    bool first = true;
    for (int i = 0; i < grade->n_findings; i++) {
        if (grade->findings[i].verdict != verdict) continue;
        text_format(out, "%s%s", first ? heading : ", ", grade->findings[i].item->name);
        first = false;
    }
}

void rubric_describe(struct text *out, const struct rubric_grade *grade)
{
    text_format(out, "%.0f%%", 100 * grade->score);
    add_verdicts(out, grade, RUBRIC_NOT_FOUND, "; missing: ");
    add_verdicts(out, grade, RUBRIC_CONTRADICTED, "; contradicted: ");
}

/* ---- one node ---- */

struct proof {
    struct problems *problems;
    const char *file;
    const struct rubric_listener *listener;
    const struct question_node *node;
    const struct rubric_reader *reader;
    const char *language;
};

static void add(const struct proof *proof, const char *before, const struct rubric_grade *grade,
                const char *rule)
{
    struct text what = {0};
    rubric_describe(&what, grade);
    problems_add(proof->problems, proof->file, proof->node->id, proof->language, "%s: %s (%s)",
                 before, text_string(&what), rule);
    text_done(&what);
}

/* Grade a text and tell it. False, with the problem noted, when it cannot be graded. */
static bool grade_text(struct rubric_grade *grade, const struct proof *proof, const char *name,
                       const char *text)
{
    struct error err;
    if (rubric_apply(grade, proof->reader, text, &err)) {
        problems_add(proof->problems, proof->file, proof->node->id, proof->language, "%s: %s", name,
                     err.message);
        return false;
    }
    if (proof->listener && proof->listener->told) {
        const struct rubric_row row = {proof->node->id, proof->language, name, grade};
        proof->listener->told(proof->listener->context, &row);
    }
    return true;
}

static void prove_answer(const struct proof *proof)
{
    struct rubric_grade grade;
    bool contradicted = false;
    if (!grade_text(&grade, proof, "answer", words_in(&proof->node->answer, proof->language)))
        return;
    for (int i = 0; i < grade.n_findings; i++)
        if (grade.findings[i].verdict == RUBRIC_CONTRADICTED) contradicted = true;
    if (grade.score < answer_least || contradicted)
        add(proof, "its own answer", &grade, "85% at least, nothing contradicted");
    rubric_grade_done(&grade);
}

static void prove_wrong(const struct proof *proof, unsigned place)
{
    const struct rubric_wrong *wrong = &proof->node->rubric.wrong[place];
    const char *said = words_in(&wrong->said, proof->language);
    struct rubric_grade grade;
    if (!grade_text(&grade, proof, "said", said)) return;
    char *name = text_printf("the wrong answer \"%.40s...\" against %s", said, wrong->against);
    name[text_utf8_valid(name, strlen(name))] = '\0';
    if (grade.score >= wrong_most) add(proof, name, &grade, "below 40%");
    if (!rubric_sees(proof->reader, place, said))
        problems_add(proof->problems, proof->file, proof->node->id, proof->language,
                     "%s: none of its own `seen` lines sees it", name);
    free(name);
    rubric_grade_done(&grade);
}

static void prove_value(struct problems *problems, const char *file, const char *node,
                        const char *name, const char *from, double value)
{
    struct error err;
    double computed;
    if (expression_evaluate(&computed, from, NULL, 0, &err))
        problems_add(problems, file, node, "", "number \"%s\": %s", name, err.message);
    else if (fabs(computed - value) > number_tolerance * fabs(value))
        problems_add(problems, file, node, "", "number \"%s\": %s is %.6g, the file says %.6g",
                     name, from, computed, value);
}

static void prove_numbers(struct problems *problems, const char *file,
                          const struct question_node *node)
{
    for (unsigned i = 0; i < node->numbers_count; i++) {
        const struct question_number *number = &node->numbers[i];
        struct quantity one;
        if (*number->from)
            prove_value(problems, file, node->id, number->en, number->from, number->value);
        if (!prose_unit(&one, number->unit, strlen(number->unit)))
            problems_add(problems, file, node->id, "", "number \"%s\": there is no unit %s",
                         number->en, number->unit);
    }
}

/* Everything about one node; without `with_answer` its own answer is left out. */
static void prove_node(struct problems *problems, const char *file,
                       const struct question_node *node, bool with_answer,
                       const struct rubric_listener *listener)
{
    prove_numbers(problems, file, node);
    for (int i = 0; languages[i]; i++) {
        struct rubric_reader *reader;
        struct error err;
        if (rubric_open(&reader, &node->rubric, languages[i], &err)) {
            problems_add(problems, file, node->id, languages[i], "%s", err.message);
            continue;
        }
        const struct proof proof = {problems, file, listener, node, reader, languages[i]};
        if (with_answer) prove_answer(&proof);
        for (unsigned j = 0; j < node->rubric.wrong_count; j++) prove_wrong(&proof, j);
        rubric_close(reader);
    }
}

static void prove_nodes(struct problems *problems, const char *file,
                        const struct question_node *nodes, unsigned n,
                        const struct rubric_listener *listener)
{
    for (unsigned i = 0; i < n; i++) prove_node(problems, file, &nodes[i], true, listener);
}

/* ---- anchors ---- */

static void prove_anchors(struct problems *problems, const char *file,
                          const struct question_node *root, const struct anchor_set *set,
                          const char *language, bool must_rank,
                          const struct rubric_listener *listener)
{
    enum { EMPTY, SOUP, WRONG, ADEQUATE, EXCELLENT, N };
    static const char *const names[N] = {"empty", "soup", "wrong", "adequate", "excellent"};
    const char *const texts[N] = {"", set->soup, set->wrong, set->adequate, set->excellent};
    struct rubric_grade grades[N] = {{0}};
    struct rubric_reader *reader;
    struct error err;

    if (rubric_open(&reader, &root->rubric, language, &err)) return; /* prove_node() says why */
    const struct proof proof = {problems, file, listener, root, reader, language};
    bool graded = true;
    for (int i = 0; i < N; i++)
        if (!grade_text(&grades[i], &proof, names[i], texts[i])) graded = false;
    if (graded && must_rank) {
        const double soup = grades[SOUP].score, wrong = grades[WRONG].score;
        const double adequate = grades[ADEQUATE].score, excellent = grades[EXCELLENT].score;
        if (grades[EMPTY].score > 0) add(&proof, "the empty anchor", &grades[EMPTY], "0%");
        if (soup >= soup_most) add(&proof, "anchor soup", &grades[SOUP], "below 25%");
        if (wrong >= wrong_most) add(&proof, "anchor wrong", &grades[WRONG], "below 40%");
        if (adequate < adequate_least || adequate > adequate_most)
            add(&proof, "anchor adequate", &grades[ADEQUATE], "40 to 75%");
        for (int i = 0; i < grades[EXCELLENT].n_findings; i++)
            if (grades[EXCELLENT].findings[i].verdict == RUBRIC_CONTRADICTED)
                problems_add(problems, file, root->id, language,
                             "anchor excellent: %s is contradicted, as no right answer may be",
                             grades[EXCELLENT].findings[i].item->name);
        if (excellent < excellent_least)
            add(&proof, "anchor excellent", &grades[EXCELLENT], "80% at least");
        if (soup >= adequate || wrong >= adequate || adequate >= excellent)
            problems_add(problems, file, root->id, language,
                         "the anchors do not rank: soup %.0f%%, wrong %.0f%%, adequate %.0f%%, "
                         "excellent %.0f%%",
                         100 * soup, 100 * wrong, 100 * adequate, 100 * excellent);
    }
    for (int i = 0; i < N; i++) rubric_grade_done(&grades[i]);
    rubric_close(reader);
}

void rubric_prove_question(struct problems *problems, const struct question *question,
                           const struct anchors *anchors, const char *file,
                           const struct rubric_listener *listener)
{
    const bool must_rank = !question->self_marked || !*question->self_marked;
    const struct question_node *root = &question->nodes[0];
    prove_nodes(problems, file, question->nodes, question->nodes_count, listener);
    if (!anchors) return;
    prove_anchors(problems, file, root, &anchors->en, "en", must_rank, listener);
    prove_anchors(problems, file, root, &anchors->es, "es", must_rank, listener);
}

/* ---- papers, stories, cards ---- */

void rubric_prove_paper(struct problems *problems, const struct paper *paper, const char *file,
                        const struct rubric_listener *listener)
{
    prove_nodes(problems, file, paper->nodes, paper->nodes_count, listener);
}

void rubric_prove_story(struct problems *problems, const struct story *story, const char *file,
                        const struct rubric_listener *listener)
{
    for (unsigned i = 0; i < story->nodes_count; i++)
        prove_node(problems, file, &story->nodes[i], i > 0 || *story->example.en, listener);
}

void rubric_prove_quiz(struct problems *problems, const struct quiz *quiz, const char *file)
{
    for (unsigned i = 0; i < quiz->cards_count; i++) {
        const struct quiz_card *card = &quiz->cards[i];
        struct rubric_item item = {.name = card->name, .weight = 1, .found = card->found};
        const struct rubric rubric = {.items = &item, .items_count = 1};
        if (*card->from)
            prove_value(problems, file, card->name, card->name, card->from, card->value);
        for (int j = 0; languages[j]; j++) {
            struct rubric_reader *reader;
            struct rubric_grade grade = {0};
            struct error err;
            enum status status = rubric_open(&reader, &rubric, languages[j], &err);
            if (!status) {
                status = rubric_apply(&grade, reader, words_in(&card->answer, languages[j]), &err);
                if (!status && grade.score < 1)
                    problems_add(problems, file, card->name, languages[j],
                                 "none of its lines finds its own answer");
                rubric_grade_done(&grade);
                rubric_close(reader);
            }
            if (status) problems_add(problems, file, card->name, languages[j], "%s", err.message);
        }
    }
}

/* ---- briefs ---- */

enum { COMBINATION_LIMIT = 1 << 14 };

static void prove_estimates(struct problems *problems, const struct brief *brief, const char *file)
{
    const unsigned n = brief->variables_count;
    unsigned varied[30], n_varied = 0;
    struct expression_value *values;
    struct error err;
    if (brief_draw(&values, brief, -1, &err)) {
        problems_add(problems, file, "", "", "%s", err.message);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        if (brief->variables[i].choices_count > 1 && n_varied < 30) varied[n_varied++] = i;

    /* Bit i of `mask`: the largest choice of variable i, else the smallest. */
    const uint64_t all = (uint64_t)1 << n_varied;
    const uint64_t step = all / COMBINATION_LIMIT + 1;
    for (uint64_t mask = 0; mask < all; mask += step) {
        for (unsigned i = 0; i < n_varied; i++) {
            const struct brief_variable *variable = &brief->variables[varied[i]];
            double low = variable->choices[0], high = low;
            for (unsigned j = 1; j < variable->choices_count; j++) {
                low = fmin(low, variable->choices[j]);
                high = fmax(high, variable->choices[j]);
            }
            values[varied[i]].value = mask >> i & 1 ? high : low;
        }
        const char *bad = NULL;
        if (brief_compute(values, brief, &err)) bad = err.message;
        for (unsigned i = 0; !bad && i < brief->estimates_count; i++)
            if (!(values[n + i].value > 0)) bad = brief->estimates[i].name;
        if (!bad) continue;
        struct text which = {0};
        for (unsigned i = 0; i < n_varied; i++)
            text_format(&which, "%s%s=%g", i ? ", " : "", values[varied[i]].name,
                        values[varied[i]].value);
        problems_add(problems, file, "", "", "estimates: %s is no positive number with %s", bad,
                     text_string(&which));
        text_done(&which);
        break;
    }
    free(values);
}

/* {name} in a text must be a variable or an estimate. */
static void prove_braces(struct problems *problems, const struct brief *brief, const char *file,
                         const char *where, const struct words *words)
{
    for (int i = 0; languages[i]; i++)
        for (const char *at = words_in(words, languages[i]); (at = strchr(at, '{')); at++) {
            const size_t size = strcspn(at + 1, "}");
            bool known = false;
            for (unsigned j = 0; j < brief->variables_count; j++)
                if (strlen(brief->variables[j].name) == size &&
                    strncmp(brief->variables[j].name, at + 1, size) == 0)
                    known = true;
            for (unsigned j = 0; j < brief->estimates_count; j++)
                if (strlen(brief->estimates[j].name) == size &&
                    strncmp(brief->estimates[j].name, at + 1, size) == 0)
                    known = true;
            if (!known)
                problems_add(problems, file, where, languages[i], "{%.*s} is no variable",
                             (int)(size < 40 ? size : 40), at + 1);
        }
}

/* At least one of a card's lines finds a question that is made up from it. */
static void prove_reachable(struct problems *problems, const char *file,
                            const struct brief_card *card, const struct rubric_reader *reader,
                            const char *language)
{
    unsigned n;
    char *const *lines = word_lists_in(&card->asked, language, &n);
    bool found = false;
    for (unsigned i = 0; !found && i < n; i++) {
        struct text question = {0};
        struct rubric_grade grade;
        rubric_sample(&question, lines[i]);
        if (!rubric_apply(&grade, reader, text_string(&question), NULL)) {
            found = grade.score > 0;
            rubric_grade_done(&grade);
        }
        text_done(&question);
    }
    if (!found)
        problems_add(problems, file, card->name, language,
                     "none of its lines finds a question that is made up from it");
}

static void prove_cards(struct problems *problems, const struct brief *brief, const char *file)
{
    for (unsigned i = 0; i < brief->cards_count; i++) {
        const struct brief_card *card = &brief->cards[i];
        struct rubric_item item = {.name = card->name, .weight = 1, .found = card->asked};
        const struct rubric rubric = {.items = &item, .items_count = 1};
        prove_braces(problems, brief, file, card->name, &card->answer);
        prove_braces(problems, brief, file, card->name, &card->consequence);
        for (unsigned j = 0; j < i; j++)
            if (strcmp(brief->cards[j].name, card->name) == 0)
                problems_add(problems, file, card->name, "", "two cards have this name");
        for (int j = 0; languages[j]; j++) {
            struct rubric_reader *reader;
            struct error err;
            if (rubric_open(&reader, &rubric, languages[j], &err)) {
                problems_add(problems, file, card->name, languages[j], "%s", err.message);
            } else {
                prove_reachable(problems, file, card, reader, languages[j]);
                rubric_close(reader);
            }
        }
    }
}

void rubric_prove_brief(struct problems *problems, const struct brief *brief, const char *file,
                        const struct rubric_listener *listener)
{
    prove_estimates(problems, brief, file);
    prove_braces(problems, brief, file, "", &brief->vague);
    prove_cards(problems, brief, file);
    for (unsigned i = 0; i < brief->nodes_count; i++) {
        prove_braces(problems, brief, file, brief->nodes[i].id, &brief->nodes[i].ask);
        prove_braces(problems, brief, file, brief->nodes[i].id, &brief->nodes[i].answer);
    }
    prove_nodes(problems, file, brief->nodes, brief->nodes_count, listener);
}
