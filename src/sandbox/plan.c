#include "sandbox/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"
#include "sandbox/confine.h"
#include "sandbox/host.h"

#define MIB ((uint64_t)1 << 20)

/* ---- a growing list of words ---- */

struct words {
    char **word; /* NULL terminated */
    size_t count;
};

static void words_take(struct words *words, char *word)
{
    words->word = memory_grow(words->word, words->count + 2, sizeof *words->word);
    words->word[words->count++] = word;
    words->word[words->count] = NULL;
}

static void words_add(struct words *words, const char *word) { words_take(words, text_copy(word)); }

static void words_add_all(struct words *words, const char *const *word)
{
    for (; *word; word++) words_add(words, *word);
}

static void words_add_number(struct words *words, const char *option, uint64_t value)
{
    words_add(words, option);
    words_take(words, text_printf("%llu", (unsigned long long)value));
}

static void words_add_pair(struct words *words, const char *option, const char *value)
{
    words_add(words, option);
    words_add(words, value);
}

static void words_add_bind(struct words *words, const char *option, const char *from,
                           const char *to)
{
    words_add_pair(words, option, from);
    words_add(words, to);
}

void plan_words_free(char **words)
{
    for (char **word = words; word && *word; word++) free(*word);
    free(words);
}

/* ---- bubblewrap: what is to be seen ---- */

/* /bin, /lib and their like are links into /usr on most systems, folders on some. */
static const char *const system_folders[] = {"/bin",   "/sbin",  "/lib",
                                             "/lib32", "/lib64", "/libx32"};
enum { SYSTEM_FOLDERS = sizeof system_folders / sizeof *system_folders };

static const char *const system_files[] = {"/etc/ld.so.cache", "/etc/alternatives"};
/* Each bind costs a third of a millisecond; /dev/random becomes a link to the last. */
static const char *const devices[] = {"/dev/null", "/dev/urandom"};

static void add_system_folder(struct words *words, const char *path)
{
    struct stat info;
    char target[PATH_MAX];
    if (lstat(path, &info) != 0) return;
    if (S_ISDIR(info.st_mode)) words_add_bind(words, "--ro-bind", path, path);
    if (!S_ISLNK(info.st_mode)) return;
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size <= 0) return;
    target[size] = '\0';
    words_add_bind(words, "--symlink", target, path);
}

static void add_namespaces(struct words *words)
{
    /* clang-format off */
    static const char *const options[] = {
        "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc",
        "--unshare-uts", "--hostname", "lcx", "--unshare-cgroup-try",
        "--cap-drop", "ALL", "--die-with-parent", "--new-session", "--as-pid-1",
        "--ro-bind", "/usr", "/usr",
        "--proc", "/proc", "--remount-ro", "/proc",
        "--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "urandom", "/dev/random",
        NULL};
    /* clang-format on */

    words_add(words, host_bwrap());
    words_add_all(words, options);
    for (int i = 0; i < SYSTEM_FOLDERS; i++) add_system_folder(words, system_folders[i]);
    for (size_t i = 0; i < sizeof system_files / sizeof *system_files; i++)
        if (access(system_files[i], F_OK) == 0)
            words_add_bind(words, "--ro-bind", system_files[i], system_files[i]);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        words_add_bind(words, "--dev-bind", devices[i], devices[i]);
}

/* The new root itself is memory: nothing may be written there. */
static void add_helper(struct words *words)
{
    words_add_pair(words, "--remount-ro", "/");
    words_add(words, "--");
    words_take(words, text_printf("/proc/self/fd/%d", CONFINE_SELF));
}

char **plan_trial(void)
{
    struct words words = {0};
    add_namespaces(&words);
    add_helper(&words);
    words_add(&words, "--check");
    return words.word;
}

/* ---- what the run's uid cannot reach is brought to where it can ---- */

