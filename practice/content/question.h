/* question.h -- one thing that is answered in words, as its file tells it.
 *
 *   content/questions/01-sqrt-d.yaml
 *
 *       "0" the question
 *        |-- "1" ---- "1.1" ---- "1.1.1"      follow-ups, three levels deep; parents come first
 *        `-- "2" ---- "2.1"
 *
 * Every node has its own rubric: items that are looked for, and wrong answers that are known. A
 * whiteboard question, a phase of a paper, a part of a design and a probe of a story are all nodes.
 * The form is in content/README.md.
 *
 * Does not know: how a rubric is applied (grader/rubric.h), rounds and clocks.
 * Tests: tests/content/question_test.c
 */
#ifndef CONTENT_QUESTION_H
#define CONTENT_QUESTION_H

#include <stdbool.h>

#include "base/error.h"
#include "content/words.h"

struct rubric_item {
    char *name;
    int weight;              /* 1 .. 3 */
    char *en, *es;           /* what is looked for, shown to the candidate */
    struct word_lists found; /* lines of terms; any one is enough */
};

struct rubric_wrong {
    char *against; /* the item it contradicts */
    struct words said, correction;
    struct word_lists seen;
};

struct rubric {
    struct rubric_item *items;
    unsigned items_count;
    struct rubric_wrong *wrong;
    unsigned wrong_count;
};

struct question_number {
    char *en, *es;
    double value;
    char *unit;
    char *from;   /* an expression (expression.h), or "" */
    char *source; /* where it was read, or "" */
};

struct question_node {
    char *id; /* "0", "1", "1.1", ... or a word where there is no tree */
    int minutes;
    char *after; /* level 1: asked first when this item of the root was not found; or "" */
    char *lab;   /* "15", or "" */
    struct words ask, answer;
    struct rubric rubric;
    struct question_number *numbers;
    unsigned numbers_count;
};

struct question {
    char *number; /* "01" .. "25"; for the rounds' own sets the file's name */
    char *name;
    char *area;
    struct words title;
    int minutes;
    char *self_marked; /* why its rubric does not prove itself; "" when it does */
    char **rounds;
    unsigned rounds_count;
    char **skills;
    unsigned skills_count;
    struct question_node *nodes;
    unsigned nodes_count;

    char *path; /* where it was read from; not in the file */
};

/* What five people might answer to a question's root; "empty" needs no text. */
struct anchor_set {
    char *soup, *wrong, *adequate, *excellent;
};
struct anchors {
    struct anchor_set en, es;
};

MUST_CHECK enum status question_load(struct question **question, const char *path,
                                     struct error *err);
void question_free(struct question *question);

/* All questions of the folder, by number; questions_done() releases them. */
struct questions {
    struct question **questions;
    int n_questions;
};
MUST_CHECK enum status questions_load(struct questions *questions, const char *folder,
                                      struct error *err);
void questions_done(struct questions *questions);

/* By number ("1", "01") or name. STATUS_NOT_FOUND lists what there is. */
MUST_CHECK enum status questions_find(const struct question **question,
                                      const struct questions *questions, const char *word,
                                      struct error *err);

/* The node with that id; NULL when there is none. */
const struct question_node *question_node(const struct question *question, const char *id);

/* Level 0 for "0", 1 for "1", 2 for "1.1"; and whether `child` is directly below `parent`. */
int question_level(const char *id);
bool question_is_child(const char *child, const char *parent);

/* The anchors beside the question's file; anchors_free() releases them. */
MUST_CHECK enum status anchors_load(struct anchors **anchors, const struct question *question,
                                    struct error *err);
void anchors_free(struct anchors *anchors);

#endif
