/* compare.h -- the candidate's numbers beside the oracle's.
 *
 *   right   |got - want| <= (atol + rtol |want|) sqrt(reduction)     (exact fields: equal)
 *
 * NaN equals nothing, except in compare_matches(), which only names mistakes.
 * Tests: tests/grader/compare_test.c
 */
#ifndef GRADER_COMPARE_H
#define GRADER_COMPARE_H

#include "grader/findings.h"

/* Compare every field of `want` with the candidate's, and add what differs: at most one
 * finding a field. Returns false when `got` lacks a field or has another shape or kind of
 * numbers, so that a judge must not look at it. */
bool compare_case(struct findings *findings, const struct oracle *oracle, int kind, int case_index,
                  const struct record *in, const struct record *want, const struct record *got);

/* True when `got` is what `other` (a mistake's outputs) is: non-finite values in the same
 * places, and the finite ones agree within the tolerance. */
bool compare_matches(const struct oracle *oracle, const struct record *in,
                     const struct record *other, const struct record *got);

#endif
