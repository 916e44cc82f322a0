#include "progress/plan.h"

#include <math.h>

#include "base/rng.h"
#include "bench.h"

enum { TODAY = 20000, MANY = 40 };

static struct plan_question question_of(const struct plan_item *items, int n)
{
    return (struct plan_question){.items = items,
                                  .n_items = n,
                                  .today = TODAY,
                                  .interview_day = DAY_NONE,
                                  .daily_minutes = 60,
                                  .retention = 0.9,
                                  .n_days = 60};
}

/* Seen `reviews` times, last `ago` days before today, due in `due` days. */
static struct review_memory seen(int reviews, int ago, int due, double stability)
{
    return (struct review_memory){.reviews = reviews,
                                  .memory = {stability, 5},
                                  .last_day = TODAY - ago,
                                  .due_day = TODAY + due};
}

static void nothing_to_do_is_an_empty_plan(void **state)
{
    (void)state;
    struct plan plan;
    const struct plan_question question = question_of(NULL, 0);
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 0);
    assert_int_equal(plan.n_days, 60);
    assert_null(plan.outlook);
    plan_done(&plan);
}

static void open_sittings_come_first_then_the_weakest_memory_then_one_new(void **state)
{
    (void)state;
    const struct plan_item items[] = {
        {.id = "drill/01", .minutes = 10, .weight = 1},
        {.id = "drill/02", .minutes = 10, .weight = 5},
        {.id = "drill/03", .minutes = 10, .weight = 1, .memory = seen(3, 10, -2, 8)},
        {.id = "drill/04", .minutes = 10, .weight = 9, .memory = seen(3, 10, -9, 1)},
        {.id = "drill/05", .minutes = 10, .weight = 9, .memory = seen(3, 1, 5, 6)},
        {.id = "drill/06", .minutes = 20, .state = PLAN_STATE_RUNNING, .minutes_left = 4},
        {.id = "drill/07",
         .minutes = 20,
         .state = PLAN_STATE_OVERTIME,
         .memory = seen(1, 9, -5, 2)},
    };
    struct plan plan;
    const struct plan_question question = question_of(items, 7);
    plan_make(&plan, &question);
    static const struct {
        int item;
        enum plan_reason reason;
    } expected[] = {
        {6, PLAN_FINISH}, {5, PLAN_FINISH}, {3, PLAN_REVIEW}, {2, PLAN_REVIEW}, {1, PLAN_NEW}};
    assert_int_equal(plan.n_today, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(plan.today[i].item, expected[i].item);
        assert_int_equal(plan.today[i].reason, expected[i].reason);
    }
    assert_true(plan.today[2].recall < plan.today[3].recall && plan.today[4].recall == -1);
    assert_int_equal(plan.minutes, 4 + 10 + 10 + 10);
    plan_done(&plan);
}

static void what_was_done_today_counts(void **state)
{
    (void)state;
    const struct plan_item items[] = {
        {.id = "drill/01", .minutes = 20, .weight = 1},
        {.id = "drill/02", .minutes = 20, .weight = 1, .memory = seen(2, 9, -1, 5)},
    };
    struct plan plan;
    struct plan_question question = question_of(items, 2);
    question.new_drills = 1;
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 1);
    assert_int_equal(plan.today[0].reason, PLAN_REVIEW);
    plan_done(&plan);
    question.minutes_done = 50;
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 0);
    assert_int_equal(plan.left_out, 1);
    plan_done(&plan);
}

static void a_drill_longer_than_the_day_is_still_possible(void **state)
{
    (void)state;
    const struct plan_item item = {.id = "drill/12", .minutes = 40, .weight = 1};
    struct plan plan;
    struct plan_question question = question_of(&item, 1);
    question.daily_minutes = 30;
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 1);
    plan_done(&plan);
}

