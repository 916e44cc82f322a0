/* attack_test.c -- each attack of tests/sandbox/attacks.c: what is blocked, what is reported. */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* ---- what the tests say often ---- */

static const char *words(const struct trial *trial) { return text_string(&trial->report.output); }

static void assert_ended_well(const struct trial *trial)
{
    if (!trial->report.exited || trial->report.code != 0)
        fail_msg("code %d, signal %d, limit %d: %s", trial->report.code, trial->report.signal,
                 trial->report.limit, words(trial));
    assert_int_equal(trial->report.limit, SANDBOX_LIMIT_NONE);
}

static void assert_limit(const struct trial *trial, enum sandbox_limit limit)
{
    if (trial->report.limit != limit)
        fail_msg("limit %d, not %d (code %d, signal %d): %s", trial->report.limit, limit,
                 trial->report.code, trial->report.signal, words(trial));
    print_message("limit: %s %.1f %s, used %.1f, after %.0f ms\n", sandbox_limit_name(limit),
                  trial->report.limit_value, sandbox_limit_unit(limit), trial->report.used_value,
                  trial->report.wall_ms);
}

/* Every step refused. */
static void assert_refused(const struct sandbox_profile *profile, const char *name,
                           const char *argument)
{
    struct trial trial = {0};
    trial_attack(&trial, profile, name, argument);
    assert_ended_well(&trial);
    assert_null(strstr(words(&trial), "DONE"));
    trial_done(&trial);
}

/* Stopped by this limit, soon enough. */
static void assert_stopped(const struct sandbox_profile *profile, const char *name,
                           const char *argument, enum sandbox_limit limit)
{
    struct trial trial = {0};
    trial_attack(&trial, profile, name, argument);
    assert_limit(&trial, limit);
    assert_true(trial.report.used_value >= trial.report.limit_value * 0.9);
    trial_done(&trial);
}

/* A file that the user owns, outside every attempt. */
static char *secret_make(void)
{
    char *path = path_join(trial_parent, "secret");
    struct error err;
    if (file_write(path, "secret", 6, 0644, &err)) fail_msg("%s", err.message);
    return path;
}

/* Whether the marked processes are gone within two seconds. */
static void assert_none_left(const char *mark)
{
    for (int i = 0; i < 200 && trial_count_processes(mark) > 0; i++) usleep(10000);
    assert_int_equal(trial_count_processes(mark), 0);
}

static void assert_no_mount(const char *folder)
{
    struct text mounts = {0};
    struct error err;
    if (file_read(&mounts, "/proc/self/mounts", 1 << 20, &err)) fail_msg("%s", err.message);
    assert_null(strstr(text_string(&mounts), folder));
    text_done(&mounts);
}

/* ---- resources ---- */

static void a_single_process_cannot_fork(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "fork_bomb", NULL);
    assert_refused(&sandbox_profile_numpy, "fork_bomb", NULL);
}

static void a_fork_bomb_ends_at_the_process_limit(void **state)
{
    (void)state;
    assert_stopped(&sandbox_profile_compile, "fork_bomb", NULL, SANDBOX_LIMIT_PROCESSES);
}

static void a_fork_storm_is_stamped_out(void **state)
{
    (void)state;
    struct trial trial = {0};
    const char *mark = trial_mark();
    trial_attack(&trial, &sandbox_profile_compile, "fork_storm", mark);
    assert_limit(&trial, SANDBOX_LIMIT_PROCESSES);
    assert_int_equal(trial_count_processes(mark), 0);
    trial_done(&trial);
}