static bool is_below(const char *path, const char *folder)
{
    const size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_system(const char *path)
{
    if (is_below(path, "/usr")) return true;
    for (int i = 0; i < SYSTEM_FOLDERS; i++)
        if (is_below(path, system_folders[i])) return true;
    return false;
}

/* An existing folder that hides nothing of ours when something is mounted on it. */
static const char *stage_choose(const struct sandbox_request *request)
{
    static const char *const places[] = {"/mnt", "/media", "/srv", "/opt", "/home"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool is_free = file_is_folder(places[i]) && !is_below(request->folder, places[i]);
        for (const char *const *path = request->readable; is_free && path && *path; path++)
            is_free = !is_below(*path, places[i]);
        if (is_free) return places[i];
    }
    return NULL;
}

struct stage {
    struct words from;
    const char *folder;
    bool needed; /* we drop to another uid */
};

static bool reaches_folder(const char *folder)
{
    char *parent = text_copy(folder);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent) *slash = '\0';
    /* the attempt itself belongs to the run; what is above must let it through */
    const bool reached = host_passes(parent);
    free(parent);
    return reached;
}

/* Where bwrap finds `path`: there, or on the stage. The caller frees it. */
static char *staged(struct stage *stage, const char *path, bool reached)
{
    if (!stage->needed || reached || !stage->folder) return text_copy(path);
    words_add(&stage->from, path);
    return text_printf("%s/%zu", stage->folder, stage->from.count - 1);
}

static void add_attempt(struct words *words, struct stage *stage,
                        const struct sandbox_request *request, const char *name)
{
    char *folder = staged(stage, request->folder, reaches_folder(request->folder));
    char *temporary = path_join(folder, name);

    /* in this order: the folder may itself lie below /tmp */
    words_add_bind(words, "--bind", temporary, "/tmp");
    for (const char *const *path = request->readable; path && *path; path++) {
        if (is_system(*path) || is_below(*path, request->folder)) continue;
        char *from = staged(stage, *path, host_reaches(*path));
        words_add_bind(words, "--ro-bind", from, *path);
        free(from);
    }
    words_add_bind(words, "--bind", folder, request->folder);
    words_add_pair(words, "--chdir", request->folder);
    free(temporary);
    free(folder);
}

/* ---- lcx-confine: limits and filters ---- */

/* Room above the polled limit, so that it is the poll that finds and names the excess. */
enum { MARGIN_MIB = 128 };

static uint64_t task_limit(const struct sandbox_profile *profile, enum sandbox_walls walls,
                           bool drops)
{
    /* threads count as well; a fork bomb must get past the polled count to be named */
    const uint64_t own = profile->processes == 1 ? 64 : 2 * (uint64_t)profile->processes + 16;
    if (walls == SANDBOX_WALLS_NAMESPACES || drops) return own;
    /* the kernel counts all tasks of the user: add those that are there */
    struct sysinfo info;
    return sysinfo(&info) == 0 ? own + info.procs : 4096;
}

static void add_limits(struct words *words, const struct sandbox_profile *profile,
                       enum sandbox_walls walls, bool drops)
{
    const bool single = profile->processes == 1;
    const bool sanitized = profile->memory_rule == SANDBOX_MEMORY_POLLED;
    const uint64_t memory = profile->memory_bytes + MARGIN_MIB * MIB;

    if (profile->cpu_s > 0) words_add_number(words, "--cpu", (uint64_t)(profile->cpu_s + 0.999));
    if (profile->file_bytes) words_add_number(words, "--file", profile->file_bytes);
    words_add_number(words, "--files", single ? 128 : 256);
    words_add_number(words, "--processes", task_limit(profile, walls, drops));
    words_add_number(words, "--stack", (single && !sanitized ? 16 : 64) * MIB);
    if (profile->memory_bytes && profile->memory_rule == SANDBOX_MEMORY_AS)
        words_add_number(words, "--address-space", memory);
    if (profile->memory_bytes && profile->memory_rule == SANDBOX_MEMORY_DATA)
        words_add_number(words, "--data", memory);
    if (single) words_add(words, "--no-fork");
}

