#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/landlock.h"

static const char *stage = "";

const char *confine_stage(void) { return stage; }

/* ---- what was asked for ---- */

enum { PATH_LIMIT = 128 };

struct wishes {
    struct {
        int resource;
        uint64_t value;
    } limit[8];
    int n_limits;
    bool no_fork, no_signals, strict;
    const char *path[PATH_LIMIT];
    bool writable[PATH_LIMIT];
    int n_paths;
};

static const struct {
    const char *name;
    int resource;
} limit_options[] = {
    {"--cpu", RLIMIT_CPU},         {"--address-space", RLIMIT_AS}, {"--data", RLIMIT_DATA},
    {"--file", RLIMIT_FSIZE},      {"--files", RLIMIT_NOFILE},     {"--stack", RLIMIT_STACK},
    {"--processes", RLIMIT_NPROC},
};

static int number_read(uint64_t *out, const char *word)
{
    char *end = NULL;
    errno = 0;
    if (*word < '0' || *word > '9') return EINVAL;
    *out = strtoull(word, &end, 10);
    return errno ? errno : *end ? EINVAL : 0;
}

static int option_with_value(struct wishes *wishes, const char *name, const char *value)
{
    if (strcmp(name, "--read") == 0 || strcmp(name, "--write") == 0) {
        if (wishes->n_paths == PATH_LIMIT) return E2BIG;
        wishes->path[wishes->n_paths] = value;
        wishes->writable[wishes->n_paths++] = name[2] == 'w';
        return 0;
    }
    for (size_t i = 0; i < sizeof limit_options / sizeof *limit_options; i++) {
        if (strcmp(name, limit_options[i].name) != 0) continue;
        if (wishes->n_limits == 8) return E2BIG;
        wishes->limit[wishes->n_limits].resource = limit_options[i].resource;
        return number_read(&wishes->limit[wishes->n_limits++].value, value);
    }
    return EINVAL;
}

static int options_read(struct wishes *wishes, int argc, const char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--no-fork") == 0) {
            wishes->no_fork = true;
        } else if (strcmp(argv[i], "--no-signals") == 0) {
            wishes->no_signals = true;
        } else if (strcmp(argv[i], "--strict") == 0) {
            wishes->strict = true;
        } else {
            if (i + 1 == argc) return EINVAL;
            const int failed = option_with_value(wishes, argv[i], argv[i + 1]);
            if (failed) return failed;
            i++;
        }
    }
    return 0;
}

/* ---- resource limits ---- */

static int limit_set(int resource, uint64_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return errno;

    /* Never more than we were given; the second of grace lets SIGXCPU come first. */
    const rlim_t hard = resource == RLIMIT_CPU ? value + 1 : value;
    struct rlimit wanted = {.rlim_cur = value, .rlim_max = hard};
    if (now.rlim_max < wanted.rlim_max) wanted.rlim_max = now.rlim_max;
    if (wanted.rlim_max < wanted.rlim_cur) wanted.rlim_cur = wanted.rlim_max;
    return setrlimit(resource, &wanted) != 0 ? errno : 0;
}

static int limits_apply(const struct wishes *wishes)
{
    /* 1, not 0: a core_pattern that is a pipe starts its program, as root on the host, at 0 as
     * well. 1 is the kernel's own mark for "no core at all"; no file is that short. */
    int failed = limit_set(RLIMIT_CORE, 1);
    for (int i = 0; !failed && i < wishes->n_limits; i++)
        failed = limit_set(wishes->limit[i].resource, wishes->limit[i].value);
    return failed;
}

/* ---- seccomp: what nobody's solution needs ---- */

static const char *const denied_always[] = {
    /* other processes' memory and descriptors */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "kcmp", "pidfd_open", "pidfd_getfd", "pidfd_send_signal",
    /* keys, and the parts of the kernel with the longest record of holes */
    "keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "bpf", "perf_event_open", "userfaultfd", "vmsplice", "modify_ldt", "lookup_dcookie",
    "nfsservctl", "uselib", "vm86", "vm86old",
    /* mounts, roots, namespaces */
    "mount", "umount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount",
    "fspick", "mount_setattr", "pivot_root", "chroot", "unshare", "setns",
    /* the machine */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "create_module", "swapon", "swapoff", "reboot", "settimeofday", "clock_settime",
    "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "stime", "personality",
    "quotactl", "quotactl_fd", "syslog", "acct", "vhangup", "iopl", "ioperm", "sethostname",
    "setdomainname", "_sysctl", "sysfs", "ustat", "migrate_pages", "move_pages",
    /* a run stays the one process group that its keepers can end in one stroke */
    "setsid", "setpgid",
    /* files without their path */
    "open_by_handle_at", "name_to_handle_at", "fanotify_init", "fanotify_mark",
    /* memory that no resident size shows, and that may outlive its maker */
    "memfd_create", "memfd_secret", "shmget", "shmat", "shmctl", "shmdt", "semget", "semop",
    "semctl", "semtimedop", "msgget", "msgsnd", "msgrcv", "msgctl", "ipc", "mq_open", "mq_unlink"};