/* Found by trying: as uid 0 the kernel does not hold RLIMIT_NPROC, and 2,000 forks succeed. */
static void the_kernel_counts_processes_too(void **state)
{
    (void)state;
    struct sandbox_profile profile = sandbox_profile_compile;
    struct trial trial = {0};
    profile.wall_s = 0.5;
    profile.processes = 0; /* our own count is switched off; the kernel's is then 16 */
    trial_attack(&trial, &profile, "fork_bomb", NULL);
    assert_limit(&trial, SANDBOX_LIMIT_WALL);
    const char *said = strstr(words(&trial), "made ");
    assert_non_null(said);
    print_message("%s", said);
    /* without namespaces a plain user's other tasks count as well */
    const int most = trial_is_plain() && !trial_has_namespaces() ? 1999 : 16;
    assert_true(atoi(said + 5) <= most);
    trial_done(&trial);
}

static void threads_are_counted(void **state)
{
    (void)state;
    if (trial_is_plain() && !trial_has_namespaces()) {
        print_message("skipped: without namespaces a plain user's other tasks count as well\n");
        return;
    }
    assert_refused(&sandbox_profile_c, "thread_bomb", NULL);
}

static void a_memory_bomb_ends_at_the_memory_limit(void **state)
{
    (void)state;
    assert_stopped(&sandbox_profile_c, "memory_bomb", NULL, SANDBOX_LIMIT_MEMORY);
    assert_stopped(&sandbox_profile_c_sanitized, "memory_bomb", NULL, SANDBOX_LIMIT_MEMORY);
    assert_stopped(&sandbox_profile_numpy, "memory_bomb", NULL, SANDBOX_LIMIT_MEMORY);
}

static void the_memory_of_all_descendants_counts_together(void **state)
{
    (void)state;
    assert_stopped(&sandbox_profile_compile, "memory_of_many", NULL, SANDBOX_LIMIT_MEMORY);
}

static void there_is_no_memory_that_nobody_counts(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "memory_hidden", NULL);
    assert_refused(&sandbox_profile_compile, "memory_hidden", NULL);
}

static void the_disk_is_not_filled(void **state)
{
    (void)state;
    assert_stopped(&sandbox_profile_c, "one_large_file", NULL, SANDBOX_LIMIT_FILE);
    assert_stopped(&sandbox_profile_c, "many_files", NULL, SANDBOX_LIMIT_FILE);
    assert_stopped(&sandbox_profile_c, "many_empty_files", NULL, SANDBOX_LIMIT_FILE);
    assert_stopped(&sandbox_profile_c, "deep_tree", NULL, SANDBOX_LIMIT_FILE);
    if (trial_has_namespaces())
        assert_stopped(&sandbox_profile_c, "many_files", "/tmp", SANDBOX_LIMIT_FILE);
}

static void endless_output_ends_and_keeps_its_two_ends(void **state)
{
    (void)state;
    struct trial trial = {0};
    trial_attack(&trial, &sandbox_profile_c, "infinite_output", NULL);
    assert_limit(&trial, SANDBOX_LIMIT_OUTPUT);
    assert_true(trial.report.output_cut);
    assert_true(trial.report.output.size <= sandbox_profile_c.output_bytes + 100);
    assert_memory_equal(words(&trial), "line 0\nline 1\n", 14);
    /* the end is the end: its last whole line has the largest number */
    const char *last = words(&trial) + trial.report.output.size - 40;
    assert_true(atol(strstr(last, "line ") + 5) > 50000);
    trial_done(&trial);
}

static void output_beyond_the_cap_is_cut_but_the_run_goes_on(void **state)
{
    (void)state;
    struct trial trial = {0};
    const char *const argv[] = {
        "/bin/sh", "-c", "i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; exit 5", NULL};
    trial_run(&trial, &sandbox_profile_c, argv);
    assert_int_equal(trial.report.limit, SANDBOX_LIMIT_NONE);
    assert_int_equal(trial.report.code, 5);
    assert_true(trial.report.output_cut);
    assert_non_null(strstr(words(&trial), "bytes left out"));
    assert_string_equal(words(&trial) + trial.report.output.size - 12, "19998\n19999\n");
    trial_done(&trial);
}

