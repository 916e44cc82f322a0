#include "rounds/study.h"

#include <math.h>

#include "../progress/bench.h"
#include "rounds/packet.h"

static struct library library;
static struct drills drills;

static int load(void **state)
{
    struct error err = {0};
    (void)state;
    if (library_load(&library, SOURCE_ROOT "/content", &err) ||
        drills_load(&drills, SOURCE_ROOT "/labs", &err))
        fail_msg("%s", err.message);
    return 0;
}

static int release(void **state)
{
    (void)state;
    library_done(&library);
    drills_done(&drills);
    return 0;
}

static void read_study(struct study *study, struct bench *bench)
{
    struct error err = {0};
    if (study_read(study, &library, &drills, bench->progress, 0.9, &err))
        fail_msg("%s", err.message);
}

static int place_of(const struct study *study, const char *id)
{
    for (int i = 0; i < study->n; i++)
        if (strcmp(study->items[i].id, id) == 0) return i;
    fail_msg("no item %s", id);
    return -1;
}

static int place_of_round(const char *name)
{
    int place = 0;
    while (strcmp(round_kinds[place].name, name) != 0) place++;
    return place;
}

/* The whole content can be planned and remembered: the plan aborts on a wrong question. */
static void every_item_of_the_content_can_be_planned_and_remembered(void **state)
{
    struct bench *bench = *state;
    struct study study;
    struct plan plan;
    read_study(&study, bench);
    assert_true(study.n > 100 && study.n_drills == drills.n_drills);
    for (int i = 0; i < study.n; i++) {
        const struct plan_item *item = &study.items[i];
        assert_true(strlen(item->id) < ITEM_SIZE);
        assert_int_equal(strspn(item->id, "abcdefghijklmnopqrstuvwxyz0123456789/-"),
                         strlen(item->id));
        for (int j = 0; j < i; j++) assert_string_not_equal(item->id, study.items[j].id);
        if (item->kind != PLAN_CARD) assert_true(item->rounds != 0);
        assert_true((item->kind == PLAN_DRILL) == (i < study.n_drills));
    }
    const struct plan_question question = {.items = study.items,
                                           .n_items = study.n,
                                           .today = day_of(NOON),
                                           .interview_day = day_of(NOON) + 21,
                                           .daily_minutes = 60,
                                           .retention = 0.9,
                                           .n_days = 7};
    plan_make(&plan, &question);
    assert_true(plan.n_today > 0);
    plan_done(&plan);
    study_done(&study);
}

static void a_question_comes_back_with_a_follow_up_never_asked(void **state)
{
    struct bench *bench = *state;
    struct study study;
    read_study(&study, bench);
    const struct question *question = library_question(&library, "question/01");
    int tree = place_of(&study, "question/01/0");
    assert_int_equal(study.items[tree].kind, PLAN_TREE);
    assert_int_equal(study.items[tree].minutes, question->minutes);
    assert_int_equal(study.items[tree].again,
                     question->nodes[0].minutes + question->nodes[1].minutes);
    assert_int_equal(study_follow_up(&study, tree), tree + 1);
    study_done(&study);

    /* The first two were asked: the third is next. */
    char item[80];
    for (int i = 1; i <= 2; i++)
        assert_int_equal(review_keep(bench->progress,
                                     library_item(item, "question/01", question->nodes[i].id), NOON,
                                     RATING_GOOD, NULL),
                         STATUS_OK);
    read_study(&study, bench);
    tree = place_of(&study, "question/01/0");
    assert_int_equal(study_follow_up(&study, tree), tree + 3);
    assert_int_equal(study.items[tree + 1].memory.reviews, 1);
    assert_int_equal(study_new_trees(&study, day_of(NOON)), 0);
    study_done(&study);
    for (int i = 0; i < 2; i++) /* one tree, asked today and again tomorrow */
        assert_int_equal(
            review_keep(bench->progress, "question/01/0", NOON + i * DAY, RATING_GOOD, NULL),
            STATUS_OK);
    read_study(&study, bench);
    assert_int_equal(study_new_trees(&study, day_of(NOON)), 1);
    assert_int_equal(study_new_trees(&study, day_of(NOON) + 1), 0);
    study_done(&study);
}

static void the_halves_of_the_phone_round_weigh_the_same(void **state)
{
    struct bench *bench = *state;
    struct readiness before, after;
    const int phone = place_of_round("phone");
    const int64_t day = day_of(NOON);
    int n_skills, n_drills = 0;
    for (int i = 0; i < drills.n_drills; i++)
        for (unsigned j = 0; j < drills.drills[i]->rounds_count; j++)
            n_drills += strcmp(drills.drills[i]->rounds[j], "phone") == 0;
    assert_int_equal(
        study_readiness(&before, &n_skills, phone, &library, &drills, bench->progress, day, NULL),
        STATUS_OK);
    assert_true(n_skills > n_drills && n_skills != 2 * n_drills);
    assert_true(before.n_tried == 0 && fabs(before.mean - 0.5) < 1e-12);

    /* One drill passed in an exam: its p goes from 1/2 to 2/3, for one n-th of half the round. */
    const char *drill = NULL;
    for (int i = 0; i < drills.n_drills && !drill; i++)
        for (unsigned j = 0; j < drills.drills[i]->rounds_count; j++)
            if (strcmp(drills.drills[i]->rounds[j], "phone") == 0) drill = drills.drills[i]->number;
    bench_submit(bench, bench_sit(bench, drill, true, 1.0), ATTEMPT_PASS);
    assert_int_equal(
        study_readiness(&after, &n_skills, phone, &library, &drills, bench->progress, day, NULL),
        STATUS_OK);
    assert_int_equal(after.n_tried, 1);
    assert_true(fabs(after.mean - before.mean - (2.0 / 3 - 0.5) / (2 * n_drills)) < 1e-12);
}

static void a_round_without_content_is_at_the_prior(void **state)
{
    struct bench *bench = *state;
    const struct library nothing = {0};
    const struct drills none = {0};
    struct readiness readiness;
    int n_skills;
    assert_int_equal(
        study_readiness(&readiness, &n_skills, 0, &nothing, &none, bench->progress, 1, NULL),
        STATUS_OK);
    assert_true(n_skills == 0 && readiness.n_tried == 0);
    assert_true(fabs(readiness.mean - 0.5) < 1e-12 && readiness.low < 0.1 && readiness.high > 0.9);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_item_of_the_content_can_be_planned_and_remembered),
        TEST(a_question_comes_back_with_a_follow_up_never_asked),
        TEST(the_halves_of_the_phone_round_weigh_the_same),
        TEST(a_round_without_content_is_at_the_prior),
    };
    return cmocka_run_group_tests(tests, load, release);
}
