/* card.h -- one card of the rapid quiz, answered in a word, a number or a line.
 *
 *   first answer found under 10 s -> Easy     found -> Good
 *   found after a clue            -> Hard     not found -> Again
 *
 * Tests: tests/rounds/card_test.c
 */
#ifndef ROUNDS_CARD_H
#define ROUNDS_CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/text.h"
#include "content/quiz.h"
#include "progress/fsrs.h"

enum { CARD_EASY_MS = 10000 };

/* Whether one of the card's lines is found in `text`; *result is a new JSON reference (rubric_json)
 * in which the card's answer is what was looked for. STATUS_LIMIT when the text is too long. */
MUST_CHECK enum status card_judge(bool *found, json_t **result, const struct quiz_card *card,
                                  const char *language, const char *text, struct error *err);

enum fsrs_rating card_rating(bool found, bool with_clue, int64_t elapsed_ms);

/* What an answer with that rating is stored as: 1 found, 1/2 found after a clue, 0 not. */
double card_score(enum fsrs_rating rating);

/* Append the card's answer with only the first letter of each longer word left, and no digits:
 * "s······ i· i········". */
void card_clue(struct text *out, const char *answer);

#endif
