/* timing.h -- how long a call takes, on our clock.
 *
 * A batch of K calls travels as one message; the slope of time over K leaves out
 * the message, the warm-up and the child's own clock. Every call has new inputs, and
 * of every message an answer that the child cannot know beforehand is looked at.
 */
#ifndef GRADER_TIMING_H
#define GRADER_TIMING_H

#include "grader/oracle.h"
#include "grader/runner.h"

struct speed {
    double ratio, low, high; /* candidate / reference: median and quartiles; 0: not measured */
    double call_us, reference_us;
    bool wrong; /* a timed call answered other than the oracle */
};

/* Interleaved rounds against the reference in the same lane. */
void timing_speed(struct speed *speed, struct runner *candidate, struct runner *reference,
                  const struct oracle *oracle, uint64_t seed, struct trouble *trouble);

struct growth {
    double exponent;     /* of the cost in n; 0: not measured */
    int64_t wrong_n;     /* the size at which a timed call answered wrongly; 0: none did */
    int64_t wrong_calls; /* how many calls that message had */
};

/* The exponent from four sizes; the least of up to three tries, since noise only adds. A wrong
 * answer ends it, unless those are expected (other mistakes are still in). */
void timing_complexity(struct growth *growth, struct runner *candidate, const struct oracle *oracle,
                       uint64_t seed, bool wrong_expected, struct trouble *trouble);

/* Least squares of log(time) against log(size). */
double timing_exponent(const int64_t *sizes, const double *times, int n);

#endif