static void random_items(struct plan_item *items, int n, struct rng *rng, char ids[][24])
{
    for (int i = 0; i < n; i++) {
        snprintf(ids[i], 24, "drill/%02d", i);
        items[i] = (struct plan_item){.id = ids[i],
                                      .minutes = (int)rng_between(rng, 5, 40),
                                      .weight = (double)rng_between(rng, 0, 5)};
        if (rng_below(rng, 2)) {
            const int ago = (int)rng_between(rng, 0, 30);
            const double stability = 0.5 + 20 * rng_uniform(rng);
            items[i].memory = seen((int)rng_between(rng, 1, 4), ago,
                                   fsrs_interval(&fsrs_default, stability, 0.9) - ago, stability);
        }
    }
}

static void no_day_has_two_new_drills_or_more_than_its_minutes(void **state)
{
    (void)state;
    const uint64_t seed = random_seed();
    struct rng rng;
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed, 0);
    for (int run = 0; run < 150; run++) {
        struct plan_item items[MANY];
        char ids[MANY][24];
        struct plan plan;
        const int n = (int)rng_between(&rng, 1, MANY);
        random_items(items, n, &rng, ids);
        struct plan_question question = question_of(items, n);
        question.daily_minutes = (int)rng_between(&rng, 20, 120);
        question.minutes_done = (int)rng_below(&rng, 30);
        if (rng_below(&rng, 2)) question.interview_day = TODAY + rng_below(&rng, 90);
        plan_make(&plan, &question);

        for (int d = 0; d < plan.n_days; d++) {
            const struct plan_day *day = &plan.days[d];
            const int done = d == 0 ? question.minutes_done : 0;
            assert_true(day->day == TODAY + d && day->fresh <= 1);
            if (day->reviews + day->fresh > 1 || done > 0) /* one alone may be longer than a day */
                assert_true(day->minutes == 0 || day->minutes + done <= question.daily_minutes);
        }
        int fresh = 0, minutes = 0;
        bool listed[MANY] = {false};
        for (int i = 0; i < plan.n_today; i++) {
            const struct plan_entry *entry = &plan.today[i];
            fresh += entry->reason == PLAN_NEW;
            minutes += entry->minutes;
            assert_false(listed[entry->item]);
            listed[entry->item] = true;
            assert_true((items[entry->item].memory.reviews == 0) == (entry->reason == PLAN_NEW));
        }
        assert_true(fresh <= 1 && minutes == plan.minutes && minutes == plan.days[0].minutes);
        plan_done(&plan);
    }
}

static void with_a_date_what_is_begun_is_seen_twice_before_it(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4, 0);
    int left_out = 0, fitted = 0;
    for (int run = 0; run < 150; run++) {
        struct plan_item items[MANY];
        char ids[MANY][24];
        struct plan plan;
        const int n = (int)rng_between(&rng, 1, 20);
        random_items(items, n, &rng, ids);
        struct plan_question question = question_of(items, n);
        question.interview_day = TODAY + rng_between(&rng, 1, 25);
        plan_make(&plan, &question);
        assert_int_equal(plan.n_outlook, n);
        for (int i = 0; i < n; i++) {
            const struct plan_outlook *outlook = &plan.outlook[i];
            const struct plan_item *item = &items[outlook->item];
            assert_true(outlook->fits == (outlook->sightings >= 2));
            if (i > 0) assert_true(items[plan.outlook[i - 1].item].weight >= item->weight);
            /* a new one is not begun in vain */
            if (item->memory.reviews == 0) assert_int_not_equal(outlook->sightings, 1);
            if (item->memory.reviews == 0 && outlook->sightings == 0)
                assert_true(outlook->recall == -1);
            else assert_true(outlook->recall > 0 && outlook->recall <= 1);
            left_out += !outlook->fits;
            fitted += outlook->fits;
        }
        plan_done(&plan);
    }
    assert_true(left_out > 20 && fitted > 20); /* both really happen */
}

