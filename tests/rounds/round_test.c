#include "rounds/round.h"

#include <math.h>

#include "base/rng.h"
#include "stage.h"

static int64_t now_of(struct bench *bench) { return bench->clock.now_ms; }

static struct step_time time_of(struct bench *bench, const struct round *round)
{
    const struct step step = stage_step(bench, round, 0);
    return step_time(&step, round, now_of(bench));
}

/* ---- clocks ---- */

static void a_clock_is_its_moments_and_survives_the_process(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    assert_int_equal(step.deadline_ms, NOON + 10 * MINUTE);
    bench->clock.now_ms += 4 * MINUTE;
    bench_reopen(bench); /* nothing ran meanwhile */
    const struct step_time time = time_of(bench, &round);
    assert_int_equal(time.budget_ms, 10 * MINUTE);
    assert_int_equal(time.elapsed_ms, 4 * MINUTE);
    assert_int_equal(time.left_ms, 6 * MINUTE);
    assert_int_equal(time.overtime_ms, 0);

    /* to begin it again changes nothing */
    step = stage_step(bench, &round, 0);
    assert_int_equal(step_begin(&step, bench->progress, &round, NULL, NULL), STATUS_OK);
    assert_int_equal(step.started_ms, NOON);
    bench->clock.now_ms = NOON + 12 * MINUTE;
    assert_int_equal(time_of(bench, &round).left_ms, 0);
    assert_int_equal(time_of(bench, &round).overtime_ms, 2 * MINUTE);
}

static void a_time_factor_shortens_the_clock_and_makes_a_rehearsal(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 0.5, STEP_WORDS, "question/01", &step);
    assert_int_equal(step.deadline_ms - step.started_ms, 5 * MINUTE);
    assert_true(round_is_rehearsal(&round));
    round.time_factor = 1.0;
    assert_false(round_is_rehearsal(&round));
}

static void a_wall_clock_set_back_shows_zero_and_adds_nothing(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    bench->clock.now_ms = NOON - 2 * HOUR;
    assert_int_equal(time_of(bench, &round).elapsed_ms, 0);
    assert_int_equal(time_of(bench, &round).left_ms, 10 * MINUTE);

    /* paused before, resumed and ended after: the pause is not negative */
    bench->clock.now_ms = NOON + MINUTE;
    assert_int_equal(step_pause(&step, bench->progress, &round, NULL), STATUS_OK);
    bench->clock.now_ms = NOON - HOUR;
    assert_int_equal(step_resume(&step, bench->progress, &round, NULL), STATUS_OK);
    assert_int_equal(step.deadline_ms, NOON + 10 * MINUTE);
    bench->clock.now_ms = NOON + MINUTE;
    assert_int_equal(step_pause(&step, bench->progress, &round, NULL), STATUS_OK);
    bench->clock.now_ms = NOON - HOUR;
    assert_int_equal(step_end(&step, bench->progress, &round, NULL), STATUS_OK);
    assert_int_equal(step.deadline_ms, NOON + 10 * MINUTE);
}

static void a_pause_stops_the_clock_and_only_that(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    assert_int_equal(step_resume(&step, bench->progress, &round, NULL), STATUS_USAGE);
    bench->clock.now_ms += MINUTE;
    assert_int_equal(step_pause(&step, bench->progress, &round, NULL), STATUS_OK);
    assert_int_equal(step_pause(&step, bench->progress, &round, NULL), STATUS_USAGE);
    bench->clock.now_ms += HOUR;
    assert_true(time_of(bench, &round).paused);
    assert_int_equal(time_of(bench, &round).elapsed_ms, MINUTE);
    assert_int_equal(step_resume(&step, bench->progress, &round, NULL), STATUS_OK);
    bench->clock.now_ms += MINUTE;
    assert_int_equal(time_of(bench, &round).elapsed_ms, 2 * MINUTE);
    assert_int_equal(stage_step(bench, &round, 0).deadline_ms, NOON + HOUR + 10 * MINUTE);
}

static void a_paused_step_ends_where_it_stood_however_it_ends(void **state)
{
    struct bench *bench = *state;
    for (int way = 0; way < 2; way++) {
        struct step step;
        bench->clock.now_ms = NOON;
        struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
        bench->clock.now_ms += 3 * MINUTE;
        assert_int_equal(step_pause(&step, bench->progress, &round, NULL), STATUS_OK);
        bench->clock.now_ms += HOUR;
        if (way == 0) assert_int_equal(step_end(&step, bench->progress, &round, NULL), STATUS_OK);
        assert_int_equal(round_end(&round, bench->progress, ROUND_DONE, NULL), STATUS_OK);
        const struct step_time time = time_of(bench, &round);
        assert_false(time.paused);
        assert_int_equal(time.elapsed_ms, 3 * MINUTE);
    }
}

