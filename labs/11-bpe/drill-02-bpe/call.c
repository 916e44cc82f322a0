#include "bpe.h"

#include <stdlib.h>

#include "grader/harness/harness.h"

enum { OP_TRAIN, OP_ENCODE, OP_DECODE, OP_ROUND_TRIP };
enum { ROOM = 2048 }; /* for decoded bytes */

static void pack_merges(struct record *out, const struct merge *merges, int made, int n_merges)
{
    if (made < 0 || made > n_merges) {
        harness_refuse(out, "bpe_train returned %d, expected 0 to %d merges", made, n_merges);
        return;
    }
    int32_t *pairs = output_i32(out, "merges", SHAPE(n_merges, 2));
    for (int i = 0; i < n_merges; i++) {
        pairs[2 * i] = i < made ? merges[i].left : -1;
        pairs[2 * i + 1] = i < made ? merges[i].right : -1;
    }
    record_add_int(out, "n_merges", made);
}

static void pack_ids(struct record *out, const int *ids, size_t n_ids, size_t n_bytes)
{
    if (n_ids > n_bytes) {
        harness_refuse(out, "bpe_encode returned %zu, expected at most %zu tokens", n_ids, n_bytes);
        return;
    }
    int32_t *padded = output_i32(out, "ids", SHAPE((int64_t)n_bytes + 1));
    for (size_t i = 0; i <= n_bytes; i++) padded[i] = i < n_ids ? ids[i] : -1;
    record_add_int(out, "n_ids", (int64_t)n_ids);
}

static void pack_bytes(struct record *out, const uint8_t *text, size_t size)
{
    if (size > ROOM) {
        harness_refuse(out, "bpe_decode returned %zu bytes, more than the tokens have", size);
        return;
    }
    int32_t *padded = output_i32(out, "bytes", SHAPE(ROOM));
    for (size_t i = 0; i < ROOM; i++) padded[i] = i < size ? text[i] : -1;
    record_add_int(out, "n_bytes", (int64_t)size);
}

/* The candidate's own three functions after each other. */
static void round_trip(const struct record *in, struct record *out)
{
    const uint8_t *text = record_u8(in, "text");
    const size_t n_bytes = (size_t)record_dim(in, "text", 0);
    const int n_merges = (int)record_int(in, "n_merges");
    struct merge *merges = memory_new((size_t)n_merges, sizeof *merges);
    int *ids = memory_new(n_bytes, sizeof *ids);
    uint8_t *again = memory_new(ROOM, 1);

    const int made = bpe_train(merges, n_merges, text, n_bytes);
    const size_t n_ids =
        made < 0 || made > n_merges ? 0 : bpe_encode(ids, text, n_bytes, merges, made);
    if (made < 0 || made > n_merges)
        harness_refuse(out, "bpe_train returned %d, expected 0 to %d merges", made, n_merges);
    else if (n_ids > n_bytes)
        harness_refuse(out, "bpe_encode returned %zu, expected at most %zu tokens", n_ids, n_bytes);
    else pack_bytes(out, again, bpe_decode(again, ids, n_ids, merges, made));
    free(again);
    free(ids);
    free(merges);
}

/* ---- timed: `calls` times encode, each with a text and merges of its own ---- */

/* Byte b of call number `number`: another for each but the space. */
static void make_exchange(uint8_t exchanged[256], int64_t number)
{
    for (int b = 0; b < 256; b++) {
        const int64_t rank = b - (b > ' ');
        const int64_t other = ((rank << number / 255 % 8) + number) % 255;
        exchanged[b] = (uint8_t)(other + (other >= ' '));
    }
    exchanged[' '] = ' ';
}

static int64_t digest(const int *ids, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = (uint64_t)ids[i] + (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        sum += z ^ z >> 27;
    }
    return (int64_t)sum;
}

static void time_encode(const struct record *in, struct record *out)
{
    const size_t n = (size_t)record_dim(in, "text", 0);
    const int n_merges = (int)record_dim(in, "merges", 0);
    const int64_t calls = record_int(in, "calls"), done = record_int(in, "done");
    const uint8_t *given = record_u8(in, "text");
    const int32_t *pairs = record_i32(in, "merges");
    int64_t *digests = record_add_i64(out, "digests", SHAPE(calls));
    struct merge *merges = memory_new((size_t)n_merges, sizeof *merges);
    uint8_t *text = memory_new(n, 1), exchanged[256];
    int *ids = memory_new(n, sizeof *ids);

    for (int64_t call = 0; call < calls; call++) {
        const size_t first = (size_t)((done + call) / (255 * 8)) % n;
        make_exchange(exchanged, done + call);
        for (size_t i = first; i < n; i++) text[i - first] = exchanged[given[i]];
        for (size_t i = 0; i < first; i++) text[n - first + i] = exchanged[given[i]];
        for (int i = 0; i < n_merges; i++) {
            const int left = pairs[2 * i], right = pairs[2 * i + 1];
            merges[i].left = left < 256 ? exchanged[left] : left;
            merges[i].right = right < 256 ? exchanged[right] : right;
        }
        const size_t n_ids = bpe_encode(ids, text, n, merges, n_merges);
        digests[call] = n_ids <= n ? digest(ids, n_ids) : -1;
    }
    free(ids);
    free(text);
    free(merges);
}

void harness_call(const struct record *in, struct record *out)
{
    const int64_t op = record_int(in, "op");
    if (op == OP_ROUND_TRIP) {
        round_trip(in, out);
        return;
    }

    if (record_find(in, "calls")) {
        time_encode(in, out);
        return;
    }

    if (op == OP_TRAIN) {
        const int n_merges = (int)record_int(in, "n_merges");
        struct merge *merges = memory_new((size_t)n_merges, sizeof *merges);
        const int made =
            bpe_train(merges, n_merges, record_u8(in, "text"), (size_t)record_dim(in, "text", 0));
        pack_merges(out, merges, made, n_merges);
        free(merges);
        return;
    }

    const int n_merges = (int)record_dim(in, "merges", 0);
    const int32_t *pairs = record_i32(in, "merges");
    struct merge *merges = memory_new((size_t)n_merges, sizeof *merges);
    for (int i = 0; i < n_merges; i++)
        merges[i] = (struct merge){.left = pairs[2 * i], .right = pairs[2 * i + 1]};

    if (op == OP_ENCODE) {
        const size_t n_bytes = (size_t)record_dim(in, "text", 0);
        int *ids = memory_new(n_bytes, sizeof *ids);
        pack_ids(out, ids, bpe_encode(ids, record_u8(in, "text"), n_bytes, merges, n_merges),
                 n_bytes);
        free(ids);
    } else {
        uint8_t *text = memory_new(ROOM, 1);
        pack_bytes(out, text,
                   bpe_decode(text, record_i32(in, "ids"), (size_t)record_dim(in, "ids", 0), merges,
                              n_merges));
        free(text);
    }
    free(merges);
}
