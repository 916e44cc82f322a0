/* pair_merger.h -- pieces with counts, and the loop that merges their most frequent pair.
 *
 *   cells    one for each byte of a piece, and one between pieces:   | l o w | l o w e r |
 *            a symbol has its id in its first and in its last cell:  | 257 . 257 | ...
 *   places   where each pair stands, from left to right; those that no longer do are passed over
 *   heap     pairs by (count, left bytes, right bytes); counts in it may be too high, and are put
 *            right when they come up
 *
 * A pair that is not of the newest symbol never gains, so the heap's first is the greatest once its
 * count is right. Memory: about 8 bytes a cell, and 8 more as merges add places.
 */
#ifndef TEXT_PAIR_MERGER_H
#define TEXT_PAIR_MERGER_H

#include "text/word_count.h"

struct pair_merger;

/* Take over what was counted; `words` may be released afterwards. */
struct pair_merger *pair_merger_open(const struct word_count *words);
void pair_merger_close(struct pair_merger *merger);

/* Merge the greatest pair if it occurs at least so often: its count, or 0 when there is none. */
uint64_t pair_merger_step(struct pair_merger *merger, uint64_t least);

/* Symbols: the 256 bytes, then one for each merge. */
int pair_merger_size(const struct pair_merger *merger);
const char *pair_merger_bytes(const struct pair_merger *merger, int symbol, size_t *size);
void pair_merger_parts(const struct pair_merger *merger, int symbol, int32_t *left, int32_t *right);

#endif
