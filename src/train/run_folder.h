/* run_folder.h -- the log of a run: JSON Lines that survive a kill.
 *
 *   {"kind":"step","step":120,"loss":1.93,...}
 *
 * Promises: lines are whole once run_log() has returned; after run_log_trim() no line speaks of a
 * step behind `step`, and a line that a kill cut off is gone.
 * Tests: tests/train/train_test.c
 */
#ifndef TRAIN_RUN_FOLDER_H
#define TRAIN_RUN_FOLDER_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

/* Append one object to folder/log.jsonl and release it. */
MUST_CHECK enum status run_log(const char *folder, json_t *row, struct error *err);

/* Keep the lines up to this step, without those of kind "end". No log yet is no error. */
MUST_CHECK enum status run_log_trim(const char *folder, int64_t step, struct error *err);

#endif
