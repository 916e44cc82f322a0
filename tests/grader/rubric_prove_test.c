#include "grader/rubric_prove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "grader/rubric_sample.h"

/* The same single line in both languages. */
#define BOTH(line) \
    { \
        line, 1, line, 1 \
    }

static char *scale_line[] = {"scale & varian"}, *mask_line[] = {"mask & future"};
static char *sum_line[] = {"softmax & sum"}, *speed_line[] = {"\\bfor\\b & speed"};
static char *eight_line[] = {"#8"}, *open_line[] = {"(open"};

/* A question of one node that is fit; each test spoils one thing of it. */
struct trial {
    struct rubric_item items[3];
    struct rubric_wrong wrong[1];
    struct question_number numbers[1];
    struct question_node node;
    struct question question;
    struct anchors anchors;
};

static void trial_open(struct trial *trial)
{
    static const struct anchor_set set = {
        .soup = "variance scale mask softmax future gradient",
        .wrong = "The scale is there for the speed of it.",
        .adequate = "The scale keeps the variance of it at one.",
        .excellent = "The scale keeps the variance at one. The mask hides the future. And the "
                     "softmax sums to one.",
    };
    *trial = (struct trial){
        .items = {{"scale", 2, "the scale", "la escala", BOTH(scale_line)},
                  {"mask", 1, "the mask", "la máscara", BOTH(mask_line)},
                  {"sum", 1, "the sum", "la suma", BOTH(sum_line)}},
        .wrong = {{"scale",
                   {"It is all for the speed.", "It is all for the speed."},
                   {"No.", "No."},
                   BOTH(speed_line)}},
        .numbers = {{"a root", "una raíz", 8, "", "sqrt(64)", ""}},
        .anchors = {set, set},
    };
    trial->node = (struct question_node){
        .id = "0",
        .minutes = 5,
        .after = "",
        .lab = "",
        .ask = {"Why?", "¿Por qué?"},
        .answer = {set.excellent, set.excellent},
        .rubric = {trial->items, 3, trial->wrong, 1},
        .numbers = trial->numbers,
        .numbers_count = 1,
    };
    trial->question = (struct question){.number = "01", .nodes = &trial->node, .nodes_count = 1};
}

/* Exactly these many problems, the first of which says so. */
static void expect(const struct trial *trial, int n, const char *what)
{
    struct problems problems = {0};
    rubric_prove_question(&problems, &trial->question, &trial->anchors, "01.yaml", NULL);
    for (int i = 0; i < problems.n && problems.n != n; i++)
        print_message("%s %s\n", problems.problems[i].language, problems.problems[i].what);
    assert_int_equal(problems.n, n);
    if (n) {
        assert_string_equal(problems.problems[0].file, "01.yaml");
        if (!strstr(problems.problems[0].what, what)) fail_msg("%s", problems.problems[0].what);
    }
    problems_done(&problems);
}

static void a_question_that_is_fit_has_no_problems(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    expect(&trial, 0, "");
}

static void an_answer_must_find_its_own_items(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    trial.node.answer.es = "The scale keeps the variance at one.";
    expect(&trial, 1, "its own answer: 50%; missing: mask, sum");
}

static void an_answer_is_not_contradicted_by_its_own_rubric(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    trial.node.answer.en = "The scale keeps the variance at one, for speed. The mask hides the "
                           "future. The softmax sums to one.";
    expect(&trial, 1, "contradicted: scale");
    trial.question.self_marked = "so that the anchors do not matter";
    trial.items[1].weight = trial.items[2].weight = 8; /* 88%, yet contradicted */
    trial.items[0].weight = 1;
    expect(&trial, 1, "contradicted: scale");
}

static void a_wrong_answer_is_seen_and_scores_little(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    trial.wrong[0].said.es = "The scale is the variance.";
    expect(&trial, 2, "below 40%");
    trial_open(&trial);
    trial.wrong[0].said.es = "It is all a matter of taste.";
    expect(&trial, 1, "none of its own `seen` lines");
}

static void a_number_is_what_its_expression_says(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    trial.numbers[0].value = 8.03; /* within 0.5% */
    expect(&trial, 0, "");
    trial.numbers[0].value = 8.1;
    expect(&trial, 1, "sqrt(64) is 8, the file says 8.1");
    trial_open(&trial);
    trial.numbers[0].from = "sqrt(";
    expect(&trial, 1, "expected a number");
    trial_open(&trial);
    trial.numbers[0].unit = "furlong";
    expect(&trial, 1, "there is no unit furlong");
    trial_open(&trial);
    trial.numbers[0].from = "";
    trial.numbers[0].source = "a paper, section 1";
    trial.numbers[0].value = 5;
    expect(&trial, 0, "");
}

static void a_line_that_cannot_be_read_is_a_problem(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    trial.items[1].found.es = open_line;
    expect(&trial, 1, "(open");
}

static void the_anchors_rank(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    trial.anchors.en.adequate = "The future is all that matters.";
    expect(&trial, 2, "anchor adequate: 0%");
    trial_open(&trial);
    trial.anchors.en.wrong = "The scale keeps the variance of it at one.";
    expect(&trial, 2, "anchor wrong: 50%");
    trial_open(&trial);
    trial.anchors.en.soup = "The mask hides the future of it.";
    expect(&trial, 1, "anchor soup: 25%");
    trial_open(&trial);
    trial.anchors.es.excellent = trial.anchors.es.adequate;
    expect(&trial, 2, "anchor excellent: 50%");
}

static void a_question_that_is_self_marked_need_not_rank(void **state)
{
    (void)state;
    struct trial trial;
    trial_open(&trial);
    trial.question.self_marked = "taste decides";
    trial.anchors.en.adequate = trial.anchors.en.soup;
    expect(&trial, 0, "");
}

