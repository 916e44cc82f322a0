#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "sandbox/cgroup.h"
#include "sandbox/descendants.h"
#include "sandbox/host.h"
#include "sandbox/plan.h"
#include "sandbox/supervisor.h"

/* ---- the numbers ---- */

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* One rule for all lanes: 64 KiB of what is printed are kept, and 4 MiB end the run. The worker
 * prints nothing itself; its children are held to the profile of their lane.
 *
 * Where a profile has one number of seconds, it is CPU time; the wall clock then
 * allows for a busy machine. */
const struct sandbox_profile sandbox_profile_compile = {
    .name = "compile",
    .cpu_s = 10,
    .wall_s = 20,
    .memory_bytes = 1024 * MIB,
    .file_bytes = 16 * MIB,
    .output_bytes = 64 * KIB,
    .output_stop_bytes = 4 * MIB,
    .processes = 16,
    .memory_rule = SANDBOX_MEMORY_DATA,
};
const struct sandbox_profile sandbox_profile_c = {
    .name = "c",
    .cpu_s = 5,
    .wall_s = 15,
    .memory_bytes = 512 * MIB,
    .file_bytes = 16 * MIB,
    .output_bytes = 64 * KIB,
    .output_stop_bytes = 4 * MIB,
    .processes = 1,
    .memory_rule = SANDBOX_MEMORY_AS,
};
const struct sandbox_profile sandbox_profile_c_sanitized = {
    .name = "c_sanitized",
    .cpu_s = 5,
    .wall_s = 15,
    .memory_bytes = 512 * MIB,
    .file_bytes = 16 * MIB,
    .output_bytes = 64 * KIB,
    .output_stop_bytes = 4 * MIB,
    .processes = 1,
    .memory_rule = SANDBOX_MEMORY_POLLED,
};
const struct sandbox_profile sandbox_profile_numpy = {
    .name = "numpy",
    .cpu_s = 10,
    .wall_s = 30,
    .memory_bytes = 1024 * MIB,
    .file_bytes = 16 * MIB,
    .output_bytes = 64 * KIB,
    .output_stop_bytes = 4 * MIB,
    .processes = 1,
    .memory_rule = SANDBOX_MEMORY_DATA,
};
const struct sandbox_profile sandbox_profile_torch = {
    .name = "torch",
    .cpu_s = 30,
    .wall_s = 90,
    .memory_bytes = 3072 * MIB,
    .file_bytes = 16 * MIB,
    .output_bytes = 64 * KIB,
    .output_stop_bytes = 4 * MIB,
    .processes = 1,
    .memory_rule = SANDBOX_MEMORY_DATA,
};
/* A child of 3 GiB, the library's own pages counted in it and in its parent. */
const struct sandbox_profile sandbox_profile_worker = {
    .name = "worker",
    .memory_bytes = 4096 * MIB,
    .file_bytes = 16 * MIB,
    .output_bytes = 64 * KIB,
    .processes = 16,
    .memory_rule = SANDBOX_MEMORY_POLLED,
};

const char *sandbox_limit_name(enum sandbox_limit limit)
{
    switch (limit) {
    case SANDBOX_LIMIT_CPU: return _("CPU time");
    case SANDBOX_LIMIT_WALL: return _("time");
    case SANDBOX_LIMIT_MEMORY: return _("memory");
    case SANDBOX_LIMIT_FILE: return _("files");
    case SANDBOX_LIMIT_OUTPUT: return _("output");
    case SANDBOX_LIMIT_PROCESSES: return _("processes");
    case SANDBOX_LIMIT_NONE: break;
    }
    return "";
}

const char *sandbox_limit_unit(enum sandbox_limit limit)
{
    switch (limit) {
    case SANDBOX_LIMIT_CPU:
    case SANDBOX_LIMIT_WALL: return "s";
    case SANDBOX_LIMIT_MEMORY:
    case SANDBOX_LIMIT_FILE: return "MiB";
    case SANDBOX_LIMIT_OUTPUT: return "KiB";
    case SANDBOX_LIMIT_PROCESSES:
    case SANDBOX_LIMIT_NONE: break;
    }
    return "";
}

/* ---- the attempt's folder, before a run ---- */

