/* attention.h -- the function to implement. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include <stdbool.h>

/*   out        [B,H,T,D]   written
 *   q, k, v    [B,H,T,D]
 *   key_mask   [B,T]       true: a real token; false: padding
 *
 * All buffers are row-major and do not overlap. */
void attention(float *out, const float *q, const float *k, const float *v, const bool *key_mask,
               bool causal, int B, int H, int T, int D);

#endif
