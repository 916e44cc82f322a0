/* watch.h -- has a file been saved? Told once it is at rest.
 *
 *   an editor     write, write, ... or a new file renamed over the old one
 *   the folder    inotify: something happened to that name
 *   refused       look at (time, size, inode) every 500 ms
 *
 *   changed --200 ms without another change--> told, once
 *
 * Promises: the folder is watched, not the file, so that a replaced file is still seen; a file
 * that is away is waited for. What inotify does not hear of (a network folder, a link's
 * target) is found by looking, every 2 s at the latest.
 * Does not know: what is in the file. The same bytes written again are told again.
 * Tests: tests/base/watch_test.c
 */
#ifndef BASE_WATCH_H
#define BASE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum {
    WATCH_REST_MS = 200,  /* editors write in several steps */
    WATCH_LOOK_MS = 500,  /* without inotify */
    WATCH_DOUBT_MS = 2000 /* with it */
};

enum watch_means { WATCH_INOTIFY, WATCH_LOOK }; /* LOOK: as where inotify is refused */

/* What a file looks like from outside. */
struct watch_stamp {
    bool there;
    int64_t time_ns, size;
    uint64_t inode, device;
};

struct watch {
    char *path;
    const char *name; /* the last part of path */
    int inotify;      /* to poll() for reading; -1 when only looking */
    struct watch_stamp seen, told;
    int64_t look_ns; /* look again at this moment */
    int64_t rest_ns; /* at rest then, when nothing more happens; 0: nothing happened */
};

/* Begin with the file as it is now. Times are clock_steady_ns(). Cannot fail: where inotify is
 * refused, or the path is a symbolic link, it looks. */
void watch_init(struct watch *watch, const char *path, enum watch_means means, int64_t now_ns);

/* True once for each change that has come to rest. Does not block. */
bool watch_changed(struct watch *watch, int64_t now_ns);

/* How long nobody needs to ask, while `inotify` is not readable; in milliseconds, for poll(). */
int watch_patience_ms(const struct watch *watch, int64_t now_ns);

void watch_done(struct watch *watch);

#endif
