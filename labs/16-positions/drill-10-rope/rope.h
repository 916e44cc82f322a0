/* rope.h -- the function to implement. */
#ifndef ROPE_H
#define ROPE_H

enum rope_layout {
    ROPE_INTERLEAVED, /* pair i is the numbers 2i and 2i+1 */
    ROPE_HALF_SPLIT,  /* pair i is the numbers i and i + D/2 */
};

/* Split a block's projection into queries, keys and values, and turn the first two.
 *
 *   q, k, v   [B,T,H,D]     written
 *   qkv       [B,T,3,H,D]   at each position: queries, keys, values
 *
 * Token t of every sequence is at position offset + t. D is even. All buffers are
 * row-major and do not overlap. */
void rope(float *q, float *k, float *v, const float *qkv, int offset, float base,
          enum rope_layout layout, int B, int T, int H, int D);

#endif
