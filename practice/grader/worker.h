/* worker.h -- one Python process per lane that has already imported the lane's
 * library, and forks a confined child for each submission.
 *
 * harness/worker.py is the other side and describes the messages.
 */
#ifndef GRADER_WORKER_H
#define GRADER_WORKER_H

#include "grader/runner.h"

/* The lane's worker, started when it is not there. NULL with a trouble
 * (unavailable, or ours). */
struct worker *worker_get(struct grader *grader, enum lane lane, struct trouble *trouble);

/* Fork a child for `source`; fills runner's channel, output, id, and wall_s. */
void worker_run(struct worker *worker, struct runner *runner, const char *source,
                struct trouble *trouble);

/* Wait for the child's end (asking for it when it takes long) and say how it ended:
 * limits and signals go to `trouble` when there is none yet. */
void worker_wait(struct worker *worker, struct runner *runner, struct trouble *trouble);

/* The sandbox's limits for one child of the lane. */
const struct sandbox_profile *worker_profile(enum lane lane);

void worker_free(struct worker *worker);

#endif
