/* cmocka.h -- as much of cmocka as the tests of src/tensor use, for machines that it is not built for.
 *
 * Found before the real one by tests/neon/neon_test.sh alone.
 */
#ifndef NEON_CMOCKA_H
#define NEON_CMOCKA_H

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

static jmp_buf cmocka_failed;

#define cmocka_unit_test(function) \
    { \
#function, function \
    }
#define print_error(...) printf(__VA_ARGS__)
#define fail() (printf("    %s:%d\n", __FILE__, __LINE__), longjmp(cmocka_failed, 1))
#define fail_msg(...) (printf(__VA_ARGS__), fail())
#define assert_true(c) ((c) ? (void)0 : (printf("    not so: %s\n", #c), fail()))
#define assert_false(c) assert_true(!(c))
#define assert_null(c) assert_true((c) == NULL)
#define assert_non_null(c) assert_true((c) != NULL)
#define assert_int_equal(a, b) assert_true((long long)(a) == (long long)(b))
#define assert_int_not_equal(a, b) assert_true((long long)(a) != (long long)(b))
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, n) assert_true(memcmp(a, b, n) == 0)

static int cmocka_group(const char *name, const struct CMUnitTest *tests, size_t n)
{
    static volatile size_t i; /* longjmp leaves them alone */
    static volatile int failed;
    failed = 0;
    for (i = 0; i < n; i++) {
        if (setjmp(cmocka_failed) == 0) tests[i].run(NULL);
        else printf("    FAILED %s\n", tests[i].name), failed = failed + 1;
    }
    printf("  %s: %zu tests, %d failed\n", name, n, failed);
    return failed;
}

#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
    cmocka_group(name, tests, sizeof(tests) / sizeof(tests)[0])
#define cmocka_run_group_tests(tests, setup, teardown) \
    cmocka_run_group_tests_name("all", tests, setup, teardown)

#endif
