/* plan.h -- the command lines of the chain that a run goes through.
 *
 *   bwrap (the list of what is to be seen) -- lcx-confine (limits, filters) -- program
 *
 * Does not know: processes, clocks. Tests: tests/sandbox/sandbox_test.c
 */
#ifndef SANDBOX_PLAN_H
#define SANDBOX_PLAN_H

#include "base/error.h"
#include "sandbox/sandbox.h"
#include "sandbox/supervisor.h"

struct plan {
    char **argv, **environment;
    char **stage_from; /* folders and files that the run's uid cannot reach by itself */
    char *stage_folder;
};

/* The command lines for a request behind these walls. `temporary` is the name of the folder
 * in the attempt's that becomes the private /tmp; `drops`: the run's uid is another than
 * ours. Release with sandbox_plan_done(), also after an error. */
MUST_CHECK enum status sandbox_plan_make(struct plan *plan, const struct sandbox_request *request,
                                         const char *temporary, enum sandbox_walls walls,
                                         bool drops, struct error *err);
void sandbox_plan_done(struct plan *plan);

/* Whether lcx-confine stays above the program to end the run's process group. */
bool plan_has_guard(const struct sandbox_profile *profile, enum sandbox_walls walls);

/* The options of confine_apply() for a child of the worker, one a line. The caller frees it. */
char *plan_child_options(const struct sandbox_profile *profile, enum sandbox_walls walls,
                         const char *const *readable, const char *folder);

/* The same bubblewrap walls around `lcx-confine --check`. Release with plan_words_free(). */
char **plan_trial(void);
void plan_words_free(char **words);

#endif
