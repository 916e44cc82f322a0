/* Byte-pair encoding, with the mistakes people make.
 *
 *   train    join the most frequent pair of neighbours, n_merges times
 *   encode   join what can be joined, the earliest merge first
 *   decode   the bytes of every token
 *
 * Exact: tokens and bytes are equal or not. Lists are padded with -1, so that a
 * list of another length is a difference in numbers and not of shape.
 *
 * Source: Sennrich et al. 2016 (arXiv:1508.07909), on bytes instead of letters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grader/oracle.h"

enum {
    OVERLAP,
    TIES_LARGEST,
    MERGE_ORDER,
    BORDER,
    LOSSY,
    TIES_FIRST,
    SINGLETONS,
    SLOW,
    N_MISTAKES
};

static const struct mistake mistakes[N_MISTAKES] = {
    [OVERLAP] = {.name = "overlapping-count"},
    [TIES_LARGEST] = {.name = "ties-largest"},
    [MERGE_ORDER] = {.name = "merge-order"},
    [BORDER] = {.name = "cross-border"},
    [LOSSY] = {.name = "lossy-decode"},
    [TIES_FIRST] = {.name = "ties-first-seen"},
    [SINGLETONS] = {.name = "merges-singletons"},
    [SLOW] = {.name = "slow-encode", .found = FOUND_BY_COMPLEXITY},
};

enum {
    TRAIN_PLAIN,
    TRAIN_RUNS,
    TRAIN_TIES,
    TRAIN_BORDERS,
    TRAIN_FEW,
    TRAIN_BYTES,
    TRAIN_TWOS,
    ENCODE_PLAIN,
    ENCODE_ORDER,
    ENCODE_RUNS,
    ENCODE_ACROSS,
    ENCODE_EMPTY,
    ENCODE_AGAIN,
    DECODE_PLAIN,
    DECODE_BYTES,
    ROUND_TRIP,
    N_KINDS
};

static const struct case_kind kinds[N_KINDS] = {
    [TRAIN_PLAIN] = {N_("train: words"), CASE_NUMBERS, true},
    [TRAIN_RUNS] = {N_("train: runs of one byte"), CASE_NUMBERS, true},
    [TRAIN_TIES] = {N_("train: ties"), CASE_NUMBERS, false},
    [TRAIN_BORDERS] = {N_("train: borders of pre-tokens"), CASE_NUMBERS, false},
    [TRAIN_FEW] = {N_("train: fewer merges than asked for"), CASE_EDGE, false},
    [TRAIN_BYTES] = {N_("train: any bytes"), CASE_EDGE, false},
    [TRAIN_TWOS] = {N_("train: a run counts by twos"), CASE_NUMBERS, false},
    [ENCODE_PLAIN] = {N_("encode: words"), CASE_NUMBERS, true},
    [ENCODE_ORDER] = {N_("encode: order of the merges"), CASE_NUMBERS, false},
    [ENCODE_RUNS] = {N_("encode: runs of one byte"), CASE_NUMBERS, false},
    [ENCODE_ACROSS] = {N_("encode: merges that cross a border"), CASE_EDGE, false},
    [ENCODE_EMPTY] = {N_("encode: empty text"), CASE_EDGE, false},
    [ENCODE_AGAIN] = {N_("encode: the same words, other merges"), CASE_NUMBERS, false},
    [DECODE_PLAIN] = {N_("decode: words"), CASE_NUMBERS, true},
    [DECODE_BYTES] = {N_("decode: any bytes"), CASE_EDGE, false},
    [ROUND_TRIP] = {N_("train, encode, decode: any bytes"), CASE_PROPERTY, false},
};

enum { OP_TRAIN, OP_ENCODE, OP_DECODE, OP_ROUND_TRIP };
enum { TEXT_LIMIT = 2048, MERGE_LIMIT = 64, ROOM = 2048 };

/* ---- the algorithm ---- */

struct pair {
    int left, right;
};

struct tokens {
    int *id;
    int *piece; /* which pre-token each belongs to */
    int n;
};

