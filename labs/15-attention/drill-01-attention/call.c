#include "attention.h"

#include "grader/harness/harness.h"

void harness_call(const struct record *in, struct record *out)
{
    const int64_t B = record_dim(in, "q", 0), H = record_dim(in, "q", 1);
    const int64_t T = record_dim(in, "q", 2), D = record_dim(in, "q", 3);

    attention(output_f32(out, "out", SHAPE(B, H, T, D)), record_f32(in, "q"), record_f32(in, "k"),
              record_f32(in, "v"), (const bool *)record_u8(in, "key_mask"),
              record_int(in, "causal") != 0, (int)B, (int)H, (int)T, (int)D);
}
