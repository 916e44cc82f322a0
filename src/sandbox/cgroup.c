#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/locale.h"
#include "base/text.h"

/* A small file of a group, terminated; false when it cannot be read. */
static bool group_read(char *out, size_t capacity, const char *group, const char *name)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", group, name) >= (int)sizeof path) return false;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t n = read(fd, out, capacity - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n >= 0;
}

static bool group_write(const char *group, const char *name, const char *value)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", group, name) >= (int)sizeof path) return false;
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool written = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    close(fd);
    return written;
}

static bool has_word(const char *line, const char *word)
{
    const size_t length = strlen(word);
    for (const char *p = line; (p = strstr(p, word)); p += length) {
        const bool begins = p == line || p[-1] == ' ';
        const char after = p[length];
        if (begins && (after == '\0' || after == ' ' || after == '\n')) return true;
    }
    return false;
}

/* Where the cgroup2 hierarchy is mounted whole. */
static bool mount_find(char *out, const char *mounts)
{
    FILE *file = fopen(mounts, "re");
    char line[4096];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        char root[1024], place[1024];
        if (!strstr(line, " - cgroup2 ")) continue;
        if (sscanf(line, "%*s %*s %*s %1023s %1023s", root, place) != 2) continue;
        found = strcmp(root, "/") == 0;
        if (found) strcpy(out, place);
    }
    if (file) fclose(file);
    return found;
}

/* Our place in it: the line "0::/path". */
static bool membership_find(char *out, size_t capacity, const char *membership)
{
    FILE *file = fopen(membership, "re");
    char line[PATH_MAX];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        if (strncmp(line, "0::/", 4) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        found = snprintf(out, capacity, "%s", line + 3) < (int)capacity;
    }
    if (file) fclose(file);
    return found;
}

/* Ownership is how a group is handed to a user. uid 0 owns them all: there systemd's
 * mark has to say it. */
static bool is_handed_over(const char *group)
{
    struct stat info;
    char mark[8];
    if (stat(group, &info) != 0) return false;
    if (geteuid() != 0) return info.st_uid == geteuid();
    return getxattr(group, "trusted.delegate", mark, sizeof mark) > 0 ||
           getxattr(group, "user.delegate", mark, sizeof mark) > 0;
}

static bool is_delegated(const char *group)
{
    char control[1024], procs[PATH_MAX];
    if (!group_read(control, sizeof control, group, "cgroup.subtree_control")) return false;
    if (!has_word(control, "memory") || !has_word(control, "pids")) return false;
    if (snprintf(procs, sizeof procs, "%s/cgroup.procs", group) >= (int)sizeof procs) return false;
    return is_handed_over(group) && access(group, W_OK) == 0 && access(procs, W_OK) == 0;
}

bool cgroup_find(char *out, char *why, const char *mounts, const char *membership)
{
    char top[1024], own[1024], group[PATH_MAX];

    if (!mount_find(top, mounts)) {
        snprintf(why, 256, "%s", _("no cgroup v2 hierarchy is mounted"));
        return false;
    }
    if (!membership_find(own, sizeof own, membership)) {
        snprintf(why, 256, "%s", _("this process is in no cgroup v2 group"));
        return false;
    }
    snprintf(group, sizeof group, "%s%s", top, strcmp(own, "/") == 0 ? "" : own);
    for (int level = 0; level < 2 && strlen(group) >= strlen(top); level++) {
        if (is_delegated(group)) {
            strcpy(out, group);
            return true;
        }
        char *slash = strrchr(group, '/');
        if (slash) *slash = '\0';
    }
    snprintf(why, 256, _("%s%.150s: memory and pids are not delegated to us"), top, own);
    return false;
}

char *cgroup_new(const char *parent, uint64_t memory_bytes, int processes)
{
    static int number;
    const int mine = __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED);
    char *group = text_printf("%s/lynx-cortex-%ld-%d", parent, (long)getpid(), mine);
    char value[32];

    if (mkdir(group, 0755) != 0) {
        free(group);
        return NULL;
    }
    snprintf(value, sizeof value, "%llu", (unsigned long long)memory_bytes);
    bool made = group_write(group, "memory.max", value);
    group_write(group, "memory.swap.max", "0"); /* absent without swap accounting */
    snprintf(value, sizeof value, "%d", processes);
    made = made && group_write(group, "pids.max", value);
    if (!made) {
        cgroup_remove(group);
        free(group);
        return NULL;
    }
    return group;
}

bool cgroup_enter(const char *group) { return group_write(group, "cgroup.procs", "0"); }

void cgroup_kill(const char *group) { group_write(group, "cgroup.kill", "1"); }

bool cgroup_memory(const char *group, uint64_t *peak)
{
    char text[1024];
    *peak = group_read(text, sizeof text, group, "memory.peak") ? strtoull(text, NULL, 10) : 0;
    if (!group_read(text, sizeof text, group, "memory.events")) return false;
    const char *kills = strstr(text, "oom_kill ");
    return kills && strtoull(kills + 9, NULL, 10) > 0;
}

void cgroup_remove(const char *group)
{
    /* empty only when the kernel has finished with the last process */
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 100 && rmdir(group) != 0; i++) nanosleep(&pause, NULL);
}

void cgroup_sweep(const char *parent)
{
    DIR *entries = opendir(parent);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        long pid, number;
        char group[PATH_MAX];
        if (sscanf(entry->d_name, "lynx-cortex-%ld-%ld", &pid, &number) != 2) continue;
        if (kill((pid_t)pid, 0) == 0 || errno != ESRCH) continue;
        if (snprintf(group, sizeof group, "%s/%s", parent, entry->d_name) >= (int)sizeof group)
            continue;
        cgroup_kill(group);
        cgroup_remove(group);
    }
    if (entries) closedir(entries);
}
