/* confine.h -- a process gives up what it will not need, for ever.
 *
 *   lcx-confine OPTIONS -- PROGRAM ...    in a fresh process, before execve
 *   libconfine.so: confine_apply()        in a process that has forked itself
 *
 * The order inside is fixed: resource limits, no_new_privs, Landlock, seccomp.
 * Nothing here can be undone, and a second call only ever takes more away.
 *
 *   --cpu S              seconds of CPU of this process: SIGXCPU, a second later SIGKILL
 *   --address-space B    RLIMIT_AS           --data B       RLIMIT_DATA
 *   --file B             bytes of one file   --files N      open descriptors
 *   --processes N        RLIMIT_NPROC        --stack B      bytes of stack
 *   --no-fork            no new process; threads only; signals reach only this process
 *   --no-signals         may start processes, but send no signal at all
 *   --strict             also deny what Landlock cannot; Landlock is then mandatory
 *   --read PATH          Landlock: may read and execute below PATH     (repeatable)
 *   --write PATH         Landlock: may also change what is below PATH  (repeatable)
 *
 * Without --read and --write there are no Landlock file rules. A missing --read
 * path is skipped: less may be read, never more.
 *
 * Does not know: namespaces, profiles, who watches from outside.
 * Tests: tests/sandbox/confine_test.c, tests/sandbox/attack_test.c
 */
#ifndef SANDBOX_CONFINE_H
#define SANDBOX_CONFINE_H

#include <stdint.h>
#include <sys/types.h>

/* Confine the calling process, which must have one thread. `argv` holds the
 * options above. 0, or an errno value; what failed is then confine_stage().
 * After an error the process must end: a part may already be in force. */
int confine_apply(int argc, const char *const *argv);

/* What confine_apply() was doing when it failed: "limits", "landlock", ... */
const char *confine_stage(void);

/* What lcx-confine writes to its --status descriptor, one message a write. */
enum confine_event { CONFINE_STARTED = 1, CONFINE_FAILED, CONFINE_ENDED };

struct confine_message {
    uint32_t event;
    int32_t number;  /* FAILED: errno; ENDED: the status from wait() */
    int64_t cpu_us;  /* ENDED: user and system time of the program and its children */
    int64_t peak_kb; /* ENDED: largest resident size */
    char stage[40];  /* FAILED: what was being done */
};

/* Descriptors of lcx-confine as the supervisor arranges them. */
enum {
    CONFINE_CHANNEL = 3, /* kept for the program with --channel */
    CONFINE_STATUS = 4,
    CONFINE_SELF = 5, /* the executable itself, which may lie where the new uid cannot reach */
    CONFINE_FIRST_FREE = 6,
};
enum { CONFINE_CHECK_ANSWER = 42 }; /* exit status of `lcx-confine --check` */

#endif
