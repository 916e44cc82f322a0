/* prose.h -- an answer in words, as the rubric reads it.
 *
 *   text ── sentences ── each folded: lower case, no accents, one space, √ as sqrt
 *                          └── a list of keywords is marked: it is evidence of nothing
 *
 * A sentence ends at . ! ? or ; before a space, and at an empty line or a list's dash; "0.5" and
 * "e.g." end nothing, nor does the "1." of a list. Folding is NFKD with marks removed and case folded (Unicode 15, UAX 15), so
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
#include "plan/unit.h"

enum { PROSE_SIZE_LIMIT = 64 * 1024, PROSE_SENTENCE_LIMIT = 2000 };

struct prose_sentence {
    size_t start, size; /* in the text as it was given */
    char *folded;
    bool
        keywords; /* five words or more, hardly a function word among them, in a heap without any or a verb,
                    * or six and more short ones between commas; no = < > ~ */
};

struct prose {
    struct prose_sentence *sentences;
    int n_sentences;
    int n_full_sentences; /* without those that only a ; ends */
    int n_words, n_questions, n_numbers, n_first_person;
};

/* Read `text` (UTF-8; what is not is skipped). STATUS_LIMIT when it is longer than the limits
 * say. prose_done() releases it. */
MUST_CHECK enum status prose_read(struct prose *prose, const char *text, struct error *err);
void prose_done(struct prose *prose);

/* The valid parts of these bytes as a sentence is folded; the caller frees it. */
char *prose_fold(const char *bytes, size_t size);

/* Seconds that reading it aloud takes, at 150 words a minute. */
double prose_seconds(const struct prose *prose);

/* A number of a sentence, in base units. One that may mean two things ("10.000" in Spanish) is there
 * twice. */
struct prose_number {
    double value;
    enum unit unit, per; /* as in unit.h */
    bool bare;           /* the number as it is written, without what follows it */
};

/* The numbers of the raw sentence, each both with its unit and bare. Powers are computed: "3.8 × 10²¹",
 * "2^15". The caller frees *out, which is NULL for none. */
void prose_numbers(struct prose_number **out, int *n, const char *text, size_t size,
                   enum number_style style);

/* One of `unit` ("KiB", "tok/s", "x"; "" is a plain number) in base units; false when there is no such
 * unit. */
bool prose_unit(struct quantity *out, const char *unit, size_t size);

/* Whether a number may be compared with a value of that unit: without one, the number as written
 * whatever follows it; a ratio also with a plain number ("0.08" is 8%). */
bool prose_number_is(const struct prose_number *number, enum unit unit, enum unit per);

#endif
