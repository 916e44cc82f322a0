#include "sandbox/supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "sandbox/cgroup.h"
#include "sandbox/confine.h"
#include "sandbox/descendants.h"

enum {
    TICK_MS = 20,
    TICKS_PER_DISK_CHECK = 5,
    FOLDER_ENTRIES_LIMIT = 4096,
    FOLDER_DEPTH_LIMIT = 24,
    FOLDER_FILES = 4, /* a folder may hold this many files of the largest size */
    START_PATIENCE_MS = 20000,
    KILL_PATIENCE_MS = 5000,
};

struct watch {
    const struct supervisor_plan *plan;
    struct supervisor_report report;
    struct descendants family;
    pid_t child;            /* the first of the chain */
    int output, status;     /* read ends; -1 when closed */
    int signals;            /* a signalfd */
    int folder;             /* for the disk check */
    uint64_t folder_before; /* bytes in it when we began */
    uint64_t own_bytes;     /* resident size of this process when it forked */
    char *kept;             /* profile.output_bytes: the head, then a ring for the tail */
    int64_t began_ns;       /* when the chain was started */
    int64_t started_ns;     /* when the program was */
    int64_t ended_ns;
    int ticks;
    bool over, orphaned, reaped; /* reaped: the child's number may be another's */
};

/* ---- in the child, before the first execve ---- */

_Noreturn static void child_fail(const char *stage)
{
    struct confine_message message = {.event = CONFINE_FAILED, .number = errno};
    strncpy(message.stage, stage, sizeof message.stage - 1);
    (void)!write(CONFINE_STATUS, &message, sizeof message);
    _exit(127);
}

/* Descriptors 0 to 5 as confine.h lists them, and no other. The sources are first moved
 * out of the way of their targets. */
static void child_descriptors(const struct supervisor_plan *plan, int output, int status)
{
    const int from[] = {
        open("/dev/null", O_RDONLY), output, output, plan->channel, status, plan->helper};
    int moved[6];
    for (int i = 0; i < 6; i++) moved[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD, 16);
    for (int i = 0; i < 6; i++) {
        if (moved[i] >= 0) dup2(moved[i], i);
        else close(i);
    }
    close_range(CONFINE_FIRST_FREE, ~0U, 0);
}

static void child_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Let the unprivileged uid reach what lies below folders closed to it: bind it where
 * it can look, in a mount namespace that only this child and its children see. */
static void child_stage(const struct supervisor_plan *plan)
{
    if (unshare(CLONE_NEWNS) != 0) child_fail("mount namespace");
    if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) != 0) child_fail("private mounts");
    if (mount("stage", plan->stage_folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") !=
        0)
        child_fail("stage");
    for (int i = 0; plan->stage_from[i]; i++) {
        char place[256];
        struct stat info;
        snprintf(place, sizeof place, "%s/%d", plan->stage_folder, i);
        if (stat(plan->stage_from[i], &info) != 0) child_fail("stage source");
        const int made =
            S_ISDIR(info.st_mode) ? mkdir(place, 0755) : mknod(place, S_IFREG | 0644, 0);
        if (made != 0) child_fail("stage place");
        if (mount(plan->stage_from[i], place, NULL, MS_BIND | MS_REC, NULL) != 0)
            child_fail("stage bind");
    }
}

static void child_drop(uid_t owner)
{
    if (setgroups(0, NULL) != 0) child_fail("setgroups");
    if (setresgid(owner, owner, owner) != 0) child_fail("setgid");
    if (setresuid(owner, owner, owner) != 0) child_fail("setuid");
}

