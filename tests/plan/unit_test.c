#include "plan/unit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/locale.h"

static bool near(double a, double b) { return fabs(a - b) <= 1e-9 * fabs(b) + 1e-300; }

static void expect(const char *text, enum number_style style, double value, enum unit unit,
                   enum unit per)
{
    struct quantity quantity;
    if (!quantity_parse(&quantity, text, strlen(text), style)) fail_msg("%s: not read", text);
    if (!near(quantity.value, value) || quantity.unit != unit || quantity.per != per)
        fail_msg("%s: %.17g, unit %d per %d", text, quantity.value, quantity.unit, quantity.per);
    if (quantity.size != strlen(text))
        fail_msg("%s: only %zu bytes of %zu", text, quantity.size, strlen(text));
}

static void english(const char *text, double value, enum unit unit, enum unit per)
{
    expect(text, NUMBER_ENGLISH, value, unit, per);
}

static void spanish(const char *text, double value, enum unit unit, enum unit per)
{
    expect(text, NUMBER_SPANISH, value, unit, per);
}

static void numbers_are_read_with_their_scale(void **state)
{
    (void)state;
    english("0", 0, UNIT_NONE, UNIT_NONE);
    english("10000", 10000, UNIT_NONE, UNIT_NONE);
    english("2.5", 2.5, UNIT_NONE, UNIT_NONE);
    english("0.442", 0.442, UNIT_NONE, UNIT_NONE);
    english("1e9", 1e9, UNIT_NONE, UNIT_NONE);
    english("2.5e-4", 2.5e-4, UNIT_NONE, UNIT_NONE);
    english("20k", 20e3, UNIT_NONE, UNIT_NONE);
    english("20K", 20e3, UNIT_NONE, UNIT_NONE);
    english("10M", 10e6, UNIT_NONE, UNIT_NONE);
    english("70B", 70e9, UNIT_NONE, UNIT_NONE);
    english("15T", 15e12, UNIT_NONE, UNIT_NONE);
    english("128Ki", 131072, UNIT_NONE, UNIT_NONE);
    english("10 million", 10e6, UNIT_NONE, UNIT_NONE);
    english("3 billion", 3e9, UNIT_NONE, UNIT_NONE);
    spanish("10 millones", 10e6, UNIT_NONE, UNIT_NONE);
    spanish("2 mil", 2e3, UNIT_NONE, UNIT_NONE);
    spanish("3 mil millones", 3e9, UNIT_NONE, UNIT_NONE);
    spanish("1 billón", 1e12, UNIT_NONE, UNIT_NONE);
}

static void separators_follow_the_four_rules(void **state)
{
    (void)state;
    english("1,234.5", 1234.5, UNIT_NONE, UNIT_NONE);
    english("1,000,000", 1e6, UNIT_NONE, UNIT_NONE);
    english("10,000", 1e4, UNIT_NONE, UNIT_NONE);
    english("10.000", 10, UNIT_NONE, UNIT_NONE);
    english("10 000", 1e4, UNIT_NONE, UNIT_NONE);
    english("10\u202f000 tokens", 1e4, UNIT_TOKEN, UNIT_NONE);
    english("1.234.567", 1234567, UNIT_NONE, UNIT_NONE);
    spanish("1.234,5", 1234.5, UNIT_NONE, UNIT_NONE);
    spanish("1,234.5", 1234.5, UNIT_NONE, UNIT_NONE);
    spanish("2,5", 2.5, UNIT_NONE, UNIT_NONE);
    spanish("2.5", 2.5, UNIT_NONE, UNIT_NONE);
    spanish("0,442", 0.442, UNIT_NONE, UNIT_NONE);
    spanish("1.234.567", 1234567, UNIT_NONE, UNIT_NONE);
    spanish("10 000,5", 10000.5, UNIT_NONE, UNIT_NONE);
    english("1234.567", 1234.567, UNIT_NONE, UNIT_NONE);

    struct quantity quantity; /* a list, not a decimal */
    assert_true(quantity_parse(&quantity, "8,80", 4, NUMBER_ENGLISH));
    assert_true(quantity.size == 1 && quantity.value == 8);
    assert_true(quantity_parse(&quantity, "8 80", 4, NUMBER_ENGLISH));
    assert_int_equal(quantity.size, 1);
}

