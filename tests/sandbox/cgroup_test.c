/* cgroup_test.c -- which group is ours to use, on a tree of plain files. */
#include "sandbox/cgroup.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char top[] = "/tmp/lynx-cortex-cgroup-XXXXXX";

static void put(const char *name, const char *text)
{
    char *path = path_join(top, name);
    struct error err;
    if (file_write(path, text, strlen(text), 0644, &err)) fail_msg("%s", err.message);
    free(path);
}

/* A group with these controllers for its children; handed over when `ours`. */
static void group(const char *name, const char *controllers, bool ours)
{
    char *path = path_join(top, name), *file = text_printf("%s/cgroup.subtree_control", name);
    char *procs = text_printf("%s/cgroup.procs", name);
    struct error err;
    if (folder_make(path, 0755, &err)) fail_msg("%s", err.message);
    put(file, controllers);
    put(procs, "");
    if (ours && geteuid() == 0 && setxattr(path, "trusted.delegate", "1", 1, 0) != 0) skip();
    free(procs);
    free(file);
    free(path);
}

static bool find(char *out, char *why, const char *mounted, const char *membership)
{
    char *mounts = text_printf("22 1 8:1 / / rw - ext4 /dev/x rw\n"
                               "31 24 0:27 / %s rw shared:4 - %s none rw\n",
                               top, mounted);
    put("mountinfo", mounts);
    put("membership", membership);
    char *mounts_path = path_join(top, "mountinfo"),
         *membership_path = path_join(top, "membership");
    const bool found = cgroup_find(out, why, mounts_path, membership_path);
    free(mounts);
    free(mounts_path);
    free(membership_path);
    return found;
}

static void our_own_group_or_the_one_above(void **state)
{
    (void)state;
    char out[PATH_MAX], why[256];
    group("user", "cpu memory pids\n", true);
    group("user/app", "", true);
    group("user/app/scope", "", true);
    group("user/own", "pids memory", true);

    assert_true(find(out, why, "cgroup2", "0::/user/own\n"));
    assert_string_equal(out + strlen(top), "/user/own");
    assert_true(find(out, why, "cgroup2", "4:memory:/x\n0::/user/app\n"));
    assert_string_equal(out + strlen(top), "/user");
    /* no further up than that */
    assert_false(find(out, why, "cgroup2", "0::/user/app/scope\n"));
    assert_non_null(strstr(why, "/user/app/scope"));
}

static void no_group_is_no_error(void **state)
{
    (void)state;
    char out[PATH_MAX], why[256];
    group("half", "memory hugetlb_pids", true);
    assert_false(find(out, why, "cgroup2", "0::/half\n"));
    assert_false(find(out, why, "cgroup", "0::/half\n"));
    assert_non_null(strstr(why, "v2"));
    assert_false(find(out, why, "cgroup2", "4:memory:/half\n"));
    assert_false(find(out, why, "cgroup2", "0::/\n"));
    assert_false(find(out, why, "cgroup2", "0::/absent/group\n"));
}

static void what_was_not_handed_over_is_left_alone(void **state)
{
    (void)state;
    char out[PATH_MAX], why[256];
    if (geteuid() != 0) skip(); /* what a plain user owns was handed over */
    group("system", "memory pids", false);
    assert_false(find(out, why, "cgroup2", "0::/system\n"));
}

/* Plain folders have no memory.max to write to. */
static void a_group_that_takes_no_limits_is_not_kept(void **state)
{
    (void)state;
    char *parent = path_join(top, "none");
    struct error err;
    if (folder_make(parent, 0755, &err)) fail_msg("%s", err.message);
    assert_null(cgroup_new(parent, 1 << 20, 4));
    assert_int_equal(rmdir(parent), 0);
    assert_null(cgroup_new(parent, 1 << 20, 4));
    free(parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_own_group_or_the_one_above),
        cmocka_unit_test(no_group_is_no_error),
        cmocka_unit_test(what_was_not_handed_over_is_left_alone),
        cmocka_unit_test(a_group_that_takes_no_limits_is_not_kept),
    };
    struct error err;
    if (!mkdtemp(top)) return 1;
    const int failures = cmocka_run_group_tests(tests, NULL, NULL);
    if (folder_remove(top, &err)) fprintf(stderr, "%s\n", err.message);
    return failures;
}