_Noreturn static void child_run(const struct supervisor_plan *plan, pid_t supervisor, int output,
                                int status)
{
    setpgid(0, 0); /* the run's process group; the program cannot leave it */
    child_descriptors(plan, output, status);
    child_signals();
    umask(077);

    /* Ask the kernel to take this one first when memory runs out. May be refused. The
     * supervisor's closed memory would close the file as well. */
    prctl(PR_SET_DUMPABLE, 1);
    const int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        (void)!write(score, "1000", 4);
        close(score);
    }
    if (plan->cgroup && !cgroup_enter(plan->cgroup)) child_fail("cgroup");
    if (plan->private_mounts) child_stage(plan);
    if (plan->drop) child_drop(plan->owner);
    /* after the change of uid, which would clear it */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) child_fail("parent death signal");
    if (getppid() != supervisor) _exit(127);
    if (chdir(plan->folder) != 0 && !plan->private_mounts) child_fail("folder");
    execve(plan->argv[0], plan->argv, plan->environment);
    child_fail(plan->argv[0]);
}

/* ---- how the run ends ---- */

static double mebibytes(uint64_t bytes) { return (double)bytes / (1 << 20); }

static void limit_hit(struct watch *watch, enum sandbox_limit limit, double allowed, double used)
{
    if (watch->report.limit) return;
    watch->report.limit = limit;
    watch->report.limit_value = allowed;
    watch->report.used_value = used;
    watch->over = true;
}

static void program_ended(struct watch *watch, int wait_status)
{
    if (watch->report.ended) return;
    watch->report.ended = true;
    watch->report.wait_status = wait_status;
    watch->ended_ns = clock_steady_ns();
    watch->over = true;
}

/* A limit that the kernel enforces shows in the signal it sends. */
static void limit_from_signal(struct watch *watch)
{
    const struct sandbox_profile *profile = &watch->plan->profile;
    const int status = watch->report.wait_status;
    const double cpu_s = (double)watch->report.cpu_us / 1e6;

    if (!watch->report.ended || watch->report.limit || !WIFSIGNALED(status)) return;
    const bool out_of_cpu =
        WTERMSIG(status) == SIGXCPU ||
        (WTERMSIG(status) == SIGKILL && profile->cpu_s > 0 && cpu_s >= profile->cpu_s);
    if (out_of_cpu) /* which the kernel counts by ticks, a little unlike rusage */
        limit_hit(watch, SANDBOX_LIMIT_CPU, profile->cpu_s,
                  cpu_s > profile->cpu_s ? cpu_s : profile->cpu_s);
    else if (WTERMSIG(status) == SIGXFSZ)
        limit_hit(watch, SANDBOX_LIMIT_FILE, mebibytes(profile->file_bytes),
                  mebibytes(profile->file_bytes));
}

/* ---- what it says ---- */

static void output_keep(struct watch *watch, const char *bytes, size_t size)
{
    const uint64_t capacity = watch->plan->profile.output_bytes;
    const uint64_t head = watch->report.output_head;
    for (size_t i = 0; i < size; i++) {
        const uint64_t at = watch->report.output_total++;
        const uint64_t place =
            at < head || capacity == head ? at : head + (at - head) % (capacity - head);
        if (place < capacity) watch->kept[place] = bytes[i];
    }
}

static void output_read(struct watch *watch)
{
    const struct sandbox_profile *profile = &watch->plan->profile;
    char buffer[16384];
    for (int turn = 0; turn < 64 && watch->output >= 0; turn++) {
        const ssize_t n = read(watch->output, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            close(watch->output);
            watch->output = -1;
            return;
        }
        output_keep(watch, buffer, (size_t)n);
        if (profile->output_stop_bytes && watch->report.output_total > profile->output_stop_bytes) {
            limit_hit(watch, SANDBOX_LIMIT_OUTPUT, (double)profile->output_stop_bytes / 1024,
                      (double)watch->report.output_total / 1024);
            return;
        }
    }
}