static void a_loop_ends_at_the_cpu_limit(void **state)
{
    (void)state;
    struct sandbox_profile profile = sandbox_profile_c;
    profile.cpu_s = 1;
    assert_stopped(&profile, "spin", NULL, SANDBOX_LIMIT_CPU);
    assert_stopped(&profile, "spin", "deaf", SANDBOX_LIMIT_CPU);
}

static void a_sleeper_ends_at_the_wall_clock(void **state)
{
    (void)state;
    struct sandbox_profile profile = sandbox_profile_c;
    profile.wall_s = 0.3;
    assert_stopped(&profile, "sleeper", NULL, SANDBOX_LIMIT_WALL);
    assert_stopped(&profile, "stop_itself", NULL, SANDBOX_LIMIT_WALL);
}

static void limits_cannot_be_raised(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "raise_limits", NULL);
    assert_refused(&sandbox_profile_compile, "raise_limits", NULL);
}

/* ---- what is given ---- */

static void nothing_is_inherited(void **state)
{
    (void)state;
    struct trial trial = {0};
    setenv("LCX_SECRET", "expected values", 1);
    const int extra = open("/dev/null", O_RDONLY); /* not closed on execve */
    trial_attack(&trial, &sandbox_profile_c, "inventory", NULL);
    close(extra);
    assert_ended_well(&trial);
    assert_null(strstr(words(&trial), "LCX_SECRET"));
    assert_null(strstr(words(&trial), "fd 3"));
    assert_null(strstr(words(&trial), "fd 4"));
    assert_null(strstr(words(&trial), "fd 5"));
    assert_non_null(strstr(words(&trial), "fd 2\nenv "));
    assert_non_null(strstr(words(&trial), "env LANG=C.UTF-8\n"));
    assert_non_null(strstr(words(&trial), "env OMP_NUM_THREADS=1\n"));
    assert_non_null(strstr(words(&trial), "no_new_privs 1\n"));
    assert_non_null(strstr(words(&trial), "CapEff:\t0000000000000000\n"));
    assert_non_null(strstr(words(&trial), "CapPrm:\t0000000000000000\n"));
    assert_null(strstr(words(&trial), "uid 0 "));
    assert_null(strstr(words(&trial), "gid 0 "));
    trial_done(&trial);
}

static void there_is_no_network(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "network", NULL);
    assert_refused(&sandbox_profile_compile, "network", NULL);
    assert_refused(&sandbox_profile_worker, "network", NULL);
}

/* ---- files ---- */

static void the_home_and_the_system_stay_unread(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "home", NULL);
    assert_refused(&sandbox_profile_worker, "home", NULL);
}

static void another_attempt_stays_unread(void **state)
{
    (void)state;
    struct error err;
    char *other, *secret = secret_make();
    if (sandbox_folder_new(&other, trial_parent, &err)) fail_msg("%s", err.message);
    char *solution = path_join(other, "solution.c");
    if (file_write(solution, "mine", 4, 0644, &err)) fail_msg("%s", err.message);
    chmod(other, 0755); /* the walls must hold it, not the mode */

    assert_refused(&sandbox_profile_c, "read", solution);
    assert_refused(&sandbox_profile_c, "read", secret);
    assert_refused(&sandbox_profile_compile, "read", secret);
    assert_refused(&sandbox_profile_c, "list", other);
    assert_refused(&sandbox_profile_c, "read", SANDBOX_TEST_HELPERS "/meson.build");

    /* the folder above: nothing but the attempt itself is in it, or it cannot be listed */
    struct trial trial = {0};
    trial_attack(&trial, &sandbox_profile_c, "list", trial_parent);
    assert_null(strstr(words(&trial), "secret"));
    assert_null(strstr(words(&trial), strrchr(other, '/') + 1));
    trial_done(&trial);
    if (sandbox_folder_remove(other, &err)) fail_msg("%s", err.message);
    free(solution);
    free(other);
    free(secret);
}