static void the_heavier_of_two_equal_drills_gets_the_last_place(void **state)
{
    (void)state;
    /* Three days, one new a day, the second sighting on a later day: two fit at most. */
    const struct plan_item items[] = {
        {.id = "drill/01", .minutes = 20, .weight = 1},
        {.id = "drill/02", .minutes = 20, .weight = 3},
        {.id = "drill/03", .minutes = 20, .weight = 2},
    };
    struct plan plan;
    struct plan_question question = question_of(items, 3);
    question.interview_day = TODAY + 3;
    plan_make(&plan, &question);
    assert_int_equal(plan.today[0].item, 1);
    assert_int_equal(plan.outlook[0].item, 1);
    assert_true(plan.outlook[0].fits);
    assert_true(plan.outlook[1].fits);
    assert_int_equal(plan.outlook[2].item, 0);
    assert_false(plan.outlook[2].fits);
    plan_done(&plan);

    question.interview_day = TODAY; /* the day itself: nothing new any more */
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 0);
    plan_done(&plan);
    question.interview_day = TODAY - 1; /* passed: as if there were none */
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 1);
    assert_null(plan.outlook);
    plan_done(&plan);
}

static void what_was_seen_once_is_seen_again_before_the_date(void **state)
{
    (void)state;
    const struct plan_item item = {
        .id = "drill/01", .minutes = 20, .weight = 1, .memory = seen(1, 1, 30, 31)};
    struct plan plan;
    struct plan_question question = question_of(&item, 1);
    plan_make(&plan, &question);
    assert_int_equal(plan.days[30].reviews, 1);
    plan_done(&plan);
    question.interview_day = TODAY + 10;
    plan_make(&plan, &question);
    assert_int_equal(plan.days[9].reviews, 1); /* the last day before it */
    assert_true(plan.outlook[0].fits && plan.outlook[0].recall > 0.95);
    plan_done(&plan);
}

static void the_forecast_spreads_a_backlog_over_days(void **state)
{
    (void)state;
    struct plan_item items[12];
    static const char *const ids[] = {"drill/01", "drill/02", "drill/03", "drill/04",
                                      "drill/05", "drill/06", "drill/07", "drill/08",
                                      "drill/09", "drill/10", "drill/11", "drill/12"};
    for (int i = 0; i < 12; i++)
        items[i] = (struct plan_item){
            .id = ids[i], .minutes = 20, .weight = 1, .memory = seen(4, 40 + i, -20, 20)};
    struct plan plan;
    const struct plan_question question = question_of(items, 12);
    plan_make(&plan, &question);
    for (int d = 0; d < 4; d++) assert_int_equal(plan.days[d].reviews, 3);
    assert_int_equal(plan.days[0].backlog, 9);
    assert_int_equal(plan.days[4].reviews, 0);
    assert_int_equal(plan.left_out, 9);
    assert_int_equal(plan.today[0].item, 11); /* seen longest ago: weakest */
    plan_done(&plan);
}

/* A drill, a tree of two nodes and two cards, none seen. */
static void mixed_items(struct plan_item items[6])
{
    const struct plan_item all[] = {
        {.id = "drill/01", .kind = PLAN_DRILL, .minutes = 20, .weight = 1, .rounds = 2},
        {.id = "question/01/0", .kind = PLAN_TREE, .minutes = 30, .weight = 1, .rounds = 1},
        {.id = "question/01/1",
         .kind = PLAN_NODE,
         .tree = "question/01/0",
         .minutes = 3,
         .weight = 1,
         .rounds = 1},
        {.id = "question/01/2",
         .kind = PLAN_NODE,
         .tree = "question/01/0",
         .minutes = 3,
         .weight = 1,
         .rounds = 1},
        {.id = "card/a", .kind = PLAN_CARD, .minutes = 1, .weight = 1},
        {.id = "card/b", .kind = PLAN_CARD, .minutes = 1, .weight = 1},
    };
    memcpy(items, all, sizeof all);
}

