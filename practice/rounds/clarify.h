/* clarify.h -- requirements that are found by asking.
 *
 *   a question     --lines of the cards--> at most two cards: their answers, at their cost in seconds
 *   an assumption  ("assume ...", "supongo ...")  half the card
 *
 * Every question is stored as it is asked. At the end the phase is scored: weights found / all, and
 * what was never asked is told with its consequence.
 * Tests: tests/rounds/clarify_test.c
 */
#ifndef ROUNDS_CLARIFY_H
#define ROUNDS_CLARIFY_H

#include "content/brief.h"
#include "rounds/round.h"

enum { CLARIFY_CARDS_PER_QUESTION = 2 };

struct clarify {
    bool assumed;
    const struct brief_card *cards[CLARIFY_CARDS_PER_QUESTION]; /* borrowed from the brief */
    int n;
};

/* Match and store one question; the cards' seconds are taken off the step's clock, once for each card. */
MUST_CHECK enum status clarify_ask(struct clarify *clarify, struct progress *progress,
                                   const struct round *round, struct step *step,
                                   const struct brief *brief, const char *question,
                                   struct error *err);

/* Which variables of the brief the answers that were given name: told[variables_count]. */
MUST_CHECK enum status clarify_told(bool *told, struct progress *progress,
                                    const struct round *round, const struct brief *brief,
                                    struct error *err);

/* Only the matching. STATUS_FORMAT when a card's line cannot be read. */
MUST_CHECK enum status clarify_match(struct clarify *clarify, const struct brief *brief,
                                     const char *language, const char *question, struct error *err);

/* Score the phase and store it as the step's last answer, which is the caller's (answer_done). */
MUST_CHECK enum status clarify_end(struct answer *answer, struct progress *progress,
                                   const struct round *round, const struct step *step,
                                   const struct brief *brief, struct error *err);

#endif
