/* copies the states from row to row in one buffer: rows are overwritten */
#include "beam_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    float sum;
    int parent, token, length, finished;
};

/* Inserts behind all that are as good, so the earlier candidate stays first. */
static int insert(struct entry *best, int n, int limit, struct entry entry)
{
    int at = n;
    while (at > 0 && best[at - 1].sum < entry.sum) {
        at--;
    }
    if (at == limit) {
        return n;
    }
    n = n < limit ? n + 1 : limit;
    memmove(best + at + 1, best + at, (size_t)(n - at - 1) * sizeof *best);
    best[at] = entry;
    return n;
}

void beam_search(int *tokens, int *lengths, float *scores, const struct beam_model *model,
                 int n_beams, int max_length, float alpha)
{
    const int V = model->V, S = model->state_size, K = n_beams;
    /* levels[t * K + j]: beam j after t steps */
    struct entry *levels = malloc((size_t)(max_length + 1) * (size_t)K * sizeof *levels);
    float *log_probs = malloc((size_t)K * (size_t)V * sizeof *log_probs);
    int *states = malloc((size_t)K * (size_t)S * sizeof *states + 1);
    int *read = malloc((size_t)K * sizeof *read);
    int level = 0, count = 1, unfinished = 1;

    levels[0] = (struct entry){0.0f, -1, model->start, 0, 0};
    memcpy(states, model->start_state, (size_t)S * sizeof *states);
    while (level < max_length && unfinished) {
        struct entry *beams = levels + (size_t)level * (size_t)K, *best = beams + K;
        int n = 0;
        for (int j = 0; j < count; j++) {
            read[j] = beams[j].token;
        }
        model->step(model->context, log_probs, states, read, count);
        for (int j = 0; j < count; j++) {
            if (beams[j].finished) {
                struct entry same = beams[j];
                same.parent = j;
                n = insert(best, n, K, same);
                continue;
            }
            for (int v = 0; v < V; v++) {
                struct entry longer = {beams[j].sum + log_probs[j * V + v], j, v,
                                       beams[j].length + 1, v == model->end};
                n = insert(best, n, K, longer);
            }
        }
        unfinished = 0;
        for (int j = 0; j < K; j++) {
            memmove(states + (size_t)j * (size_t)S, states + (size_t)best[j].parent * (size_t)S,
                    (size_t)S * sizeof *states);
            unfinished += !best[j].finished;
        }
        count = K;
        level++;
    }

    double *score = malloc((size_t)K * sizeof *score);
    char *taken = calloc((size_t)K, 1);
    const struct entry *last = levels + (size_t)level * (size_t)K;
    for (int j = 0; j < K; j++) {
        score[j] = last[j].sum / pow(last[j].length, alpha);
    }
    for (int rank = 0; rank < K; rank++) {
        int best = -1;
        for (int j = 0; j < K; j++) {
            if (!taken[j] && (best < 0 || score[j] > score[best])) {
                best = j;
            }
        }
        taken[best] = 1;
        scores[rank] = (float)score[best];
        lengths[rank] = last[best].length;
        int j = best;
        for (int t = level; t > 0; t--) {
            const struct entry *entry = levels + (size_t)t * (size_t)K + j;
            if (t <= entry->length) { /* else: carried along, finished */
                tokens[(size_t)rank * (size_t)max_length + (size_t)t - 1] = entry->token;
            }
            j = entry->parent;
        }
    }

    free(taken);
    free(score);
    free(read);
    free(states);
    free(log_probs);
    free(levels);
}
