#include "doubled.h"

#include "grader/harness/harness.h"

void harness_call(const struct record *in, struct record *out)
{
    const int64_t N = record_dim(in, "x", 0);
    doubled(output_f32(out, "y", SHAPE(N)), record_f32(in, "x"), (int)N);
}
