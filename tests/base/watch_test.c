#include "base/watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

/* The events are the kernel's; the time is ours, so that nothing here sleeps. */
static const int64_t ms = 1000000;

struct place {
    char folder[64];
    char *file, *other;
    struct watch watch;
    int64_t now;
    int64_t saves; /* each with a later modification time, whatever the file system's grain */
};

static void put(struct place *place, const char *path, const char *bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0 && descriptor_write(fd, bytes, strlen(bytes)));
    const struct timespec times[2] = {{.tv_sec = 1000 + place->saves},
                                      {.tv_sec = 1000 + place->saves}};
    place->saves++;
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static int begin(void **state)
{
    struct place *place = memory_new(1, sizeof *place);
    strcpy(place->folder, "/tmp/lcx-watch-XXXXXX");
    if (!mkdtemp(place->folder)) return -1;
    place->file = path_join(place->folder, "attention.py");
    place->other = path_join(place->folder, "notes.txt");
    place->now = 1000 * ms;
    put(place, place->file, "one");
    *state = place;
    return 0;
}

static int end(void **state)
{
    struct place *place = *state;
    struct error err;
    watch_done(&place->watch);
    const enum status status = folder_remove(place->folder, &err);
    free(place->file);
    free(place->other);
    free(place);
    return status;
}

static bool changed_after(struct place *place, int64_t passed_ms)
{
    place->now += passed_ms * ms;
    return watch_changed(&place->watch, place->now);
}

static void open_watch(struct place *place, enum watch_means means)
{
    watch_init(&place->watch, place->file, means, place->now);
    if (means == WATCH_INOTIFY && place->watch.inotify < 0) skip(); /* refused on this machine */
}

static void a_save_is_told_once_when_it_has_rested(void **state)
{
    struct place *place = *state;
    open_watch(place, WATCH_INOTIFY);
    assert_false(changed_after(place, 0));
    put(place, place->file, "two");
    assert_false(changed_after(place, 1));
    assert_int_equal(watch_patience_ms(&place->watch, place->now), WATCH_REST_MS);
    assert_false(changed_after(place, WATCH_REST_MS - 1));
    assert_true(changed_after(place, 1));
    assert_false(changed_after(place, 1));
    assert_false(changed_after(place, 10 * WATCH_DOUBT_MS));
}

static void writing_in_steps_is_one_save(void **state)
{
    struct place *place = *state;
    open_watch(place, WATCH_INOTIFY);
    for (int i = 0; i < 5; i++) {
        put(place, place->file, i % 2 ? "step" : "another step");
        assert_false(changed_after(place, WATCH_REST_MS / 2)); /* each one begins the rest anew */
    }
    assert_true(changed_after(place, WATCH_REST_MS));
    assert_false(changed_after(place, WATCH_REST_MS));
}

static void a_file_renamed_over_the_old_one_is_a_save(void **state)
{
    struct place *place = *state;
    open_watch(place, WATCH_INOTIFY);
    for (int i = 0; i < 2; i++) { /* the second replaces a file that was not there at the start */
        put(place, place->other, "two");
        assert_false(changed_after(place, 1));
        assert_int_equal(rename(place->other, place->file), 0);
        assert_false(changed_after(place, 1));
        assert_true(changed_after(place, WATCH_REST_MS));
    }
}

static void a_file_that_is_away_for_a_moment_is_waited_for(void **state)
{
    struct place *place = *state;
    open_watch(place, WATCH_INOTIFY);
    assert_int_equal(rename(place->file, place->other), 0); /* a backup first, as vim can */
    assert_false(changed_after(place, 1));
    assert_false(changed_after(place, WATCH_REST_MS));
    put(place, place->file, "two");
    assert_false(changed_after(place, 1));
    assert_true(changed_after(place, WATCH_REST_MS));
}

static void other_files_of_the_folder_say_nothing(void **state)
{
    struct place *place = *state;
    open_watch(place, WATCH_INOTIFY);
    put(place, place->other, "two");
    assert_false(changed_after(place, 1));
    assert_true(watch_patience_ms(&place->watch, place->now) > WATCH_REST_MS);
    assert_false(changed_after(place, 2 * WATCH_REST_MS));
    put(place, place->file, "two");
    assert_false(changed_after(place, 1));
    assert_true(changed_after(place, WATCH_REST_MS));
    assert_int_equal(chmod(place->file, 0600), 0); /* heard of, and no save */
    assert_false(changed_after(place, 1));
    assert_false(changed_after(place, 2 * WATCH_REST_MS));
}

static void where_inotify_is_refused_it_looks(void **state)
{
    struct place *place = *state;
    open_watch(place, WATCH_LOOK);
    assert_int_equal(place->watch.inotify, -1);
    assert_int_equal(watch_patience_ms(&place->watch, place->now), WATCH_LOOK_MS);
    put(place, place->file, "two");
    assert_false(changed_after(place, WATCH_LOOK_MS - 1));
    assert_false(changed_after(place, 1)); /* seen, not at rest */
    put(place, place->file, "still being written");
    assert_false(changed_after(place, WATCH_REST_MS));
    assert_true(changed_after(place, WATCH_REST_MS));
    assert_false(changed_after(place, WATCH_LOOK_MS));

    put(place, place->other, "three");
    assert_int_equal(rename(place->other, place->file), 0);
    assert_false(changed_after(place, WATCH_LOOK_MS));
    assert_true(changed_after(place, WATCH_REST_MS));
}

static void what_inotify_does_not_hear_is_found_by_looking(void **state)
{
    struct place *place = *state;
    char *link = path_join(place->folder, "link.py");
    assert_int_equal(symlink(place->file, link), 0);
    watch_init(&place->watch, link, WATCH_INOTIFY, place->now);
    assert_int_equal(place->watch.inotify, -1); /* the target may lie anywhere */
    put(place, place->file, "two");
    assert_false(changed_after(place, WATCH_LOOK_MS));
    assert_true(changed_after(place, WATCH_REST_MS));
    free(link);
}

static void a_folder_that_moves_away_and_comes_back_is_still_watched(void **state)
{
    struct place *place = *state;
    char *away = text_printf("%s.away", place->folder);
    open_watch(place, WATCH_INOTIFY);
    assert_int_equal(rename(place->folder, away), 0);
    assert_false(changed_after(place, 1));
    assert_int_equal(place->watch.inotify, -1);
    assert_int_equal(rename(away, place->folder), 0);
    put(place, place->file, "two");
    assert_false(changed_after(place, WATCH_LOOK_MS));
    assert_true(changed_after(place, WATCH_REST_MS));
    free(away);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_save_is_told_once_when_it_has_rested, begin, end),
        cmocka_unit_test_setup_teardown(writing_in_steps_is_one_save, begin, end),
        cmocka_unit_test_setup_teardown(a_file_renamed_over_the_old_one_is_a_save, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_away_for_a_moment_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(other_files_of_the_folder_say_nothing, begin, end),
        cmocka_unit_test_setup_teardown(where_inotify_is_refused_it_looks, begin, end),
        cmocka_unit_test_setup_teardown(what_inotify_does_not_hear_is_found_by_looking, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_that_moves_away_and_comes_back_is_still_watched,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
