#include "progress/readiness.h"

#include <math.h>

#include "bench.h"

static void an_empty_history_is_wide_however_many_skills(void **state)
{
    (void)state;
    for (int n = 1; n <= 12; n += 11) {
        struct readiness_skill skills[12];
        for (int i = 0; i < n; i++) skills[i] = (struct readiness_skill){.weight = 1 + i};
        const struct readiness got = readiness_of(skills, n, READINESS_SEED);
        assert_int_equal(got.n_tried, 0);
        assert_true(fabs(got.mean - 0.5) < 1e-12);
        /* the quantiles of one uniform: 0.05 and 0.95, 3 standard errors of 2,000 draws */
        assert_true(fabs(got.low - 0.05) < 0.015 && fabs(got.high - 0.95) < 0.015);
    }
}

static void the_draws_are_those_of_the_beta_distribution(void **state)
{
    (void)state;
    /* Beta(9, 1): distribution function x^9, so its quantiles are known */
    const struct readiness_skill sure = {.weight = 1, .recall = 1, .passes = 8};
    struct readiness got = readiness_of(&sure, 1, READINESS_SEED);
    assert_true(fabs(got.mean - 0.9) < 1e-12);
    assert_true(fabs(got.low - pow(0.05, 1.0 / 9)) < 0.02);
    assert_true(fabs(got.high - pow(0.95, 1.0 / 9)) < 0.005);

    /* Beta(3, 3): symmetric; 5 % below 0.1893 */
    const struct readiness_skill half = {.weight = 1, .recall = 1, .passes = 2, .fails = 2};
    got = readiness_of(&half, 1, READINESS_SEED);
    assert_true(fabs(got.low - 0.1893) < 0.02 && fabs(got.high - 0.8107) < 0.02);
}

static void it_is_deterministic_and_moves_the_right_way(void **state)
{
    (void)state;
    struct readiness_skill skills[3] = {
        {.weight = 2, .recall = 0.9, .passes = 1, .fails = 0.5},
        {.weight = 1, .recall = 0.7, .fails = 1},
        {.weight = 1},
    };
    const struct readiness first = readiness_of(skills, 3, READINESS_SEED);
    const struct readiness again = readiness_of(skills, 3, READINESS_SEED);
    assert_true(first.mean == again.mean && first.low == again.low && first.high == again.high);
    assert_int_equal(first.n_tried, 2);
    assert_true(first.low < first.mean && first.mean < first.high);
    /* exact mean: (2*0.9*2/3.5 + 0.7*1/3 + 0.5) / 4 */
    assert_true(fabs(first.mean - (2 * 0.9 * 2 / 3.5 + 0.7 / 3 + 0.5) / 4) < 1e-12);

    skills[0].passes += 3;
    const struct readiness better = readiness_of(skills, 3, READINESS_SEED);
    assert_true(better.mean > first.mean && better.high - better.low < first.high - first.low);
    skills[0].recall = 0.5;
    assert_true(readiness_of(skills, 3, READINESS_SEED).mean < better.mean);
    for (int i = 0; i < 3; i++) skills[i].weight *= 10; /* proportions only */
    skills[0].recall = 0.9;
    const struct readiness scaled = readiness_of(skills, 3, READINESS_SEED);
    assert_true(fabs(scaled.low - better.low) < 1e-9);
}

