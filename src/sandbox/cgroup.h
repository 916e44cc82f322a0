/* cgroup.h -- limits of a cgroup v2 group, where one was delegated to us.
 *
 *   our group, or the one above it, when all of this holds:
 *     it is ours (systemd marks it, for uid 0), and we may write its cgroup.procs
 *     cgroup.subtree_control lists memory and pids
 *   -> GROUP/lynx-cortex-PID-N with memory.max, memory.swap.max, pids.max
 *
 * The polled limits stay in force beside these; a group only makes them exact.
 * Nothing is taken that was not delegated: no controller is switched on here.
 *
 * Tests: tests/sandbox/cgroup_test.c
 */
#ifndef SANDBOX_CGROUP_H
#define SANDBOX_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* The delegated group's folder into `out` (PATH_MAX bytes), or false with the reason in
 * `why` (256 bytes). `mounts` and `membership` are /proc/self/mountinfo and
 * /proc/self/cgroup, or a test's own. */
bool cgroup_find(char *out, char *why, const char *mounts, const char *membership);

/* Make a group below `parent` with these limits; NULL when that fails. The
 * caller frees the path, and removes the group with cgroup_remove(). */
char *cgroup_new(const char *parent, uint64_t memory_bytes, int processes);

/* Remove the groups below `parent` whose maker is dead. */
void cgroup_sweep(const char *parent);

/* The rest allocates nothing. */
bool cgroup_enter(const char *group);                  /* this process */
void cgroup_kill(const char *group);                   /* every process in it */
bool cgroup_memory(const char *group, uint64_t *peak); /* true: the kernel killed for memory */
void cgroup_remove(const char *group);

#endif
