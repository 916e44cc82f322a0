/* descendants.h -- every process that comes from this one, however it hides.
 *
 * A process that forks twice, changes its session or outlives its parent still
 * hangs below its nearest subreaper, so a walk down from the subreaper finds it.
 * Nothing here allocates: it runs between fork() and _exit().
 *
 * Tests: tests/sandbox/attack_test.c
 */
#ifndef SANDBOX_DESCENDANTS_H
#define SANDBOX_DESCENDANTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { DESCENDANTS_LIMIT = 4096 };

struct descendants {
    pid_t pid[DESCENDANTS_LIMIT];
    int count;
};

/* List the descendants of this process, parents before children. */
void descendants_find(struct descendants *found);

/* The summed resident size, in bytes. */
uint64_t descendants_resident(const struct descendants *found);

/* Kill and reap until none is left. False when some are still there after
 * `patience_ms` (stuck in the kernel). */
bool descendants_kill(struct descendants *space, int patience_ms);

/* Kill every process of this session but its leader, which must not have been reaped; for when
 * the leader, a supervisor, is gone. False when some are still there after three seconds. */
bool descendants_kill_session(pid_t session);

/* Kill every process whose working directory is `folder` or below it; the same. */
bool descendants_kill_inside(const char *folder);

/* As uid 0: kill every process of a uid that is a run's alone, in one stroke. */
bool descendants_kill_owner(uid_t owner);

/* When the process began, in clock ticks since boot; 0 when there is none. */
uint64_t process_start_time(pid_t pid);

#endif
