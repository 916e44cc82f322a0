/* walk.h -- which node is asked next, from what was answered so far.
 *
 *   a tree (question)   "0", then level 1: the branch whose item was missed first, else in order;
 *                       an answer of at least one half goes deeper, a weaker one to the next branch
 *                       five nodes at most; in the research round until its clock or its nodes end
 *   a story             "0", then two of its five probes, drawn by the round's seed (all of them when
 *                       it is rehearsed)
 *   a node              that one
 *
 * Pure. Tests: tests/rounds/walk_test.c
 */
#ifndef ROUNDS_WALK_H
#define ROUNDS_WALK_H

#include "content/library.h"
#include "rounds/round.h"

enum { WALK_TREE_LIMIT = 5, WALK_PROBES = 2 };
#define WALK_DEEPER 0.5

/* The next node of a words step, after `answers` (those of this round; others' steps are used only
 * to know what was asked already). NULL when the step is over. */
const struct question_node *walk_next(const struct library *library, const struct round *round,
                                      const struct step *step, const struct answer *answers,
                                      int n_answers);

#endif
