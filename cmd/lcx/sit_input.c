/* sit_input.c -- reading what the candidate writes, with the clock in sight and nothing lost. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "grader/prose.h"
#include "sit.h"

/* ---- lines of standard input ---- */

enum got { GOT_LINE, GOT_END, GOT_ZERO, GOT_STOP };

/* Bytes that were read behind the last line. Standard input is one, so this is too. */
static struct text pending;

/* Bytes as text: what is not UTF-8 becomes U+FFFD, and nothing behind it is lost. */
static void add_valid(struct text *out, const char *bytes, size_t size)
{
    while (size) {
        const size_t good = text_utf8_valid(bytes, size);
        text_add_bytes(out, bytes, good);
        if (good == size) return;
        text_add(out, "\xEF\xBF\xBD");
        bytes += good + 1;
        size -= good + 1;
    }
}

static bool take_line(struct text *line)
{
    const char *data = text_string(&pending);
    const char *newline = memchr(data, '\n', pending.size);
    if (!newline) return false;
    size_t size = (size_t)(newline - data);
    char *rest = text_copy(newline + 1);
    if (size && data[size - 1] == '\r') size--;
    text_clear(line);
    add_valid(line, data, size);
    text_clear(&pending);
    text_add(&pending, rest);
    free(rest);
    return true;
}

/* Put a line back in front of the others. */
static void return_line(const struct text *line)
{
    char *rest = text_copy(text_string(&pending));
    text_clear(&pending);
    text_add(&pending, text_string(line));
    text_add_char(&pending, '\n');
    text_add(&pending, rest);
    free(rest);
}

/* What stands on the line that was not ended: a terminal keeps it to itself until it is asked in
 * another mode. */
static void take_partial(struct text *line)
{
    struct termios before, raw;
    text_clear(line);
    if (tcgetattr(0, &before) == 0) {
        char bytes[4096];
        raw = before;
        raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        if (tcsetattr(0, TCSANOW, &raw) == 0) {
            const ssize_t size = read(0, bytes, sizeof bytes);
            if (size > 0) text_add_bytes(&pending, bytes, (size_t)size);
            tcsetattr(0, TCSANOW, &before);
        }
    }
    const char *bytes = text_string(&pending);
    add_valid(line, bytes, strlen(bytes));
    text_clear(&pending);
}

/* The next line. GOT_ZERO when `deadline_ms` (0: none) passes before it is complete. */
static enum got read_line(const struct app *app, struct text *line, int64_t deadline_ms)
{
    for (;;) {
        if (sit_was_stopped()) return GOT_STOP;
        if (take_line(line)) return GOT_LINE;
        int wait = -1;
        if (deadline_ms) {
            const int64_t left = deadline_ms - clock_wall_ms(app->clock);
            if (left <= 0) return GOT_ZERO;
            wait = left > 60000 ? 60000 : (int)left;
        }
        fflush(stdout); /* who reads a pipe is to see the question before it answers */
        struct pollfd poll_of = {.fd = 0, .events = POLLIN};
        const int ready = poll(&poll_of, 1, wait);
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;

        char bytes[4096];
        const ssize_t size = read(0, bytes, sizeof bytes);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) {
            if (pending.size == 0) return GOT_END;
            text_add_char(&pending, '\n'); /* a last line without its end */
            continue;
        }
        for (ssize_t i = 0; i < size; i++)
            if (!bytes[i]) bytes[i] = ' ';
        text_add_bytes(&pending, bytes, (size_t)size);
        if (pending.size > PROSE_SIZE_LIMIT) text_add_char(&pending, '\n');
    }
}

/* ---- the clock beside the prompt ---- */

void sit_clock(const struct sit *sit, const struct step *step, char out[48])
{
    char clock[24];
    const struct step_time time = step_time(step, sit->round, clock_wall_ms(sit->app->clock));
    if (time.overtime_ms > 0) snprintf(out, 48, _("%s over"), app_clock(clock, time.overtime_ms));
    else snprintf(out, 48, "%s", app_clock(clock, time.left_ms));
}

