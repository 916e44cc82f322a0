/* sandbox.h -- run a stranger's program with limits, and report the facts.
 *
 *   layer 1   own session, closed descriptors, cleared environment, no_new_privs,
 *             rlimits, seccomp, a supervisor that finds and kills every descendant
 *   layer 2   bubblewrap: user, mount, pid, net, ipc, uts namespaces; the file system
 *             is a list: /usr, the loader's cache, what `readable` names, the attempt
 *   layer 3   Landlock and a stricter seccomp filter, where namespaces are refused
 *   layer 4   cgroup v2 limits, where a group is delegated to us
 *
 * Layers 2 and 3: one of them is needed, else a run is refused unless it is `unsafe`.
 *
 * Promises, each with an attack in tests/sandbox/attack_test.c:
 *   1. When sandbox_finish() returns, nothing of the run is alive, and no mount is left. When it
 *      says that the supervisor was killed, a namespace may take a moment more.
 *   2. When lcx or the supervisor dies, however it dies, so does the run, at once and without a
 *      sweep: a namespace by the kernel's hand; without namespaces the run is one process group
 *      that it cannot leave, which the supervisor, lcx or a guard ends in one stroke, whichever is
 *      left. How soon the dead are gone is up to the scheduler: a storm of hundreds of processes
 *      on two cores took less than a second. Only when all three are killed in the same instant
 *      do processes stay, behind their walls, until sandbox_sweep() at the next start: as uid 0
 *      it ends all that the run's uid has, else those that work in the attempt's folder and
 *      their group, so a plain user's group of which no process stands there stays. The sweep
 *      also removes the folder.
 *   3. The program reads the system's libraries, its folder and what it was
 *      given; it writes its folder; it reaches no network and no other process.
 *   4. Started by uid 0, nothing of the run has uid 0.
 *
 * Does not know: drills, lanes, verdicts; whether a result is right.
 * Tests: tests/sandbox/
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

enum sandbox_limit {
    SANDBOX_LIMIT_NONE,
    SANDBOX_LIMIT_CPU,       /* values in seconds */
    SANDBOX_LIMIT_WALL,      /* seconds */
    SANDBOX_LIMIT_MEMORY,    /* MiB */
    SANDBOX_LIMIT_FILE,      /* MiB: one file, or all of the folder */
    SANDBOX_LIMIT_OUTPUT,    /* KiB */
    SANDBOX_LIMIT_PROCESSES, /* processes alive at once */
};

struct sandbox_profile {
    const char *name;
    double cpu_s, wall_s;       /* 0: none; the caller bounds each piece of work */
    uint64_t memory_bytes;      /* resident, all descendants together; and as `memory_rule` says */
    uint64_t file_bytes;        /* one file; a folder may hold four times that */
    uint64_t output_bytes;      /* kept of stdout and stderr: the beginning and the end */
    uint64_t output_stop_bytes; /* the run ends when it has written this much; 0: never */
    int processes;              /* 1: no fork; threads only */
    enum { SANDBOX_MEMORY_AS, SANDBOX_MEMORY_DATA, SANDBOX_MEMORY_POLLED } memory_rule;
};

/* compile: gcc, as, ld. c, numpy, torch: a program by itself. c_sanitized: the same
 * under AddressSanitizer, which needs address space without end (leaks are not
 * looked for: that takes ptrace). worker: our own Python process, which imports a library
 * once, forks, and confines each child with libconfine.so (sandbox/confine.h). */
extern const struct sandbox_profile sandbox_profile_compile, sandbox_profile_c,
    sandbox_profile_c_sanitized, sandbox_profile_numpy, sandbox_profile_torch,
    sandbox_profile_worker;

struct sandbox_request {
    const struct sandbox_profile *profile;
    const char *const *argv;        /* absolute program path; NULL terminated */
    const char *const *environment; /* NAME=value; NULL terminated; may be NULL. Nothing else
                                       is inherited. PATH, HOME, TMPDIR, LANG=C.UTF-8 and one
                                       BLAS thread are set unless named here */
    const char *folder;             /* the attempt's, from sandbox_folder_new(): writable, the
                                       working directory, the same path inside and outside */
    const char *const *readable;    /* more files and folders, at the same path inside; NULL
                                       terminated; may be NULL */
    bool channel;                   /* the child gets one end of a stream socket pair as 3 */
    bool unsafe;                    /* run with layer 1 alone when there is no 2 and no 3 */
};

enum sandbox_walls { SANDBOX_WALLS_NONE, SANDBOX_WALLS_LANDLOCK, SANDBOX_WALLS_NAMESPACES };

struct sandbox {
    int channel;      /* our end, or -1; the caller may close it and set it to -1 */
    int control;      /* closing it ends the run */
    int report;       /* the supervisor's facts come here */
    pid_t supervisor; /* 0: nothing is running */
    enum sandbox_walls walls;
    struct sandbox_profile profile;
    char *cgroup;    /* or NULL */
    char *temporary; /* the private /tmp, in the attempt's folder; removed at the end */
};

