#include "text/unicode.h"

#include <utf8proc.h>

#include "text_world.h"

static unsigned expected(int32_t code)
{
    unsigned bits = 0;
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT: bits = UNICODE_LETTER | UNICODE_BEGINS; break;
    case UTF8PROC_CATEGORY_LL: bits = UNICODE_LETTER | UNICODE_ENDS; break;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: bits = UNICODE_LETTER | UNICODE_BEGINS | UNICODE_ENDS; break;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: bits = UNICODE_MARK | UNICODE_BEGINS | UNICODE_ENDS; break;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: bits = UNICODE_NUMBER; break;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: bits = UNICODE_PUNCTUATION; break;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO: bits = UNICODE_SYMBOL; break;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: bits = UNICODE_SPACE; break; /* all of Z has White_Space */
    default: break;
    }
    if ((code >= 9 && code <= 13) || code == 0x85) bits |= UNICODE_SPACE;
    return bits;
}

/* Another release of utf8proc may know characters that the table does not, and a few that moved. */
static void every_code_point_has_its_classes(void **state)
{
    (void)state;
    const bool same = strcmp(utf8proc_unicode_version(), unicode_version()) == 0;
    int differ = 0;
    unicode_init();
    for (int32_t code = 0; code < 0x110000; code++) {
        if (unicode_class(code) == expected(code)) continue;
        if (same) fail_msg("U+%04X: %u, expected %u", code, unicode_class(code), expected(code));
        differ += unicode_class(code) != 0;
    }
    if (!same) print_message("utf8proc knows Unicode %s\n", utf8proc_unicode_version());
    assert_in_range(differ, 0, 100);
}

static void reading_undoes_writing(void **state)
{
    (void)state;
    for (int32_t code = 0; code < 0x110000; code++) {
        char bytes[4];
        int32_t read;
        const size_t n = unicode_write(bytes, code);
        const size_t taken = unicode_read(&read, (unsigned char *)bytes, n);
        if (code >= 0xD800 && code < 0xE000) {
            assert_int_equal(read, UNICODE_INVALID);
            assert_int_equal(taken, 1);
            continue;
        }
        assert_int_equal(read, code);
        assert_int_equal(taken, n);
        for (size_t less = 1; less < n; less++) { /* cut short it is no character */
            assert_int_equal(unicode_read(&read, (unsigned char *)bytes, less), 1);
            assert_int_equal(read, UNICODE_INVALID);
        }
    }
}

static void what_is_not_utf8_is_read_byte_by_byte(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5, 0);
    for (int i = 0; i < 200000; i++) {
        unsigned char bytes[4];
        int32_t code;
        for (int k = 0; k < 4; k++) bytes[k] = (unsigned char)rng_below(&rng, 256);
        const size_t n = unicode_read(&code, bytes, 4), valid = text_utf8_valid(bytes, n);
        assert_true(code == UNICODE_INVALID ? n == 1 && valid == 0 : valid == n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_has_its_classes),
        cmocka_unit_test(reading_undoes_writing),
        cmocka_unit_test(what_is_not_utf8_is_read_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
