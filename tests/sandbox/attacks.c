/* attacks.c -- what a hostile solution tries, one word each.
 *
 *   attacks NAME [ARGUMENT]
 *
 * An attack prints each step with what the kernel answered, and ends with 0 when every
 * step was refused, with 1 when one got through. Those that run into a limit do not end by
 * themselves. Runs inside the sandbox only.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

static int got_through;

/* One step: the call must fail. */
static void step(const char *name, long result)
{
    if (result >= 0) got_through = 1;
    printf("%s: %s\n", name, result >= 0 ? "DONE" : strerror(errno));
    fflush(stdout);
}
#define TRY(call) step(#call, (long)(call))

/* ---- ends of several kinds ---- */

static int crash(const char *argument)
{
    (void)argument;
    volatile int *nowhere = NULL;
    *nowhere = 1;
    return 0;
}

static int stop_hard(const char *argument)
{
    (void)argument;
    abort();
    return 1;
}

/* Answer what comes on descriptor 3 in capitals, until it is closed. */
static int echo(const char *argument)
{
    char bytes[256];
    ssize_t n;
    (void)argument;
    while ((n = read(3, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < n; i++) bytes[i] = (char)toupper((unsigned char)bytes[i]);
        if (write(3, bytes, (size_t)n) != n) return 1;
    }
    return 0;
}

/* What we were given: descriptors, environment, uid, capabilities. */
static int inventory(const char *argument)
{
    extern char **environ;
    (void)argument;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0) printf("fd %d\n", fd);
    for (char **setting = environ; *setting; setting++) printf("env %s\n", *setting);
    printf("uid %u gid %u groups %d\n", (unsigned)getuid(), (unsigned)getgid(), getgroups(0, NULL));
    printf("no_new_privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "Cap", 3) == 0) fputs(line, stdout);
    if (status) fclose(status);
    return 0;
}

/* ---- resources ---- */

/* Fork until refused; the children wait for the end of the world. */
static int fork_bomb(const char *argument)
{
    int made = 0;
    (void)argument;
    for (int i = 0; i < 2000; i++) {
        const pid_t child = fork();
        if (child == 0) {
            for (;;) pause();
        }
        if (child < 0) break;
        made++;
    }
    printf("made %d processes, then: %s\n", made, strerror(errno));
    fflush(stdout);
    if (made == 0) return 0;
    sleep(5);
    return 1;
}

/* Every child forks as well. */
static int fork_storm(const char *argument)
{
    (void)argument;
    for (;;) {
        const pid_t child = fork();
        if (child < 0) usleep(100);
    }
    return 1;
}

static void *thread_waits(void *data)
{
    (void)data;
    for (;;) pause();
    return NULL;
}

static int thread_bomb(const char *argument)
{
    int made = 0;
    pthread_t thread;
    pthread_attr_t small;
    (void)argument;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    while (made < 2000 && pthread_create(&thread, &small, thread_waits, NULL) == 0) made++;
    printf("made %d threads\n", made);
    return made < 200 ? 0 : 1;
}

static int memory_bomb(const char *argument)
{
    (void)argument;
    for (;;) {
        volatile char *block = malloc(1 << 20);
        if (!block) continue; /* as a program that does not look would */
        for (size_t at = 0; at < 1 << 20; at += 512) block[at] = 1;
    }
    return 1;
}

/* Small enough each, too much together. */
static int memory_of_many(const char *argument)
{
    (void)argument;
    for (int i = 0; i < 6; i++)
        if (fork() == 0) {
            volatile char *block = malloc(300 << 20);
            for (size_t at = 0; at < 300 << 20; at += 4096) block[at] = 1;
            for (;;) pause();
        }
    for (;;) pause();
    return 1;
}

static int memory_hidden(const char *argument)
{
    (void)argument;
    TRY(syscall(SYS_memfd_create, "hidden", 0));
    TRY(shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600));
    TRY(open("/dev/shm/hidden", O_RDWR | O_CREAT, 0600));
    TRY(open("/hidden", O_RDWR | O_CREAT, 0600));
    TRY(open("/dev/hidden", O_RDWR | O_CREAT, 0600));
    return got_through;
}

static int fill_file(const char *name)
{
    static char block[1 << 20];
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (int i = 0; i < 64; i++)
        if (write(fd, block, sizeof block) < 0) return errno;
    return 0;
}

static int one_large_file(const char *argument)
{
    (void)argument;
    printf("%s\n", strerror(fill_file("large")));
    return 1;
}

