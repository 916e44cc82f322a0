#include "text/pattern.h"

#include "text/split.h"
#include "text_world.h"

static void cut(struct text *out, const struct patterns *patterns, const char *string)
{
    struct pattern_cuts cuts = {0};
    struct error err;
    if (patterns_cut(patterns, &cuts, (const unsigned char *)string, strlen(string), &err))
        fail_msg("%s", err.message);
    for (size_t i = 0; i < cuts.n; i++) {
        const size_t begin = i ? cuts.ends[i - 1] : 0;
        text_format(out, "%s%.*s", i ? "|" : "", (int)(cuts.ends[i] - begin), string + begin);
    }
    pattern_cuts_done(&cuts);
}

static void one_pattern_cuts_after_the_other(void **state)
{
    (void)state;
    struct patterns patterns = {0};
    struct text text = {0};
    struct error err;
    assert_int_equal(patterns_add(&patterns, "\\p{L}+", &err), STATUS_OK);
    assert_int_equal(patterns_add(&patterns, "\\p{N}", &err), STATUS_OK);
    cut(&text, &patterns, "ab  12\xC3\xA9!");
    assert_string_equal(text.data, "ab|  |1|2|\xC3\xA9|!");
    text_clear(&text);
    cut(&text, &patterns, "");
    assert_string_equal(text_string(&text), "");
    patterns_done(&patterns);
    text_done(&text);
}

static void a_known_pattern_cuts_as_its_scanner(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 81, 0);
    for (int i = SPLIT_GPT2; i < SPLIT_COUNT; i++) {
        struct patterns patterns = {0};
        struct pattern_cuts cuts = {0};
        struct error err;
        assert_int_equal(patterns_add(&patterns, split_pattern((enum split)i), &err), STATUS_OK);
        for (int round = 0; round < 1000; round++) {
            struct text text = {0};
            for (int64_t n = rng_between(&rng, 1, 80); n > 0; n--)
                text_add_char(&text, "ab Z'st.\n\r\t19/ "[rng_below(&rng, 15)]);
            assert_int_equal(
                patterns_cut(&patterns, &cuts, (unsigned char *)text.data, text.size, &err),
                STATUS_OK);
            size_t at = 0;
            for (size_t k = 0; k < cuts.n; k++) {
                at = split_scanner((enum split)i)((unsigned char *)text.data, text.size, at);
                assert_int_equal(at, cuts.ends[k]);
            }
            assert_int_equal(at, text.size);
            text_done(&text);
        }
        pattern_cuts_done(&cuts);
        patterns_done(&patterns);
    }
}

static void any_bytes_are_covered(void **state)
{
    (void)state;
    struct rng rng;
    struct patterns patterns = {0};
    struct pattern_cuts cuts = {0};
    struct error err;
    rng_init(&rng, 82, 0);
    assert_int_equal(patterns_add(&patterns, "\\s?\\p{L}*|[^\\S\\n]x", &err), STATUS_OK);
    assert_int_equal(patterns_add(&patterns, "(?=a)", &err), STATUS_OK); /* matches nothing */
    for (int round = 0; round < 3000; round++) {
        unsigned char bytes[48];
        const size_t size = (size_t)rng_below(&rng, sizeof bytes + 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = rng_below(&rng, 3) ? (unsigned char)"ab \xC3\xA9"[rng_below(&rng, 5)]
                                          : (unsigned char)rng_below(&rng, 256);
        assert_int_equal(patterns_cut(&patterns, &cuts, bytes, size, &err), STATUS_OK);
        size_t before = 0;
        for (size_t i = 0; i < cuts.n; before = cuts.ends[i++]) assert_true(cuts.ends[i] > before);
        assert_int_equal(before, size);
    }
    pattern_cuts_done(&cuts);
    patterns_done(&patterns);
}

static void white_space_is_unicodes(void **state)
{
    (void)state;
    struct patterns patterns = {0};
    struct text text = {0};
    struct error err;
    assert_int_equal(patterns_add(&patterns, "[]\\s]|\\s+|\\S+", &err), STATUS_OK);
    cut(&text, &patterns,
        "a\xE1\xA0\x8E"
        "b\xC2\xA0]c");
    assert_string_equal(text.data, "a\xE1\xA0\x8E"
                                   "b|\xC2\xA0|]|c");
    patterns_done(&patterns);
    text_done(&text);
}

static void a_pattern_that_does_not_end_is_refused(void **state)
{
    (void)state;
    struct patterns patterns = {0};
    struct pattern_cuts cuts = {0};
    struct error err = {0};
    unsigned char bytes[4096];
    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(patterns_add(&patterns, "(", &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "\"(\""));
    assert_int_equal(patterns_add(&patterns, "(?:a+)+(?=[bc])", &err), STATUS_OK);
    const enum status status = patterns_cut(&patterns, &cuts, bytes, sizeof bytes, &err);
    assert_int_equal(status, STATUS_LIMIT);
    assert_non_null(strstr(err.message, "too much work"));
    pattern_cuts_done(&cuts);
    for (int i = 1; i < PATTERNS_LIMIT; i++)
        assert_int_equal(patterns_add(&patterns, "a", &err), STATUS_OK);
    assert_int_equal(patterns_add(&patterns, "a", &err), STATUS_LIMIT);
    patterns_done(&patterns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pattern_cuts_after_the_other),
        cmocka_unit_test(a_known_pattern_cuts_as_its_scanner),
        cmocka_unit_test(any_bytes_are_covered),
        cmocka_unit_test(white_space_is_unicodes),
        cmocka_unit_test(a_pattern_that_does_not_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
