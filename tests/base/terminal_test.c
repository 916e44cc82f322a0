#include "base/terminal.h"

#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct terminal with_colour = {.colour = true, .width = 80};
static const struct terminal without = {.width = 80};

static int columns(const char *string) { return terminal_columns(string, strlen(string)); }

static void columns_are_what_the_eye_sees(void **state)
{
    (void)state;
    assert_int_equal(columns("shape"), 5);
    assert_int_equal(columns("Atención"), 8);
    assert_int_equal(columns("e\xCC\x81"), 1);                /* e, then an accent on top */
    assert_int_equal(columns("\xE6\xB3\xA8\xE6\x84\x8F"), 4); /* two wide letters */
    assert_int_equal(columns("\033[1;4mx\033[0m"), 1);        /* colours take no room */
    assert_int_equal(columns("a\xFF"
                             "b"),
                     3); /* a broken byte is shown as one */
    assert_int_equal(columns("\t\a"), 0);
}

static void lines_break_at_spaces_within_the_width(void **state)
{
    (void)state;
    struct text out = {0};
    terminal_wrap(&out, "the softmax runs along the last axis", 14, "- ", "  ", false);
    assert_string_equal(text_string(&out), "- the softmax\n  runs along\n  the last\n  axis\n");

    text_clear(&out);
    terminal_wrap(&out, "una canción\ncon ñandúes", 11, "", "> ", false);
    assert_string_equal(text_string(&out), "una canción\n> con\n> ñandúes\n");

    text_clear(&out);
    terminal_wrap(&out, "see https://example.org/a/long/address now", 12, "", "", false);
    assert_string_equal(text_string(&out), "see\nhttps://example.org/a/long/address\nnow\n");

    text_clear(&out);
    terminal_wrap(&out, "", 12, "", "", false);
    assert_string_equal(text_string(&out), "\n");
    text_done(&out);
}

static void a_cut_word_keeps_its_colour_on_every_line(void **state)
{
    (void)state;
    struct text out = {0};
    terminal_wrap(&out, "\033[1mabcdefgh\033[0m ij", 3, "", "", true);
    assert_string_equal(text_string(&out),
                        "\033[1mabc\033[0m\n\033[1mdef\033[0m\n\033[1mgh\033[0m\nij\n");
    text_clear(&out);
    terminal_wrap(&out, "abcdefgh", 1, "  ", "  ", true); /* no room at all: still ends */
    assert_string_equal(text_string(&out), "  a\n  b\n  c\n  d\n  e\n  f\n  g\n  h\n");
    text_done(&out);
}

static void words_are_painted_one_by_one(void **state)
{
    (void)state;
    struct text out = {0};
    terminal_paint(&out, &with_colour, STYLE_BAD, "no scale");
    assert_string_equal(text_string(&out), "\033[31mno\033[0m \033[31mscale\033[0m");
    text_clear(&out);
    terminal_paint(&out, &without, STYLE_BAD, "no scale");
    assert_string_equal(text_string(&out), "no scale");
    text_clear(&out);
    terminal_paint(&out, &with_colour, STYLE_NONE, "as is");
    assert_string_equal(text_string(&out), "as is");
    text_clear(&out);
    terminal_pad(&out, "año", 5);
    text_add(&out, "|");
    assert_string_equal(text_string(&out), "año  |");
    text_done(&out);
}

static void foreign_text_cannot_move_the_cursor(void **state)
{
    (void)state;
    static const char hostile[] = "a\033[2Jb\r\n\tc\xE2\x80\xAE"
                                  "d\xC2\x9B"
                                  "e\xFF";
    struct text out = {0};
    terminal_clean(&out, hostile, sizeof hostile - 1);
    assert_string_equal(text_string(&out), "a[2Jb\n\tcde\xEF\xBF\xBD");
    text_done(&out);
}

static void a_pipe_has_no_colours_and_a_sane_width(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    unsetenv("COLUMNS");
    struct terminal terminal = terminal_of(ends[1], false);
    assert_false(terminal.is_terminal);
    assert_false(terminal.colour);
    assert_int_equal(terminal.width, 80);

    static const struct {
        const char *columns;
        int width;
    } widths[] = {
        {"64", 64}, {"300", 100}, {"3", 20}, {"wide", 80}, {"-5", 80}, {"", 80},
    };
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        setenv("COLUMNS", widths[i].columns, 1);
        assert_int_equal(terminal_of(ends[1], false).width, widths[i].width);
    }
    close(ends[0]);
    close(ends[1]);
}

static void colours_need_a_terminal_that_wants_them(void **state)
{
    (void)state;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) skip();
    const int screen = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(screen >= 0);

    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    assert_true(terminal_of(screen, false).colour);
    assert_false(terminal_of(screen, true).colour);
    setenv("NO_COLOR", "1", 1);
    assert_false(terminal_of(screen, false).colour);
    setenv("NO_COLOR", "", 1); /* the convention: empty means unset */
    assert_true(terminal_of(screen, false).colour);
    setenv("TERM", "dumb", 1);
    assert_false(terminal_of(screen, false).colour);
    close(screen);
    close(master);
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_what_the_eye_sees),
        cmocka_unit_test(lines_break_at_spaces_within_the_width),
        cmocka_unit_test(a_cut_word_keeps_its_colour_on_every_line),
        cmocka_unit_test(words_are_painted_one_by_one),
        cmocka_unit_test(foreign_text_cannot_move_the_cursor),
        cmocka_unit_test(a_pipe_has_no_colours_and_a_sane_width),
        cmocka_unit_test(colours_need_a_terminal_that_wants_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