static void prompt(const struct sit *sit, const struct step *step, const char *words)
{
    char clock[48];
    if (!sit->app->out.is_terminal) return;
    sit_clock(sit, step, clock);
    printf("[%s] %s> ", clock, words);
    fflush(stdout);
}

static void explain(const struct sit *sit, const struct step *step)
{
    switch (step->kind) {
    case STEP_WORDS:
        app_print(sit->app, _("  .    on a line by itself: the answer is finished\n"
                              "  :e   write it in your editor\n"));
        break;
    case STEP_CARDS:
        app_print(sit->app, _("  a question, or \"assume ...\", on a line by itself\n"
                              "  :d   you know enough\n"));
        break;
    case STEP_WORKSHEET:
        app_print(sit->app, _("  name = number unit, one on a line; again to replace it\n"
                              "  :d   the estimate is finished\n"));
        break;
    case STEP_DRILL: break;
    }
    app_print(sit->app, _("  :p   pause the clock (practice)\n"
                          "  :t   how much time is left\n"
                          "  :s   pass over this one\n"
                          "  :q   leave; everything is kept, lcx loop next goes on\n"));
}

enum sit_end sit_wait(struct sit *sit, const char *words)
{
    struct text line = {0};
    if (!sit->app->out.is_terminal || !isatty(STDIN_FILENO)) return SIT_DONE;
    app_print(sit->app, words);
    fflush(stdout);
    const enum got got = read_line(sit->app, &line, 0);
    if (got == GOT_LINE && line.size) return_line(&line);
    text_done(&line);
    return got == GOT_LINE ? SIT_DONE : SIT_LEFT;
}

static void pause_clock(struct sit *sit, struct step *step)
{
    struct error err;
    struct text line = {0};
    if (step_pause(step, sit->app->progress, sit->round, &err)) {
        app_note(sit->app, "%s", err.message);
        return;
    }
    app_print(sit->app, _("Paused. Enter goes on.\n"));
    const enum got got = read_line(sit->app, &line, 0);
    if (got == GOT_LINE && line.size) return_line(&line); /* it was meant for the prompt */
    text_done(&line);
    if (got != GOT_LINE) return; /* the clock stands until the round goes on */
    if (step_resume(step, sit->app->progress, sit->round, &err))
        app_note(sit->app, "%s", err.message);
}

/* What people type who do not know yet that it is ":?". */
static bool asks_for_help(const char *line)
{
    static const char *const words[] = {"?", "help", ":help", "/help", "ayuda", ":ayuda"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(line, words[i]) == 0) return true;
    return false;
}

/* A command that every prompt knows. True when the line was one; *end says what it leads to. */
static bool common_command(struct sit *sit, struct step *step, const char *line, enum sit_end *end)
{
    char clock[48];
    *end = SIT_DONE;
    if (asks_for_help(line)) {
        explain(sit, step);
        return true;
    }
    if (line[0] != ':' || !line[1] || line[2 + strspn(line + 2, " \t")]) return false;
    switch (line[1]) {
    case 'q': *end = SIT_LEFT; return true;
    case 's':
    case 'd': *end = SIT_SKIPPED; return true;
    case 'p': pause_clock(sit, step); return true;
    case 't':
        sit_clock(sit, step, clock);
        printf("%s\n", clock);
        return true;
    case '?':
    case 'h': explain(sit, step); return true;
    default: return false;
    }
}

/* When an exam's clock takes what is there; 0 in practice. */
static int64_t zero_of(const struct sit *sit, const struct step *step)
{
    return sit->round->exam ? step->deadline_ms : 0;
}

