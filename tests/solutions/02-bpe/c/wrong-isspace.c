/* Mistake: every white space makes a border. */
#include "bpe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The length of the pre-token at the start of text. */
static size_t pretoken(const uint8_t *text, size_t n)
{
    size_t len = 1;
    while (len < n && !isspace(text[len])) len++;
    return len;
}

/* Replaces (left, right) by token in ids[0..n); returns the new length. */
static size_t replace(int *ids, size_t n, int left, int right, int token)
{
    size_t out = 0;
    for (size_t i = 0; i < n; out++) {
        if (i + 1 < n && ids[i] == left && ids[i + 1] == right) {
            ids[out] = token;
            i += 2;
        } else {
            ids[out] = ids[i++];
        }
    }
    return out;
}

static long count(const int *ids, const size_t *lens, size_t n_words, int left, int right)
{
    long found = 0;
    for (size_t w = 0; w < n_words; ids += lens[w++])
        for (size_t i = 0; i + 1 < lens[w]; i++)
            if (ids[i] == left && ids[i + 1] == right) {
                found++;
                i++;
            }
    return found;
}

int bpe_train(struct merge *merges, int n_merges, const uint8_t *text, size_t n_bytes)
{
    int *ids = malloc((n_bytes + 1) * sizeof *ids);
    size_t *lens = malloc((n_bytes + 1) * sizeof *lens);
    size_t n_words = 0;
    int made = 0;

    for (size_t i = 0; i < n_bytes; i++) ids[i] = text[i];
    for (size_t i = 0; i < n_bytes; i += lens[n_words++])
        lens[n_words] = pretoken(text + i, n_bytes - i);

    for (; made < n_merges; made++) {
        long most = 1;
        int left = 0, right = 0;
        const int *p = ids;
        for (size_t w = 0; w < n_words; p += lens[w++])
            for (size_t i = 0; i + 1 < lens[w]; i++) {
                const int a = p[i], b = p[i + 1];
                const long c = count(ids, lens, n_words, a, b);
                if (c > most || (c == most && most > 1 && (a < left || (a == left && b < right)))) {
                    most = c;
                    left = a;
                    right = b;
                }
            }
        if (most < 2) break;
        merges[made] = (struct merge){left, right};
        int *from = ids, *to = ids;
        for (size_t w = 0; w < n_words; w++) {
            const size_t old = lens[w];
            lens[w] = replace(from, old, left, right, 256 + made);
            memmove(to, from, lens[w] * sizeof *to);
            from += old;
            to += lens[w];
        }
    }
    free(ids);
    free(lens);
    return made;
}

size_t bpe_encode(int *ids, const uint8_t *text, size_t n_bytes, const struct merge *merges,
                  int n_merges)
{
    size_t total = 0;

    for (size_t at = 0; at < n_bytes;) {
        const size_t len = pretoken(text + at, n_bytes - at);
        int *word = ids + total;
        size_t n = len;
        for (size_t i = 0; i < len; i++) word[i] = text[at + i];
        for (int m = 0; m < n_merges && n > 1; m++)
            n = replace(word, n, merges[m].left, merges[m].right, 256 + m);
        total += n;
        at += len;
    }
    return total;
}

static uint8_t *expand(uint8_t *to, int token, const struct merge *merges)
{
    if (token < 256) {
        *to = (uint8_t)token;
        return to + 1;
    }
    to = expand(to, merges[token - 256].left, merges);
    return expand(to, merges[token - 256].right, merges);
}

size_t bpe_decode(uint8_t *text, const int *ids, size_t n_ids, const struct merge *merges,
                  int n_merges)
{
    uint8_t *end = text;

    (void)n_merges;
    for (size_t i = 0; i < n_ids; i++) end = expand(end, ids[i], merges);
    return (size_t)(end - text);
}
