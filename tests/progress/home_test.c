#include "progress/home.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../store/scratch.h"

static char *folder; /* of this test */

static int set_up(void **state)
{
    (void)state;
    folder = scratch_folder();
    setenv("HOME", folder, 1);
    unsetenv("LCX_HOME");
    unsetenv("XDG_DATA_HOME");
    unsetenv("XDG_CACHE_HOME");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    scratch_remove(folder);
    return 0;
}

/* Both folders are below the test's, at these places, and private. */
static void expect(const char *data, const char *cache)
{
    char *got, *expected = path_join(folder, data);
    assert_int_equal(home_data_folder(&got, NULL), STATUS_OK);
    assert_string_equal(got, expected);
    assert_int_equal(scratch_mode(got), 0700);
    free(got);
    free(expected);
    expected = path_join(folder, cache);
    assert_int_equal(home_cache_folder(&got, NULL), STATUS_OK);
    assert_string_equal(got, expected);
    assert_int_equal(scratch_mode(got), 0700);
    free(got);
    free(expected);
}

static void without_variables_they_are_below_the_home_folder(void **state)
{
    (void)state;
    expect(".local/share/lynx-cortex", ".cache/lynx-cortex");
    char *data = path_join(folder, ".local/share/lynx-cortex");
    assert_int_equal(chmod(data, 0755), 0); /* opened by accident: private again */
    free(data);
    expect(".local/share/lynx-cortex", ".cache/lynx-cortex");
}

static void xdg_variables_move_them_when_they_are_absolute(void **state)
{
    (void)state;
    char *data = path_join(folder, "x/data"), *cache = path_join(folder, "x/cache");
    setenv("XDG_DATA_HOME", data, 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    expect("x/data/lynx-cortex", "x/cache/lynx-cortex");
    setenv("XDG_DATA_HOME", "relative", 1);
    setenv("XDG_CACHE_HOME", "", 1);
    expect(".local/share/lynx-cortex", ".cache/lynx-cortex");
    free(data);
    free(cache);
}

static void lcx_home_wins_and_keeps_its_mode(void **state)
{
    (void)state;
    char *mine = path_join(folder, "mine");
    setenv("XDG_DATA_HOME", folder, 1);
    setenv("LCX_HOME", mine, 1);
    expect("mine", "mine/cache");

    assert_int_equal(chmod(mine, 0755), 0); /* the user's own folder, the user's choice */
    char *got;
    assert_int_equal(home_data_folder(&got, NULL), STATUS_OK);
    assert_int_equal(scratch_mode(got), 0755);
    free(got);

    assert_int_equal(chdir(folder), 0);
    setenv("LCX_HOME", "here", 1);
    expect("here", "here/cache");
    free(mine);
}

static void asking_where_it_would_be_makes_nothing(void **state)
{
    (void)state;
    char *asked, *made;
    assert_int_equal(home_data_path(&asked, NULL), STATUS_OK);
    assert_false(file_exists(asked));
    assert_int_equal(home_data_folder(&made, NULL), STATUS_OK);
    assert_string_equal(asked, made);
    free(asked);
    free(made);
    unsetenv("HOME"); /* then the password file says */
    if (home_data_path(&asked, NULL) == STATUS_OK) {
        assert_int_equal(asked[0], '/');
        assert_true(text_ends_with(asked, "/.local/share/lynx-cortex"));
        free(asked);
    }
}

static void a_folder_that_cannot_be_made_is_said(void **state)
{
    (void)state;
    struct error err = {0};
    char *file = path_join(folder, "file"), *below = path_join(file, "data"), *got;
    assert_int_equal(file_write(file, "", 0, 0600, NULL), STATUS_OK);
    setenv("LCX_HOME", below, 1);
    assert_int_equal(home_data_folder(&got, &err), STATUS_IO);
    assert_null(got);
    assert_non_null(strstr(err.message, file));
    free(file);
    free(below);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_variables_they_are_below_the_home_folder),
        TEST(xdg_variables_move_them_when_they_are_absolute),
        TEST(lcx_home_wins_and_keeps_its_mode),
        TEST(asking_where_it_would_be_makes_nothing),
        TEST(a_folder_that_cannot_be_made_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
