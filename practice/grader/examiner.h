/* examiner.h -- an optional second reader: any OpenAI-compatible endpoint, one item at a time.
 *
 *   question, one rubric item, answer --POST .../chat/completions, temperature 0--> yes or no, a quote
 *
 * It answers whether one item is met, and must quote the words that meet it; a quote that is not
 * verbatim in the answer makes it a no. It never gives a total. Off unless the user names an endpoint,
 * and its verdicts count only after its agreement with the anchored answers was shown and accepted.
 * Tests: tests/cli/examiner_test.py (against a server on loopback)
 */
#ifndef GRADER_EXAMINER_H
#define GRADER_EXAMINER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "content/question.h"

struct examiner {
    const char *url;   /* "http://127.0.0.1:8080/v1" */
    const char *model; /* as the endpoint names it */
    const char *key;   /* or NULL */
    int timeout_s;
};

/* Whether `answer` meets `item`; the words that do into *quote (the caller frees it; NULL on a no).
 * STATUS_FORMAT when the reply is not of the asked form; else as fetch_run(). */
MUST_CHECK enum status examiner_ask(bool *met, char **quote, const struct examiner *examiner,
                                    const struct question_node *node,
                                    const struct rubric_item *item, const char *language,
                                    const char *answer, struct error *err);

/* Ask about every item of a stored result (rubric_json) and write "examiner": "met" or "not-met" and
 * "examiner_quote" into its items. With `counts`, an item that the rubric did not find and the examiner
 * quotes becomes found, with the quote as its sentence; what is contradicted stays so. The new score
 * into *score. */
MUST_CHECK enum status examiner_grade(double *score, json_t *result,
                                      const struct examiner *examiner,
                                      const struct question_node *node, const char *language,
                                      const char *answer, bool counts, struct error *err);

#endif