struct sandbox_report {
    bool exited; /* else ended by `signal` */
    int code;
    int signal;
    enum sandbox_limit limit;       /* what ended the run, when a limit did */
    double limit_value, used_value; /* in the unit of the limit, see above */
    double cpu_ms, wall_ms;         /* of the program, without our own start and end */
    uint64_t memory_peak_bytes;     /* the largest sum seen */
    struct text output;             /* stdout and stderr together */
    bool output_cut;
    enum sandbox_walls walls; /* what the run was behind */
};

/* Where lcx-confine and libconfine.so lie; copied. Call once, before threads and runs.
 * Without it: the folder of the installation. */
void sandbox_init(const char *helper_folder);

/* Behave as on a machine without namespaces, or without Landlock as well; for tests. */
enum sandbox_pretend { SANDBOX_AS_IS, SANDBOX_NO_NAMESPACES, SANDBOX_NO_WALLS };
void sandbox_pretend(enum sandbox_pretend pretend);

/* Start the program and return at once. `sandbox` must afterwards go through
 * sandbox_finish(), once, whatever happened in between; not after an error here.
 * STATUS_UNAVAILABLE, with the reason and the remedy, when neither layer 2 nor 3
 * can be had; STATUS_USAGE for a request that contradicts itself. */
MUST_CHECK enum status sandbox_start(struct sandbox *sandbox, const struct sandbox_request *request,
                                     struct error *err);

/* What a child of a running worker must give up: the options of confine_apply(), one
 * a line, for the walls that the worker is behind. `profile` is the child's
 * (sandbox_profile_numpy, ...); `readable` what it may read besides the system's
 * libraries, as in a request (the interpreter's prefix; not the worker's own folder);
 * `folder` what it may write, or NULL: nothing, so that one child leaves nothing to the
 * next. The caller frees it. */
char *sandbox_child_options(const struct sandbox *worker, const struct sandbox_profile *profile,
                            const char *const *readable, const char *folder);

/* Wait for the end, with the limits enforced; then kill and reap what is left, and
 * collect. An error means that we failed (the program could not be started, the
 * supervisor was killed), never that the program did. Closes the channel. The
 * report is valid after STATUS_OK only; release it with sandbox_report_done(). */
MUST_CHECK enum status sandbox_finish(struct sandbox *sandbox, struct sandbox_report *report,
                                      struct error *err);

/* Ask for the end now; then sandbox_finish(). Harmless on what has ended. */
void sandbox_kill(struct sandbox *sandbox);

void sandbox_report_done(struct sandbox_report *report);

/* "CPU time", "memory" ... in the user's language; and the unit of its values. */
const char *sandbox_limit_name(enum sandbox_limit limit);
const char *sandbox_limit_unit(enum sandbox_limit limit);

/* For doctor: each layer, present or not, why, and the command that mends it.
 * Returns how many were written. */
struct sandbox_layer {
    const char *name;
    bool present;
    char detail[256];
    char mend[256];
};
enum { SANDBOX_LAYERS = 5 };
int sandbox_probe(struct sandbox_layer *layers, int capacity);

/* A fresh folder for one attempt, below `parent` (NULL: below a folder of our own in
 * the system's /tmp, made when missing). It belongs to the uid that the run
 * will have; its name carries our pid and start time. The caller frees *path. */
MUST_CHECK enum status sandbox_folder_new(char **path, const char *parent, struct error *err);

/* Remove a folder from sandbox_folder_new() and all that was left in it, however deep and
 * whatever its modes. Follows no link. */
MUST_CHECK enum status sandbox_folder_remove(const char *path, struct error *err);

/* Whether a run's user can read `path` where it lies: uid 0 runs strangers' code as another, which
 * may be shut out of a folder above. Behind namespaces the file is brought to the run. */
bool sandbox_reaches(const char *path);

/* Where a run can read our file `path`: there, or, when it cannot be reached, as a copy in *stage,
 * a folder made for it below `parent` (as sandbox_folder_new()'s) when *stage is NULL. The folder
 * and the copies are ours; a run may read them, not write. Remove it with
 * sandbox_folder_remove(); after a kill sandbox_sweep() does. The caller frees *place and *stage. */
MUST_CHECK enum status sandbox_stage(char **place, char **stage, const char *path,
                                     const char *parent, struct error *err);

/* Remove the folders of runs whose lcx is dead, and end what may be left of them. */
MUST_CHECK enum status sandbox_sweep(const char *parent, struct error *err);

/* Append one result file of an ended run to `out`: `name` is looked up directly
 * in `folder`; a link of either kind, a device or a pipe is refused
 * (STATUS_FORMAT), as is more than `limit_bytes` (STATUS_LIMIT). */
MUST_CHECK enum status sandbox_collect(struct text *out, const char *folder, const char *name,
                                       size_t limit_bytes, struct error *err);

#endif
