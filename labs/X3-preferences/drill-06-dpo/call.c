#include "dpo.h"

#include <stdlib.h>

#include "grader/harness/harness.h"

static int *ints(const struct record *in, const char *name)
{
    const int64_t count = array_count(record_find(in, name));
    const int64_t *wide = record_i64(in, name);
    int *narrow = memory_new((size_t)count, sizeof *narrow);
    for (int64_t i = 0; i < count; i++) narrow[i] = (int)wide[i];
    return narrow;
}

void harness_call(const struct record *in, struct record *out)
{
    const int64_t rows = record_dim(in, "policy", 0), T = record_dim(in, "policy", 1);
    const int64_t V = record_dim(in, "policy", 2), P = rows / 2;
    int *tokens = ints(in, "tokens"), *length = ints(in, "length");
    int *prompt_length = ints(in, "prompt_length");
    const struct dpo_batch batch = {
        .policy = record_f32(in, "policy"),
        .reference = record_f32(in, "reference"),
        .tokens = tokens,
        .prompt_length = prompt_length,
        .length = length,
        .beta = (float)record_real(in, "beta"),
        .P = (int)P,
        .T = (int)T,
        .V = (int)V,
    };

    if (record_int(in, "op") == 0) { /* 0: forward, 1: backward, as in oracle.c */
        float *loss = output_f32(out, "loss", SCALAR);
        float *chosen_reward = output_f32(out, "chosen_reward", SHAPE(P));
        dpo_forward(loss, chosen_reward, output_f32(out, "rejected_reward", SHAPE(P)), &batch);
    } else {
        float *d_policy = output_f32(out, "d_policy", SHAPE(rows, T, V));
        dpo_backward(d_policy, output_f32(out, "d_reference", SHAPE(rows, T, V)), &batch);
    }
    free(tokens);
    free(prompt_length);
    free(length);
}
