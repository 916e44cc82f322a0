#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { STACK_LEAST = 32 << 10, STACK_MOST = 16 << 20 };

/* Write \s and \S as the characters they stand for; a \S inside a set stays PCRE2's. */
static void write_plainly(struct text *plain, const char *pattern)
{
    static const char spaces[] = "\\x09-\\x0D\\x20\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}"
                                 "\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}";
    bool in_set = false;
    for (const char *p = pattern; *p; p++) {
        if (*p == '\\' && p[1]) {
            if (p[1] == 's' && in_set) text_add(plain, spaces);
            else if ((p[1] == 's' || p[1] == 'S') && !in_set)
                text_format(plain, "[%s%s]", p[1] == 'S' ? "^" : "", spaces);
            else text_format(plain, "\\%c", p[1]);
            p++;
            continue;
        }
        if (*p == '[' && !in_set) {
            in_set = true;
            text_add_char(plain, *p);
            if (p[1] == '^') text_add_char(plain, *++p);
            if (p[1] == ']') text_add_char(plain, *++p); /* the first one is a member */
            continue;
        }
        if (*p == ']') in_set = false;
        text_add_char(plain, *p);
    }
}

enum status patterns_add(struct patterns *patterns, const char *text, struct error *err)
{
    struct text plain = {0};
    int code;
    PCRE2_SIZE place;
    if (patterns->n == PATTERNS_LIMIT)
        return error_set(err, STATUS_LIMIT, "more than %d patterns one after the other",
                         PATTERNS_LIMIT);
    if (strlen(text) > PATTERN_SIZE_LIMIT)
        return error_set(err, STATUS_LIMIT, "a pattern of %zu bytes: at most %d", strlen(text),
                         PATTERN_SIZE_LIMIT);
    write_plainly(&plain, text);
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text_string(&plain), plain.size,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &code,
                      &place, NULL);
    text_done(&plain);
    if (!compiled) {
        PCRE2_UCHAR words[128];
        pcre2_get_error_message(code, words, sizeof words);
        return error_set(err, STATUS_FORMAT, "pattern \"%.200s\": %s", text, (const char *)words);
    }
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without it, it is only slower */
    patterns->codes[patterns->n] = compiled;
    patterns->texts[patterns->n++] = text_copy(text);
    return STATUS_OK;
}

void patterns_done(struct patterns *patterns)
{
    for (int i = 0; i < patterns->n; i++) {
        pcre2_code_free(patterns->codes[i]);
        free(patterns->texts[i]);
    }
    *patterns = (struct patterns){0};
}

/* ---- cutting ---- */

static void add_end(struct pattern_cuts *cuts, size_t end)
{
    if (cuts->n == cuts->capacity) {
        cuts->capacity = cuts->capacity ? 2 * cuts->capacity : 256;
        cuts->ends = memory_grow(cuts->ends, cuts->capacity, sizeof *cuts->ends);
    }
    cuts->ends[cuts->n++] = end;
}

/* The ends so far become those that are cut further. */
static void set_aside(struct pattern_cuts *cuts)
{
    size_t *ends = cuts->other;
    const size_t capacity = cuts->other_capacity;
    cuts->other = cuts->ends;
    cuts->other_capacity = cuts->capacity;
    cuts->n_other = cuts->n;
    cuts->ends = ends;
    cuts->capacity = capacity;
    cuts->n = 0;
}

/* Stretches of UTF-8, and what is none. */
static void cut_valid(struct pattern_cuts *cuts, const unsigned char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        const size_t good = text_utf8_valid(bytes + at, size - at);
        if (good) add_end(cuts, at + good);
        at += good;
        const size_t bad = at;
        while (at < size && text_utf8_valid(bytes + at, size - at < 4 ? size - at : 4) == 0) at++;
        if (at > bad) add_end(cuts, at);
    }
}

/* The pieces of one piece, which is UTF-8. */
static enum status cut_piece(struct pattern_cuts *cuts, const pcre2_code *code,
                             const unsigned char *bytes, size_t begin, size_t end,
                             struct error *err)
{
    for (size_t at = begin; at < end;) {
        const int n = pcre2_match(code, bytes + begin, end - begin, at - begin,
                                  PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, cuts->match, cuts->context);
        if (n == PCRE2_ERROR_NOMATCH) {
            add_end(cuts, end);
            break;
        }
        if (n < 0)
            return error_set(
                err, STATUS_LIMIT,
                "byte %zu: the pattern that cuts the text takes too much work or memory "
                "(PCRE2 error %d)",
                at, n);
        const PCRE2_SIZE *found = pcre2_get_ovector_pointer(cuts->match);
        if (begin + found[0] > at) add_end(cuts, begin + found[0]); /* what was passed over */
        at = begin + found[1];
        add_end(cuts, at);
    }
    return STATUS_OK;
}

static void prepare(struct pattern_cuts *cuts)
{
    if (cuts->match) return;
    cuts->match = pcre2_match_data_create(1, NULL);
    cuts->context = pcre2_match_context_create(NULL);
    cuts->stack = pcre2_jit_stack_create(STACK_LEAST, STACK_MOST, NULL);
    CHECK(cuts->match && cuts->context);
    pcre2_set_match_limit(cuts->context, PATTERN_WORK_LIMIT);
    if (cuts->stack) pcre2_jit_stack_assign(cuts->context, NULL, cuts->stack);
}

enum status patterns_cut(const struct patterns *patterns, struct pattern_cuts *cuts,
                         const unsigned char *bytes, size_t size, struct error *err)
{
    prepare(cuts);
    cuts->n = 0;
    cut_valid(cuts, bytes, size);
    for (int i = 0; i < patterns->n; i++) {
        set_aside(cuts);
        for (size_t k = 0, begin = 0; k < cuts->n_other; begin = cuts->other[k++]) {
            enum status status = STATUS_OK;
            if (text_utf8_valid(bytes + begin, cuts->other[k] - begin) == cuts->other[k] - begin)
                status = cut_piece(cuts, patterns->codes[i], bytes, begin, cuts->other[k], err);
            else add_end(cuts, cuts->other[k]);
            if (status) return status;
        }
    }
    return STATUS_OK;
}

void pattern_cuts_done(struct pattern_cuts *cuts)
{
    free(cuts->ends);
    free(cuts->other);
    pcre2_match_data_free(cuts->match);
    pcre2_match_context_free(cuts->context);
    pcre2_jit_stack_free(cuts->stack);
    *cuts = (struct pattern_cuts){0};
}
