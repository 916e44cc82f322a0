/* library.h -- everything that is asked in words, read at once, found by its item's name.
 *
 *   content/questions/  papers/  briefs/  stories/  quiz.yaml
 *
 *   item    "question/01"   "question/01/1-1"   "paper/vaswani-2017/claim"   "brief/1/failure-1"
 *           "story/hard-debug/3"   "card/softmax-shift"   "drill/03"
 *
 * An item's name is what the memory, the answers and the report know it by; a point in a node's id
 * is a dash in it.
 * Tests: tests/content/library_test.c
 */
#ifndef CONTENT_LIBRARY_H
#define CONTENT_LIBRARY_H

#include "base/error.h"
#include "content/brief.h"
#include "content/paper.h"
#include "content/question.h"
#include "content/quiz.h"
#include "content/story.h"

struct library {
    struct questions questions;
    struct paper **papers;
    int n_papers;
    struct brief **briefs;
    int n_briefs;
    struct story **stories;
    int n_stories;
    struct quiz *quiz; /* NULL when there is none */
};

/* Read all of `folder` (".../content"), each kind by name. A kind whose folder is absent is empty.
 * library_done() releases it. */
MUST_CHECK enum status library_load(struct library *library, const char *folder, struct error *err);
void library_done(struct library *library);

/* By item, number or name; NULL when there is none. */
const struct question *library_question(const struct library *library, const char *word);
const struct paper *library_paper(const struct library *library, const char *word);
const struct brief *library_brief(const struct library *library, const char *word);
const struct story *library_story(const struct library *library, const char *word);

/* The nodes behind "question/01", "paper/NAME", "brief/1", "story/NAME"; NULL when there are none.
 * Borrowed from the library. */
const struct question_node *library_nodes(const struct library *library, const char *item,
                                          unsigned *n);

/* The node behind "question/01/1-1"; NULL when there is none. */
const struct question_node *library_node(const struct library *library, const char *item);

/* The title of an item for people: "Why attention divides by sqrt(d)". "" when unknown. */
const char *library_title(const struct library *library, const char *item, const char *language);

/* "question/01/1-1" from "question/01" and "1.1", into `out`; returns `out`. */
const char *library_item(char out[80], const char *item, const char *node);

#endif
