/* story.h -- one archetype of a behavioral story, as its file tells it.
 *
 *   content/stories/01-hard-debug.yaml     "0" the story, "1".."5" its probes
 *
 * The stories themselves are the candidate's own. An example is there only where this project's
 * history holds one, with its evidence.
 * Tests: tests/content/library_test.c
 */
#ifndef CONTENT_STORY_H
#define CONTENT_STORY_H

#include "base/error.h"
#include "content/question.h"

struct story_example {
    char *en, *es; /* "" when there is none */
    char **evidence;
    unsigned evidence_count;
};

struct story {
    char *number, *name;
    struct words title;
    int minutes;
    char **skills;
    unsigned skills_count;
    struct words listens, form;
    struct story_example example;
    struct question_node *nodes;
    unsigned nodes_count;
};

MUST_CHECK enum status story_load(struct story **story, const char *path, struct error *err);
void story_free(struct story *story);

#endif