static void one_new_drill_one_new_tree_and_cards_fill_the_rest(void **state)
{
    (void)state;
    struct plan_item items[6];
    struct plan plan;
    mixed_items(items);
    struct plan_question question = question_of(items, 6);
    question.daily_minutes = 51;
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 3);
    assert_int_equal(plan.today[0].item, 0);
    assert_int_equal(plan.today[1].item, 1);
    assert_int_equal(plan.today[2].item, 4);
    assert_int_equal(plan.days[0].fresh, 2);
    assert_int_equal(plan.days[0].cards, 1);
    assert_int_equal(plan.days[1].cards, 1);
    plan_done(&plan);

    items[1].weight = 2; /* the heavier one first */
    question.daily_minutes = 40;
    plan_make(&plan, &question);
    assert_int_equal(plan.today[0].item, 1);
    assert_int_equal(plan.today[1].item, 4);
    assert_int_equal(plan.days[0].fresh, 1);
    plan_done(&plan);

    question.new_trees = 1; /* no second tree today */
    plan_make(&plan, &question);
    assert_int_equal(plan.today[0].item, 0);
    assert_int_equal(plan.days[0].fresh, 1);
    plan_done(&plan);
}

static void between_equals_the_kind_of_which_less_was_begun_goes_first(void **state)
{
    (void)state;
    const struct plan_item items[] = {
        {.id = "drill/01", .minutes = 30, .weight = 1, .memory = seen(1, 1, 5, 5)},
        {.id = "drill/02", .minutes = 30, .weight = 1},
        {.id = "question/01/0", .kind = PLAN_TREE, .minutes = 30, .weight = 1},
    };
    struct plan plan;
    struct plan_question question = question_of(items, 3);
    question.daily_minutes = 30;
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 1);
    assert_int_equal(plan.today[0].item, 2);
    plan_done(&plan);
}

static void a_node_is_an_item_only_once_its_tree_asked_it(void **state)
{
    (void)state;
    struct plan_item items[6];
    struct plan plan;
    mixed_items(items);
    struct plan_question question = question_of(items, 6);
    question.new_trees = 1;
    question.interview_day = TODAY + 2; /* no tree is begun any more */
    plan_make(&plan, &question);
    for (int i = 0; i < plan.n_today; i++)
        assert_int_not_equal(items[plan.today[i].item].kind, PLAN_NODE);
    assert_int_equal(plan.n_outlook, 4); /* nor does it count as left out */
    assert_int_equal(plan.rounds[0].items, 1);
    plan_done(&plan);

    /* Begun today, the tree asks its nodes: all three are repeated when two days have gone by. */
    question.new_trees = 0;
    question.interview_day = DAY_NONE;
    plan_make(&plan, &question);
    assert_int_equal(plan.days[0].fresh, 2);
    assert_int_equal(plan.days[1].reviews, 0);
    assert_true(plan.days[2].reviews >= 2);
    plan_done(&plan);

    /* Asked once, it is repeated by itself. */
    items[1].memory = seen(3, 1, 20, 21);
    items[2].memory = seen(1, 3, -1, 2);
    plan_make(&plan, &question);
    assert_int_equal(plan.today[0].item, 2);
    assert_int_equal(plan.today[0].reason, PLAN_REVIEW);
    assert_int_equal(plan.today[0].minutes, 3);
    plan_done(&plan);
}

static void a_tree_comes_back_with_a_node_never_asked(void **state)
{
    (void)state;
    struct plan_item items[6];
    struct plan plan;
    mixed_items(items);
    items[1].again = 11;
    items[1].memory = seen(1, 3, -1, 2);
    items[2].memory = seen(1, 0, 40, 40);
    struct plan_question question = question_of(items, 6);
    question.daily_minutes = 11; /* nothing else today */
    plan_make(&plan, &question);
    assert_int_equal(plan.n_today, 1);
    assert_int_equal(plan.today[0].item, 1);
    assert_int_equal(plan.today[0].minutes, 11);
    /* node 2 was asked with it: two days later it is due, first seen as it is */
    assert_int_equal(plan.days[1].reviews, 0);
    assert_int_equal(plan.days[2].reviews, 1);
    plan_done(&plan);
}