static void message_take(struct watch *watch, const struct confine_message *message)
{
    switch (message->event) {
    case CONFINE_STARTED:
        watch->report.started = true;
        watch->started_ns = clock_steady_ns();
        break;
    case CONFINE_FAILED:
        watch->report.failed_errno = message->number;
        memcpy(watch->report.failed_stage, message->stage, sizeof message->stage);
        watch->report.failed_stage[sizeof watch->report.failed_stage - 1] = '\0';
        watch->over = true;
        break;
    case CONFINE_ENDED:
        watch->report.cpu_us = message->cpu_us;
        if ((uint64_t)message->peak_kb * 1024 > watch->report.peak_bytes)
            watch->report.peak_bytes = (uint64_t)message->peak_kb * 1024;
        program_ended(watch, message->number);
        break;
    default: break;
    }
}

static void status_read(struct watch *watch)
{
    struct confine_message message;
    for (;;) {
        const ssize_t n = read(watch->status, &message, sizeof message);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n != (ssize_t)sizeof message) break;
        message_take(watch, &message);
    }
    close(watch->status);
    watch->status = -1;
}

/* ---- what it uses ---- */

/* Bytes and entries below `folder`, by blocks, without following links. A tree deeper or
 * wider than anyone's result counts as full. */
static uint64_t folder_bytes(int folder, int depth, int *entries)
{
    char buffer[4096] __attribute__((aligned(8)));
    uint64_t sum = 0;

    lseek(folder, 0, SEEK_SET);
    for (;;) {
        const long size = syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (size <= 0) break;
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
            const char *name = entry->d_name;
            struct stat info;
            at += entry->d_reclen;
            if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
            if (++*entries > FOLDER_ENTRIES_LIMIT) return UINT64_MAX / 2;
            if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
            sum += (uint64_t)info.st_blocks * 512;
            if (!S_ISDIR(info.st_mode)) continue;
            if (depth == FOLDER_DEPTH_LIMIT) return UINT64_MAX / 2;
            const int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (inner < 0) continue;
            sum += folder_bytes(inner, depth + 1, entries);
            close(inner);
            if (sum >= UINT64_MAX / 2) return UINT64_MAX / 2;
        }
    }
    return sum;
}

static void disk_check(struct watch *watch)
{
    const uint64_t allowed = watch->plan->profile.file_bytes * FOLDER_FILES;
    int entries = 0;
    if (watch->folder < 0 || allowed == 0) return;
    const uint64_t used = folder_bytes(watch->folder, 0, &entries);
    if (used <= watch->folder_before + allowed) return;
    /* too many entries to count: say that it is full */
    const uint64_t grown = used >= UINT64_MAX / 2 ? allowed : used - watch->folder_before;
    limit_hit(watch, SANDBOX_LIMIT_FILE, mebibytes(allowed), mebibytes(grown));
}

static void memory_check(struct watch *watch)
{
    const struct sandbox_profile *profile = &watch->plan->profile;
    struct descendants *family = &watch->family;

    descendants_find(family);
    const int guards =
        watch->plan->n_guards < family->count ? watch->plan->n_guards : family->count;
    family->count -= guards;
    memmove(family->pid, family->pid + guards, (size_t)family->count * sizeof *family->pid);

    const uint64_t used = descendants_resident(family);
    if (used > watch->report.peak_bytes) watch->report.peak_bytes = used;
    if (profile->memory_bytes && used > profile->memory_bytes)
        limit_hit(watch, SANDBOX_LIMIT_MEMORY, mebibytes(profile->memory_bytes), mebibytes(used));
    if (profile->processes && family->count > profile->processes)
        limit_hit(watch, SANDBOX_LIMIT_PROCESSES, profile->processes, family->count);
}

static void clock_check(struct watch *watch)
{
    const double wall_s = watch->plan->profile.wall_s;
    const int64_t now = clock_steady_ns();
    if (!watch->report.started) {
        if (now - watch->began_ns > (int64_t)START_PATIENCE_MS * 1000000) {
            watch->report.failed_errno = ETIMEDOUT;
            strcpy(watch->report.failed_stage, "start");
            watch->over = true;
        }
        return;
    }
    const double used = (double)(now - watch->started_ns) / 1e9;
    if (wall_s > 0 && used > wall_s) limit_hit(watch, SANDBOX_LIMIT_WALL, wall_s, used);
}

