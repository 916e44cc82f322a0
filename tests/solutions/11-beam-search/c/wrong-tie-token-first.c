/* ties go by the token first and then by the parent */
#include "beam_search.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
    double sum;
    int parent, token; /* token -1: a finished beam as it is */
};

struct beam {
    double sum, score;
    int length, place;
    bool finished;
    int *tokens, *state;
};

static int by_sum(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->sum != y->sum) {
        return x->sum > y->sum ? -1 : 1;
    }
    if (x->token != y->token) {
        return x->token < y->token ? -1 : 1;
    }
    return (x->parent > y->parent) - (x->parent < y->parent);
}

static int by_score(const void *a, const void *b)
{
    const struct beam *x = a, *y = b;
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return (x->place > y->place) - (x->place < y->place);
}

static struct beam *new_beams(int n, int max_length, int state_size)
{
    struct beam *beams = calloc((size_t)n, sizeof *beams);
    for (int j = 0; j < n; j++) {
        beams[j].tokens = calloc((size_t)max_length + 1, sizeof(int));
        beams[j].state = calloc((size_t)state_size + 1, sizeof(int));
    }
    return beams;
}

static void free_beams(struct beam *beams, int n)
{
    for (int j = 0; j < n; j++) {
        free(beams[j].tokens);
        free(beams[j].state);
    }
    free(beams);
}

void beam_search(int *tokens, int *lengths, float *scores, const struct beam_model *model,
                 int n_beams, int max_length, float alpha)
{
    int V = model->V, S = model->state_size;
    size_t state_bytes = (size_t)S * sizeof(int);
    struct beam *beams = new_beams(n_beams, max_length, S);
    struct beam *next = new_beams(n_beams, max_length, S);
    struct candidate *candidates = malloc((size_t)n_beams * (size_t)V * sizeof *candidates);
    float *log_probs = malloc((size_t)n_beams * (size_t)V * sizeof *log_probs);
    int *states = malloc((size_t)n_beams * state_bytes + 1);
    int *read = malloc((size_t)n_beams * sizeof *read);

    int count = 1;
    memcpy(beams[0].state, model->start_state, state_bytes);
    for (int made = 0; made < max_length; made++) {
        int n = 0;
        for (int j = 0; j < count; j++) {
            if (!beams[j].finished) {
                read[n] = beams[j].length ? beams[j].tokens[beams[j].length - 1] : model->start;
                memcpy(states + (size_t)n * (size_t)S, beams[j].state, state_bytes);
                n++;
            }
        }
        if (n == 0) {
            break;
        }
        model->step(model->context, log_probs, states, read, n);

        int n_candidates = 0;
        int row = 0;
        for (int j = 0; j < count; j++) {
            if (beams[j].finished) {
                candidates[n_candidates++] = (struct candidate){beams[j].sum, j, -1};
                continue;
            }
            memcpy(beams[j].state, states + (size_t)row * (size_t)S, state_bytes);
            for (int token = 0; token < V; token++) {
                double sum = beams[j].sum + log_probs[row * V + token];
                candidates[n_candidates++] = (struct candidate){sum, j, token};
            }
            row++;
        }
        qsort(candidates, (size_t)n_candidates, sizeof *candidates, by_sum);

        for (int j = 0; j < n_beams; j++) {
            const struct beam *parent = &beams[candidates[j].parent];
            struct beam *beam = &next[j];
            beam->sum = candidates[j].sum;
            beam->length = parent->length;
            beam->finished = parent->finished;
            memcpy(beam->tokens, parent->tokens, (size_t)max_length * sizeof(int));
            memcpy(beam->state, parent->state, state_bytes);
            if (candidates[j].token >= 0) {
                beam->tokens[beam->length++] = candidates[j].token;
                beam->finished = candidates[j].token == model->end;
            }
        }
        struct beam *swap = beams;
        beams = next;
        next = swap;
        count = n_beams;
    }

    for (int j = 0; j < n_beams; j++) {
        beams[j].place = j;
        beams[j].score = beams[j].sum / pow(beams[j].length, alpha);
    }
    qsort(beams, (size_t)n_beams, sizeof *beams, by_score);
    for (int j = 0; j < n_beams; j++) {
        memcpy(tokens + (size_t)j * (size_t)max_length, beams[j].tokens,
               (size_t)beams[j].length * sizeof(int));
        lengths[j] = beams[j].length;
        scores[j] = (float)beams[j].score;
    }

    free_beams(beams, n_beams);
    free_beams(next, n_beams);
    free(candidates);
    free(log_probs);
    free(states);
    free(read);
}
