#include "train/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "base/rng.h"
#include "base/text.h"

#define STREAM_WINDOWS (UINT64_C(1) << 62) /* apart from the numbers that parameters begin with */

static enum status encode(struct tokens *out, const struct tokenizer *tokenizer, const char *bytes,
                          size_t size, struct error *err)
{
    const struct encode_options options = {.specials = SPECIALS_TEXT};
    struct encoder *encoder = encoder_open(tokenizer, &options);
    const enum status status = encoder_run(encoder, out, bytes, size, err);
    encoder_close(encoder);
    return status;
}

/* FNV-1a, by ids. */
static uint64_t hash_of(const int32_t *ids, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++) hash = (hash ^ (uint32_t)ids[i]) * UINT64_C(0x100000001b3);
    return hash;
}

enum status dataset_init(struct dataset *dataset, const struct tokenizer *tokenizer,
                         const char *bytes, size_t size, double share, int context,
                         struct error *err)
{
    struct tokens tokens = {0};
    size_t cut = size - (size_t)((double)size * share);
    *dataset = (struct dataset){0};
    while (cut < size && ((unsigned char)bytes[cut] & 0xC0) == 0x80)
        cut++; /* not within a character */

    enum status status = encode(&tokens, tokenizer, bytes, cut, err);
    const size_t n_train = tokens.n;
    if (!status) status = encode(&tokens, tokenizer, bytes + cut, size - cut, err);
    const size_t n_valid = tokens.n - n_train, least = (size_t)context + 1;
    if (!status && (n_train < least || (share > 0 && n_valid < least)))
        status =
            error_set(err, STATUS_USAGE,
                      _("the text has %zu tokens to learn from and %zu for validation; each "
                        "must have context + 1 = %zu at least: more text, or a smaller context"),
                      n_train, n_valid, least);
    if (status) {
        tokens_done(&tokens);
        return status;
    }
    *dataset =
        (struct dataset){tokens.ids, n_train, n_valid, size - cut, hash_of(tokens.ids, tokens.n)};
    return STATUS_OK;
}

void dataset_done(struct dataset *dataset)
{
    free(dataset->ids);
    *dataset = (struct dataset){0};
}

static void copy_window(int32_t *inputs, int32_t *targets, const int32_t *from, int T)
{
    memcpy(inputs, from, (size_t)T * sizeof *inputs);
    memcpy(targets, from + 1, (size_t)T * sizeof *targets);
}

void dataset_batch(const struct dataset *dataset, int32_t *inputs, int32_t *targets, int B, int T,
                   uint64_t seed, uint64_t index)
{
    struct rng rng;
    rng_init(&rng, seed, STREAM_WINDOWS | index);
    for (int b = 0; b < B; b++) {
        const int64_t at = rng_below(&rng, (int64_t)dataset->n_train - T);
        copy_window(inputs + (size_t)b * (size_t)T, targets + (size_t)b * (size_t)T,
                    dataset->ids + at, T);
    }
}

size_t dataset_valid_windows(const struct dataset *dataset, int T, size_t tokens)
{
    if (dataset->n_valid <= (size_t)T) return 0;
    const size_t all = (dataset->n_valid - 1) / (size_t)T;
    const size_t wanted = (tokens + (size_t)T - 1) / (size_t)T;
    return tokens && wanted < all ? wanted : all;
}

void dataset_valid(const struct dataset *dataset, int32_t *inputs, int32_t *targets, size_t first,
                   int n, int T)
{
    const int32_t *valid = dataset->ids + dataset->n_train;
    CHECK((first + (size_t)n) * (size_t)T < dataset->n_valid);
    for (int i = 0; i < n; i++)
        copy_window(inputs + (size_t)i * (size_t)T, targets + (size_t)i * (size_t)T,
                    valid + (first + (size_t)i) * (size_t)T, T);
}