static void what_lies_outside_stays_as_it_is(void **state)
{
    (void)state;
    char *secret = secret_make();
    struct stat before, after;
    struct text text = {0};
    struct error err;
    assert_int_equal(stat(secret, &before), 0);
    if (trial_has_namespaces()) {
        /* the folders above the attempt are there, empty, and private */
        struct trial trial = {0};
        trial_attack(&trial, &sandbox_profile_c, "change", secret);
        trial_done(&trial);
    } else {
        assert_refused(&sandbox_profile_c, "change", secret);
    }
    struct trial beside = {0};
    trial_attack(&beside, &sandbox_profile_c, "write_beside", NULL);
    trial_done(&beside);
    char *other = text_printf("%s.other", secret);
    char *written = path_join(trial_parent, "lcx-was-here");
    assert_false(file_exists(other));
    assert_false(file_exists(written));
    free(written);
    free(other);
    assert_refused(&sandbox_profile_c, "write_outside", NULL);
    assert_refused(&sandbox_profile_compile, "write_outside", NULL);
    assert_int_equal(stat(secret, &after), 0);
    assert_int_equal(before.st_mode, after.st_mode);
    assert_int_equal(before.st_uid, after.st_uid);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_nlink, after.st_nlink);
    if (file_read(&text, secret, 100, &err)) fail_msg("%s", err.message);
    assert_string_equal(text_string(&text), "secret");
    text_done(&text);
    free(secret);
}

static void false_results_are_not_collected(void **state)
{
    (void)state;
    char *secret = secret_make();
    struct trial trial = {0};
    struct text text = {0};
    struct error err;
    trial_attack(&trial, &sandbox_profile_c, "false_results", secret);
    assert_ended_well(&trial);
    const char *folder = trial.folder;
    assert_int_equal(sandbox_collect(&text, folder, "symbolic", 100, &err), STATUS_FORMAT);
    assert_int_equal(sandbox_collect(&text, folder, "root", 100, &err), STATUS_FORMAT);
    assert_int_equal(sandbox_collect(&text, folder, "pipe", 100, &err), STATUS_FORMAT);
    assert_int_equal(sandbox_collect(&text, folder, "folder", 100, &err), STATUS_FORMAT);
    assert_int_equal(sandbox_collect(&text, folder, "twice", 100, &err), STATUS_FORMAT);
    assert_int_equal(sandbox_collect(&text, folder, "large", 100, &err), STATUS_LIMIT);
    assert_int_equal(sandbox_collect(&text, folder, "root/etc/passwd", 100, &err), STATUS_USAGE);
    assert_int_equal(sandbox_collect(&text, folder, "..", 100, &err), STATUS_USAGE);
    assert_int_equal(sandbox_collect(&text, folder, "absent", 100, &err), STATUS_NOT_FOUND);
    text_clear(&text);
    assert_int_equal(sandbox_collect(&text, folder, "plain", 6, &err), STATUS_OK);
    assert_string_equal(text_string(&text), "result");
    text_done(&text);
    trial_done(&trial);
    assert_true(file_exists(secret)); /* cleaning up followed no link */
    free(secret);
}

static void a_trap_for_the_next_run_does_not_open_the_walls(void **state)
{
    (void)state;
    struct trial trial = {0};
    char *secret = secret_make();
    trial_attack(&trial, &sandbox_profile_c, "trap_the_next_run", trial_parent);
    assert_non_null(strstr(words(&trial), "made 1001 links"));
    sandbox_report_done(&trial.report);
    const char *const look[] = {"/bin/sh", "-c", "cat $TMPDIR/secret || echo none > $TMPDIR/left",
                                NULL};
    trial_run_in(&trial, &sandbox_profile_compile, look);
    assert_ended_well(&trial);
    assert_null(strstr(words(&trial), "secret\n"));
    char *left = path_join(trial_parent, "left");
    assert_false(file_exists(left));
    free(left);
    trial_done(&trial);
    free(secret);
}

