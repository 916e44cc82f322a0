/* study.h -- everything that is remembered: which items there are, and which round asks for them.
 *
 *   drill/01           every drill
 *   question/01/0      every question with follow-ups: a tree
 *   question/01/1-1    its follow-ups, and the recruiter's and manager's questions: nodes
 *   paper/NAME/claim   the parts of every paper: nodes
 *   card/NAME          every card of the quiz
 *
 * What the candidate marks himself (self_marked) leaves no trace in the memory and is no item; nor
 * is what only a round can ask: parts of a brief or a story, weak points, any paper.
 *
 * A round's skills are its drills, questions, papers, briefs and stories, all of one weight; the two
 * halves of the phone round weigh the same.
 * Tests: tests/rounds/study_test.c
 */
#ifndef ROUNDS_STUDY_H
#define ROUNDS_STUDY_H

#include "content/drill.h"
#include "content/library.h"
#include "progress/plan.h"
#include "progress/readiness.h"

struct study {
    struct plan_item *items; /* [n]; items[i] is about drills->drills[i] for i < n_drills */
    int n, n_drills;
};

/* Everything with what is remembered of it; study_done() releases it. The item's rounds are bits by
 * place in round_kinds (packet.h); its weight is how many rounds it prepares. */
MUST_CHECK enum status study_read(struct study *study, const struct library *library,
                                  const struct drills *drills, struct progress *progress,
                                  double retention, struct error *err);
void study_done(struct study *study);

/* The first follow-up of the tree items[tree] that was never asked; -1 when there is none. */
int study_follow_up(const struct study *study, int tree);

/* How many trees were asked for the first time on that day. */
int study_new_trees(const struct study *study, int64_t day);

/* How ready for a round (place in round_kinds) on a day; *n_skills is how many it has. A round
 * without content is at the prior. */
MUST_CHECK enum status study_readiness(struct readiness *readiness, int *n_skills, int round,
                                       const struct library *library, const struct drills *drills,
                                       struct progress *progress, int64_t day, struct error *err);

#endif
