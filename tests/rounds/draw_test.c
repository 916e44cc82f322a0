#include "rounds/draw.h"

#include "stage.h"

/* Drills by number and minutes; the draw looks at nothing else. */
static struct drill drill_list[4] = {{.number = "01", .minutes = 30},
                                     {.number = "02", .minutes = 25},
                                     {.number = "03", .minutes = 40},
                                     {.number = "04", .minutes = 60}};
static struct drill *drill_pointers[] = {&drill_list[0], &drill_list[1], &drill_list[2],
                                         &drill_list[3]};
static const struct drills drills = {.drills = drill_pointers, .n_drills = 4};

struct drawn {
    struct step steps[ROUND_STEP_LIMIT];
    int n;
};

static enum status draw_from(struct drawn *drawn, struct bench *bench, const char *name,
                             const char *content, int64_t seed, const struct drills *from,
                             struct error *err)
{
    struct round round = {.seed = seed};
    snprintf(round.name, sizeof round.name, "%s", name);
    snprintf(round.content, sizeof round.content, "%s", content);
    return round_draw(drawn->steps, &drawn->n, &round, &stage_library, from, bench->progress, err);
}

static struct drawn draw(struct bench *bench, const char *name, const char *content, int64_t seed)
{
    struct drawn drawn;
    struct error err = {0};
    if (draw_from(&drawn, bench, name, content, seed, &drills, &err)) fail_msg("%s", err.message);
    return drawn;
}

static int minutes_of(const struct drawn *drawn)
{
    int minutes = 0;
    for (int i = 0; i < drawn->n; i++) minutes += drawn->steps[i].minutes;
    return minutes;
}

/* An item was begun `times` times before. */
static void practise(struct bench *bench, const char *item, int times)
{
    for (int i = 0; i < times; i++) {
        struct step step;
        struct round round = stage_run(bench, false, 1.0, STEP_WORDS, item, &step);
        assert_int_equal(round_end(&round, bench->progress, ROUND_DONE, NULL), STATUS_OK);
    }
}

static void every_round_has_its_phases_and_minutes(void **state)
{
    struct bench *bench = *state;
    struct drawn drawn = draw(bench, "phone", "", 1);
    assert_int_equal(drawn.n, 2);
    assert_int_equal(drawn.steps[0].kind, STEP_WORDS);
    assert_int_equal(drawn.steps[1].kind, STEP_DRILL);
    assert_int_equal(drawn.steps[0].minutes, 30);
    assert_int_equal(drawn.steps[1].minutes, 30);

    drawn = draw(bench, "systems", "", 1);
    static const char *const phases[] = {"clarify",   "estimate",  "architecture",
                                         "deep-dive", "failure-1", "failure-2"};
    assert_int_equal(drawn.n, 6);
    for (int i = 0; i < 6; i++) assert_string_equal(drawn.steps[i].phase, phases[i]);
    assert_int_equal(drawn.steps[0].kind, STEP_CARDS);
    assert_int_equal(drawn.steps[1].kind, STEP_WORKSHEET);
    assert_string_equal(drawn.steps[4].item, "brief/1/failure-1");
    assert_int_equal(minutes_of(&drawn), 60);

    drawn = draw(bench, "paper", "", 1);
    assert_int_equal(drawn.n, 9);
    assert_string_equal(drawn.steps[0].item, "paper/one/claim"); /* the cold one has no answer */
    drawn = draw(bench, "paper", "paper/cold", 1);
    assert_string_equal(drawn.steps[8].item, "paper/cold/oral-3");

    drawn = draw(bench, "research", "", 1);
    assert_int_equal(minutes_of(&drawn), 90);
    drawn = draw(bench, "behavioral", "", 1);
    assert_int_equal(drawn.n, 5); /* two on values, three stories, in turn */
    for (int i = 0; i < 5; i++)
        assert_string_equal(drawn.steps[i].phase, i == 0 || i == 2 ? "values" : "story");
    drawn = draw(bench, "manager", "", 1);
    assert_int_equal(drawn.n, 4);
    assert_string_equal(drawn.steps[2].phase, "weak-3");
    assert_string_equal(drawn.steps[3].item, "question/build");
    assert_int_equal(minutes_of(&drawn), 45); /* the clock is the round's */
    for (int i = 0; i < drawn.n; i++) assert_true(drawn.steps[i].minutes > 0);
    drawn = draw(bench, "recruiter", "", 1);
    assert_int_equal(drawn.n, 1);
    for (int i = 0; i < drawn.n; i++) assert_int_equal(drawn.steps[i].place, i);
}

static void a_round_does_not_ask_for_the_same_story_twice(void **state)
{
    struct bench *bench = *state;
    for (int64_t seed = 0; seed < 20;
         seed++) { /* value-one is always asked; story 04 is its twin */
        struct drawn drawn = draw(bench, "behavioral", "", seed);
        for (int i = 0; i < drawn.n; i++) assert_string_not_equal(drawn.steps[i].item, "story/04");
    }
}

