#include "grader/rubric.h"

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

/* Whether one line finds something in the text. */
static bool finds_in(const char *language, const char *line, const char *text)
{
    char *lines[] = {(char *)line};
    struct rubric_item item = {.name = "it", .weight = 1, .found = {lines, 1, lines, 1}};
    const struct rubric rubric = {.items = &item, .items_count = 1};
    struct rubric_reader *reader;
    struct rubric_grade grade;
    struct error err;
    if (rubric_open(&reader, &rubric, language, &err)) fail_msg("%s", err.message);
    if (rubric_apply(&grade, reader, text, &err)) fail_msg("%s", err.message);
    const bool found = grade.findings[0].verdict == RUBRIC_FOUND;
    assert_true(grade.score == (found ? 1.0 : 0.0));
    rubric_grade_done(&grade);
    rubric_close(reader);
    return found;
}

static bool finds(const char *line, const char *text) { return finds_in("en", line, text); }
static bool encuentra(const char *line, const char *text) { return finds_in("es", line, text); }

static void a_pattern_matches_at_the_start_of_a_word(void **state)
{
    (void)state;
    assert_true(finds("varian", "The variance is d."));
    assert_true(finds("varian", "Its VARIANCES grow."));
    assert_false(finds("varian", "It is invariant."));
    assert_true(finds("head\\b", "one head"));
    assert_false(finds("head\\b", "two headers"));
    assert_true(encuentra("atencion", "La Atención mezcla."));
    assert_true(finds("sqrt\\(?d", "divide by √d"));
    assert_true(finds("√d", "divide by sqrt d or √d"));
    assert_true(encuentra("(deberá|DEBE)\\b", "Debe crecer."));
    assert_true(encuentra("deberá\\b", "deberá crecer."));
    assert_true(finds("q·k", "the product q·k"));
    assert_true(finds("\\bT\\b\\D", "with T of them"));
}

static void all_terms_of_a_line_are_in_one_sentence(void **state)
{
    (void)state;
    assert_true(finds("varian & grow", "The variance must grow with d."));
    assert_false(finds("varian & grow", "The variance is one thing. The scores grow."));
    assert_false(finds("varian & grow", "The variance is large."));
}

static void a_plus_lets_two_sides_lie_in_neighbours(void **state)
{
    (void)state;
    const char *line = "varian + divide";
    assert_true(finds(line, "The variance is d. So we divide."));
    assert_true(finds(line, "So we divide. The variance is d."));
    assert_true(finds(line, "We divide the variance."));
    assert_false(finds(line, "The variance is d. That is it. So we divide."));
    assert_true(finds("varian & \\bd\\b + divide", "The variance is d. We divide."));
    assert_false(finds("varian & \\bd\\b + divide", "The variance grows. We divide d."));
}

static void a_term_that_must_be_absent_is_looked_for_in_its_sentence(void **state)
{
    (void)state;
    const char *line = "learn & !\\b(not|never|no)\\b";
    assert_true(finds(line, "The scale is learned. It is not fixed."));
    assert_false(finds(line, "The scale is not learned."));
    assert_true(encuentra("aprend & !no\\b", "La escala se aprende."));
    assert_false(encuentra("aprend & !no\\b", "La escala no se aprende."));
}

static void numbers_are_compared_by_value_and_dimension(void **state)
{
    (void)state;
    assert_true(finds("#8", "It has 8 heads."));
    assert_true(finds("#8", "It is 8.3 of them.")); /* 5% unless said */
    assert_false(finds("#8", "It has 9 heads."));
    assert_true(finds("#320 KiB", "A token takes 327,680 bytes."));
    assert_true(encuentra("#320 KiB", "Un token ocupa 327.680 bytes."));
    assert_false(finds("#320 KiB", "A token takes 320 of them."));
    assert_true(finds("#1.86 USD ~10%", "It costs $2."));
    assert_false(finds("#1.86 USD", "It costs $2."));
    assert_true(finds("#100 ~x2", "About 55 of them."));
    assert_false(finds("#100 ~x2", "About 45 of them."));
    assert_true(finds("#8 & head", "The model has 8 heads."));
    assert_true(finds("#8%", "It is 8% of it."));
    assert_true(encuentra("#0.5", "La mitad es 0,5 de eso."));
}

static void measures_look_at_the_whole_answer(void **state)
{
    (void)state;
    assert_true(finds("@sentences<=2", "One of them. Two of them."));
    assert_false(finds("@sentences<=2", "One of them. Two of them. Three."));
    assert_true(finds("@numbers>=2", "It went from 3 to 4."));
    assert_true(finds("@questions>=1", "What is the load?"));
    assert_true(finds("@words>=4 & load", "What is the load?"));
    assert_true(finds("@seconds<=2", "What is the load?"));
    assert_true(finds("@first-person>=1", "I did it."));
    assert_true(encuentra("@first-person>=1", "Medí la pérdida."));
}

