/* quiz.h -- the rapid quiz: cards that are answered in a word, a number or a line.
 *
 *   content/quiz.yaml
 *
 * Tests: tests/content/library_test.c
 */
#ifndef CONTENT_QUIZ_H
#define CONTENT_QUIZ_H

#include "base/error.h"
#include "content/words.h"

struct quiz_card {
    char *name;
    char *area; /* "maths", "statistics", "ml", "systems" */
    char *lab;
    struct words ask, answer;
    struct word_lists found; /* lines of terms; any one is enough */
    char *from, *source;     /* of the figure in it; both "" when there is none */
    double value;
};

struct quiz {
    struct quiz_card *cards;
    unsigned cards_count;
};

MUST_CHECK enum status quiz_load(struct quiz **quiz, const char *path, struct error *err);
void quiz_free(struct quiz *quiz);

/* The card with that name; NULL when there is none, or no quiz. */
const struct quiz_card *quiz_card(const struct quiz *quiz, const char *name);

#endif
