/* report.h -- what runs left in their logs, as one HTML page that needs nothing else.
 *
 *   loss and validation | learning rate | norm of the gradient | tokens a second     several runs on one chart
 *   update / weight by parameter, at the last measurement                            the usual is near 1e-3
 *   samples, in the order they were written
 *
 * Charts are SVG in the page: no script, no address outside. Text of others (names, samples) is
 * escaped.
 * Does not know: trainers; it reads log.jsonl and recipe.json only.
 * Tests: tests/train/report_test.c
 */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H

#include "base/text.h"

enum { REPORT_RUNS_LIMIT = 8 };

/* Append the page. STATUS_USAGE for no run or too many, STATUS_NOT_FOUND for a folder without a
 * log, STATUS_FORMAT for a log with a line that is no row. */
MUST_CHECK enum status report_write(struct text *out, char *const *folders, int n,
                                    struct error *err);

#endif
