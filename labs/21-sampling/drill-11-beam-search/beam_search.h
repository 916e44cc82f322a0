/* beam_search.h -- the function to implement, and the model it is given. */
#ifndef BEAM_SEARCH_H
#define BEAM_SEARCH_H

/* A language model that reads one token at a time. What it has read is in a state (its cache),
 * `state_size` integers for each beam. */
struct beam_model {
    int V;          /* tokens are 0 .. V-1 */
    int start, end; /* the token that every sequence begins with; the one that finishes it */
    int state_size;
    const int *start_state; /* [state_size]: nothing read yet */
    void *context;          /* pass it on to step() */

    /* Read one token in each of n rows (n >= 1).
     *
     *   log_probs [n,V]            written: natural logarithms, for the token that comes next
     *   states    [n,state_size]   changed in place: row r has now read tokens[r]
     *   tokens    [n] */
    void (*step)(void *context, float *log_probs, int *states, const int *tokens, int n);
};

/* The n_beams best hypotheses, best score first. The buffers do not overlap, neither here nor in
 * step(), and belong to whoever calls; n_beams, max_length and V are at least 1.
 *
 *   tokens  [n_beams,max_length]   written: lengths[j] tokens in row j; what follows is not read
 *   lengths [n_beams]              written: the start token does not count, the end token does
 *   scores  [n_beams]              written: sum of log-probabilities / length^alpha */
void beam_search(int *tokens, int *lengths, float *scores, const struct beam_model *model,
                 int n_beams, int max_length, float alpha);

#endif