static void recall_on_the_date_is_said_per_round(void **state)
{
    (void)state;
    struct plan_item items[6];
    struct plan plan;
    mixed_items(items);
    items[0].memory = seen(1, 2, 5, 7); /* of round 1 alone */
    struct plan_question question = question_of(items, 6);
    question.interview_day = TODAY + 14;
    plan_make(&plan, &question);
    const struct plan_recall *words = &plan.rounds[0], *code = &plan.rounds[1];
    assert_true(words->items == 1 && words->seen == 0 && words->recall == -1);
    assert_true(words->seen_kept == 1 && words->recall_kept > 0.9);
    assert_true(code->items == 1 && code->seen == 1 && code->seen_kept == 1);
    assert_true(fabs(code->recall - fsrs_recall(&fsrs_default, 7, 16)) < 1e-12);
    assert_true(code->recall_kept > code->recall);
    assert_int_equal(plan.rounds[2].items, 0);
    plan_done(&plan);
}

static void the_database_fills_an_item(void **state)
{
    struct bench *bench = *state;
    struct plan_item item = {.id = "drill/01", .minutes = 20, .weight = 1};
    struct plan_done_today done;
    assert_int_equal(plan_item_read(&item, bench->progress, 0.9, NULL), STATUS_OK);
    assert_int_equal(item.state, PLAN_STATE_IDLE);
    assert_int_equal(item.memory.reviews, 0);

    const char *sitting = bench_sit(bench, "01", false, 1.0);
    bench->clock.now_ms += 5 * MINUTE + 1000;
    assert_int_equal(plan_item_read(&item, bench->progress, 0.9, NULL), STATUS_OK);
    assert_int_equal(item.state, PLAN_STATE_RUNNING);
    assert_int_equal(item.minutes_left, 15);
    assert_int_equal(plan_done_today(&done, bench->progress, day_of(NOON), NULL), STATUS_OK);
    assert_int_equal(done.minutes, 5);
    assert_int_equal(done.new_drills, 1);
    bench->clock.now_ms += 16 * MINUTE;
    assert_int_equal(plan_item_read(&item, bench->progress, 0.9, NULL), STATUS_OK);
    assert_int_equal(item.state, PLAN_STATE_OVERTIME);
    bench_submit(bench, sitting, ATTEMPT_PASS);
    assert_int_equal(plan_item_read(&item, bench->progress, 0.9, NULL), STATUS_OK);
    assert_int_equal(item.state, PLAN_STATE_IDLE);
    assert_int_equal(item.memory.reviews, 1);
    assert_true(item.memory.due_day == day_of(NOON) + 1); /* Hard: S 1.29 */
    bench->clock.now_ms += DAY;
    assert_int_equal(plan_done_today(&done, bench->progress, day_of(NOON) + 1, NULL), STATUS_OK);
    assert_int_equal(done.minutes, 0);
    assert_int_equal(done.new_drills, 0);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do_is_an_empty_plan),
        cmocka_unit_test(open_sittings_come_first_then_the_weakest_memory_then_one_new),
        cmocka_unit_test(what_was_done_today_counts),
        cmocka_unit_test(a_drill_longer_than_the_day_is_still_possible),
        cmocka_unit_test(no_day_has_two_new_drills_or_more_than_its_minutes),
        cmocka_unit_test(with_a_date_what_is_begun_is_seen_twice_before_it),
        cmocka_unit_test(the_heavier_of_two_equal_drills_gets_the_last_place),
        cmocka_unit_test(what_was_seen_once_is_seen_again_before_the_date),
        cmocka_unit_test(the_forecast_spreads_a_backlog_over_days),
        cmocka_unit_test(one_new_drill_one_new_tree_and_cards_fill_the_rest),
        cmocka_unit_test(between_equals_the_kind_of_which_less_was_begun_goes_first),
        cmocka_unit_test(a_node_is_an_item_only_once_its_tree_asked_it),
        cmocka_unit_test(a_tree_comes_back_with_a_node_never_asked),
        cmocka_unit_test(recall_on_the_date_is_said_per_round),
        TEST(the_database_fills_an_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
