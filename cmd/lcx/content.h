/* content.h -- what the files of lcx content share: one list of problems for each kind.
 *
 *   verb_content.c    lcx content check: what to check, and how it is told
 *   content_words.c   what is answered in words: questions, papers, briefs, stories, quiz
 *   content_pages.c   what is read: drills, labs, pages, their links and their Spanish
 *   content_rounds.c  whether each round can be drawn
 */
#ifndef LCX_CONTENT_H
#define LCX_CONTENT_H

#include "app.h"
#include "content/lab.h"
#include "grader/rubric_prove.h"

enum kind {
    KIND_DRILL,
    KIND_LAB,
    KIND_ROUND,
    KIND_QUESTION,
    KIND_BRIEF,
    KIND_PAPER,
    KIND_STORY,
    KIND_QUIZ,
    KIND_PAGE,
    KIND_COUNT
};

struct check {
    struct app *app;
    char *root;                /* holds content/ and labs/ */
    struct labs *labs;         /* NULL when they cannot be read */
    struct glossary *glossary; /* NULL when there is none */
    struct problems problems[KIND_COUNT];
    int count[KIND_COUNT];                     /* how many things of the kind were looked at */
    const struct rubric_listener *listener;    /* hears every text that is graded, or NULL */
    unsigned numbered, self_marked, questions; /* of content/questions */
};

/* The part of a path that people know: "content/questions/01-sqrt-d.yaml". Borrowed from `path`. */
const char *content_name(const struct check *check, const char *path);

/* One file that is answered in words, of the kind that its folder says. */
void content_words(struct check *check, enum kind kind, const char *path);

/* All of them below root/content, and whether they are complete. */
void content_all_words(struct check *check);

void content_all_drills(struct check *check);
void content_all_labs(struct check *check);
void content_all_pages(struct check *check);
void content_page(struct check *check, const char *path);
void content_all_rounds(struct check *check);

/* Spanish text of any kind: no word that the glossary avoids. */
void content_spanish(struct check *check, enum kind kind, const char *file, const char *node,
                     const char *text);

/* A lab that is named must exist. */
void content_lab(struct check *check, enum kind kind, const char *file, const char *node,
                 const char *lab);

/* The names in a folder that end so, sorted; *n is 0 when there is no such folder. The caller frees
 * each and the list. */
char **content_files(int *n, const char *folder, const char *suffix);

#endif
