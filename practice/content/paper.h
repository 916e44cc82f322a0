/* paper.h -- one paper of the paper round, as its file tells it; the paper itself is the user's.
 *
 *   content/papers/vaswani-2017.yaml     what was read where, in which version; a node per phase
 *   content/papers/cold.yaml             the same phases for any text
 *
 *   claim 2' -> figures 3' -> method 7' -> experiment 4' -> untested 2' -> opinion 2' -> oral-1..3
 *
 * Tests: tests/content/library_test.c
 */
#ifndef CONTENT_PAPER_H
#define CONTENT_PAPER_H

#include "base/error.h"
#include "content/question.h"

struct paper_cite {
    char *where; /* "section 3.2.1", in the version below */
    char *en, *es;
};

struct paper {
    char *name; /* "vaswani-2017" */
    char *title, *authors;
    int year;
    char *arxiv, *version, *url, *sha256; /* "" where there is none */
    struct words about;
    char **labs;
    unsigned labs_count;
    char **skills;
    unsigned skills_count;
    struct paper_cite *cites;
    unsigned cites_count;
    struct question_node *nodes;
    unsigned nodes_count;
};

MUST_CHECK enum status paper_load(struct paper **paper, const char *path, struct error *err);
void paper_free(struct paper *paper);

#endif