static void whatever_is_left_can_be_removed(void **state)
{
    (void)state;
    struct trial trial = {0};
    struct sandbox_profile profile = sandbox_profile_c;
    trial_attack(&trial, &profile, "closed_folders", NULL);
    assert_ended_well(&trial);
    trial_done(&trial); /* fails when it cannot remove */
    trial_attack(&trial, &profile, "deep_tree", NULL);
    trial_done(&trial);
}

/* ---- the kernel ---- */

static void nobody_is_traced(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "tracing", NULL);
    assert_refused(&sandbox_profile_compile, "tracing", NULL);
}

static void there_are_no_nested_namespaces(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "namespaces", NULL);
    assert_refused(&sandbox_profile_compile, "namespaces", NULL);
    assert_refused(&sandbox_profile_worker, "namespaces", NULL);
}

static void dangerous_calls_are_refused(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "kernel_calls", NULL);
    assert_refused(&sandbox_profile_compile, "kernel_calls", NULL);
    assert_refused(&sandbox_profile_worker, "kernel_calls", NULL);
}

static void kernel_settings_cannot_be_written(void **state)
{
    (void)state;
    assert_refused(&sandbox_profile_c, "kernel_settings", NULL);
    assert_refused(&sandbox_profile_compile, "kernel_settings", NULL);
}

/* ---- signals, and those that want to live on ---- */

static void signals_reach_no_stranger(void **state)
{
    (void)state;
    char number[32];
    const pid_t stranger = fork(); /* of our own uid */
    if (stranger == 0) {
        for (;;) pause();
    }
    snprintf(number, sizeof number, "%d", (int)stranger);
    assert_refused(&sandbox_profile_c, "signals", number);

    struct trial trial = {0};
    trial_attack(&trial, &sandbox_profile_compile, "signals_of_a_parent", number);
    assert_null(strstr(words(&trial), "stranger: DONE"));
    trial_done(&trial);
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0);
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
}

static void daemons_do_not_outlive_the_run(void **state)
{
    (void)state;
    struct trial trial = {0};
    const char *mark = trial_mark();
    trial_attack(&trial, &sandbox_profile_compile, "daemons", mark);
    assert_int_equal(trial_count_processes(mark), 0);
    assert_ended_well(&trial);
    trial_done(&trial);
    assert_refused(&sandbox_profile_c, "outlive_the_parent", NULL);
}

/* False when they are not there within ten seconds. */
static bool start_daemons(struct sandbox *sandbox, char **folder, const char *mark)
{
    const char *const argv[] = {trial_attacks, "daemons_and_wait", mark, NULL};
    const char *const readable[] = {trial_attacks, NULL};
    struct error err;
    if (sandbox_folder_new(folder, trial_parent, &err)) return false;
    const struct sandbox_request request = {
        .profile = &sandbox_profile_compile, .argv = argv, .folder = *folder, .readable = readable};
    if (sandbox_start(sandbox, &request, &err)) return false;
    /* counted once a turn: those that fork and go are counted too, while they last */
    for (int i = 0; i < 1000; i++) {
        if (trial_count_processes(mark) >= 4) return true;
        usleep(10000);
    }
    return false;
}

static void a_run_is_ended_on_request(void **state)
{
    (void)state;
    struct sandbox sandbox;
    struct sandbox_report report;
    struct error err;
    const char *mark = trial_mark();
    char *folder;
    assert_true(start_daemons(&sandbox, &folder, mark));
    sandbox_kill(&sandbox);
    if (sandbox_finish(&sandbox, &report, &err)) fail_msg("%s", err.message);
    assert_int_equal(trial_count_processes(mark), 0);
    assert_false(report.exited);
    assert_int_equal(report.signal, SIGKILL);
    assert_int_equal(report.limit, SANDBOX_LIMIT_NONE);
    sandbox_report_done(&report);
    free(folder);
}

static void a_killed_supervisor_leaves_nothing(void **state)
{
    (void)state;
    struct sandbox sandbox;
    struct sandbox_report report;
    struct error err;
    const char *mark = trial_mark();
    char *folder;
    assert_true(start_daemons(&sandbox, &folder, mark));
    kill(sandbox.supervisor, SIGKILL);
    assert_int_equal(sandbox_finish(&sandbox, &report, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "supervisor"));
    assert_none_left(mark);
    assert_no_mount(folder);
    free(folder);
}

