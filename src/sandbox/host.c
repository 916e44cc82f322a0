#include "sandbox/host.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"
#include "sandbox/cgroup.h"
#include "sandbox/confine.h"
#include "sandbox/landlock.h"
#include "sandbox/plan.h"

#ifndef SANDBOX_HELPER_FOLDER
#define SANDBOX_HELPER_FOLDER "/usr/libexec/lynx-cortex"
#endif

/* Uids that no distribution hands out: systemd's table of uids leaves
 * 1879048192 to 2147483647 unused. */
enum { OWNER_FIRST = 1900000000, OWNER_COUNT = 65536, OWNER_NOBODY = 65534 };

static char *helper_folder;
static enum sandbox_pretend pretending;

void sandbox_init(const char *folder)
{
    free(helper_folder);
    helper_folder = text_copy(folder);
}

void sandbox_pretend(enum sandbox_pretend pretend) { pretending = pretend; }

char *host_helper(const char *name)
{
    return path_join(helper_folder ? helper_folder : SANDBOX_HELPER_FOLDER, name);
}

/* ---- who runs ---- */

/* Whether this user namespace has the uid: in a rootless container few exist. */
static bool uid_exists(uid_t uid)
{
    FILE *file = fopen("/proc/self/uid_map", "re");
    unsigned long inside, outside, count;
    bool found = false;
    while (file && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
        found = found || (uid >= inside && uid - inside < count);
    if (file) fclose(file);
    return found;
}

bool host_drops(void) { return geteuid() == 0 && uid_exists(OWNER_NOBODY); }

uid_t host_owner_new(void)
{
    uint16_t chosen = 0;
    if (geteuid() != 0) return geteuid();
    if (!uid_exists(OWNER_FIRST + OWNER_COUNT - 1))
        return uid_exists(OWNER_NOBODY) ? OWNER_NOBODY : 0;
    while (getrandom(&chosen, sizeof chosen, 0) != (ssize_t)sizeof chosen) continue;
    return OWNER_FIRST + chosen;
}

bool host_is_owner(uid_t uid)
{
    return uid == OWNER_NOBODY || (uid >= OWNER_FIRST && uid < OWNER_FIRST + OWNER_COUNT);
}

bool host_is_owner_of_one(uid_t uid)
{
    return geteuid() == 0 && uid != OWNER_NOBODY && host_is_owner(uid);
}

bool host_passes(const char *folder)
{
    char real[PATH_MAX];
    struct stat info;
    if (!realpath(folder, real)) return false;
    for (;;) {
        if (stat(real, &info) != 0 || !(info.st_mode & S_IXOTH)) return false;
        char *slash = strrchr(real, '/');
        if (!slash || slash == real) return true;
        *slash = '\0';
    }
}

bool host_reaches(const char *path)
{
    char real[PATH_MAX];
    struct stat info;
    if (!realpath(path, real)) return false;
    if (stat(real, &info) != 0 || !(info.st_mode & S_IROTH)) return false;
    if (S_ISDIR(info.st_mode)) return host_passes(real);
    char *slash = strrchr(real, '/');
    if (slash && slash != real) *slash = '\0';
    return host_passes(real);
}

/* ---- bubblewrap, tried ---- */

const char *host_bwrap(void)
{
    static const char *const places[] = {"/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0) return places[i];
    return NULL;
}

/* In the child of a trial: become nobody, put the helper where the chain expects it. */
_Noreturn static void trial_run(char *const *argv, int helper, int words, uid_t owner)
{
    char *const environment[] = {NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(words, STDOUT_FILENO);
    dup2(words, STDERR_FILENO);
    dup2(helper, CONFINE_SELF);
    close_range(CONFINE_FIRST_FREE, ~0U, 0);
    if (geteuid() == 0 && owner != 0 &&
        (setgroups(0, NULL) != 0 || setresgid(owner, owner, owner) != 0 ||
         setresuid(owner, owner, owner) != 0))
        _exit(126);
    execve(argv[0], argv, environment);
    _exit(127);
}

/* The first line of what it said, without the newline. */
static void words_read(char *why, int words)
{
    char said[200];
    const ssize_t n = read(words, said, sizeof said - 1);
    said[n > 0 ? n : 0] = '\0';
    said[strcspn(said, "\n")] = '\0';
    snprintf(why, 256, "%s", said[0] ? said : _("it ended without a word"));
}

static bool namespaces_try(char *why)
{
    char *path = host_helper("lcx-confine");
    const int opened = open(path, O_RDONLY | O_CLOEXEC);
    int words[2], status = 0;

    if (!host_bwrap() || opened < 0) {
        if (!host_bwrap()) snprintf(why, 256, "%s", _("bwrap is not installed"));
        else snprintf(why, 256, "%.200s: %s", path, strerror(errno));
        if (opened >= 0) close(opened);
        free(path);
        return false;
    }
    free(path);
    const int helper = fcntl(opened, F_DUPFD_CLOEXEC, 16);
    close(opened);

    char **argv = plan_trial();
    const uid_t owner = host_owner_new();
    if (pipe2(words, O_CLOEXEC) != 0) {
        snprintf(why, 256, "%s", strerror(errno));
        plan_words_free(argv);
        close(helper);
        return false;
    }
    const pid_t child = fork();
    if (child == 0) trial_run(argv, helper, words[1], owner);
    close(words[1]);
    close(helper);
    bool works = false;
    if (child > 0) {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
        works = WIFEXITED(status) && WEXITSTATUS(status) == CONFINE_CHECK_ANSWER;
    }
    if (!works) words_read(why, words[0]);
    close(words[0]);
    plan_words_free(argv);
    return works;
}

static struct {
    pthread_mutex_t lock;
    bool tried, works;
    char why[256];
    bool cgroup_tried, cgroup_found;
    char cgroup[PATH_MAX], cgroup_why[256];
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool host_has_namespaces(char *why)
{
    if (pretending != SANDBOX_AS_IS) {
        snprintf(why, 256, "%s", _("switched off for a test"));
        return false;
    }
    pthread_mutex_lock(&known.lock);
    if (!known.tried) {
        known.works = namespaces_try(known.why);
        known.tried = true;
    }
    snprintf(why, 256, "%s", known.why);
    const bool works = known.works;
    pthread_mutex_unlock(&known.lock);
    return works;
}

/* ---- the other layers ---- */

int host_landlock_abi(void) { return pretending == SANDBOX_NO_WALLS ? 0 : landlock_abi(); }

const char *host_cgroup(void)
{
    pthread_mutex_lock(&known.lock);
    if (!known.cgroup_tried) {
        known.cgroup_found = cgroup_find(known.cgroup, known.cgroup_why, "/proc/self/mountinfo",
                                         "/proc/self/cgroup");
        known.cgroup_tried = true;
    }
    pthread_mutex_unlock(&known.lock);
    return known.cgroup_found ? known.cgroup : NULL;
}

enum sandbox_walls host_walls(void)
{
    char why[256];
    if (host_has_namespaces(why)) return SANDBOX_WALLS_NAMESPACES;
    return host_landlock_abi() > 0 ? SANDBOX_WALLS_LANDLOCK : SANDBOX_WALLS_NONE;
}

/* ---- for doctor ---- */

static void layer_helper(struct sandbox_layer *layer)
{
    char *path = host_helper("lcx-confine");
    layer->name = _("helper");
    layer->present = access(path, X_OK) == 0;
    snprintf(layer->detail, sizeof layer->detail, "%.200s%s%s", path, layer->present ? "" : ": ",
             layer->present ? "" : strerror(errno));
    if (!layer->present) snprintf(layer->mend, sizeof layer->mend, "%s", "./dev build");
    free(path);
}

static void layer_limits(struct sandbox_layer *layer)
{
    char *path = host_helper("lcx-confine");
    layer->name = _("limits and seccomp");
    layer->present = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 && access(path, X_OK) == 0;
    if (layer->present)
        snprintf(layer->detail, sizeof layer->detail,
                 host_drops() ? _("rlimits, seccomp, a supervisor; runs as a uid of its own")
                              : _("rlimits, seccomp, a supervisor; runs as uid %u"),
                 (unsigned)geteuid());
    else
        snprintf(layer->detail, sizeof layer->detail, "%s",
                 _("the kernel has no seccomp, or lcx-confine is missing"));
    free(path);
}

static void layer_namespaces(struct sandbox_layer *layer)
{
    char why[256] = "";
    layer->name = _("bubblewrap");
    layer->present = host_has_namespaces(why);
    if (layer->present) {
        snprintf(layer->detail, sizeof layer->detail, "%s: %s", host_bwrap(),
                 _("user, mount, pid, net, ipc and uts namespaces"));
        return;
    }
    snprintf(layer->detail, sizeof layer->detail, "%s", why);
    if (!host_bwrap())
        snprintf(layer->mend, sizeof layer->mend, "%s",
                 "apt-get install bubblewrap   (dnf install bubblewrap)");
    else if (access("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", F_OK) == 0)
        snprintf(layer->mend, sizeof layer->mend, "%s",
                 "sysctl kernel.apparmor_restrict_unprivileged_userns=0");
    else if (access("/proc/sys/kernel/unprivileged_userns_clone", F_OK) == 0)
        snprintf(layer->mend, sizeof layer->mend, "%s",
                 "sysctl kernel.unprivileged_userns_clone=1");
    else
        snprintf(layer->mend, sizeof layer->mend, "%s",
                 _("allow user namespaces (in a container: of its host); Landlock stands in"));
}

static void layer_landlock(struct sandbox_layer *layer)
{
    const int abi = host_landlock_abi();
    layer->name = "Landlock";
    layer->present = abi > 0;
    if (abi >= 6) snprintf(layer->detail, sizeof layer->detail, _("ABI %d"), abi);
    else if (abi > 0)
        snprintf(layer->detail, sizeof layer->detail,
                 _("ABI %d; what it cannot watch (before 6: signals) seccomp denies"), abi);
    else snprintf(layer->detail, sizeof layer->detail, "%s", _("the kernel does not offer it"));
    if (!abi)
        snprintf(layer->mend, sizeof layer->mend, "%s",
                 _("Linux 5.13 or newer, started with lsm=landlock,... on its command line"));
}

static void layer_cgroup(struct sandbox_layer *layer)
{
    const char *group = host_cgroup();
    layer->name = "cgroup v2";
    layer->present = group != NULL;
    snprintf(layer->detail, sizeof layer->detail, "%.240s", group ? group : known.cgroup_why);
    if (!group)
        snprintf(layer->mend, sizeof layer->mend, "%s",
                 _("systemd-run --user --scope -p Delegate=yes lcx ...   (limits are polled "
                   "without it)"));
}

int sandbox_probe(struct sandbox_layer *layers, int capacity)
{
    static void (*const probes[SANDBOX_LAYERS])(struct sandbox_layer *) = {
        layer_helper, layer_limits, layer_namespaces, layer_landlock, layer_cgroup};
    const int count = capacity < SANDBOX_LAYERS ? capacity : SANDBOX_LAYERS;
    for (int i = 0; i < count; i++) {
        layers[i] = (struct sandbox_layer){0};
        probes[i](&layers[i]);
    }
    return count;
}