static struct tokens tokens_of(const uint8_t *text, int64_t n_bytes, uint32_t made)
{
    struct tokens t = {.id = memory_new((size_t)n_bytes, sizeof *t.id),
                       .piece = memory_new((size_t)n_bytes, sizeof *t.piece),
                       .n = (int)n_bytes};
    for (int i = 0, piece = 0; i < t.n; i++) {
        if (text[i] == ' ' && !(made & 1u << BORDER)) piece++;
        t.id[i] = text[i];
        t.piece[i] = piece;
    }
    return t;
}

static void tokens_done(struct tokens *t)
{
    free(t->id);
    free(t->piece);
}

static bool pair_at(const struct tokens *t, int i, struct pair pair)
{
    return i + 1 < t->n && t->piece[i] == t->piece[i + 1] && t->id[i] == pair.left &&
           t->id[i + 1] == pair.right;
}

/* Put `joined` at i in place of the tokens at i and i + 1. */
static void join_at(struct tokens *t, int i, int joined)
{
    const size_t after = (size_t)(t->n - i - 2);
    t->id[i] = joined;
    memmove(t->id + i + 1, t->id + i + 2, after * sizeof *t->id);
    memmove(t->piece + i + 1, t->piece + i + 2, after * sizeof *t->piece);
    t->n--;
}

static void join_all(struct tokens *t, struct pair pair, int joined)
{
    int kept = 0;
    for (int i = 0; i < t->n; i++, kept++) {
        const bool here = pair_at(t, i, pair);
        t->id[kept] = here ? joined : t->id[i];
        t->piece[kept] = t->piece[i];
        if (here) i++;
    }
    t->n = kept;
}

/* How often the pair at `first` occurs; 0 when it was seen before `first`. */
static int count_from(const struct tokens *t, int first, uint32_t made)
{
    const struct pair pair = {t->id[first], t->id[first + 1]};
    int count = 0;
    for (int i = 0; i < first; i++)
        if (pair_at(t, i, pair)) return 0;
    for (int i = first; i < t->n; i++) {
        if (!pair_at(t, i, pair)) continue;
        count++;
        if (!(made & 1u << OVERLAP)) i++;
    }
    return count;
}

static bool wins_tie(struct pair a, struct pair b, uint32_t made)
{
    const bool smaller = a.left < b.left || (a.left == b.left && a.right < b.right);
    if (made & 1u << TIES_FIRST) return false;
    return made & 1u << TIES_LARGEST ? !smaller : smaller;
}

static int train(struct pair *merges, int n_merges, const uint8_t *text, int64_t n_bytes,
                 uint32_t made)
{
    const int least = made & 1u << SINGLETONS ? 1 : 2;
    struct tokens t = tokens_of(text, n_bytes, made);
    int n = 0;

    for (; n < n_merges; n++) {
        struct pair best = {0, 0};
        int best_count = 0;
        for (int i = 0; i + 1 < t.n; i++) {
            if (t.piece[i] != t.piece[i + 1]) continue;
            const struct pair pair = {t.id[i], t.id[i + 1]};
            const int count = count_from(&t, i, made);
            const bool tie = count > 0 && count == best_count;
            if (count > best_count || (tie && wins_tie(pair, best, made))) {
                best = pair;
                best_count = count;
            }
        }
        if (best_count < least) break;
        merges[n] = best;
        join_all(&t, best, 256 + n);
    }
    tokens_done(&t);
    return n;
}

static struct tokens encode(const uint8_t *text, int64_t n_bytes, const struct pair *merges,
                            int n_merges, uint32_t made)
{
    struct tokens t = tokens_of(text, n_bytes, made);

    if (!(made & 1u << MERGE_ORDER)) {
        for (int rank = 0; rank < n_merges; rank++) join_all(&t, merges[rank], 256 + rank);
        return t;
    }
    for (int i = 0; i + 1 < t.n;) { /* the leftmost pair that has a merge, whatever its rank */
        int rank = 0;
        while (rank < n_merges && !pair_at(&t, i, merges[rank])) rank++;
        if (rank == n_merges) {
            i++;
        } else {
            join_at(&t, i, 256 + rank);
            if (i > 0) i--;
        }
    }
    return t;
}