static void what_was_answered_least_comes_first(void **state)
{
    struct bench *bench = *state;
    practise(bench, "question/01", 2);
    practise(bench, "question/03", 2);
    for (int64_t seed = 0; seed < 20; seed++)
        assert_string_equal(draw(bench, "ask", "", seed).steps[0].item, "question/02");
    practise(bench, "question/02", 3);
    for (int64_t seed = 0; seed < 20; seed++)
        assert_string_not_equal(draw(bench, "ask", "", seed).steps[0].item, "question/02");

    (void)bench_sit(bench, "02", false, 1.0); /* a sitting of a drill counts as practice of it */
    for (int64_t seed = 0; seed < 20; seed++)
        assert_string_equal(draw(bench, "phone", "", seed).steps[1].item, "drill/01");
}

static void the_seed_decides_between_equals_and_repeats(void **state)
{
    struct bench *bench = *state;
    bool seen[4] = {false};
    for (int64_t seed = 0; seed < 40; seed++) {
        const struct drawn once = draw(bench, "ask", "", seed),
                           twice = draw(bench, "ask", "", seed);
        assert_string_equal(once.steps[0].item, twice.steps[0].item);
        seen[atoi(once.steps[0].item + strlen("question/"))] = true;
    }
    assert_true(seen[1] && seen[2] && seen[3]); /* values and the rounds' own sets never */
}

static void a_wish_is_granted_by_number_or_name(void **state)
{
    struct bench *bench = *state;
    practise(bench, "question/01", 3);
    assert_string_equal(draw(bench, "ask", "question/01", 1).steps[0].item, "question/01");
    assert_string_equal(draw(bench, "ask", "question/tree", 1).steps[0].item, "question/01");
    assert_int_equal(draw(bench, "ask", "question/02", 1).steps[0].minutes, 10);
    assert_string_equal(draw(bench, "story", "story/03", 1).steps[0].item, "story/03");
}

static void coding_fills_the_hour_with_at_most_two_drills(void **state)
{
    struct bench *bench = *state;
    for (int64_t seed = 0; seed < 40; seed++) {
        const struct drawn drawn = draw(bench, "coding", "", seed);
        assert_true(drawn.n >= 1 && drawn.n <= 2);
        assert_true(minutes_of(&drawn) <= 60);
        if (drawn.n == 2) assert_string_not_equal(drawn.steps[0].item, drawn.steps[1].item);
        if (drawn.n == 1) assert_true(drawn.steps[0].minutes >= 40);
    }
}

static void where_nothing_fits_it_is_said(void **state)
{
    struct bench *bench = *state;
    struct drawn drawn;
    struct error err = {0};
    const struct drills none = {.n_drills = 0},
                        long_ones = {.drills = drill_pointers + 2, .n_drills = 2};
    assert_int_equal(draw_from(&drawn, bench, "phone", "", 1, &none, &err), STATUS_NOT_FOUND);
    assert_int_equal(draw_from(&drawn, bench, "phone", "", 1, &long_ones, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "drill"));
    assert_int_equal(drawn.n, 0);
    assert_int_equal(draw_from(&drawn, bench, "ask", "question/99", 1, &drills, &err),
                     STATUS_NOT_FOUND);
    assert_int_equal(draw_from(&drawn, bench, "systems", "brief/9", 1, &drills, &err),
                     STATUS_NOT_FOUND);
    assert_int_equal(draw_from(&drawn, bench, "paper", "paper/none", 1, &drills, &err),
                     STATUS_NOT_FOUND);
    assert_int_equal(draw_from(&drawn, bench, "story", "", 1, &drills, &err), STATUS_NOT_FOUND);
    assert_int_equal(draw_from(&drawn, bench, "lunch", "", 1, &drills, &err), STATUS_NOT_FOUND);
}

static void phases_have_names_and_unknown_ones_their_own(void **state)
{
    (void)state;
    assert_string_equal(phase_title("deep-dive"), "deep dive");
    assert_string_equal(phase_title("phone"), "Phone screen");
    assert_string_equal(phase_title("pitch"), "pitch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(every_round_has_its_phases_and_minutes),
        STAGE_TEST(a_round_does_not_ask_for_the_same_story_twice),
        STAGE_TEST(what_was_answered_least_comes_first),
        STAGE_TEST(the_seed_decides_between_equals_and_repeats),
        STAGE_TEST(a_wish_is_granted_by_number_or_name),
        STAGE_TEST(coding_fills_the_hour_with_at_most_two_drills),
        STAGE_TEST(where_nothing_fits_it_is_said),
        STAGE_TEST(phases_have_names_and_unknown_ones_their_own),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