static void a_semicolon_makes_no_sentence_more(void **state)
{
    (void)state;
    assert_true(finds("@sentences<=2", "I would rather not say yet; it depends. Ask me later."));
    assert_false(finds("@sentences<=2", "One. Two; and. Three."));
}

static void a_list_of_keywords_is_evidence_of_nothing(void **state)
{
    (void)state;
    assert_false(
        finds("varian & softmax", "variance softmax saturation gradient scale temperature"));
    assert_true(finds("varian & softmax", "The variance makes the softmax saturate."));
    assert_false(
        encuentra("varian & softmax", "varianza softmax saturación gradiente escala temperatura"));
}

static void a_line_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "(open",     "#eight", "#8 furlong", "#8 ~ten", "#8 ~-3%", "@words=3", "@pages>=1",
        "@words>=x", "a & ",   "a + b + c",  "!",       "a[",      "#8 ~x0",   "\\Cx"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *list[] = {(char *)lines[i]};
        struct rubric_item item = {.name = "it", .weight = 1, .found = {list, 1, list, 1}};
        const struct rubric rubric = {.items = &item, .items_count = 1};
        struct rubric_reader *reader;
        struct error err;
        if (rubric_open(&reader, &rubric, "en", &err) != STATUS_FORMAT) fail_msg("%s", lines[i]);
        assert_null(reader);
        assert_non_null(strstr(err.message, "item it, en"));
    }
}

/* ---- items and wrong answers ---- */

static char *scale_lines[] = {"scale & variance"};
static char *mask_lines[] = {"mask & future", "future & hidden"};
static char *wrong_lines[] = {"scale & speed", "scale & learn & !not\\b"};

static struct rubric_item items[] = {
    {.name = "scale",
     .weight = 3,
     .en = "the scale",
     .es = "la escala",
     .found = {scale_lines, 1, scale_lines, 1}},
    {.name = "mask",
     .weight = 1,
     .en = "the mask",
     .es = "la máscara",
     .found = {mask_lines, 2, mask_lines, 2}},
};
static struct rubric_wrong wrong[] = {
    {.against = "scale",
     .said = {"It is for speed.", "Es por velocidad."},
     .correction = {"It is for the variance.", "Es por la varianza."},
     .seen = {wrong_lines, 2, wrong_lines, 2}},
};
static const struct rubric rubric = {items, 2, wrong, 1};

static double score_of(const char *text, struct rubric_grade *grade)
{
    struct rubric_reader *reader;
    struct error err;
    assert_false(rubric_open(&reader, &rubric, "en", &err));
    assert_false(rubric_apply(grade, reader, text, &err));
    rubric_close(reader);
    return grade->score;
}

static void the_score_is_the_share_of_the_weights(void **state)
{
    (void)state;
    struct rubric_grade grade;
    assert_true(score_of("The scale keeps the variance at one.", &grade) == 0.75);
    rubric_grade_done(&grade);
    assert_true(score_of("The future is hidden.", &grade) == 0.25);
    rubric_grade_done(&grade);
    assert_true(score_of("", &grade) == 0);
    assert_int_equal(grade.findings[0].size, 0);
    rubric_grade_done(&grade);
}

static void the_sentence_in_which_most_lines_hold_is_reported(void **state)
{
    (void)state;
    struct rubric_grade grade;
    const char *text = "A mask of the future. With the mask the future is hidden; so.";
    score_of(text, &grade);
    assert_int_equal(grade.findings[1].verdict, RUBRIC_FOUND);
    assert_int_equal(grade.findings[1].start, (int)strlen("A mask of the future. "));
    rubric_grade_done(&grade);
}

static void a_contradiction_costs_half_and_goes_before_what_was_found(void **state)
{
    (void)state;
    struct rubric_grade grade;
    const char *text =
        "The scale keeps the variance. The scale is for speed. The future is hidden.";
    assert_true(score_of(text, &grade) == 0); /* 1 - 3/2 is below zero */
    assert_int_equal(grade.findings[0].verdict, RUBRIC_CONTRADICTED);
    assert_int_equal(grade.findings[1].verdict, RUBRIC_FOUND);
    assert_ptr_equal(grade.findings[0].wrong, &wrong[0]);
    assert_memory_equal(text + grade.findings[0].start, "The scale is for speed.",
                        (size_t)grade.findings[0].size);
    rubric_grade_done(&grade);
    assert_true(score_of("The scale is not learned, it keeps the variance.", &grade) == 0.75);
    rubric_grade_done(&grade);
}

static void what_is_denied_contradicts_nothing(void **state)
{
    (void)state;
    struct rubric_grade grade;
    static const char *const denied[] = {"The scale is never there for the speed.",
                                         "It doesn't scale for speed.",
                                         "There is no scale for speed."};
    static const char *const claimed[] = {"The scale is there for the speed.",
                                          "I do not like it, but the scale is for speed.",
                                          "Never mind: the scale gives speed."};
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        score_of(denied[i], &grade);
        if (grade.findings[0].verdict == RUBRIC_CONTRADICTED) fail_msg("%s", denied[i]);
        rubric_grade_done(&grade);
    }
    for (size_t i = 0; i < sizeof claimed / sizeof *claimed; i++) {
        score_of(claimed[i], &grade);
        if (grade.findings[0].verdict != RUBRIC_CONTRADICTED) fail_msg("%s", claimed[i]);
        rubric_grade_done(&grade);
    }
}

