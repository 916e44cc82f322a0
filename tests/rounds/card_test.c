#include "rounds/card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static char *shift_en[] = {"(nothing|unchanged|invariant)"}, *shift_es[] = {"(nada|no cambia)"};
static char *bits[] = {"#8"};
static const struct quiz_card shift = {.name = "softmax-shift",
                                       .answer = {"Nothing changes.", "No cambia nada."},
                                       .found = {shift_en, 1, shift_es, 1}};
static const struct quiz_card number = {
    .name = "bits", .answer = {"8 bits.", "8 bits."}, .found = {bits, 1, bits, 1}};

static bool found(const struct quiz_card *card, const char *language, const char *text)
{
    bool is_found;
    json_t *result;
    struct error err = {0};
    if (card_judge(&is_found, &result, card, language, text, &err)) fail_msg("%s", err.message);
    assert_int_equal(json_array_size(json_object_get(result, "items")), 1);
    json_decref(result);
    return is_found;
}

static void a_word_or_a_number_is_an_answer(void **state)
{
    (void)state;
    assert_true(found(&shift, "en", "nothing"));
    assert_true(found(&shift, "es", "No cambia"));
    assert_false(found(&shift, "en", "it overflows"));
    assert_false(found(&shift, "en", ""));
    assert_true(found(&number, "en", "8"));
    assert_true(found(&number, "es", "son 8 bits"));
    assert_false(found(&number, "en", "16"));
    assert_false(found(&number, "en", "18"));
}

static void a_rating_says_how_it_was_found(void **state)
{
    (void)state;
    assert_int_equal(card_rating(true, false, CARD_EASY_MS - 1), RATING_EASY);
    assert_int_equal(card_rating(true, false, CARD_EASY_MS), RATING_GOOD);
    assert_int_equal(card_rating(true, true, 1), RATING_HARD);
    assert_int_equal(card_rating(false, true, 1), RATING_AGAIN);
    assert_true(card_score(RATING_EASY) == 1 && card_score(RATING_GOOD) == 1);
    assert_true(card_score(RATING_HARD) == 0.5 && card_score(RATING_AGAIN) == 0);
}

static void a_clue_keeps_first_letters_and_no_digits(void **state)
{
    (void)state;
    struct text clue = {0};
    card_clue(&clue, "It is O(n), 320 KiB; ángulo");
    assert_string_equal(text_string(&clue), "It is O(n), ··· K··; á·····");
    text_done(&clue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_or_a_number_is_an_answer),
        cmocka_unit_test(a_rating_says_how_it_was_found),
        cmocka_unit_test(a_clue_keeps_first_letters_and_no_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
