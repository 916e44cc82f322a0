/* trial.h -- what the grader's tests share: drills, a grader with warm workers, one grading. */
#ifndef TESTS_GRADER_TRIAL_H
#define TESTS_GRADER_TRIAL_H

#include "grader/grade.h"

/* For cmocka_run_group_tests(). Skips nothing: lanes that are missing give VERDICT_UNAVAILABLE. */
int trial_begin(void **state);
int trial_end(void **state);

extern struct drills trial_drills;
extern struct grader trial_grader;

const struct drill *trial_drill(const char *number);

/* Grade a source with hidden cases; result_done() releases it. */
struct result trial_grade(const char *number, enum lane lane, const char *source);

/* True when the lane's tools are here; says so once when not. */
bool trial_has(enum lane lane);

#endif
