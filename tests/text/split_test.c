#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/split.h"

#include <pcre2.h>

#include "text_world.h"

/* ---- the pattern itself, through PCRE2, as an oracle ---- */

struct oracle {
    pcre2_code *code;
    pcre2_match_data *match;
};

/* In PCRE2 \s also takes U+180E, which has not been white space since Unicode 6.3. */
static void oracle_init(struct oracle *oracle, const char *pattern)
{
    struct text plain = {0};
    const char spaces[] = "\\x09-\\x0D\\x20\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}"
                          "\\x{2029}\\x{202F}\\x{205F}\\x{3000}";
    bool in_set = false;
    for (const char *p = pattern; *p; p++) {
        if (p[0] == '\\' && (p[1] == 's' || p[1] == 'S')) {
            if (in_set) text_add(&plain, spaces);
            else text_format(&plain, "[%s%s]", p[1] == 'S' ? "^" : "", spaces);
            p++;
            continue;
        }
        if (p[0] == '\\') text_add_char(&plain, *p++);
        else if (*p == '[') in_set = true;
        else if (*p == ']') in_set = false;
        text_add_char(&plain, *p);
    }
    int error;
    PCRE2_SIZE place;
    oracle->code =
        pcre2_compile((PCRE2_SPTR)text_string(&plain), plain.size,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY, &error, &place, NULL);
    if (!oracle->code) fail_msg("%s: error %d at %zu", plain.data, error, place);
    oracle->match = pcre2_match_data_create(1, NULL);
    text_done(&plain);
}

static size_t oracle_next(struct oracle *oracle, const struct text *text, size_t at)
{
    const int n = pcre2_match(oracle->code, (PCRE2_SPTR)text->data, text->size, at,
                              PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, oracle->match, NULL);
    if (n < 0) fail_msg("no match at %zu: %d", at, n);
    return pcre2_get_ovector_pointer(oracle->match)[1];
}

static void oracle_done(struct oracle *oracle)
{
    pcre2_match_data_free(oracle->match);
    pcre2_code_free(oracle->code);
}

/* The library may know another release of Unicode: characters of which it thinks otherwise are not
 * used. */
static bool *characters_agreed_upon(void)
{
    static const struct {
        const char *pattern;
        unsigned class;
    } classes[] = {{"\\p{L}", UNICODE_LETTER},
                   {"\\p{N}", UNICODE_NUMBER},
                   {"\\p{M}", UNICODE_MARK},
                   {"\\p{Lu}|\\p{Lt}|\\p{Lm}|\\p{Lo}|\\p{M}", UNICODE_BEGINS},
                   {"\\p{Ll}|\\p{Lm}|\\p{Lo}|\\p{M}", UNICODE_ENDS}};
    bool *agreed = memory_new(0x110000, sizeof *agreed);
    memset(agreed, true, 0x110000);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct oracle oracle;
        oracle_init(&oracle, classes[i].pattern);
        for (int32_t code = 0; code < 0x110000; code++) {
            char bytes[4];
            if (code >= 0xD800 && code < 0xE000) continue;
            const size_t n = unicode_write(bytes, code);
            const int found = pcre2_match(oracle.code, (PCRE2_SPTR)bytes, n, 0, PCRE2_NO_UTF_CHECK,
                                          oracle.match, NULL);
            agreed[code] &= (found > 0) == ((unicode_class(code) & classes[i].class) != 0);
        }
        oracle_done(&oracle);
    }
    return agreed;
}

static void keep_agreed(struct text *text, const bool *agreed)
{
    struct text kept = {0};
    for (size_t at = 0, n; at < text->size; at += n) {
        int32_t code;
        n = unicode_read(&code, (unsigned char *)text->data + at, text->size - at);
        if (agreed[code]) text_add_bytes(&kept, text->data + at, n);
    }
    text_done(text);
    *text = kept;
    text_add(text, "");
}