/* Refused to write one large file, it writes many. In the folder, or in /tmp. */
static int many_files(const char *argument)
{
    signal(SIGXFSZ, SIG_IGN);
    for (int i = 0;; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s/file-%d", argument ? argument : ".", i);
        fill_file(name);
    }
    return 1;
}

static int many_empty_files(const char *argument)
{
    (void)argument;
    for (int i = 0;; i++) {
        char name[64];
        snprintf(name, sizeof name, "empty-%d", i);
        close(open(name, O_WRONLY | O_CREAT, 0600));
    }
    return 1;
}

static int deep_tree(const char *argument)
{
    (void)argument;
    for (int i = 0; i < 3000; i++)
        if (mkdir("d", 0700) != 0 || chdir("d") != 0) return 0;
    for (;;) pause();
}

/* Folders that nobody may open, for whoever cleans up. */
static int closed_folders(const char *argument)
{
    (void)argument;
    mkdir("a", 0700);
    mkdir("a/b", 0700);
    close(open("a/b/c", O_WRONLY | O_CREAT, 0));
    mkdir("a/shut", 0);
    mkdir("shut", 0);
    mkdir("a/b/shut", 0);
    return 0;
}

static int infinite_output(const char *argument)
{
    (void)argument;
    for (unsigned long i = 0;; i++) printf("line %lu\n", i);
    return 1;
}

static int spin(const char *argument)
{
    volatile unsigned long turns = 0;
    if (argument) signal(SIGXCPU, SIG_IGN); /* and does not listen */
    for (;;) turns++;
    return 1;
}

static int sleeper(const char *argument)
{
    (void)argument;
    for (;;) sleep(1000);
    return 1;
}

static int stop_itself(const char *argument)
{
    (void)argument;
    raise(SIGSTOP);
    for (;;) pause();
    return 1;
}

/* Raise the limits that we were given; or those of others. */
static int raise_limits(const char *argument)
{
    struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};
    (void)argument;
    TRY(setrlimit(RLIMIT_CPU, &more));
    TRY(setrlimit(RLIMIT_FSIZE, &more));
    TRY(setrlimit(RLIMIT_NPROC, &more));
    TRY(setrlimit(RLIMIT_NOFILE, &more));
    TRY(setrlimit(RLIMIT_CORE, &more));
    struct rlimit none = {0, 0};
    /* in a namespace the parent is process 1 of it, in the strict filter nobody */
    TRY(prlimit(getppid() > 1 ? getppid() : 4194303, RLIMIT_CPU, &none, NULL));
    return got_through;
}

/* ---- those that want to live on ---- */

