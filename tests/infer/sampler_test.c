#include "infer/sampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct sampler sampler_of(double temperature, int top_k, double top_p, int V)
{
    const struct sampler_settings settings = {temperature, top_k, top_p, 42};
    struct sampler sampler;
    struct error err;
    assert_int_equal(sampler_init(&sampler, &settings, V, &err), STATUS_OK);
    return sampler;
}

enum { DRAWS = 20000 };

static void count(double share[], struct sampler *sampler, const float *logits)
{
    for (int i = 0; i < sampler->V; i++) share[i] = 0;
    for (uint64_t i = 0; i < DRAWS; i++) share[sampler_draw(sampler, logits, i)] += 1.0 / DRAWS;
    sampler_done(sampler);
}

static void greedy_takes_the_first_of_the_likeliest(void **state)
{
    (void)state;
    struct sampler sampler = sampler_of(0, 0, 1, 5);
    const float logits[] = {1, 3, -INFINITY, 3, NAN}, worse[] = {NAN, NAN, -5, NAN, -6};
    assert_int_equal(sampler_draw(&sampler, logits, 0), 1);
    assert_int_equal(sampler_draw(&sampler, worse, 0), 2);
    sampler_done(&sampler);
}

static void draws_follow_the_probabilities(void **state)
{
    (void)state;
    const float logits[] = {0, logf(2), logf(5), -INFINITY};
    double share[4];
    struct sampler sampler = sampler_of(1, 0, 1, 4);
    count(share, &sampler, logits);
    assert_true(fabs(share[0] - 1 / 8.0) < 0.01 && fabs(share[1] - 2 / 8.0) < 0.012);
    assert_true(fabs(share[2] - 5 / 8.0) < 0.014 && share[3] == 0);
    sampler = sampler_of(0.5, 0, 1, 4); /* squares: 1 4 25 */
    count(share, &sampler, logits);
    assert_true(fabs(share[2] - 25 / 30.0) < 0.011);
}

static void top_k_and_top_p_keep_the_likeliest(void **state)
{
    (void)state;
    const float logits[] = {0, logf(2), logf(5), logf(2)};
    double share[4];
    struct sampler sampler = sampler_of(1, 2, 1, 4);
    count(share, &sampler, logits); /* of the two equal ones, the smaller id stays */
    assert_true(share[0] == 0 && share[3] == 0 && fabs(share[1] - 2 / 7.0) < 0.013);
    sampler = sampler_of(1, 0, 0.49, 4);
    count(share, &sampler, logits); /* 5/10 reaches it alone */
    assert_true(share[0] + share[1] + share[3] == 0);
    sampler = sampler_of(1, 0, 0.51, 4);
    count(share, &sampler, logits);
    assert_true(fabs(share[1] - 2 / 7.0) < 0.013 && share[0] == 0 && share[3] == 0);
}

static void the_same_place_draws_the_same_token(void **state)
{
    (void)state;
    const float logits[8] = {0};
    struct sampler one = sampler_of(1, 0, 1, 8), other = sampler_of(1, 0, 1, 8);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(sampler_draw(&one, logits, i), sampler_draw(&other, logits, i));
    sampler_done(&one);
    sampler_done(&other);
}

static void settings_outside_their_bounds_are_refused(void **state)
{
    (void)state;
    const struct sampler_settings wrong[] = {
        {-1, 0, 1, 0}, {NAN, 0, 1, 0}, {1, -1, 1, 0}, {1, 0, 0, 0}, {1, 0, 1.1, 0}};
    struct sampler sampler;
    struct error err;
    for (int i = 0; i < 5; i++)
        assert_int_equal(sampler_init(&sampler, &wrong[i], 3, &err), STATUS_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_takes_the_first_of_the_likeliest),
        cmocka_unit_test(draws_follow_the_probabilities),
        cmocka_unit_test(top_k_and_top_p_keep_the_likeliest),
        cmocka_unit_test(the_same_place_draws_the_same_token),
        cmocka_unit_test(settings_outside_their_bounds_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
