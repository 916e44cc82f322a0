/* pool.h -- several threads that work through a list of tasks.
 *
 *   pool_run(pool, task, context, 5)      caller    0 . . 3 .
 *                                         worker 1  . 1 . . 4
 *                                         worker 2  . . 2 . .
 *
 * The caller is worker 0 and works too. Who gets which task is chance, so results do not depend on the
 * number of threads exactly when a task's result depends on its index alone: cut the work by shapes,
 * never by pool_threads(), and combine sums across tasks in the order of their indices.
 *
 * Promises: pool_run allocates nothing; a worker that the system keeps waiting delays only the task
 * that it holds. One pool serves one caller at a time.
 * Does not know: what is computed.
 * Tests: tests/base/pool_test.c
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/error.h"

enum { POOL_THREADS_LIMIT = 256, POOL_SHARED = -1 };

struct pool;

/* threads in 1..POOL_THREADS_LIMIT, the caller counts as one. STATUS_USAGE, STATUS_LIMIT. */
MUST_CHECK enum status pool_open(struct pool **out, int threads, struct error *err);
void pool_close(struct pool *pool); /* harmless on NULL */

/* How many work, the caller included; NULL: 1. */
int pool_threads(const struct pool *pool);

/* Call task(context, i, worker) once for each i in 0..n-1, in any order, on any thread; returns when
 * all are done. `worker` is 0..threads-1. NULL pool: in order, here, as worker 0. A task must not run
 * tasks on the same pool; on NULL it may. */
void pool_run(struct pool *pool, void (*task)(void *context, int i, int worker), void *context,
              int n);

/* Scratch memory of one worker (or POOL_SHARED: one more, of the whole pool), aligned to 64 bytes,
 * of at least `bytes`. It is the same memory at every call, its contents are whatever the last user
 * left, and a call that asks for more than ever before moves it. Aborts when out of memory.
 * NULL pool: the calling thread's own, freed when the thread ends. POOL_SHARED may be asked for by
 * the caller only, between runs. */
void *pool_scratch(struct pool *pool, int worker, size_t bytes);

#endif