/* A name that no earlier run in this folder could have prepared for us. */
static bool temporary_make(char name[32], int folder)
{
    uint64_t random;
    do {
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) return false;
        snprintf(name, 32, ".tmp-%016llx", (unsigned long long)random);
        if (mkdirat(folder, name, 0700) == 0) return true;
    } while (errno == EEXIST);
    return false;
}

/* The folder is the run's own, and so is the private /tmp in it. */
static enum status folder_prepare(char name[32], const char *path, bool drops, uid_t *owner,
                                  struct error *err)
{
    struct stat info;
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) return error_set_errno(err, STATUS_IO, _("sandbox: %s"), path);

    bool good = fstat(folder, &info) == 0;
    *owner = info.st_uid;
    if (good && drops && !host_is_owner(info.st_uid)) {
        *owner = host_owner_new();
        good = fchown(folder, *owner, *owner) == 0;
    }
    good = good && temporary_make(name, folder);
    if (good && drops) good = fchownat(folder, name, *owner, *owner, AT_SYMLINK_NOFOLLOW) == 0;
    const enum status status =
        good ? STATUS_OK : error_set_errno(err, STATUS_IO, _("sandbox: %s"), path);
    close(folder);
    return status;
}

static enum status request_check(const struct sandbox_request *request, struct error *err)
{
    if (!request->profile || !request->argv || !request->argv[0] || request->argv[0][0] != '/')
        return error_set(err, STATUS_USAGE, _("sandbox: the program needs an absolute path"));
    if (!request->folder || request->folder[0] != '/')
        return error_set(err, STATUS_USAGE, _("sandbox: the folder needs an absolute path"));
    return STATUS_OK;
}

static enum status walls_refuse(struct error *err)
{
    struct sandbox_layer layers[SANDBOX_LAYERS];
    const int n = sandbox_probe(layers, SANDBOX_LAYERS);
    CHECK(n == SANDBOX_LAYERS);
    return error_set(err, STATUS_UNAVAILABLE,
                     _("no sandbox on this machine: bubblewrap: %s; Landlock: %s. To mend it: %s. "
                       "To run strangers' code without walls all the same: --unsafe"),
                     layers[2].detail, layers[3].detail, layers[2].mend);
}

/* ---- start ---- */

/* Keep both ends above the standard three, which the supervisor makes its own. */
static bool ends_move(int ends[2])
{
    for (int i = 0; i < 2; i++) {
        if (ends[i] > 2) continue;
        const int moved = fcntl(ends[i], F_DUPFD_CLOEXEC, 3);
        close(ends[i]);
        ends[i] = moved;
    }
    return ends[0] >= 0 && ends[1] >= 0;
}

static bool pair_make(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 && ends_move(ends);
}

static bool pipe_make(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 && ends_move(ends); }

static void close_all(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0) close(fds[i]);
}

enum { CONTROL_READ, CONTROL_WRITE, REPORT_READ, REPORT_WRITE, OURS, THEIRS, HELPER, FDS };

static enum status descriptors_make(int fd[FDS], const struct sandbox_request *request,
                                    struct error *err)
{
    char *helper = host_helper("lcx-confine");
    enum status status = STATUS_OK;

    for (int i = 0; i < FDS; i++) fd[i] = -1;
    if (!pair_make(fd + CONTROL_READ) || !pipe_make(fd + REPORT_READ))
        status = error_set_errno(err, STATUS_IO, _("sandbox: pipe"));
    if (!status && request->channel && !pair_make(fd + OURS))
        status = error_set_errno(err, STATUS_IO, _("sandbox: channel"));
    fd[HELPER] = open(helper, O_RDONLY | O_CLOEXEC);
    if (!status && fd[HELPER] < 0) status = error_set_errno(err, STATUS_UNAVAILABLE, "%s", helper);
    free(helper);
    if (status) close_all(fd, FDS);
    return status;
}

static char *cgroup_for(const struct sandbox_profile *profile)
{
    const char *parent = host_cgroup();
    if (!parent) return NULL;
    /* room for the guards, and for the poll to come first */
    return cgroup_new(parent, profile->memory_bytes + 64 * MIB, 2 * profile->processes + 64);
}

