/* f16.h -- IEEE half precision: 5 bits of exponent, 11 of precision, up to 65504.
 *
 *   f16     s eeeee mmmmmmmmmm
 *
 * Rounded to the nearest, ties to even; too large becomes infinite; NaN stays NaN, made quiet;
 * denormals are kept. Stored as uint16_t.
 * Tests: tests/tensor/bf16_test.c
 */
#ifndef TENSOR_F16_H
#define TENSOR_F16_H

#include <stddef.h>
#include <stdint.h>

float float_from_f16(uint16_t x);
uint16_t f16_from_float(float x);

/* n numbers; the two may not overlap. */
void floats_from_f16(float *out, const uint16_t *in, size_t n);
void f16_from_floats(uint16_t *out, const float *in, size_t n);

#endif