static void an_exam_refuses_the_pause(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct error err = {0};
    struct round round = stage_run(bench, true, 1.0, STEP_WORDS, "question/01", &step);
    assert_int_equal(step_pause(&step, bench->progress, &round, &err), STATUS_USAGE);
    assert_int_equal(stage_step(bench, &round, 0).paused_ms, 0);
}

static void asking_costs_time_that_is_not_given_back(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 1.0, STEP_CARDS, "brief/1", &step);
    bench->clock.now_ms += MINUTE;
    assert_int_equal(step_spend(&step, bench->progress, &round, 30000, NULL), STATUS_OK);
    assert_int_equal(time_of(bench, &round).elapsed_ms, MINUTE + 30000);
    assert_int_equal(time_of(bench, &round).left_ms, 9 * MINUTE - 30000);
}

static void what_is_handed_in_after_an_exams_zero_counts_as_of_zero(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, true, 1.0, STEP_WORDS, "question/01", &step);
    assert_int_equal(step_submitted_ms(&step, bench->progress, &round), NOON);
    bench->clock.now_ms += HOUR;
    assert_int_equal(step_submitted_ms(&step, bench->progress, &round), NOON + 10 * MINUTE);
    round.exam = false;
    assert_int_equal(step_submitted_ms(&step, bench->progress, &round), NOON + HOUR);
}

/* ---- one at a time ---- */

static void only_one_round_runs(void **state)
{
    struct bench *bench = *state;
    struct step step, other = {.phase = "question", .item = "question/02", .minutes = 5};
    struct error err = {0};
    bool found;
    struct round first = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    struct round second = stage_plan(bench, "ask", "", false, 1.0, 1), running;
    assert_int_equal(round_begin(&second, bench->progress, &other, 1, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "lcx loop next"));
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM step"), 1); /* nothing half done */
    assert_int_equal(round_running(&running, &found, bench->progress, NULL), STATUS_OK);
    assert_true(found);
    assert_string_equal(running.id, first.id);

    assert_int_equal(round_end(&first, bench->progress, ROUND_ABANDONED, NULL), STATUS_OK);
    assert_int_equal(round_begin(&second, bench->progress, &other, 1, NULL), STATUS_OK);
    assert_int_equal(round_end(&second, bench->progress, ROUND_DONE, NULL), STATUS_OK);
    assert_int_equal(round_begin(&second, bench->progress, &other, 1, NULL), STATUS_CONFLICT);
    assert_int_equal(round_running(&running, &found, bench->progress, NULL), STATUS_OK);
    assert_false(found);
}

static void values_out_of_range_are_refused(void **state)
{
    struct bench *bench = *state;
    static const double factors[] = {0.0, 0.01, 3.5, -1, NAN};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        struct round round;
        const struct round_start start = {
            .name = "ask", .content = "", .lane = "c", .language = "en", .time_factor = factors[i]};
        assert_int_equal(round_plan(&round, bench->progress, &start, NULL), STATUS_USAGE);
    }
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round"), 0);
}

static void a_planned_round_that_could_not_begin_is_forgotten_a_begun_one_never(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round planned = stage_plan(bench, "ask", "", false, 1.0, 1);
    assert_int_equal(round_drop(&planned, bench->progress, NULL), STATUS_OK);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round"), 0);
    struct round begun = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    assert_int_equal(round_drop(&begun, bench->progress, NULL), STATUS_OK);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round"), 1);
}

