/* confine_main.c -- lcx-confine: give up what is not needed, then become the program.
 *
 *   lcx-confine [--init] [--channel] [--fixed-addresses] OPTIONS -- /PROGRAM ARGUMENT ...
 *   lcx-confine --check
 *
 *   --init             stay as process 1 of the namespace: start the program as a
 *                      child, reap whatever is left to us, tell its exact end
 *   --channel          leave descriptor 3 to the program
 *   --fixed-addresses  no address randomization (AddressSanitizer of gcc 12 and
 *                      clang 14 does not start with 32 random bits of mmap)
 *   OPTIONS            sandbox/confine.h
 *
 * Writes struct confine_message to descriptor 4 and nothing anywhere else.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/confine.h"

static void tell(const struct confine_message *message)
{
    while (write(CONFINE_STATUS, message, sizeof *message) < 0 && errno == EINTR) continue;
}

_Noreturn static void fail(const char *stage, int number)
{
    struct confine_message message = {.event = CONFINE_FAILED, .number = number};
    strncpy(message.stage, stage, sizeof message.stage - 1);
    tell(&message);
    _exit(127);
}

struct request {
    bool init, channel, fixed_addresses;
    int first, end; /* argv[first, end) are confine_apply's; argv[end] is "--" */
};

_Noreturn static void become(const struct request *request, char **argv)
{
    const struct confine_message started = {.event = CONFINE_STARTED};

    if (request->fixed_addresses && personality(ADDR_NO_RANDOMIZE) < 0) fail("personality", errno);
    /* 3 and above are ours, except what was promised; 4 must still tell of a failed execve */
    if (!request->channel) close(CONFINE_CHANNEL);
    const int failed =
        confine_apply(request->end - request->first, (const char *const *)argv + request->first);
    if (failed) fail(confine_stage(), failed);
    tell(&started);
    execv(argv[request->end + 1], argv + request->end + 1);
    fail("program", errno);
}

/* Process 1 of the namespace: it outlives its child by one message. When it
 * ends, the kernel kills everything else in here. */
_Noreturn static void watch(pid_t program)
{
    struct confine_message ended = {.event = CONFINE_ENDED};

    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    close(CONFINE_CHANNEL);
    for (;;) {
        struct rusage used;
        int status;
        const pid_t pid = wait4(-1, &status, 0, &used);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) _exit(127);
        if (pid != program) continue;
        ended.number = status;
        ended.cpu_us = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                       used.ru_utime.tv_usec + used.ru_stime.tv_usec;
        ended.peak_kb = used.ru_maxrss;
        tell(&ended);
        _exit(0);
    }
}

int main(int argc, char **argv)
{
    struct request request = {.first = 1};

    if (argc == 2 && strcmp(argv[1], "--check") == 0) return CONFINE_CHECK_ANSWER;
    if (close_range(CONFINE_STATUS, CONFINE_STATUS, CLOSE_RANGE_CLOEXEC) != 0)
        fail("descriptors", errno);
    close_range(CONFINE_STATUS + 1, ~0U, 0);

    for (; request.first < argc; request.first++) {
        const char *word = argv[request.first];
        if (strcmp(word, "--init") == 0) request.init = true;
        else if (strcmp(word, "--channel") == 0) request.channel = true;
        else if (strcmp(word, "--fixed-addresses") == 0) request.fixed_addresses = true;
        else break;
    }
    request.end = request.first;
    while (request.end < argc && strcmp(argv[request.end], "--") != 0) request.end++;
    if (request.end + 1 >= argc) fail("options", EINVAL);
    if (!request.init) become(&request, argv);

    /* The program has our uid: it must not be able to open /proc/1/mem. Its own
     * execve makes it an ordinary process again. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const pid_t program = fork();
    if (program < 0) fail("fork", errno);
    if (program == 0) become(&request, argv);
    watch(program);
}
