#include "rounds/judge.h"

#include "stage.h"

static const struct question_node *root(void)
{
    return library_node(&stage_library, "question/01/0");
}

static json_t *judged(double *score, const char *text)
{
    json_t *result;
    struct error err = {0};
    if (judge_text(&result, score, root(), "en", text, &err)) fail_msg("%s", err.message);
    return result;
}

static bool near(double a, double b) { return a - b < 1e-9 && b - a < 1e-9; }

static void the_score_is_the_weight_of_what_was_found(void **state)
{
    (void)state;
    double score;
    json_decref(judged(&score, "It is the alpha that decides. The gamma is there as well."));
    assert_true(near(score, 4.0 / 6));
    json_decref(judged(&score, ""));
    assert_true(score == 0);
}

static void confirming_keeps_or_flips_verdicts(void **state)
{
    (void)state;
    double score;
    char *confirmed;
    json_t *result = judged(&score, "It is the alpha that decides. The gamma is there as well.");

    assert_true(near(judge_confirm(&confirmed, result, NULL, 0), score));
    assert_string_equal(confirmed,
                        "{\"alpha\":\"found\",\"beta\":\"not-found\",\"gamma\":\"found\"}");
    free(confirmed);
    const int flipped[] = {1, 2, 1};
    assert_true(near(judge_confirm(&confirmed, result, flipped, 3), 5.0 / 6));
    assert_string_equal(confirmed,
                        "{\"alpha\":\"found\",\"beta\":\"found\",\"gamma\":\"not-found\"}");
    free(confirmed);
    json_decref(result);
}

static void a_contradiction_costs_half_until_it_is_flipped(void **state)
{
    (void)state;
    double score;
    char *confirmed;
    json_t *result = judged(&score, "I think that it is the omega. The beta is needed too.");
    assert_true(near(score, (2 - 1.5) / 6));
    assert_true(near(judge_confirm(&confirmed, result, NULL, 0), score));
    free(confirmed);
    const int first = 0;
    assert_true(near(judge_confirm(&confirmed, result, &first, 1), 5.0 / 6));
    free(confirmed);
    json_decref(result);
}

static void a_result_of_another_program_is_no_crash(void **state)
{
    (void)state;
    char *confirmed;
    json_t *result = json_pack("{s:[{}, i, {s:s}, {s:s, s:s}]}", "items", 7, "verdict", "found",
                               "name", "x", "verdict", "found");
    assert_true(judge_confirm(&confirmed, result, NULL, 0) == 0);
    free(confirmed);
    json_decref(result);
}

static void memory_is_rated_by_the_engines_score_and_overtime(void **state)
{
    (void)state;
    assert_int_equal(judge_rating(0.39, false), RATING_AGAIN);
    assert_int_equal(judge_rating(0.4, false), RATING_HARD);
    assert_int_equal(judge_rating(0.6, false), RATING_GOOD);
    assert_int_equal(judge_rating(0.6, true), RATING_HARD);
    assert_int_equal(judge_rating(0.85, false), RATING_EASY);
    assert_int_equal(judge_rating(1, true), RATING_HARD);
    assert_int_equal(judge_rating(0, true), RATING_AGAIN);
}

static void the_halves_of_a_phone_round_count_equally(void **state)
{
    (void)state;
    const struct answer answers[] = {{.item = "question/01/0", .score = 0.6},
                                     {.item = "question/01/1", .score = 0.8},
                                     {.item = "question/01/2", .score = -1},
                                     {.item = "drill/01", .step = 1, .score = 0.1}};
    int n;
    assert_float_equal(answer_share(&n, answers, 4, "phone"), (0.7 + 0.1) / 2, 1e-12);
    assert_int_equal(n, 3);
    assert_float_equal(answer_share(&n, answers, 4, "research"), (0.7 + 0.1) / 2, 1e-12);
    assert_float_equal(answer_share(&n, answers, 4, "coding"), 0.5, 1e-12);
    assert_float_equal(answer_share(&n, answers, 3, "phone"), 0.7, 1e-12);
    assert_float_equal(answer_share(&n, answers + 2, 1, "phone"), 0, 0);
    assert_int_equal(n, 0);
}

static void a_rehearsal_leaves_no_trace_in_the_memory(void **state)
{
    struct bench *bench = *state;
    struct round rehearsal = {.time_factor = 0.5}, real = {.time_factor = 1.0};
    struct error err = {0};
    assert_int_equal(judge_remember(bench->progress, &rehearsal, "question/01/0", 1, false, NULL),
                     STATUS_OK);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 0);
    if (judge_remember(bench->progress, &real, "question/01/1-1", 0.7, false, &err))
        fail_msg("%s", err.message);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review WHERE item ="
                                      " 'question/01/1-1' AND rating = 3 AND sitting IS NULL"),
                     1);
    assert_int_equal(review_verify(bench->progress, &err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(the_score_is_the_weight_of_what_was_found),
        STAGE_TEST(confirming_keeps_or_flips_verdicts),
        STAGE_TEST(a_contradiction_costs_half_until_it_is_flipped),
        STAGE_TEST(a_result_of_another_program_is_no_crash),
        STAGE_TEST(memory_is_rated_by_the_engines_score_and_overtime),
        STAGE_TEST(the_halves_of_a_phone_round_count_equally),
        STAGE_TEST(a_rehearsal_leaves_no_trace_in_the_memory),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