/* With a file system of its own the run may read all that it sees. */
static void add_paths_inside(struct words *words, const struct sandbox_request *request)
{
    words_add_pair(words, "--read", "/");
    words_add_pair(words, "--write", "/tmp");
    words_add_pair(words, "--write", "/dev/null");
    words_add_pair(words, "--write", request->folder);
}

/* Without: the same list, as rules; of /proc and /sys only what libraries ask for. */
static void add_paths_listed(struct words *words, const char *const *readable)
{
    static const char *const more[] = {"/usr",          "/proc/self", "/proc/cpuinfo",
                                       "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        words_add_pair(words, "--read", more[i]);
    for (int i = 0; i < SYSTEM_FOLDERS; i++) words_add_pair(words, "--read", system_folders[i]);
    for (size_t i = 0; i < sizeof system_files / sizeof *system_files; i++)
        words_add_pair(words, "--read", system_files[i]);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        words_add_pair(words, i == 0 ? "--write" : "--read", devices[i]);
    for (const char *const *path = readable; path && *path; path++)
        words_add_pair(words, "--read", *path);
}

/* A lone process dies with its parent by the kernel's hand, a namespace with its process 1. */
bool plan_has_guard(const struct sandbox_profile *profile, enum sandbox_walls walls)
{
    return walls != SANDBOX_WALLS_NAMESPACES && profile->processes != 1;
}

static void add_confine(struct words *words, const struct sandbox_request *request,
                        enum sandbox_walls walls, bool drops)
{
    const struct sandbox_profile *profile = request->profile;

    if (walls == SANDBOX_WALLS_NAMESPACES) words_add(words, "--init");
    else if (plan_has_guard(profile, walls)) words_add(words, "--guard");
    if (request->channel) words_add(words, "--channel");
    if (profile == &sandbox_profile_c_sanitized) words_add(words, "--fixed-addresses");
    add_limits(words, profile, walls, drops);
    if (walls == SANDBOX_WALLS_NAMESPACES) add_paths_inside(words, request);
    if (walls == SANDBOX_WALLS_LANDLOCK) {
        words_add(words, "--strict");
        /* signals leave the domain before ABI 6; our own worker must end its children */
        if (profile->processes != 1 && profile != &sandbox_profile_worker &&
            host_landlock_abi() < 6)
            words_add(words, "--no-signals");
        add_paths_listed(words, request->readable);
        words_add_pair(words, "--write", request->folder);
        /* our own worker looks at the size of its children */
        if (profile == &sandbox_profile_worker) words_add_pair(words, "--read", "/proc");
    }
    words_add(words, "--");
    words_add_all(words, request->argv);
}

char *plan_child_options(const struct sandbox_profile *profile, enum sandbox_walls walls,
                         const char *const *readable, const char *folder)
{
    struct words words = {0};
    struct text lines = {0};

    words_add_number(&words, "--cpu", (uint64_t)(profile->cpu_s + 0.999));
    words_add_number(&words, "--file", profile->file_bytes);
    words_add_number(&words, "--files", 128);
    words_add_number(&words, "--data", profile->memory_bytes + MARGIN_MIB * MIB);
    words_add(&words, "--no-fork");
    if (walls == SANDBOX_WALLS_LANDLOCK) words_add(&words, "--strict");
    add_paths_listed(&words, readable);
    if (folder) words_add_pair(&words, "--write", folder);
    for (size_t i = 0; i < words.count; i++)
        text_format(&lines, "%s%s", i ? "\n" : "", words.word[i]);
    plan_words_free(words.word);
    return text_take(&lines);
}

/* ---- the environment ---- */

static bool is_named(const char *const *environment, const char *setting)
{
    const size_t length = strcspn(setting, "=") + 1;
    for (; environment && *environment; environment++)
        if (strncmp(*environment, setting, length) == 0) return true;
    return false;
}

static void set_unless_named(struct words *words, const struct sandbox_request *request,
                             char *setting)
{
    if (is_named(request->environment, setting)) free(setting);
    else words_take(words, setting);
}

static char **environment_make(const struct sandbox_request *request, const char *name,
                               enum sandbox_walls walls)
{
    static const char *const fixed[] = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "OMP_NUM_THREADS=1",
                                        "OPENBLAS_NUM_THREADS=1", "MKL_NUM_THREADS=1"};
    struct words words = {0};
    char *temporary =
        walls == SANDBOX_WALLS_NAMESPACES ? text_copy("/tmp") : path_join(request->folder, name);

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        set_unless_named(&words, request, text_copy(fixed[i]));
    set_unless_named(&words, request, text_printf("HOME=%s", temporary));
    set_unless_named(&words, request, text_printf("TMPDIR=%s", temporary));
    if (request->profile == &sandbox_profile_c_sanitized)
        /* looking for leaks takes ptrace; the resident limit is a second net */
        set_unless_named(
            &words, request,
            text_printf("ASAN_OPTIONS=detect_leaks=0:hard_rss_limit_mb=%llu",
                        (unsigned long long)(request->profile->memory_bytes / MIB) + MARGIN_MIB));
    if (request->environment) words_add_all(&words, request->environment);
    free(temporary);
    return words.word;
}

