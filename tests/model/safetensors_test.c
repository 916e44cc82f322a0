#include "model/safetensors.h"

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
#include "base/text.h"

/* A file from its header and the size of its buffer. */
static void build(struct text *out, const char *header, size_t header_size, size_t buffer)
{
    text_clear(out);
    for (int i = 0; i < 8; i++) text_add_char(out, (char)(header_size >> (8 * i) & 255));
    text_add_bytes(out, header, strlen(header));
    for (size_t i = 0; i < buffer; i++) text_add_char(out, (char)(i * 7));
}

static void expect(const char *header, size_t buffer, const char *name)
{
    struct text file = {0};
    struct safetensors opened;
    struct error err = {0};
    build(&file, header, strlen(header), buffer);
    const enum status status = safetensors_view(&opened, file.data, file.size, &err);
    if (!name) {
        if (status) fail_msg("%s: %s", header, err.message);
    } else if (!status || strncmp(err.message, name, strlen(name)) != 0) {
        fail_msg("%s: expected %s, got %s", header, name, status ? err.message : "a file");
    }
    safetensors_close(&opened);
    text_done(&file);
}

#define ENTRY(name, shape, from, to) \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void what_the_format_allows_is_read(void **state)
{
    (void)state;
    expect("{}", 0, NULL);
    expect("{}      ", 0, NULL); /* padded */
    expect("{" ENTRY("a", "[2,3]", "0", "24") "}", 24, NULL);
    expect("{" ENTRY("a", "[]", "0", "4") "}", 4, NULL);    /* one number */
    expect("{" ENTRY("a", "[0,5]", "0", "0") "}", 0, NULL); /* none */
    expect("{" ENTRY("b", "[1]", "4", "8") "," ENTRY("a", "[1]", "0", "4") "}", 8, NULL);
    expect("{\"__metadata__\":{\"k\":\"v\"}," ENTRY("a", "[1]", "0", "4") "}", 4, NULL);
    expect("{\"a\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2, NULL);
}

static void what_it_does_not_allow_is_refused_by_name(void **state)
{
    (void)state;
    const char *const deserialization = "InvalidHeaderDeserialization";
    expect("[]", 0, deserialization);
    expect(" {}", 0, deserialization);
    expect("{", 0, deserialization);
    expect("{}x", 0, deserialization);
    expect("{\"a\":1}", 0, deserialization);
    expect("{\"a\xff\":1}", 0, "InvalidHeader:");
    expect("{" ENTRY("a", "[1]", "0", "4") "," ENTRY("a", "[1]", "4", "8") "}", 8, deserialization);
    expect("{" ENTRY("a", "[-1]", "0", "4") "}", 4, deserialization);
    expect("{" ENTRY("a", "[1.0]", "0", "4") "}", 4, deserialization);
    expect("{" ENTRY("a", "[1]", "-4", "0") "}", 4, deserialization);
    expect("{" ENTRY("a", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, deserialization);
    expect("{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, deserialization);
    expect("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4,
           deserialization);
    expect("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, deserialization);
    expect("{\"__metadata__\":{\"k\":1}}", 0, deserialization);
    expect("{\"__metadata__\":[]}", 0, deserialization);
    expect("{" ENTRY("a", "[1]", "0", "8") "}", 8, "TensorInvalidInfo");
    expect("{" ENTRY("a", "[1]", "4", "0") "}", 4, "TensorInvalidInfo");
    expect("{" ENTRY("a", "[1]", "4", "8") "}", 8, "InvalidOffset"); /* a hole at the start */
    expect("{" ENTRY("a", "[1]", "0", "4") "," ENTRY("b", "[1]", "8", "12") "}", 12,
           "InvalidOffset");
    expect("{" ENTRY("a", "[2]", "0", "8") "," ENTRY("b", "[1]", "4", "8") "}", 8, "InvalidOffset");
    expect("{" ENTRY("a", "[1]", "0", "4") "}", 5, "MetadataIncompleteBuffer"); /* bytes behind */
    expect("{" ENTRY("a", "[2]", "0", "8") "}", 7, "MetadataIncompleteBuffer");
    expect("{" ENTRY("a", "[4294967296,4294967296]", "0", "0") "}", 0, "ValidationOverflow");
    expect("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, "MisalignedSlice");
}

static void a_length_is_believed_only_within_the_file(void **state)
{
    (void)state;
    struct text file = {0};
    struct safetensors opened;
    struct error err;
    for (size_t size = 0; size < 8; size++) {
        assert_int_equal(safetensors_view(&opened, "\0\0\0\0\0\0\0", size, &err), STATUS_FORMAT);
        assert_non_null(strstr(err.message, "HeaderTooSmall"));
    }
    build(&file, "{}", 3, 0);
    assert_int_equal(safetensors_view(&opened, file.data, file.size, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "InvalidHeaderLength"));
    build(&file, "{}", 100000001, 0);
    assert_int_equal(safetensors_view(&opened, file.data, file.size, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "HeaderTooLarge"));
    build(&file, "{}", SIZE_MAX, 0);
    assert_int_equal(safetensors_view(&opened, file.data, file.size, &err), STATUS_FORMAT);
    text_done(&file);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    char folder[] = "/tmp/lcx-safetensors-XXXXXX";
    float numbers[6] = {1, -2, 3.5f, INFINITY, NAN, -0.0f}, read[6], turned[6];
    const int32_t whole[2] = {7, -7};
    struct safetensors file;
    struct error err;
    assert_non_null(mkdtemp(folder));
    char *path = path_join(folder, "a.safetensors");
    const struct safetensors_item items[] = {
        {.name = "two", .type = SAFETENSORS_F32, .ndim = 2, .shape = {2, 3}, .data = numbers},
        {.name = "ids", .type = SAFETENSORS_I32, .ndim = 1, .shape = {2}, .data = whole},
        {.name = "turned",
         .type = SAFETENSORS_F32,
         .ndim = 2,
         .shape = {3, 2},
         .data = numbers,
         .transposed = true},
    };
    json_t *metadata = json_pack("{s:s}", "key", "gr\xc3\xbc\xc3\x9f");
    assert_int_equal(safetensors_write(path, items, 3, metadata, &err), STATUS_OK);
    json_decref(metadata);
    assert_int_equal(safetensors_open(&file, path, &err), STATUS_OK);
    assert_int_equal(file.n, 3);
    assert_int_equal(file.buffer % 64, 0);
    assert_string_equal(safetensors_metadata(&file, "key"), "gr\xc3\xbc\xc3\x9f");
    assert_null(safetensors_metadata(&file, "other"));
    assert_int_equal(safetensors_read_f32(&file, safetensors_find(&file, "two"), read, &err), 0);
    assert_memory_equal(read, numbers, sizeof numbers);
    assert_int_equal(safetensors_read_f32(&file, safetensors_find(&file, "turned"), turned, &err),
                     0);
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 2; c++)
            assert_memory_equal(&turned[r * 2 + c], &numbers[c * 3 + r], sizeof(float));
    assert_int_equal(safetensors_read_f32(&file, safetensors_find(&file, "ids"), read, &err),
                     STATUS_FORMAT);

    /* the file becomes shorter while it is open: an error, no signal */
    assert_int_equal(truncate(path, (off_t)file.buffer + 10), 0);
    assert_int_equal(safetensors_read_f32(&file, safetensors_find(&file, "two"), read, &err),
                     STATUS_IO);
    safetensors_close(&file);
    assert_int_equal(safetensors_open(&file, path, &err), STATUS_FORMAT);
    assert_int_equal(safetensors_open(&file, folder, &err), STATUS_FORMAT);
    free(path);
    path = path_join(folder, "none");
    assert_int_equal(safetensors_open(&file, path, &err), STATUS_NOT_FOUND);
    free(path);
    assert_int_equal(folder_remove(folder, &err), STATUS_OK);
}

static void narrow_numbers_are_widened(void **state)
{
    (void)state;
    static const char header[] = "{\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                                 "\"d\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[12,20]},"
                                 "\"h\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[4,12]}}";
    const uint16_t narrow[6] = {0x3fc0, 0xff80, 0x3c00, 0x0001, 0xfc00, 0x8000};
    const double wide = 0.1;
    struct text bytes = {0};
    struct safetensors file;
    struct error err;
    float read[4];
    build(&bytes, header, strlen(header), 0);
    text_add_bytes(&bytes, narrow, sizeof narrow);
    text_add_bytes(&bytes, &wide, sizeof wide);
    assert_int_equal(safetensors_view(&file, bytes.data, bytes.size, &err), STATUS_OK);
    assert_int_equal(safetensors_read_f32(&file, safetensors_find(&file, "b"), read, &err), 0);
    assert_true(read[0] == 1.5f && read[1] == -INFINITY);
    assert_int_equal(safetensors_read_f32(&file, safetensors_find(&file, "h"), read, &err), 0);
    assert_true(read[0] == 1.0f && read[1] == 0x1p-24f && read[2] == -INFINITY && read[3] == 0);
    assert_true(signbit(read[3]));
    assert_int_equal(safetensors_read_f32(&file, safetensors_find(&file, "d"), read, &err), 0);
    assert_true(read[0] == 0.1f);
    safetensors_close(&file);
    text_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_format_allows_is_read),
        cmocka_unit_test(what_it_does_not_allow_is_refused_by_name),
        cmocka_unit_test(a_length_is_believed_only_within_the_file),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(narrow_numbers_are_widened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