static enum status launch(struct sandbox *sandbox, struct supervisor_plan *plan, const int fd[FDS],
                          struct error *err)
{
    plan->profile = sandbox->profile;
    plan->control = fd[CONTROL_READ];
    plan->report = fd[REPORT_WRITE];
    plan->channel = fd[THEIRS];
    plan->helper = fd[HELPER];
    plan->cgroup = sandbox->cgroup;
    plan->parent = getpid();

    const pid_t supervisor = fork();
    if (supervisor < 0) return error_set_errno(err, STATUS_IO, _("sandbox: fork"));
    if (supervisor == 0) supervisor_run(plan);
    sandbox->supervisor = supervisor;
    return STATUS_OK;
}

/* Release what belongs to one run, when it is over or did not begin. */
static void run_forget(struct sandbox *sandbox)
{
    if (sandbox->temporary) (void)!sandbox_folder_remove(sandbox->temporary, NULL);
    free(sandbox->temporary);
    free(sandbox->cgroup);
    *sandbox = (struct sandbox){.channel = -1, .control = -1, .report = -1};
}

enum status sandbox_start(struct sandbox *sandbox, const struct sandbox_request *request,
                          struct error *err)
{
    struct plan plan = {0};
    int fd[FDS];
    uid_t owner = 0;
    char temporary[32];

    *sandbox = (struct sandbox){.channel = -1, .control = -1, .report = -1};
    enum status status = request_check(request, err);
    if (status) return status;
    const enum sandbox_walls walls = host_walls();
    if (walls == SANDBOX_WALLS_NONE && !request->unsafe) return walls_refuse(err);

    const bool drops = host_drops();
    status = folder_prepare(temporary, request->folder, drops, &owner, err);
    if (status) return status;
    sandbox->temporary = path_join(request->folder, temporary);
    status = sandbox_plan_make(&plan, request, temporary, walls, drops, err);
    if (!status) status = descriptors_make(fd, request, err);
    if (status) {
        sandbox_plan_done(&plan);
        run_forget(sandbox);
        return status;
    }

    sandbox->walls = walls;
    sandbox->profile = *request->profile;
    sandbox->cgroup = cgroup_for(request->profile);
    const bool namespaces = walls == SANDBOX_WALLS_NAMESPACES;
    const bool guard = plan_has_guard(request->profile, walls);
    struct supervisor_plan orders = {
        .argv = plan.argv,
        .environment = plan.environment,
        .folder = request->folder,
        .drop = drops,
        .owner = owner,
        .init = namespaces || guard,
        .n_guards = namespaces ? 2
                    : guard    ? 1
                               : 0,
        .private_mounts = plan.stage_folder != NULL,
        .stage_folder = plan.stage_folder,
        .stage_from = (const char *const *)plan.stage_from,
    };
    status = launch(sandbox, &orders, fd, err);
    sandbox_plan_done(&plan);
    if (status) {
        if (sandbox->cgroup) cgroup_remove(sandbox->cgroup);
        close_all(fd, FDS);
        run_forget(sandbox);
        return status;
    }
    sandbox->control = fd[CONTROL_WRITE];
    sandbox->report = fd[REPORT_READ];
    sandbox->channel = fd[OURS];
    int theirs[] = {fd[CONTROL_READ], fd[REPORT_WRITE], fd[THEIRS], fd[HELPER]};
    close_all(theirs, 4);
    return STATUS_OK;
}

char *sandbox_child_options(const struct sandbox *worker, const struct sandbox_profile *profile,
                            const char *const *readable, const char *folder)
{
    return plan_child_options(profile, worker->walls, readable, folder);
}

void sandbox_kill(struct sandbox *sandbox)
{
    /* Closing our end would say that we are dead, and there would be no report. */
    if (sandbox->control >= 0) (void)!send(sandbox->control, "k", 1, MSG_NOSIGNAL);
}

/* ---- finish ---- */

