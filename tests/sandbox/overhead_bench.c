/* overhead_bench.c -- what a run costs over the bare process, in milliseconds.
 *
 *   overhead_bench [RUNS]      median and 90th percentile, /usr/bin/true
 *
 * Bare and sandboxed runs take turns, so that both see the same machine.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sandbox/host.h"
#include "sandbox/sandbox.h"

enum { RUNS_LIMIT = 1000 };

static const char *const program[] = {"/usr/bin/true", NULL};

_Noreturn static void stop(const struct error *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static double run_bare(void)
{
    char *const environment[] = {NULL};
    const int64_t began = clock_steady_ns();
    pid_t pid;
    if (posix_spawn(&pid, program[0], NULL, NULL, (char *const *)program, environment) != 0)
        exit(1);
    waitpid(pid, NULL, 0);
    return (double)(clock_steady_ns() - began) / 1e6;
}

static double run_sandboxed(const char *folder, double *inside_ms)
{
    const struct sandbox_request request = {
        .profile = &sandbox_profile_c, .argv = program, .folder = folder};
    struct sandbox sandbox;
    struct sandbox_report report;
    struct error err;
    const int64_t began = clock_steady_ns();
    if (sandbox_start(&sandbox, &request, &err) || sandbox_finish(&sandbox, &report, &err))
        stop(&err);
    const double took = (double)(clock_steady_ns() - began) / 1e6;
    *inside_ms = report.wall_ms;
    sandbox_report_done(&report);
    return took;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *values, int n, double part)
{
    qsort(values, (size_t)n, sizeof *values, compare);
    return values[(int)(part * (n - 1))];
}

static void measure(const char *name, int n)
{
    static double bare[RUNS_LIMIT], sandboxed[RUNS_LIMIT], inside[RUNS_LIMIT];
    struct error err;
    char *folder;
    if (sandbox_folder_new(&folder, NULL, &err)) stop(&err);
    run_sandboxed(folder, inside); /* the first one also tries out what the machine has */
    for (int i = 0; i < n; i++) {
        bare[i] = run_bare();
        sandboxed[i] = run_sandboxed(folder, &inside[i]);
    }
    const double base = quantile(bare, n, 0.5), whole = quantile(sandboxed, n, 0.5);
    printf("%-12s bare %6.2f ms   sandbox %6.2f ms (10%%: %.2f, 90%%: %.2f)   overhead %6.2f ms   "
           "inside %6.2f ms\n",
           name, base, whole, quantile(sandboxed, n, 0.1), quantile(sandboxed, n, 0.9),
           whole - base, quantile(inside, n, 0.5));
    if (sandbox_folder_remove(folder, &err)) stop(&err);
    free(folder);
}

int main(int argc, char **argv)
{
    char why[256];
    int n = argc > 1 ? atoi(argv[1]) : 100;
    if (n < 1 || n > RUNS_LIMIT) n = 100;
    sandbox_init(getenv("LCX_HELPERS") ? getenv("LCX_HELPERS") : SANDBOX_TEST_HELPERS);
    if (host_has_namespaces(why)) measure("namespaces", n);
    else printf("namespaces   %s\n", why);
    sandbox_pretend(SANDBOX_NO_NAMESPACES);
    if (host_landlock_abi()) measure("landlock", n);
    else printf("landlock     not on this machine\n");
    return 0;
}
