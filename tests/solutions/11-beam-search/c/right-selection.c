/* K times the first largest candidate, straight on the arrays, finished beams moved along */
#include "beam_search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int is_done(const int *path, int length, int end)
{
    return length > 0 && path[length - 1] == end;
}

static void *get(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    assert(memory);
    return memory;
}

void beam_search(int *tokens, int *lengths, float *scores, const struct beam_model *model,
                 int n_beams, int max_length, float alpha)
{
    size_t V = (size_t)model->V, S = (size_t)model->state_size, K = (size_t)n_beams;
    size_t T = (size_t)max_length, n = 1;
    double *sums = get(K, sizeof *sums), *pool = get(K * V, sizeof *pool);
    double *new_sums = get(K, sizeof *new_sums);
    float *log_probs = get(K * V, sizeof *log_probs);
    int *states = get(K * S, sizeof(int)), *new_states = get(K * S, sizeof(int));
    int *paths = get(K * T, sizeof(int)), *new_paths = get(K * T, sizeof(int));
    int *length = get(K, sizeof(int)), *new_length = get(K, sizeof(int));
    int *read = get(K, sizeof(int));

    read[0] = model->start;
    memcpy(states, model->start_state, S * sizeof(int));

    for (size_t t = 0; t < T; t++) {
        size_t n_done = 0;
        for (size_t j = 0; j < n; j++) {
            n_done += (size_t)is_done(paths + j * T, length[j], model->end);
        }
        if (n_done == n) {
            break;
        }
        model->step(model->context, log_probs, states, read, (int)n);
        for (size_t j = 0; j < n; j++) {
            int done = is_done(paths + j * T, length[j], model->end);
            for (size_t v = 0; v < V; v++) {
                pool[j * V + v] = done ? (v ? -INFINITY : sums[j]) : sums[j] + log_probs[j * V + v];
            }
        }
        for (size_t b = 0; b < K; b++) {
            size_t best = 0;
            for (size_t c = 1; c < n * V; c++) {
                best = pool[c] > pool[best] ? c : best;
            }
            size_t parent = best / V;
            int done = is_done(paths + parent * T, length[parent], model->end);
            new_sums[b] = pool[best];
            pool[best] = -INFINITY;
            memcpy(new_states + b * S, states + parent * S, S * sizeof(int));
            memcpy(new_paths + b * T, paths + parent * T, T * sizeof(int));
            new_length[b] = length[parent];
            if (!done) {
                new_paths[b * T + (size_t)new_length[b]++] = (int)(best % V);
            }
            read[b] = new_paths[b * T + (size_t)new_length[b] - 1];
        }
        n = K;
        memcpy(sums, new_sums, K * sizeof *sums);
        memcpy(states, new_states, K * S * sizeof(int));
        memcpy(paths, new_paths, K * T * sizeof(int));
        memcpy(length, new_length, K * sizeof(int));
    }

    /* insertion sort by score, stable */
    for (size_t j = 0; j < K; j++) {
        double score = sums[j] / pow(length[j], alpha);
        size_t at = j;
        for (; at > 0 && new_sums[at - 1] < score; at--) {
            new_sums[at] = new_sums[at - 1];
            lengths[at] = lengths[at - 1];
            memcpy(tokens + at * T, tokens + (at - 1) * T, T * sizeof(int));
        }
        new_sums[at] = score;
        lengths[at] = length[j];
        memcpy(tokens + at * T, paths + j * T, T * sizeof(int));
    }
    for (size_t j = 0; j < K; j++) {
        scores[j] = (float)new_sums[j];
    }

    void *all[] = {sums,  pool,      new_sums, log_probs,  states, new_states,
                   paths, new_paths, length,   new_length, read};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]);
    }
}