static const char *const denied_network[] = {"socket", "socketpair", "socketcall", "connect",
                                             "bind",   "listen",     "accept",     "accept4"};

/* Where the file system is not a list of our own: what Landlock does not watch. */
static const char *const denied_strict[] = {
    "truncate",         "truncate64",   "chown",    "chown32",     "lchown",     "lchown32",
    "fchown",           "fchown32",     "fchownat", "utime",       "utimes",     "utimensat",
    "utimensat_time64", "futimesat",    "setxattr", "lsetxattr",   "fsetxattr",  "removexattr",
    "lremovexattr",     "fremovexattr", "execveat", "setpriority", "ioprio_set", "openat2"};

static const char *const denied_chmod[] = {"chmod", "fchmod", "fchmodat", "fchmodat2"};

static const char *const denied_signals[] = {"kill", "tkill", "tgkill", "rt_sigqueueinfo",
                                             "rt_tgsigqueueinfo"};

enum { FIRST_UNKNOWN_CALL = 451, LAST_UNKNOWN_CALL = 511 };

static int deny_number(scmp_filter_ctx filter, int call, int number)
{
    return -seccomp_rule_add_exact(filter, SCMP_ACT_ERRNO((uint32_t)number), call, 0);
}

/* Names that this machine or this libseccomp does not have are not there to be called. */
static int call_number(const char *name)
{
    const int call = seccomp_syscall_resolve_name(name);
    return call < 0 ? -1 : call;
}

static int deny(scmp_filter_ctx filter, const char *const *names, size_t n, int number)
{
    for (size_t i = 0; i < n; i++) {
        const int call = call_number(names[i]);
        const int failed = call < 0 ? 0 : deny_number(filter, call, number);
        if (failed) return failed;
    }
    return 0;
}
#define DENY(filter, names, number) deny(filter, names, sizeof(names) / sizeof *(names), number)

static int deny_when(scmp_filter_ctx filter, const char *name, struct scmp_arg_cmp argument)
{
    const int call = call_number(name);
    if (call < 0) return 0;
    return -seccomp_rule_add_exact_array(filter, SCMP_ACT_ERRNO(EPERM), call, 1, &argument);
}

/* An int argument: the kernel ignores its upper half, so must we. */
static struct scmp_arg_cmp int_is(unsigned position, unsigned value)
{
    return (struct scmp_arg_cmp){position, SCMP_CMP_MASKED_EQ, 0xffffffff, value};
}

static struct scmp_arg_cmp bits_are(unsigned position, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){position, SCMP_CMP_MASKED_EQ, mask, value};
}

/* All 64 bits are compared here: rubbish in the upper half is denied as well. */
static int deny_unless_int(scmp_filter_ctx filter, const char *name, unsigned position,
                           unsigned value)
{
    return deny_when(filter, name, (struct scmp_arg_cmp){position, SCMP_CMP_NE, value, 0});
}

