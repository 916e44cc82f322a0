#include "plan/worksheet.h"

#include <math.h>
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
#include "base/locale.h"

static void refused(const char *key, const char *value, enum number_style style, const char *says)
{
    struct worksheet sheet;
    struct error err = {0};
    worksheet_init(&sheet);
    assert_int_equal(worksheet_set(&sheet, key, value, style, ORIGIN_WORD, &err), STATUS_USAGE);
    if (!strstr(err.message, says)) fail_msg("%s=%s: %s", key, value, err.message);
}

static void a_wrong_unit_is_named(void **state)
{
    (void)state;
    refused("output", "300 ms", NUMBER_ENGLISH, "output: expected tokens, got 300 ms");
    refused("reserve", "60", NUMBER_ENGLISH, "reserve: expected bytes, got 60");
    refused("ttft", "0.5", NUMBER_ENGLISH, "ttft: expected a time, got 0.5");
    refused("price", "2.5 USD", NUMBER_ENGLISH, "price: expected USD per unit of time");
    refused("decode", "20k tokens", NUMBER_ENGLISH, "decode: expected tokens per unit of time");
    refused("users", "10 apples", NUMBER_ENGLISH, "is not understood from \" apples\" on");
    refused("users", "", NUMBER_ENGLISH, "users: expected users");
    refused("cats", "3", NUMBER_ENGLISH, "cats: no such key");
}

static void bounds_and_whole_numbers_are_held(void **state)
{
    (void)state;
    refused("cached", "120%", NUMBER_ENGLISH, "out of its bounds, 0 to 1");
    refused("headroom", "30%", NUMBER_ENGLISH, "out of its bounds, 1 to 100");
    refused("layers", "80.5", NUMBER_ENGLISH, "not a whole number");
    refused("tp", "0", NUMBER_ENGLISH, "out of its bounds");
    refused("model", "", NUMBER_ENGLISH, "1 to 63");
}

static void an_ambiguous_number_is_refused_in_spanish(void **state)
{
    (void)state;
    refused("users", "10.000", NUMBER_SPANISH, "10000 or 10");
    struct worksheet sheet;
    worksheet_init(&sheet);
    assert_int_equal(worksheet_set(&sheet, "users", "10 000", NUMBER_SPANISH, ORIGIN_WORD, NULL),
                     STATUS_OK);
    assert_true(sheet.value[KEY_USERS] == 10000);
    assert_int_equal(worksheet_set(&sheet, "users", "10 millones de usuarios", NUMBER_SPANISH,
                                   ORIGIN_WORD, NULL),
                     STATUS_OK);
    assert_true(sheet.value[KEY_USERS] == 10e6);
}

static void users_may_be_said_by_the_day(void **state)
{
    (void)state;
    struct worksheet sheet;
    worksheet_init(&sheet);
    assert_int_equal(
        worksheet_set(&sheet, "users", "10M users/day", NUMBER_ENGLISH, ORIGIN_WORD, NULL),
        STATUS_OK);
    assert_true(fabs(sheet.value[KEY_USERS] - 10e6) < 1e-3);
}

static void set(struct worksheet *sheet, const char *key, const char *value,
                enum worksheet_origin origin)
{
    struct error err = {0};
    if (worksheet_set(sheet, key, value, NUMBER_ENGLISH, origin, &err)) fail_msg("%s", err.message);
}

static void another_gpu_drops_what_a_file_said_of_the_first(void **state)
{
    (void)state;
    struct worksheet sheet;
    worksheet_init(&sheet);
    set(&sheet, "node_flops", "7.9 PFLOP/s", ORIGIN_FILE);
    set(&sheet, "decode", "20k tok/s", ORIGIN_FILE);
    set(&sheet, "output", "300", ORIGIN_FILE);
    set(&sheet, "price", "9 USD/h", ORIGIN_WORD);
    set(&sheet, "gpu", "h200", ORIGIN_WORD);
    assert_false(worksheet_has(&sheet, KEY_NODE_FLOPS) || worksheet_has(&sheet, KEY_DECODE));
    assert_true(worksheet_has(&sheet, KEY_OUTPUT) && sheet.value[KEY_PRICE] > 8.9);
}

static void what_is_missing_is_listed(void **state)
{
    (void)state;
    struct worksheet sheet;
    struct shapes shapes;
    struct error err = {0};
    assert_int_equal(shapes_load(&shapes, SOURCE_ROOT "/content", NULL, NULL), STATUS_OK);
    worksheet_init(&sheet);
    set(&sheet, "users", "1M", ORIGIN_WORD);
    set(&sheet, "gpu", "h100", ORIGIN_WORD);
    assert_int_equal(worksheet_fill(&sheet, &shapes, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "users, turns, prompt, output, ttft, tpot, params"));
    assert_null(strstr(err.message, "memory"));
    set(&sheet, "gpu", "abacus", ORIGIN_WORD);
    assert_int_equal(worksheet_fill(&sheet, &shapes, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "gpu: no row \"abacus\""));
    shapes_done(&shapes);
}

static void a_file_says_where_it_is_wrong(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"users: 1M\noutput: 300 ms\n", ":2: output: expected tokens"},
        {"users: 1M\nusers: 2M\n", ":2: key \"users\" a second time"},
        {"users: [1, 2]\n", ":1: a value is one word"},
        {"- users: 1M\n- users: 2M\n", "found 2"},
        {"users: &a 1M\n", ":1: anchors"},
        {"just words\n", ":1: expected \"key: value\""},
        {"users: 1M\n---\nusers: 2M\n", ":2: a second document"},
        {"users: '1M\n", "found unexpected end of stream"},
    };
    char path[] = "/tmp/lcx-worksheet-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct worksheet sheet;
        struct error err = {0};
        assert_int_equal(file_scratch(path, files[i][0], strlen(files[i][0]), 0600, NULL),
                         STATUS_OK);
        worksheet_init(&sheet);
        assert_int_not_equal(worksheet_load(&sheet, path, &err), STATUS_OK);
        if (!strstr(err.message, files[i][1])) fail_msg("%zu: %s", i, err.message);
    }
    unlink(path);
}

int main(void)
{
    locale_init("en", "/nonexistent");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_unit_is_named),
        cmocka_unit_test(bounds_and_whole_numbers_are_held),
        cmocka_unit_test(an_ambiguous_number_is_refused_in_spanish),
        cmocka_unit_test(users_may_be_said_by_the_day),
        cmocka_unit_test(another_gpu_drops_what_a_file_said_of_the_first),
        cmocka_unit_test(what_is_missing_is_listed),
        cmocka_unit_test(a_file_says_where_it_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
