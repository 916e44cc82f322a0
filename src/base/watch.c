#include "base/watch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static const int64_t ms = 1000000; /* in nanoseconds */

static struct watch_stamp look(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) return (struct watch_stamp){0};
    return (struct watch_stamp){
        .there = true,
        .time_ns = info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec,
        .size = info.st_size,
        .inode = info.st_ino,
        .device = info.st_dev,
    };
}

static bool same(const struct watch_stamp *a, const struct watch_stamp *b)
{
    return a->there == b->there && a->time_ns == b->time_ns && a->size == b->size &&
           a->inode == b->inode && a->device == b->device;
}

/* Everything that an editor does to the folder's entry or to what it names. */
static int listen_to_folder(const char *path)
{
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode)) return -1; /* its target lies elsewhere */
    const int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (inotify < 0) return -1;

    char *copy = text_copy(path);
    const uint32_t mask = IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE |
                          IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    const bool heard = inotify_add_watch(inotify, dirname(copy), mask) >= 0;
    free(copy);
    if (heard) return inotify;
    close(inotify);
    return -1;
}

static int64_t look_period(const struct watch *watch)
{
    return (watch->inotify >= 0 ? WATCH_DOUBT_MS : WATCH_LOOK_MS) * ms;
}

void watch_init(struct watch *watch, const char *path, enum watch_means means, int64_t now_ns)
{
    *watch = (struct watch){.path = text_copy(path), .inotify = -1};
    const char *slash = strrchr(watch->path, '/');
    watch->name = slash ? slash + 1 : watch->path;
    if (means == WATCH_INOTIFY) watch->inotify = listen_to_folder(watch->path);
    watch->seen = watch->told = look(watch->path);
    watch->look_ns = now_ns + look_period(watch);
}

void watch_done(struct watch *watch)
{
    if (watch->inotify >= 0) close(watch->inotify);
    free(watch->path);
    *watch = (struct watch){.inotify = -1};
}

/* The folder itself has gone or moved: from now on only looking helps. */
static void stop_listening(struct watch *watch)
{
    close(watch->inotify);
    watch->inotify = -1;
    watch->look_ns = 0;
}

/* True when something happened to the file's name, or events were lost. */
static bool hear(struct watch *watch)
{
    char events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)]
        __attribute__((aligned(__alignof__(struct inotify_event))));
    bool heard = false;

    while (watch->inotify >= 0) {
        const ssize_t size = read(watch->inotify, events, sizeof events);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(events + at);
            at += (ssize_t)(sizeof *event + event->len);
            if (event->mask &
                    (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) ||
                (event->len && strcmp(event->name, watch->name) == 0))
                heard = true;
            if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) {
                stop_listening(watch);
                break;
            }
        }
    }
    return heard;
}

bool watch_changed(struct watch *watch, int64_t now_ns)
{
    if (hear(watch)) watch->rest_ns = now_ns + WATCH_REST_MS * ms;

    const bool rested = watch->rest_ns && now_ns >= watch->rest_ns;
    if (!rested && now_ns < watch->look_ns) return false;

    const struct watch_stamp now = look(watch->path);
    watch->look_ns = now_ns + look_period(watch);
    if (!same(&now, &watch->seen)) { /* still being written, or found by looking */
        const bool quiet = rested && watch->inotify >= 0; /* inotify would have told of more */
        watch->seen = now;
        if (!quiet) {
            watch->rest_ns = now_ns + WATCH_REST_MS * ms;
            return false;
        }
    }
    if (!rested) return false;
    watch->rest_ns = 0;
    if (!now.there || same(&now, &watch->told)) return false;
    watch->told = now;
    return true;
}

int watch_patience_ms(const struct watch *watch, int64_t now_ns)
{
    int64_t until = watch->look_ns;
    if (watch->rest_ns && watch->rest_ns < until) until = watch->rest_ns;
    return until <= now_ns ? 0 : (int)((until - now_ns + ms - 1) / ms);
}
