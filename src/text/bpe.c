#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { NOWHERE = -1 };
#define NO_RANK UINT32_MAX
#define NO_PAIR \
    UINT64_MAX /* free; a pair of the last symbol with itself has a rank below 2^21 - 1 */

/* ---- pairs ---- */

static inline uint64_t pair_of(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 42 | (uint64_t)(uint32_t)right << 21;
}

static inline uint32_t slot_of(const struct bpe *bpe, uint64_t pair)
{
    return (uint32_t)(((pair >> 21) * 0x9E3779B97F4A7C15u) >> bpe->pairs_shift);
}

static inline uint32_t rank_of(const struct bpe *bpe, int32_t left, int32_t right)
{
    const uint64_t pair = pair_of(left, right);
    const uint32_t mask = (uint32_t)((UINT64_C(1) << (64 - bpe->pairs_shift)) - 1);
    for (uint32_t slot = slot_of(bpe, pair);; slot = (slot + 1) & mask) {
        const uint64_t found = bpe->pairs[slot];
        if (found >> 21 == pair >> 21) return (uint32_t)found & (BPE_SYMBOLS_LIMIT - 1);
        if (found == NO_PAIR) return NO_RANK;
    }
}

uint32_t bpe_rank(const struct bpe *bpe, int32_t left, int32_t right)
{
    return rank_of(bpe, left, right);
}

enum status bpe_add(struct bpe *bpe, int32_t left, int32_t right, int32_t made, struct error *err)
{
    CHECK(left >= 0 && right >= 0 && made >= 0);
    if (bpe->n_merges >= BPE_SYMBOLS_LIMIT - 1)
        return error_set(err, STATUS_LIMIT, "merges: more than %d", BPE_SYMBOLS_LIMIT - 1);
    if (bpe->n_merges == bpe->capacity) {
        bpe->capacity = bpe->capacity ? 2 * bpe->capacity : 256;
        bpe->merges = memory_grow(bpe->merges, (size_t)bpe->capacity, sizeof *bpe->merges);
    }
    bpe->merges[bpe->n_merges++] = (struct bpe_merge){left, right, made};
    return STATUS_OK;
}

/* Is every symbol made once at most, and never used before it is made? */
static bool are_in_order(const struct bpe *bpe, int n_symbols)
{
    bool *used = memory_new((size_t)n_symbols, sizeof *used);
    bool in_order = true;
    for (int rank = 0; rank < bpe->n_merges && in_order; rank++) {
        const struct bpe_merge *merge = &bpe->merges[rank];
        used[merge->left] = used[merge->right] = true;
        in_order = !used[merge->made];
        used[merge->made] = true;
    }
    free(used);
    return in_order;
}

void bpe_index(struct bpe *bpe, int n_symbols)
{
    CHECK(n_symbols <= BPE_SYMBOLS_LIMIT);
    int bits = 4;
    while (UINT64_C(1) << bits < 2 * (uint64_t)bpe->n_merges) bits++;
    const size_t n = (size_t)1 << bits;
    free(bpe->pairs);
    bpe->pairs = memory_new(n, sizeof *bpe->pairs);
    memset(bpe->pairs, 0xFF, n * sizeof *bpe->pairs);
    bpe->pairs_shift = 64 - (uint32_t)bits;
    for (int rank = 0; rank < bpe->n_merges; rank++) {
        const struct bpe_merge *merge = &bpe->merges[rank];
        CHECK(merge->left < n_symbols && merge->right < n_symbols && merge->made < n_symbols);
        if (rank_of(bpe, merge->left, merge->right) != NO_RANK) continue;
        const uint64_t pair = pair_of(merge->left, merge->right);
        uint32_t slot = slot_of(bpe, pair);
        while (bpe->pairs[slot] != NO_PAIR) slot = (slot + 1) & (uint32_t)(n - 1);
        bpe->pairs[slot] = pair | (uint64_t)(uint32_t)rank;
    }
    bpe->in_order = !bpe->levels && are_in_order(bpe, n_symbols);
}

void bpe_done(struct bpe *bpe)
{
    free(bpe->merges);
    free(bpe->levels);
    free(bpe->pairs);
    *bpe = (struct bpe){0};
}

/* ---- short: a line of ranks ---- */

