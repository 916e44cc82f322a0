/* confine_test.c -- what one process gives up, and what it keeps. Each case runs in a child. */
#include "sandbox/confine.h"

#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/host.h"

#define APPLY(...) apply((const char *const[]){__VA_ARGS__, NULL})

static int apply(const char *const *options)
{
    int n = 0;
    while (options[n]) n++;
    return confine_apply(n, options);
}

/* A sanitizer's own memory does not fit into the limits that some cases set. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

/* The exit status of `body` in a child; 128 + signal when one ended it. */
static int in_child(int (*body)(void))
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) _exit(body());
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a child: end with the line where something is not as it should be. */
#define EXPECT(condition) \
    do { \
        if (!(condition)) return __LINE__ % 120 + 1; \
    } while (0)

static int wrong_options(void)
{
    EXPECT(APPLY("--cpu") == EINVAL);
    EXPECT(APPLY("--cpu", "fast") == EINVAL);
    EXPECT(APPLY("--cpu", "-1") == EINVAL);
    EXPECT(APPLY("--cpu", "1s") == EINVAL);
    EXPECT(APPLY("--data", "99999999999999999999999") == ERANGE);
    EXPECT(APPLY("--unknown", "1") == EINVAL);
    EXPECT(APPLY("program") == EINVAL);
    EXPECT(strcmp(confine_stage(), "options") == 0);
    EXPECT(fork() >= 0); /* nothing of it was applied */
    return 0;
}

static void wrong_options_are_refused_before_anything_happens(void **state)
{
    (void)state;
    assert_int_equal(in_child(wrong_options), 0);
}

static int limits(void)
{
    struct rlimit limit;
    EXPECT(APPLY("--cpu", "7", "--data", "100000000", "--files", "20", "--stack", "1000000") == 0);
    EXPECT(getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur == 7 && limit.rlim_max == 8);
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == 20);
    EXPECT(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max <= 1);
    EXPECT(mmap(NULL, 200000000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
           MAP_FAILED);
    /* more than we have is not an error, and is not given */
    EXPECT(APPLY("--files", "1000", "--cpu", "100") == 0);
    EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 20);
    EXPECT(getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_max == 8);
    return 0;
}

static void limits_only_ever_shrink(void **state)
{
    (void)state;
    if (SANITIZED) {
        print_message("skipped: under AddressSanitizer\n");
        return;
    }
    assert_int_equal(in_child(limits), 0);
}

