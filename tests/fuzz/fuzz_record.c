/* fuzz_record.c -- a message from a process that may do anything.
 *
 * After '@' come the number of fields and the fields: the header that fits is put before them, so
 * that inputs of any length get past it. Else the bytes are the message. */
#include "tensor/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void with_header(struct text *message, const uint8_t *bytes, size_t size)
{
    const uint32_t n_fields = size > 1 ? bytes[1] : 0;
    const uint64_t body = size > 2 ? size - 2 : 0;
    text_add(message, "LCXR");
    text_add_bytes(message, &n_fields, sizeof n_fields);
    text_add_bytes(message, &body, sizeof body);
    if (body) text_add_bytes(message, bytes + 2, (size_t)body);
}

static volatile double seen; /* so that no element's read is left out */

/* Every field can be looked at, whatever it holds. */
static void look(const struct record *record)
{
    char shape[128];
    double sum = 0.0;
    for (int i = 0; i < record->n_fields; i++) {
        const struct field *field = &record->fields[i];
        const struct array *array = &field->array;
        CHECK(field->name[0] && record_find(record, field->name) == array);
        CHECK(array_count(array) >= 0 && dtype_name(array->dtype));
        CHECK(array_shape(shape, array)[0] == '[');
        for (int64_t k = 0; k < array_count(array); k++) sum += array_at(array, k);
        if (array->dtype == DTYPE_U8) free(record_text(record, field->name));
    }
    seen = sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text message = {0}, once = {0}, twice = {0};
    struct record record, again;
    struct error err = {0};

    if (size && bytes[0] == '@') with_header(&message, bytes, size);
    else text_add_bytes(&message, bytes, size);

    const enum status status = record_decode(&record, message.data, message.size, &err);
    if (status) {
        CHECK(err.status == status && err.message[0]);
        CHECK(record.n_fields == 0 && !record.fields);
    } else {
        look(&record);
        record_encode(&once, &record); /* padding and the bytes of bools may be others */
        CHECK(once.size == message.size);
        CHECK(!record_decode(&again, once.data, once.size, &err));
        record_encode(&twice, &again);
        CHECK(twice.size == once.size && memcmp(twice.data, once.data, once.size) == 0);
        record_done(&again);
    }
    record_done(&record);
    text_done(&message);
    text_done(&once);
    text_done(&twice);
    return 0;
}
