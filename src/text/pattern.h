/* pattern.h -- cut text by any regular expressions, one after the other, through PCRE2.
 *
 *   "ab  12"   \p{L}+   ->   |ab|  12|         what does not match is a piece too
 *              \p{N}    ->   |ab|  |1|2|       the next one cuts the pieces of the one before
 *
 * For splits that have no scanner in split.h. \s is Unicode's White_Space, as in the libraries that
 * these patterns were written for; PCRE2's own also takes U+180E.
 *
 * Promises: what is not UTF-8 is a piece by itself; no piece is empty; a pattern that does not come to an
 * end within PATTERN_WORK_LIMIT is refused, so a file cannot stop us with one.
 * Tests: tests/text/pattern_test.c
 */
#ifndef TEXT_PATTERN_H
#define TEXT_PATTERN_H

#include <stddef.h>

#include "base/error.h"

enum { PATTERNS_LIMIT = 8, PATTERN_SIZE_LIMIT = 1 << 14, PATTERN_WORK_LIMIT = 10000000 };

struct patterns {
    int n;
    char *texts[PATTERNS_LIMIT]; /* as they were given */
    void *codes[PATTERNS_LIMIT]; /* pcre2_code */
};

/* STATUS_FORMAT: it is no regular expression; STATUS_LIMIT: too many, too long. */
MUST_CHECK enum status patterns_add(struct patterns *patterns, const char *text, struct error *err);
void patterns_done(struct patterns *patterns);

/* The ends of pieces; zeroed before the first use, one for each thread. */
struct pattern_cuts {
    size_t *ends;
    size_t n, capacity;
    size_t *other;
    size_t n_other, other_capacity;
    void *match; /* pcre2_match_data */
    void *context;
    void *stack;
};

/* Fill cuts->ends with where the pieces of the text end. STATUS_LIMIT. */
MUST_CHECK enum status patterns_cut(const struct patterns *patterns, struct pattern_cuts *cuts,
                                    const unsigned char *bytes, size_t size, struct error *err);
void pattern_cuts_done(struct pattern_cuts *cuts);

#endif
