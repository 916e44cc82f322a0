#include "text/encode_file.h"

#include <stdlib.h>
#include <string.h>

#include "text/text_parts.h"

enum { STRETCH = 1 << 18, STRETCHES = TEXT_PART / STRETCH };

struct work {
    struct encoder **encoders; /* one a thread */
    const struct text *held;
    uint64_t origin; /* of the part in the file */
    size_t ends[STRETCHES];
    struct tokens tokens[STRETCHES];
    enum status status[STRETCHES];
    struct error errors[STRETCHES];
};

static void encode_stretch(void *context, int i, int worker)
{
    struct work *work = context;
    const size_t begin = i ? work->ends[i - 1] : 0;
    work->tokens[i].n = 0;
    work->status[i] = encoder_run_part(
        work->encoders[worker], &work->tokens[i], work->held->data + begin, work->ends[i] - begin,
        work->held->size - begin, work->origin + begin, &work->errors[i]);
}

/* What the first `n` stretches gave, in order. */
static enum status hand_over(const struct work *work, int n, encode_take *take, void *context,
                             struct error *err)
{
    for (int i = 0; i < n; i++) {
        if (work->status[i]) {
            if (err) *err = work->errors[i];
            return work->status[i];
        }
        const enum status status = take(context, work->tokens[i].ids, work->tokens[i].n, err);
        if (status) return status;
    }
    return STATUS_OK;
}

enum status encode_file(const struct tokenizer *tokenizer, const struct encode_options *options,
                        struct pool *pool, const char *path, encode_take *take, void *context,
                        struct error *err)
{
    struct text_parts parts;
    struct encode_options inner = options ? *options : (struct encode_options){0};
    inner.begin = inner.end = false;
    const int n_threads = pool_threads(pool);
    struct work *work = memory_new(1, sizeof *work);
    work->encoders = memory_new((size_t)n_threads, sizeof *work->encoders);
    work->held = &parts.held;
    for (int i = 0; i < n_threads; i++) work->encoders[i] = encoder_open(tokenizer, &inner);

    enum status status = text_parts_open(&parts, path, encoder_cuts(work->encoders[0]), err);
    if (!status) {
        if (options && options->begin && tokenizer->begin >= 0)
            status = take(context, &tokenizer->begin, 1, err);
        while (!status && text_parts_next(&parts, &status, err)) {
            const int n = text_parts_cut(&parts, work->ends, STRETCHES);
            pool_run(pool, encode_stretch, work, n);
            status = hand_over(work, n, take, context, err);
            work->origin += parts.stop;
        }
        if (!status && options && options->end && tokenizer->end >= 0)
            status = take(context, &tokenizer->end, 1, err);
        text_parts_close(&parts);
    }
    for (int i = 0; i < n_threads; i++) encoder_close(work->encoders[i]);
    for (int i = 0; i < STRETCHES; i++) tokens_done(&work->tokens[i]);
    free(work->encoders);
    free(work);
    return status;
}
