#include "rounds/walk.h"

#include "stage.h"

/* What was said so far, without a database: the walk is pure. */
struct said {
    struct answer answers[16];
    int n;
};

static const char *next(const struct said *said, const char *round_name, const char *item,
                        int64_t seed, int place)
{
    struct round round = {.seed = seed};
    struct step step = {.place = place};
    snprintf(round.name, sizeof round.name, "%s", round_name);
    snprintf(step.item, sizeof step.item, "%s", item);
    const struct question_node *node =
        walk_next(&stage_library, &round, &step, said->answers, said->n);
    return node ? node->id : NULL;
}

static void say(struct said *said, const char *item, double score, const char *result)
{
    struct answer *answer = &said->answers[said->n];
    *answer = (struct answer){
        .place = said->n, .score = score, .result = (char *)(result ? result : "{}")};
    snprintf(answer->item, sizeof answer->item, "%s", item);
    said->n++;
}

#define MISSED(name) "{\"items\":[{\"name\":\"" name "\",\"verdict\":\"not-found\"}]}"

static const char *next01(const struct said *said)
{
    return next(said, "ask", "question/01", 1, 0);
}

static void the_branch_whose_item_was_missed_is_asked_first(void **state)
{
    (void)state;
    struct said said = {.n = 0};
    assert_string_equal(next01(&said), "0");
    say(&said, "question/01/0", 0.5, MISSED("beta"));
    assert_string_equal(next01(&said), "2");
    said.answers[0].result = (char *)MISSED("gamma"); /* no branch asks after it */
    assert_string_equal(next01(&said), "1");
    said.answers[0].result =
        (char *)"{\"items\":[{\"name\":\"beta\",\"verdict\":\"contradicted\"}]}";
    assert_string_equal(next01(&said), "2"); /* worse than missed */
    said.answers[0].result = (char *)"{\"items\":[{\"name\":\"beta\",\"verdict\":\"found\"}]}";
    assert_string_equal(next01(&said), "1");
    said.answers[0].result = (char *)"{\"items\":[{},7,{\"name\":1}], not JSON";
    assert_string_equal(next01(&said), "1");
}

static void half_is_enough_to_go_deeper_less_is_not(void **state)
{
    (void)state;
    struct said said = {.n = 0};
    say(&said, "question/01/0", 0.5, NULL);
    say(&said, "question/01/1", 0.5, NULL);
    assert_string_equal(next01(&said), "1.1");
    said.answers[1].score = 0.49;
    assert_string_equal(next01(&said), "2");
    said.answers[1].score = -1; /* not scored */
    assert_string_equal(next01(&said), "2");
}

static void at_the_end_of_a_branch_the_next_one_follows(void **state)
{
    (void)state;
    struct said said = {.n = 0};
    say(&said, "question/01/0", 1, NULL);
    say(&said, "question/01/1", 1, NULL);
    say(&said, "question/01/1-1", 1, NULL);
    assert_string_equal(next01(&said), "1.1.1");
    say(&said, "question/01/1-1-1", 1, NULL);
    assert_string_equal(next01(&said), "2");
}

static void five_questions_are_the_most(void **state)
{
    (void)state;
    struct said said = {.n = 0};
    static const char *const items[] = {"question/01/0", "question/01/1", "question/01/1-1",
                                        "question/01/2", "question/01/3"};
    for (int i = 0; i < 5; i++) {
        assert_non_null(next01(&said));
        say(&said, items[i], 0, NULL);
    }
    assert_int_equal(said.n, WALK_TREE_LIMIT);
    assert_null(next01(&said));
}

static void a_tree_that_is_used_up_ends(void **state)
{
    (void)state;
    struct said said = {.n = 0};
    say(&said, "question/02/0", 0, NULL);
    assert_string_equal(next(&said, "ask", "question/02", 1, 0), "1");
    say(&said, "question/02/1", 0, NULL);
    assert_null(next(&said, "ask", "question/02", 1, 0));
    assert_null(next(&said, "ask", "question/none", 1, 0));
}

static void a_node_is_asked_once_in_its_own_step(void **state)
{
    (void)state;
    struct said said = {.n = 0};
    assert_string_equal(next(&said, "systems", "brief/1/failure-1", 1, 3), "failure-1");
    say(&said, "brief/1/failure-1", 0, NULL);
    said.answers[0].step = 3;
    assert_null(next(&said, "systems", "brief/1/failure-1", 1, 3));
    assert_string_equal(next(&said, "manager", "question/manager-weak-point/0", 1, 1), "0");

    /* what was presented in one step is not asked again in the other */
    said.n = 0;
    say(&said, "question/research/0", 1, NULL);
    assert_string_equal(next(&said, "research", "question/research", 1, 1), "1");
}

static void a_story_gets_two_probes_by_the_seed_and_all_at_rehearsal(void **state)
{
    (void)state;
    bool seen[6] = {false};
    for (int64_t seed = 0; seed < 60; seed++) {
        struct said said = {.n = 0};
        char first[8] = "";
        assert_string_equal(next(&said, "behavioral", "story/02", seed, 0), "0");
        say(&said, "story/02/0", 1, NULL);
        for (int i = 0; i < WALK_PROBES; i++) {
            char item[STEP_ITEM_SIZE];
            const char *id = next(&said, "behavioral", "story/02", seed, 0);
            assert_non_null(id);
            assert_string_not_equal(id, first);
            assert_string_equal(id, next(&said, "behavioral", "story/02", seed, 0)); /* the same */
            snprintf(first, sizeof first, "%s", id);
            seen[id[0] - '0'] = true;
            say(&said, library_item(item, "story/02", id), 0, NULL);
        }
        assert_null(next(&said, "behavioral", "story/02", seed, 0));
    }
    for (int i = 1; i < 6; i++) assert_true(seen[i]);

    struct said said = {.n = 0};
    say(&said, "story/02/0", 1, NULL);
    for (int i = 0; i < 5; i++) {
        char item[STEP_ITEM_SIZE];
        const char *id = next(&said, "story", "story/02", 3, 0);
        assert_non_null(id);
        say(&said, library_item(item, "story/02", id), 0, NULL);
    }
    assert_null(next(&said, "story", "story/02", 3, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_branch_whose_item_was_missed_is_asked_first),
        cmocka_unit_test(half_is_enough_to_go_deeper_less_is_not),
        cmocka_unit_test(at_the_end_of_a_branch_the_next_one_follows),
        cmocka_unit_test(five_questions_are_the_most),
        cmocka_unit_test(a_tree_that_is_used_up_ends),
        cmocka_unit_test(a_node_is_asked_once_in_its_own_step),
        cmocka_unit_test(a_story_gets_two_probes_by_the_seed_and_all_at_rehearsal),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
