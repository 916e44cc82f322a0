#include "text/token_file.h"

#include <unistd.h>

#include "text_world.h"

static void write_file(const char *path, uint64_t V, const int32_t *ids, size_t n)
{
    struct token_writer *writer;
    struct error err;
    assert_int_equal(token_writer_open(&writer, path, V, 77, &err), STATUS_OK);
    assert_int_equal(token_writer_add(writer, ids, n / 2, &err), STATUS_OK);
    assert_int_equal(token_writer_add(writer, ids + n / 2, n - n / 2, &err), STATUS_OK);
    assert_int_equal(token_writer_end(writer, &err), STATUS_OK);
}

static void ids_come_back(void **state)
{
    (void)state;
    struct error err;
    struct token_file file;
    char folder[] = "/tmp/lcx-tokens-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = path_join(folder, "a.tokens");
    const uint64_t sizes[] = {5, 65536, 65537, 200000};
    for (int i = 0; i < 4; i++) {
        const int32_t last = (int32_t)sizes[i] - 1, ids[] = {0, last, 3, last, 1, 2, 4};
        int32_t read[7];
        write_file(path, sizes[i], ids, 7);
        assert_int_equal(token_file_open(&file, path, &err), STATUS_OK);
        assert_int_equal(file.width, sizes[i] <= 65536 ? 2 : 4);
        assert_int_equal(file.n, 7);
        assert_int_equal(file.V, sizes[i]);
        assert_int_equal(file.tokenizer_hash, 77);
        token_file_read(&file, read, 0, 7);
        assert_memory_equal(read, ids, sizeof ids);
        token_file_read(&file, read, 2, 3);
        assert_memory_equal(read, ids + 2, 3 * sizeof *ids);
        assert_int_equal(token_file_id(&file, 1), last);
        token_file_close(&file);
    }
    assert_int_equal(folder_remove(folder, &err), STATUS_OK);
    free(path);
}

/* Every bit of the file matters: the header, the hash, or an id that is too large says so. */
static void a_changed_file_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct text bytes = {0};
    struct token_file file;
    char folder[] = "/tmp/lcx-tokens-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = path_join(folder, "a.tokens");
    write_file(path, 300, (int32_t[]){1, 2, 3, 299}, 4);
    assert_int_equal(file_read(&bytes, path, 4096, &err), STATUS_OK);
    assert_int_equal(bytes.size, TOKEN_FILE_HEADER + 8);
    assert_int_equal(token_file_view(&file, bytes.data, bytes.size, "x", &err), STATUS_OK);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(token_file_view(&file, bytes.data, size, "x", &err), STATUS_FORMAT);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(token_file_view(&file, bytes.data, bytes.size, "x", &err), STATUS_FORMAT);
        assert_true(err.message[0] && file.n == 0);
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_int_equal(token_file_open(&file, folder, &err), STATUS_FORMAT);
    assert_int_equal(token_file_open(&file, "/nowhere/x", &err), STATUS_NOT_FOUND);
    assert_int_equal(folder_remove(folder, &err), STATUS_OK);
    text_done(&bytes);
    free(path);
}

static void an_id_that_is_too_large_is_not_written(void **state)
{
    (void)state;
    struct error err;
    struct token_writer *writer;
    char folder[] = "/tmp/lcx-tokens-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = path_join(folder, "a.tokens");
    assert_int_equal(token_writer_open(&writer, path, 10, 0, &err), STATUS_OK);
    assert_int_equal(token_writer_add(writer, (int32_t[]){10}, 1, &err), STATUS_USAGE);
    token_writer_drop(writer);
    assert_false(file_exists(path));
    assert_int_equal(rmdir(folder), 0); /* nothing was left there */
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_back),
        cmocka_unit_test(a_changed_file_is_refused),
        cmocka_unit_test(an_id_that_is_too_large_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
