/* top_p.h -- the function to implement. */
#ifndef TOP_P_H
#define TOP_P_H

/*   probs    [B,V]   written: what may be sampled, in the vocabulary's order; each row sums to 1
 *   tokens   [B]     written: the token chosen in each row
 *   logits   [B,V]
 *   draws    [B]     uniform numbers in [0,1), one for each row
 *
 * temperature 0: greedy. top_k 0: no limit. All buffers belong to the caller, are
 * row-major and do not overlap. */
void top_p_sample(float *probs, int *tokens, const float *logits, float temperature, int top_k,
                  float top_p, const float *draws, int B, int V);

#endif
