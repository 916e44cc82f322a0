/* supervisor.h -- the process between us and the stranger's program.
 *
 *   lcx --control--> supervisor --> bwrap --> lcx-confine (process 1) --> program
 *       <--report---            \-> lcx-confine -> program       (without namespaces)
 *
 * The chain is one process group, which the program cannot leave: one signal ends it, and no
 * fork escapes it. Without namespaces, where the program may fork, lcx-confine stays above it as
 * the guard: it ends the group when this process is killed.
 *
 * It reads the output with a cap, adds up the memory of all descendants every
 * 20 ms, watches the clocks, and when the program, a limit or lcx ends the run it
 * kills and reaps every descendant before it reports.
 *
 * Promises:
 *   1. No descendant is alive when the report is written.
 *   2. When lcx dies (end of file on `control`), everything dies.
 *   3. After fork() it allocates nothing and takes no lock: lcx may have threads.
 *
 * Does not know: namespaces, Landlock; it starts what it is told to.
 * Tests: tests/sandbox/sandbox_test.c, tests/sandbox/attack_test.c
 */
#ifndef SANDBOX_SUPERVISOR_H
#define SANDBOX_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/sandbox.h"

struct supervisor_plan {
    struct sandbox_profile profile;
    char *const *argv; /* the whole chain, absolute */
    char *const *environment;
    const char *folder;
    bool drop; /* we are uid 0: become uid and gid `owner` first */
    uid_t owner;
    bool init;           /* the program is the child's child: its end comes as CONFINE_ENDED */
    int n_guards;        /* processes of the chain that are not the program's */
    bool private_mounts; /* stage[] is bound in a mount namespace of our own */
    const char *stage_folder;
    const char *const *stage_from;        /* NULL terminated; bound on stage_folder/0, 1, ... */
    const char *cgroup;                   /* a folder made for this run, or NULL */
    int control, report, channel, helper; /* channel: -1 for none */
    pid_t parent;
};

/* What goes over the report pipe, followed by `output_kept` bytes of output. */
struct supervisor_report {
    uint32_t magic;
    bool started, ended, killed, cut; /* killed: lcx asked for it */
    int32_t wait_status;
    int32_t failed_errno;
    char failed_stage[40];
    enum sandbox_limit limit;
    double limit_value, used_value;
    int64_t cpu_us, wall_ns;
    uint64_t peak_bytes;
    uint64_t output_total, output_kept, output_head;
};
#define SUPERVISOR_MAGIC 0x4c435853U

/* Run the plan in this process, which was forked for it. */
_Noreturn void supervisor_run(const struct supervisor_plan *plan);

#endif
