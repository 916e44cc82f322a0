#include "base/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* ---- what is on the other side ---- */

static int number_from_environment(const char *name)
{
    const char *value = getenv(name);
    if (!value || !*value) return 0;
    char *end;
    const long number = strtol(value, &end, 10);
    return *end || number < 1 || number > 100000 ? 0 : (int)number;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

struct terminal terminal_of(int descriptor, bool plain)
{
    struct terminal terminal = {.is_terminal = isatty(descriptor) == 1, .plain = plain};
    const char *kind = getenv("TERM");
    terminal.colour = terminal.is_terminal && !plain && !is_set("NO_COLOR") && kind && *kind &&
                      strcmp(kind, "dumb") != 0;

    struct winsize size = {0};
    if (terminal.is_terminal) (void)ioctl(descriptor, TIOCGWINSZ, &size);
    const int columns = number_from_environment("COLUMNS");
    const int rows = number_from_environment("LINES");
    terminal.width = columns ? columns : size.ws_col ? size.ws_col : 80;
    terminal.rows = rows ? rows : size.ws_row ? size.ws_row : 24;
    if (terminal.width > TERMINAL_TEXT_LIMIT) terminal.width = TERMINAL_TEXT_LIMIT;
    if (terminal.width < TERMINAL_TEXT_LEAST) terminal.width = TERMINAL_TEXT_LEAST;
    return terminal;
}

static const char *const sequence_on[] = {
    [STYLE_NONE] = "",         [STYLE_STRONG] = "\033[1m",    [STYLE_DIM] = "\033[2m",
    [STYLE_GOOD] = "\033[32m", [STYLE_BAD] = "\033[31m",      [STYLE_WARN] = "\033[33m",
    [STYLE_CODE] = "\033[36m", [STYLE_HEADING] = "\033[1;4m",
};
static const char sequence_off[] = "\033[0m";

const char *terminal_on(const struct terminal *terminal, enum style style)
{
    return terminal->colour ? sequence_on[style] : "";
}

const char *terminal_off(const struct terminal *terminal, enum style style)
{
    return terminal->colour && style != STYLE_NONE ? sequence_off : "";
}

/* ---- widths ---- */

/* Length of the colour sequence (ESC [ ... m) at `p`, or 0. */
static size_t colour_sequence(const char *p, size_t left)
{
    if (left < 3 || p[0] != '\033' || p[1] != '[') return 0;
    size_t n = 2;
    while (n < left && ((p[n] >= '0' && p[n] <= '9') || p[n] == ';')) n++;
    return n < left && p[n] == 'm' ? n + 1 : 0;
}

/* One character: its code point, or -1 for a byte that is not UTF-8; returns its bytes. */
static size_t decode(const char *p, size_t left, int32_t *code)
{
    const unsigned char first = (unsigned char)p[0];
    const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (size > left || text_utf8_valid(p, size) != size) {
        *code = -1;
        return 1;
    }
    *code = size == 1 ? first : first & (0x7F >> size);
    for (size_t i = 1; i < size; i++) *code = *code << 6 | (p[i] & 0x3F);
    return size;
}

static int columns_of(int32_t code)
{
    if (code < 0) return 1;
    if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return 0;
    if (code < 0x7F) return 1;
    const int columns = wcwidth((wchar_t)code);
    return columns < 0 ? 1 : columns; /* a locale that does not know the letter */
}

int terminal_columns(const char *bytes, size_t size)
{
    int columns = 0;
    for (size_t at = 0; at < size;) {
        const size_t skip = colour_sequence(bytes + at, size - at);
        if (skip) {
            at += skip;
            continue;
        }
        int32_t code;
        at += decode(bytes + at, size - at, &code);
        columns += columns_of(code);
    }
    return columns;
}

void terminal_pad(struct text *out, const char *string, int columns)
{
    text_add(out, string);
    for (int i = terminal_columns(string, strlen(string)); i < columns; i++)
        text_add_char(out, ' ');
}

void terminal_paint(struct text *out, const struct terminal *terminal, enum style style,
                    const char *string)
{
    while (*string) {
        const size_t space = strspn(string, " \n");
        text_add_bytes(out, string, space);
        string += space;
        const size_t word = strcspn(string, " \n");
        if (!word) continue;
        text_add(out, terminal_on(terminal, style));
        text_add_bytes(out, string, word);
        text_add(out, terminal_off(terminal, style));
        string += word;
    }
}

/* ---- lines ---- */

/* Append a word in pieces of at most `room` columns, each but the last ended by a
 * line break; colours stop before the break and go on after it. Returns the columns of the last. */
static int cut_word(struct text *out, const char *word, size_t size, int room, const char *rest)
{
    const char *colour = NULL;
    size_t colour_size = 0;
    int used = 0;

    for (size_t at = 0; at < size;) {
        const size_t skip = colour_sequence(word + at, size - at);
        if (skip) {
            const bool off = skip == strlen(sequence_off) && !memcmp(word + at, sequence_off, skip);
            colour = off ? NULL : word + at;
            colour_size = off ? 0 : skip;
            text_add_bytes(out, word + at, skip);
            at += skip;
            continue;
        }
        int32_t code;
        const size_t bytes = decode(word + at, size - at, &code);
        const int columns = columns_of(code);
        if (used && used + columns > room) {
            if (colour) text_add(out, sequence_off);
            text_add_char(out, '\n');
            text_add(out, rest);
            text_add_bytes(out, colour ? colour : "", colour_size);
            used = 0;
        }
        text_add_bytes(out, word + at, bytes);
        used += columns;
        at += bytes;
    }
    return used;
}

/* One paragraph (no '\n' inside). */
static void wrap_line(struct text *out, const char *string, size_t size, int width,
                      const char *first, const char *rest, bool cut)
{
    const int rest_room = width - terminal_columns(rest, strlen(rest));
    int room = width - terminal_columns(first, strlen(first));
    int used = 0;

    text_add(out, first);
    for (size_t at = 0; at < size;) {
        if (string[at] == ' ') {
            at++;
            continue;
        }
        const char *end = memchr(string + at, ' ', size - at);
        const size_t word = end ? (size_t)(end - string) - at : size - at;
        const int columns = terminal_columns(string + at, word);

        if (used && used + 1 + columns > room) {
            text_add_char(out, '\n');
            text_add(out, rest);
            room = rest_room;
            used = 0;
        } else if (used) {
            text_add_char(out, ' ');
            used++;
        }
        if (cut && columns > room) {
            used = cut_word(out, string + at, word, room > 1 ? room : 1, rest);
            room = rest_room;
        } else {
            text_add_bytes(out, string + at, word);
            used += columns;
        }
        at += word;
    }
    text_add_char(out, '\n');
}

void terminal_wrap(struct text *out, const char *string, int width, const char *first,
                   const char *rest, bool cut)
{
    for (;;) {
        const size_t line = strcspn(string, "\n");
        wrap_line(out, string, line, width, first, rest, cut);
        if (!string[line] || !string[line + 1]) return;
        string += line + 1;
        first = rest;
    }
}

/* ---- what others wrote ---- */

static bool moves_the_line(int32_t code)
{
    if (code == '\n' || code == '\t') return false;
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x200E || code == 0x200F;
}

void terminal_clean(struct text *out, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        int32_t code;
        const size_t n = decode(bytes + at, size - at, &code);
        if (code < 0) text_add(out, "\xEF\xBF\xBD");
        else if (!moves_the_line(code)) text_add_bytes(out, bytes + at, n);
        at += n;
    }
}
