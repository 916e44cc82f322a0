#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/pages.h"

enum { MOST = 1000 };

struct tally {
    int times[MOST];
    int threads;
    atomic_int strangers; /* worker numbers that cannot be */
};

static void count(void *context, int i, int worker)
{
    struct tally *tally = context;
    tally->times[i]++; /* unguarded: the thread sanitizer sees a task that two threads do */
    if (worker < 0 || worker >= tally->threads) atomic_fetch_add(&tally->strangers, 1);
}

static struct pool *open_pool(int threads)
{
    struct pool *pool;
    struct error err;
    assert_int_equal(pool_open(&pool, threads, &err), STATUS_OK);
    return pool;
}

static void every_task_is_done_once(void **state)
{
    static const int sizes[] = {0, 1, 2, 3, 7, 64, MOST};
    (void)state;
    for (int threads = 0; threads <= 4; threads++) {
        struct pool *pool = threads ? open_pool(threads) : NULL;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct tally tally = {.threads = threads ? threads : 1};
            pool_run(pool, count, &tally, sizes[s]);
            for (int i = 0; i < MOST; i++) assert_int_equal(tally.times[i], i < sizes[s]);
            assert_int_equal(tally.strangers, 0);
        }
        assert_int_equal(pool_threads(pool), threads ? threads : 1);
        pool_close(pool);
    }
}

/* Rounds at once after one another, and after pauses in which the workers fall asleep. */
static void a_round_never_mixes_with_the_one_before(void **state)
{
    (void)state;
    for (int threads = 2; threads <= 4; threads++) {
        struct pool *pool = open_pool(threads);
        for (int round = 0; round < 3000; round++) {
            struct tally tally = {.threads = threads};
            const int n = 1 + round % 5;
            pool_run(pool, count, &tally, n);
            for (int i = 0; i < 8; i++) assert_int_equal(tally.times[i], i < n);
            if (round % 300 == 0) usleep(2000);
        }
        pool_close(pool);
    }
}

struct square {
    float in[MOST], out[MOST];
};

static void square_one(void *context, int i, int worker)
{
    struct square *square = context;
    (void)worker;
    square->out[i] = square->in[i] * square->in[i];
}

/* What the caller wrote before is seen by the workers, and the other way around. */
static void memory_is_seen_by_all(void **state)
{
    (void)state;
    static struct square square;
    struct pool *pool = open_pool(3);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < MOST; i++) square.in[i] = (float)(round + i);
        pool_run(pool, square_one, &square, MOST);
        for (int i = 0; i < MOST; i++)
            assert_true(square.out[i] == (float)(round + i) * (float)(round + i));
    }
    pool_close(pool);
}

static void fill_scratch(void *context, int i, int worker)
{
    struct pool *pool = context;
    unsigned char *memory = pool_scratch(pool, worker, 5000);
    memset(memory, i, 5000);
    for (int at = 0; at < 5000; at++)
        if (memory[at] != (unsigned char)i) abort();
}

static void each_worker_has_memory_of_its_own(void **state)
{
    (void)state;
    struct pool *pool = open_pool(3);
    unsigned char *shared = pool_scratch(pool, POOL_SHARED, 100);
    memset(shared, 77, 100);
    pool_run(pool, fill_scratch, pool, 200);
    for (int i = 0; i < 100; i++) assert_int_equal(shared[i], 77);

    void *seen[3];
    for (int i = 0; i < 3; i++) {
        seen[i] = pool_scratch(pool, i, 5000);
        assert_int_equal((uintptr_t)seen[i] % 64, 0);
        assert_ptr_equal(pool_scratch(pool, i, 1), seen[i]); /* kept: nothing is allocated */
        for (int j = 0; j < i; j++) assert_ptr_not_equal(seen[i], seen[j]);
    }
    pool_close(pool);

    char *own = pool_scratch(NULL, 0, 10), *own_shared = pool_scratch(NULL, POOL_SHARED, 10);
    assert_ptr_not_equal(own, own_shared);
    assert_ptr_equal(pool_scratch(NULL, 0, 10), own);
}

static void a_wrong_number_of_threads_is_refused(void **state)
{
    (void)state;
    struct pool *pool;
    struct error err;
    assert_int_equal(pool_open(&pool, 0, &err), STATUS_USAGE);
    assert_null(pool);
    assert_int_equal(pool_open(&pool, POOL_THREADS_LIMIT + 1, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "257"));
    pool_close(pool);
}

static void pages_are_zero_and_large_ones_are_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4096, 5000, 2 << 20, (2 << 20) + 1, 9 << 20};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        char *memory = pages_new(sizes[s]);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % (sizes[s] >= 2 << 20 ? 2 << 20 : 4096), 0);
        for (size_t i = 0; i < sizes[s]; i += 1021) assert_int_equal(memory[i], 0);
        memset(memory, 1, sizes[s]);
        pages_free(memory, sizes[s]);
    }
    assert_null(pages_new(0));
    assert_null(pages_new(SIZE_MAX));
    assert_null(pages_new(SIZE_MAX / 2));
    pages_free(NULL, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_once),
        cmocka_unit_test(a_round_never_mixes_with_the_one_before),
        cmocka_unit_test(memory_is_seen_by_all),
        cmocka_unit_test(each_worker_has_memory_of_its_own),
        cmocka_unit_test(a_wrong_number_of_threads_is_refused),
        cmocka_unit_test(pages_are_zero_and_large_ones_are_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
