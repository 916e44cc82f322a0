#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status file_read(struct text *out, const char *path, size_t limit_bytes, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s", path);

    enum status status = STATUS_OK;
    const size_t before = out->size;
    struct stat info;
    if (fstat(fd, &info) != 0) {
        status = error_set_errno(err, STATUS_IO, "%s", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = error_set(err, STATUS_FORMAT, "%s: not a regular file", path);
    }
    char buffer[65536];
    while (!status) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) status = error_set_errno(err, STATUS_IO, "%s", path);
        if (n <= 0) break;
        text_add_bytes(out, buffer, (size_t)n);
        if (out->size - before > limit_bytes)
            status = error_set(err, STATUS_LIMIT, "%s: larger than %zu bytes", path, limit_bytes);
    }
    close(fd);
    if (!status) text_add_bytes(out, "", 0);
    return status;
}

bool descriptor_write(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static void sync_folder_of(const char *path)
{
    char *copy = text_copy(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd); /* some file systems refuse; the rename itself has happened */
        close(fd);
    }
    free(copy);
}

/* Write beside `path`, then move there with `move`, which returns 0 or -1 and errno. */
static enum status write_beside(const char *path, const void *bytes, size_t size, mode_t mode,
                                int (*move)(const char *from, const char *to), struct error *err)
{
    char *beside = text_printf("%s.%ld.tmp", path, (long)getpid());
    enum status status = STATUS_OK;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd < 0) {
        status = error_set_errno(err, STATUS_IO, "%s", path);
    } else {
        bool written = descriptor_write(fd, bytes, size) && fsync(fd) == 0;
        const int number = errno;
        close(fd);
        errno = number;
        if (!written) status = error_set_errno(err, STATUS_IO, "%s: not written", path);
        if (!status && move(beside, path) != 0)
            status =
                error_set_errno(err, errno == EEXIST ? STATUS_CONFLICT : STATUS_IO, "%s", path);
        if (status) unlink(beside);
        if (!status) sync_folder_of(path);
    }
    free(beside);
    return status;
}

enum status file_scratch(const char *path, const void *bytes, size_t size, mode_t mode,
                         struct error *err)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return error_set_errno(err, STATUS_IO, "%s", path);
    enum status status = STATUS_OK;
    if (!descriptor_write(fd, bytes, size))
        status = error_set_errno(err, STATUS_IO, "%s: not written", path);
    close(fd);
    return status;
}

static int move_over(const char *from, const char *to) { return rename(from, to); }

static int move_if_new(const char *from, const char *to)
{
    if (link(from, to) != 0) return -1;
    unlink(from);
    return 0;
}

enum status file_write(const char *path, const void *bytes, size_t size, mode_t mode,
                       struct error *err)
{
    return write_beside(path, bytes, size, mode, move_over, err);
}

enum status file_create(const char *path, const void *bytes, size_t size, mode_t mode,
                        struct error *err)
{
    return write_beside(path, bytes, size, mode, move_if_new, err);
}

bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

enum status folder_make(const char *path, mode_t mode, struct error *err)
{
    char *copy = text_copy(path);
    enum status status = STATUS_OK;

    for (char *p = copy + 1; !status; p++) {
        if (*p != '/' && *p != '\0') continue;
        const char kept = *p;
        *p = '\0';
        const bool made = mkdir(copy, mode) == 0;
        const int number = errno;
        if (!made && !file_is_folder(copy)) {
            errno = number;
            status = error_set_errno(err, STATUS_IO, "%s: cannot make the folder", copy);
        }
        *p = kept;
        if (kept == '\0') break;
    }
    free(copy);
    return status;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum status folder_remove(const char *path, struct error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0 && errno == ENOENT) return STATUS_OK;
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
        return error_set_errno(err, STATUS_IO, "%s: cannot remove", path);
    return STATUS_OK;
}

char *path_join(const char *folder, const char *name)
{
    const bool slash = text_ends_with(folder, "/");
    return text_printf("%s%s%s", folder, slash ? "" : "/", name);
}
