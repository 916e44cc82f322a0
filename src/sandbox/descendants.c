#include "sandbox/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* ---- /proc, read without malloc ---- */

/* Up to `capacity` - 1 bytes of a file, terminated; the number read, or -1. */
static ssize_t proc_read(char *out, size_t capacity, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t used = 0;
    while (used + 1 < capacity) {
        const ssize_t n = read(fd, out + used, capacity - 1 - used);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        used += (size_t)n;
    }
    close(fd);
    out[used] = '\0';
    return (ssize_t)used;
}

struct stat_line {
    char state;
    pid_t parent, group, session;
    int terminal; /* 0: none */
    uint64_t start;
};

/* /proc/PID/stat; the name in it may hold spaces and parentheses. */
static bool stat_read(struct stat_line *out, pid_t pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (proc_read(line, sizeof line, path) <= 0) return false;
    char *p = strrchr(line, ')');
    if (!p) return false;

    out->state = p[1] ? p[2] : '\0';
    p += 4; /* ") S " */
    for (int field = 4; field <= 22 && *p; field++) {
        const unsigned long long value = strtoull(p, &p, 10);
        if (field == 4) out->parent = (pid_t)value;
        if (field == 5) out->group = (pid_t)value;
        if (field == 6) out->session = (pid_t)value;
        if (field == 7) out->terminal = (int)value;
        if (field == 22) out->start = value;
    }
    return true;
}

uint64_t process_start_time(pid_t pid)
{
    struct stat_line line = {0};
    return stat_read(&line, pid) ? line.start : 0;
}

/* Call `visit` with each number that names an entry of `folder`. */
static void each_number(const char *folder, void (*visit)(pid_t number, void *data), void *data)
{
    char buffer[4096] __attribute__((aligned(8)));
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    for (;;) {
        const long size = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
        if (size <= 0) break;
        for (long at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
            if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                visit((pid_t)atoi(entry->d_name), data);
            at += entry->d_reclen;
        }
    }
    close(fd);
}

enum { HUNT_PATIENCE_MS = 3000 };

/* ---- the walk ---- */

struct walk {
    struct descendants *found;
    pid_t pid;
    bool listed; /* the kernel has the children files */
};

static void add(struct descendants *found, pid_t pid)
{
    if (found->count < DESCENDANTS_LIMIT) found->pid[found->count++] = pid;
}

static void add_children_of_task(pid_t task, void *data)
{
    struct walk *walk = data;
    char path[80], children[16384];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)walk->pid, (int)task);
    if (proc_read(children, sizeof children, path) < 0) return;
    walk->listed = true;
    for (char *p = children; *p;) {
        const long child = strtol(p, &p, 10);
        if (child > 0) add(walk->found, (pid_t)child);
        while (*p == ' ' || *p == '\n') p++;
    }
}

static void add_children(struct walk *walk, pid_t pid)
{
    char folder[64];
    walk->pid = pid;
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)pid);
    each_number(folder, add_children_of_task, walk);
}

/* Without the children files: one pass over all processes for each generation. */
struct scan {
    struct descendants *found;
    int before; /* parents are found[0, before) or this process */
};

static bool is_among(const struct descendants *found, int count, pid_t pid)
{
    for (int i = 0; i < count; i++)
        if (found->pid[i] == pid) return true;
    return false;
}

static void add_if_child(pid_t pid, void *data)
{
    struct scan *scan = data;
    struct stat_line line;
    if (!stat_read(&line, pid)) return;
    if (line.parent != getpid() && !is_among(scan->found, scan->before, line.parent)) return;
    if (!is_among(scan->found, scan->found->count, pid)) add(scan->found, pid);
}

static void find_by_scan(struct descendants *found)
{
    struct scan scan = {.found = found};
    do {
        scan.before = found->count;
        each_number("/proc", add_if_child, &scan);
    } while (found->count > scan.before);
}

