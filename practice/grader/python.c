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

extern char **environ;

enum { ANSWER_LIMIT = 16384, ANSWER_MS = 10000 };

/* Prints one path a line: the executable, the version, then where it lives. */
static const char question[] =
    "import sys\n"
    "from importlib.util import find_spec\n"
    "from importlib.metadata import version\n"
    "import os\n"
    "spec = find_spec(sys.argv[1])\n"
    "if spec is None or not spec.origin: sys.exit(9)\n"
    "try: v = version(sys.argv[1])\n"
    "except Exception: v = '?'\n"
    "site = os.path.dirname(os.path.dirname(spec.origin))\n"
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
    char *argv[] = {(char *)program, "-c", (char *)question, (char *)library, NULL};
    pid_t pid = -1;
    const int failed = posix_spawnp(&pid, program, &actions, NULL, argv, environ);
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
    if (!failed) while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {}
    if (failed || !WIFEXITED(state) || WEXITSTATUS(state) != 0) {
        text_done(&answer);
        return NULL;
    }
    return text_take(&answer);
}

static bool is_system(const char *path)
{
    return strcmp(path, "/usr") == 0 || strcmp(path, "/") == 0 || text_starts_with(path, "/usr/") ||
           text_starts_with(path, "/lib");
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

static bool try_program(struct python *python, const char *program, const char *library)
{
    char *answer = ask(program, library);
    if (!answer) return false;

    char *rest = answer, *line;
    for (int i = 0; (line = strsep(&rest, "\n")) && rest; i++) {
        if (i == 0) python->program = text_copy(line);
        else if (i == 1) python->library_version = text_copy(line);
        else add_prefix(python, line);
    }
    free(answer);
    return python->program && python->library_version;
}

enum status python_find(struct python *python, enum lane lane, const char *configured,
                        struct error *err)
{
    const char *const library = lane_name(lane);
    const char *const candidates[] = {configured, "python3", "/usr/bin/python3"};
    struct text tried = {0};

    *python = (struct python){0};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (!candidates[i]) continue;
        if (try_program(python, candidates[i], library)) {
            text_done(&tried);
            return STATUS_OK;
        }
        python_done(python);
        text_format(&tried, "%s%s", tried.size ? ", " : "", candidates[i]);
    }
    enum status status = error_set(
        err, STATUS_UNAVAILABLE, _("%s is not available here: none of %s can import %s"),
        lane_title(lane), text_string(&tried), library);
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
