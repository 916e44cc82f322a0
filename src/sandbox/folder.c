/* folder.c -- the attempt's folder: made, swept, removed, and read from with suspicion.
 *
 *   PARENT/attempt-PID-START-RANDOM      PID and START: of the lcx that made it
 *   PARENT/helpers-PID-START-RANDOM      copies of what a run's user could not reach
 *
 * A folder whose maker is dead is nobody's. Declared in sandbox/sandbox.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"
#include "sandbox/cgroup.h"
#include "sandbox/descendants.h"
#include "sandbox/host.h"
#include "sandbox/sandbox.h"

#define ATTEMPT "attempt-"
#define HELPERS "helpers-"
enum { PREFIX_SIZE = sizeof ATTEMPT - 1, HELPER_BYTES_LIMIT = 64 << 20 };

/* ---- making ---- */

/* A folder in /tmp is ours only if we made it: others may have put something there. */
static enum status parent_default(char **path, struct error *err)
{
    struct stat info;
    *path = text_printf("/tmp/lynx-cortex-%u", (unsigned)geteuid());
    const mode_t mode = geteuid() == 0 ? 0711 : 0700; /* a run's uid must get through */

    if (mkdir(*path, mode) == 0 && chmod(*path, mode) == 0) return STATUS_OK;
    if (lstat(*path, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid() &&
        !(info.st_mode & 022))
        return STATUS_OK;
    const enum status status =
        error_set(err, STATUS_CONFLICT, _("%s: not a folder of ours: remove it"), *path);
    free(*path);
    *path = NULL;
    return status;
}

static enum status parent_choose(char **path, const char *parent, struct error *err)
{
    if (!parent) return parent_default(path, err);
    char real[PATH_MAX];
    if (!realpath(parent, real)) return error_set_errno(err, STATUS_IO, "%s", parent);
    *path = text_copy(real);
    return STATUS_OK;
}

/* PREFIX-PID-START-RANDOM below `parent`, 0700 and ours. */
static enum status folder_make_named(char **path, const char *prefix, const char *parent,
                                     struct error *err)
{
    char *above = NULL;
    *path = NULL;
    enum status status = parent_choose(&above, parent, err);
    if (status) return status;

    char *made = text_printf("%s/%s%ld-%llu-XXXXXX", above, prefix, (long)getpid(),
                             (unsigned long long)process_start_time(getpid()));
    free(above);
    if (!mkdtemp(made)) {
        status = error_set_errno(err, STATUS_IO, "%s", made);
        free(made);
        return status;
    }
    *path = made;
    return STATUS_OK;
}

enum status sandbox_folder_new(char **path, const char *parent, struct error *err)
{
    enum status status = folder_make_named(path, ATTEMPT, parent, err);
    if (status) return status;
    const uid_t owner = host_owner_new();
    if (owner == geteuid() || lchown(*path, owner, owner) == 0) return STATUS_OK;
    status = error_set_errno(err, STATUS_IO, "%s", *path);
    rmdir(*path);
    free(*path);
    *path = NULL;
    return status;
}

/* ---- helpers, where the run's user can read them ---- */

bool sandbox_reaches(const char *path)
{
    struct stat info;
    if (!host_drops()) return true;
    if (host_walls() != SANDBOX_WALLS_NAMESPACES) return host_reaches(path);
    /* the folders above it do not count there, its own mode does */
    return stat(path, &info) == 0 && (info.st_mode & S_IROTH);
}

static enum status stage_make(char **stage, const char *parent, struct error *err)
{
    enum status status = folder_make_named(stage, HELPERS, parent, err);
    if (status || chmod(*stage, 0711) == 0) return status;
    status = error_set_errno(err, STATUS_IO, "%s", *stage);
    rmdir(*stage);
    free(*stage);
    *stage = NULL;
    return status;
}

static enum status stage_copy(const char *to, const char *from, struct error *err)
{
    struct text bytes = {0};
    struct stat info;
    enum status status = file_read(&bytes, from, HELPER_BYTES_LIMIT, err);
    if (!status && stat(from, &info) != 0) status = error_set_errno(err, STATUS_IO, "%s", from);
    const mode_t mode = !status && (info.st_mode & S_IXUSR) ? 0755 : 0644;
    if (!status) status = file_scratch(to, text_string(&bytes), bytes.size, mode, err);
    if (!status && chmod(to, mode) != 0) status = error_set_errno(err, STATUS_IO, "%s", to);
    text_done(&bytes);
    return status;
}

enum status sandbox_stage(char **place, char **stage, const char *path, const char *parent,
                          struct error *err)
{
    *place = NULL;
    if (sandbox_reaches(path) || !file_exists(path)) { /* its absence is told where it is used */
        *place = text_copy(path);
        return STATUS_OK;
    }
    enum status status = *stage ? STATUS_OK : stage_make(stage, parent, err);
    if (status) return status;
    const char *slash = strrchr(path, '/');
    char *copy = path_join(*stage, slash ? slash + 1 : path);
    if (!file_exists(copy)) status = stage_copy(copy, path, err);
    if (status) free(copy);
    else *place = copy;
    return status;
}

/* ---- removing ----
 *
 * Flat: the folders in a folder are moved up beside it before it goes. However
 * deep a tree was built, two descriptors and no long path are needed. */

static void open_up(int above, const char *name)
{
    struct stat info;
    if (fstatat(above, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode) &&
        (info.st_mode & 0700) != 0700)
        fchmodat(above, name, 0700, 0);
}

/* Remove what is in `folder`, moving its folders to `top` under fresh names. */
static bool empty_into(int folder, int top, unsigned long *moved)
{
    const int copy = dup(folder);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    bool done = entries != NULL;

    if (!entries && copy >= 0) close(copy);
    if (entries) rewinddir(entries);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        char name[64];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (unlinkat(folder, entry->d_name, 0) == 0 || errno == ENOENT) continue;
        if (unlinkat(folder, entry->d_name, AT_REMOVEDIR) == 0) continue;
        if (folder == top) continue; /* its turn comes */
        open_up(folder, entry->d_name);
        snprintf(name, sizeof name, ".removed-%ld-%lu", (long)getpid(), ++*moved);
        if (renameat(folder, entry->d_name, top, name) != 0) done = false;
    }
    if (entries) closedir(entries);
    return done;
}

