/* rubric.h -- an answer in words against what is looked for.
 *
 *   a line    term & term & term          all in one sentence
 *             term & term + term          the two sides in the same sentence or in neighbours
 *   a term    regex                       PCRE2, at the start of a word of the folded sentence
 *             !regex                      nowhere in the sentence
 *             #320 KiB ~10%   #8 ~x2      a number of that value and dimension, 5% unless said
 *             @sentences<=2               a measure of the whole answer: words, sentences,
 *                                         questions, numbers, seconds, first-person
 *
 * An item is found when any of its lines is, contradicted when a line of a wrong answer against it
 * is; the sentence in which most of its lines hold is reported. A list of keywords decides nothing.
 *
 * A line of a wrong answer looks for a claim: its terms do not count behind a "not" (four words back in
 * the same clause), unless the line names a denial itself.
 *
 *   score = max(0, weights found - half the weights contradicted) / all weights
 *
 * Tests: tests/grader/rubric_test.c, tests/fuzz/rubric_fuzz.c
 */
#ifndef GRADER_RUBRIC_H
#define GRADER_RUBRIC_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "content/question.h"
#include "grader/prose.h"

enum rubric_verdict { RUBRIC_NOT_FOUND, RUBRIC_FOUND, RUBRIC_CONTRADICTED };

const char *rubric_verdict_name(enum rubric_verdict verdict); /* "not-found": stored */

struct rubric_finding {
    const struct rubric_item *item;
    enum rubric_verdict verdict;
    int start, size;                  /* the sentence in the answer; size 0 when there is none */
    const struct rubric_wrong *wrong; /* what contradicts it, or NULL */
};

struct rubric_grade {
    struct rubric_finding *findings; /* one per item, in the rubric's order */
    int n_findings;
    double score; /* 0 .. 1 */
};

/* A rubric made ready in one language. The rubric is borrowed. */
struct rubric_reader;

/* STATUS_FORMAT naming the line that cannot be read. */
MUST_CHECK enum status rubric_open(struct rubric_reader **out, const struct rubric *rubric,
                                   const char *language, struct error *err);
/* Take a list of keywords as evidence too: for a question that is asked, not an answer. */
void rubric_accept_keywords(struct rubric_reader *reader);

void rubric_close(struct rubric_reader *reader); /* harmless on NULL */

/* Grade one answer; rubric_grade_done() releases it. STATUS_LIMIT when it is too long. */
MUST_CHECK enum status rubric_apply(struct rubric_grade *grade, const struct rubric_reader *reader,
                                    const char *answer, struct error *err);
void rubric_grade_done(struct rubric_grade *grade);

/* Whether wrong answer `wrong` of the rubric is seen in the text, whatever else is. */
bool rubric_sees(const struct rubric_reader *reader, unsigned wrong, const char *answer);

/* The grade as it is stored: {"score", "language", "items": [{"name", "weight", "verdict", "text",
 * "sentence", "correction"}]}, texts in `language`. New reference. */
json_t *rubric_json(const struct rubric_grade *grade, const char *answer, const char *language);

/* The score of findings whose verdicts were changed (a candidate's own, an examiner's). */
double rubric_score(const struct rubric_finding *findings, int n);

#endif