static int expand(uint8_t *text, int id, const struct pair *merges)
{
    if (id < 256) {
        *text = (uint8_t)id;
        return 1;
    }
    const int size = expand(text, merges[id - 256].left, merges);
    return size + expand(text + size, merges[id - 256].right, merges);
}

/* Bytes of the UTF-8 character at `text`, or minus those of the longest beginning of one. */
static int character_size(const uint8_t *text, int left)
{
    const uint8_t lead = text[0];
    const int size = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (size == 0 || lead > 0xF4) return -1;
    for (int i = 1; i < size; i++) {
        uint8_t low = 0x80, high = 0xBF;
        if (i == 1 && lead == 0xE0) low = 0xA0;
        if (i == 1 && lead == 0xED) high = 0x9F;
        if (i == 1 && lead == 0xF0) low = 0x90;
        if (i == 1 && lead == 0xF4) high = 0x8F;
        if (i >= left || text[i] < low || text[i] > high) return -i;
    }
    return size;
}

static int decode(uint8_t *text, const int32_t *ids, int64_t n_ids, const struct pair *merges,
                  uint32_t made)
{
    uint8_t raw[ROOM];
    int n = 0, size = 0;

    for (int64_t i = 0; i < n_ids; i++) n += expand(raw + n, ids[i], merges);
    CHECK(3 * n <= ROOM);
    for (int i = 0; i < n;) {
        const int step = made & 1u << LOSSY ? character_size(raw + i, n - i) : 1;
        memcpy(text + size, step > 0 ? (const char *)raw + i : "\xEF\xBF\xBD",
               step > 0 ? (size_t)step : 3);
        size += step > 0 ? step : 3;
        i += abs(step);
    }
    return size;
}

/* ---- cases ---- */

static void put_text(struct record *in, const void *text, int64_t n_bytes)
{
    uint8_t *data = record_add_u8(in, "text", SHAPE(n_bytes));
    if (n_bytes) memcpy(data, text, (size_t)n_bytes);
}

static void put_merges(struct record *in, const struct pair *merges, int n_merges)
{
    int32_t *data = record_add_i32(in, "merges", SHAPE(n_merges, 2));
    for (int i = 0; i < n_merges; i++) {
        data[2 * i] = merges[i].left;
        data[2 * i + 1] = merges[i].right;
    }
}

/* The letters a..z in random order. */
static void shuffle_letters(uint8_t letters[26], struct rng *rng)
{
    for (int i = 0; i < 26; i++) letters[i] = (uint8_t)('a' + i);
    for (int i = 25; i > 0; i--) {
        const int64_t j = rng_below(rng, i + 1);
        const uint8_t kept = letters[i];
        letters[i] = letters[j];
        letters[j] = kept;
    }
}

/* Words of a small vocabulary, with spaces, new lines, commas and a letter of two bytes. */
static void write_words(uint8_t *text, int64_t n_bytes, struct rng *rng)
{
    enum { N_WORDS = 14, WORD_LIMIT = 9 };
    static const char *const gaps[] = {" ", " ", " ", " ", " ", " ", ", ", "  ", "\n", "\n\n   "};
    char words[N_WORDS][WORD_LIMIT + 1] = {{0}};
    struct text out = {0};

    for (int w = 0; w < N_WORDS; w++) {
        const int64_t size = rng_between(rng, 1, WORD_LIMIT - 1);
        for (int64_t i = 0; i < size; i++) words[w][i] = "eeeettaaoinshr"[rng_below(rng, 14)];
    }
    strcpy(words[0], "sí"); /* a letter of two bytes */
    while ((int64_t)out.size < n_bytes) {
        const int64_t w = rng_below(rng, N_WORDS), v = rng_below(rng, N_WORDS);
        text_add(&out, words[w < v ? w : v]); /* the first words are more frequent */
        text_add(&out, gaps[rng_below(rng, 10)]);
    }
    memcpy(text, out.data, (size_t)n_bytes);
    text_done(&out);
}

static void write_bytes(uint8_t *text, int n_bytes, struct rng *rng)
{
    /* few values, so that pairs repeat; zeros, spaces, bytes that are no UTF-8 */
    static const uint8_t some[] = {0, 0, ' ', ' ', 0xFF, 0xC3, 0xA9, 0x80, 0xE2, 0x82, '\n', 'a'};
    for (int i = 0; i < n_bytes; i++)
        text[i] = rng_below(rng, 4) ? some[rng_below(rng, (int64_t)sizeof some)]
                                    : (uint8_t)rng_below(rng, 256);
}

