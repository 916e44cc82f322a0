#include "grader/python.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/locale.h"
#include "sandbox/sandbox.h"

enum { ANSWER_LIMIT = 16384, ANSWER_MS = 60000 };

/* Prints one path a line: the executable, the version, then where it lives. */
static const char question[] =
    "import sys\n"
    "import os, importlib\n"
    "library = importlib.import_module(sys.argv[1])\n"
    "v = library.__version__\n"
    "site = os.path.dirname(os.path.dirname(library.__file__))\n"
    "real = os.path.dirname(os.path.realpath(sys.executable))\n"
    "print(sys.executable, v, sys.prefix, sys.base_prefix, site, real, sep='\\n')\n";

/* What the program prints, NULL when it does not answer well. */
static char *ask(const char *program, const char *library)
{
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) return NULL;

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addchdir_np(&actions, "/"); /* no module of the current folder */
    char *argv[] = {(char *)program, "-I", "-c", (char *)question, (char *)library, NULL};
    char *home = text_printf("HOME=%s", getenv("HOME") ? getenv("HOME") : "/");
    char *path = text_printf("PATH=%s", getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    char *environment[] = {home, path, NULL}; /* a version manager's shim needs both */
    pid_t pid = -1;
    const int failed = posix_spawnp(&pid, program, &actions, NULL, argv, environment);
    free(home);
    free(path);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);

    struct text answer = {0};
    const int64_t deadline = clock_steady_ns() + (int64_t)ANSWER_MS * 1000000;
    while (!failed && answer.size < ANSWER_LIMIT) {
        const int64_t left_ms = (deadline - clock_steady_ns()) / 1000000;
        struct pollfd wait = {.fd = pipe_ends[0], .events = POLLIN};
        if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) <= 0) {
            kill(pid, SIGKILL);
            break;
        }
        char buffer[1024];
        const ssize_t n = read(pipe_ends[0], buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        text_add_bytes(&answer, buffer, (size_t)n);
    }
    close(pipe_ends[0]);
    int state = -1;
    if (!failed)
        while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {}
    if (failed || !WIFEXITED(state) || WEXITSTATUS(state) != 0) {
        text_done(&answer);
        return NULL;
    }
    return text_take(&answer);
}

static bool is_system(const char *path)
{
    return strcmp(path, "/usr") == 0 || strcmp(path, "/") == 0 || text_starts_with(path, "/usr/") ||
           strcmp(path, "/lib") == 0 || text_starts_with(path, "/lib/");
}

static void add_prefix(struct python *python, const char *path)
{
    int n = 0;
    while (python->prefixes[n]) {
        if (strcmp(python->prefixes[n], path) == 0) return;
        n++;
    }
    if (n < PYTHON_PREFIX_LIMIT && *path == '/' && !is_system(path))
        python->prefixes[n] = text_copy(path);
}

/* Take an answer apart; false when it is not whole or what it names is gone. */
static bool take_answer(struct python *python, const char *answer, const char *library)
{
    char *copy = text_copy(answer), *rest = copy, *line;
    bool there = false;
    for (int i = 0; (line = strsep(&rest, "\n")) && rest; i++) {
        if (i == 0) python->program = text_copy(line);
        else if (i == 1) python->library_version = text_copy(line);
        else add_prefix(python, line);
        if (i == 4) {
            char *path = path_join(line, library);
            there = file_exists(path);
            free(path);
        }
    }
    free(copy);
    return there && python->library_version && access(python->program, X_OK) == 0;
}

/* What the answer depends on, as the first line of the cached file. */
static char *cache_key(const char *configured)
{
    const char *path = getenv("PATH");
    char *key = text_printf("%s %s\n", configured ? configured : "-", path ? path : "");
    for (char *p = key; p[0] && p[1]; p++) /* a newline inside would end it early */
        if (*p == '\n') *p = ' ';
    return key;
}

static bool from_cache(struct python *python, const char *file, const char *key,
                       const char *library)
{
    struct text kept = {0};
    const bool found = file_read(&kept, file, ANSWER_LIMIT, NULL) == STATUS_OK &&
                       text_starts_with(text_string(&kept), key) &&
                       take_answer(python, text_string(&kept) + strlen(key), library);
    text_done(&kept);
    if (!found) python_done(python);
    return found;
}

/* The first place of it that the user of a run cannot read; NULL when it reaches them all. */
static const char *shut_place(const struct python *python)
{
    if (!sandbox_reaches(python->program)) return python->program;
    for (int i = 0; python->prefixes[i]; i++)
        if (!sandbox_reaches(python->prefixes[i])) return python->prefixes[i];
    return NULL;
}

enum status python_find(struct python *python, enum lane lane, const char *configured,
                        const char *cache, struct error *err)
{
    const char *const library = lane_name(lane);
    const char *const candidates[] = {configured, "python3", "/usr/bin/python3"};
    char *key = cache_key(configured);
    char *file = cache ? text_printf("%s/python-%s", cache, library) : NULL;
    struct text tried = {0}, shut = {0};
    bool found = false;

    *python = (struct python){0};
    if (file) found = from_cache(python, file, key, library);
    if (found && shut_place(python)) {
        python_done(python);
        found = false;
    }
    for (size_t i = 0; !found && i < sizeof candidates / sizeof candidates[0]; i++) {
        if (!candidates[i]) continue;
        char *answer = ask(candidates[i], library);
        found = answer && take_answer(python, answer, library);
        if (found && shut_place(python)) {
            if (!shut.size) text_add(&shut, shut_place(python));
            found = false;
        }
        if (found && file) {
            char *kept = text_printf("%s%s", key, answer);
            enum status ignored = file_write(file, kept, strlen(kept), 0600, NULL);
            (void)ignored; /* asked again next time */
            free(kept);
        }
        free(answer);
        if (found) break;
        python_done(python);
        text_format(&tried, "%s%s", tried.size ? ", " : "", candidates[i]);
    }
    free(key);
    free(file);
    enum status status = STATUS_OK;
    if (!found && shut.size)
        status =
            error_set(err, STATUS_UNAVAILABLE,
                      _("%s is not available here: the unprivileged user of a run cannot reach "
                        "%s: install it for all (in /usr), or do not run as root"),
                      lane_title(lane), text_string(&shut));
    else if (!found)
        status = error_set(err, STATUS_UNAVAILABLE,
                           _("%s is not available here: none of %s can import %s"),
                           lane_title(lane), text_string(&tried), library);
    text_done(&shut);
    text_done(&tried);
    return status;
}

void python_done(struct python *python)
{
    free(python->program);
    free(python->library_version);
    for (int i = 0; i < PYTHON_PREFIX_LIMIT; i++) free(python->prefixes[i]);
    *python = (struct python){0};
}
