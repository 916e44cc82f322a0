#include "beam_search.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct beam {
    float sum; /* of log-probabilities */
    int length;
    bool done;
};

/* The first of the largest numbers that are not taken yet; it is taken then. */
static int take_best(const float *key, bool *taken, int n)
{
    int best = -1;
    for (int i = 0; i < n; i++)
        if (!taken[i] && (best < 0 || key[i] > key[best])) best = i;
    taken[best] = true;
    return best;
}

void beam_search(int *tokens, int *lengths, float *scores, const struct beam_model *model,
                 int n_beams, int max_length, float alpha)
{
    const int K = n_beams, V = model->V, S = model->state_size;
    const size_t row = (size_t)max_length * sizeof(int), state = (size_t)S * sizeof(int);
    struct beam *beams = calloc((size_t)K, sizeof *beams), *next = calloc((size_t)K, sizeof *next);
    int *words = malloc((size_t)K * row),
        *next_words = malloc((size_t)K * row); /* [K,max_length] */
    int *states = malloc((size_t)K * state), *next_states = malloc((size_t)K * state); /* [K,S] */
    int *last = malloc((size_t)K * sizeof *last);
    float *log_probs = malloc((size_t)(K * V) * sizeof *log_probs);
    float *total = malloc((size_t)(K * V) * sizeof *total);
    float *key = malloc((size_t)(K * V) * sizeof *key);
    bool *taken = malloc((size_t)(K * V) * sizeof *taken);

    memset(words, 0, (size_t)K * row);
    for (int k = 0; k < K; k++) {
        //: duplicate-beams
        //| const bool exists = true;
        //: right
        const bool exists = k == 0; /* one empty beam to begin with */
        //: end
        //: probabilities-multiplied
        //| beams[k].sum = exists ? 1.0f : 0.0f;
        //: right
        beams[k].sum = exists ? 0.0f : -INFINITY;
        //: end
        memcpy(states + k * S, model->start_state, state);
        last[k] = model->start;
    }

    for (int t = 0; t < max_length; t++) {
        bool all_done = true;
        model->step(model->context, log_probs, states, last, K);
        for (int i = 0; i < K * V; i++) {
            const struct beam *beam = &beams[i / V];
            float log_prob = log_probs[i];
            if (beam->done) log_prob = i % V == model->end ? 0.0f : -INFINITY; /* stays as it is */
            //: probabilities-multiplied
            //| total[i] = beam->sum * expf(log_prob);
            //: right
            total[i] = beam->sum + log_prob;
            //: end
            //: length-penalty-in-prune
            //| key[i] = total[i] / powf((float)(beam->length + !beam->done), alpha);
            //: right
            key[i] = total[i];
            //: end
            taken[i] = false;
        }

        for (int k = 0; k < K; k++) {
            const int best = take_best(key, taken, K * V), parent = best / V;
            next[k] = beams[parent];
            next[k].sum = total[best];
            last[k] = best % V;
            memcpy(next_words + k * max_length, words + parent * max_length, row);
            if (!next[k].done) next_words[k * max_length + next[k].length++] = last[k];
            //: caches-not-reordered
            //| memcpy(next_states + k * S, states + k * S, state);
            //: right
            memcpy(next_states + k * S, states + parent * S, state);
            //: end
            //: finished-keeps-growing
            //: right
            if (last[k] == model->end) next[k].done = true;
            //: end
            all_done = all_done && next[k].done;
        }
        memcpy(beams, next, (size_t)K * sizeof *beams);
        memcpy(words, next_words, (size_t)K * row);
        memcpy(states, next_states, (size_t)K * state);
        if (all_done) break;
    }

    for (int k = 0; k < K; k++) {
        //: probabilities-multiplied
        //| beams[k].sum = logf(beams[k].sum);
        //: right
        //: end
        //: start-counted
        //| key[k] = beams[k].sum / powf((float)(beams[k].length + 1), alpha);
        //: right
        key[k] = beams[k].sum / powf((float)beams[k].length, alpha);
        //: end
        taken[k] = false;
    }
    for (int j = 0; j < K; j++) {
        const int best = take_best(key, taken, K);
        memcpy(tokens + j * max_length, words + best * max_length, row);
        lengths[j] = beams[best].length;
        scores[j] = key[best];
    }
    free(beams), free(next), free(words), free(next_words), free(states), free(next_states);
    free(last), free(log_probs), free(total), free(key), free(taken);
}