size_t bpe_short(const struct bpe *bpe, int32_t *symbols, size_t n)
{
    uint32_t ranks[BPE_SHORT + 1];
    CHECK(n <= BPE_SHORT);
    if (n < 2) return n;
    for (size_t i = 0; i + 1 < n; i++) ranks[i] = rank_of(bpe, symbols[i], symbols[i + 1]);
    ranks[n - 1] = NO_RANK;

    for (;;) {
        uint32_t least = NO_RANK;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++)
            if (ranks[i] < least) {
                least = ranks[i];
                at = i;
            }
        if (least == NO_RANK) return n;
        symbols[at] = bpe->merges[least].made;
        n--;
        memmove(symbols + at + 1, symbols + at + 2, (n - at - 1) * sizeof *symbols);
        memmove(ranks + at + 1, ranks + at + 2, (n - at - 1) * sizeof *ranks);
        ranks[at] = at + 1 < n ? rank_of(bpe, symbols[at], symbols[at + 1]) : NO_RANK;
        if (at > 0) ranks[at - 1] = rank_of(bpe, symbols[at - 1], symbols[at]);
    }
}

/* ---- long: places that know their neighbours ---- */

struct bpe_place {
    int32_t symbol; /* NOWHERE: swallowed by the one before */
    int32_t before, after;
    uint32_t rank;          /* of this symbol with the next */
    int32_t earlier, later; /* in the queue of that rank */
};

static void lay_out(const struct bpe *bpe, struct bpe_work *work, const int32_t *symbols, size_t n)
{
    CHECK(n < INT32_MAX);
    if (n > work->n_places) {
        work->places = memory_grow(work->places, n, sizeof *work->places);
        work->n_places = n;
    }
    for (size_t i = 0; i < n; i++)
        work->places[i] = (struct bpe_place){
            .symbol = symbols[i],
            .before = (int32_t)i - 1,
            .after = i + 1 < n ? (int32_t)i + 1 : NOWHERE,
            .rank = i + 1 < n ? rank_of(bpe, symbols[i], symbols[i + 1]) : NO_RANK,
        };
}

static size_t gather(const struct bpe_work *work, int32_t *symbols)
{
    size_t n = 0;
    for (int32_t at = 0; at != NOWHERE; at = work->places[at].after)
        symbols[n++] = work->places[at].symbol;
    return n;
}

static uint32_t rank_at(const struct bpe *bpe, const struct bpe_place *places, int32_t at)
{
    const int32_t after = places[at].after;
    return after == NOWHERE ? NO_RANK : rank_of(bpe, places[at].symbol, places[after].symbol);
}

/* The symbol at `at` becomes `made` and swallows the next one. */
static void swallow(struct bpe_place *places, int32_t at, int32_t made)
{
    const int32_t gone = places[at].after, after = places[gone].after;
    places[at].symbol = made;
    places[at].after = after;
    if (after != NOWHERE) places[after].before = at;
    places[gone].symbol = NOWHERE;
    places[gone].rank = NO_RANK;
}

/* ---- a queue for each rank ---- */

/* Four levels of 64 reach 2^24 queues. */
static void queues_reserve(struct bpe_work *work, int n_queues)
{
    if (n_queues <= work->n_queues) return;
    work->first = memory_grow(work->first, (size_t)n_queues, sizeof *work->first);
    work->last = memory_grow(work->last, (size_t)n_queues, sizeof *work->last);
    size_t n = (size_t)n_queues;
    for (int level = 0; level < 4; level++) {
        n = n / 64 + 1;
        free(work->filled[level]);
        work->filled[level] = memory_new(n, sizeof **work->filled);
    }
    work->n_queues = n_queues;
}

static bool queue_is_filled(const struct bpe_work *work, uint32_t rank)
{
    return work->filled[0][rank / 64] >> rank % 64 & 1;
}

/* The lowest rank whose queue holds something, or NO_RANK. */
static uint32_t queues_least(const struct bpe_work *work)
{
    if (!work->filled[3][0]) return NO_RANK;
    uint32_t at = 0;
    for (int level = 3; level >= 0; level--)
        at = at * 64 + (uint32_t)__builtin_ctzll(work->filled[level][at]);
    return at;
}

static void queue_add(struct bpe_work *work, int32_t at)
{
    struct bpe_place *place = &work->places[at];
    if (place->rank == NO_RANK) return;
    uint32_t rank = place->rank;
    place->later = NOWHERE;
    if (queue_is_filled(work, rank)) {
        place->earlier = (int32_t)work->last[rank];
        work->places[place->earlier].later = at;
    } else {
        place->earlier = NOWHERE;
        work->first[rank] = (uint32_t)at;
        for (int level = 0; level < 4; level++, rank /= 64)
            work->filled[level][rank / 64] |= UINT64_C(1) << rank % 64;
    }
    work->last[place->rank] = (uint32_t)at;
}