/* lcx dies of SIGKILL; with `supervisor` so does the supervisor, at the same time. */
static void assert_death_of_lcx_ends_all(bool supervisor)
{
    const char *mark = trial_mark();
    int ends[2];
    struct {
        pid_t supervisor;
        char folder[200];
    } told;
    assert_int_equal(pipe(ends), 0);
    const pid_t lcx = fork();
    if (lcx == 0) {
        struct sandbox sandbox;
        char *folder;
        if (!start_daemons(&sandbox, &folder, mark)) _exit(1);
        told.supervisor = sandbox.supervisor;
        snprintf(told.folder, sizeof told.folder, "%s", folder);
        (void)!write(ends[1], &told, sizeof told);
        for (;;) pause();
    }
    close(ends[1]); /* a child that failed must not leave us waiting */
    assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
    close(ends[0]);
    if (supervisor) kill(told.supervisor, SIGKILL);
    kill(lcx, SIGKILL);
    waitpid(lcx, NULL, 0);

    struct error err;
    if (!supervisor) assert_none_left(mark);
    assert_true(file_is_folder(told.folder));
    if (sandbox_sweep(trial_parent, &err)) fail_msg("%s", err.message);
    assert_false(file_exists(told.folder));
    assert_none_left(mark);
    assert_no_mount(told.folder);
}

static void a_killed_lcx_leaves_nothing(void **state)
{
    (void)state;
    assert_death_of_lcx_ends_all(false);
}

static void a_killed_lcx_and_supervisor_leave_nothing(void **state)
{
    (void)state;
    assert_death_of_lcx_ends_all(true);
}

/* ---- a storm whose keepers are killed at a random moment ---- */

enum { STORM_ROUNDS = 6, STORM_MOST_US = 60000, STORM_END_US = 5000000 };

/* `processes` 0: only the kernel counts, and the supervisor lets it rage. */
static bool start_storm(struct sandbox *sandbox, char **folder, const char *mark, int processes)
{
    static struct sandbox_profile profile;
    const char *const argv[] = {trial_attacks, "fork_storm", mark, NULL};
    const char *const readable[] = {trial_attacks, NULL};
    struct error err;
    if (sandbox_folder_new(folder, trial_parent, &err)) return false;
    profile = sandbox_profile_compile;
    profile.processes = processes;
    const struct sandbox_request request = {
        .profile = &profile, .argv = argv, .folder = *folder, .readable = readable};
    return sandbox_start(sandbox, &request, &err) == STATUS_OK;
}

/* From before the first fork to when the supervisor is ending the storm for its size. */
static void wait_a_random_while(void)
{
    static unsigned state = 1;
    if (state == 1) state = (unsigned)getpid() * 2654435761U | 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    usleep(state % STORM_MOST_US);
}

/* The dead of a storm count for the kernel's limit until somebody reaps them. */
static void bury_the_dead(void)
{
    for (int i = 0; i < 1000 && waitpid(-1, NULL, WNOHANG) >= 0; i++) usleep(100);
}

/* How long the marked processes were still there, in microseconds; none is left after it, and
 * what they were is not left to the other tests. */
static int64_t storm_ends_us(const char *mark)
{
    const int64_t began = clock_steady_ns();
    int left, looks = 0; /* twice nobody: one may be between two names when its keeper dies */
    do {
        left = trial_count_processes(mark);
        looks = left ? 0 : looks + 1;
        usleep(1000);
    } while (looks < 2 && clock_steady_ns() - began < STORM_END_US * INT64_C(1000));
    for (int i = 0; i < 1000 && trial_count_processes(mark) > 0; i++) trial_kill_processes(mark);
    if (left) fail_msg("%d processes of the storm have outlived their keepers", left);
    return (clock_steady_ns() - began) / 1000;
}

