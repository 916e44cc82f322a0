/* harness.h -- the candidate's side of the wire, in the C lane.
 *
 * The program that runs a submission is: the candidate's file, the drill's
 * call.c (which unpacks inputs, calls the candidate, packs outputs) and this
 * harness, which reads batches of records from descriptor 3 and answers there.
 *
 *   parent -> child   {count}  then `count` records of inputs
 *   child -> parent   one record per input: the outputs; for a single one, also the
 *                     inputs as they are now, so that the parent sees what was modified
 *
 * Does not know: expected values, tolerances, seeds. None of them is in this process.
 */
#ifndef GRADER_HARNESS_H
#define GRADER_HARNESS_H

#include "tensor/record.h"

/* Written by each drill's call.c: call the candidate once with these inputs. */
void harness_call(const struct record *in, struct record *out);

/* Outputs for the candidate to write. They are filled with NaN (floats) or with
 * the lowest value (integers), so that what is never written shows. */
float *output_f32(struct record *out, const char *name, int ndim, const int64_t *dims);
double *output_f64(struct record *out, const char *name, int ndim, const int64_t *dims);
int32_t *output_i32(struct record *out, const char *name, int ndim, const int64_t *dims);
int64_t *output_i64(struct record *out, const char *name, int ndim, const int64_t *dims);
uint8_t *output_u8(struct record *out, const char *name, int ndim, const int64_t *dims); /* 0xA5 */

/* A word about a broken contract that only call.c can see (a negative length, a
 * result larger than its buffer); shown to the candidate. */
void harness_refuse(struct record *out, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
