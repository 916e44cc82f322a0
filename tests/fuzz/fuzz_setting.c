/* fuzz_setting.c -- a setting from another machine: the name is the first line, the rest its
 * value. A date that is taken is written back as it was read. */
#include "progress/settings.h"

#include <string.h>

#include "base/text.h"
#include "progress/day.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text words = {0};
    struct error err = {0};
    int64_t day;
    char written[16];

    text_add_bytes(&words, bytes, size);
    text_add(&words, "\n");
    char *value = strchr(words.data, '\n');
    if (!value) { /* a NUL in the name ended it */
        text_done(&words);
        return 0;
    }
    *value++ = '\0';
    value[strcspn(value, "\n")] = '\0';

    const enum status status = setting_check(words.data, value, &err);
    CHECK(status == STATUS_OK || (err.status == status && err.message[0]));
    if (day_parse(value, &day)) {
        CHECK(day >= 0 && strcmp(day_text(written, day), value) == 0);
    } else {
        CHECK(status || strcmp(words.data, "interview-date") != 0 || !*value);
    }
    text_done(&words);
    return 0;
}
