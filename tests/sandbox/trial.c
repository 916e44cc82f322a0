#include "trial.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/host.h"

const char *trial_parent;
const char *trial_attacks = SANDBOX_TEST_ATTACKS;
static bool plain, without_namespaces;

enum { SKIPPED = 77 };

static void become_nobody(char **argv)
{
    if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0) {
        printf("skipped: cannot become nobody here\n");
        exit(SKIPPED);
    }
    execv("/proc/self/exe", argv); /* an ordinary process again: /proc/self is its own */
    perror("execv");
    exit(1);
}

void trial_begin(int argc, char **argv)
{
    static char parent[] = "/tmp/lynx-cortex-test-XXXXXX";
    char why[256];

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--plain") == 0) plain = true;
        if (strcmp(argv[i], "--no-namespaces") == 0) without_namespaces = true;
    }
    if (getenv("LCX_TEST")) cmocka_set_test_filter(getenv("LCX_TEST")); /* one of them, by name */
    if (plain && geteuid() == 0) become_nobody(argv);
    if (!plain && geteuid() != 0) {
        printf("skipped: not uid 0 (the same as a plain user is another test)\n");
        exit(SKIPPED);
    }
    if (getenv("LCX_ATTACKS")) trial_attacks = getenv("LCX_ATTACKS");
    sandbox_init(getenv("LCX_HELPERS") ? getenv("LCX_HELPERS") : SANDBOX_TEST_HELPERS);
    if (without_namespaces) {
        sandbox_pretend(SANDBOX_NO_NAMESPACES);
        if (host_landlock_abi() == 0) {
            printf("skipped: this kernel has no Landlock\n");
            exit(SKIPPED);
        }
    } else if (!host_has_namespaces(why)) {
        printf("skipped: bubblewrap does not work here: %s\n", why);
        exit(SKIPPED);
    }
    if (!mkdtemp(parent) || chmod(parent, 0711) != 0) {
        perror(parent);
        exit(1);
    }
    trial_parent = parent;
}

int trial_end(int failures)
{
    struct error err;
    if (sandbox_folder_remove(trial_parent, &err)) fprintf(stderr, "%s\n", err.message);
    return failures;
}

bool trial_is_plain(void) { return plain; }
bool trial_has_namespaces(void) { return !without_namespaces; }

void trial_run_in(struct trial *trial, const struct sandbox_profile *profile,
                  const char *const *argv)
{
    const char *const readable[] = {trial_attacks, NULL};
    const struct sandbox_request request = {
        .profile = profile, .argv = argv, .folder = trial->folder, .readable = readable};
    struct sandbox sandbox;
    struct error err;

    if (sandbox_start(&sandbox, &request, &err)) fail_msg("start: %s", err.message);
    if (sandbox_finish(&sandbox, &trial->report, &err)) fail_msg("finish: %s", err.message);
    assert_int_equal(trial->report.walls,
                     without_namespaces ? SANDBOX_WALLS_LANDLOCK : SANDBOX_WALLS_NAMESPACES);
}

void trial_run(struct trial *trial, const struct sandbox_profile *profile, const char *const *argv)
{
    struct error err;
    if (sandbox_folder_new(&trial->folder, trial_parent, &err)) fail_msg("%s", err.message);
    trial_run_in(trial, profile, argv);
}

void trial_done(struct trial *trial)
{
    struct error err;
    sandbox_report_done(&trial->report);
    if (trial->folder && sandbox_folder_remove(trial->folder, &err)) fail_msg("%s", err.message);
    free(trial->folder);
    *trial = (struct trial){0};
}

void trial_attack(struct trial *trial, const struct sandbox_profile *profile, const char *name,
                  const char *argument)
{
    const char *const argv[] = {trial_attacks, name, argument, NULL};
    trial_run(trial, profile, argv);
}

const char *trial_mark(void)
{
    static char mark[64];
    static int number;
    snprintf(mark, sizeof mark, "lcx-mark-%ld-%d", (long)getpid(), ++number);
    return mark;
}

static int each_process(const char *mark, bool ends)
{
    DIR *all = opendir("/proc");
    int count = 0;
    for (struct dirent *entry; all && (entry = readdir(all));) {
        char path[300], words[4096];
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
        if (atol(entry->d_name) == (long)getpid()) continue;
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        const ssize_t n = fd < 0 ? -1 : read(fd, words, sizeof words - 1);
        if (fd >= 0) close(fd);
        if (n <= 0) continue;
        words[n] = '\0';
        if (!memmem(words, (size_t)n, mark, strlen(mark))) continue;
        count++;
        if (ends) kill((pid_t)atol(entry->d_name), SIGKILL);
    }
    if (all) closedir(all);
    return count;
}

int trial_count_processes(const char *mark) { return each_process(mark, false); }

void trial_kill_processes(const char *mark) { each_process(mark, true); }
