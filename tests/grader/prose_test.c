#include "grader/prose.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"

static struct prose read_text(const char *text)
{
    struct prose prose;
    struct error err;
    if (prose_read(&prose, text, &err)) fail_msg("%s", err.message);
    return prose;
}

/* The folded sentences, joined by " | ". */
static void expect_sentences(const char *text, const char *expected)
{
    struct prose prose = read_text(text);
    struct text joined = {0};
    for (int i = 0; i < prose.n_sentences; i++)
        text_format(&joined, "%s%s", i ? " | " : "", prose.sentences[i].folded);
    assert_string_equal(text_string(&joined), expected);
    text_done(&joined);
    prose_done(&prose);
}

static void a_sentence_ends_at_its_point_and_not_inside_a_number(void **state)
{
    (void)state;
    expect_sentences("It is 0.5. It grows! Why? So; yes",
                     "it is 0.5. | it grows! | why? | so; | yes");
    expect_sentences("La varianza es 1,5. Crece.", "la varianza es 1,5. | crece.");
    expect_sentences("", "");
    expect_sentences(" \n\t ", "");
}

static void an_abbreviation_ends_no_sentence(void **state)
{
    (void)state;
    expect_sentences("Some layers, e.g. attention, grow. Done.",
                     "some layers, e.g. attention, grow. | done.");
    expect_sentences("Algunas, p. ej. la atención. Fin.", "algunas, p. ej. la atencion. | fin.");
    expect_sentences("Vaswani et al. divide by it.", "vaswani et al. divide by it.");
}

static void a_line_that_wraps_goes_on_and_a_list_does_not(void **state)
{
    (void)state;
    expect_sentences("The variance\nis d.", "the variance is d.");
    expect_sentences("First part\n\nSecond part", "first part | second part");
    expect_sentences("Two things:\n- the mask\n- the scale",
                     "two things: | - the mask | - the scale");
    expect_sentences("1. Scale it.\n2. Mask it.", "1. scale it. | 2. mask it.");
}

static void folding_forgets_case_accents_and_typography(void **state)
{
    (void)state;
    expect_sentences("La ATENCIÓN del niño", "la atencion del nino");
    expect_sentences("√d_k × 2 · x² − 1 “a”’s", "sqrtd_k x 2 * x2 - 1 \"a\"'s");
    expect_sentences("e\xCC\x81l", "el"); /* decomposed */
    expect_sentences("O(T²) ≤ 10⁻⁵", "o(t2) <= 10-5");
}

static void broken_utf8_costs_its_bytes_and_no_sentence(void **state)
{
    (void)state;
    expect_sentences("the \xFFvariance\xC3 grows", "the variance grows");
    expect_sentences("\xE2\x88", "");
}

static void a_sentence_knows_its_place_in_the_text(void **state)
{
    (void)state;
    const char *text = "  Uno.  Dos más. ";
    struct prose prose = read_text(text);
    assert_int_equal(prose.n_sentences, 2);
    assert_memory_equal(text + prose.sentences[1].start, "Dos más.", prose.sentences[1].size);
    prose_done(&prose);
}

static void a_list_of_keywords_is_known_as_one(void **state)
{
    (void)state;
    struct prose prose = read_text(
        "variance softmax saturation gradient scale dot product. The variance of the product is d. "
        "peak traffic? varianza softmax saturación gradiente escala. La varianza del producto es d.");
    assert_int_equal(prose.n_sentences, 5);
    assert_true(prose.sentences[0].keywords);
    assert_false(prose.sentences[1].keywords);
    assert_false(prose.sentences[2].keywords); /* short */
    assert_true(prose.sentences[3].keywords);
    assert_false(prose.sentences[4].keywords);
    prose_done(&prose);
}

static void terse_notes_are_no_keywords(void **state)
{
    (void)state;
    struct prose prose = read_text("no scale: softmax saturates early, gradient dies, head stuck\n"
                                   "- sum of d products -> variance d\n"
                                   "- attention, softmax, variance, scaling, gradient, entropy\n"
                                   "- Sharp softmax means gradients near zero.\n"
                                   "- 2 × layers × kv_heads × head_dim × bytes\n"
                                   "- Durante el primer mes escucharía, leería código y arreglaría "
                                   "fallos pequeños");
    assert_int_equal(prose.n_sentences, 6);
    assert_false(prose.sentences[0].keywords);
    assert_false(prose.sentences[1].keywords);
    assert_true(prose.sentences[2].keywords);
    assert_false(prose.sentences[3].keywords);
    assert_false(prose.sentences[4].keywords);
    assert_false(prose.sentences[5].keywords);
    prose_done(&prose);
}