static void a_wrong_answer_is_seen_by_its_own_lines(void **state)
{
    (void)state;
    struct rubric_reader *reader;
    struct error err;
    assert_false(rubric_open(&reader, &rubric, "es", &err));
    assert_true(rubric_sees(reader, 0, "Scale for speed."));
    assert_false(rubric_sees(reader, 0, "Scale for variance."));
    rubric_close(reader);
}

static void the_stored_grade_holds_the_sentence_and_the_correction(void **state)
{
    (void)state;
    struct rubric_grade grade;
    const char *text = "Sí. The scale is for speed, así es.";
    score_of(text, &grade);
    json_t *json = rubric_json(&grade, text, "es");
    const json_t *item = json_array_get(json_object_get(json, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(item, "sentence")),
                        "The scale is for speed, así es.");
    assert_string_equal(json_string_value(json_object_get(item, "verdict")), "contradicted");
    assert_string_equal(json_string_value(json_object_get(item, "text")), "la escala");
    assert_string_equal(json_string_value(json_object_get(item, "correction")),
                        "Es por la varianza.");
    json_decref(json);
    rubric_grade_done(&grade);
}

static void broken_bytes_are_graded_as_the_rest_of_them(void **state)
{
    (void)state;
    struct rubric_grade grade;
    assert_true(score_of("The scale \xFF keeps \xC3 the variance.", &grade) == 0.75);
    json_t *json = rubric_json(&grade, "The scale \xFF keeps \xC3 the variance.", "en");
    assert_non_null(json);
    char *dumped = json_dumps(json, 0);
    assert_non_null(dumped);
    free(dumped);
    json_decref(json);
    rubric_grade_done(&grade);
}

static void a_pattern_that_runs_away_is_stopped(void **state)
{
    (void)state;
    char text[4096];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    const int64_t begun = clock_steady_ns();
    assert_false(finds("(a+)+$b", text));
    assert_false(finds("(a|aa)+x", text));
    assert_false(finds("(.*)*x\\1y", text));
    assert_true(clock_steady_ns() - begun < 2000000000);
}

static void the_longest_answer_takes_no_more_than_a_moment(void **state)
{
    (void)state;
    char *text = memory_new(PROSE_SIZE_LIMIT + 1, 1);
    static const char *const beats[] = {"the scale of it ", "the scale of it. \n",
                                        "scale 1,000 the ", "\xE2\x88\x9A"};
    for (size_t b = 0; b < sizeof beats / sizeof *beats; b++) {
        struct rubric_grade grade;
        const size_t size = strlen(beats[b]);
        struct rubric_reader *reader;
        struct error err;
        for (size_t i = 0; i < PROSE_SIZE_LIMIT; i++) text[i] = beats[b][i % size];
        const int64_t begun = clock_steady_ns();
        assert_false(rubric_open(&reader, &rubric, "es", &err));
        if (!rubric_apply(&grade, reader, text, &err)) {
            assert_true(grade.score == 0);
            rubric_grade_done(&grade);
        } else {
            assert_int_equal(err.status, STATUS_LIMIT); /* too many sentences */
        }
        rubric_close(reader);
        assert_true(clock_steady_ns() - begun < 2000000000);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_at_the_start_of_a_word),
        cmocka_unit_test(all_terms_of_a_line_are_in_one_sentence),
        cmocka_unit_test(a_plus_lets_two_sides_lie_in_neighbours),
        cmocka_unit_test(a_term_that_must_be_absent_is_looked_for_in_its_sentence),
        cmocka_unit_test(numbers_are_compared_by_value_and_dimension),
        cmocka_unit_test(measures_look_at_the_whole_answer),
        cmocka_unit_test(a_semicolon_makes_no_sentence_more),
        cmocka_unit_test(a_list_of_keywords_is_evidence_of_nothing),
        cmocka_unit_test(a_line_that_cannot_be_read_is_named),
        cmocka_unit_test(the_score_is_the_share_of_the_weights),
        cmocka_unit_test(the_sentence_in_which_most_lines_hold_is_reported),
        cmocka_unit_test(a_contradiction_costs_half_and_goes_before_what_was_found),
        cmocka_unit_test(what_is_denied_contradicts_nothing),
        cmocka_unit_test(a_wrong_answer_is_seen_by_its_own_lines),
        cmocka_unit_test(the_stored_grade_holds_the_sentence_and_the_correction),
        cmocka_unit_test(broken_bytes_are_graded_as_the_rest_of_them),
        cmocka_unit_test(a_pattern_that_runs_away_is_stopped),
        cmocka_unit_test(the_longest_answer_takes_no_more_than_a_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
