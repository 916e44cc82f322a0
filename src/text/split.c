#include "text/split.h"

#include <string.h>

#include "base/error.h"
#include "text/unicode.h"

enum {
    L = UNICODE_LETTER,
    N = UNICODE_NUMBER,
    S = UNICODE_SPACE,
    BEGINS = UNICODE_BEGINS,
    ENDS = UNICODE_ENDS
};

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define BEGIN_SET "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define END_SET "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"

static const struct {
    const char *name, *pattern;
} splits[SPLIT_COUNT] = {
    [SPLIT_NONE] = {"none", ""},
    [SPLIT_GPT2] = {"gpt2", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
                            "|\\s+(?!\\S)|\\s+"},
    [SPLIT_CL100K] = {"cl100k", "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+"
                                "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]"
                                "|\\s+(?!\\S)|\\s"},
    [SPLIT_O200K] = {"o200k", "[^\\r\\n\\p{L}\\p{N}]?" BEGIN_SET "*" END_SET "+" CONTRACTIONS
                              "?|[^\\r\\n\\p{L}\\p{N}]?" BEGIN_SET "+" END_SET "*" CONTRACTIONS
                              "?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+"
                              "|\\s+(?!\\S)|\\s+"},
    [SPLIT_LLAMA3] = {"llama3", CONTRACTIONS
                      "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                      "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
    [SPLIT_QWEN2] = {"qwen2", CONTRACTIONS
                     "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                     "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
};

const char *split_name(enum split split) { return splits[split].name; }
const char *split_pattern(enum split split) { return splits[split].pattern; }

enum split split_named(const char *name)
{
    int split = 0;
    while (split < SPLIT_COUNT && strcmp(name, splits[split].name) != 0) split++;
    return (enum split)split;
}

/* ---- characters ---- */

/* A character beyond ASCII; out of the way of those that are in it. */
static __attribute__((noinline)) unsigned class_beyond(const unsigned char *bytes, size_t size,
                                                       size_t at, size_t *next)
{
    int32_t code;
    *next = at + unicode_read(&code, bytes + at, size - at);
    return unicode_class(code);
}

/* The classes of the character at `at` < size, and in *next where the one after it begins. */
static inline __attribute__((always_inline)) unsigned class_at(const unsigned char *bytes,
                                                               size_t size, size_t at, size_t *next)
{
    if (bytes[at] >= 0x80) return class_beyond(bytes, size, at, next);
    *next = at + 1;
    return unicode.classes[0][bytes[at]];
}

/* Past all characters with one of these classes. */
static inline size_t skip(const unsigned char *bytes, size_t size, size_t at, unsigned classes)
{
    size_t next;
    while (at < size && (class_at(bytes, size, at, &next) & classes)) at = next;
    return at;
}

/* Past all characters with none of them. */
static inline size_t skip_not(const unsigned char *bytes, size_t size, size_t at, unsigned classes)
{
    size_t next;
    while (at < size && !(class_at(bytes, size, at, &next) & classes)) at = next;
    return at;
}

/* How many ASCII letters these 8 bytes begin with, and 8 when they are nothing else: a byte's high bit
 * says whether it is one. The first byte is the lowest. */
static inline size_t letters_of(uint64_t bytes)
{
    static const uint64_t each = 0x0101010101010101;
    const uint64_t small = (bytes | 0x20 * each) & 0x7F * each;
    const uint64_t from_a = small + (0x80 - 'a') * each, past_z = small + (0x80 - 'z' - 1) * each;
    const uint64_t others = ~(from_a & ~past_z & ~bytes) & 0x80 * each;
    return others ? (size_t)__builtin_ctzll(others) / 8 : 8;
}

/* skip(L), eight at a time: most pieces of most texts end in the first eight. */
static inline size_t skip_letters(const unsigned char *bytes, size_t size, size_t at)
{
    while (size - at >= 8) {
        uint64_t eight;
        memcpy(&eight, bytes + at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        eight = __builtin_bswap64(eight);
#endif
        const size_t n = letters_of(eight);
        at += n;
        if (n == 8) continue;
        if (bytes[at] < 0x80) return at;
        size_t next;
        if (!(class_beyond(bytes, size, at, &next) & L)) return at;
        at = next;
    }
    return skip(bytes, size, at, L);
}

static inline size_t skip_ends_of_line(const unsigned char *bytes, size_t size, size_t at)
{
    while (at < size && (bytes[at] == '\n' || bytes[at] == '\r')) at++;
    return at;
}

/* ---- shared parts of the patterns ---- */

/* Past 's 't 're 've 'm 'll 'd at `at`; `at` when it is none. Small letters only. */
static size_t contraction(const unsigned char *bytes, size_t size, size_t at)
{
    if (size - at < 2) return at;
    const unsigned char a = bytes[at + 1], b = size - at > 2 ? bytes[at + 2] : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return at + 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return at + 3;
    return at;
}

/* The same in any case; the long s (U+017F) is an s there, in Unicode's folding. */
static size_t contraction_any_case(const unsigned char *bytes, size_t size, size_t at)
{
    if (at >= size || bytes[at] != '\'' || size - at < 2) return at;
    const unsigned char folded[3] = {'\'', bytes[at + 1] | 0x20,
                                     size - at > 2 ? bytes[at + 2] | 0x20 : 0};
    if (bytes[at + 1] == 0xC5) return size - at > 2 && bytes[at + 2] == 0xBF ? at + 3 : at;
    return at + contraction(folded, sizeof folded, 0);
}

/* \s+(?!\S)|\s+ for the white space [at, end): all of it at the end of the text, else all but the
 * last character, which goes with what follows; a single one is a piece. */
static size_t spaces_before(const unsigned char *bytes, size_t size, size_t at, size_t end)
{
    if (end == size) return end;
    size_t last = end - 1;
    while (last > at && (bytes[last] & 0xC0) == 0x80) last--;
    return last > at ? last : end;
}

/* Past the last end of line within [at, end); `at` when there is none. */
static size_t last_end_of_line(const unsigned char *bytes, size_t at, size_t end)
{
    while (end > at && bytes[end - 1] != '\n' && bytes[end - 1] != '\r') end--;
    return end;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t spaces_by_lines(const unsigned char *bytes, size_t size, size_t at)
{
    const size_t end = skip(bytes, size, at, S), line = last_end_of_line(bytes, at, end);
    return line > at ? line : spaces_before(bytes, size, at, end);
}

/* \p{N}{1,most} */
static size_t digits(const unsigned char *bytes, size_t size, size_t at, int most)
{
    size_t next;
    while (most-- > 0 && at < size && (class_at(bytes, size, at, &next) & N)) at = next;
    return at;
}

/* ---- the scanners ---- */

static size_t next_none(const unsigned char *bytes, size_t size, size_t at)
{
    (void)bytes;
    (void)at;
    return size;
}

static size_t next_gpt2(const unsigned char *bytes, size_t size, size_t at)
{
    size_t next;
    if (bytes[at] == '\'') {
        const size_t end = contraction(bytes, size, at);
        if (end > at) return end;
    }
    const size_t word = bytes[at] == ' ' && at + 1 < size ? at + 1 : at;
    const unsigned class = class_at(bytes, size, word, &next);
    if (class & L) return skip_letters(bytes, size, next);
    if (class & N) return skip(bytes, size, next, N);
    if (!(class & S)) return skip_not(bytes, size, next, L | N | S);
    return spaces_before(bytes, size, at, skip(bytes, size, at, S));
}

/* cl100k, llama3 and qwen2 differ in how many digits are a piece and in white space at the end. */
static inline size_t next_words(const unsigned char *bytes, size_t size, size_t at, int n_digits,
                                bool end_is_one)
{
    size_t next, after;
    if (bytes[at] == '\'') {
        const size_t end = contraction_any_case(bytes, size, at);
        if (end > at) return end;
    }
    const unsigned class = class_at(bytes, size, at, &next);
    if (class & L) return skip_letters(bytes, size, next);
    if (class & N) return digits(bytes, size, at, n_digits);
    if (bytes[at] != '\r' && bytes[at] != '\n' && next < size &&
        (class_at(bytes, size, next, &after) & L))
        return skip_letters(bytes, size, after);

    const size_t mark = bytes[at] == ' ' && next < size ? next : at;
    if (!(class_at(bytes, size, mark, &after) & (L | N | S)))
        return skip_ends_of_line(bytes, size, skip_not(bytes, size, after, L | N | S));
    if (end_is_one) {
        const size_t end = skip(bytes, size, at, S);
        if (end == size) return end;
    }
    return spaces_by_lines(bytes, size, at);
}

static size_t next_cl100k(const unsigned char *bytes, size_t size, size_t at)
{
    return next_words(bytes, size, at, 3, true);
}

static size_t next_llama3(const unsigned char *bytes, size_t size, size_t at)
{
    return next_words(bytes, size, at, 3, false);
}

static size_t next_qwen2(const unsigned char *bytes, size_t size, size_t at)
{
    return next_words(bytes, size, at, 1, false);
}

/* BEGINS* ENDS+ from `at`, with what the pattern gives back when it went too far: some letters
 * are in both sets. `at` when it does not match. */
static size_t word_that_ends(const unsigned char *bytes, size_t size, size_t at)
{
    size_t begun = at, given_back = at, next;
    while (begun < size) {
        const unsigned class = class_at(bytes, size, begun, &next);
        if (!(class & BEGINS)) break;
        begun = next;
        if (class & ENDS) given_back = next;
    }
    const size_t end = skip(bytes, size, begun, ENDS);
    return end > begun ? end : given_back;
}

static size_t next_o200k(const unsigned char *bytes, size_t size, size_t at)
{
    size_t next, after;
    const unsigned class = class_at(bytes, size, at, &next);
    const bool prefixes = !(class & (L | N)) && bytes[at] != '\r' && bytes[at] != '\n';

    for (int first = prefixes ? 0 : 1; first < 2;
         first++) { /* with the character before, without */
        const size_t word = first ? at : next, end = word_that_ends(bytes, size, word);
        if (end > word) return contraction_any_case(bytes, size, end);
    }
    for (int first = prefixes ? 0 : 1; first < 2; first++) { /* BEGINS+; ENDS would have matched */
        const size_t word = first ? at : next, end = skip(bytes, size, word, BEGINS);
        if (end > word) return contraction_any_case(bytes, size, end);
    }
    if (class & N) return digits(bytes, size, at, 3);

    const size_t mark = bytes[at] == ' ' && next < size ? next : at;
    if (!(class_at(bytes, size, mark, &after) & (L | N | S))) {
        size_t end = skip_not(bytes, size, after, L | N | S);
        while (end < size && (bytes[end] == '\n' || bytes[end] == '\r' || bytes[end] == '/')) end++;
        return end;
    }
    return spaces_by_lines(bytes, size, at);
}

split_next *split_scanner(enum split split)
{
    static split_next *const scanners[SPLIT_COUNT] = {
        [SPLIT_NONE] = next_none,   [SPLIT_GPT2] = next_gpt2,     [SPLIT_CL100K] = next_cl100k,
        [SPLIT_O200K] = next_o200k, [SPLIT_LLAMA3] = next_llama3, [SPLIT_QWEN2] = next_qwen2,
    };
    CHECK((int)split < SPLIT_COUNT);
    unicode_init();
    return scanners[split];
}

size_t split_safe(const unsigned char *bytes, size_t size)
{
    for (size_t at = size; at-- > 1;) {
        const unsigned char c = bytes[at] | 0x20;
        if (c >= 'a' && c <= 'z' && bytes[at - 1] == '\n') return at;
    }
    return 0;
}
