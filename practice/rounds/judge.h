/* judge.h -- one answer in words, graded and stored: what every round, `ask` and `review` do.
 *
 *   text --rubric--> findings, score --answer_add--> stored --review_add--> remembered
 *
 * A rehearsal, and a question that is marked by the candidate, leave no trace in the memory.
 * Tests: tests/rounds/judge_test.c
 */
#ifndef ROUNDS_JUDGE_H
#define ROUNDS_JUDGE_H

#include "content/library.h"
#include "grader/rubric.h"
#include "progress/fsrs.h"
#include "rounds/round.h"

/* Cut-offs of a score: what counts as a pass, and how memory rates it. */
#define JUDGE_EASY 0.85
#define JUDGE_GOOD 0.6
#define JUDGE_HARD 0.4

/* Grade `text` against a node. *result is a new JSON reference (rubric_json). */
MUST_CHECK enum status judge_text(json_t **result, double *score, const struct question_node *node,
                                  const char *language, const char *text, struct error *err);

/* The score after the candidate's own verdicts: `flipped` are places of findings whose verdict the
 * candidate turns over (found becomes not found, and the other way). The confirmed verdicts as JSON
 * into *confirmed (the caller frees it). */
double judge_confirm(char **confirmed, const json_t *result, const int *flipped, int n_flipped);

/* Put the confirmed verdicts (JSON, or NULL) in place of the result's own. An item that the candidate
 * turned over keeps what it was as "graded". */
void judge_apply(json_t *result, const char *confirmed);

/* The rating that memory gets: from the engine's own score, never the candidate's. */
enum fsrs_rating judge_rating(double score, bool overtime);

/* Keep it in the memory of `item`, unless the round is a rehearsal. */
MUST_CHECK enum status judge_remember(struct progress *progress, const struct round *round,
                                      const char *item, double score, bool overtime,
                                      struct error *err);

#endif
