/* rubric_sample.h -- a sentence that a line of terms should find, made up from the line itself.
 *
 *   '(latency|ttft) & how long.{0,20}wait'  ->  "is it the latency of the how longwait?"
 *
 * The first alternative of each group, the fewest repetitions. It reads badly and proves one thing: that
 * something can be found at all. Lookarounds and back references are passed over.
 * Tests: tests/grader/rubric_prove_test.c
 */
#ifndef GRADER_RUBRIC_SAMPLE_H
#define GRADER_RUBRIC_SAMPLE_H

#include "base/text.h"

void rubric_sample(struct text *out, const char *line);

#endif