static int forks_twice_confined(void)
{
    EXPECT(APPLY("--processes", "4000") == 0);
    const pid_t child = fork(); /* a worker may fork */
    EXPECT(child >= 0);
    if (child > 0) {
        int status;
        EXPECT(waitpid(child, &status, 0) == child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
    }
    EXPECT(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
    EXPECT(APPLY("--no-fork") == 0);
    EXPECT(fork() < 0 && errno == EPERM);
    EXPECT(vfork() < 0);
    EXPECT(kill(getppid(), 0) < 0);
    EXPECT(kill(getpid(), 0) == 0);
    EXPECT(APPLY("--no-fork", "--cpu", "3") == 0); /* a third time is as good */
    EXPECT(fork() < 0 && errno == EPERM);
    return 0;
}

static void a_forked_child_takes_more_away_from_itself(void **state)
{
    (void)state;
    assert_int_equal(in_child(forks_twice_confined), 0);
}

static char keep_folder[300], other_folder[300];

static int paths(void)
{
    char path[400];
    if (chdir(keep_folder) != 0) return 1;
    EXPECT(APPLY("--read", "/usr", "--read", "/absent", "--write", keep_folder) == 0);
    EXPECT(open("/usr/bin/env", O_RDONLY) >= 0);
    EXPECT(open("/usr/bin/env", O_WRONLY) < 0);
    EXPECT(open("/etc/passwd", O_RDONLY) < 0);
    EXPECT(open(other_folder, O_RDONLY) < 0);
    snprintf(path, sizeof path, "%s/file", other_folder);
    EXPECT(open(path, O_RDONLY) < 0 && errno == EACCES);
    EXPECT(link(path, "stolen") < 0);
    EXPECT(rename(path, "stolen") < 0);
    EXPECT(open("new", O_RDWR | O_CREAT, 0600) >= 0);
    EXPECT(mkdir("inner", 0700) == 0);
    EXPECT(rename("new", "inner/new") == 0);
    EXPECT(mknod("device", S_IFCHR | 0600, 0x103) < 0);
    /* stacked: less still */
    EXPECT(APPLY("--read", keep_folder) == 0);
    EXPECT(open("another", O_RDWR | O_CREAT, 0600) < 0);
    EXPECT(open("inner/new", O_RDONLY) >= 0);
    EXPECT(open("/usr/bin/env", O_RDONLY) < 0);
    return 0;
}

static void only_the_named_paths_are_left(void **state)
{
    (void)state;
    struct error err;
    if (host_landlock_abi() == 0) {
        print_message("skipped: this kernel has no Landlock\n");
        return;
    }
    snprintf(keep_folder, sizeof keep_folder, "%s/keep", trial_parent);
    snprintf(other_folder, sizeof other_folder, "%s/other", trial_parent);
    if (folder_make(keep_folder, 0755, &err) || folder_make(other_folder, 0755, &err))
        fail_msg("%s", err.message);
    char *file = path_join(other_folder, "file");
    if (file_write(file, "x", 1, 0644, &err)) fail_msg("%s", err.message);
    free(file);
    assert_int_equal(in_child(paths), 0);
}

static int aborts(void)
{
    if (APPLY("--no-fork") != 0) return 1;
    abort();
}

static void a_program_may_still_abort(void **state)
{
    (void)state;
    assert_int_equal(in_child(aborts), 128 + SIGABRT);
}

static int other_architecture(void)
{
    if (APPLY("--no-fork") != 0) return 1;
#ifdef __x86_64__
    /* getpid by the 32-bit table: numbers mean other calls there */
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
    return 2;
#else
    kill(getpid(), SIGSYS);
    return 2;
#endif
}

static void the_other_system_call_table_is_closed(void **state)
{
    (void)state;
    const int end = in_child(other_architecture);
    /* SIGSYS, or SIGSEGV where the kernel has no such table at all */
    assert_true(end == 128 + SIGSYS || end == 128 + SIGSEGV);
}

/* What the grader's worker does: import once, fork, confine the child with ctypes. */
static const char worker_script[] =
    "import ctypes, os, signal, sys\n"
    "library, folder, options = sys.argv[1], sys.argv[2], sys.argv[3].split('\\n')\n"
    "confine = ctypes.CDLL(library)\n"
    "confine.confine_stage.restype = ctypes.c_char_p\n"
    "def apply(*options):\n"
    "    words = (ctypes.c_char_p * len(options))(*[o.encode() for o in options])\n"
    "    failed = confine.confine_apply(len(options), words)\n"
    "    if failed: raise OSError(failed, os.strerror(failed), confine.confine_stage().decode())\n"
    "def tries(name, call):\n"
    "    try: call(); print(name, 'DONE')\n"
    "    except OSError as error: print(name, 'refused')\n"
    "    except MemoryError: print(name, 'no memory')\n"
    "def child(body):\n"
    "    pid = os.fork()\n"
    "    if pid == 0:\n"
    "        apply(*options)\n"
    "        body(); sys.stdout.flush(); os._exit(0)\n"
    "    return os.waitpid(pid, 0)[1]\n"
    "def look():\n"
    "    tries('fork', os.fork)\n"
    "    tries('kill', lambda: os.kill(os.getppid(), signal.SIGKILL))\n"
    "    tries('proc', lambda: open('/proc/%d/environ' % os.getppid()))\n"
    "    tries('maps', lambda: open('/proc/%d/statm' % os.getppid()))\n"
    "    tries('memory', lambda: bytearray(400 << 20))\n"
    "    tries('write', lambda: open('../outside', 'w'))\n"
    "    tries('bytes', lambda: bytearray(1 << 20))\n"
    "    open(folder + '/result', 'w').write('ok')\n"
    "print(child(look))\n"
    "def spin():\n"
    "    while True: pass\n"
    "print(int(open('/proc/self/statm').read().split()[1]) > 0)\n"
    "print(os.WTERMSIG(child(spin)) in (signal.SIGXCPU, signal.SIGKILL))\n"
    "print(open(folder + '/result').read())\n";

static void a_python_worker_confines_its_children(void **state)
{
    (void)state;
    struct trial trial = {0};
    struct error err;
    if (access("/usr/bin/python3", X_OK) != 0) {
        print_message("skipped: no /usr/bin/python3\n");
        return;
    }
    if (sandbox_folder_new(&trial.folder, trial_parent, &err)) fail_msg("%s", err.message);
    char *library = host_helper("libconfine.so");
    const struct sandbox walls = {.walls = host_walls()};
    struct sandbox_profile profile = sandbox_profile_numpy;
    profile.cpu_s = 1;
    profile.memory_bytes = (uint64_t)256 << 20;
    char *options = sandbox_child_options(&walls, &profile, NULL, trial.folder);
    const char *const readable[] = {library, NULL};
    const char *const argv[] = {"/usr/bin/python3", "-I",    "-u", "-c", worker_script, library,
                                trial.folder,       options, NULL};
    const struct sandbox_request request = {.profile = &sandbox_profile_worker,
                                            .argv = argv,
                                            .folder = trial.folder,
                                            .readable = readable};
    struct sandbox sandbox;
    if (sandbox_start(&sandbox, &request, &err)) fail_msg("%s", err.message);
    if (sandbox_finish(&sandbox, &trial.report, &err)) fail_msg("%s", err.message);
    assert_string_equal(text_string(&trial.report.output),
                        "fork refused\nkill refused\nproc refused\nmaps refused\nmemory no memory\n"
                        "write refused\nbytes DONE\n0\nTrue\nTrue\nok\n");
    assert_int_equal(trial.report.code, 0);
    free(options);
    free(library);
    trial_done(&trial);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused_before_anything_happens),
        cmocka_unit_test(limits_only_ever_shrink),
        cmocka_unit_test(a_forked_child_takes_more_away_from_itself),
        cmocka_unit_test(only_the_named_paths_are_left),
        cmocka_unit_test(a_program_may_still_abort),
        cmocka_unit_test(the_other_system_call_table_is_closed),
        cmocka_unit_test(a_python_worker_confines_its_children),
    };
    trial_begin(argc, argv);
    return trial_end(cmocka_run_group_tests(tests, NULL, NULL));
}
