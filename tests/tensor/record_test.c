#include "tensor/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void make_sample(struct record *record)
{
    float *q = record_add_f32(record, "q", SHAPE(2, 3));
    for (int i = 0; i < 6; i++) q[i] = (float)i * 0.5f;
    record_add_bool(record, "mask", SHAPE(5))[4] = 1;
    record_add_int(record, "steps", -7);
    record_add_f64(record, "empty", SHAPE(0, 4));
    record_add_text(record, "op", "run");
}

static void a_record_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    struct record sent = {0}, got;
    struct text message = {0};
    make_sample(&sent);
    record_encode(&message, &sent);

    assert_int_equal(record_decode(&got, message.data, message.size, NULL), STATUS_OK);
    assert_int_equal(got.n_fields, 5);
    assert_int_equal(record_dim(&got, "q", 1), 3);
    assert_memory_equal(record_f32(&got, "q"), record_f32(&sent, "q"), 24);
    assert_int_equal(record_u8(&got, "mask")[4], 1);
    assert_int_equal(record_int(&got, "steps"), -7);
    assert_int_equal(array_count(record_find(&got, "empty")), 0);
    char *op = record_text(&got, "op");
    assert_string_equal(op, "run");
    free(op);
    text_done(&message);
    record_done(&sent);
    record_done(&got);
}

static void every_truncation_and_every_flipped_byte_is_survived(void **state)
{
    (void)state;
    struct record sent = {0}, got;
    struct text message = {0};
    make_sample(&sent);
    record_encode(&message, &sent);

    for (size_t size = 0; size < message.size; size++) {
        char *cut = malloc(size + 1); /* exact size: the sanitizer sees any step outside */
        memcpy(cut, message.data, size);
        cut = realloc(cut, size ? size : 1);
        assert_int_not_equal(record_decode(&got, cut, size, NULL), STATUS_OK);
        free(cut);
    }
    for (size_t i = 0; i < message.size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            message.data[i] ^= (char)(1 << bit);
            if (record_decode(&got, message.data, message.size, NULL) == STATUS_OK)
                record_done(&got);
            message.data[i] ^= (char)(1 << bit);
        }
    }
    text_done(&message);
    record_done(&sent);
}

static void a_size_that_overflows_is_refused(void **state)
{
    (void)state;
    struct record sent = {0}, got;
    struct text message = {0};
    struct error err = {0};
    record_add_f32(&sent, "x", SHAPE(1, 1, 1));
    record_encode(&message, &sent);
    const int64_t huge[3] = {1 << 27, 1 << 27, 1 << 27};
    memcpy(message.data + RECORD_HEADER_BYTES + 8, huge, sizeof huge);
    assert_int_equal(record_decode(&got, message.data, message.size, &err), STATUS_LIMIT);
    assert_non_null(strstr(err.message, "too large"));
    text_done(&message);
    record_done(&sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was_sent),
        cmocka_unit_test(every_truncation_and_every_flipped_byte_is_survived),
        cmocka_unit_test(a_size_that_overflows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