enum sit_end sit_line(struct sit *sit, struct step *step, const char *words, struct text *line)
{
    for (;;) {
        enum sit_end end;
        prompt(sit, step, words);
        switch (read_line(sit->app, line, zero_of(sit, step))) {
        case GOT_END:
        case GOT_STOP: return SIT_LEFT;
        case GOT_ZERO: app_print(sit->app, _("\nTime is over.\n")); return SIT_SKIPPED;
        case GOT_LINE: break;
        }
        if (!common_command(sit, step, text_string(line), &end)) return SIT_DONE;
        if (end != SIT_DONE) return end;
    }
}

/* ---- drafts ---- */

/* The question stands above the draft in the editor, and is taken off again. */
static const char fence_open[] = "<!--\n", fence_close[] = "\n-->\n";

static void read_draft(struct text *out, const char *path)
{
    struct text bytes = {0};
    struct error err;
    text_clear(out);
    if (file_read(&bytes, path, 4 * PROSE_SIZE_LIMIT, &err) == STATUS_OK) {
        for (size_t i = 0; i < bytes.size; i++)
            if (!bytes.data[i]) bytes.data[i] = ' ';
        const char *start = text_string(&bytes);
        const char *close = text_starts_with(start, fence_open) ? strstr(start, fence_close) : NULL;
        if (close) start = close + strlen(fence_close);
        start += strspn(start, "\r\n");
        add_valid(out, start, strlen(start));
    }
    text_done(&bytes);
}

static bool is_blank(const struct text *text)
{
    return text_string(text)[strspn(text_string(text), " \t\r\n")] == '\0';
}

static int count_words(const char *text)
{
    int n = 0;
    bool in_word = false;
    for (; *text; text++) {
        const bool space = strchr(" \t\r\n", *text) != NULL;
        n += !space && !in_word;
        in_word = !space;
    }
    return n;
}

static void write_draft(const struct sit *sit, const char *path, const char *bytes)
{
    struct error err;
    if (file_write(path, bytes, strlen(bytes), 0600, &err)) app_note(sit->app, "%s", err.message);
}

static void append_draft(const struct sit *sit, const char *path, const char *line)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char *whole = text_printf("%s\n", line);
    if (fd < 0 || !descriptor_write(fd, whole, strlen(whole)))
        app_note(sit->app, _("%s: the draft could not be written: %s"), path, strerror(errno));
    if (fd >= 0) close(fd);
    free(whole);
}

/* Write it in the editor. True when there is an answer now. */
static bool edit_draft(const struct sit *sit, const char *path, const char *ask, struct text *text)
{
    struct text bytes = {0};
    text_format(&bytes, "%s%s%s\n%s", fence_open, ask, fence_close, text_string(text));
    write_draft(sit, path, text_string(&bytes));
    text_done(&bytes);
    const bool edited = app_edit(sit->app, path);
    sit_forget_stop();
    if (!edited) { /* as it was */
        if (text->size) write_draft(sit, path, text_string(text));
        else (void)unlink(path);
        return false;
    }
    read_draft(text, path);
    return !is_blank(text);
}

/* ---- an answer ---- */

/* What was in the draft when an exam's clock reached zero: the file as it was saved last before. */
static bool saved_in_time(const char *path, int64_t deadline_ms)
{
    struct stat facts;
    if (stat(path, &facts) != 0) return false;
    return facts.st_mtim.tv_sec * INT64_C(1000) + facts.st_mtim.tv_nsec / 1000000 <= deadline_ms;
}

static enum sit_end finish(struct sit *sit, const struct step *step, struct sit_reply *reply)
{
    reply->submitted_ms = step_submitted_ms(step, sit->app->progress, sit->round);
    return SIT_DONE;
}

/* Whether an exam's clock reached zero in the editor: what was saved before, or else `before`, which
 * had been written before the editor was opened, is the answer then. */
static bool zero_took(const struct sit *sit, struct text *text, const char *draft,
                      const char *before, int64_t zero)
{
    if (clock_wall_ms(sit->app->clock) <= zero) return false;
    if (saved_in_time(draft, zero)) {
        app_print(sit->app, _("Time was over; what you had saved before is taken.\n"));
        return true;
    }
    text_clear(text);
    text_add(text, before);
    app_print(sit->app, is_blank(text)
                            ? _("Time was over before you saved; nothing is taken.\n")
                            : _("Time was over before you saved; what you had written before is "
                                "taken.\n"));
    return true;
}