/* ---- the whole ---- */

static enum status readable_check(const struct sandbox_request *request, enum sandbox_walls walls,
                                  bool drops, struct error *err)
{
    for (const char *const *path = request->readable; path && *path; path++) {
        if (**path != '/')
            return error_set(err, STATUS_USAGE, _("sandbox: %s: not an absolute path"), *path);
        if (access(*path, F_OK) != 0)
            return error_set_errno(err, STATUS_NOT_FOUND, _("sandbox: %s"), *path);
        if (drops && walls != SANDBOX_WALLS_NAMESPACES && !host_reaches(*path))
            return error_set(err, STATUS_UNAVAILABLE,
                             _("sandbox: %s: the unprivileged user of a run cannot reach it; open "
                               "the folders above it (chmod o+x), or do not run as root"),
                             *path);
    }
    if (drops && walls != SANDBOX_WALLS_NAMESPACES && !reaches_folder(request->folder))
        return error_set(err, STATUS_UNAVAILABLE,
                         _("sandbox: %s: the unprivileged user of a run cannot reach it; choose a "
                           "place below /tmp, or do not run as root"),
                         request->folder);
    return STATUS_OK;
}

enum status sandbox_plan_make(struct plan *plan, const struct sandbox_request *request,
                              const char *temporary, enum sandbox_walls walls, bool drops,
                              struct error *err)
{
    struct words words = {0};
    struct stage stage = {.needed = drops && walls == SANDBOX_WALLS_NAMESPACES,
                          .folder = stage_choose(request)};

    *plan = (struct plan){0};
    const enum status status = readable_check(request, walls, drops, err);
    if (status) return status;

    if (walls == SANDBOX_WALLS_NAMESPACES) {
        add_namespaces(&words);
        add_attempt(&words, &stage, request, temporary);
        add_helper(&words);
    } else {
        words_take(&words, text_printf("/proc/self/fd/%d", CONFINE_SELF));
    }
    add_confine(&words, request, walls, drops);
    plan->argv = words.word;
    plan->environment = environment_make(request, temporary, walls);
    plan->stage_from = stage.from.word;
    plan->stage_folder = stage.from.count ? text_copy(stage.folder) : NULL;
    return STATUS_OK;
}

void sandbox_plan_done(struct plan *plan)
{
    plan_words_free(plan->argv);
    plan_words_free(plan->environment);
    plan_words_free(plan->stage_from);
    free(plan->stage_folder);
    *plan = (struct plan){0};
}