/* Fork twice, leave the session, and stay; ARGUMENT marks them. The main one ends at once. */
static int daemons(const char *argument)
{
    (void)argument;
    for (int i = 0; i < 3; i++) {
        if (fork() != 0) continue;
        setsid();
        setpgid(0, 0);
        if (fork() != 0) _exit(0);
        signal(SIGTERM, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        prctl(PR_SET_PDEATHSIG, 0);
        for (;;) pause();
    }
    usleep(100000);
    return 0;
}

/* The same, but the main one waits too, so that somebody can kill our keepers. */
static int daemons_and_wait(const char *argument)
{
    daemons(argument);
    for (;;) pause();
    return 1;
}

static int outlive_the_parent(const char *argument)
{
    (void)argument;
    TRY(prctl(PR_SET_PDEATHSIG, 0));
    return got_through;
}

/* ---- the network ---- */

static int network(const char *argument)
{
    int pair[2];
    (void)argument;
    TRY(socket(AF_INET, SOCK_STREAM, 0));
    TRY(socket(AF_INET, SOCK_DGRAM, 0));
    TRY(socket(AF_INET6, SOCK_STREAM, 0));
    TRY(socket(AF_UNIX, SOCK_STREAM, 0));
    TRY(socket(AF_NETLINK, SOCK_RAW, 0));
    TRY(socket(AF_PACKET, SOCK_RAW, 0));
    TRY(socket(AF_ALG, SOCK_SEQPACKET, 0));
    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    return got_through;
}

/* ---- files ---- */

static int read_path(const char *path)
{
    TRY(open(path, O_RDONLY));
    return got_through;
}

static int list_path(const char *path)
{
    DIR *folder = opendir(path);
    int seen = 0;
    if (folder)
        for (struct dirent *entry; (entry = readdir(folder));) {
            printf("%s\n", entry->d_name);
            seen++;
        }
    else printf("%s\n", strerror(errno));
    return seen > 0;
}

static int home(const char *argument)
{
    (void)argument;
    TRY(open("/root/.bashrc", O_RDONLY));
    TRY(open("/root", O_RDONLY));
    TRY(open("/home", O_RDONLY));
    TRY(open("/etc/passwd", O_RDONLY));
    TRY(open("/etc/shadow", O_RDONLY));
    TRY(open("/etc/hostname", O_RDONLY));
    TRY(open("/var/log", O_RDONLY));
    TRY(open("/run", O_RDONLY));
    TRY(open("/sys/kernel", O_RDONLY));
    TRY(open("/dev/mem", O_RDONLY));
    TRY(open("/dev/sda", O_RDONLY));
    TRY(open("/dev/kmsg", O_RDONLY));
    return got_through;
}

/* Everything that changes a file which is not ours; ARGUMENT is one that a plain
 * user owns outside. */
static int change_path(const char *path)
{
    char other[4096];
    struct timespec times[2] = {{1, 0}, {1, 0}};
    struct utimbuf old = {1, 1};
    snprintf(other, sizeof other, "%s.other", path);
    TRY(open(path, O_WRONLY));
    TRY(open(path, O_WRONLY | O_TRUNC));
    TRY(open(path, O_RDONLY | O_TRUNC));
    TRY(truncate(path, 0));
    TRY(chmod(path, 0777));
    TRY(fchmodat(AT_FDCWD, path, 0777, 0));
    TRY(chown(path, getuid(), getgid()));
    TRY(lchown(path, getuid(), getgid()));
    TRY(utime(path, &old));
    TRY(utimensat(AT_FDCWD, path, times, 0));
    TRY(setxattr(path, "user.mark", "x", 1, 0));
    TRY(unlink(path));
    TRY(rename(path, other));
    TRY(rename(path, "stolen"));
    TRY(link(path, other));
    TRY(symlink("/etc/passwd", other));
    TRY(mkdir(other, 0700));
    TRY(open(other, O_WRONLY | O_CREAT, 0600));
    TRY(mkfifo(other, 0600));
#ifdef SYS_fchmodat2
    TRY(syscall(SYS_fchmodat2, AT_FDCWD, path, 0777, 0));
#else
    TRY(syscall(452, AT_FDCWD, path, 0777, 0));
#endif
    return got_through;
}

static int write_outside(const char *argument)
{
    (void)argument;
    TRY(open("/usr/lcx-was-here", O_WRONLY | O_CREAT, 0600));
    TRY(open("/etc/lcx-was-here", O_WRONLY | O_CREAT, 0600));
    TRY(open("/var/tmp/lcx-was-here", O_WRONLY | O_CREAT, 0600));
    TRY(open("/lcx-was-here", O_WRONLY | O_CREAT, 0600));
    TRY(open("/proc/self/../lcx-was-here", O_WRONLY | O_CREAT, 0600));
    TRY(mknod("device", S_IFBLK | 0600, 0x800));
    return got_through;
}

/* Beside the attempt: in a namespace that place is private. */
static int write_beside(const char *argument)
{
    (void)argument;
    TRY(open("../lcx-was-here", O_WRONLY | O_CREAT, 0600));
    return 0;
}

/* Result files that are not what they seem; ARGUMENT is a secret outside. */
static int false_results(const char *argument)
{
    symlink(argument, "symbolic");
    symlink("/proc/self/root", "root");
    mkfifo("pipe", 0600);
    mkdir("folder", 0700);
    close(open("twice", O_WRONLY | O_CREAT, 0600));
    link("twice", "again");
    const int large = open("large", O_WRONLY | O_CREAT, 0600);
    if (ftruncate(large, 8 << 20) != 0) perror("ftruncate");
    const int plain = open("plain", O_WRONLY | O_CREAT, 0600);
    if (write(plain, "result", 6) != 6) perror("write");
    TRY(link(argument, "hard"));
    TRY(linkat(AT_FDCWD, "symbolic", AT_FDCWD, "followed", AT_SYMLINK_FOLLOW));
    return got_through;
}

/* Put links where the next run in this folder may have its private /tmp. */
static int trap_the_next_run(const char *argument)
{
    char name[32];
    int made = symlink(argument, ".tmp") == 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, ".tmp-%d", i);
        made += symlink(argument, name) == 0;
    }
    printf("made %d links\n", made);
    return 0;
}

/* ---- the kernel ---- */