static void words_questions_numbers_and_first_persons_are_counted(void **state)
{
    (void)state;
    struct prose prose =
        read_text("I measured 3 runs on an H100: 1,024 tokens and 0.5 s. Why? My bug.");
    assert_int_equal(prose.n_numbers, 3); /* H100 is a name */
    assert_int_equal(prose.n_questions, 1);
    assert_int_equal(prose.n_first_person, 2);
    prose_done(&prose);
    prose = read_text("Decidí medir. Implementé la caché; hice dos pruebas así. ¿Qué pasó? Yo");
    assert_int_equal(prose.n_first_person, 4);
    prose_done(&prose);
    prose = read_text("one two three four five");
    assert_true(fabs(prose_seconds(&prose) - 2) < 1e-9); /* 150 words a minute */
    prose_done(&prose);
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    struct prose prose;
    struct error err;
    char *text = memory_new(PROSE_SIZE_LIMIT + 2, 1);
    memset(text, 'a', PROSE_SIZE_LIMIT + 1);
    assert_int_equal(prose_read(&prose, text, &err), STATUS_LIMIT);
    for (int i = 0; i < PROSE_SIZE_LIMIT; i++) text[i] = "a. "[i % 3];
    text[PROSE_SIZE_LIMIT] = '\0';
    assert_int_equal(prose_read(&prose, text, &err), STATUS_OK);
    assert_int_equal(prose.n_sentences, PROSE_SENTENCE_LIMIT); /* the first ones are read */
    prose_done(&prose);
    assert_int_equal(prose.n_sentences, 0);
    free(text);
}

/* ---- numbers ---- */

static bool has(const char *text, enum number_style style, double value, const char *unit)
{
    struct prose_number *numbers;
    struct quantity one;
    bool found = false;
    int n;
    assert_true(prose_unit(&one, unit, strlen(unit)));
    prose_numbers(&numbers, &n, text, strlen(text), style);
    for (int i = 0; i < n; i++)
        if (prose_number_is(&numbers[i], one.unit, one.per) &&
            fabs(numbers[i].value - value * one.value) <= 1e-9 * fabs(value * one.value))
            found = true;
    free(numbers);
    return found;
}

static bool english(const char *text, double value, const char *unit)
{
    return has(text, NUMBER_ENGLISH, value, unit);
}

static bool spanish(const char *text, double value, const char *unit)
{
    return has(text, NUMBER_SPANISH, value, unit);
}

static void the_same_amount_is_found_however_it_is_written(void **state)
{
    (void)state;
    assert_true(english("each token takes 327,680 bytes", 320, "KiB"));
    assert_true(english("that is 320 KiB a token", 320, "KiB"));
    assert_true(english("about 0.3125 MiB", 320, "KiB"));
    assert_true(spanish("ocupa 327.680 bytes", 320, "KiB"));
    assert_true(spanish("ocupa 327 680 bytes", 320, "KiB"));
    assert_true(spanish("cuesta 1,86 USD", 1.86, "USD"));
    assert_true(english("it costs $1.86", 1.86, "USD"));
    assert_true(english("320 KiB per token", 320, "KiB"));
    assert_true(english("USD 1.86 per 1M tokens", 1.86, "USD"));
    assert_true(english("80 gigabytes of HBM", 80, "GB"));
    assert_false(english("each token takes 320 KB", 320, "KiB"));
    assert_false(english("320 of them", 320, "KiB"));
}

static void rates_are_not_amounts(void **state)
{
    (void)state;
    assert_true(english("2,000 tokens per second", 2000, "tok/s"));
    assert_true(spanish("2000 tokens por segundo", 2000, "tok/s"));
    assert_false(english("2,000 tokens", 2000, "tok/s"));
    assert_false(english("3 TB/s", 3, "TB"));
    assert_true(english("10 million requests a day", 10e6, ""));
    assert_true(english("2 USD per GPU-hour", 2, "USD/h"));
    assert_true(english("3.35 TB/s", 3.35, "TB/s"));
    assert_true(english("3,350 GB/s", 3.35, "TB/s"));
    assert_true(english("989 TFLOP/s", 989, "TFLOP/s"));
    assert_true(english("989 TFLOPS", 989, "TFLOP/s"));
}

static void a_number_without_unit_is_the_number_as_written(void **state)
{
    (void)state;
    assert_true(english("with 8 heads", 8, ""));
    assert_true(english("8x faster", 8, ""));
    assert_true(english("8% of it", 8, ""));
    assert_true(english("it is 12d wide", 12, ""));
    assert_true(english("d=64", 64, ""));
    assert_true(english("a 70B model", 70, ""));
    assert_true(english("a 70B model", 70e9, ""));
    assert_true(english("8 million users", 8e6, ""));
    assert_false(english("on an H100", 100, ""));
    assert_false(english("in fp16", 16, ""));
    assert_false(english("v0.4 of it", 4, ""));
}

