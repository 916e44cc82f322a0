#include "text/text_parts.h"

#include <fcntl.h>
#include <unistd.h>

#include "text/split.h"
#include "text_world.h"

/* The pieces of the parts are the pieces of the whole, however small the parts are. */
static void parts_have_the_pieces_of_the_whole(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 61, 0);
    char path[] = "/tmp/lcx-parts-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (int round = 0; round < 400; round++) {
        struct text text = {0};
        struct error err;
        struct text_parts parts;
        enum status status;
        random_text(&text, &rng, (int)rng_between(&rng, 0, 400));
        assert_int_equal(file_scratch(path, text_string(&text), text.size, 0600, &err), 0);
        split_next *const next = split_scanner((enum split)(1 + round % (SPLIT_COUNT - 1)));
        assert_int_equal(text_parts_open(&parts, path, true, &err), STATUS_OK);
        parts.part = (size_t)rng_between(&rng, 1, 50);
        size_t whole = 0, n_parts = 0, before = 0;
        while (text_parts_next(&parts, &status, &err)) {
            size_t ends[8];
            const int n_ends = text_parts_cut(&parts, ends, 8);
            assert_int_equal(ends[n_ends - 1], parts.stop);
            for (int i = 0; i < n_ends; i++) {
                const size_t begin = i ? ends[i - 1] : 0;
                size_t at = begin;
                while (at < ends[i]) {
                    const unsigned char *from = (unsigned char *)parts.held.data + begin;
                    at = begin + next(from, parts.held.size - begin, at - begin);
                    whole = next((unsigned char *)text.data, text.size, whole);
                    assert_int_equal(whole, before + at);
                }
                assert_int_equal(at, ends[i]);
            }
            before += parts.stop;
            n_parts++;
        }
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(whole, text.size);
        assert_true(n_parts <= text.size);
        text_parts_close(&parts);
        text_done(&text);
    }
    close(fd);
    unlink(path);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    struct error err;
    struct text_parts parts;
    enum status status;
    assert_int_equal(text_parts_open(&parts, "/nowhere/at/all", true, &err), STATUS_NOT_FOUND);
    assert_int_equal(text_parts_open(&parts, "/tmp", true, &err), STATUS_OK);
    assert_false(text_parts_next(&parts, &status, &err)); /* a folder cannot be read */
    assert_int_equal(status, STATUS_IO);
    text_parts_close(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_have_the_pieces_of_the_whole),
        cmocka_unit_test(what_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