/* In the editor, with an exam's clock running on. True when there is an answer now; *end when there
 * is none and time is over. */
static bool edit(struct sit *sit, const struct step *step, const char *draft, const char *ask,
                 struct text *text, enum sit_end *end)
{
    const int64_t zero = zero_of(sit, step);
    char *before = text_copy(text_string(text));
    bool done = edit_draft(sit, draft, ask, text);
    if (zero && zero_took(sit, text, draft, before, zero)) {
        done = true;
        if (is_blank(text)) *end = SIT_SKIPPED;
    }
    free(before);
    return done;
}

static void show_draft(const struct sit *sit, const struct text *text)
{
    char *words = text_printf(_("Your draft of %d words is kept; go on, or end it with a dot:"),
                              count_words(text_string(text)));
    struct text shown = {0};
    sit_say(sit, 0, words);
    terminal_clean(&shown, text_string(text), text->size);
    app_print(sit->app, text_string(&shown));
    text_done(&shown);
    free(words);
}

enum sit_end sit_answer(struct sit *sit, struct step *step, int place, const char *ask,
                        bool is_long, struct sit_reply *reply)
{
    struct error err;
    struct text line = {0}, *text = &reply->text;
    char *draft;
    enum sit_end end = SIT_DONE;

    *reply = (struct sit_reply){.started_ms = clock_wall_ms(sit->app->clock)};
    if (answer_draft(&draft, sit->app->progress, sit->round, step, place, &err)) {
        app_fail(sit->app, &err);
        return SIT_TROUBLE;
    }
    const int64_t zero = zero_of(sit, step);
    read_draft(text, draft);
    if (zero && reply->started_ms >= zero) { /* it ran out while nothing ran */
        if (!saved_in_time(draft, zero)) text_clear(text);
        free(draft);
        return is_blank(text) ? SIT_SKIPPED : finish(sit, step, reply);
    }
    if (!is_blank(text)) show_draft(sit, text);
    bool done = is_long && edit(sit, step, draft, ask, text, &end);

    while (!done && end == SIT_DONE) {
        prompt(sit, step, "");
        const enum got got = read_line(sit->app, &line, zero);
        if (got == GOT_ZERO || got == GOT_STOP) take_partial(&line);
        const char *words = text_string(&line);
        if (got == GOT_STOP && line.size) append_draft(sit, draft, words);
        if (got == GOT_END || got == GOT_STOP) {
            end = SIT_LEFT;
        } else if (got == GOT_LINE && (strcmp(words, ".") == 0 || strcmp(words, ":d") == 0)) {
            done = !is_blank(text);
            if (!done) app_print(sit->app, _("Nothing is written yet; :s passes over it.\n"));
        } else if (got == GOT_LINE && strcmp(words, ":e") == 0) {
            done = edit(sit, step, draft, ask, text, &end);
            if (!done && end == SIT_DONE)
                app_print(sit->app,
                          _("Nothing came from an editor; $EDITOR names yours. Go on here.\n"));
        } else if (got == GOT_ZERO || !common_command(sit, step, words, &end)) {
            if (text->size + line.size > PROSE_SIZE_LIMIT) {
                app_note(sit->app, _("an answer has at most %d bytes; this line was not taken"),
                         PROSE_SIZE_LIMIT);
            } else if (got == GOT_LINE || line.size) {
                text_add(text, words);
                text_add_char(text, '\n');
                append_draft(sit, draft, words);
            }
            if (got == GOT_ZERO) {
                app_print(sit->app, _("\nTime is over; what you had written is taken.\n"));
                done = true;
                if (is_blank(text)) end = SIT_SKIPPED;
            }
        }
    }
    text_done(&line);
    free(draft);
    return end == SIT_DONE ? finish(sit, step, reply) : end;
}
