#include "base/markdown.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

static const struct terminal narrow = {.width = 60};

static void render_into(struct text *out, const char *source, const struct terminal *terminal)
{
    struct error err;
    assert_int_equal(markdown_render(out, source, strlen(source), terminal, &err), STATUS_OK);
}

/* The page of tests/data/markdown/NAME.md at 60 columns is NAME.txt, byte for byte. */
static void expect_page(const char *name)
{
    char *source_path = text_printf("%s/tests/data/markdown/%s.md", SOURCE_ROOT, name);
    char *expected_path = text_printf("%s/tests/data/markdown/%s.txt", SOURCE_ROOT, name);
    struct text source = {0}, expected = {0}, out = {0};
    struct error err;
    assert_int_equal(file_read(&source, source_path, MARKDOWN_SIZE_LIMIT, &err), STATUS_OK);
    assert_int_equal(markdown_render(&out, source.data, source.size, &narrow, &err), STATUS_OK);
    if (getenv("LCX_UPDATE_DATA"))
        assert_int_equal(file_write(expected_path, out.data, out.size, 0644, &err), STATUS_OK);
    assert_int_equal(file_read(&expected, expected_path, MARKDOWN_SIZE_LIMIT, &err), STATUS_OK);
    assert_string_equal(text_string(&out), text_string(&expected));
    text_done(&source);
    text_done(&expected);
    text_done(&out);
    free(source_path);
    free(expected_path);
}

static void a_page_is_laid_out_in_both_languages(void **state)
{
    (void)state;
    expect_page("page");
}

static void lists_nest_and_keep_their_numbers(void **state)
{
    (void)state;
    expect_page("lists");
}

static void tables_are_aligned_and_wrap_inside_their_cells(void **state)
{
    (void)state;
    expect_page("tables");
}

static void a_page_cannot_move_the_cursor(void **state)
{
    (void)state;
    expect_page("hostile");
}

static void no_line_of_words_is_wider_than_the_terminal(void **state)
{
    (void)state;
    static const char source[] =
        "# una cabecera larga en la que caben muchas palabras distintas\n\n"
        "- a list whose *emphasised words* and `code spans` wrap\n  1. and nest\n\n"
        "> and a quotation with words\n\n"
        "| a table | that is | far too wide |\n|---|---|---|\n"
        "| wrapped in its cells | because the screen | is narrow and cuts incomprehensibilities |\n";
    for (int width = 20; width <= 100; width++) {
        const struct terminal terminal = {.width = width, .colour = width % 2};
        struct text out = {0};
        render_into(&out, source, &terminal);
        for (const char *line = text_string(&out); *line;) {
            const size_t size = strcspn(line, "\n");
            assert_true(terminal_columns(line, size) <= width);
            line += size + 1;
        }
        text_done(&out);
    }
}

static void colours_mark_words_and_replace_the_rulers(void **state)
{
    (void)state;
    const struct terminal colour = {.width = 60, .colour = true};
    struct text out = {0};
    render_into(&out, "# Two words\n\n**bold** `x y`\n", &colour);
    assert_string_equal(text_string(&out),
                        "\033[1;4mTwo\033[0m \033[1;4mwords\033[0m\n\n"
                        "\033[1mbold\033[0m \033[36mx\033[0m \033[36my\033[0m\n");
    text_done(&out);
}

static void an_empty_page_is_empty_and_a_huge_one_refused(void **state)
{
    (void)state;
    struct text out = {0};
    render_into(&out, "", &narrow);
    assert_string_equal(text_string(&out), "");

    struct error err;
    char *huge = memory_new(MARKDOWN_SIZE_LIMIT + 1, 1);
    assert_int_equal(markdown_render(&out, huge, MARKDOWN_SIZE_LIMIT + 1, &narrow, &err),
                     STATUS_LIMIT);
    free(huge);
    text_done(&out);
}

int main(void)
{
    setlocale(LC_ALL, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_laid_out_in_both_languages),
        cmocka_unit_test(lists_nest_and_keep_their_numbers),
        cmocka_unit_test(tables_are_aligned_and_wrap_inside_their_cells),
        cmocka_unit_test(a_page_cannot_move_the_cursor),
        cmocka_unit_test(no_line_of_words_is_wider_than_the_terminal),
        cmocka_unit_test(colours_mark_words_and_replace_the_rulers),
        cmocka_unit_test(an_empty_page_is_empty_and_a_huge_one_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
