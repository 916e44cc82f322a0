/* train.h -- a run: the loop from a recipe to weights, and the folder that remembers it.
 *
 *   runs/NAME/   recipe.json            what was decided
 *                tokenizer.json         text to tokens
 *                log.jsonl              one line a fact: start, step, valid, sample, layers, skip, end
 *                checkpoint.safetensors all that is needed to go on: weights, optimizer, step
 *                best.safetensors       the weights of the best validation
 *                model.safetensors      the weights at the end
 *
 *   step k:  windows(seed, k) -> forward -> loss -> backward -> norm -> clip -> update(rate(k))
 *
 * Promises: nothing is random but by (seed, step), so a resumed run equals the uninterrupted one bit
 * for bit, whenever it was stopped and whatever the number of threads. A step allocates nothing.
 * The log of a resumed run holds each step once: lines behind the checkpoint are dropped.
 * Does not know: terminals. Tests: tests/train/train_test.c, tests/cli/train_test.py
 */
#ifndef TRAIN_TRAIN_H
#define TRAIN_TRAIN_H

#include "base/pool.h"
#include "model/transformer.h"
#include "text/tokenizer.h"
#include "train/dataset.h"
#include "train/recipe.h"

struct train_step {
    int64_t step, steps; /* steps made, of how many */
    double loss;         /* mean of this step's tokens */
    double smooth;       /* the same, averaged over about 20 steps */
    double rate, norm;   /* norm of the gradient before clipping */
    bool skipped;
    double ms;           /* of this step */
    double tokens_per_s; /* averaged like `smooth` */
    double gflops;       /* 10^9 operations a second, likewise */
    double left_s;       /* until the end, about */
};

struct train_valid {
    int64_t step;
    double loss, bits_per_byte; /* bits_per_byte 0: not all of the text was looked at */
    double best;                /* the best so far, this one included */
    size_t tokens;
    bool whole; /* the whole validation text */
};

/* Told as things happen, in the thread of the caller; any may be NULL. */
struct train_observer {
    void *context;
    void (*step)(void *context, const struct train_step *step);
    void (*valid)(void *context, const struct train_valid *valid);
    void (*sample)(void *context, int64_t step, const char *text);
    void (*saved)(void *context, int64_t step, const char *path);
    bool (*stop)(void *context); /* true: save and return after this step */
};

struct trainer {
    struct recipe recipe;
    char *folder;
    struct pool *pool;
    struct tokenizer *tokenizer;
    struct dataset dataset;
    struct parameters parameters;
    struct transformer *transformer;
    struct optimizer optimizer;
    struct schedule schedule;
    float *gradients;
    float *average; /* NULL: none is kept */
    int32_t *inputs, *targets;
    float *before; /* parameters before an update that is measured; NULL: layers_every is 0 */
    double *sums;  /* [parameters.n] squares of gradients */
    double *weight_sums, *update_sums; /* the same of parameters and of what was added to them */
    bool measured;                     /* the last step's are there */

    /* What a checkpoint keeps beside the tensors. */
    int64_t step; /* steps made */
    int64_t n_skipped, n_not_better;
    double best;         /* loss of the best validation; infinity: none yet */
    double mean, square; /* running moments of the loss, for the spike detector */
    int64_t n_moments;

    double smooth_ms, smooth_loss;
    double flops_per_step;
};

/* A new run in `folder`, which must not hold one. STATUS_CONFLICT when it does. */
MUST_CHECK enum status trainer_create(struct trainer *trainer, const struct recipe *recipe,
                                      const char *folder, struct error *err);

/* Go on with the run in `folder` from its checkpoint. `words` are name=value settings that may
 * change. STATUS_NOT_FOUND without a run, STATUS_USAGE for settings that may not change,
 * STATUS_CONFLICT when the text is not the one that it learned from. */
MUST_CHECK enum status trainer_resume(struct trainer *trainer, const char *folder, char **words,
                                      int n_words, struct error *err);
void trainer_close(struct trainer *trainer);

/* Until the recipe's steps are done, or the observer stops it (*done is false then). */
MUST_CHECK enum status trainer_run(struct trainer *trainer, const struct train_observer *observer,
                                   bool *done, struct error *err);

/* One step by itself, without log, validation or files: for measurements. */
void trainer_step(struct trainer *trainer, struct train_step *facts);

/* Mean loss over at most `tokens` of the validation text (0: all of it). */
void trainer_validate(struct trainer *trainer, size_t tokens, struct train_valid *valid);

#endif
