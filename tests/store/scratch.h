/* scratch.h -- a folder of its own for each test, and killing a child at a bad moment. */
#ifndef TESTS_STORE_SCRATCH_H
#define TESTS_STORE_SCRATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

/* A new empty folder; free() the path after scratch_remove(). */
static inline char *scratch_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = text_printf("%s/lcx-test-XXXXXX", base && *base ? base : "/tmp");
    CHECK(mkdtemp(path));
    return path;
}

static inline void scratch_remove(char *path)
{
    struct error err;
    if (folder_remove(path, &err)) fprintf(stderr, "%s\n", err.message);
    free(path);
}

static inline int scratch_mode(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int)(info.st_mode & 07777) : -1;
}

/* The bytes occur somewhere in the file (false when there is no file). */
static inline bool scratch_holds(const char *path, const char *needle)
{
    struct text bytes = {0};
    bool found = false;
    if (file_read(&bytes, path, 1u << 30, NULL) == STATUS_OK)
        found = memmem(bytes.data, bytes.size, needle, strlen(needle)) != NULL;
    text_done(&bytes);
    return found;
}

/* Run `child` in a process of its own; its exit status, or 128 + signal. */
static inline int scratch_run(int (*child)(void *context), void *context)
{
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) _exit(child(context));
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The same, killed with SIGKILL after `us` microseconds if it still runs. */
static inline void scratch_run_and_kill(int (*child)(void *context), void *context, int64_t us)
{
    fflush(NULL);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) _exit(child(context));
    nanosleep(&(struct timespec){us / 1000000, (us % 1000000) * 1000}, NULL);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

#endif
