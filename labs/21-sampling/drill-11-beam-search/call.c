/* The model: a table. A beam's state is the row of the table it stands at, and how many tokens
 * it has read; `next` says where a token leads, `log_probs` what may come then. */
#include "beam_search.h"

#include <stdlib.h>
#include <string.h>

#include "grader/harness/harness.h"

enum { STATE = 2 };

struct table {
    const struct record *in;
    struct record *out;
};

static void step(void *context, float *log_probs, int *states, const int *tokens, int n)
{
    const struct table *table = context;
    const int64_t M = record_dim(table->in, "next", 0), V = record_dim(table->in, "next", 1);
    const int32_t *next = record_i32(table->in, "next");

    for (int r = 0; r < n; r++) {
        int *state = states + r * STATE;
        if (tokens[r] < 0 || tokens[r] >= V || state[0] < 0 || state[0] >= M) {
            harness_refuse(table->out, "step: row %d has token %d and state [%d,%d]: no such %s", r,
                           tokens[r], state[0], state[1],
                           tokens[r] < 0 || tokens[r] >= V ? "token" : "state");
            state[0] = 0;
        } else {
            state[0] = next[state[0] * V + tokens[r]];
        }
        state[1]++;
        memcpy(log_probs + r * V, record_f32(table->in, "log_probs") + state[0] * V,
               (size_t)V * sizeof *log_probs);
    }
}

void harness_call(const struct record *in, struct record *out)
{
    static const int start_state[STATE];
    const int64_t K = record_int(in, "n_beams"), L = record_int(in, "max_length");
    struct table table = {in, out};
    const struct beam_model model = {.V = (int)record_dim(in, "next", 1),
                                     .start = (int)record_int(in, "start"),
                                     .end = (int)record_int(in, "end"),
                                     .state_size = STATE,
                                     .start_state = start_state,
                                     .context = &table,
                                     .step = step};
    int *tokens = memory_new((size_t)(K * L), sizeof *tokens);
    int *lengths = memory_new((size_t)K, sizeof *lengths);

    beam_search(tokens, lengths, output_f32(out, "scores", SHAPE(K)), &model, (int)K, (int)L,
                (float)record_real(in, "alpha"));
    int64_t *rows = output_i64(out, "tokens", SHAPE(K, L));
    int64_t *counts = output_i64(out, "lengths", SHAPE(K));
    for (int64_t j = 0; j < K; j++) {
        if (lengths[j] < 1 || lengths[j] > L)
            harness_refuse(out, "lengths[%d] is %d; it must be from 1 to %d", (int)j, lengths[j],
                           (int)L);
        counts[j] = lengths[j];
        for (int64_t i = 0; i < L; i++) rows[j * L + i] = i < lengths[j] ? tokens[j * L + i] : -1;
    }
    free(tokens);
    free(lengths);
}
