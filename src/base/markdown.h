/* markdown.h -- an authored page, laid out for a terminal.
 *
 *   bytes --cmark-gfm--> tree --> lines of at most terminal->width columns
 *
 *   headings    bold and underlined; without colours ruled with = and -
 *   code        blocks: indented by 4, dim, never broken; spans: coloured or in `quotes`
 *   tables      aligned, cells wrapped when the table is wider than the screen
 *   links       the text, and the address in parentheses unless it is a local file
 *
 * Promises: CommonMark with tables. HTML in the source is dropped, and so are
 * control characters: a page cannot move the cursor. At most 1 MiB is read, and
 * what is nested more than 32 levels deep is shown as "...".
 *
 * Does not know: what the text is about, or its language.
 * Tests: tests/base/markdown_test.c, tests/data/markdown/, tests/fuzz/fuzz_markdown.c
 */
#ifndef BASE_MARKDOWN_H
#define BASE_MARKDOWN_H

#include "base/error.h"
#include "base/terminal.h"
#include "base/text.h"

enum { MARKDOWN_SIZE_LIMIT = 1 << 20, MARKDOWN_DEPTH_LIMIT = 32 };

/* Append the page to `out`, every line ended by '\n'. Only STATUS_LIMIT can go wrong. */
MUST_CHECK enum status markdown_render(struct text *out, const char *source, size_t size,
                                       const struct terminal *terminal, struct error *err);

#endif
