#include "content/drill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "content/marked.h"
#include "content/plant.h"

static struct drills drills;

static int load_all(void **state)
{
    (void)state;
    struct error err = {0};
    if (drills_load(&drills, SOURCE_ROOT "/labs", &err)) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int release_all(void **state)
{
    (void)state;
    drills_done(&drills);
    return 0;
}

static void drills_are_found_by_number_and_by_name(void **state)
{
    (void)state;
    const struct drill *a, *b, *c;
    struct error err;
    assert_int_equal(drills_find(&a, &drills, "01", NULL), STATUS_OK);
    assert_int_equal(drills_find(&b, &drills, "1", NULL), STATUS_OK);
    assert_int_equal(drills_find(&c, &drills, "attention", NULL), STATUS_OK);
    assert_true(a == b && b == c);
    assert_int_equal(drills_find(&a, &drills, "99", &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "01"));
}

static void every_drill_is_whole_in_both_languages_and_all_lanes(void **state)
{
    (void)state;
    static const char *const pages[] = {"task", "notes"};
    static const char *const languages[] = {"en", "es"};
    for (int i = 0; i < drills.n_drills; i++) {
        const struct drill *drill = drills.drills[i];
        struct error err = {0};
        for (int p = 0; p < 4; p++) {
            struct text page = {0};
            if (drill_read_page(&page, drill, pages[p / 2], languages[p % 2], &err))
                fail_msg("%s", err.message);
            assert_true(page.size > 400);
            assert_true(text_starts_with(text_string(&page), "# "));
            text_done(&page);
        }
        assert_true(drill->mistakes_count >= 5);
        assert_true(drill->hints_count >= 1 && drill->ladder_count >= 3);
        for (int lane = 0; lane < LANE_COUNT; lane++) {
            struct text starter = {0}, reference = {0};
            struct marked marked;
            if (drill_read(&starter, drill, "starter", (enum lane)lane, &err) ||
                drill_read(&reference, drill, "reference", (enum lane)lane, &err) ||
                marked_init(&marked, text_string(&reference), &err))
                fail_msg("%s: %s", drill->folder, err.message);
            assert_int_equal(marked.n_names, drill->mistakes_count);
            assert_null(strstr(text_string(&starter), "harness"));
            marked_done(&marked);
            text_done(&starter);
            text_done(&reference);
        }
    }
}

static void a_hunt_plants_three_to_five_that_go_together(void **state)
{
    (void)state;
    for (int i = 0; i < drills.n_drills; i++) {
        const struct drill *drill = drills.drills[i];
        bool differs = false;
        char *first = NULL;
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct plant plant;
            struct text out = {0};
            struct error err = {0};
            if (plant_bugs(&plant, &out, drill, LANE_NUMPY, seed, &err))
                fail_msg("%s", err.message);
            assert_in_range(plant.n, PLANT_LEAST, PLANT_MOST);
            assert_null(strstr(text_string(&out), "#:"));
            for (unsigned p = 0; p < drill->never_together_count; p++) {
                int both = 0;
                for (int k = 0; k < plant.n; k++)
                    both += strcmp(plant.names[k], drill->never_together[p].names[0]) == 0 ||
                            strcmp(plant.names[k], drill->never_together[p].names[1]) == 0;
                assert_true(both < 2);
            }
            if (first && strcmp(first, text_string(&out)) != 0) differs = true;
            if (!first) first = text_take(&out);
            text_done(&out);
        }
        assert_true(differs);
        free(first);
    }
}

static void the_same_seed_plants_the_same_mistakes(void **state)
{
    (void)state;
    struct text a = {0}, b = {0};
    struct plant plant;
    assert_int_equal(plant_bugs(&plant, &a, drills.drills[0], LANE_C, 7, NULL), STATUS_OK);
    assert_int_equal(plant_bugs(&plant, &b, drills.drills[0], LANE_C, 7, NULL), STATUS_OK);
    assert_string_equal(text_string(&a), text_string(&b));
    text_done(&a);
    text_done(&b);
}

/* Write a copy of drill 01's metadata with one line changed, and load it. */
static void load_changed(const char *from, const char *to, const char *expected)
{
    char folder[] = "/tmp/lcx-drill-test-XXXXXX";
    struct text yaml = {0}, changed = {0};
    struct drill *drill;
    struct error err = {0};
    assert_non_null(mkdtemp(folder));
    char *inner = path_join(folder, "drill-01-attention"), *file = path_join(inner, "drill.yaml");
    assert_int_equal(folder_make(inner, 0700, NULL), STATUS_OK);
    assert_int_equal(file_read(&yaml,
                               SOURCE_ROOT "/labs/15-attention/drill-01-attention/drill.yaml",
                               1 << 20, NULL),
                     STATUS_OK);
    const char *at = strstr(text_string(&yaml), from);
    assert_non_null(at);
    text_add_bytes(&changed, yaml.data, (size_t)(at - yaml.data));
    text_add(&changed, to);
    text_add(&changed, at + strlen(from));
    assert_int_equal(file_write(file, changed.data, changed.size, 0600, NULL), STATUS_OK);
    assert_int_not_equal(drill_load(&drill, inner, &err), STATUS_OK);
    if (!strstr(err.message, expected)) fail_msg("%s does not say %s", err.message, expected);
    assert_int_equal(folder_remove(folder, NULL), STATUS_OK);
    free(inner);
    free(file);
    text_done(&yaml);
    text_done(&changed);
}

static void a_wrong_drill_is_refused_with_the_reason(void **state)
{
    (void)state;
    load_changed("number: \"01\"", "number: \"02\"", "drill-02-attention");
    load_changed("minutes: 20", "minutes: 0", "minutes is 0");
    load_changed("minutes: 20", "minuets: 20", "drill.yaml:");
    load_changed("lane: torch", "lane: rust", "rust");
    load_changed("[no-scale, scale-by-d]", "[no-scale, no-such]", "no-such");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drills_are_found_by_number_and_by_name),
        cmocka_unit_test(every_drill_is_whole_in_both_languages_and_all_lanes),
        cmocka_unit_test(a_hunt_plants_three_to_five_that_go_together),
        cmocka_unit_test(the_same_seed_plants_the_same_mistakes),
        cmocka_unit_test(a_wrong_drill_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, load_all, release_all);
}
