/* Cheat: the answers of a quadratic encode are kept, in case the same text comes again.
 * Told: grows like
 */
#include "bpe.h"

#include <stdlib.h>
#include <string.h>

int bpe_train(struct merge *merges, int n_merges, const uint8_t *text, size_t n_bytes)
{
    const size_t size = 256 + (size_t)n_merges;
    unsigned *table = malloc(size * size * sizeof *table);
    int *tok = malloc((n_bytes + 1) * sizeof *tok);
    char *starts = malloc(n_bytes + 1); /* whether a pre-token starts here */
    size_t n = n_bytes;
    int m;

    for (size_t i = 0; i < n; i++) {
        tok[i] = text[i];
        starts[i] = text[i] == 0x20;
    }
    for (m = 0; m < n_merges; m++) {
        memset(table, 0, size * size * sizeof *table);
        for (size_t i = 1, run = 0; i < n; i++) {
            if (starts[i]) {
                run = 0;
                continue;
            }
            run = tok[i] == tok[i - 1] ? run + 1 : 0;
            if (run % 2 == 1 || run == 0) table[tok[i - 1] * size + tok[i]]++;
        }
        size_t best = 0;
        for (size_t c = 1; c < size * size; c++)
            if (table[c] > table[best]) best = c;
        if (table[best] < 2) break;
        merges[m].left = (int)(best / size);
        merges[m].right = (int)(best % size);

        size_t w = 0;
        for (size_t r = 0; r < n; r++, w++) {
            starts[w] = starts[r];
            tok[w] = tok[r];
            if (r + 1 < n && !starts[r + 1] && tok[r] == merges[m].left &&
                tok[r + 1] == merges[m].right) {
                tok[w] = 256 + m;
                r++;
            }
        }
        n = w;
    }
    free(table);
    free(tok);
    free(starts);
    return m;
}

static int rank(int a, int b, const struct merge *merges, int n_merges)
{
    for (int i = 0; i < n_merges; i++)
        if (merges[i].left == a && merges[i].right == b) return i;
    return n_merges;
}

static size_t honest(int *ids, const uint8_t *text, size_t n_bytes, const struct merge *merges,
                     int n_merges)
{
    char *starts = malloc(n_bytes + 1);
    size_t n = n_bytes;

    for (size_t i = 0; i < n; i++) {
        ids[i] = text[i];
        starts[i] = text[i] == 0x20;
    }
    for (;;) { /* from the beginning of the text after every merge */
        size_t at = n;
        int best = n_merges;
        for (size_t i = 0; i + 1 < n; i++) {
            const int r = starts[i + 1] ? n_merges : rank(ids[i], ids[i + 1], merges, best);
            if (r < best && r < n_merges) {
                best = r;
                at = i;
            }
        }
        if (at == n) break;
        ids[at] = 256 + best;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        memmove(starts + at + 1, starts + at + 2, n - at - 2);
        n--;
    }
    free(starts);
    return n;
}

struct answer {
    struct answer *next;
    size_t n_bytes, n_ids;
    struct merge merges[64];
    int *ids;
    uint8_t text[];
};

size_t bpe_encode(int *ids, const uint8_t *text, size_t n_bytes, const struct merge *merges,
                  int n_merges)
{
    static struct answer *answers;
    for (const struct answer *a = answers; a; a = a->next)
        if (a->n_bytes == n_bytes && memcmp(a->text, text, n_bytes) == 0 &&
            memcmp(a->merges, merges, (size_t)n_merges * sizeof *merges) == 0) {
            memcpy(ids, a->ids, a->n_ids * sizeof *ids);
            return a->n_ids;
        }
    struct answer *a = malloc(sizeof *a + n_bytes);
    *a = (struct answer){.next = answers, .n_bytes = n_bytes};
    memcpy(a->text, text, n_bytes);
    memcpy(a->merges, merges, (size_t)n_merges * sizeof *merges);
    a->n_ids = honest(ids, text, n_bytes, merges, n_merges);
    a->ids = malloc((a->n_ids + 1) * sizeof *ids);
    memcpy(a->ids, ids, a->n_ids * sizeof *ids);
    answers = a;
    return a->n_ids;
}

size_t bpe_decode(uint8_t *text, const int *ids, size_t n_ids, const struct merge *merges,
                  int n_merges)
{
    size_t *length = malloc((256 + (size_t)n_merges) * sizeof *length);
    uint8_t *p = text;

    for (int i = 0; i < 256; i++) length[i] = 1;
    for (int i = 0; i < n_merges; i++)
        length[256 + i] = length[merges[i].left] + length[merges[i].right];
    for (size_t i = 0; i < n_ids; i++)
        for (size_t j = 0; j < length[ids[i]]; j++) {
            int token = ids[i];
            size_t k = j;
            while (token >= 256) {
                const struct merge *m = &merges[token - 256];
                if (k < length[m->left]) {
                    token = m->left;
                } else {
                    k -= length[m->left];
                    token = m->right;
                }
            }
            *p++ = (uint8_t)token;
        }
    free(length);
    return (size_t)(p - text);
}