/* The beginning, how much is left out, the end. */
static void output_join(struct text *out, const struct supervisor_report *facts, const char *kept)
{
    if (!facts->cut) {
        text_add_bytes(out, kept, facts->output_kept);
        return;
    }
    const uint64_t head = facts->output_head, ring = facts->output_kept - head;
    const uint64_t oldest = ring ? (facts->output_total - head) % ring : 0;
    text_add_bytes(out, kept, head);
    text_format(out, _("\n[... %llu bytes left out ...]\n"),
                (unsigned long long)(facts->output_total - facts->output_kept));
    text_add_bytes(out, kept + head + oldest, ring - oldest);
    text_add_bytes(out, kept + head, oldest);
}

static bool report_read(struct supervisor_report *facts, struct text *kept, int fd)
{
    struct text bytes = {0};
    char buffer[16384];
    for (;;) {
        const ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        text_add_bytes(&bytes, buffer, (size_t)n);
    }
    bool whole = bytes.size >= sizeof *facts;
    if (whole) {
        memcpy(facts, bytes.data, sizeof *facts);
        whole =
            facts->magic == SUPERVISOR_MAGIC && bytes.size - sizeof *facts == facts->output_kept;
        text_add_bytes(kept, bytes.data + sizeof *facts, bytes.size - sizeof *facts);
    }
    text_done(&bytes);
    return whole;
}

static enum status start_failed(const struct supervisor_report *facts, const char *said,
                                struct error *err)
{
    if (facts->failed_errno)
        return error_set(err, facts->failed_errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                         _("sandbox: %s: %s"), facts->failed_stage, strerror(facts->failed_errno));
    return error_set(err, STATUS_IO, _("sandbox: the program was not started: %.300s"),
                     said[0] ? said : _("no reason given"));
}

static void report_fill(struct sandbox_report *report, const struct supervisor_report *facts)
{
    const int status = facts->wait_status;
    report->exited = facts->ended && WIFEXITED(status);
    report->code = report->exited ? WEXITSTATUS(status) : 0;
    report->signal = report->exited                        ? 0
                     : facts->ended && WIFSIGNALED(status) ? WTERMSIG(status)
                                                           : SIGKILL;
    report->limit = facts->limit;
    report->limit_value = facts->limit_value;
    report->used_value = facts->used_value;
    report->cpu_ms = (double)facts->cpu_us / 1e3;
    report->wall_ms = (double)facts->wall_ns / 1e6;
    report->memory_peak_bytes = facts->peak_bytes;
    report->output_cut = facts->cut;
}

static void close_and_reap(struct sandbox *sandbox, bool reported)
{
    if (sandbox->channel >= 0) close(sandbox->channel);
    if (sandbox->control >= 0) close(sandbox->control);
    if (sandbox->report >= 0) close(sandbox->report);
    siginfo_t ended;
    while (waitid(P_PID, (id_t)sandbox->supervisor, &ended, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR)
        continue;
    if (!reported) {
        /* Killed from outside: a namespace has died with it; without one, its session holds all
         * that it started. Not reaped yet: the session's number is still its own. */
        descendants_kill_session(sandbox->supervisor);
        if (sandbox->cgroup) {
            cgroup_kill(sandbox->cgroup);
            cgroup_remove(sandbox->cgroup);
        }
    }
    while (waitpid(sandbox->supervisor, NULL, 0) < 0 && errno == EINTR) continue;
    run_forget(sandbox);
}

enum status sandbox_finish(struct sandbox *sandbox, struct sandbox_report *report,
                           struct error *err)
{
    struct supervisor_report facts = {0};
    struct text kept = {0};

    *report = (struct sandbox_report){.walls = sandbox->walls};
    if (sandbox->supervisor <= 0)
        return error_set(err, STATUS_USAGE, _("sandbox: nothing was started"));

    const bool whole = report_read(&facts, &kept, sandbox->report);
    close_and_reap(sandbox, whole);
    enum status status = STATUS_OK;
    if (!whole) status = error_set(err, STATUS_IO, _("sandbox: the supervisor was killed"));
    else if (facts.failed_errno || (!facts.started && !facts.killed))
        status = start_failed(&facts, text_string(&kept), err);
    if (!status) {
        report_fill(report, &facts);
        output_join(&report->output, &facts, text_string(&kept));
    }
    text_done(&kept);
    return status;
}

void sandbox_report_done(struct sandbox_report *report)
{
    text_done(&report->output);
    *report = (struct sandbox_report){0};
}