static int tracing(const char *argument)
{
    char bytes[16];
    struct iovec here = {bytes, sizeof bytes}, there = {bytes, sizeof bytes};
    char path[64];
    (void)argument;
    TRY(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    TRY(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
    TRY(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
    TRY(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
    TRY(process_vm_writev(getppid(), &here, 1, &there, 1, 0));
    for (int pid = 1; pid <= 2; pid++) {
        if (pid == getpid()) continue;
        snprintf(path, sizeof path, "/proc/%d/mem", pid == 1 ? 1 : getppid());
        if (strcmp(path, "/proc/0/mem") == 0) continue;
        step(path, open(path, O_RDWR));
        step(path, open(path, O_RDONLY));
        snprintf(path, sizeof path, "/proc/%d/environ", pid == 1 ? 1 : getppid());
        step(path, open(path, O_RDONLY));
        snprintf(path, sizeof path, "/proc/%d/fd/4", pid == 1 ? 1 : getppid());
        step(path, open(path, O_RDWR));
        snprintf(path, sizeof path, "/proc/%d/root", pid == 1 ? 1 : getppid());
        step(path, open(path, O_RDONLY));
    }
    TRY(syscall(SYS_kcmp, getpid(), getppid(), 0, 0, 0));
    TRY(syscall(SYS_pidfd_open, getppid(), 0));
    return got_through;
}

static void clone_here(const char *name, struct clone_args *how)
{
    const long child = syscall(SYS_clone3, how, sizeof *how);
    if (child == 0) _exit(0);
    step(name, child);
}

static int namespaces(const char *argument)
{
    static char stack[65536];
    (void)argument;
    TRY(unshare(CLONE_NEWUSER));
    TRY(unshare(CLONE_NEWNS));
    TRY(unshare(CLONE_NEWNET));
    TRY(clone((int (*)(void *))(uintptr_t)_exit, stack + sizeof stack, CLONE_NEWUSER | SIGCHLD,
              NULL));
    struct clone_args same = {.exit_signal = SIGCHLD}, other = same;
    other.flags = CLONE_NEWUSER;
    clone_here("clone3 into a namespace", &other);
    clone_here("clone3", &same); /* its flags cannot be seen by a filter: no such call */
    const int own = open("/proc/self/ns/user", O_RDONLY);
    TRY(setns(own, 0));
    TRY(mount("none", "/tmp", "tmpfs", 0, NULL));
    TRY(mount("proc", ".", "proc", 0, NULL));
    TRY(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    TRY(umount2("/tmp", MNT_DETACH));
    TRY(chroot("."));
    TRY(syscall(SYS_pivot_root, ".", "."));
    TRY(syscall(428, AT_FDCWD, "/", 1)); /* open_tree */
    TRY(syscall(430, "tmpfs", 0));       /* fsopen */
    TRY(syscall(467, AT_FDCWD, "/", 1)); /* open_tree_attr, newer than the filter */
    return got_through;
}

static int kernel_calls(const char *argument)
{
    char space[256] = "";
    struct perf_event_attr event = {.size = sizeof event};
    struct timespec now = {1, 0};
    struct timex change = {.modes = ADJ_OFFSET};
    (void)argument;
    TRY(syscall(SYS_io_uring_setup, 1, space));
    TRY(syscall(SYS_keyctl, 0, -3, 0, 0, 0));
    TRY(syscall(SYS_add_key, "user", "k", "v", 1, -3));
    TRY(syscall(SYS_request_key, "user", "k", NULL, -3));
    TRY(syscall(SYS_bpf, 0, space, sizeof space));
    TRY(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
    TRY(syscall(SYS_userfaultfd, 1));
    TRY(syscall(SYS_kexec_load, 0, 0, NULL, 0));
    TRY(syscall(SYS_init_module, space, 1, ""));
    TRY(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
    TRY(syscall(SYS_swapon, ".", 0));
    TRY(syscall(SYS_personality, 0x0040000));
    TRY(syscall(SYS_quotactl, 0, NULL, 0, NULL));
    TRY(syscall(SYS_open_by_handle_at, AT_FDCWD, space, O_RDONLY));
    TRY(syscall(SYS_fanotify_init, 0, O_RDONLY));
    TRY(syscall(SYS_syslog, 3, space, (int)sizeof space));
    TRY(syscall(SYS_acct, "acct"));
    TRY(clock_settime(CLOCK_REALTIME, &now));
    TRY(adjtimex(&change));
    TRY(sethostname("x", 1));
    TRY(ioctl(0, TIOCSTI, "x"));
    TRY(ioctl(0, TIOCSTI | 0x100000000UL, "x")); /* the kernel reads 32 bits only */
    TRY(syscall(SYS_vmsplice, 1, NULL, 0, 0));
    TRY(syscall(SYS_process_madvise, -1, NULL, 0, 0, 0));
    return got_through;
}

static int kernel_settings(const char *argument)
{
    static const char *const settings[] = {"/proc/sys/kernel/core_pattern",
                                           "/proc/sys/kernel/modprobe",
                                           "/proc/sys/kernel/hostname",
                                           "/proc/sys/vm/overcommit_memory",
                                           "/proc/sysrq-trigger",
                                           "/proc/sys/fs/file-max",
                                           "/proc/sys/user/max_user_namespaces",
                                           "/proc/sys/kernel/ns_last_pid",
                                           "/sys/kernel/uevent_helper",
                                           "/sys/fs/cgroup/cgroup.procs",
                                           "/proc/1/oom_score_adj"};
    (void)argument;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        step(settings[i], open(settings[i], O_WRONLY));
    TRY(setuid(0));
    TRY(setgid(0));
    /* a set-uid program gives nothing */
    return got_through;
}

static int signals(const char *argument)
{
    union sigval value = {0};
    const pid_t stranger = argument ? (pid_t)atoi(argument) : 1;
    TRY(kill(getppid() > 0 ? getppid() : 1, SIGKILL));
    TRY(kill(stranger, SIGKILL));
    TRY(kill(stranger, 0));
    TRY(kill(-1, SIGKILL));
    TRY(kill(-stranger, SIGKILL));
    TRY(kill(0, SIGCONT));
    TRY(syscall(SYS_tgkill, stranger, stranger, SIGKILL));
    TRY(syscall(SYS_tkill, stranger, SIGKILL));
    TRY(sigqueue(stranger, SIGKILL, value));
    return got_through;
}

/* As a program that may fork, by every road; what it can reach is only its own. */
static int signals_of_a_parent(const char *argument)
{
    const pid_t stranger = (pid_t)atoi(argument);
    signal(SIGTERM, SIG_IGN);
    printf("stranger: %s\n", kill(stranger, SIGKILL) == 0 ? "DONE" : strerror(errno));
    printf("keeper: %s\n", kill(getppid(), SIGKILL) == 0 ? "DONE" : strerror(errno));
    int ends[2];
    if (pipe(ends) == 0) {
        fcntl(ends[0], F_SETOWN, stranger);
        fcntl(ends[0], F_SETSIG, SIGKILL);
        fcntl(ends[0], F_SETFL, O_ASYNC);
        if (write(ends[1], "x", 1) != 1) perror("write");
    }
    printf("all: %s\n", kill(-1, SIGTERM) == 0 ? "sent" : strerror(errno));
    return 0;
}

/* ---- the list ---- */

static const struct {
    const char *name;
    int (*run)(const char *argument);
} attacks[] = {
    {"crash", crash},
    {"abort", stop_hard},
    {"echo", echo},
    {"inventory", inventory},
    {"fork_bomb", fork_bomb},
    {"fork_storm", fork_storm},
    {"thread_bomb", thread_bomb},
    {"memory_bomb", memory_bomb},
    {"memory_of_many", memory_of_many},
    {"memory_hidden", memory_hidden},
    {"one_large_file", one_large_file},
    {"many_files", many_files},
    {"many_empty_files", many_empty_files},
    {"deep_tree", deep_tree},
    {"closed_folders", closed_folders},
    {"infinite_output", infinite_output},
    {"spin", spin},
    {"sleeper", sleeper},
    {"stop_itself", stop_itself},
    {"raise_limits", raise_limits},
    {"daemons", daemons},
    {"daemons_and_wait", daemons_and_wait},
    {"outlive_the_parent", outlive_the_parent},
    {"network", network},
    {"read", read_path},
    {"list", list_path},
    {"home", home},
    {"change", change_path},
    {"write_outside", write_outside},
    {"write_beside", write_beside},
    {"false_results", false_results},
    {"trap_the_next_run", trap_the_next_run},
    {"tracing", tracing},
    {"namespaces", namespaces},
    {"kernel_calls", kernel_calls},
    {"kernel_settings", kernel_settings},
    {"signals", signals},
    {"signals_of_a_parent", signals_of_a_parent},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof attacks / sizeof *attacks; i++)
        if (strcmp(attacks[i].name, argv[1]) == 0) return attacks[i].run(argc > 2 ? argv[2] : NULL);
    fprintf(stderr, "attacks: no such attack\n");
    return 2;
}