void descendants_find(struct descendants *found)
{
    struct walk walk = {.found = found};
    found->count = 0;
    add_children(&walk, getpid());
    if (!walk.listed) {
        find_by_scan(found);
        return;
    }
    for (int i = 0; i < found->count; i++) add_children(&walk, found->pid[i]);
}

uint64_t descendants_resident(const struct descendants *found)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t sum = 0;
    for (int i = 0; i < found->count; i++) {
        char path[64], line[128];
        snprintf(path, sizeof path, "/proc/%d/statm", (int)found->pid[i]);
        if (proc_read(line, sizeof line, path) <= 0) continue;
        char *p = line;
        strtoull(p, &p, 10); /* address space */
        sum += strtoull(p, &p, 10) * page;
    }
    return sum;
}

/* ---- the end ---- */

static void pause_ns(long ns)
{
    const struct timespec pause = {.tv_nsec = ns};
    nanosleep(&pause, NULL);
}

bool descendants_kill(struct descendants *space, int patience_ms)
{
    const int64_t deadline = clock_steady_ns() + (int64_t)patience_ms * 1000000;
    for (int round = 0;; round++) {
        /* Stop all before killing any: nobody forks while we count. */
        descendants_find(space);
        for (int i = 0; i < space->count; i++) kill(space->pid[i], SIGSTOP);
        for (int i = 0; i < space->count; i++) kill(space->pid[i], SIGKILL);
        pid_t reaped;
        while ((reaped = waitpid(-1, NULL, WNOHANG)) > 0) continue;
        if (reaped < 0 && errno == ECHILD) return true;
        if (clock_steady_ns() > deadline) return false;
        pause_ns(round < 20 ? 200000 : 2000000);
    }
}

/* ---- the end, from outside ---- */

struct hunt {
    pid_t session;      /* or 0 */
    const char *folder; /* or NULL */
    int found;
};

/* With its group, which the process cannot have left: no fork slips through. A run has no
 * terminal; somebody's shell that stands in the folder keeps its neighbours. */
static void hunt_kill(struct hunt *hunt, pid_t pid, const struct stat_line *line)
{
    hunt->found++;
    if (line->group > 1 && line->group != getpgrp() && line->terminal == 0)
        kill(-line->group, SIGKILL);
    kill(pid, SIGKILL);
}

static bool is_inside(pid_t pid, const char *folder)
{
    char path[64], place[4096];
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    const ssize_t size = readlink(path, place, sizeof place - 1);
    if (size <= 0) return false;
    place[size] = '\0';
    const size_t length = strlen(folder);
    return strncmp(place, folder, length) == 0 && (place[length] == '\0' || place[length] == '/');
}

static void hunt_visit(pid_t pid, void *data)
{
    struct hunt *hunt = data;
    struct stat_line line = {0};
    if (pid == getpid() || pid == hunt->session || !stat_read(&line, pid)) return;
    if (line.state == 'Z' || line.state == 'X') return; /* whoever is its parent reaps it */
    if (hunt->folder ? is_inside(pid, hunt->folder) : line.session == hunt->session)
        hunt_kill(hunt, pid, &line);
}

/* Until a look finds nobody. */
static bool hunt_all(struct hunt *hunt)
{
    const int64_t deadline = clock_steady_ns() + (int64_t)HUNT_PATIENCE_MS * 1000000;
    for (;;) {
        hunt->found = 0;
        each_number("/proc", hunt_visit, hunt);
        if (hunt->found == 0) return true;
        if (clock_steady_ns() > deadline) return false;
        pause_ns(1000000);
    }
}

bool descendants_kill_session(pid_t session)
{
    return hunt_all(&(struct hunt){.session = session});
}

bool descendants_kill_inside(const char *folder)
{
    return hunt_all(&(struct hunt){.folder = folder});
}

bool descendants_kill_owner(uid_t owner)
{
    const pid_t child = fork();
    if (child == 0) {
        if (setresuid(owner, owner, owner) != 0) _exit(1);
        kill(-1, SIGKILL); /* all that this uid may signal: its own, and not the caller */
        _exit(0);
    }
    int status = 1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