static int deny_new_namespaces(scmp_filter_ctx filter)
{
    static const uint64_t flags[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                     CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
    int failed = 0;
    for (size_t i = 0; !failed && i < sizeof flags / sizeof *flags; i++)
        failed = deny_when(filter, "clone", bits_are(0, flags[i], flags[i]));
    return failed;
}

/* libc falls back to clone(), whose flags a filter can see; and a kernel newer
 * than this list has calls that this list cannot judge. */
static int deny_unknown(scmp_filter_ctx filter)
{
    int failed = 0;
    const int clone3 = call_number("clone3");
    if (clone3 >= 0) failed = deny_number(filter, clone3, ENOSYS);
    for (int call = FIRST_UNKNOWN_CALL; !failed && call <= LAST_UNKNOWN_CALL; call++)
        failed = deny_number(filter, call, ENOSYS);
    return failed;
}

static int deny_terminal_input(scmp_filter_ctx filter)
{
    const int failed = deny_when(filter, "ioctl", int_is(1, TIOCSTI));
    return failed ? failed : deny_when(filter, "ioctl", int_is(1, TIOCLINUX));
}

static int deny_fork(scmp_filter_ctx filter)
{
    static const char *const forks[] = {"fork", "vfork"};
    int failed = DENY(filter, forks, EPERM);
    if (!failed) failed = deny_when(filter, "clone", bits_are(0, CLONE_THREAD, 0));
    /* from here on this process is the last: its death with its parent stays arranged */
    if (!failed) failed = deny_when(filter, "prctl", int_is(0, PR_SET_PDEATHSIG));
    return failed;
}

/* kill(0), kill(-1) and every other process; abort() and raise() go on working. */
static int deny_signals_to_others(scmp_filter_ctx filter)
{
    const unsigned self = (unsigned)getpid();
    int failed = 0;
    for (size_t i = 0; !failed && i < sizeof denied_signals / sizeof *denied_signals; i++)
        failed = deny_unless_int(filter, denied_signals[i], 0, self);
    return failed;
}

static int deny_strict(scmp_filter_ctx filter, const struct wishes *wishes)
{
    int failed = DENY(filter, denied_strict, EPERM);
    /* The linker marks its result executable. Nothing of the candidate's runs beside it. */
    if (!failed && wishes->no_fork) failed = DENY(filter, denied_chmod, EPERM);
    /* truncation through a read-only open: not watched before Landlock ABI 3 */
    const uint64_t mask = O_TRUNC | O_ACCMODE;
    if (!failed) failed = deny_when(filter, "open", bits_are(1, mask, O_TRUNC | O_RDONLY));
    if (!failed) failed = deny_when(filter, "openat", bits_are(2, mask, O_TRUNC | O_RDONLY));
    /* signals by way of a descriptor's owner */
    if (!failed) failed = deny_when(filter, "fcntl", int_is(1, F_SETOWN));
    if (!failed) failed = deny_when(filter, "fcntl", int_is(1, F_SETOWN_EX));
    /* the limits and the scheduling of other processes of the same user */
    static const char *const by_pid[] = {"prlimit64", "sched_setscheduler", "sched_setparam",
                                         "sched_setattr", "sched_setaffinity"};
    for (size_t i = 0; !failed && i < sizeof by_pid / sizeof *by_pid; i++)
        failed = deny_unless_int(filter, by_pid[i], 0, 0);
    return failed;
}

static int filter_fill(scmp_filter_ctx filter, const struct wishes *wishes)
{
    int failed = -seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    /* 2: a binary tree over call numbers; libseccomp before 2.5 has only the list */
    if (!failed) seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!failed) failed = DENY(filter, denied_always, EPERM);
    if (!failed) failed = DENY(filter, denied_network, EACCES);
    if (!failed) failed = deny_new_namespaces(filter);
    if (!failed) failed = deny_unknown(filter);
    if (!failed) failed = deny_terminal_input(filter);
    if (!failed && wishes->no_signals) failed = DENY(filter, denied_signals, EPERM);
    if (!failed && wishes->no_fork) failed = deny_fork(filter);
    if (!failed && wishes->no_fork && !wishes->no_signals) failed = deny_signals_to_others(filter);
    if (!failed && wishes->strict) failed = deny_strict(filter, wishes);
    return failed;
}

static int filter_apply(const struct wishes *wishes)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter) return ENOMEM;
    int failed = filter_fill(filter, wishes);
    if (!failed) failed = -seccomp_load(filter);
    seccomp_release(filter);
    return failed;
}

int confine_apply(int argc, const char *const *argv)
{
    struct wishes wishes = {0};

    stage = "options";
    int failed = options_read(&wishes, argc, argv);
    if (failed) return failed;

    stage = "limits";
    failed = limits_apply(&wishes);
    if (failed) return failed;

    stage = "no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;

    /* A second --no-fork finds this call denied: the first has arranged it. */
    stage = "parent death signal";
    if (wishes.no_fork && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 && errno != EPERM)
        return errno;

    stage = "landlock";
    failed = landlock_apply(wishes.path, wishes.writable, wishes.n_paths, wishes.strict);
    if (failed) return failed;

    stage = "seccomp";
    return filter_apply(&wishes);
}
