#include "content/marked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char source[] = "int f(int x)\n"
                             "{\n"
                             "    //: off-by-one\n"
                             "    //| x += 1;\n"
                             "    //|     nested();\n"
                             "    //: dropped\n"
                             "    //: right\n"
                             "    x += 2;\n"
                             "    //: end\n"
                             "    //: off-by-one\n"
                             "    //| return -x;\n"
                             "    //: right\n"
                             "    return x;\n"
                             "    //: end\n"
                             "}\n";

static void expand_to(const char *expected, unsigned chosen)
{
    struct marked marked;
    struct text out = {0};
    assert_int_equal(marked_init(&marked, source, NULL), STATUS_OK);
    assert_int_equal(marked_expand(&out, &marked, source, chosen, NULL), STATUS_OK);
    assert_string_equal(text_string(&out), expected);
    text_done(&out);
    marked_done(&marked);
}

static void without_mistakes_only_the_markers_go(void **state)
{
    (void)state;
    expand_to("int f(int x)\n{\n    x += 2;\n    return x;\n}\n", 0);
}

static void all_blocks_of_a_mistake_switch_together(void **state)
{
    (void)state;
    expand_to("int f(int x)\n{\n    x += 1;\n        nested();\n    return -x;\n}\n", 1);
}

static void a_mistake_without_lines_deletes_the_right_ones(void **state)
{
    (void)state;
    expand_to("int f(int x)\n{\n    return x;\n}\n", 2);
}

static void two_mistakes_of_one_block_are_refused(void **state)
{
    (void)state;
    struct marked marked;
    struct text out = {0};
    struct error err;
    assert_int_equal(marked_init(&marked, source, NULL), STATUS_OK);
    assert_int_equal(marked.apart[0], 2);
    assert_int_equal(marked_expand(&out, &marked, source, 3, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "off-by-one"));
    text_done(&out);
    marked_done(&marked);
}

static void python_markers_are_read_too(void **state)
{
    (void)state;
    static const char python[] = "#: a\n#| x = 1\n#: right\nx = 2\n#: end\n# a comment\n";
    struct marked marked;
    struct text out = {0};
    assert_int_equal(marked_init(&marked, python, NULL), STATUS_OK);
    assert_int_equal(marked_expand(&out, &marked, python, 1, NULL), STATUS_OK);
    assert_string_equal(text_string(&out), "x = 1\n# a comment\n");
    text_done(&out);
    marked_done(&marked);
}

static void a_broken_block_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line;
    } broken[] = {
        {"//: a\n//| x\n", "line 2"},
        {"//: right\n", "line 1"},
        {"//| x\n", "line 1"},
        {"//: a\ncode\n//: right\n//: end\n", "line 2"},
        {"//: a\n//: right\n//: b\n//: end\n", "line 3"},
        {"//: Not A Name\n//: right\n//: end\n", "line 1"},
        {"//: a\n//: a\n//: right\n//: end\n", "line 2"},
        {"//: end\n", "line 1"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct marked marked;
        struct error err;
        assert_int_equal(marked_init(&marked, broken[i].text, &err), STATUS_FORMAT);
        assert_non_null(strstr(err.message, broken[i].line));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_mistakes_only_the_markers_go),
        cmocka_unit_test(all_blocks_of_a_mistake_switch_together),
        cmocka_unit_test(a_mistake_without_lines_deletes_the_right_ones),
        cmocka_unit_test(two_mistakes_of_one_block_are_refused),
        cmocka_unit_test(python_markers_are_read_too),
        cmocka_unit_test(a_broken_block_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
