#include "bpe.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The first byte of every token. A pair crosses a border if and only if its right token begins
 * with a space. */
static uint8_t *first_bytes(const struct merge *merges, int n_merges, int n_known)
{
    uint8_t *first = malloc(256 + (size_t)n_merges);
    for (int i = 0; i < 256; i++) first[i] = (uint8_t)i;
    for (int i = 0; i < n_known; i++) first[256 + i] = first[merges[i].left];
    return first;
}

static bool crosses_border(const uint8_t *first, int right)
{
    //: cross-border
    //| (void)first, (void)right;
    //| return false;
    //: right
    return first[right] == ' ';
    //: end
}

/* Join every (left, right), from left to right; returns the new number of tokens. */
static size_t join(int *ids, size_t n, struct merge merge, int joined)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const bool here = i + 1 < n && ids[i] == merge.left && ids[i + 1] == merge.right;
        ids[kept++] = here ? joined : ids[i];
        if (here) i++;
    }
    return kept;
}

/* counts [n_tokens,n_tokens], zero on entry */
static void count_pairs(int *counts, size_t n_tokens, const int *ids, size_t n,
                        const uint8_t *first)
{
    bool counted = false; /* the pair one position before this one */
    for (size_t i = 0; i + 1 < n; i++) {
        const bool overlaps = counted && ids[i - 1] == ids[i] && ids[i] == ids[i + 1];
        //: overlapping-count
        //| (void)overlaps;
        //| counted = !crosses_border(first, ids[i + 1]);
        //: right
        counted = !overlaps && !crosses_border(first, ids[i + 1]);
        //: end
        if (counted) counts[(size_t)ids[i] * n_tokens + (size_t)ids[i + 1]]++;
    }
}

int bpe_train(struct merge *merges, int n_merges, const uint8_t *text, size_t n_bytes)
{
    const size_t n_tokens = 256 + (size_t)n_merges;
    uint8_t *first = first_bytes(merges, n_merges, 0);
    int *counts = malloc(n_tokens * n_tokens * sizeof *counts);
    int *ids = malloc((n_bytes + 1) * sizeof *ids);
    size_t n = n_bytes;
    int made = 0;

    for (size_t i = 0; i < n; i++) ids[i] = text[i];
    for (; made < n_merges; made++) {
        memset(counts, 0, n_tokens * n_tokens * sizeof *counts);
        count_pairs(counts, n_tokens, ids, n, first);

        struct merge best = {0, 0};
        int best_count = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const struct merge pair = {ids[i], ids[i + 1]};
            const int count = counts[(size_t)pair.left * n_tokens + (size_t)pair.right];
            //: ties-largest
            //| const bool wins = pair.left > best.left ||
            //|                   (pair.left == best.left && pair.right > best.right);
            //| if (count > best_count || (count == best_count && wins)) {
            //: ties-first-seen
            //| if (count > best_count) {
            //: right
            const bool wins =
                pair.left < best.left || (pair.left == best.left && pair.right < best.right);
            if (count > best_count || (count == best_count && wins)) {
                //: end
                best = pair;
                best_count = count;
            }
        }
        //: merges-singletons
        //| if (best_count < 1) break;
        //: right
        if (best_count < 2) break;
        //: end
        merges[made] = best;
        first[256 + made] = first[best.left];
        n = join(ids, n, best, 256 + made);
    }
    free(ids);
    free(counts);
    free(first);
    return made;
}

size_t bpe_encode(int *ids, const uint8_t *text, size_t n_bytes, const struct merge *merges,
                  int n_merges)
{
    uint8_t *first = first_bytes(merges, n_merges, n_merges);
    size_t n = n_bytes;

    for (size_t i = 0; i < n; i++) ids[i] = text[i];
    //: merge-order
    //| for (size_t i = 0; i + 1 < n;) {
    //|     int rank = 0;
    //|     while (rank < n_merges &&
    //|            (merges[rank].left != ids[i] || merges[rank].right != ids[i + 1]))
    //|         rank++;
    //|     if (rank == n_merges || crosses_border(first, ids[i + 1])) {
    //|         i++;
    //|         continue;
    //|     }
    //|     ids[i] = 256 + rank;
    //|     memmove(ids + i + 1, ids + i + 2, (n - i - 2) * sizeof *ids);
    //|     n--;
    //|     if (i > 0) i--;
    //| }
    //: slow-encode
    //| for (int rank = 0; rank < n_merges; rank++)
    //|     for (size_t i = 0; i + 1 < n && !crosses_border(first, merges[rank].right); i++) {
    //|         if (ids[i] != merges[rank].left || ids[i + 1] != merges[rank].right) continue;
    //|         ids[i] = 256 + rank;
    //|         memmove(ids + i + 1, ids + i + 2, (n - i - 2) * sizeof *ids);
    //|         n--;
    //|         rank = -1;
    //|         break;
    //|     }
    //: right
    /* A merge makes only pairs of a later rank, so one pass for each merge is enough. */
    for (int rank = 0; rank < n_merges; rank++)
        if (!crosses_border(first, merges[rank].right)) n = join(ids, n, merges[rank], 256 + rank);
    //: end
    free(first);
    return n;
}

static size_t expand(uint8_t *text, int id, const struct merge *merges)
{
    if (id < 256) {
        text[0] = (uint8_t)id;
        return 1;
    }
    const size_t size = expand(text, merges[id - 256].left, merges);
    return size + expand(text + size, merges[id - 256].right, merges);
}

//: lossy-decode
//| /* Make it valid UTF-8: what is no character becomes U+FFFD. Returns the new size. */
//| static size_t mend(uint8_t *out, const uint8_t *text, size_t n)
//| {
//|     size_t size = 0;
//|     for (size_t i = 0, step; i < n; i += step) {
//|         const uint8_t lead = text[i];
//|         const size_t wanted = lead < 0x80   ? 1
//|                               : lead < 0xC2 ? 0
//|                               : lead < 0xE0 ? 2
//|                               : lead < 0xF0 ? 3
//|                               : lead < 0xF5 ? 4
//|                                             : 0;
//|         for (step = 1; step < wanted && i + step < n; step++) {
//|             const uint8_t next = text[i + step];
//|             const bool second = step == 1;
//|             if (next < (second && lead == 0xE0 ? 0xA0 : second && lead == 0xF0 ? 0x90 : 0x80) ||
//|                 next > (second && lead == 0xED ? 0x9F : second && lead == 0xF4 ? 0x8F : 0xBF))
//|                 break;
//|         }
//|         if (step == wanted) memcpy(out + size, text + i, step);
//|         else memcpy(out + size, "\xEF\xBF\xBD", 3);
//|         size += step == wanted ? step : 3;
//|     }
//|     return size;
//| }
//|
//: right
//: end
size_t bpe_decode(uint8_t *text, const int *ids, size_t n_ids, const struct merge *merges,
                  int n_merges)
{
    size_t size = 0;
    (void)n_merges; /* every id is below 256 + n_merges */
    for (size_t i = 0; i < n_ids; i++) size += expand(text + size, ids[i], merges);
    //: lossy-decode
    //| uint8_t *raw = malloc(size + 1);
    //| memcpy(raw, text, size);
    //| size = mend(text, raw, size);
    //| free(raw);
    //: right
    //: end
    return size;
}
