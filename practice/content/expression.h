/* expression.h -- the arithmetic behind a figure, computed instead of believed.
 *
 *   sum     = product { (+ | -) product }
 *   product = signed { (* | /) signed }
 *   signed  = [ - ] power
 *   power   = atom [ ^ signed ]                         right to left: 2^3^2 = 2^9
 *   atom    = number | name | name ( sum {, sum} ) | ( sum )
 *
 * Functions: sqrt log exp log2 log10 ceil floor min max. Names are the caller's values.
 * Limits: 1,000 characters, 64 levels of nesting.
 * Tests: tests/content/expression_test.c
 */
#ifndef CONTENT_EXPRESSION_H
#define CONTENT_EXPRESSION_H

#include "base/error.h"

struct expression_value {
    const char *name; /* letters, digits, _ */
    double value;
};

/* The value of `text` into *value. STATUS_FORMAT with the place when it cannot be read, names
 * something unknown or any step of it is not finite; *value is then 0. */
MUST_CHECK enum status expression_evaluate(double *value, const char *text,
                                           const struct expression_value *values, int n_values,
                                           struct error *err);

#endif