/* "ab" nine times; "cccc" four times: "cc" eight times, or twelve if counted with overlap. */
static void make_train_runs(struct record *in, struct rng *rng)
{
    uint8_t c[26];
    char text[128] = "";
    int n = 0;
    shuffle_letters(c, rng);
    for (int i = 0; i < 7; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "%c%c%c", c[0], c[1], c[3 + i]);
        if (i % 2 == 0)
            n += snprintf(text + n, sizeof text - (size_t)n, "%c%c%c%c%c", c[2], c[2], c[2], c[2],
                          c[10 + i]);
    }
    n += snprintf(text + n, sizeof text - (size_t)n, "%c%c%c%c%c%c", c[0], c[1], c[18], c[0], c[1],
                  c[19]);
    put_text(in, text, n);
    record_add_int(in, "n_merges", 2);
}

/* Three pairs, each three times; they appear in the order middle, largest, smallest. */
static void make_train_ties(struct record *in, struct rng *rng)
{
    static const int order[] = {1, 2, 0};
    uint8_t c[26], start[3];
    char text[128] = "";
    int n = 0;
    shuffle_letters(c, rng);
    memcpy(start, c, 3);
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++)
            if (start[j] < start[i]) {
                const uint8_t kept = start[i];
                start[i] = start[j];
                start[j] = kept;
            }
    for (int k = 0; k < 9; k++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%c%c%c", start[order[k % 3]],
                      c[3 + order[k % 3]], c[6 + k]);
    put_text(in, text, n);
    record_add_int(in, "n_merges", 3);
}

