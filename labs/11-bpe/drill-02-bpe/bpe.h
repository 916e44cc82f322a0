/* bpe.h -- the functions to implement. */
#ifndef BPE_H
#define BPE_H

#include <stddef.h>
#include <stdint.h>

/* Tokens 0..255 are the bytes. Merge number i joins tokens `left` and `right`, both below 256 + i,
 * into token 256 + i. */
struct merge {
    int left, right;
};

/* The buffers of a call do not overlap. A text, a list of ids and a list of merges may be empty;
 * their pointers are valid all the same, never NULL. What a buffer holds after the count that you
 * return is not looked at. */

/* Learn up to n_merges merges. Returns how many.
 *
 *   merges   [n_merges]   written from the start
 *   text     [n_bytes]    any bytes, zeros included */
int bpe_train(struct merge *merges, int n_merges, const uint8_t *text, size_t n_bytes);

/* Text to tokens. Returns how many.
 *
 *   ids      [n_bytes]    written from the start
 *   text     [n_bytes]
 *   merges   [n_merges]   not always from bpe_train() */
size_t bpe_encode(int *ids, const uint8_t *text, size_t n_bytes, const struct merge *merges,
                  int n_merges);

/* Tokens to text. Returns how many bytes.
 *
 *   text     room for all the bytes of the tokens; written from the start
 *   ids      [n_ids]      each below 256 + n_merges */
size_t bpe_decode(uint8_t *text, const int *ids, size_t n_ids, const struct merge *merges,
                  int n_merges);

#endif
