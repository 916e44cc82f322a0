#include "screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define CURSOR_OFF "\033[?25l"
#define CURSOR_ON "\r\033[J\033[?25h"

/* What a signal handler needs; it may only use what POSIX calls async-signal-safe. */
static struct {
    volatile sig_atomic_t raw, line, busy, stop, resized;
    struct termios before, during;
    int wake[2];
    char words[512]; /* said when a signal ends us in the middle of work */
} here = {.wake = {-1, -1}};

/* ---- the terminal, and how it is given back ---- */

static void terminal_take(void)
{
    if (here.raw) (void)!tcsetattr(STDIN_FILENO, TCSADRAIN, &here.during);
    if (here.line) (void)!write(STDOUT_FILENO, CURSOR_OFF, strlen(CURSOR_OFF));
}

static void terminal_give_back(void)
{
    if (here.line) (void)!write(STDOUT_FILENO, CURSOR_ON, strlen(CURSOR_ON));
    if (here.raw) (void)!tcsetattr(STDIN_FILENO, TCSADRAIN, &here.before);
}

static void wake_up(void) { (void)!write(here.wake[1], "", 1); }

static void end_by(int number)
{
    terminal_give_back();
    signal(number, SIG_DFL);
    raise(number); /* takes effect when the handler returns */
}

static void on_stop(int number)
{
    const int kept = errno;
    here.stop = number;
    if (here.busy) {
        end_by(number);
        (void)!write(STDERR_FILENO, here.words, strlen(here.words));
    } else {
        wake_up();
    }
    errno = kept;
}

static void on_crash(int number) { end_by(number); }

static void on_resize(int number)
{
    const int kept = errno;
    (void)number;
    here.resized = 1;
    wake_up();
    errno = kept;
}

/* Ctrl-Z: the shell gets its terminal, and we take it again afterwards. */
static void on_suspend(int number)
{
    const int kept = errno;
    (void)number;
    terminal_give_back();
    (void)!kill(getpid(), SIGSTOP);
    terminal_take();
    here.resized = 1;
    wake_up();
    errno = kept;
}

static const struct {
    int number;
    void (*handler)(int);
} handled[] = {
    {SIGINT, on_stop},   {SIGTERM, on_stop},  {SIGHUP, on_stop},     {SIGQUIT, on_crash},
    {SIGABRT, on_crash}, {SIGSEGV, on_crash}, {SIGBUS, on_crash},    {SIGFPE, on_crash},
    {SIGILL, on_crash},  {SIGPIPE, on_crash}, {SIGTSTP, on_suspend}, {SIGWINCH, on_resize},
};
enum { N_HANDLED = sizeof handled / sizeof handled[0] };
static struct sigaction before[N_HANDLED];

static void handle_signals(void)
{
    for (int i = 0; i < N_HANDLED; i++) {
        struct sigaction action = {.sa_handler = handled[i].handler, .sa_flags = SA_RESTART};
        sigfillset(&action.sa_mask);
        sigaction(handled[i].number, &action, &before[i]);
        if (before[i].sa_handler == SIG_IGN && handled[i].handler == on_stop)
            sigaction(handled[i].number, &before[i], NULL); /* nohup and the like */
    }
}

void screen_open(struct screen *screen, struct app *app)
{
    const char *kind = getenv("TERM");
    *screen = (struct screen){.app = app};
    screen->keys = !app->json && app->out.is_terminal && isatty(STDIN_FILENO) &&
                   tcgetattr(STDIN_FILENO, &here.before) == 0;
    screen->line = screen->keys && !app->plain && kind && *kind && strcmp(kind, "dumb") != 0;
    pthread_mutex_init(&screen->lock, NULL);
    pthread_cond_init(&screen->ended, NULL);

    here.stop = here.resized = here.busy = 0;
    CHECK(pipe2(here.wake, O_CLOEXEC | O_NONBLOCK) == 0);
    here.during = here.before;
    here.during.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* Ctrl-C and Ctrl-Z stay signals */
    here.during.c_cc[VMIN] = 1;
    here.during.c_cc[VTIME] = 0;
    here.raw = screen->keys;
    here.line = screen->line;
    handle_signals();
    fflush(stdout);
    terminal_take();
}

void screen_close(struct screen *screen)
{
    fflush(stdout);
    terminal_give_back();
    here.raw = here.line = 0;
    for (int i = 0; i < N_HANDLED; i++) sigaction(handled[i].number, &before[i], NULL);
    close(here.wake[0]);
    close(here.wake[1]);
    here.wake[0] = here.wake[1] = -1;
    pthread_mutex_destroy(&screen->lock);
    pthread_cond_destroy(&screen->ended);
    text_done(&screen->status);
}

/* ---- the status line ---- */

int screen_width(const struct screen *screen)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col) return size.ws_col;
    return screen->app->out.width;
}