static void every_scanner_cuts_as_its_pattern_does(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 11, 0);
    unicode_init();
    bool *agreed = characters_agreed_upon();
    for (int i = SPLIT_GPT2; i < SPLIT_COUNT; i++) {
        const enum split split = (enum split)i;
        struct oracle oracle;
        oracle_init(&oracle, split_pattern(split));
        for (int round = 0; round < 4000; round++) {
            struct text text = {0};
            random_text(&text, &rng, (int)rng_between(&rng, 1, 60));
            keep_agreed(&text, agreed);
            for (size_t at = 0, end; at < text.size; at = end) {
                end = split_scanner(split)((unsigned char *)text.data, text.size, at);
                const size_t right = oracle_next(&oracle, &text, at);
                if (end != right)
                    fail_msg("%s, byte %zu of \"%s\": \"%.*s\", expected \"%.*s\"",
                             split_name(split), at, text.data, (int)(end - at), text.data + at,
                             (int)(right - at), text.data + at);
            }
            text_done(&text);
        }
        oracle_done(&oracle);
    }
    free(agreed);
}

static void pieces_cover_any_bytes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 12, 0);
    for (int i = 0; i < SPLIT_COUNT; i++)
        for (int round = 0; round < 500; round++) {
            unsigned char bytes[64];
            const size_t size = (size_t)rng_between(&rng, 1, sizeof bytes);
            for (size_t k = 0; k < size; k++) bytes[k] = (unsigned char)rng_below(&rng, 256);
            for (size_t at = 0, end; at < size; at = end) {
                end = split_scanner((enum split)i)(bytes, size, at);
                assert_in_range(end, at + 1, size);
            }
        }
}

/* What lies before a safe place has the same pieces whatever follows it, and one begins there. */
static void a_safe_place_is_one_whatever_follows(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 13, 0);
    int n_safe = 0;
    for (int round = 0; round < 20000; round++) {
        struct text text = {0};
        random_text(&text, &rng, 30);
        const size_t safe = split_safe((unsigned char *)text.data, text.size);
        n_safe += safe > 0;
        for (int i = SPLIT_GPT2; i < SPLIT_COUNT; i++) {
            size_t whole = 0, part = 0;
            split_next *const next = split_scanner((enum split)i);
            while (whole < safe) {
                assert_int_equal(whole, part);
                whole = next((unsigned char *)text.data, text.size, whole);
                part = next((unsigned char *)text.data, safe + 1, part);
            }
            assert_int_equal(whole, safe);
            assert_int_equal(part, safe);
        }
        text_done(&text);
    }
    assert_true(n_safe > 500);
}

static void pieces_of(struct text *out, enum split split, const char *string)
{
    const size_t size = strlen(string);
    for (size_t at = 0, end; at < size; at = end) {
        end = split_scanner(split)((const unsigned char *)string, size, at);
        text_format(out, "%s%.*s", at ? "|" : "", (int)(end - at), string + at);
    }
}

static void a_sentence_is_cut_as_published(void **state)
{
    (void)state;
    static const struct {
        enum split split;
        const char *text, *pieces;
    } cases[] = {
        {SPLIT_GPT2, "I'll pay  1234.", "I|'ll| pay| | 1234|."},
        {SPLIT_GPT2, "WE'LL\n\n  go", "WE|'|LL|\n\n | go"},
        {SPLIT_CL100K, "I'll pay  1234.", "I|'ll| pay| | |123|4|."},
        {SPLIT_CL100K, "WE'LL\n\n  go", "WE|'LL|\n\n| | go"},
        {SPLIT_QWEN2, "x=10;\n", "x|=|1|0|;\n"},
        {SPLIT_O200K, "helloWorld's a/b", "hello|World's| a|/b"},
        {SPLIT_LLAMA3, "a \n ", "a| \n| "},
        {SPLIT_CL100K, "a \n ", "a| \n "},
        {SPLIT_NONE, "a b", "a b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text pieces = {0};
        pieces_of(&pieces, cases[i].split, cases[i].text);
        assert_string_equal(pieces.data, cases[i].pieces);
        text_done(&pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scanner_cuts_as_its_pattern_does),
        cmocka_unit_test(pieces_cover_any_bytes),
        cmocka_unit_test(a_safe_place_is_one_whatever_follows),
        cmocka_unit_test(a_sentence_is_cut_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
