#include "base/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/locale.h"

extern char **environ;

bool fetch_allowed(const char *url)
{
    static const char *const prefixes[] = {
        "https://",          "http://127.0.0.1:", "http://127.0.0.1/", "http://localhost:",
        "http://localhost/", "http://[::1]:",     "http://[::1]/"};
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == '@') return false; /* no spaces, no user names */
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (text_starts_with(url, prefixes[i])) return url[strlen(prefixes[i])] != '\0';
    return false;
}

/* name = "value", with what curl's configuration asks to be escaped. */
static void add_option(struct text *out, const char *name, const char *value)
{
    text_format(out, "%s = \"", name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') text_add_char(out, '\\');
        if (*value == '\n') text_add(out, "\\n");
        else if (*value == '\r') text_add(out, "\\r");
        else text_add_char(out, *value);
    }
    text_add(out, "\"\n");
}

static void configure(struct text *out, const struct fetch *fetch)
{
    char *key = fetch->bearer ? text_printf("Authorization: Bearer %s", fetch->bearer) : NULL;
    add_option(out, "url", fetch->url);
    if (key) add_option(out, "header", key);
    if (fetch->body) {
        add_option(out, "header", "Content-Type: application/json");
        add_option(out, "data-raw", fetch->body);
    } else {
        text_add(out, "location\nmax-redirs = 5\nproto-redir = \"=https\"\n");
    }
    text_format(out, "max-time = %d\nmax-filesize = %zu\n", fetch->timeout_s, fetch->limit_bytes);
    text_add(out, "silent\nshow-error\nfail-with-body\nproto = \"=http,https\"\n");
    free(key);
}

static bool make_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0; }

static void close_all(int (*pipes)[2], int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 2; j++)
            if (pipes[i][j] >= 0) close(pipes[i][j]);
}

/* Feed the configuration and read both outputs until curl closes them. False: too much came. */
static bool exchange(struct text *out, struct text *words, int to, int from, int said,
                     const struct text *config, size_t limit)
{
    struct pollfd ends[3] = {{to, POLLOUT, 0}, {from, POLLIN, 0}, {said, POLLIN, 0}};
    size_t sent = 0;
    const size_t start = out->size;
    bool fits = true;

    while (fits && (ends[1].fd >= 0 || ends[2].fd >= 0)) {
        if (poll(ends, 3, -1) < 0 && errno != EINTR) break;
        if (ends[0].fd >= 0 && ends[0].revents) {
            const ssize_t n = write(to, config->data + sent, config->size - sent);
            if (n > 0) sent += (size_t)n;
            if ((n < 0 && errno != EINTR && errno != EAGAIN) || sent == config->size) {
                close(to);
                ends[0].fd = -1;
            }
        }
        for (int i = 1; i < 3; i++) {
            char bytes[16384];
            if (ends[i].fd < 0 || !ends[i].revents) continue;
            const ssize_t n = read(ends[i].fd, bytes, sizeof bytes);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) ends[i].fd = -1;
            else if (i == 1) text_add_bytes(out, bytes, (size_t)n);
            else if (words->size < 4096) text_add_bytes(words, bytes, (size_t)n);
        }
        fits = out->size - start <= limit;
    }
    if (ends[0].fd >= 0) close(to);
    return fits;
}

enum status fetch_run(struct text *out, const struct fetch *fetch, struct error *err)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    pid_t child;
    if (!fetch_allowed(fetch->url))
        return error_set(err, STATUS_USAGE,
                         _("%s: not an address that is fetched from: https://, or http:// on this "
                           "machine"),
                         fetch->url);
    for (int i = 0; i < 3; i++)
        if (!make_pipe(pipes[i])) {
            close_all(pipes, 3);
            return error_set_errno(err, STATUS_IO, "pipe");
        }

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0);
    posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipes[2][1], 2);
    char *const argv[] = {"curl", "-q", "-K", "-", NULL};
    const int failed = posix_spawnp(&child, "curl", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) {
        close_all(pipes, 3);
        return error_set(err, STATUS_UNAVAILABLE,
                         _("curl could not be started (%s): install it to fetch anything"),
                         strerror(failed));
    }
    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);

    struct text config = {0}, words = {0};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    configure(&config, fetch);
    sigaction(SIGPIPE, &ignore, &before);
    const bool fits =
        exchange(out, &words, pipes[0][1], pipes[1][0], pipes[2][0], &config, fetch->limit_bytes);
    sigaction(SIGPIPE, &before, NULL);
    close(pipes[1][0]);
    close(pipes[2][0]);
    if (!fits) kill(child, SIGKILL);
    int state = 0;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) {}

    enum status status = STATUS_OK;
    const int code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    if (!fits || code == 63)
        status = error_set(err, STATUS_LIMIT, _("%s: the answer is larger than %zu bytes"),
                           fetch->url, fetch->limit_bytes);
    else if (code == 127) status = error_set(err, STATUS_UNAVAILABLE, _("curl is not installed"));
    else if (code != 0) {
        const char *why = text_string(&words);
        status = error_set(err, STATUS_IO, "%s: %.*s", fetch->url, (int)strcspn(why, "\n"), why);
    }
    text_done(&config);
    text_done(&words);
    return status;
}
