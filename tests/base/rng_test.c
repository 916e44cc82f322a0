#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Known answers for Philox 4x32-10 as published with Random123 1.x (kat_vectors). */
static void philox_gives_the_published_answers(void **state)
{
    (void)state;
    uint32_t out[4];

    philox(out, (uint32_t[]){0, 0, 0, 0}, (uint32_t[]){0, 0});
    assert_int_equal(out[0], 0x6627e8d5);
    assert_int_equal(out[1], 0xe169c58d);
    assert_int_equal(out[2], 0xbc57ac4c);
    assert_int_equal(out[3], 0x9b00dbd8);

    philox(out, (uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
           (uint32_t[]){0xffffffff, 0xffffffff});
    assert_int_equal(out[0], 0x408f276d);
    assert_int_equal(out[1], 0x41c83b0e);
    assert_int_equal(out[2], 0xa20bc7c6);
    assert_int_equal(out[3], 0x6d5451fd);

    philox(out, (uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
           (uint32_t[]){0xa4093822, 0x299f31d0});
    assert_int_equal(out[0], 0xd16cfe09);
    assert_int_equal(out[1], 0x94fdcceb);
    assert_int_equal(out[2], 0x5001e420);
    assert_int_equal(out[3], 0x24126ea1);
}

static void streams_differ_and_repeat(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_init(&a, 7, 0);
    rng_init(&b, 7, 1);
    rng_init(&c, 7, 0);
    int same = 0;
    for (int i = 0; i < 100; i++) {
        const uint64_t from_a = rng_u64(&a);
        same += from_a == rng_u64(&b);
        assert_true(from_a == rng_u64(&c));
    }
    assert_int_equal(same, 0);
}

static void normals_have_mean_zero_and_deviation_one(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1, 0);
    double sum = 0, squares = 0;
    const int n = 200000;
    for (int i = 0; i < n; i++) {
        const double x = rng_normal(&rng);
        sum += x;
        squares += x * x;
    }
    /* five standard errors: 5/sqrt(n) = 0.011, 5*sqrt(2/n) = 0.016 */
    assert_true(sum / n < 0.012 && sum / n > -0.012);
    assert_true(squares / n < 1.017 && squares / n > 0.983);
}

static void below_covers_its_range_and_nothing_else(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3, 9);
    int seen[5] = {0};
    for (int i = 0; i < 1000; i++) {
        const int64_t x = rng_between(&rng, -2, 2);
        assert_true(x >= -2 && x <= 2);
        seen[x + 2]++;
    }
    for (int i = 0; i < 5; i++) assert_true(seen[i] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(streams_differ_and_repeat),
        cmocka_unit_test(normals_have_mean_zero_and_deviation_one),
        cmocka_unit_test(below_covers_its_range_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
