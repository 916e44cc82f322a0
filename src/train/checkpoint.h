/* checkpoint.h -- the state of a run between two steps, in one safetensors file.
 *
 *   NAME                  the parameters, as in any model file
 *   train.first.NAME      the optimizer's buffers, train.second.NAME
 *   train.average.NAME    the moving average, when one is kept
 *   metadata              lcx.model (the shape), lcx.train (step and counters, numbers in full)
 *
 * Promises: written atomically: after a kill there is the old one or the new one. Read back, every
 * bit is as it was. Tests: tests/train/train_test.c
 */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "train/train.h"

MUST_CHECK enum status checkpoint_save(const struct trainer *trainer, const char *path,
                                       struct error *err);

/* The trainer is open with the same recipe; its parameters and state are filled. */
MUST_CHECK enum status checkpoint_load(struct trainer *trainer, const char *path,
                                       struct error *err);

#endif