static void tick(struct watch *watch)
{
    clock_check(watch);
    if (!watch->report.started || watch->over) return;
    memory_check(watch);
    if (!watch->over && watch->ticks++ % TICKS_PER_DISK_CHECK == TICKS_PER_DISK_CHECK - 1)
        disk_check(watch);
}

/* ---- who ends ---- */

/* One stroke: the kernel makes no fork while it signals a group, so none slips through. */
static void group_kill(const struct watch *watch)
{
    if (watch->child > 0 && !watch->reaped) kill(-watch->child, SIGKILL);
}

static void reap(struct watch *watch)
{
    struct rusage used;
    int status;
    for (;;) {
        siginfo_t ended = {0};
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) break;
        const pid_t pid = ended.si_pid;
        /* while its number is still taken, and so is the group's */
        if (pid == watch->child) group_kill(watch);
        if (wait4(pid, &status, WNOHANG, &used) != pid) break;
        if (pid != watch->child) continue;
        watch->reaped = true;
        /* In a namespace the exact end has been told by process 1, just before. */
        if (watch->status >= 0) status_read(watch);
        if (!watch->plan->init && watch->report.started) {
            const uint64_t peak = (uint64_t)used.ru_maxrss * 1024;
            /* the largest size includes our own image, before execve */
            if (peak > watch->report.peak_bytes && peak > watch->own_bytes)
                watch->report.peak_bytes = peak;
            program_ended(watch, status);
        }
        watch->over = true;
    }
}

static void signals_read(struct watch *watch)
{
    struct signalfd_siginfo info;
    while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            reap(watch);
        } else if (getppid() != watch->plan->parent) {
            /* not merely the thread that started us */
            watch->orphaned = true;
            watch->over = true;
        }
    }
}

static void control_read(struct watch *watch)
{
    char word;
    const ssize_t n = read(watch->plan->control, &word, 1);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    watch->orphaned = n <= 0;
    watch->report.killed = n > 0;
    watch->over = true;
}

/* ---- the supervisor itself ---- */

static int signals_open(void)
{
    sigset_t set;
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Close all but the plan's descriptors; the standard three become /dev/null. */
static void descriptors_close(const struct supervisor_plan *plan)
{
    int keep[] = {plan->control, plan->report, plan->channel, plan->helper};
    const int n = (int)(sizeof keep / sizeof *keep);

    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && keep[k - 1] > keep[k]; k--) {
            const int larger = keep[k - 1];
            keep[k - 1] = keep[k];
            keep[k] = larger;
        }
    int first = 3;
    for (int i = 0; i < n; i++) {
        if (keep[i] < first) continue;
        if (keep[i] > first) close_range((unsigned)first, (unsigned)keep[i] - 1, 0);
        first = keep[i] + 1;
    }
    close_range((unsigned)first, ~0U, 0);

    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3 && null >= 0; i++) dup2(null, i);
    if (null > 2) close(null);
}

static bool chain_start(struct watch *watch)
{
    int output[2], status[2];
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(status, O_CLOEXEC) != 0) return false;
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    fcntl(status[0], F_SETFL, O_NONBLOCK);

    const pid_t self = getpid();
    watch->began_ns = clock_steady_ns();
    watch->child = fork();
    if (watch->child < 0) return false;
    if (watch->child == 0) child_run(watch->plan, self, output[1], status[1]);
    setpgid(watch->child, watch->child); /* whichever of the two comes first */
    close(output[1]);
    close(status[1]);
    watch->output = output[0];
    watch->status = status[0];
    if (watch->plan->channel >= 0) close(watch->plan->channel);
    if (watch->plan->helper >= 0) close(watch->plan->helper);
    return true;
}