static void what_another_process_changed_is_not_overwritten(void **state)
{
    struct bench *bench = *state;
    struct step here, there;
    struct error err = {0};
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &here);
    there = here;
    assert_int_equal(step_spend(&there, bench->progress, &round, 5000, NULL), STATUS_OK);
    assert_int_equal(step_spend(&here, bench->progress, &round, 1000, &err), STATUS_CONFLICT);
    assert_int_equal(here.deadline_ms, NOON + 10 * MINUTE); /* nor did the caller's */
    assert_int_equal(stage_step(bench, &round, 0).deadline_ms, NOON + 10 * MINUTE - 5000);

    struct round elsewhere = round;
    assert_int_equal(round_end(&elsewhere, bench->progress, ROUND_ABANDONED, NULL), STATUS_OK);
    there = stage_step(bench, &round, 0);
    assert_int_equal(step_pause(&there, bench->progress, &round, NULL), STATUS_USAGE);
    assert_int_equal(round_end(&round, bench->progress, ROUND_DONE, &err), STATUS_CONFLICT);
    assert_int_equal(round.state, ROUND_RUNNING);
    assert_int_equal(bench_ask(bench, "SELECT state = 'abandoned' FROM round"), 1);

    struct answer answer = {
        .ask = text_copy("?"), .text = text_copy("late"), .item = "question/01/0"};
    assert_int_equal(answer_add(&answer, bench->progress, &round, &there, &err), STATUS_CONFLICT);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM answer"), 0);
    answer_done(&answer);
}

/* ---- answers ---- */

static void answers_have_places_and_know_their_overtime(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct answer *answers;
    int n;
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    bench->clock.now_ms = step.deadline_ms;
    stage_keep(bench, &round, &step, "question/01/0", "first", 0.5, NULL);
    bench->clock.now_ms = step.deadline_ms + 1;
    stage_keep(bench, &round, &step, "question/01/1", "second", -1, "{\"items\":[]}");
    assert_int_equal(answer_list(&answers, &n, bench->progress, round.id, -1, NULL), STATUS_OK);
    assert_int_equal(n, 2);
    assert_int_equal(answers[0].place, 0);
    assert_int_equal(answers[1].place, 1);
    assert_false(answers[0].overtime);
    assert_true(answers[1].overtime);
    assert_true(answers[1].score < 0);
    assert_string_equal(answers[0].result, "{}");
    assert_null(answers[0].confirmed);

    assert_int_equal(answer_confirm(&answers[0], bench->progress, "{\"alpha\":\"found\"}", 1, NULL),
                     STATUS_OK);
    answer_list_done(answers, n);
    assert_int_equal(answer_list(&answers, &n, bench->progress, round.id, 0, NULL), STATUS_OK);
    assert_string_equal(answers[0].confirmed, "{\"alpha\":\"found\"}");
    assert_true(answers[0].score == 1);
    assert_string_equal(answers[0].text, "first"); /* beside them, not over them */
    answer_list_done(answers, n);
}

static char *draft_of(struct bench *bench, const struct round *round, const struct step *step,
                      int place)
{
    char *path;
    assert_int_equal(answer_draft(&path, bench->progress, round, step, place, NULL), STATUS_OK);
    return path;
}

static void write_draft(const char *path)
{
    assert_int_equal(file_write(path, "mine\n", 5, 0600, NULL), STATUS_OK);
}

static void a_draft_goes_when_its_answer_is_stored_and_no_other_does(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    char *first = draft_of(bench, &round, &step, 0), *second = draft_of(bench, &round, &step, 1);
    char *folder = path_join(bench->folder, "drafts");
    assert_int_equal(scratch_mode(folder), 0700);
    write_draft(first);
    write_draft(second);
    stage_keep(bench, &round, &step, "question/01/0", "mine", 0, NULL);
    assert_false(file_exists(first));
    assert_true(file_exists(second));
    free(folder);
    free(second);
    free(first);
}

static void drafts_of_ended_rounds_are_swept_and_of_running_ones_never(void **state)
{
    struct bench *bench = *state;
    struct step step;
    int n;
    struct round ended = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    char *old = draft_of(bench, &ended, &step, 0);
    assert_int_equal(round_end(&ended, bench->progress, ROUND_ABANDONED, NULL), STATUS_OK);
    bench->clock.now_ms += MINUTE;
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    char *running = draft_of(bench, &round, &step, 0);
    char *orphan = path_join(bench->folder, "drafts/01234567-89ab-4cde-8f01-23456789abcd-0-0.md");
    char *notes = path_join(bench->folder, "drafts/notes.md");
    write_draft(old);
    write_draft(running);
    write_draft(orphan);
    write_draft(notes);

    assert_int_equal(drafts_sweep(&n, bench->progress, NOON, NULL), STATUS_OK);
    assert_int_equal(n, 1); /* the orphan: the other ended at that moment, not before */
    assert_true(file_exists(old));
    assert_int_equal(drafts_sweep(&n, bench->progress, NOON + 1, NULL), STATUS_OK);
    assert_int_equal(n, 1);
    assert_false(file_exists(old));
    assert_false(file_exists(orphan));
    assert_true(file_exists(running));
    assert_true(file_exists(notes)); /* not ours */
    free(notes);
    free(orphan);
    free(running);
    free(old);
}

