/* bpe.h -- byte-pair encoding: replace pairs of neighbours, the earliest learned pair first.
 *
 *   l o w e r      merges: e r -> er, l o -> lo, lo w -> low, low er -> lower
 *   l o w er       rank 0
 *   lo w er        rank 1
 *   low er         rank 2
 *   lower          rank 3
 *
 * At every step the pair with the lowest rank is replaced, the leftmost where it stands several
 * times. Symbols are token ids.
 *
 * Three ways to the same result, chosen by the number of symbols and by the merges:
 *   a line of ranks, searched for its least         up to BPE_SHORT symbols; quadratic, but short
 *   a queue for each rank                           longer, if merges are in order: linear
 *   a heap of (rank, place)                         longer, any merges: n log n
 * Merges are in order when every symbol is made by one merge at most, and after those that make
 * its parts: so are all that were trained. Then replacing a pair never makes one of a lower rank.
 *
 * Ranks may share a level: then the leftmost of all pairs of the lowest level goes first.
 *
 * Does not know: text, where it is cut, special tokens.
 * Source: Sennrich et al. 2016 (arXiv:1508.07909). Lab: 11 BPE. Tests: tests/text/bpe_test.c
 */
#ifndef TEXT_BPE_H
#define TEXT_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { BPE_SYMBOL_BITS = 21, BPE_SYMBOLS_LIMIT = 1 << BPE_SYMBOL_BITS, BPE_SHORT = 48 };

struct bpe_merge {
    int32_t left, right, made;
};

struct bpe {
    struct bpe_merge *merges; /* by rank */
    int n_merges, capacity;
    uint32_t *levels; /* by rank, never falling; NULL: each rank is its own */
    bool in_order;
    uint64_t *pairs; /* open addressing: left, right and rank in 21 bits each; BPE_NO_PAIR: free */
    uint32_t pairs_shift;
};

/* Add the next merge; its rank is the number of those before. STATUS_LIMIT. */
MUST_CHECK enum status bpe_add(struct bpe *bpe, int32_t left, int32_t right, int32_t made,
                               struct error *err);

/* Make merges findable, once, after the last; symbols are below n_symbols. A pair that is there
 * twice counts where it stands first. */
void bpe_index(struct bpe *bpe, int n_symbols);

/* The rank of a pair, or UINT32_MAX. */
uint32_t bpe_rank(const struct bpe *bpe, int32_t left, int32_t right);

void bpe_done(struct bpe *bpe);

/* What long pieces need; zeroed before the first use, grows and is kept. One for each thread. */
struct bpe_work {
    struct bpe_place *places;
    size_t n_places;
    uint32_t *first, *last; /* queues by rank */
    uint64_t *filled[4];    /* which queues hold something, 64 to one bit of the next */
    int n_queues;
    uint64_t *heap;
    size_t n_heap, heap_capacity;
};
void bpe_work_done(struct bpe_work *work);

/* Apply the merges to `symbols` in place; how many are left. n is below 2^31. */
size_t bpe_apply(const struct bpe *bpe, struct bpe_work *work, int32_t *symbols, size_t n);

/* The three ways, each usable by itself; tests compare them. bpe_short: n <= BPE_SHORT, no
 * levels; bpe_queues: merges in order. */
size_t bpe_short(const struct bpe *bpe, int32_t *symbols, size_t n);
size_t bpe_queues(const struct bpe *bpe, struct bpe_work *work, int32_t *symbols, size_t n);
size_t bpe_heap(const struct bpe *bpe, struct bpe_work *work, int32_t *symbols, size_t n);

#endif
