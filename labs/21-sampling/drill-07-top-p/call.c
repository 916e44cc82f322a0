#include "top_p.h"

#include "grader/harness/harness.h"

void harness_call(const struct record *in, struct record *out)
{
    const int64_t B = record_dim(in, "logits", 0), V = record_dim(in, "logits", 1);
    float *probs = output_f32(out, "probs", SHAPE(B, V));
    int32_t *tokens = output_i32(out, "tokens", SHAPE(B));

    top_p_sample(probs, tokens, record_f32(in, "logits"), (float)record_real(in, "temperature"),
                 (int)record_int(in, "top_k"), (float)record_real(in, "top_p"),
                 record_f32(in, "draws"), (int)B, (int)V);
}
