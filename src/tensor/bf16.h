/* bf16.h -- numbers with float's range and 8 bits of precision: the upper half of a float.
 *
 *   float   s eeeeeeee mmmmmmm|mmmmmmmmmmmmmmmm
 *   bf16    s eeeeeeee mmmmmmm
 *
 * Rounded to the nearest, ties to even; too large becomes infinite; NaN stays NaN, made quiet;
 * denormals are kept. Stored as uint16_t.
 * Tests: tests/tensor/bf16_test.c
 */
#ifndef TENSOR_BF16_H
#define TENSOR_BF16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline float float_from_bf16(uint16_t x)
{
    const uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t bf16_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* n numbers; the two may not overlap. */
void floats_from_bf16(float *out, const uint16_t *in, size_t n);
void bf16_from_floats(uint16_t *out, const float *in, size_t n);

#endif
