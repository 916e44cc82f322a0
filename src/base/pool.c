#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/locale.h"
#include "base/pages.h"
#include "base/text.h"

/* How long a thread looks for work, or for the others' end, before it sleeps: some 200 microseconds,
 * a few times what it costs to be woken. */
enum { SPINS = 8000, SCRATCH_LEAST = 2 << 20 };

struct scratch {
    void *memory;
    size_t size;
};

struct worker {
    _Alignas(64) struct scratch scratch; /* a line of its own */
    pthread_t thread;
    struct pool *pool;
    int index;
};

struct pool {
    /* The run: written by the caller before `left` says that there is one. */
    void (*task)(void *context, int i, int worker);
    void *context;
    int n;

    _Alignas(64) atomic_int left; /* tasks that nobody has taken; taking one is left - 1 */
    _Alignas(64) atomic_int done; /* tasks that have ended */
    atomic_int sleepers;          /* workers that must be woken */
    atomic_bool caller_sleeps, closing;

    pthread_mutex_t lock;
    pthread_cond_t work, end;
    int threads, spins;
    struct scratch shared;
    struct worker *workers; /* [threads]; 0 is the caller */
};

static void pause_briefly(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

/* ---- tasks ---- */

/* Take a task and do it; false when none is left. What belongs to the run is read after the taking:
 * the caller cannot leave it while a taken task has not ended. */
static bool work_once(struct pool *pool, int worker)
{
    int left = atomic_load(&pool->left);
    do {
        if (left <= 0) return false;
    } while (!atomic_compare_exchange_weak(&pool->left, &left, left - 1));

    const int n = pool->n;
    pool->task(pool->context, n - left, worker);
    if (atomic_fetch_add(&pool->done, 1) + 1 == n && atomic_load(&pool->caller_sleeps)) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->end);
        pthread_mutex_unlock(&pool->lock);
    }
    return true;
}

static bool has_work(struct pool *pool)
{
    return atomic_load(&pool->left) > 0 || atomic_load(&pool->closing);
}

/* To be called a sleeper first and to look then, while the caller offers first and looks for sleepers
 * then, is what makes it impossible to sleep through an offer. */
static void wait_for_work(struct pool *pool)
{
    for (int spin = 0; spin < pool->spins; spin++) {
        if (has_work(pool)) return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!has_work(pool)) pthread_cond_wait(&pool->work, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    while (!atomic_load(&pool->closing)) {
        if (!work_once(pool, worker->index)) wait_for_work(pool);
    }
    return NULL;
}

static void wake_workers(struct pool *pool)
{
    if (atomic_load(&pool->sleepers) == 0) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

static void wait_for_end(struct pool *pool)
{
    for (int spin = 0; spin < pool->spins; spin++) {
        if (atomic_load(&pool->done) == pool->n) return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_sleeps, true);
    while (atomic_load(&pool->done) != pool->n) pthread_cond_wait(&pool->end, &pool->lock);
    atomic_store(&pool->caller_sleeps, false);
    pthread_mutex_unlock(&pool->lock);
}

void pool_run(struct pool *pool, void (*task)(void *context, int i, int worker), void *context,
              int n)
{
    if (!pool || pool->threads == 1 || n == 1) {
        for (int i = 0; i < n; i++) task(context, i, 0);
        return;
    }
    if (n <= 0) return;
    pool->task = task;
    pool->context = context;
    pool->n = n;
    atomic_store(&pool->done, 0);
    atomic_store(&pool->left, n);
    wake_workers(pool);
    while (work_once(pool, 0)) {}
    wait_for_end(pool);
}

int pool_threads(const struct pool *pool) { return pool ? pool->threads : 1; }

/* ---- scratch ---- */

/* What is used all the time lies on huge pages, even when it would fit a few small ones. */
static void *scratch_reserve(struct scratch *scratch, size_t bytes)
{
    if (bytes > scratch->size) {
        if (bytes < SCRATCH_LEAST) bytes = SCRATCH_LEAST;
        pages_free(scratch->memory, scratch->size);
        scratch->memory = pages_new(bytes);
        scratch->size = bytes;
        CHECK(scratch->memory);
    }
    return scratch->memory;
}

/* Threads without a pool: two pieces each, worker 0's and the shared one. */
static pthread_key_t own_key;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;

static void own_free(void *pieces)
{
    struct scratch *own = pieces;
    for (int i = 0; i < 2; i++) pages_free(own[i].memory, own[i].size);
    free(own);
}

static void own_key_make(void) { CHECK(pthread_key_create(&own_key, own_free) == 0); }

static struct scratch *own_scratch(bool shared)
{
    pthread_once(&own_once, own_key_make);
    struct scratch *own = pthread_getspecific(own_key);
    if (!own) {
        own = memory_new(2, sizeof *own);
        CHECK(pthread_setspecific(own_key, own) == 0);
    }
    return &own[shared];
}

void *pool_scratch(struct pool *pool, int worker, size_t bytes)
{
    if (bytes == 0) bytes = 1;
    if (!pool) return scratch_reserve(own_scratch(worker == POOL_SHARED), bytes);
    CHECK(worker >= POOL_SHARED && worker < pool->threads);
    if (worker == POOL_SHARED) return scratch_reserve(&pool->shared, bytes);
    return scratch_reserve(&pool->workers[worker].scratch, bytes);
}

/* ---- a pool's life ---- */

static void join_workers(struct pool *pool, int started)
{
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->closing, true);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < started; i++) pthread_join(pool->workers[i].thread, NULL);
}

static void pool_free(struct pool *pool)
{
    for (int i = 0; i < pool->threads; i++)
        pages_free(pool->workers[i].scratch.memory, pool->workers[i].scratch.size);
    pages_free(pool->shared.memory, pool->shared.size);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->end);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

static void *aligned_new(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    CHECK(memory);
    return memory;
}

enum status pool_open(struct pool **out, int threads, struct error *err)
{
    *out = NULL;
    if (threads < 1 || threads > POOL_THREADS_LIMIT)
        return error_set(err, STATUS_USAGE, _("threads: %d, but they are from 1 to %d"), threads,
                         POOL_THREADS_LIMIT);
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct pool *pool = aligned_new(sizeof *pool);
    *pool = (struct pool){.threads = threads};
    pool->spins = threads <= processors ? SPINS : 0; /* who spins here keeps another from working */
    pool->workers = aligned_new((size_t)threads * sizeof *pool->workers);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->end, NULL);
    for (int i = 0; i < threads; i++) pool->workers[i] = (struct worker){.pool = pool, .index = i};

    for (int i = 1; i < threads; i++) {
        if (pthread_create(&pool->workers[i].thread, NULL, run_worker, &pool->workers[i]) == 0)
            continue;
        join_workers(pool, i);
        pool_free(pool);
        return error_set(err, STATUS_LIMIT, _("threads: the system gave %d of %d"), i, threads);
    }
    *out = pool;
    return STATUS_OK;
}

void pool_close(struct pool *pool)
{
    if (!pool) return;
    join_workers(pool, pool->threads);
    pool_free(pool);
}
