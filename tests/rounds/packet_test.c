#include "rounds/packet.h"

#include "base/rng.h"
#include "stage.h"

static const struct packet_start engineer = {.track = "engineer",
                                             .phone_lane = "c",
                                             .coding_lane = "torch",
                                             .language = "es",
                                             .days = 2,
                                             .exam = true,
                                             .time_factor = 0.5,
                                             .seed = 42};

static struct packet begun(struct bench *bench, const struct packet_start *start)
{
    struct packet packet;
    struct error err = {0};
    if (packet_begin(&packet, bench->progress, start, &err)) fail_msg("%s", err.message);
    return packet;
}

static void a_packet_plans_its_rounds_in_order_with_its_own_terms(void **state)
{
    struct bench *bench = *state;
    static const char *const tracks[] = {"engineer", "scientist"};
    for (int t = 0; t < 2; t++) {
        struct packet_start start = engineer;
        struct round *rounds;
        int n;
        start.track = tracks[t];
        struct packet packet = begun(bench, &start);
        assert_int_equal(round_list(&rounds, &n, bench->progress, packet.id, 0, NULL), STATUS_OK);
        assert_int_equal(n, 7);
        for (int i = 0; i < n; i++) {
            assert_string_equal(rounds[i].name, packet_rounds(tracks[t])[i]);
            assert_non_null(round_kind(rounds[i].name));
            assert_int_equal(rounds[i].place, i);
            assert_int_equal(rounds[i].state, ROUND_PLANNED);
            assert_true(rounds[i].exam);
            assert_true(rounds[i].time_factor == 0.5);
            assert_int_equal(rounds[i].seed, 42);
            assert_string_equal(rounds[i].language, "es");
            assert_string_equal(rounds[i].packet, packet.id);
        }
        assert_string_equal(rounds[1].lane, "c"); /* the phone round */
        assert_string_equal(rounds[3].name, t ? "research" : "coding");
        assert_int_equal(packet_day(&packet, 3), t ? 2 : 1);
        assert_int_equal(packet_day(&packet, 6), 2);
        packet.days = 1;
        assert_int_equal(packet_day(&packet, 6), 1);
        free(rounds);
        assert_int_equal(packet_end(&packet, bench->progress, PACKET_DONE, NULL), STATUS_OK);
    }
}

static void only_one_packet_runs(void **state)
{
    struct bench *bench = *state;
    struct packet first = begun(bench, &engineer), second;
    struct error err = {0};
    assert_int_equal(packet_begin(&second, bench->progress, &engineer, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "lcx loop leave"));
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round"), 7); /* nothing half done */
    assert_int_equal(packet_end(&first, bench->progress, PACKET_ABANDONED, NULL), STATUS_OK);
    second = begun(bench, &engineer);
    assert_string_not_equal(first.id, second.id);
}

static void wrong_terms_are_refused_whole(void **state)
{
    struct bench *bench = *state;
    struct packet packet;
    for (int i = 0; i < 5; i++) {
        struct packet_start start = engineer;
        if (i == 0) start.track = "manager";
        if (i == 1) start.days = 3;
        if (i == 2) start.time_factor = 9;
        if (i == 3) start.phone_lane = "rust";
        if (i == 4) start.language = "fr";
        assert_int_not_equal(packet_begin(&packet, bench->progress, &start, NULL), STATUS_OK);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM packet"), 0);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round"), 0);
    }
}

