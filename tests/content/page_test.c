#include "content/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "content/glossary.h"
#include "folder.h"

static struct page_shape shape_of(const char *page) { return page_shape(page, strlen(page)); }

static void headings_and_blocks_of_code_are_counted(void **state)
{
    (void)state;
    const struct page_shape shape =
        shape_of("# One\n\ntext\n\nTwo\n---\n\n```\n# no heading\n```\n\n`span`\n");
    assert_int_equal(shape.headings, 2);
    assert_int_equal(shape.blocks, 1);
    assert_int_equal(shape_of("").headings, 0);
}

static void collect(void *context, const char *link) { text_format(context, "%s ", link); }

static void only_links_to_files_are_told(void **state)
{
    (void)state;
    const char *page = "[a](b.md) [c](https://example.org) [d](#top) ![e](f/g.png) [h](b.md#part)\n"
                       "[i](mailto:x@y)\n\n`[no](link.md)`\n";
    struct text links = {0};
    struct error err;
    assert_false(page_links(page, strlen(page), collect, &links, &err));
    assert_string_equal(text_string(&links), "b.md f/g.png b.md#part ");
    text_done(&links);
}

static bool avoids(const struct glossary *glossary, const char *text)
{
    const char *avoided, *better;
    return glossary_avoids(&avoided, &better, glossary, text);
}

static void the_glossary_knows_whole_words_and_their_plurals(void **state)
{
    (void)state;
    struct glossary *glossary;
    struct error err;
    const char *avoided, *better;
    char *path =
        folder_write("glossary.yaml", "terms:\n- {en: drill, es: drill, avoid: [taladro]}\n"
                                      "- {en: sandbox, es: sandbox, avoid: [caja de arena]}\n");
    assert_false(glossary_load(&glossary, path, &err));
    assert_true(glossary_avoids(&avoided, &better, glossary, "Un Taladro."));
    assert_string_equal(avoided, "taladro");
    assert_string_equal(better, "drill");
    assert_true(avoids(glossary, "los taladros"));
    assert_true(avoids(glossary, "una caja de arena nueva"));
    assert_false(avoids(glossary, "un drill"));
    assert_false(avoids(glossary, "taladrología"));
    assert_false(avoids(glossary, "pretaladro"));
    glossary_free(glossary);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headings_and_blocks_of_code_are_counted),
        cmocka_unit_test(only_links_to_files_are_told),
        cmocka_unit_test(the_glossary_knows_whole_words_and_their_plurals),
    };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