static void loop(struct watch *watch)
{
    int64_t next_tick = clock_steady_ns() + TICK_MS * 1000000;
    while (!watch->over) {
        struct pollfd polled[] = {{watch->plan->control, POLLIN, 0},
                                  {watch->status, POLLIN, 0},
                                  {watch->output, POLLIN, 0},
                                  {watch->signals, POLLIN, 0}};
        const int64_t left = next_tick - clock_steady_ns();
        const int ready = poll(polled, 4, left > 0 ? (int)((left + 999999) / 1000000) : 0);
        if (ready > 0) {
            if (polled[0].revents) control_read(watch);
            if (polled[1].revents) status_read(watch);
            if (polled[2].revents) output_read(watch);
            if (polled[3].revents) signals_read(watch);
        }
        if (clock_steady_ns() >= next_tick) {
            if (!watch->over) tick(watch);
            next_tick = clock_steady_ns() + TICK_MS * 1000000;
        }
    }
}

static void finish(struct watch *watch)
{
    struct supervisor_report *report = &watch->report;
    const struct supervisor_plan *plan = watch->plan;
    struct rusage used;

    const int64_t now = clock_steady_ns();
    if (!report->ended) watch->ended_ns = now;
    group_kill(watch);
    if (plan->cgroup) cgroup_kill(plan->cgroup);
    descendants_kill(&watch->family, KILL_PATIENCE_MS);
    if (watch->output >= 0) output_read(watch);

    if (!report->cpu_us && getrusage(RUSAGE_CHILDREN, &used) == 0)
        report->cpu_us = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                         used.ru_utime.tv_usec + used.ru_stime.tv_usec;
    limit_from_signal(watch);
    if (plan->cgroup) {
        uint64_t peak = 0;
        const bool killed = cgroup_memory(plan->cgroup, &peak);
        if (peak > report->peak_bytes) report->peak_bytes = peak;
        if (killed)
            limit_hit(watch, SANDBOX_LIMIT_MEMORY, mebibytes(plan->profile.memory_bytes),
                      mebibytes(report->peak_bytes));
        cgroup_remove(plan->cgroup);
    }
    report->wall_ns = report->started ? watch->ended_ns - watch->started_ns : 0;
    const uint64_t capacity = plan->profile.output_bytes;
    report->output_kept = report->output_total < capacity ? report->output_total : capacity;
    report->cut = report->output_total > capacity;
    if (!watch->orphaned && descriptor_write(plan->report, report, sizeof *report))
        (void)!descriptor_write(plan->report, watch->kept, report->output_kept);
}

_Noreturn void supervisor_run(const struct supervisor_plan *plan)
{
    static struct watch watch;
    const uint64_t capacity = plan->profile.output_bytes;

    watch = (struct watch){.plan = plan, .output = -1, .status = -1, .folder = -1};
    watch.report.magic = SUPERVISOR_MAGIC;
    watch.report.output_head = capacity / 4 * 3;
    watch.kept =
        mmap(NULL, capacity + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    descriptors_close(plan);
    watch.signals = signals_open();
    setsid();
    prctl(PR_SET_NAME, "lcx-supervisor");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_DUMPABLE, 0); /* the program may share our uid: our memory stays closed */
    if (getppid() != plan->parent) _exit(1);

    char line[64] = "";
    const int self = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (self >= 0 && read(self, line, sizeof line - 1) > 0) {
        char *p = line;
        strtoull(p, &p, 10);
        watch.own_bytes = strtoull(p, &p, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    if (self >= 0) close(self);

    int entries = 0;
    watch.folder = open(plan->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (watch.folder >= 0) watch.folder_before = folder_bytes(watch.folder, 0, &entries);

    if (watch.kept == MAP_FAILED || watch.signals < 0 || !chain_start(&watch)) {
        watch.report.failed_errno = errno;
        strcpy(watch.report.failed_stage, "supervisor");
        watch.over = true;
    }
    loop(&watch);
    finish(&watch);
    _exit(0);
}
