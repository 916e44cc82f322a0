#include "train/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/lcx-report-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    struct error err;
    return folder_remove(folder, &err) ? -1 : 0;
}

static char *run_of(const char *name, const char *log)
{
    struct error err;
    char *run = path_join(folder, name), *path = path_join(run, "log.jsonl");
    assert_int_equal(folder_make(run, 0700, &err), STATUS_OK);
    assert_int_equal(file_write(path, log, strlen(log), 0600, &err), STATUS_OK);
    free(path);
    return run;
}

static const char usual[] =
    "{\"kind\":\"start\",\"step\":0,\"parameters\":804096}\n"
    "{\"kind\":\"step\",\"step\":1,\"loss\":4.2,\"rate\":1e-3,\"norm\":2,\"tokens_per_s\":900}\n"
    "{\"kind\":\"step\",\"step\":2,\"loss\":3.1,\"rate\":1e-3,\"norm\":1,\"tokens_per_s\":950}\n"
    "{\"kind\":\"valid\",\"step\":2,\"loss\":3.25}\n"
    "{\"kind\":\"skip\",\"step\":3,\"loss\":-1}\n"
    "{\"kind\":\"layers\",\"step\":2,\"parameters\":[{\"name\":\"wte\",\"weight\":0.5,"
    "\"gradient\":0.1,\"update\":0.02}]}\n"
    "{\"kind\":\"sample\",\"step\":2,\"text\":\"<script>alert(1)</script> & more\"}\n";

static void a_page_shows_runs_side_by_side(void **state)
{
    (void)state;
    struct text page = {0};
    struct error err;
    char *runs[] = {run_of("one", usual), run_of("two<b>", usual)};
    assert_int_equal(report_write(&page, runs, 2, &err), STATUS_OK);
    const char *html = text_string(&page);
    assert_non_null(strstr(html, "804096"));
    assert_non_null(strstr(html, "3.2500")); /* the best validation */
    assert_non_null(strstr(html, "<polyline"));
    assert_non_null(strstr(html, "class=high")); /* 0.02 / 0.5 is far above 1e-3 */
    assert_non_null(strstr(html, "#d1500b"));    /* the second run's colour */
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more"));
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "two<b>"));
    assert_null(strstr(html, "http"));
    text_done(&page);
    free(runs[0]);
    free(runs[1]);
}

static void a_log_of_nothing_makes_a_page_and_a_broken_one_does_not(void **state)
{
    (void)state;
    struct text page = {0};
    struct error err;
    char *empty = run_of("empty", ""), *broken = run_of("broken", "{\"kind\":\n");
    char *absent = path_join(folder, "absent");
    assert_int_equal(report_write(&page, &empty, 1, &err), STATUS_OK);
    assert_int_equal(report_write(&page, &broken, 1, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "log.jsonl:1"));
    assert_int_equal(report_write(&page, &absent, 1, &err), STATUS_NOT_FOUND);
    assert_int_equal(report_write(&page, &absent, 0, &err), STATUS_USAGE);
    text_done(&page);
    free(empty);
    free(broken);
    free(absent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_shows_runs_side_by_side),
        cmocka_unit_test(a_log_of_nothing_makes_a_page_and_a_broken_one_does_not),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
