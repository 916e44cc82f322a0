#include "tensor/bf16.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tensor/cpu.h"
#include "tensor/f16.h"

static float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* A half's value by the definition. */
static double half_value(uint16_t x)
{
    const int exponent = x >> 10 & 31, fraction = x & 1023;
    double size;
    if (exponent == 31) size = fraction ? NAN : INFINITY;
    else if (exponent == 0) size = ldexp(fraction, -24);
    else size = ldexp(1024 + fraction, exponent - 25);
    return x & 0x8000 ? -size : size;
}

static void every_16_bit_number_comes_back(void **state)
{
    (void)state;
    for (uint32_t x = 0; x < 0x10000; x++) {
        const float wide = float_from_bf16((uint16_t)x);
        const uint16_t again = bf16_from_float(wide);
        assert_int_equal(again, isnan(wide) ? x | 0x40 : x);

        const float half = float_from_f16((uint16_t)x);
        const double value = half_value((uint16_t)x);
        if (isnan(value)) assert_true(isnan(half));
        else assert_true(half == value && !signbit(half) == !signbit(value));
        assert_int_equal(f16_from_float(half), isnan(value) ? x | 0x200 : x);
    }
}

/* Between two neighbours: below the middle down, above it up, the middle itself to the even one. */
static void floats_are_rounded_to_the_nearest_even(void **state)
{
    (void)state;
    for (uint32_t x = 0; x < 0x7f80; x++) {
        const uint32_t low = x << 16;
        assert_int_equal(bf16_from_float(of_bits(low | 0x7fff)), x);
        assert_int_equal(bf16_from_float(of_bits(low | 0x8000)), x + (x & 1));
        assert_int_equal(bf16_from_float(of_bits(low | 0x8001)), x + 1);
        assert_int_equal(bf16_from_float(-of_bits(low | 0x8001)), 0x8000 | (x + 1));
    }
    for (uint32_t x = 0; x < 0x7c00; x++) {
        const double upper = x + 1 == 0x7c00 ? 65536 : half_value((uint16_t)(x + 1));
        const float middle = (float)((half_value((uint16_t)x) + upper) / 2);
        assert_int_equal(f16_from_float(nextafterf(middle, 0)), x);
        assert_int_equal(f16_from_float(middle), x + (x & 1));
        assert_int_equal(f16_from_float(nextafterf(middle, INFINITY)), x + 1);
        assert_int_equal(f16_from_float(-nextafterf(middle, INFINITY)), 0x8000 | (x + 1));
    }
    assert_int_equal(f16_from_float(1e30f), 0x7c00);
    assert_int_equal(f16_from_float(-INFINITY), 0xfc00);
    assert_int_equal(bf16_from_float(3.4e38f), 0x7f80);
}

static void nan_stays_nan(void **state)
{
    static const uint32_t nans[] = {0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001, 0xffffffff};
    (void)state;
    for (size_t i = 0; i < sizeof nans / sizeof *nans; i++) {
        const float bf = float_from_bf16(bf16_from_float(of_bits(nans[i])));
        const float half = float_from_f16(f16_from_float(of_bits(nans[i])));
        assert_true(isnan(bf) && isnan(half));
        assert_int_equal(bits_of(bf) >> 31, nans[i] >> 31);
        assert_int_equal(bits_of(half) >> 31, nans[i] >> 31);
    }
}

enum { N = 100003 };

/* Whatever the instructions: the same bits as one number at a time. */
static void arrays_are_converted_like_single_numbers(void **state)
{
    (void)state;
    static float in[N], wide[N];
    static uint16_t narrow[N];
    uint32_t random = 12345;
    for (int i = 0; i < N; i++) {
        random = random * 1664525 + 1013904223;
        in[i] = of_bits(random);
        if (i % 3 == 0) in[i] = of_bits((random & 0x8fffffff) | 0x38000000); /* a half's range */
    }
    for (enum isa isa = ISA_SCALAR; isa <= ISA_COUNT; isa++) {
        cpu_limit(isa);
        for (int n = N - 40; n <= N; n += 20) {
            bf16_from_floats(narrow, in, (size_t)n);
            for (int i = 0; i < n; i++) assert_int_equal(narrow[i], bf16_from_float(in[i]));
            floats_from_bf16(wide, narrow, (size_t)n);
            for (int i = 0; i < n; i++)
                assert_int_equal(bits_of(wide[i]), (uint32_t)narrow[i] << 16);
            f16_from_floats(narrow, in, (size_t)n);
            for (int i = 0; i < n; i++) assert_int_equal(narrow[i], f16_from_float(in[i]));
            floats_from_f16(wide, narrow, (size_t)n);
            for (int i = 0; i < n; i++)
                assert_int_equal(bits_of(wide[i]), bits_of(float_from_f16(narrow[i])));
        }
    }
}

static void a_limit_takes_instructions_away(void **state)
{
    (void)state;
    cpu_limit(ISA_COUNT);
    const enum isa best = cpu_isa();
    for (enum isa isa = ISA_SCALAR; isa < ISA_COUNT; isa++) {
        cpu_limit(isa);
        assert_true(cpu_isa() == best || (best != ISA_NEON && cpu_isa() == isa) ||
                    (best == ISA_NEON && cpu_isa() == ISA_SCALAR));
        if (isa < ISA_AVX512) assert_false(cpu_has_vnni());
        assert_true(isa_name(isa)[0] != '\0');
    }
    cpu_limit(ISA_COUNT);
    assert_int_equal(cpu_isa(), best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_16_bit_number_comes_back),
        cmocka_unit_test(floats_are_rounded_to_the_nearest_even),
        cmocka_unit_test(nan_stays_nan),
        cmocka_unit_test(arrays_are_converted_like_single_numbers),
        cmocka_unit_test(a_limit_takes_instructions_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
