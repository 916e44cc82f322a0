#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sandbox/descendants.h"
#include "sandbox/host.h"

static char *inside(const char *name) { return path_join(trial_parent, name); }

static void make(const char *path) { assert_int_equal(mkdir(path, 0755), 0); }

static void a_folder_belongs_to_the_uid_of_its_run(void **state)
{
    (void)state;
    struct error err;
    struct stat info;
    char *path, *again;
    if (sandbox_folder_new(&path, trial_parent, &err)) fail_msg("%s", err.message);
    if (sandbox_folder_new(&again, trial_parent, &err)) fail_msg("%s", err.message);
    assert_string_not_equal(path, again);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_true(trial_is_plain() ? info.st_uid == geteuid() : host_is_owner(info.st_uid));
    assert_true(info.st_uid != 0);
    if (sandbox_folder_remove(path, &err) || sandbox_folder_remove(again, &err))
        fail_msg("%s", err.message);
    assert_false(file_exists(path));
    free(path);
    free(again);
}

static void the_default_parent_is_ours_alone(void **state)
{
    (void)state;
    struct error err;
    struct stat info;
    char *path;
    if (sandbox_folder_new(&path, NULL, &err)) fail_msg("%s", err.message);
    char *parent = text_copy(path);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(lstat(parent, &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_uid, geteuid());
    assert_int_equal(info.st_mode & 022, 0);
    if (sandbox_folder_remove(path, &err)) fail_msg("%s", err.message);
    free(parent);
    free(path);
}

static void the_sweep_takes_the_dead_and_leaves_the_living(void **state)
{
    (void)state;
    struct error err;
    char *living, name[100];
    if (sandbox_folder_new(&living, trial_parent, &err)) fail_msg("%s", err.message);

    /* our pid, but of a process that began at another time: that one is dead */
    snprintf(name, sizeof name, "attempt-%ld-%llu-abcdef", (long)getpid(),
             (unsigned long long)process_start_time(getpid()) + 1);
    char *dead = inside(name);
    char *stranger = inside("attempt-of-mine");         /* a user's own folder */
    char *short_name = inside("attempt-4194303-1-abc"); /* not a name that we give */
    char *file = inside("attempt-4194303-1-abcdef");    /* not a folder */
    char *link = inside("attempt-4194303-2-abcdef");
    make(dead);
    make(stranger);
    make(short_name);
    if (file_write(file, "", 0, 0644, &err)) fail_msg("%s", err.message);
    assert_int_equal(symlink(stranger, link), 0);

    if (sandbox_sweep(trial_parent, &err)) fail_msg("%s", err.message);
    assert_false(file_exists(dead));
    assert_true(file_is_folder(living));
    assert_true(file_is_folder(stranger));
    assert_true(file_is_folder(short_name));
    assert_true(file_exists(file));
    assert_true(file_exists(link));
    rmdir(stranger);
    rmdir(short_name);
    unlink(file);
    unlink(link);
    if (sandbox_folder_remove(living, &err)) fail_msg("%s", err.message);
    free(living);
    free(dead);
    free(stranger);
    free(short_name);
    free(file);
    free(link);
}

static void the_sweep_of_a_place_that_is_not_there_is_no_error(void **state)
{
    (void)state;
    struct error err;
    if (sandbox_sweep("/tmp/lynx-cortex-absent/folder", &err)) fail_msg("%s", err.message);
    if (sandbox_sweep(NULL, &err)) fail_msg("%s", err.message);
}

/* Deeper than any path may be long. */
static void a_tree_of_any_depth_is_removed(void **state)
{
    (void)state;
    struct error err;
    char *top = inside("deep");
    make(top);
    int at = open(top, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(mkdirat(at, "d", 0700), 0);
        if (i % 100 == 0) assert_int_equal(mkdirat(at, "shut", 0), 0);
        const int next = openat(at, "d", O_RDONLY | O_DIRECTORY);
        close(at);
        at = next;
    }
    close(openat(at, "file", O_WRONLY | O_CREAT, 0400));
    close(at);
    if (sandbox_folder_remove(top, &err)) fail_msg("%s", err.message);
    assert_false(file_exists(top));
    free(top);
}

static void removing_follows_no_link(void **state)
{
    (void)state;
    struct error err;
    char *top = inside("links"), *kept = inside("kept");
    make(top);
    make(kept);
    char *treasure = path_join(kept, "treasure"), *link = path_join(top, "link");
    if (file_write(treasure, "x", 1, 0600, &err)) fail_msg("%s", err.message);
    assert_int_equal(symlink(kept, link), 0);
    if (sandbox_folder_remove(top, &err)) fail_msg("%s", err.message);
    assert_true(file_exists(treasure));
    assert_int_equal(symlink(kept, top), 0); /* the folder itself is a link */
    assert_int_equal(sandbox_folder_remove(top, &err), STATUS_IO);
    assert_true(file_exists(treasure));
    unlink(top);
    if (sandbox_folder_remove(kept, &err)) fail_msg("%s", err.message);
    if (sandbox_folder_remove(kept, &err)) fail_msg("removed twice: %s", err.message);
    free(top);
    free(kept);
    free(treasure);
    free(link);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_belongs_to_the_uid_of_its_run),
        cmocka_unit_test(the_default_parent_is_ours_alone),
        cmocka_unit_test(the_sweep_takes_the_dead_and_leaves_the_living),
        cmocka_unit_test(the_sweep_of_a_place_that_is_not_there_is_no_error),
        cmocka_unit_test(a_tree_of_any_depth_is_removed),
        cmocka_unit_test(removing_follows_no_link),
    };
    trial_begin(argc, argv);
    return trial_end(cmocka_run_group_tests(tests, NULL, NULL));
}
