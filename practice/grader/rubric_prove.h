/* rubric_prove.h -- is a question fit to judge people?
 *
 *   a node       its own answer        at least 85%, nothing contradicted
 *                each wrong `said`     below 40%, and its own `seen` sees it
 *                each `from`           computes to its `value` within 0.5%
 *   the anchors  empty 0 <= soup < 25% <= ... wrong < 40%; soup and wrong < adequate < excellent;
 *                adequate 40 to 75%, excellent at least 80%
 *
 * in both languages. A question that is marked by the candidate (`self_marked`) need not rank. What is
 * found is a list of problems in words, for the one who writes the file.
 *
 * Does not know: which files there should be, links, pages (lcx content check).
 * Tests: tests/grader/rubric_prove_test.c
 */
#ifndef GRADER_RUBRIC_PROVE_H
#define GRADER_RUBRIC_PROVE_H

#include "base/error.h"
#include "content/brief.h"
#include "content/paper.h"
#include "content/question.h"
#include "content/quiz.h"
#include "content/story.h"
#include "grader/rubric.h"

struct problem {
    char *file, *node, *language; /* node and language "" where there is none */
    char *what;                   /* in English, for contributors */
};

struct problems {
    struct problem *problems;
    int n;
};

void problems_add(struct problems *problems, const char *file, const char *node,
                  const char *language, const char *format, ...) PRINTF_LIKE(5, 6);
void problems_done(struct problems *problems);

/* One text that was graded on the way; `told` may be NULL. */
struct rubric_row {
    const char *node, *language;
    const char *text; /* "answer", "said", "empty", "soup", "wrong", "adequate", "excellent" */
    const struct rubric_grade *grade;
};
typedef void rubric_told(void *context, const struct rubric_row *row);

struct rubric_listener {
    rubric_told *told; /* or NULL */
    void *context;
};

/* Each appends what is wrong with one file; `file` is how it is called in the problems. */
void rubric_prove_question(struct problems *problems, const struct question *question,
                           const struct anchors *anchors, const char *file,
                           const struct rubric_listener *listener);
void rubric_prove_paper(struct problems *problems, const struct paper *paper, const char *file,
                        const struct rubric_listener *listener);
void rubric_prove_brief(struct problems *problems, const struct brief *brief, const char *file,
                        const struct rubric_listener *listener);
void rubric_prove_story(struct problems *problems, const struct story *story, const char *file,
                        const struct rubric_listener *listener);
void rubric_prove_quiz(struct problems *problems, const struct quiz *quiz, const char *file);

/* Append "45%, missing: a, b; contradicted: c". */
void rubric_describe(struct text *out, const struct rubric_grade *grade);

#endif
