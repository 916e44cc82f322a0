#include "text/bpe.h"

#include "text_world.h"

/* The definition, word for word: the lowest rank that stands anywhere, its leftmost place. */
static size_t naive(const struct bpe *bpe, int32_t *symbols, size_t n)
{
    for (;;) {
        uint32_t least = UINT32_MAX;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const uint32_t rank = bpe_rank(bpe, symbols[i], symbols[i + 1]);
            if (rank < least) {
                least = rank;
                at = i;
            }
        }
        if (least == UINT32_MAX) return n;
        symbols[at] = bpe->merges[least].made;
        for (size_t i = at + 1; i + 1 < n; i++) symbols[i] = symbols[i + 1];
        n--;
    }
}

/* Merges over a small alphabet. In order: each makes a new symbol of two that are there; else parts
 * and what is made are any symbols at all. */
static void random_merges(struct bpe *bpe, struct rng *rng, int n_base, int n_merges, bool in_order)
{
    struct error err;
    const int n_all = n_base + n_merges;
    for (int i = 0; i < n_merges; i++) {
        const int n_there = in_order ? n_base + i : n_all;
        const int32_t left = (int32_t)rng_below(rng, n_there),
                      right = (int32_t)rng_below(rng, n_there);
        const int32_t made = in_order ? n_base + i : (int32_t)rng_below(rng, n_all);
        assert_int_equal(bpe_add(bpe, left, right, made, &err), STATUS_OK);
    }
    bpe_index(bpe, n_all);
}

static void all_ways_give_what_the_definition_gives(void **state)
{
    (void)state;
    struct rng rng;
    struct bpe_work work = {0};
    rng_init(&rng, 21, 0);
    for (int round = 0; round < 4000; round++) {
        struct bpe bpe = {0};
        const bool in_order = round % 2 == 0;
        const int n_base = (int)rng_between(&rng, 1, 4);
        random_merges(&bpe, &rng, n_base, (int)rng_between(&rng, 0, 30), in_order);
        int32_t symbols[5][120];
        const size_t n = (size_t)rng_between(&rng, 0, round % 3 ? 40 : 120);
        for (size_t i = 0; i < n; i++)
            for (int k = 0; k < 5; k++)
                symbols[k][i] = k ? symbols[0][i] : (int32_t)rng_below(&rng, n_base);
        size_t left[5];
        left[0] = naive(&bpe, symbols[0], n);
        left[1] = bpe_heap(&bpe, &work, symbols[1], n);
        left[2] = n <= BPE_SHORT ? bpe_short(&bpe, symbols[2], n) : naive(&bpe, symbols[2], n);
        if (bpe.in_order) left[3] = bpe_queues(&bpe, &work, symbols[3], n);
        else left[3] = naive(&bpe, symbols[3], n);
        left[4] = bpe_apply(&bpe, &work, symbols[4], n);
        for (int k = 1; k < 5; k++) {
            assert_int_equal(left[k], left[0]);
            assert_memory_equal(symbols[k], symbols[0], left[0] * sizeof **symbols);
        }
        assert_true(bpe.in_order || !in_order);
        bpe_done(&bpe);
    }
    bpe_work_done(&work);
}

static void the_word_of_the_header_becomes_one_symbol(void **state)
{
    (void)state;
    struct bpe bpe = {0};
    struct bpe_work work = {0};
    struct error err;
    int32_t symbols[] = {0, 1, 2, 3, 4}; /* l o w e r */
    const int32_t merges[][3] = {{3, 4, 5}, {0, 1, 6}, {6, 2, 7}, {7, 5, 8}};
    for (int i = 0; i < 4; i++)
        assert_int_equal(bpe_add(&bpe, merges[i][0], merges[i][1], merges[i][2], &err), STATUS_OK);
    bpe_index(&bpe, 9);
    assert_int_equal(bpe_apply(&bpe, &work, symbols, 5), 1);
    assert_int_equal(symbols[0], 8);
    bpe_work_done(&work);
    bpe_done(&bpe);
}

static void merges_that_use_what_is_not_made_yet_are_not_in_order(void **state)
{
    (void)state;
    struct bpe bpe = {0};
    struct error err;
    assert_int_equal(bpe_add(&bpe, 2, 0, 3, &err), STATUS_OK);
    assert_int_equal(bpe_add(&bpe, 0, 1, 2, &err), STATUS_OK);
    bpe_index(&bpe, 4);
    assert_false(bpe.in_order);
    bpe_done(&bpe);
    assert_int_equal(bpe_add(&bpe, 0, 1, 2, &err), STATUS_OK);
    assert_int_equal(bpe_add(&bpe, 1, 0, 2, &err), STATUS_OK);
    bpe_index(&bpe, 3);
    assert_false(bpe.in_order);
    bpe_done(&bpe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways_give_what_the_definition_gives),
        cmocka_unit_test(the_word_of_the_header_becomes_one_symbol),
        cmocka_unit_test(merges_that_use_what_is_not_made_yet_are_not_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