static void hear(void *context, const struct rubric_row *row)
{
    text_format(context, "%s-%s %.0f ", row->language, row->text, 100 * row->grade->score);
}

static void every_text_that_is_graded_is_told(void **state)
{
    (void)state;
    struct trial trial;
    struct problems problems = {0};
    struct text heard = {0};
    const struct rubric_listener listener = {hear, &heard};
    trial_open(&trial);
    rubric_prove_question(&problems, &trial.question, &trial.anchors, "01.yaml", &listener);
    assert_string_equal(text_string(&heard),
                        "en-answer 100 en-said 0 es-answer 100 es-said 0 "
                        "en-empty 0 en-soup 0 en-wrong 0 en-adequate 50 en-excellent 100 "
                        "es-empty 0 es-soup 0 es-wrong 0 es-adequate 50 es-excellent 100 ");
    text_done(&heard);
    problems_done(&problems);
}

static void a_card_is_found_by_its_own_lines(void **state)
{
    (void)state;
    struct quiz_card card = {.name = "shift",
                             .answer = {"It is 8 at most.", "Es 8 como mucho."},
                             .found = BOTH(eight_line),
                             .from = "sqrt(64)",
                             .value = 8};
    const struct quiz quiz = {&card, 1};
    struct problems problems = {0};
    rubric_prove_quiz(&problems, &quiz, "quiz.yaml");
    assert_int_equal(problems.n, 0);
    card.answer.es = "Es 9 como mucho.";
    card.value = 9;
    rubric_prove_quiz(&problems, &quiz, "quiz.yaml");
    assert_int_equal(problems.n, 2);
    assert_string_equal(problems.problems[1].language, "es");
    problems_done(&problems);
}

static void a_sentence_is_made_up_that_a_line_finds(void **state)
{
    (void)state;
    static char *lines[] = {"(latency|ttft) & how long.{0,20}wait", "\\bd\\b & x{3}y+z* & !not\\b",
                            "[abc]d[^a]\\d & #320 KiB ~10%", "(?:a(b|c)?|d) + (?!x)peak(s)?",
                            "√d & presupuest"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct rubric_item item = {"it", 1, "e", "s", {&lines[i], 1, &lines[i], 1}};
        const struct rubric rubric = {&item, 1, NULL, 0};
        struct rubric_reader *reader;
        struct rubric_grade grade;
        struct error err;
        struct text text = {0};
        rubric_sample(&text, lines[i]);
        assert_false(rubric_open(&reader, &rubric, "en", &err));
        assert_false(rubric_apply(&grade, reader, text_string(&text), &err));
        if (grade.score < 1) fail_msg("%s: %s", lines[i], text_string(&text));
        rubric_grade_done(&grade);
        rubric_close(reader);
        text_done(&text);
    }
}

static void a_card_that_no_question_finds_is_a_problem(void **state)
{
    (void)state;
    static char *never[] = {"peak & !peak", "latency & @words>=999"}, *peak[] = {"peak"};
    struct brief_card cards[] = {
        {"never", 1, 30, {peak, 1, never, 2}, {"", ""}, {"", ""}},
    };
    struct brief brief = {.name = "b", .vague = {"", ""}, .cards = cards, .cards_count = 1};
    struct problems problems = {0};
    rubric_prove_brief(&problems, &brief, "1-b.yaml", NULL);
    assert_int_equal(problems.n, 1);
    assert_string_equal(problems.problems[0].node, "never");
    assert_string_equal(problems.problems[0].language, "es");
    problems_done(&problems);
}

static void the_estimates_of_a_brief_hold_at_every_extreme(void **state)
{
    (void)state;
    struct trial trial;
    struct brief_variable variables[] = {
        {"users", "u", "u", "", (double[]){10, 20, 30}, 3},
        {"spare", "s", "s", "", (double[]){0, 5}, 2},
    };
    struct brief_estimate estimates[] = {{"load", "l", "l", "", "users/(31-users-spare)", 1}};
    struct brief brief = {.name = "b",
                          .vague = {"{users} of them", "{usuarios}"},
                          .variables = variables,
                          .variables_count = 2,
                          .estimates = estimates,
                          .estimates_count = 1};
    struct problems problems = {0};
    trial_open(&trial);
    rubric_prove_brief(&problems, &brief, "1-b.yaml", NULL);
    assert_int_equal(problems.n, 2);
    assert_non_null(strstr(problems.problems[0].what, "users=30, spare=5"));
    assert_non_null(strstr(problems.problems[1].what, "{usuarios} is no variable"));
    problems_done(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_that_is_fit_has_no_problems),
        cmocka_unit_test(an_answer_must_find_its_own_items),
        cmocka_unit_test(an_answer_is_not_contradicted_by_its_own_rubric),
        cmocka_unit_test(a_wrong_answer_is_seen_and_scores_little),
        cmocka_unit_test(a_number_is_what_its_expression_says),
        cmocka_unit_test(a_line_that_cannot_be_read_is_a_problem),
        cmocka_unit_test(the_anchors_rank),
        cmocka_unit_test(a_question_that_is_self_marked_need_not_rank),
        cmocka_unit_test(every_text_that_is_graded_is_told),
        cmocka_unit_test(a_card_is_found_by_its_own_lines),
        cmocka_unit_test(a_sentence_is_made_up_that_a_line_finds),
        cmocka_unit_test(a_card_that_no_question_finds_is_a_problem),
        cmocka_unit_test(the_estimates_of_a_brief_hold_at_every_extreme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