static void evidence_weighs_exams_practice_and_hints(void **state)
{
    struct bench *bench = *state;
    struct readiness_skill skill = {.weight = 3};
    int hints;
    const int64_t day = day_of(NOON);
    assert_int_equal(readiness_evidence(&skill, bench->progress, "drill/01", day, NULL), STATUS_OK);
    assert_true(skill.passes == 0 && skill.fails == 0 && skill.weight == 3);

    bench_submit(bench, bench_sit(bench, "01", true, 1.0), ATTEMPT_PASS);  /* 1 */
    bench_submit(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_PASS); /* 1/2 */
    const char *sitting = bench_sit(bench, "01", false, 1.0);
    assert_int_equal(sitting_hint(bench->progress, sitting, &hints, NULL), STATUS_OK);
    bench_submit(bench, sitting, ATTEMPT_PASS); /* 1/4 */
    sitting = bench_sit(bench, "01", false, 1.0);
    assert_int_equal(sitting_give_up(bench->progress, sitting, NULL), STATUS_OK); /* fails: 1/2 */
    sitting = bench_sit(bench, "01", true, 1.0);
    bench->clock.now_ms += HOUR;
    assert_true(bench_no_snapshot(bench, sitting));                        /* fails: 1 */
    bench_submit(bench, bench_sit(bench, "01", false, 0.5), ATTEMPT_PASS); /* rehearsal: nothing */

    assert_int_equal(readiness_evidence(&skill, bench->progress, "drill/01", day + 10, NULL),
                     STATUS_OK);
    assert_true(skill.passes == 1.75 && skill.fails == 1.5);
    assert_true(skill.recall > 0.3 && skill.recall < 1.0);
}

/* An answer in words, as a round leaves it. */
static void answer(struct bench *bench, const char *item, double score, bool exam, double factor)
{
    static int n;
    struct error err = {0};
    char *sql = text_printf(
        "INSERT INTO round (id, place, name, content, exam, time_factor, seed, lane, language,"
        " created_ms, started_ms, ended_ms, state) VALUES ('%036x', 0, 'ask', '', %d, %g, 0, 'c',"
        " 'en', 1, 1, 1, 'done');"
        "INSERT INTO step VALUES ('%036x', 0, 'question', 'words', '%s', 30, 1, 2, 0, 2, NULL);"
        "INSERT INTO answer VALUES ('%036x', '%036x', 0, 0, '%s', 'why', 'so', 1, %lld, 0, %s,"
        " '{}', NULL)",
        n + 1, exam, factor, n + 1, item, n + 1, n + 1, item, (long long)NOON, "%s");
    char number[32];
    snprintf(number, sizeof number, "%g", score);
    char *whole = text_printf(sql, score < 0 ? "NULL" : number);
    if (database_execute(bench->progress->database, whole, &err)) fail_msg("%s", err.message);
    free(whole);
    free(sql);
    n++;
    if (score >= 0 && factor >= 1)
        assert_int_equal(review_keep(bench->progress, item, NOON, RATING_GOOD, NULL), STATUS_OK);
}

static void answers_in_words_are_evidence_for_their_question(void **state)
{
    struct bench *bench = *state;
    struct readiness_skill skill = {.weight = 1};
    const int64_t day = day_of(NOON);
    answer(bench, "question/01/0", 0.6, true, 1.0);    /* passes: 1 */
    answer(bench, "question/01/1-1", 0.9, false, 1.0); /* passes: 1/2 */
    answer(bench, "question/01/2", 0.59, false, 1.0);  /* fails: 1/2 */
    answer(bench, "question/01/3", 0.9, true, 0.5);    /* a rehearsal */
    answer(bench, "question/01/4", -1, true, 1.0);     /* marked by the candidate */
    answer(bench, "question/011/0", 0.1, true, 1.0);   /* another question */
    assert_int_equal(readiness_evidence(&skill, bench->progress, "question/01", day, NULL),
                     STATUS_OK);
    assert_true(skill.passes == 1.5 && skill.fails == 0.5);
    assert_true(skill.recall == 1.0);
    assert_int_equal(readiness_evidence(&skill, bench->progress, "question/01", day + 9, NULL),
                     STATUS_OK);
    assert_true(skill.recall > 0.5 && skill.recall < 0.9);
    assert_int_equal(readiness_evidence(&skill, bench->progress, "question/02", day, NULL),
                     STATUS_OK);
    assert_true(skill.passes == 0 && skill.fails == 0);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_history_is_wide_however_many_skills),
        cmocka_unit_test(the_draws_are_those_of_the_beta_distribution),
        cmocka_unit_test(it_is_deterministic_and_moves_the_right_way),
        TEST(evidence_weighs_exams_practice_and_hints),
        TEST(answers_in_words_are_evidence_for_their_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
