/* terminal.h -- text for a screen: how wide, which colours, where lines break.
 *
 *   struct terminal   what the other side can show; asked once for a descriptor
 *   columns           display width of UTF-8: a wide letter is 2, an accent on top is 0
 *   paint, wrap, pad  styled text that still breaks and aligns correctly
 *
 * Promises: colours only on a terminal, and not with NO_COLOR, --plain or
 * TERM=dumb. Style never carries a meaning alone: what is good or bad also says
 * so in words. Without colours the same text comes out, byte for byte readable.
 *
 * Does not know: what is printed, or when. Prints nothing itself.
 * Source: https://no-color.org; ECMA-48 (SGR). Tests: tests/base/terminal_test.c
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum {
    TERMINAL_TEXT_LIMIT = 100, /* longer lines are tiring to read */
    TERMINAL_TEXT_LEAST = 20,
};

enum style {
    STYLE_NONE,
    STYLE_STRONG,
    STYLE_DIM,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_WARN,
    STYLE_CODE,
    STYLE_HEADING,
};

struct terminal {
    bool is_terminal;
    bool colour;
    bool plain; /* for screen readers and scripts: no drawing, no moving */
    int width;  /* columns of running text: TEXT_LEAST..TEXT_LIMIT */
    int rows;
};

/* What is behind the descriptor. COLUMNS and LINES go before what the terminal
 * says; 80 x 24 when nobody knows. */
struct terminal terminal_of(int descriptor, bool plain);

/* The sequences that begin and end a style; "" without colours. */
const char *terminal_on(const struct terminal *terminal, enum style style);
const char *terminal_off(const struct terminal *terminal, enum style style);

/* Columns that these bytes take on one line. Colour sequences and control
 * characters take none; a byte that is not UTF-8 takes one. */
int terminal_columns(const char *bytes, size_t size);

/* Append the string in a style. Each word is painted by itself, so the result
 * can be wrapped and stand beside other columns. */
void terminal_paint(struct text *out, const struct terminal *terminal, enum style style,
                    const char *string);

/* Append the string and spaces up to `columns`. A longer one is not cut. */
void terminal_pad(struct text *out, const char *string, int columns);

/* Append lines of at most `width` columns, each ended by '\n', broken at spaces
 * and at every '\n' of the string. The first begins with `first`, the others with
 * `rest`. A longer word has a line for itself, or is cut when `cut` is set. */
void terminal_wrap(struct text *out, const char *string, int width, const char *first,
                   const char *rest, bool cut);

/* Append text that somebody else wrote without what could move the cursor or
 * reorder the line: control characters other than '\n' and '\t', and Unicode's
 * direction overrides, are dropped; bytes that are not UTF-8 become U+FFFD. */
void terminal_clean(struct text *out, const char *bytes, size_t size);

#endif
