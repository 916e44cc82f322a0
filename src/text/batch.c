#include "text/batch.h"

#include "base/rng.h"

enum status batch_source_init(struct batch_source *source, const struct token_file *file, int B,
                              int T, uint64_t seed, uint64_t stream, struct error *err)
{
    CHECK(B > 0 && T > 0);
    *source = (struct batch_source){.file = file, .B = B, .T = T, .seed = seed, .stream = stream};
    if (file->n < (uint64_t)T + 1)
        return error_set(err, STATUS_USAGE,
                         "%llu tokens: a window of %d needs %d; take a longer text or a shorter "
                         "context",
                         (unsigned long long)file->n, T, T + 1);
    return STATUS_OK;
}

static void copy_window(const struct batch_source *source, uint64_t from, int b, int32_t *inputs,
                        int32_t *targets)
{
    const size_t T = (size_t)source->T, row = (size_t)b * T;
    token_file_read(source->file, inputs + row, from, T);
    token_file_read(source->file, targets + row, from + 1, T);
}

void batch_next(struct batch_source *source, int32_t *inputs, int32_t *targets)
{
    const uint64_t n_places = source->file->n - (uint64_t)source->T;
    struct rng rng;
    rng_init(&rng, source->seed, source->stream);
    for (int b = 0; b < source->B; b++) {
        /* one block of numbers for each window, so that no window's place depends on another's */
        rng.position = source->step * (uint64_t)source->B + (uint64_t)b;
        rng.left = 0;
        const uint64_t from = (uint64_t)((__uint128_t)rng_u64(&rng) * n_places >> 64);
        copy_window(source, from, b, inputs, targets);
    }
    source->step++;
}

uint64_t batch_windows(const struct batch_source *source)
{
    return (source->file->n - 1) / (uint64_t)source->T;
}

int batch_sequence(const struct batch_source *source, uint64_t first, int32_t *inputs,
                   int32_t *targets)
{
    const uint64_t n_windows = batch_windows(source);
    int n_real = 0;
    for (int b = 0; b < source->B; b++) {
        if (first < n_windows && (uint64_t)b < n_windows - first) {
            copy_window(source, (first + (uint64_t)b) * (uint64_t)source->T, b, inputs, targets);
            n_real++;
            continue;
        }
        for (int t = 0; t < source->T; t++) {
            inputs[(size_t)b * (size_t)source->T + (size_t)t] = 0;
            targets[(size_t)b * (size_t)source->T + (size_t)t] = -1;
        }
    }
    return n_real;
}
