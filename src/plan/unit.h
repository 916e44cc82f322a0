/* unit.h -- a number with its unit, read at a place in a text.
 *
 *   number    10000   10,000   10 000   2.5   1e9
 *   scale     k K M B T attached, or a word: thousand, million, millones, mil millones, ...
 *   unit      GB KiB bytes gigabytes  ms s h  tokens  req  users  TFLOP  $ USD  %  GPUs  nodes  ...
 *   per       /s   /h   per GPU-hour   a day   per 1M tokens   por millón de tokens
 *
 * How a separator is decided:
 *   1. Two different marks: the last is the decimal one (1,234.5; in Spanish also 1.234,5).
 *   2. The same mark twice, or spaces, with three digits in each group: thousands.
 *   3. One mark and other than three digits after it, or a leading 0: decimal; in English only the
 *      point can be (a comma ends the number there: "8,80" is a list).
 *   4. One mark and exactly three digits. English: 10,000 is ten thousand, 10.000 is ten. Spanish,
 *      where countries differ: thousands; `ambiguous` is set and `other` is the decimal reading.
 *
 * Letters: k K M B T and Ki Mi Gi scale by 1e3 1e3 1e6 1e9 1e12 and 1024, 1024^2, 1024^3. B is a billion
 * when attached (70B) and bytes when it stands apart (512 B). An attached m is million before
 * users, tokens and the like, otherwise minutes. Gb and Gbit are bits, GB and gb bytes. FLOPs are
 * operations, FLOPS and flops operations a second. "billion" is 1e9, "billón" 1e12.
 *
 * Promises: never reads past `size`, for any bytes; no sign is read; the value is finite and >= 0.
 * Does not know: what the number is about.
 * Tests: tests/plan/unit_test.c, tests/fuzz/fuzz_unit.c
 */
#ifndef PLAN_UNIT_H
#define PLAN_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum unit {
    UNIT_NONE,
    UNIT_BYTE,
    UNIT_SECOND,
    UNIT_TOKEN,
    UNIT_REQUEST,
    UNIT_TURN,
    UNIT_USER,
    UNIT_FLOP,
    UNIT_USD,
    UNIT_RATIO, /* 75% is 0.75, 3x is 3 */
    UNIT_GPU,
    UNIT_NODE,
    UNIT_SEQUENCE,
    UNIT_PARAMETER,
    UNIT_COUNT
};

enum number_style { NUMBER_ENGLISH, NUMBER_SPANISH };

struct quantity {
    double value;   /* in the base unit: bytes, seconds, tokens, USD per second, ... */
    enum unit unit; /* UNIT_NONE: a plain number */
    enum unit per;  /* UNIT_NONE: not a rate */
    bool ambiguous; /* rule 4, in Spanish */
    double other;   /* the value under the other reading; equal to `value` when not ambiguous */
    size_t size;    /* bytes read, from the first digit or currency sign */
};

/* Read a quantity that begins at text[0]. False: there is none. What follows it is the caller's
 * matter: text + out->size. */
bool quantity_parse(struct quantity *out, const char *text, size_t size, enum number_style style);

/* Find the next quantity at or after *at, which becomes the place where it begins. Digits inside
 * a name (H100, GPT-4, v0.4, 3D) are not quantities. False: none is left. */
bool quantity_find(struct quantity *out, size_t *at, const char *text, size_t size,
                   enum number_style style);

/* Append what is meant by a unit and a rate, in the user's language: "tokens", "USD per time". */
void unit_describe(struct text *out, enum unit unit, enum unit per);

/* The symbol of the base unit, the same in every language: "tokens/s" is token and second. */
void unit_symbol(struct text *out, enum unit unit, enum unit per);

/* Append the value with so many significant digits and its thousands grouped: 22,222; 0.00056.
 * English groups with a comma, Spanish with a narrow no-break space; both use the point. */
void number_text(struct text *out, double value, int digits, enum number_style style);

/* The same with so many digits after the point: 71.2. */
void number_fixed(struct text *out, double value, int decimals, enum number_style style);

#endif