static void no_drafts_are_no_trouble(void **state)
{
    struct bench *bench = *state;
    int n = 7;
    assert_int_equal(drafts_sweep(&n, bench->progress, NOON, NULL), STATUS_OK);
    assert_int_equal(n, 0);
}

/* ---- kill -9 ---- */

struct victim {
    struct bench *bench;
    const struct round *round;
    const struct step *step;
};

/* Answers one after the other, each with its draft first, until it is killed. */
static int keep_answering(void *context)
{
    struct victim *victim = context;
    struct progress *progress;
    if (progress_open(&progress, victim->bench->folder, &victim->bench->clock, NULL)) return 1;
    for (int i = 0; i < 900; i++) {
        struct answer *answers, answer = {.ask = text_copy("?"), .item = "question/01/0"};
        int n;
        char *draft;
        if (answer_list(&answers, &n, progress, victim->round->id, -1, NULL)) return 2;
        answer_list_done(answers, n);
        answer.text = text_printf("answer %d", n);
        if (answer_draft(&draft, progress, victim->round, victim->step, n, NULL)) return 3;
        if (file_write(draft, answer.text, strlen(answer.text), 0600, NULL)) return 4;
        free(draft);
        if (answer_add(&answer, progress, victim->round, victim->step, NULL)) return 5;
        answer_done(&answer);
    }
    return 0;
}

static void kill_9_leaves_every_answer_whole_and_the_clock_as_it_was(void **state)
{
    struct bench *bench = *state;
    struct step step;
    struct rng rng;
    struct error err = {0};
    const uint64_t seed = random_seed();
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed, 0);
    struct round round = stage_run(bench, false, 1.0, STEP_WORDS, "question/01", &step);
    struct victim victim = {bench, &round, &step};
    int before = 0, n = 0;
    for (int i = 0; i < 12; i++) {
        struct answer *answers;
        progress_close(bench->progress);
        scratch_run_and_kill(keep_answering, &victim, rng_between(&rng, 1000, 60000));
        bench_open(bench);
        assert_int_equal(database_verify(bench->progress->database, &err), STATUS_OK);
        assert_int_equal(answer_list(&answers, &n, bench->progress, round.id, -1, NULL), STATUS_OK);
        assert_true(n >= before);
        for (int a = 0; a < n; a++) {
            char words[32];
            snprintf(words, sizeof words, "answer %d", a);
            assert_int_equal(answers[a].place, a);
            assert_string_equal(answers[a].text, words);
        }
        answer_list_done(answers, n);
        before = n;
        const struct step now = stage_step(bench, &round, 0);
        assert_int_equal(now.deadline_ms, step.deadline_ms);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round WHERE state = 'running'"), 1);
    }
    print_message("%d answers\n", n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_clock_is_its_moments_and_survives_the_process),
        STAGE_TEST(a_time_factor_shortens_the_clock_and_makes_a_rehearsal),
        STAGE_TEST(a_wall_clock_set_back_shows_zero_and_adds_nothing),
        STAGE_TEST(a_pause_stops_the_clock_and_only_that),
        STAGE_TEST(a_paused_step_ends_where_it_stood_however_it_ends),
        STAGE_TEST(an_exam_refuses_the_pause),
        STAGE_TEST(asking_costs_time_that_is_not_given_back),
        STAGE_TEST(what_is_handed_in_after_an_exams_zero_counts_as_of_zero),
        STAGE_TEST(only_one_round_runs),
        STAGE_TEST(values_out_of_range_are_refused),
        STAGE_TEST(a_planned_round_that_could_not_begin_is_forgotten_a_begun_one_never),
        STAGE_TEST(what_another_process_changed_is_not_overwritten),
        STAGE_TEST(answers_have_places_and_know_their_overtime),
        STAGE_TEST(a_draft_goes_when_its_answer_is_stored_and_no_other_does),
        STAGE_TEST(drafts_of_ended_rounds_are_swept_and_of_running_ones_never),
        STAGE_TEST(no_drafts_are_no_trouble),
        STAGE_TEST(kill_9_leaves_every_answer_whole_and_the_clock_as_it_was),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