static void a_share_may_be_written_as_a_plain_number(void **state)
{
    (void)state;
    assert_true(english("75% of them", 75, "%"));
    assert_true(english("a share of 0.75", 75, "%"));
    assert_true(english("75 percent", 75, "%"));
    assert_true(spanish("el 75 por ciento", 75, "%"));
    assert_true(spanish("un 0,75", 75, "%"));
    assert_true(english("4x smaller", 4, "x"));
    assert_true(english("4 times smaller", 4, "x"));
}

static void in_spanish_a_mark_before_three_digits_counts_both_ways(void **state)
{
    (void)state;
    assert_true(spanish("unos 10.000 tokens", 10000, "tok"));
    assert_true(spanish("unos 10.000 tokens", 10, "tok"));
    assert_true(spanish("1,024 tokens", 1024, ""));
    assert_true(spanish("1,024 tokens", 1.024, ""));
    assert_true(english("10,000 tokens", 10000, "tok"));
    assert_false(english("10,000 tokens", 10, "tok"));
}

static void powers_are_computed(void **state)
{
    (void)state;
    assert_true(english("3.8 × 10^21 FLOP", 3.8e21, "FLOP"));
    assert_true(english("3.8x10²¹ FLOP", 3.8e21, "FLOP"));
    assert_true(english("3.8 * 10**21 FLOP", 3.8e21, "FLOP"));
    assert_true(english("3.8e21 FLOP", 3.8e21, "FLOP"));
    assert_true(english("eps is 10^-5", 1e-5, ""));
    assert_true(english("eps is 10⁻⁵", 1e-5, ""));
    assert_true(english("eps is 1e-5", 1e-5, ""));
    assert_true(english("eps is 10^{−5}", 1e-5, ""));
    assert_true(english("2^15 of them", 32768, ""));
    assert_true(spanish("3,8 × 10^21 FLOP", 3.8e21, "FLOP"));
}

static void a_hyphen_joins_a_number_and_its_unit(void **state)
{
    (void)state;
    assert_true(english("a 16-bit number", 16, "bit"));
    assert_true(english("a 4-byte float", 4, "bytes"));
    assert_true(english("a 2-second wait", 2, "s"));
    assert_true(english("20-30 ms", 30, "ms"));
}

static void digits_without_end_are_read_in_one_pass(void **state)
{
    (void)state;
    struct prose_number *numbers;
    int n;
    char *text = memory_new(PROSE_SIZE_LIMIT + 1, 1);
    const char *const patterns[] = {"1", "1 ", "1,", "1.", "9^", "10^9 ", "1-a", "$", "1 000 "};
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        const size_t size = strlen(patterns[p]);
        for (int i = 0; i < PROSE_SIZE_LIMIT; i++) text[i] = patterns[p][(size_t)i % size];
        const int64_t begun = clock_steady_ns();
        prose_numbers(&numbers, &n, text, PROSE_SIZE_LIMIT, NUMBER_SPANISH);
        assert_true(clock_steady_ns() - begun < 1000000000);
        for (int i = 0; i < n; i++) assert_true(isfinite(numbers[i].value));
        free(numbers);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_ends_at_its_point_and_not_inside_a_number),
        cmocka_unit_test(an_abbreviation_ends_no_sentence),
        cmocka_unit_test(a_line_that_wraps_goes_on_and_a_list_does_not),
        cmocka_unit_test(folding_forgets_case_accents_and_typography),
        cmocka_unit_test(broken_utf8_costs_its_bytes_and_no_sentence),
        cmocka_unit_test(a_sentence_knows_its_place_in_the_text),
        cmocka_unit_test(a_list_of_keywords_is_known_as_one),
        cmocka_unit_test(terse_notes_are_no_keywords),
        cmocka_unit_test(words_questions_numbers_and_first_persons_are_counted),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(the_same_amount_is_found_however_it_is_written),
        cmocka_unit_test(rates_are_not_amounts),
        cmocka_unit_test(a_number_without_unit_is_the_number_as_written),
        cmocka_unit_test(a_share_may_be_written_as_a_plain_number),
        cmocka_unit_test(in_spanish_a_mark_before_three_digits_counts_both_ways),
        cmocka_unit_test(powers_are_computed),
        cmocka_unit_test(a_hyphen_joins_a_number_and_its_unit),
        cmocka_unit_test(digits_without_end_are_read_in_one_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
