#include "rope.h"

#include "grader/harness/harness.h"

void harness_call(const struct record *in, struct record *out)
{
    const int64_t B = record_dim(in, "qkv", 0), T = record_dim(in, "qkv", 1);
    const int64_t H = record_dim(in, "qkv", 3), D = record_dim(in, "qkv", 4);
    float *q = output_f32(out, "q", SHAPE(B, T, H, D));
    float *k = output_f32(out, "k", SHAPE(B, T, H, D));
    float *v = output_f32(out, "v", SHAPE(B, T, H, D));

    rope(q, k, v, record_f32(in, "qkv"), (int)record_int(in, "offset"),
         (float)record_real(in, "base"),
         record_int(in, "half_split") ? ROPE_HALF_SPLIT : ROPE_INTERLEAVED, (int)B, (int)T, (int)H,
         (int)D);
}