static void one_mark_and_three_digits_are_ambiguous_in_spanish_only(void **state)
{
    (void)state;
    struct quantity quantity;
    assert_true(quantity_parse(&quantity, "10.000 GB", 9, NUMBER_SPANISH));
    assert_true(quantity.ambiguous && near(quantity.value, 10e12) && near(quantity.other, 10e9));
    assert_true(quantity_parse(&quantity, "10,000", 6, NUMBER_SPANISH));
    assert_true(quantity.ambiguous && quantity.value == 10000 && quantity.other == 10);
    assert_true(quantity_parse(&quantity, "10,000", 6, NUMBER_ENGLISH));
    assert_true(!quantity.ambiguous && quantity.other == quantity.value);
    assert_true(quantity_parse(&quantity, "1.000.000", 9, NUMBER_SPANISH));
    assert_false(quantity.ambiguous);
}

static void units_have_a_base_and_a_dimension(void **state)
{
    (void)state;
    english("60GB", 60e9, UNIT_BYTE, UNIT_NONE);
    english("320 KiB", 327680, UNIT_BYTE, UNIT_NONE);
    english("80 gb", 80e9, UNIT_BYTE, UNIT_NONE);
    english("80 gigabytes", 80e9, UNIT_BYTE, UNIT_NONE);
    english("2 gibibytes", 2147483648.0, UNIT_BYTE, UNIT_NONE);
    english("312 teraflops", 312e12, UNIT_FLOP, UNIT_SECOND);
    english("512 B", 512, UNIT_BYTE, UNIT_NONE);
    english("512 bytes", 512, UNIT_BYTE, UNIT_NONE);
    english("400 Gb/s", 50e9, UNIT_BYTE, UNIT_SECOND);
    english("400Gbps", 50e9, UNIT_BYTE, UNIT_SECOND);
    english("3.35 TB/s", 3.35e12, UNIT_BYTE, UNIT_SECOND);
    english("25ms", 0.025, UNIT_SECOND, UNIT_NONE);
    english("25 ms", 0.025, UNIT_SECOND, UNIT_NONE);
    english("3 µs", 3e-6, UNIT_SECOND, UNIT_NONE);
    english("2 hours", 7200, UNIT_SECOND, UNIT_NONE);
    english("5m", 300, UNIT_SECOND, UNIT_NONE);
    english("5m users", 5e6, UNIT_USER, UNIT_NONE);
    english("75%", 0.75, UNIT_RATIO, UNIT_NONE);
    english("75 per cent", 0.75, UNIT_RATIO, UNIT_NONE);
    english("3x", 3, UNIT_RATIO, UNIT_NONE);
    english("7.9 PFLOP/s", 7.9e15, UNIT_FLOP, UNIT_SECOND);
    english("989 TFLOPS", 989e12, UNIT_FLOP, UNIT_SECOND);
    english("140 GFLOPs", 140e9, UNIT_FLOP, UNIT_NONE);
    english("989 TFLOPS/s", 989e12, UNIT_FLOP, UNIT_SECOND);
    english("8 GPUs", 8, UNIT_GPU, UNIT_NONE);
    english("70B parameters", 70e9, UNIT_PARAMETER, UNIT_NONE);
    english("300 output tokens", 300, UNIT_TOKEN, UNIT_NONE);
    english("10M daily active users", 10e6, UNIT_USER, UNIT_NONE);
    spanish("10 millones de usuarios", 10e6, UNIT_USER, UNIT_NONE);
    spanish("300 tokens", 300, UNIT_TOKEN, UNIT_NONE);
    spanish("2 días", 172800, UNIT_SECOND, UNIT_NONE);
    spanish("75 por ciento", 0.75, UNIT_RATIO, UNIT_NONE);
    spanish("22 222 peticiones", 22222, UNIT_REQUEST, UNIT_NONE);
}

static void rates_divide(void **state)
{
    (void)state;
    english("833k tok/s", 833e3, UNIT_TOKEN, UNIT_SECOND);
    english("833ktok/s", 833e3, UNIT_TOKEN, UNIT_SECOND);
    english("2,778 req/s", 2778, UNIT_REQUEST, UNIT_SECOND);
    english("60 requests per minute", 1, UNIT_REQUEST, UNIT_SECOND);
    english("20k tokens per second", 20e3, UNIT_TOKEN, UNIT_SECOND);
    english("$2.5/h", 2.5 / 3600, UNIT_USD, UNIT_SECOND);
    english("2.5USD/h", 2.5 / 3600, UNIT_USD, UNIT_SECOND);
    english("$2.50 per GPU-hour", 2.5 / 3600, UNIT_USD, UNIT_SECOND);
    english("$44,640 a day", 44640.0 / 86400, UNIT_USD, UNIT_SECOND);
    english("$1.86 per 1M output tokens", 1.86e-6, UNIT_USD, UNIT_TOKEN);
    english("$1.86/M tokens", 1.86e-6, UNIT_USD, UNIT_TOKEN);
    english("320 KiB per token", 327680, UNIT_BYTE, UNIT_TOKEN);
    spanish("2.5 dólares por hora de GPU", 2.5 / 3600, UNIT_USD, UNIT_SECOND);
    spanish("1.86 USD por millón de tokens", 1.86e-6, UNIT_USD, UNIT_TOKEN);
    spanish("80 millones de peticiones al día", 80e6 / 86400, UNIT_REQUEST, UNIT_SECOND);
    spanish("20 mil tokens por segundo", 20e3, UNIT_TOKEN, UNIT_SECOND);
}