/* As much of a styled line as fits; colours take no room. */
static void add_cut(struct text *out, const char *line, int columns)
{
    int used = 0;
    while (*line) {
        if (*line == '\033') {
            const size_t size = strcspn(line, "m") + 1;
            text_add_bytes(out, line, size);
            line += size;
            continue;
        }
        size_t size = 1;
        while (((unsigned char)line[size] & 0xC0) == 0x80) size++;
        used += terminal_columns(line, size);
        if (used > columns) break;
        text_add_bytes(out, line, size);
        line += size;
    }
}

/* The cursor stays at the line's beginning: whatever is printed by accident, and however the
 * terminal folds the line when it becomes narrower, erasing from there leaves nothing behind. */
static void draw(struct screen *screen)
{
    struct text out = {0};
    if (!screen->line || !screen->status.size) return;
    text_add_char(&out, '\r');
    add_cut(&out, text_string(&screen->status), screen_width(screen) - 1);
    if (screen->app->out.colour) text_add(&out, "\033[0m");
    text_add(&out, "\033[J\r");
    fflush(stdout);
    (void)!descriptor_write(STDOUT_FILENO, out.data, out.size);
    text_done(&out);
}

void screen_status(struct screen *screen, const char *status)
{
    pthread_mutex_lock(&screen->lock);
    text_clear(&screen->status);
    text_add(&screen->status, status);
    draw(screen);
    pthread_mutex_unlock(&screen->lock);
}

void screen_hide(struct screen *screen)
{
    if (!screen->line) return;
    fflush(stdout);
    (void)!descriptor_write(STDOUT_FILENO, "\r\033[J", 4);
}

void screen_show(struct screen *screen)
{
    fflush(stdout);
    pthread_mutex_lock(&screen->lock);
    draw(screen);
    pthread_mutex_unlock(&screen->lock);
}

void screen_print(struct screen *screen, const char *text)
{
    screen_hide(screen);
    app_print(screen->app, text);
    screen_show(screen);
}

/* ---- waiting ---- */

static void follow_size(struct screen *screen)
{
    here.resized = 0;
    screen->app->out = terminal_of(STDOUT_FILENO, screen->app->plain);
    screen_show(screen);
}

/* One key. Arrows and the like send several bytes after ESC: they mean nothing here. */
static int read_key(const struct screen *screen)
{
    char byte = 0;
    const ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return SCREEN_NOTHING;
    if (n <= 0) return SCREEN_STOP;
    if (!screen->keys) return SCREEN_NOTHING; /* only its end matters */
    if (byte == 4) return 'q';                /* Ctrl-D */
    if (byte == '\033') {
        struct pollfd more = {STDIN_FILENO, POLLIN, 0};
        if (poll(&more, 1, 0) > 0) {
            char rest[16];
            (void)!read(STDIN_FILENO, rest, sizeof rest);
        }
        return SCREEN_NOTHING;
    }
    return byte > 0 ? byte : SCREEN_NOTHING;
}

int screen_wait(struct screen *screen, int descriptor, int timeout_ms)
{
    struct pollfd polled[] = {
        {here.wake[0], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}, {descriptor, POLLIN, 0}};
    char bytes[64];
    const int ready = poll(polled, 3, timeout_ms);
    while (read(here.wake[0], bytes, sizeof bytes) > 0) {}
    if (here.resized) follow_size(screen);
    if (here.stop) return SCREEN_STOP;
    return ready > 0 && polled[1].revents ? read_key(screen) : SCREEN_NOTHING;
}

/* ---- while something takes long ---- */

static void *tick(void *argument)
{
    struct screen *screen = argument;
    struct text status = {0};
    pthread_mutex_lock(&screen->lock);
    while (!screen->ending) {
        pthread_mutex_unlock(&screen->lock);
        text_clear(&status);
        screen->compose(screen->context, &status);
        screen_status(screen, text_string(&status));

        struct timespec next;
        clock_gettime(CLOCK_REALTIME, &next);
        next.tv_sec++;
        pthread_mutex_lock(&screen->lock);
        if (!screen->ending) pthread_cond_timedwait(&screen->ended, &screen->lock, &next);
    }
    pthread_mutex_unlock(&screen->lock);
    text_done(&status);
    return NULL;
}

void screen_busy(struct screen *screen, void (*compose)(void *context, struct text *status),
                 void *context, const char *words)
{
    sigset_t all, kept;
    snprintf(here.words, sizeof here.words, "%s", words);
    screen->compose = compose;
    screen->context = context;
    screen->ending = false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &kept); /* signals are the main thread's */
    screen->busy = pthread_create(&screen->ticker, NULL, tick, screen) == 0;
    here.busy = 1;
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    if (here.stop) raise(here.stop); /* it came a moment before */
}

void screen_idle(struct screen *screen)
{
    here.busy = 0;
    if (!screen->busy) return;
    pthread_mutex_lock(&screen->lock);
    screen->ending = true;
    pthread_cond_signal(&screen->ended);
    pthread_mutex_unlock(&screen->lock);
    pthread_join(screen->ticker, NULL);
    screen->busy = false;
}