static void its_end_ends_what_runs_and_keeps_what_was_done(void **state)
{
    struct bench *bench = *state;
    struct packet packet = begun(bench, &engineer);
    struct round *rounds;
    struct step step = {.phase = "pitch", .item = "question/pitch", .minutes = 10};
    int n;
    assert_int_equal(round_list(&rounds, &n, bench->progress, packet.id, 0, NULL), STATUS_OK);
    assert_int_equal(round_begin(&rounds[0], bench->progress, &step, 1, NULL), STATUS_OK);
    assert_int_equal(round_end(&rounds[0], bench->progress, ROUND_DONE, NULL), STATUS_OK);
    assert_int_equal(round_begin(&rounds[1], bench->progress, &step, 1, NULL), STATUS_OK);
    assert_int_equal(step_begin(&step, bench->progress, &rounds[1], NULL, NULL), STATUS_OK);
    bench->clock.now_ms += 2 * MINUTE;
    assert_int_equal(packet_end(&packet, bench->progress, PACKET_ABANDONED, NULL), STATUS_OK);

    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round WHERE state = 'done'"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round WHERE state = 'abandoned'"), 6);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM step WHERE started_ms > 0 AND ended_ms"
                                      " = 0"),
                     0);
    bench->clock.now_ms += HOUR; /* its clock stands */
    step = stage_step(bench, &rounds[1], 0);
    assert_int_equal(step_time(&step, &rounds[1], bench->clock.now_ms).elapsed_ms, 2 * MINUTE);
    free(rounds);
}

static void a_packet_is_found_again(void **state)
{
    struct bench *bench = *state;
    struct packet packet, again;
    bool found;
    struct error err = {0};
    assert_int_equal(packet_latest(&packet, &found, bench->progress, NULL), STATUS_OK);
    assert_false(found);
    packet = begun(bench, &engineer);
    bench_reopen(bench);
    assert_int_equal(packet_running(&again, &found, bench->progress, NULL), STATUS_OK);
    assert_true(found);
    assert_memory_equal(&again, &packet, sizeof packet);
    assert_int_equal(packet_end(&packet, bench->progress, PACKET_DONE, NULL), STATUS_OK);
    assert_int_equal(packet_running(&again, &found, bench->progress, NULL), STATUS_OK);
    assert_false(found);
    assert_int_equal(packet_latest(&again, &found, bench->progress, NULL), STATUS_OK);
    assert_true(found && again.state == PACKET_DONE);
    assert_int_equal(packet_load(&again, bench->progress, packet.id, NULL), STATUS_OK);
    assert_int_equal(packet_load(&again, bench->progress, "nobody", &err), STATUS_NOT_FOUND);
}

struct victim {
    struct bench *bench;
};

static int begin_and_end(void *context)
{
    struct victim *victim = context;
    struct progress *progress;
    if (progress_open(&progress, victim->bench->folder, &victim->bench->clock, NULL)) return 1;
    for (int i = 0; i < 500; i++) {
        struct packet packet;
        bool found;
        if (packet_running(&packet, &found, progress, NULL)) return 2;
        if (!found && packet_begin(&packet, progress, &engineer, NULL)) return 3;
        if (packet_end(&packet, progress, PACKET_DONE, NULL)) return 4;
    }
    return 0;
}

static void kill_9_never_leaves_a_packet_without_its_rounds(void **state)
{
    struct bench *bench = *state;
    struct rng rng;
    struct victim victim = {bench};
    const uint64_t seed = random_seed();
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed, 0);
    for (int i = 0; i < 10; i++) {
        progress_close(bench->progress);
        scratch_run_and_kill(begin_and_end, &victim, rng_between(&rng, 1000, 50000));
        bench_open(bench);
        assert_int_equal(bench_ask(bench,
                                   "SELECT count(*) FROM packet p WHERE 7 <> (SELECT count(*)"
                                   " FROM round WHERE packet = p.id)"),
                         0);
        assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round r JOIN packet p ON p.id ="
                                          " r.packet WHERE p.state = 'done' AND r.state IN"
                                          " ('planned', 'running')"),
                         0);
        assert_true(bench_ask(bench, "SELECT count(*) FROM packet WHERE state = 'running'") <= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_packet_plans_its_rounds_in_order_with_its_own_terms),
        STAGE_TEST(only_one_packet_runs),
        STAGE_TEST(wrong_terms_are_refused_whole),
        STAGE_TEST(its_end_ends_what_runs_and_keeps_what_was_done),
        STAGE_TEST(a_packet_is_found_again),
        STAGE_TEST(kill_9_never_leaves_a_packet_without_its_rounds),
    };
    return cmocka_run_group_tests(tests, stage_open, stage_close);
}
