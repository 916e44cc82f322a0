/* confine_main.c -- lcx-confine: give up what is not needed, then become the program.
 *
 *   lcx-confine [--init | --guard] [--channel] [--fixed-addresses] OPTIONS -- /PROGRAM ARGUMENT ...
 *   lcx-confine --check
 *
 *   --init             stay as process 1 of the namespace: start the program as a
 *                      child, reap whatever is left to us, tell its exact end
 *   --guard            the same without a namespace: stay as the leader of the run's process
 *                      group, and end all of it when the supervisor dies or the program ends
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
    bool init, guard, channel, fixed_addresses;
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

/* All of the group in one stroke, this process with it. The kernel holds forks back meanwhile:
 * one that has begun sees the signal and is not made. */
_Noreturn static void end_group(void)
{
    kill(0, SIGKILL);
    _exit(127);
}

static void on_supervisor_death(int number)
{
    (void)number;
    end_group();
}

/* Between the two, the death of the supervisor is that of this process, which has no child yet. */
static bool guard_begin(void)
{
    const struct sigaction action = {.sa_handler = on_supervisor_death};
    errno = EPERM;
    if (getpgrp() != getpid()) return false; /* the group holds more than this run */
    return sigaction(SIGTERM, &action, NULL) == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0;
}

/* What the guard has that the program must not: the death signal is not inherited. */
static void guard_end(void) { signal(SIGTERM, SIG_DFL); }

/* It outlives its child by one message. Process 1 of a namespace: when it ends, the kernel kills
 * everything else in here. A guard does that itself. */
_Noreturn static void watch(pid_t program, bool guard)
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
        if (pid < 0 && guard) end_group();
        if (pid < 0) _exit(127);
        if (pid != program) continue;
        ended.number = status;
        ended.cpu_us = (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
                       used.ru_utime.tv_usec + used.ru_stime.tv_usec;
        ended.peak_kb = used.ru_maxrss;
        tell(&ended);
        if (guard) end_group();
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
        else if (strcmp(word, "--guard") == 0) request.guard = true;
        else if (strcmp(word, "--channel") == 0) request.channel = true;
        else if (strcmp(word, "--fixed-addresses") == 0) request.fixed_addresses = true;
        else break;
    }
    request.end = request.first;
    while (request.end < argc && strcmp(argv[request.end], "--") != 0) request.end++;
    if (request.end + 1 >= argc) fail("options", EINVAL);
    if (!request.init && !request.guard) become(&request, argv);
    if (request.guard && !guard_begin()) fail("guard", errno);

    /* The program has our uid: it must not be able to open our memory. Its own execve makes it
     * an ordinary process again. */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    const pid_t program = fork();
    if (program < 0) fail("fork", errno);
    if (program == 0) {
        if (request.guard) guard_end();
        become(&request, argv);
    }
    watch(program, request.guard);
}
