#include "content/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

static const char fixture[] = SOURCE_ROOT "/tests/data/labs";

static void a_lab_is_found_by_number_and_by_name(void **state)
{
    (void)state;
    struct labs *labs;
    struct error err;
    assert_int_equal(labs_load(&labs, fixture, &err), STATUS_OK);
    assert_int_equal(labs->labs_count, 2);

    const struct lab *lab = labs_find(labs, "15");
    assert_ptr_equal(lab, &labs->labs[1]);
    assert_ptr_equal(lab, labs_find(labs, "attention"));
    assert_ptr_equal(labs_find(labs, "4"), &labs->labs[0]);
    assert_null(labs_find(labs, "16"));
    assert_null(labs_find(labs, ""));
    assert_string_equal(words_in(&lab->title, "es"), "Atención");
    assert_string_equal(words_in(&lab->title, "en"), "Attention");
    assert_int_equal(lab->prepares_count, 2);
    assert_string_equal(round_name(lab->prepares[1].round), "systems");
    assert_string_equal(lab->drills[0], "01");
    assert_int_equal(labs->labs[0].drills_count, 0);

    char *page = lab_page(fixture, lab, "es");
    assert_non_null(page);
    assert_true(text_ends_with(page, "labs/15-attention/page.es.md"));
    free(page);
    assert_null(lab_page(fixture, &labs->labs[0], "en"));
    labs_free(labs);
}

/* A copy of the fixture with `from` replaced by `to`, in a folder of its own. */
static void expect_refused(const char *from, const char *to, const char *why)
{
    char root[] = "/tmp/lab_test.XXXXXX";
    assert_non_null(mkdtemp(root));
    char *folder = path_join(root, "labs");
    struct error err;
    assert_int_equal(folder_make(folder, 0700, &err), STATUS_OK);

    struct text yaml = {0}, changed = {0};
    assert_int_equal(file_read(&yaml, SOURCE_ROOT "/tests/data/labs/labs/labs.yaml", 1 << 16, &err),
                     STATUS_OK);
    const char *at = strstr(yaml.data, from);
    assert_non_null(at);
    text_add_bytes(&changed, yaml.data, (size_t)(at - yaml.data));
    text_add(&changed, to);
    text_add(&changed, at + strlen(from));
    char *path = path_join(folder, "labs.yaml");
    assert_int_equal(file_write(path, changed.data, changed.size, 0600, &err), STATUS_OK);

    struct labs *labs;
    assert_int_equal(labs_load(&labs, root, &err), STATUS_FORMAT);
    assert_null(labs);
    assert_non_null(strstr(err.message, why));

    assert_int_equal(folder_remove(root, &err), STATUS_OK);
    text_done(&yaml);
    text_done(&changed);
    free(path);
    free(folder);
}

static void wrong_metadata_is_refused_in_words(void **state)
{
    (void)state;
    expect_refused("number: \"15\"", "number: \"1a\"", "lab \"1a\": a number is 15, or X3");
    expect_refused("number: \"15\"", "number: \"04\"", "there is a 04 calculus already");
    expect_refused("name: attention", "name: At/tention", "only a-z, 0-9 and -");
    expect_refused("[\"01\"]", "[\"1x\"]", "drill \"1x\": a number is 01");
    expect_refused("round: systems", "round: lunch", "labs.yaml:13: Invalid ENUM value: lunch");
    expect_refused(", es: \"Atención\"", "", "labs.yaml:10: Missing required mapping field: es");
    expect_refused("drills: []", "drill: []", "labs.yaml:7: unknown key \"drill\"");
}

/* ---- the authored table itself ---- */

static const char *const curriculum[] = {"04", "07", "08", "11", "15", "16", "17", "19",
                                         "20", "21", "22", "26", "27", "28", "29", "32",
                                         "33", "34", "35", "37", "38", "X3"};
enum { CURRICULUM_COUNT = sizeof curriculum / sizeof curriculum[0] };

static void the_curriculum_has_all_22_rows(void **state)
{
    (void)state;
    if (!file_exists(SOURCE_ROOT "/labs/labs.yaml")) skip();
    struct labs *labs;
    struct error err = {0};
    const enum status status = labs_load(&labs, SOURCE_ROOT, &err);
    if (status) fail_msg("%s", err.message);
    assert_int_equal(CURRICULUM_COUNT, 22);
    assert_int_equal(labs->labs_count, CURRICULUM_COUNT);
    for (int i = 0; i < CURRICULUM_COUNT; i++)
        assert_string_equal(labs->labs[i].number, curriculum[i]);
    labs_free(labs);
}

/* The page's beginning, as the metadata says it. */
static char *expected_opening(const struct lab *lab, const char *language)
{
    const bool spanish = strcmp(language, "es") == 0;
    struct text opening = {0};
    text_format(&opening, "# %s · %s\n\n| %s | %s |\n|---|---|\n", lab->number,
                words_in(&lab->title, language), spanish ? "Ronda" : "Round",
                spanish ? "Qué prepara" : "What it prepares");
    for (unsigned i = 0; i < lab->prepares_count; i++)
        text_format(&opening, "| %s | %s |\n", round_name(lab->prepares[i].round),
                    words_in(&lab->prepares[i].what, language));
    text_add(&opening, "\n");
    return text_take(&opening);
}

static int check_pages(const char *root)
{
    struct labs *labs;
    struct error err = {0};
    if (labs_load(&labs, root, &err)) fail_msg("%s", err.message);
    int n_pages = 0;
    for (unsigned i = 0; i < labs->labs_count; i++) {
        char *english = lab_page(root, &labs->labs[i], "en");
        char *spanish = lab_page(root, &labs->labs[i], "es");
        if (!english != !spanish)
            fail_msg("lab %s has a page in one language only", labs->labs[i].number);
        const char *const paths[] = {english, spanish}, *const languages[] = {"en", "es"};
        for (int j = 0; english && j < 2; j++) {
            struct text page = {0};
            assert_int_equal(file_read(&page, paths[j], 1 << 20, &err), STATUS_OK);
            char *opening = expected_opening(&labs->labs[i], languages[j]);
            if (!text_starts_with(text_string(&page), opening))
                fail_msg("%s does not open with:\n%s", paths[j], opening);
            free(opening);
            text_done(&page);
            n_pages++;
        }
        free(english);
        free(spanish);
    }
    labs_free(labs);
    return n_pages;
}

static void every_page_opens_with_its_row_in_both_languages(void **state)
{
    (void)state;
    assert_int_equal(check_pages(fixture), 2);
    if (file_exists(SOURCE_ROOT "/labs/labs.yaml")) (void)check_pages(SOURCE_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lab_is_found_by_number_and_by_name),
        cmocka_unit_test(wrong_metadata_is_refused_in_words),
        cmocka_unit_test(the_curriculum_has_all_22_rows),
        cmocka_unit_test(every_page_opens_with_its_row_in_both_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