/* The most frequent pair of neighbours is the end of a word and the space after it. */
static void make_train_borders(struct record *in, struct rng *rng)
{
    uint8_t c[26];
    char text[128] = "";
    int n = 0;
    shuffle_letters(c, rng);
    for (int i = 0; i < 8; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%c%c%s ", c[3 + i], c[0],
                      i % 3 == 1 ? " " : "");
    for (int i = 0; i < 4; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%c%c%c", c[1], c[2], c[12 + i]);
    put_text(in, text, n);
    record_add_int(in, "n_merges", 1);
}

/* One pair occurs twice, every other once. */
static void make_train_few(struct record *in, struct rng *rng)
{
    uint8_t c[26];
    char text[32];
    shuffle_letters(c, rng);
    const int n = snprintf(text, sizeof text, "%c%c%c%c%c%c%c%c%c", c[0], c[1], c[2], c[0], c[1],
                           c[3], c[3], c[3], c[4]);
    put_text(in, text, n);
    record_add_int(in, "n_merges", 5);
}

/* "aaaa" twice and "bc" three times: "aa" four times, or twice if a run counted once. */
static void make_train_twos(struct record *in, struct rng *rng)
{
    uint8_t c[26];
    char text[64];
    shuffle_letters(c, rng);
    const int n = snprintf(text, sizeof text, "%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c%c", c[1], c[2],
                           c[3], c[0], c[0], c[0], c[0], c[4], c[1], c[2], c[5], c[0], c[0], c[0],
                           c[0], c[6], c[1], c[2], c[7]);
    put_text(in, text, n);
    record_add_int(in, "n_merges", 1);
}

/* merges 0 "yz", 1 "xy", 2 "xyz" as x + yz, 3 "wx", 4 "xy" + "w" */
static void make_encode_order(struct record *in, struct rng *rng)
{
    uint8_t c[26];
    shuffle_letters(c, rng);
    const int w = c[0], x = c[1], y = c[2], z = c[3];
    const struct pair merges[] = {{y, z}, {x, y}, {x, 256}, {w, x}, {257, w}};
    const char pattern[] = "xyz xyw wxyz wxyw zyx wxwx xyxyz yzxyw";
    char text[sizeof pattern];
    for (size_t i = 0; i < sizeof pattern; i++)
        text[i] = pattern[i] >= 'w' ? (char)c[pattern[i] - 'w'] : pattern[i];
    put_text(in, text, (int64_t)strlen(text));
    put_merges(in, merges, 5);
}

static void make_encode_runs(struct record *in, struct rng *rng)
{
    uint8_t c[26];
    char text[64] = "";
    int n = 0;
    shuffle_letters(c, rng);
    const struct pair merges[] = {{c[0], c[0]}, {256, 256}, {256, c[0]}};
    for (int run = 1; run <= 8; run++) {
        for (int i = 0; i < run; i++) text[n++] = (char)c[0];
        text[n++] = (char)c[run];
    }
    put_text(in, text, n);
    put_merges(in, merges, 3);
}

/* Merges of another trainer, which joined over spaces. */
static void make_encode_across(struct record *in, struct rng *rng)
{
    uint8_t c[26];
    char text[64];
    shuffle_letters(c, rng);
    const int a = c[0], b = c[1];
    const struct pair merges[] = {{a, ' '}, {b, 256}, {' ', b}, {a, 258}, {' ', ' '}, {258, a}};
    const int n =
        snprintf(text, sizeof text, "%c %c%c  %c%c %c %c%c   %c", a, b, a, b, a, a, b, b, a);
    put_text(in, text, n);
    put_merges(in, merges, 6);
}

/* Tokens of bytes that are no characters, and a character cut in two. */
static void make_decode_bytes(struct record *in, struct rng *rng)
{
    const struct pair merges[] = {{0xE2, 0x82}, {256, 0xAC}, {0, 0}, {0xC3, 257}};
    int32_t *ids = record_add_i32(in, "ids", SHAPE(70));
    for (int i = 0; i < 64; i++)
        ids[i] = (int32_t)(i % 3 ? rng_between(rng, 0x80, 259) : rng_below(rng, 256));
    ids[20] = 256; /* the beginning of a character of three bytes, and no more of it */
    ids[21] = 'a';
    ids[64] = 257;
    ids[65] = 0xED; /* a surrogate */
    ids[66] = 0xA0;
    ids[67] = 0x80;
    ids[68] = 0;
    ids[69] = 256;
    put_merges(in, merges, 4);
}

static void make_case(struct record *in, int kind, struct rng *rng)
{
    static const int ops[N_KINDS] = {
        [ENCODE_PLAIN] = OP_ENCODE,  [ENCODE_ORDER] = OP_ENCODE, [ENCODE_RUNS] = OP_ENCODE,
        [ENCODE_ACROSS] = OP_ENCODE, [ENCODE_EMPTY] = OP_ENCODE, [ENCODE_AGAIN] = OP_ENCODE,
        [DECODE_PLAIN] = OP_DECODE,  [DECODE_BYTES] = OP_DECODE, [ROUND_TRIP] = OP_ROUND_TRIP};
    uint8_t text[400];
    struct pair merges[MERGE_LIMIT];

    record_add_int(in, "op", ops[kind]);
    switch (kind) {
    case TRAIN_PLAIN:
        write_words(text, 240, rng);
        put_text(in, text, 240);
        record_add_int(in, "n_merges", 12);
        break;
    case TRAIN_RUNS: make_train_runs(in, rng); break;
    case TRAIN_TIES: make_train_ties(in, rng); break;
    case TRAIN_BORDERS: make_train_borders(in, rng); break;
    case TRAIN_FEW: make_train_few(in, rng); break;
    case TRAIN_BYTES:
    case ROUND_TRIP:
        write_bytes(text, 200, rng);
        put_text(in, text, 200);
        record_add_int(in, "n_merges", 16);
        break;
    case ENCODE_AGAIN: /* the text of ENCODE_PLAIN, with merges of the text itself */
        rng_init(rng, rng->seed, ENCODE_PLAIN);
        write_words(text, 400, rng);
        put_text(in, text + 200, 200);
        put_merges(in, merges, train(merges, 12, text + 200, 200, 0));
        break;
    case TRAIN_TWOS: make_train_twos(in, rng); break;
    case ENCODE_PLAIN: /* merges of the first half, the text is the second */
    case DECODE_PLAIN: {
        write_words(text, 400, rng);
        const int n_merges = train(merges, 20, text, 200, 0);
        if (kind == ENCODE_PLAIN) {
            put_text(in, text + 200, 200);
        } else {
            struct tokens t = encode(text + 200, 150, merges, n_merges, 0);
            int32_t *ids = record_add_i32(in, "ids", SHAPE(t.n));
            memcpy(ids, t.id, (size_t)t.n * sizeof *ids);
            tokens_done(&t);
        }
        put_merges(in, merges, n_merges);
        break;
    }
    case ENCODE_ORDER: make_encode_order(in, rng); break;
    case ENCODE_RUNS: make_encode_runs(in, rng); break;
    case ENCODE_ACROSS: make_encode_across(in, rng); break;
    case ENCODE_EMPTY: {
        const struct pair one = {'a', 'b'};
        put_text(in, "", 0);
        put_merges(in, &one, 1);
        break;
    }
    case DECODE_BYTES: make_decode_bytes(in, rng); break;
    default: CHECK(false);
    }
}

/* ---- expected outputs ---- */

static void put_padded(struct record *out, const char *name, const char *count_name, int64_t room,
                       const int *values, int n)
{
    int32_t *data = record_add_i32(out, name, SHAPE(room));
    for (int64_t i = 0; i < room; i++) data[i] = i < n ? values[i] : -1;
    record_add_int(out, count_name, n);
}

static void put_bytes(struct record *out, const int32_t *ids, int64_t n_ids,
                      const struct pair *merges, uint32_t made)
{
    uint8_t text[ROOM];
    int wide[ROOM];
    const int n = decode(text, ids, n_ids, merges, made);
    for (int i = 0; i < n; i++) wide[i] = text[i];
    put_padded(out, "bytes", "n_bytes", ROOM, wide, n);
}

static void solve_train(struct record *out, const struct record *in, uint32_t made)
{
    struct pair merges[MERGE_LIMIT];
    const int n_merges = (int)record_int(in, "n_merges");
    const int n = train(merges, n_merges, record_u8(in, "text"), record_dim(in, "text", 0), made);
    int32_t *data = record_add_i32(out, "merges", SHAPE(n_merges, 2));
    for (int i = 0; i < n_merges; i++) {
        data[2 * i] = i < n ? merges[i].left : -1;
        data[2 * i + 1] = i < n ? merges[i].right : -1;
    }
    record_add_int(out, "n_merges", n);
}

static void solve(struct record *out, const struct record *in, uint32_t made)
{
    const int64_t op = record_int(in, "op");
    struct pair merges[MERGE_LIMIT];
    int n_merges = 0;

    if (op == OP_ENCODE || op == OP_DECODE) {
        const int32_t *pairs = record_i32(in, "merges");
        n_merges = (int)record_dim(in, "merges", 0);
        for (int i = 0; i < n_merges; i++)
            merges[i] = (struct pair){pairs[2 * i], pairs[2 * i + 1]};
    }
    switch (op) {
    case OP_TRAIN: solve_train(out, in, made); break;
    case OP_ENCODE: {
        const int64_t n_bytes = record_dim(in, "text", 0);
        struct tokens t = encode(record_u8(in, "text"), n_bytes, merges, n_merges, made);
        put_padded(out, "ids", "n_ids", n_bytes + 1, t.id, t.n);
        tokens_done(&t);
        break;
    }
    case OP_DECODE:
        put_bytes(out, record_i32(in, "ids"), record_dim(in, "ids", 0), merges, made);
        break;
    case OP_ROUND_TRIP: { /* the text itself, whatever the merges are */
        int32_t bytes[400];
        const int64_t n_bytes = record_dim(in, "text", 0);
        for (int64_t i = 0; i < n_bytes; i++) bytes[i] = record_u8(in, "text")[i];
        put_bytes(out, bytes, n_bytes, merges, made);
        break;
    }
    default: CHECK(false);
    }
}

static void judge(struct findings *findings, const struct case_run *runs, int n_runs)
{
    for (int i = 0; i < n_runs; i++) {
        if (runs[i].kind != ROUND_TRIP || !runs[i].out->n_fields) continue;
        const struct array *bytes = record_find(runs[i].out, "bytes");
        const int64_t n_bytes = record_dim(runs[i].in, "text", 0);
        const uint8_t *text = record_u8(runs[i].in, "text");
        for (int64_t k = 0; k < n_bytes; k++) {
            if (array_at(bytes, k) == text[k]) continue;
            finding_add(findings, CASE_PROPERTY, i, NULL,
                        _("decode(encode(text)) is not the text: byte %lld is %g instead of %d"),
                        (long long)k, array_at(bytes, k), text[k]);
            return;
        }
    }
}

/* ---- time ---- */

/* Timed call number `number` of a series has the given text rotated, and every byte but the space
 * exchanged for another, in the merges too. call.c and call.py do the same. */
static uint8_t exchanged(uint8_t byte, int64_t number)
{
    if (byte == ' ') return byte;
    const int64_t rank = byte - (byte > ' ');
    const int64_t other = ((rank << number / 255 % 8) + number) % 255;
    return (uint8_t)(other + (other >= ' '));
}

static void make_varied(uint8_t *text, struct pair *merges, const struct record *in, int64_t number)
{
    const int64_t n = record_dim(in, "text", 0), n_merges = record_dim(in, "merges", 0);
    const int64_t first = number / (255 * 8) % n;
    for (int64_t i = 0; i < n; i++)
        text[i] = exchanged(record_u8(in, "text")[(first + i) % n], number);
    for (int64_t i = 0; i < 2 * n_merges; i++) {
        const int token = record_i32(in, "merges")[i];
        const int other = token < 256 ? exchanged((uint8_t)token, number) : token;
        if (i % 2) merges[i / 2].right = other;
        else merges[i / 2].left = other;
    }
}

static uint64_t digest(const int *ids, int n)
{
    uint64_t sum = 0;
    for (int i = 0; i < n; i++) {
        uint64_t z = (uint64_t)ids[i] + (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        sum += z ^ z >> 27;
    }
    return sum;
}

static bool timed_right(const struct record *in, const struct record *out, int64_t call)
{
    const struct array *digests = record_find(out, "digests");
    const int64_t n = record_dim(in, "text", 0);
    struct pair merges[MERGE_LIMIT];

    if (!digests || digests->dtype != DTYPE_I64 || call >= array_count(digests)) return false;
    uint8_t *text = memory_new((size_t)n, 1);
    make_varied(text, merges, in, record_int(in, "done") + call);
    struct tokens t = encode(text, n, merges, (int)record_dim(in, "merges", 0), 0);
    const uint64_t want = digest(t.id, t.n);
    tokens_done(&t);
    free(text);
    return (uint64_t)((const int64_t *)digests->data)[call] == want;
}

/* One call has new words each time. Many calls inside one are for the exponent: there every size
 * has the same words, so that only the length differs. */
static void make_timed(struct record *in, int64_t n, int calls, struct rng *rng)
{
    enum { SAMPLE = 256, SAME_WORDS = 7 };
    const int64_t n_bytes = n > SAMPLE ? n : SAMPLE;
    uint8_t *text = memory_new((size_t)n_bytes, 1);
    struct pair merges[MERGE_LIMIT];

    if (calls > 1) rng_init(rng, rng->seed, SAME_WORDS);
    write_words(text, n_bytes, rng);
    const int n_merges = train(merges, 32, text, SAMPLE, 0);
    record_add_int(in, "op", OP_ENCODE);
    if (calls > 1) record_add_int(in, "calls", calls);
    put_text(in, text, n);
    put_merges(in, merges, n_merges);
    free(text);
}

const struct oracle oracle_bpe = {
    .name = "bpe",
    .kinds = kinds,
    .n_kinds = N_KINDS,
    .mistakes = mistakes,
    .n_mistakes = N_MISTAKES,
    .make_case = make_case,
    .solve = solve,
    .judge = judge,
    .make_timed = make_timed,
    .speed_n = 1024,
    .complexity = {.what = N_("time of encode against the length of the text"),
                   .sizes = {64, 160, 400, 1000},
                   .c_times = 8, /* so that a memmove over the text costs more than a scan */
                   .expected = 1.0,
                   .limit = 1.4,
                   .calls_inside = true,
                   .right = timed_right,
                   .mistake = "slow-encode"},
};
