/* prose.h -- an answer in words, as the rubric reads it.
 *
 *   text ── sentences ── each folded: lower case, no accents, one space, √ as sqrt
 *                          └── a list of keywords is marked: it is evidence of nothing
 *
 * A sentence ends at . ! ? or ; before a space, and at an empty line or a list's dash; "0.5" and
 * "e.g." end nothing. Folding is NFKD with marks removed and case folded (Unicode 15, UAX 15), so
 * that an answer typed without accents is the same answer.
 *
 * Does not know: what is looked for (rubric.h).
 * Tests: tests/grader/prose_test.c
 */
#ifndef GRADER_PROSE_H
#define GRADER_PROSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { PROSE_SIZE_LIMIT = 64 * 1024, PROSE_SENTENCE_LIMIT = 2000 };

struct prose_sentence {
    size_t start, size; /* in the text as it was given */
    char *folded;
    bool keywords; /* five words or more with hardly a function word among them */
};

struct prose {
    struct prose_sentence *sentences;
    int n_sentences;
    int n_words, n_questions, n_numbers, n_first_person;
};

/* Read `text` (UTF-8; what is not is skipped). STATUS_LIMIT when it is longer than the limits
 * say. prose_done() releases it. */
MUST_CHECK enum status prose_read(struct prose *prose, const char *text, struct error *err);
void prose_done(struct prose *prose);

/* Seconds that reading it aloud takes, at 150 words a minute. */
double prose_seconds(const struct prose *prose);

/* A number in a sentence: what it may mean ("10.000" is ten thousand or ten), in base units. */
struct prose_number {
    double value;
    const char *dimension; /* "B", "s", "tok/s", ...; "" for none */
    bool bare;             /* the number without the unit behind it */
};

/* The numbers of a folded sentence into `out`, at most `limit`; returns how many. */
int prose_numbers(struct prose_number *out, int limit, const char *folded);

/* One unit of `unit` in base units and its dimension; false when there is no such unit. Case does
 * not matter: "gib", "GiB". */
bool prose_unit(double *factor, const char **dimension, const char *unit, size_t size);

#endif