static void queue_remove(struct bpe_work *work, int32_t at)
{
    const struct bpe_place *place = &work->places[at];
    if (place->rank == NO_RANK) return;
    if (place->earlier != NOWHERE) work->places[place->earlier].later = place->later;
    else work->first[place->rank] = (uint32_t)place->later;
    if (place->later != NOWHERE) work->places[place->later].earlier = place->earlier;
    else work->last[place->rank] = (uint32_t)place->earlier;
    if (place->earlier != NOWHERE || place->later != NOWHERE) return;

    uint32_t rank = place->rank;
    for (int level = 0; level < 4; level++, rank /= 64) {
        work->filled[level][rank / 64] &= ~(UINT64_C(1) << rank % 64);
        if (work->filled[level][rank / 64]) break;
    }
}

/* Merges are in order, so a queue is complete when its turn comes, and its places were added from
 * left to right: those of a pair all appear while one merge runs over the text (bpe.h). */
size_t bpe_queues(const struct bpe *bpe, struct bpe_work *work, int32_t *symbols, size_t n)
{
    CHECK(bpe->in_order);
    if (n < 2) return n;
    lay_out(bpe, work, symbols, n);
    queues_reserve(work, bpe->n_merges);
    for (size_t i = 0; i < n; i++) queue_add(work, (int32_t)i);

    for (uint32_t rank; (rank = queues_least(work)) != NO_RANK;) {
        const int32_t at = (int32_t)work->first[rank], before = work->places[at].before;
        queue_remove(work, at);
        queue_remove(work, work->places[at].after);
        if (before != NOWHERE) queue_remove(work, before);
        swallow(work->places, at, bpe->merges[rank].made);
        if (before != NOWHERE) {
            work->places[before].rank = rank_at(bpe, work->places, before);
            queue_add(work, before);
        }
        work->places[at].rank = rank_at(bpe, work->places, at);
        queue_add(work, at);
    }
    return gather(work, symbols);
}

/* ---- a heap of level << 32 | place ---- */

static uint32_t level_of(const struct bpe *bpe, uint32_t rank)
{
    return bpe->levels ? bpe->levels[rank] : rank;
}

static void heap_add(const struct bpe *bpe, struct bpe_work *work, int32_t at)
{
    const uint32_t rank = work->places[at].rank;
    if (rank == NO_RANK) return;
    if (work->n_heap == work->heap_capacity) {
        work->heap_capacity = work->heap_capacity ? 2 * work->heap_capacity : 256;
        work->heap = memory_grow(work->heap, work->heap_capacity, sizeof *work->heap);
    }
    const uint64_t key = (uint64_t)level_of(bpe, rank) << 32 | (uint32_t)at;
    size_t i = work->n_heap++;
    for (; i > 0 && work->heap[(i - 1) / 2] > key; i = (i - 1) / 2)
        work->heap[i] = work->heap[(i - 1) / 2];
    work->heap[i] = key;
}

static uint64_t heap_take(struct bpe_work *work)
{
    const uint64_t least = work->heap[0], key = work->heap[--work->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < work->n_heap; i = child) {
        if (child + 1 < work->n_heap && work->heap[child + 1] < work->heap[child]) child++;
        if (work->heap[child] >= key) break;
        work->heap[i] = work->heap[child];
    }
    work->heap[i] = key;
    return least;
}

size_t bpe_heap(const struct bpe *bpe, struct bpe_work *work, int32_t *symbols, size_t n)
{
    if (n < 2) return n;
    lay_out(bpe, work, symbols, n);
    work->n_heap = 0;
    for (size_t i = 0; i < n; i++) heap_add(bpe, work, (int32_t)i);
    while (work->n_heap) {
        const uint64_t key = heap_take(work);
        const int32_t at = (int32_t)(uint32_t)key;
        struct bpe_place *place = &work->places[at];
        if (place->rank == NO_RANK || level_of(bpe, place->rank) != key >> 32)
            continue; /* it changed since */
        swallow(work->places, at, bpe->merges[place->rank].made);
        place->rank = rank_at(bpe, work->places, at);
        heap_add(bpe, work, at);
        if (place->before == NOWHERE) continue;
        struct bpe_place *before = &work->places[place->before];
        before->rank = rank_at(bpe, work->places, place->before);
        heap_add(bpe, work, place->before);
    }
    return gather(work, symbols);
}

size_t bpe_apply(const struct bpe *bpe, struct bpe_work *work, int32_t *symbols, size_t n)
{
    if (n <= BPE_SHORT && !bpe->levels) return bpe_short(bpe, symbols, n);
    return bpe->in_order ? bpe_queues(bpe, work, symbols, n) : bpe_heap(bpe, work, symbols, n);
}

void bpe_work_done(struct bpe_work *work)
{
    free(work->places);
    free(work->first);
    free(work->last);
    for (int level = 0; level < 4; level++) free(work->filled[level]);
    free(work->heap);
    *work = (struct bpe_work){0};
}