/* One pass over the folders directly in `top`. -1 on failure, else how many there were. */
static int pass(int top, unsigned long *moved)
{
    const int copy = dup(top);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    int found = 0;

    if (!entries) {
        if (copy >= 0) close(copy);
        return -1;
    }
    rewinddir(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        found++;
        open_up(top, entry->d_name);
        const int inner =
            openat(top, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        const bool emptied = inner >= 0 && empty_into(inner, top, moved);
        if (inner >= 0) close(inner);
        if (!emptied || unlinkat(top, entry->d_name, AT_REMOVEDIR) != 0) found = -1;
        if (found < 0) break;
    }
    closedir(entries);
    return found;
}

enum status sandbox_folder_remove(const char *path, struct error *err)
{
    unsigned long moved = 0;
    open_up(AT_FDCWD, path);
    const int top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0) return errno == ENOENT ? STATUS_OK : error_set_errno(err, STATUS_IO, "%s", path);

    int found = empty_into(top, top, &moved) ? 1 : -1;
    while (found > 0) found = pass(top, &moved);
    close(top);
    if (found < 0 || (rmdir(path) != 0 && errno != ENOENT))
        return error_set_errno(err, STATUS_IO, _("%s: cannot remove"), path);
    return STATUS_OK;
}

/* ---- sweeping ---- */

/* Whether the name is one of ours whose maker is dead. */
static bool is_left_over(const char *name)
{
    long pid;
    unsigned long long start;
    int used = 0;
    if (strncmp(name, ATTEMPT, PREFIX_SIZE) != 0 && strncmp(name, HELPERS, PREFIX_SIZE) != 0)
        return false;
    name += PREFIX_SIZE;
    if (sscanf(name, "%ld-%llu-%n", &pid, &start, &used) != 2) return false;
    if (used == 0 || strlen(name + used) != 6 || pid <= 0) return false;
    return process_start_time((pid_t)pid) != start;
}

enum status sandbox_sweep(const char *parent, struct error *err)
{
    char *above = NULL;
    if (parent && !file_exists(parent)) return STATUS_OK;
    enum status status = parent_choose(&above, parent, err);
    if (status) return status;
    DIR *entries = opendir(above);
    if (!entries) {
        status = error_set_errno(err, STATUS_IO, "%s", above);
        free(above);
        return status;
    }
    for (struct dirent *entry; (entry = readdir(entries));) {
        struct stat info;
        if (!is_left_over(entry->d_name)) continue;
        char *path = path_join(above, entry->d_name);
        const bool ours =
            lstat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
            (info.st_uid == geteuid() || (geteuid() == 0 && host_is_owner(info.st_uid)));
        if (ours) {
            if (host_is_owner_of_one(info.st_uid)) (void)!descendants_kill_owner(info.st_uid);
            (void)!descendants_kill_inside(path);
            const enum status removed = sandbox_folder_remove(path, status ? NULL : err);
            if (!status) status = removed;
        }
        free(path);
    }
    closedir(entries);
    free(above);
    if (host_cgroup()) cgroup_sweep(host_cgroup());
    return status;
}

/* ---- results ---- */

static enum status collect_from(struct text *out, int fd, const char *name, size_t limit_bytes,
                                struct error *err)
{
    const size_t before = out->size;
    char buffer[65536];
    for (;;) {
        const ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return error_set_errno(err, STATUS_IO, "%s", name);
        if (n == 0) return STATUS_OK;
        if (out->size - before + (size_t)n > limit_bytes)
            return error_set(err, STATUS_LIMIT, _("%s: larger than %zu bytes"), name, limit_bytes);
        text_add_bytes(out, buffer, (size_t)n);
    }
}

enum status sandbox_collect(struct text *out, const char *folder, const char *name,
                            size_t limit_bytes, struct error *err)
{
    struct stat info;
    if (strchr(name, '/') || strcmp(name, "..") == 0)
        return error_set(err, STATUS_USAGE, _("%s: not a file name"), name);
    const int top = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top < 0) return error_set_errno(err, STATUS_IO, "%s", folder);
    /* a pipe without a writer must not hold us up */
    const int fd = openat(top, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    close(top);
    if (fd < 0 && errno == ELOOP)
        return error_set(err, STATUS_FORMAT, _("%s: a link, not a result"), name);
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s", name);

    enum status status = STATUS_OK;
    if (fstat(fd, &info) != 0) status = error_set_errno(err, STATUS_IO, "%s", name);
    else if (!S_ISREG(info.st_mode) || info.st_nlink != 1)
        status = error_set(err, STATUS_FORMAT, _("%s: not a plain file with one name"), name);
    if (!status) status = collect_from(out, fd, name, limit_bytes, err);
    close(fd);
    return status;
}
