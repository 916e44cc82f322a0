/* fuzz_json.c -- any bytes as JSON: refused with a place, or the same value once written and read
 * again. And any bytes as a string: always a valid one. */
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_back(const json_t *value)
{
    json_t *again;
    struct error err = {0};
    char *line = json_line(value);
    CHECK(!strchr(line, '\n'));
    CHECK(!json_parse(&again, line, strlen(line), &err));
    CHECK(json_equal(value, again));
    json_decref(again);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    json_t *value;
    struct error err = {0};
    const enum status status = json_parse(&value, (const char *)bytes, size, &err);
    if (status) CHECK(!value && err.status == status && err.message[0]);
    else read_back(value);
    json_decref(value);

    json_t *list = json_array();
    CHECK(json_array_append_new(list, json_text((const char *)bytes, size)) == 0);
    read_back(list);
    json_decref(list);
    return 0;
}
