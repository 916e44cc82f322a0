/* lab.h -- the labs, and the interview rounds that each one prepares.
 *
 *   labs/labs.yaml                 the curriculum's central table
 *   labs/NN-name/page.en.md, .es.md   a lab's page, when it has one
 *
 * Promises of labs_load(): numbers and names are well formed and differ, both languages
 * are there, each lab prepares something, drills are two digits.
 *
 * Does not know: what a page says; it opens with the same table, which a test holds.
 * Tests: tests/content/lab_test.c
 */
#ifndef CONTENT_LAB_H
#define CONTENT_LAB_H

#include "base/error.h"
#include "content/drill.h"

enum interview_round {
    INTERVIEW_RECRUITER,
    INTERVIEW_PHONE,
    INTERVIEW_SYSTEMS,
    INTERVIEW_CODING,
    INTERVIEW_RESEARCH,
    INTERVIEW_PAPER,
    INTERVIEW_BEHAVIORAL,
    INTERVIEW_MANAGER,
    INTERVIEW_COUNT,
};

/* "recruiter"; the same word in both languages. */
const char *round_name(enum interview_round round);

struct lab_preparation {
    enum interview_round round;
    struct words what;
};

struct lab {
    char *number; /* "15", "X3" */
    char *name;   /* "kv-cache" */
    struct words title;
    struct lab_preparation *prepares;
    unsigned prepares_count;
    char **drills; /* "01"; none for many */
    unsigned drills_count;
};

struct labs {
    struct lab *labs; /* in the curriculum's order */
    unsigned labs_count;
};

/* Read `root`/labs/labs.yaml. The caller owns *out: labs_free(). Errors of yaml_load(). */
MUST_CHECK enum status labs_load(struct labs **out, const char *root, struct error *err);
void labs_free(struct labs *labs); /* harmless on NULL */

/* The lab with this number, or this name; "4" finds "04". NULL when there is none. */
const struct lab *labs_find(const struct labs *labs, const char *number_or_name);

/* `root`/labs/NN-name/page.LANGUAGE.md; the caller frees it. NULL when there is no such file. */
char *lab_page(const char *root, const struct lab *lab, const char *language);

#endif
