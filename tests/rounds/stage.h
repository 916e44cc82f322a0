/* stage.h -- a database with a clock that the test moves, and a small library of content. */
#ifndef TESTS_ROUNDS_STAGE_H
#define TESTS_ROUNDS_STAGE_H

#include "../progress/bench.h"
#include "content/library.h"
#include "rounds/packet.h"
#include "rounds/round.h"

static struct library stage_library;

static inline int stage_open(void **state)
{
    struct error err = {0};
    (void)state;
    bench_main();
    if (library_load(&stage_library, SOURCE_ROOT "/tests/data/rounds/content", &err))
        fail_msg("%s", err.message);
    return 0;
}

static inline int stage_close(void **state)
{
    (void)state;
    library_done(&stage_library);
    return 0;
}

/* A planned round. */
static inline struct round stage_plan(struct bench *bench, const char *name, const char *content,
                                      bool exam, double factor, int64_t seed)
{
    struct round round;
    struct error err = {0};
    const struct round_start start = {.name = name,
                                      .content = content,
                                      .lane = "numpy",
                                      .language = "en",
                                      .exam = exam,
                                      .time_factor = factor,
                                      .seed = seed};
    if (round_plan(&round, bench->progress, &start, &err)) fail_msg("%s", err.message);
    return round;
}

/* A running round of one step of words of ten minutes, whose clock runs. */
static inline struct round stage_run(struct bench *bench, bool exam, double factor,
                                     enum step_kind kind, const char *item, struct step *step)
{
    struct error err = {0};
    struct round round = stage_plan(bench, "ask", "question/01", exam, factor, 7);
    *step = (struct step){.phase = "question", .kind = kind, .minutes = 10};
    snprintf(step->item, sizeof step->item, "%s", item);
    if (round_begin(&round, bench->progress, step, 1, &err) ||
        step_begin(step, bench->progress, &round, NULL, &err))
        fail_msg("%s", err.message);
    return round;
}

/* Store an answer; what was stored is the caller's (answer_done). */
static inline struct answer stage_answer(struct bench *bench, const struct round *round,
                                         const struct step *step, const char *item,
                                         const char *text, double score, const char *result)
{
    struct error err = {0};
    struct answer answer = {.ask = text_copy("What?"),
                            .text = text_copy(text),
                            .started_ms = bench->clock.now_ms,
                            .score = score,
                            .result = text_copy(result)};
    snprintf(answer.item, sizeof answer.item, "%s", item);
    if (answer_add(&answer, bench->progress, round, step, &err)) fail_msg("%s", err.message);
    return answer;
}

static inline void stage_keep(struct bench *bench, const struct round *round,
                              const struct step *step, const char *item, const char *text,
                              double score, const char *result)
{
    struct answer answer = stage_answer(bench, round, step, item, text, score, result);
    answer_done(&answer);
}

/* The step as it is stored. */
static inline struct step stage_step(struct bench *bench, const struct round *round, int place)
{
    struct step *steps;
    int n;
    assert_int_equal(step_list(&steps, &n, bench->progress, round->id, NULL), STATUS_OK);
    assert_true(place < n);
    const struct step step = steps[place];
    free(steps);
    return step;
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

#endif
