/* screen.h -- a log that scrolls, one status line under it, and single keys.
 *
 *   FAIL  01 Attention, NumPy ...          printed; scrolls away
 *   12:31 left of 20:00 · r run · q quit   drawn again in its place
 *
 * Promises:
 *   1. The terminal is as it was before, however we end: by return, signal or abort.
 *   2. Without a terminal, with --plain, --json or TERM=dumb nothing is ever drawn over.
 *   3. While busy, a thread keeps the status line moving and Ctrl-C still ends us.
 *
 * One at a time in a process: the terminal is one, and signals find it through a static.
 */
#ifndef LCX_SCREEN_H
#define LCX_SCREEN_H

#include <pthread.h>

#include "app.h"

struct screen {
    struct app *app;
    bool keys; /* a terminal on both sides: keys are read one by one */
    bool line; /* the status line is drawn */
    struct text status;
    pthread_mutex_t lock; /* of status and of what is written while busy */

    pthread_t ticker; /* while busy */
    pthread_cond_t ended;
    bool busy, ending;
    void (*compose)(void *context, struct text *status);
    void *context;
};

void screen_open(struct screen *screen, struct app *app);
void screen_close(struct screen *screen);

/* Columns of the whole terminal; the status line has one less. */
int screen_width(const struct screen *screen);

/* Replace the status line. Longer than the terminal is wide: cut. */
void screen_status(struct screen *screen, const char *status);

/* Take the status line away before something is printed, and draw it again. */
void screen_hide(struct screen *screen);
void screen_show(struct screen *screen);

/* Hide, print to standard output, show; what was printed has left us. */
void screen_print(struct screen *screen, const char *text);

enum { SCREEN_NOTHING = 0, SCREEN_STOP = -1 }; /* else the key that was pressed */

/* Wait for a key, for `descriptor` (-1: none) to be readable, or until the time is over.
 * SCREEN_STOP: asked to end by a signal, or standard input was closed. */
int screen_wait(struct screen *screen, int descriptor, int timeout_ms);

/* Around work that takes long. `compose` is called in another thread at once and each second, and
 * writes the status line. Signals that end us do so at once: `words` are then printed. */
void screen_busy(struct screen *screen, void (*compose)(void *context, struct text *status),
                 void *context, const char *words);
void screen_idle(struct screen *screen);

#endif
