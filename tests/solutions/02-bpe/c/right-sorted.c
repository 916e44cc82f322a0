/* Sorts the pairs to count them; encode looks merges up by binary search, lowest number first. */
#include "bpe.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

enum { BORDER = -1 };

struct entry {
    int left, right, number;
};

static int by_pair(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    if (a->left != b->left) return a->left < b->left ? -1 : 1;
    return (a->right > b->right) - (a->right < b->right);
}

static size_t squeeze(int *ids, size_t n, struct entry e)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        if (ids[i] == e.left && i + 1 < n && ids[i + 1] == e.right) {
            ids[out++] = 256 + e.number;
            i++;
        } else {
            ids[out++] = ids[i];
        }
    }
    return out;
}

int bpe_train(struct merge *merges, int n_merges, const uint8_t *text, size_t n_bytes)
{
    if (n_bytes < 2) return 0;

    int *ids = malloc(2 * n_bytes * sizeof *ids);
    struct entry *pairs = malloc(2 * n_bytes * sizeof *pairs);
    assert(ids && pairs);
    size_t n = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        if (text[i] == ' ') ids[n++] = BORDER;
        ids[n++] = text[i];
    }

    int done = 0;
    while (done < n_merges) {
        size_t n_pairs = 0;
        bool used = false; /* whether ids[i] ended an occurrence of its own double */
        for (size_t i = 0; i + 1 < n; i++) {
            const bool same = ids[i] == ids[i + 1];
            if (ids[i] == BORDER || ids[i + 1] == BORDER || (same && used)) {
                used = false;
                continue;
            }
            used = same;
            pairs[n_pairs++] = (struct entry){ids[i], ids[i + 1], 0};
        }
        qsort(pairs, n_pairs, sizeof *pairs, by_pair);

        size_t most = 1;
        struct entry best = {0};
        for (size_t i = 0, j; i < n_pairs; i = j) {
            for (j = i + 1; j < n_pairs && by_pair(&pairs[i], &pairs[j]) == 0; j++)
                ;
            if (j - i > most) {
                most = j - i;
                best = pairs[i];
            }
        }
        if (most < 2) break;
        best.number = done;
        merges[done].left = best.left;
        merges[done].right = best.right;
        n = squeeze(ids, n, best);
        done++;
    }
    free(ids);
    free(pairs);
    return done;
}

size_t bpe_encode(int *ids, const uint8_t *text, size_t n_bytes, const struct merge *merges,
                  int n_merges)
{
    struct entry *table = malloc(((size_t)n_merges + 1) * sizeof *table);
    assert(table);
    for (int i = 0; i < n_merges; i++)
        table[i] = (struct entry){merges[i].left, merges[i].right, i};
    qsort(table, (size_t)n_merges, sizeof *table, by_pair);

    size_t n_ids = 0;
    for (size_t i = 0; i < n_bytes;) {
        int *word = ids + n_ids;
        size_t len = 0;
        do word[len++] = text[i++];
        while (i < n_bytes && text[i] != ' ');

        for (;;) {
            const struct entry *first = NULL;
            for (size_t j = 0; j + 1 < len; j++) {
                const struct entry key = {word[j], word[j + 1], 0};
                const struct entry *hit =
                    bsearch(&key, table, (size_t)n_merges, sizeof *table, by_pair);
                if (hit && (!first || hit->number < first->number)) first = hit;
            }
            if (!first) break;
            len = squeeze(word, len, *first);
        }
        n_ids += len;
    }
    free(table);
    return n_ids;
}

size_t bpe_decode(uint8_t *text, const int *ids, size_t n_ids, const struct merge *merges,
                  int n_merges)
{
    /* A token is at most n_merges deep, so this stack is deep enough. */
    int *stack = malloc(((size_t)n_merges + 2) * sizeof *stack);
    size_t written = 0;
    assert(stack);

    for (size_t i = 0; i < n_ids; i++) {
        int depth = 0;
        stack[depth++] = ids[i];
        while (depth > 0) {
            const int token = stack[--depth];
            if (token < 256) {
                text[written++] = (uint8_t)token;
            } else {
                stack[depth++] = merges[token - 256].right;
                stack[depth++] = merges[token - 256].left;
            }
        }
    }
    free(stack);
    return written;
}