static void what_is_not_understood_is_left(void **state)
{
    (void)state;
    struct quantity quantity;
    assert_false(quantity_parse(&quantity, "", 0, NUMBER_ENGLISH));
    assert_false(quantity_parse(&quantity, "-5", 2, NUMBER_ENGLISH));
    assert_false(quantity_parse(&quantity, "$", 1, NUMBER_ENGLISH));
    assert_false(quantity_parse(&quantity, "1e999", 5, NUMBER_ENGLISH));
    assert_true(quantity_parse(&quantity, "5 apples", 8, NUMBER_ENGLISH));
    assert_true(quantity.size == 1 && quantity.unit == UNIT_NONE);
    assert_true(quantity_parse(&quantity, "$2 per answer", 13, NUMBER_ENGLISH));
    assert_int_equal(quantity.size, 2);
    assert_true(quantity_parse(&quantity, "8 B200 GPUs", 11, NUMBER_ENGLISH));
    assert_int_equal(quantity.size, 1);
    assert_true(quantity_parse(&quantity, "8 x H100", 8, NUMBER_ENGLISH));
    assert_true(quantity.unit == UNIT_NONE && quantity.size == 1);
    /* the size is the limit, whatever follows */
    assert_true(quantity_parse(&quantity, "12345 GB", 3, NUMBER_ENGLISH));
    assert_true(quantity.value == 123 && quantity.size == 3);
}

static void a_sentence_gives_its_quantities_and_no_names(void **state)
{
    (void)state;
    static const char words[] =
        "On H100, GPT-4 v0.4 and 3D at 4th: 10M users send 8 turns, 20-30 ms; "
        "KV is 0.44 GB (9.8 TB in all), so $1.86 per 1M tokens.";
    static const double values[] = {10e6, 8, 20, 0.03, 0.44e9, 9.8e12, 1.86e-6};
    size_t at = 0, n = 0;
    struct quantity quantity;
    while (quantity_find(&quantity, &at, words, strlen(words), NUMBER_ENGLISH)) {
        if (n == 7 || !near(quantity.value, values[n]))
            fail_msg("%zu: %g at \"%s\"", n, quantity.value, words + at);
        n++;
        at += quantity.size;
    }
    assert_int_equal(n, 7);
}

static void written_numbers_are_read_back(void **state)
{
    (void)state;
    static const double values[] = {0, 1, 8, 71.2, 994, 2778, 22222, 1e6, 0.00056, 12345678};
    for (int style = NUMBER_ENGLISH; style <= NUMBER_SPANISH; style++)
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            struct text text = {0};
            struct quantity quantity;
            number_text(&text, values[i], 8, (enum number_style)style);
            assert_true(quantity_parse(&quantity, text.data, text.size, (enum number_style)style));
            if (quantity.value != values[i] || quantity.size != text.size || quantity.ambiguous)
                fail_msg("%s", text.data);
            text_done(&text);
        }
    struct text text = {0};
    number_text(&text, 22222, 8, NUMBER_ENGLISH);
    text_add(&text, " ");
    number_text(&text, 0.00055777, 2, NUMBER_ENGLISH);
    text_add(&text, " ");
    number_fixed(&text, 71.2025, 1, NUMBER_ENGLISH);
    assert_string_equal(text.data, "22,222 0.00056 71.2");
    text_done(&text);
}

int main(void)
{
    locale_init("en", "/nonexistent");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_with_their_scale),
        cmocka_unit_test(separators_follow_the_four_rules),
        cmocka_unit_test(one_mark_and_three_digits_are_ambiguous_in_spanish_only),
        cmocka_unit_test(units_have_a_base_and_a_dimension),
        cmocka_unit_test(rates_divide),
        cmocka_unit_test(what_is_not_understood_is_left),
        cmocka_unit_test(a_sentence_gives_its_quantities_and_no_names),
        cmocka_unit_test(written_numbers_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
