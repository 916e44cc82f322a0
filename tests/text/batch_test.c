#include "text/batch.h"

#include "text_world.h"

enum { N = 1000, B = 3, T = 8 };

static uint16_t ids[N];

static struct token_file counting_file(size_t n)
{
    for (int i = 0; i < N; i++) ids[i] = (uint16_t)i;
    return (struct token_file){.width = 2, .V = N, .n = n, .ids = ids};
}

static void targets_are_the_inputs_one_later(void **state)
{
    (void)state;
    struct error err;
    struct batch_source source;
    int32_t inputs[B * T], targets[B * T];
    const struct token_file file = counting_file(N);
    bool seen[N] = {0};
    assert_int_equal(batch_source_init(&source, &file, B, T, 1, 2, &err), STATUS_OK);
    for (int step = 0; step < 5000; step++) {
        batch_next(&source, inputs, targets);
        for (int i = 0; i < B * T; i++) {
            assert_int_equal(targets[i], inputs[i] + 1);
            if (i % T) assert_int_equal(inputs[i], inputs[i - 1] + 1);
        }
        seen[inputs[0]] = true;
    }
    assert_true(seen[0] && seen[N - T - 1]); /* the first and the last window */
    assert_int_equal(source.step, 5000);
}

static void the_place_in_the_data_is_the_step(void **state)
{
    (void)state;
    struct error err;
    struct batch_source first, again, other;
    int32_t a[B * T], b[B * T], unused[B * T];
    const struct token_file file = counting_file(N);
    assert_int_equal(batch_source_init(&first, &file, B, T, 9, 0, &err), STATUS_OK);
    assert_int_equal(batch_source_init(&again, &file, B, T, 9, 0, &err), STATUS_OK);
    assert_int_equal(batch_source_init(&other, &file, B, T, 9, 1, &err), STATUS_OK);
    for (int step = 0; step < 100; step++) batch_next(&first, a, unused);
    again.step = 99;
    batch_next(&again, b, unused);
    assert_memory_equal(a, b, sizeof a);
    other.step = 99;
    batch_next(&other, b, unused);
    assert_memory_not_equal(a, b, sizeof a);
}

static void windows_in_order_cover_the_file_once(void **state)
{
    (void)state;
    struct error err;
    struct batch_source source;
    int32_t inputs[B * T], targets[B * T];
    const struct token_file file = counting_file(5 * T + 3);
    assert_int_equal(batch_source_init(&source, &file, B, T, 0, 0, &err), STATUS_OK);
    assert_int_equal(batch_windows(&source), 5);
    assert_int_equal(batch_sequence(&source, 0, inputs, targets), 3);
    assert_int_equal(inputs[2 * T], 2 * T);
    assert_int_equal(batch_sequence(&source, 3, inputs, targets), 2);
    assert_int_equal(inputs[0], 3 * T);
    assert_int_equal(targets[2 * T - 1], 5 * T);
    for (int t = 0; t < T; t++) {
        assert_int_equal(targets[2 * T + t], -1);
        assert_int_equal(inputs[2 * T + t], 0);
    }
    assert_int_equal(batch_sequence(&source, 5, inputs, targets), 0);
}

static void a_file_that_is_too_short_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct batch_source source;
    struct token_file file = counting_file(T);
    assert_int_equal(batch_source_init(&source, &file, B, T, 0, 0, &err), STATUS_USAGE);
    file.n = T + 1;
    assert_int_equal(batch_source_init(&source, &file, B, T, 0, 0, &err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_the_inputs_one_later),
        cmocka_unit_test(the_place_in_the_data_is_the_step),
        cmocka_unit_test(windows_in_order_cover_the_file_once),
        cmocka_unit_test(a_file_that_is_too_short_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