static void a_storm_ends_with_its_supervisor(void **state)
{
    (void)state;
    const char *mark = trial_mark();
    int64_t longest = 0;
    int n_orphaned = 0;
    for (int i = 0; i < STORM_ROUNDS; i++) {
        struct sandbox sandbox;
        struct sandbox_report report;
        struct error err;
        char *folder;
        assert_true(start_storm(&sandbox, &folder, mark, sandbox_profile_compile.processes));
        wait_a_random_while();
        kill(sandbox.supervisor, SIGKILL);
        if (i % 2) { /* nobody waits for it: it ends by itself */
            const int64_t us = storm_ends_us(mark);
            if (us > longest) longest = us;
        }
        /* it may have been done with the storm before */
        const enum status status = sandbox_finish(&sandbox, &report, &err);
        assert_true(status == STATUS_OK || status == STATUS_IO);
        if (!status) assert_int_equal(report.limit, SANDBOX_LIMIT_PROCESSES);
        if (!status) {
            sandbox_report_done(&report);
            assert_int_equal(trial_count_processes(mark), 0);
        } else { /* a namespace dies in a moment of its own */
            n_orphaned++;
            storm_ends_us(mark);
        }
        if (sandbox_folder_remove(folder, &err)) fail_msg("%s", err.message);
        free(folder);
        bury_the_dead();
    }
    print_message("%d storms, %d without a supervisor, the longest gone after %.1f ms\n",
                  STORM_ROUNDS, n_orphaned, (double)longest / 1e3);
    assert_true(longest < STORM_END_US);
}

/* A process that has started a storm and stands for lcx. */
static pid_t start_lcx_with_storm(pid_t *supervisor, const char *mark, int processes)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t lcx = fork();
    if (lcx == 0) {
        struct sandbox sandbox;
        char *folder;
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody */
        if (!start_storm(&sandbox, &folder, mark, processes)) _exit(1);
        (void)!write(ends[1], &sandbox.supervisor, sizeof sandbox.supervisor);
        for (;;) pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], supervisor, sizeof *supervisor), sizeof *supervisor);
    close(ends[0]);
    return lcx;
}

/* Kill lcx, then its supervisor; or the other way round. Nobody sweeps. */
static int64_t storm_ends_after_lcx_us(const char *mark, bool supervisor_too, bool supervisor_first)
{
    pid_t supervisor = 0;
    const pid_t lcx = start_lcx_with_storm(&supervisor, mark, sandbox_profile_compile.processes);
    wait_a_random_while();
    if (supervisor_too && supervisor_first) kill(supervisor, SIGKILL);
    kill(lcx, SIGKILL);
    if (supervisor_too && !supervisor_first) kill(supervisor, SIGKILL);
    waitpid(lcx, NULL, 0);
    const int64_t us = storm_ends_us(mark);
    bury_the_dead();
    return us;
}

static void a_storm_ends_with_lcx_and_without_a_sweep(void **state)
{
    (void)state;
    const char *mark = trial_mark();
    struct error err;
    int64_t longest = 0;
    for (int i = 0; i < STORM_ROUNDS; i++) {
        const int64_t us = storm_ends_after_lcx_us(mark, i % 3 != 0, i % 3 == 1);
        if (us > longest) longest = us;
    }
    print_message("%d storms, the longest gone after %.1f ms\n", STORM_ROUNDS,
                  (double)longest / 1e3);
    assert_true(longest < STORM_END_US);
    if (sandbox_sweep(trial_parent, &err)) fail_msg("%s", err.message);
}

