/* fuzz_unit.c -- numbers with units in any bytes: within the text, finite, in order, the same when the
 * quantity stands alone. The first byte chooses the language. */
#include "plan/unit.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct quantity *quantity, size_t room)
{
    CHECK(quantity->size > 0 && quantity->size <= room);
    CHECK(isfinite(quantity->value) && quantity->value >= 0);
    CHECK(isfinite(quantity->other) && quantity->other >= 0);
    CHECK(quantity->unit < UNIT_COUNT && quantity->per < UNIT_COUNT);
    CHECK(quantity->ambiguous || quantity->other == quantity->value);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (!size) return 0;
    const enum number_style style = bytes[0] & 1 ? NUMBER_SPANISH : NUMBER_ENGLISH;
    char *text = memory_new(size, 1); /* no byte more than there is, so that a sanitizer sees one */
    memcpy(text, bytes + 1, size - 1);
    struct quantity quantity, alone;
    if (quantity_parse(&quantity, text, size - 1, style)) check(&quantity, size - 1);
    for (size_t at = 0; quantity_find(&quantity, &at, text, size - 1, style);) {
        check(&quantity, size - 1 - at);
        CHECK(quantity_parse(&alone, text + at, size - 1 - at, style));
        CHECK(alone.value == quantity.value && alone.size == quantity.size);
        at += quantity.size;
    }
    free(text);
    return 0;
}
