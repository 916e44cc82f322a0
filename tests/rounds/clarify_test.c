#include "rounds/clarify.h"

#include "base/json.h"
#include "stage.h"

static const struct brief *brief(void) { return library_brief(&stage_library, "brief/1"); }

static struct clarify match(const char *question)
{
    struct clarify clarify;
    struct error err = {0};
    if (clarify_match(&clarify, brief(), "en", question, &err)) fail_msg("%s", err.message);
    return clarify;
}

static void a_question_finds_its_card(void **state)
{
    (void)state;
    struct clarify clarify = match("What is the peak?");
    assert_int_equal(clarify.n, 1);
    assert_string_equal(clarify.cards[0]->name, "traffic");
    assert_false(clarify.assumed);
    assert_int_equal(match("peak traffic?").n, 1); /* short is fair */
    assert_int_equal(match("What colour should it be?").n, 0);
}

static void one_question_gets_two_cards_at_most(void **state)
{
    (void)state;
    const struct clarify clarify =
        match("What are the peak, the length, the latency, the budget and the region?");
    assert_int_equal(clarify.n, CLARIFY_CARDS_PER_QUESTION);
}

static void an_assumption_is_told_from_a_question(void **state)
{
    (void)state;
    assert_true(match("Assume the peak is ten times the mean.").assumed);
    assert_true(match("Supongo que la latency es de 2 s.").assumed);
    assert_true(match("Let's say the budget is fixed.").assumed);
    assert_false(match("Can I assume that the peak is ten times the mean?").assumed);
    assert_false(match("What is the peak?").assumed);
}

/* ---- in a round ---- */

static void ask(struct bench *bench, const struct round *round, struct step *step,
                const char *question)
{
    struct clarify clarify;
    struct error err = {0};
    if (clarify_ask(&clarify, bench->progress, round, step, brief(), question, &err))
        fail_msg("%s", err.message);
}

static struct answer end(struct bench *bench, const struct round *round, const struct step *step)
{
    struct answer answer;
    struct error err = {0};
    if (clarify_end(&answer, bench->progress, round, step, brief(), &err))
        fail_msg("%s", err.message);
    return answer;
}

static void asking_costs_its_seconds_and_assuming_none(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 0.5, STEP_CARDS, "brief/1", &step);
    const int64_t deadline = step.deadline_ms;
    ask(bench, &round, &step, "What is the peak?");
    assert_int_equal(step.deadline_ms, deadline - 15000); /* 30 s, by the time factor */
    assert_int_equal(stage_step(bench, &round, 0).deadline_ms, deadline - 15000);
    ask(bench, &round, &step, "Assume a latency of two seconds.");
    ask(bench, &round, &step, "What colour should it be?");
    ask(bench, &round, &step, "And what is the peak, again?"); /* what is known costs nothing */
    assert_int_equal(step.deadline_ms, deadline - 15000);
}

static void the_phase_is_scored_by_weight_and_an_assumption_is_half(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 1.0, STEP_CARDS, "brief/1", &step);
    ask(bench, &round, &step, "What is the peak?");
    ask(bench, &round, &step, "Assume a latency of two seconds.");
    ask(bench, &round, &step, "Assume that the peak is high."); /* it was asked: stays whole */
    bench_reopen(bench); /* everything is read from the store */
    struct answer answer = end(bench, &round, &step);
    assert_true(answer.score > 3.5 / 14 - 1e-9 && answer.score < 3.5 / 14 + 1e-9);
    assert_int_equal(answer.place, 3);
    assert_string_equal(answer.text, "3 questions");
    assert_string_equal(answer.item, "brief/1/clarify");

    json_t *result;
    assert_int_equal(json_parse(&result, answer.result, strlen(answer.result), NULL), STATUS_OK);
    const json_t *items = json_object_get(result, "items");
    assert_int_equal(json_array_size(items), 12);
    const json_t *traffic = json_array_get(items, 0), *size = json_array_get(items, 1);
    assert_string_equal(json_string_value(json_object_get(traffic, "verdict")), "found");
    const char *text = json_string_value(json_object_get(traffic, "text"));
    assert_null(strchr(text, '{')); /* with the figures of this sitting */
    assert_non_null(strstr(text, "000 users"));
    assert_string_equal(json_string_value(json_object_get(size, "correction")),
                        "Nobody knew size.");
    json_decref(result);
    answer_done(&answer);
}

static void the_end_of_an_exams_phase_is_not_overtime(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, true, 1.0, STEP_CARDS, "brief/1", &step);
    bench->clock.now_ms = step.deadline_ms + 5;
    struct answer answer = end(bench, &round, &step);
    assert_false(answer.overtime);
    assert_true(answer.score == 0);
    answer_done(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_question_finds_its_card),
        STAGE_TEST(one_question_gets_two_cards_at_most),
        STAGE_TEST(an_assumption_is_told_from_a_question),
        STAGE_TEST(asking_costs_its_seconds_and_assuming_none),
        STAGE_TEST(the_phase_is_scored_by_weight_and_an_assumption_is_half),
        STAGE_TEST(the_end_of_an_exams_phase_is_not_overtime),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