/* Lcx, its supervisor and the guard, none of them with a chance to act. */
static void the_sweep_ends_a_storm_that_has_lost_all_its_keepers(void **state)
{
    (void)state;
    if (trial_has_namespaces()) {
        print_message("skipped: the kernel ends a namespace, and there is no guard\n");
        return;
    }
    const char *mark = trial_mark();
    struct error err;
    pid_t supervisor = 0;
    const pid_t lcx = start_lcx_with_storm(&supervisor, mark, 0);
    for (int i = 0; i < 1000 && trial_count_processes(mark) < 4; i++) usleep(1000);

    char path[64], line[64] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
    const int children = open(path, O_RDONLY | O_CLOEXEC);
    if (children < 0) { /* a kernel without these files */
        kill(supervisor, SIGKILL);
        kill(lcx, SIGKILL);
        waitpid(lcx, NULL, 0);
        storm_ends_us(mark);
        print_message("skipped: this kernel does not list children\n");
        return;
    }
    assert_true(read(children, line, sizeof line - 1) > 0);
    close(children);
    const pid_t keepers[] = {(pid_t)atoi(line), supervisor, lcx};
    for (int i = 0; i < 3; i++) kill(keepers[i], SIGSTOP);
    for (int i = 0; i < 3; i++) kill(keepers[i], SIGKILL);
    waitpid(lcx, NULL, 0);

    const int left = trial_count_processes(mark);
    if (sandbox_sweep(trial_parent, &err)) fail_msg("%s", err.message);
    const int64_t us = storm_ends_us(mark);
    assert_true(left > 1); /* else this has tried nothing */
    print_message("%d processes without a keeper, gone %.1f ms after the sweep\n", left,
                  (double)us / 1e3);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_process_cannot_fork),
        cmocka_unit_test(a_fork_bomb_ends_at_the_process_limit),
        cmocka_unit_test(a_fork_storm_is_stamped_out),
        cmocka_unit_test(the_kernel_counts_processes_too),
        cmocka_unit_test(threads_are_counted),
        cmocka_unit_test(a_memory_bomb_ends_at_the_memory_limit),
        cmocka_unit_test(the_memory_of_all_descendants_counts_together),
        cmocka_unit_test(there_is_no_memory_that_nobody_counts),
        cmocka_unit_test(the_disk_is_not_filled),
        cmocka_unit_test(endless_output_ends_and_keeps_its_two_ends),
        cmocka_unit_test(output_beyond_the_cap_is_cut_but_the_run_goes_on),
        cmocka_unit_test(a_loop_ends_at_the_cpu_limit),
        cmocka_unit_test(a_sleeper_ends_at_the_wall_clock),
        cmocka_unit_test(limits_cannot_be_raised),
        cmocka_unit_test(nothing_is_inherited),
        cmocka_unit_test(there_is_no_network),
        cmocka_unit_test(the_home_and_the_system_stay_unread),
        cmocka_unit_test(another_attempt_stays_unread),
        cmocka_unit_test(what_lies_outside_stays_as_it_is),
        cmocka_unit_test(false_results_are_not_collected),
        cmocka_unit_test(a_trap_for_the_next_run_does_not_open_the_walls),
        cmocka_unit_test(whatever_is_left_can_be_removed),
        cmocka_unit_test(nobody_is_traced),
        cmocka_unit_test(there_are_no_nested_namespaces),
        cmocka_unit_test(dangerous_calls_are_refused),
        cmocka_unit_test(kernel_settings_cannot_be_written),
        cmocka_unit_test(signals_reach_no_stranger),
        cmocka_unit_test(daemons_do_not_outlive_the_run),
        cmocka_unit_test(a_run_is_ended_on_request),
        cmocka_unit_test(a_killed_supervisor_leaves_nothing),
        cmocka_unit_test(a_killed_lcx_leaves_nothing),
        cmocka_unit_test(a_killed_lcx_and_supervisor_leave_nothing),
        cmocka_unit_test(a_storm_ends_with_its_supervisor),
        cmocka_unit_test(a_storm_ends_with_lcx_and_without_a_sweep),
        cmocka_unit_test(the_sweep_ends_a_storm_that_has_lost_all_its_keepers),
    };
    trial_begin(argc, argv);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* the dead that keepers leave come to us */
    return trial_end(cmocka_run_group_tests(tests, NULL, NULL));
}
