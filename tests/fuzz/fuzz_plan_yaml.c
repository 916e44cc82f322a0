/* fuzz_plan_yaml.c -- a worksheet or a table that a user edited: refused with a reason, or rows of which every
 * key has its value; a value that a worksheet takes is within its bounds. */
#include "plan/rows.h"
#include "plan/worksheet.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void set(struct worksheet *sheet, const struct field *field)
{
    struct error err = {0};
    const enum status status =
        worksheet_set(sheet, field->key, field->value, NUMBER_ENGLISH, ORIGIN_FILE, &err);
    CHECK(status == STATUS_OK || (status == STATUS_USAGE && err.message[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct rows rows;
    struct error err = {0};
    const enum status status = rows_parse(&rows, (const char *)bytes, size, "f", &err);
    CHECK(status == STATUS_OK || (err.message[0] && rows.n == 0));
    for (int i = 0; i < rows.n; i++) {
        struct worksheet sheet;
        worksheet_init(&sheet);
        for (int j = 0; j < rows.rows[i].n_fields; j++) {
            CHECK(rows.rows[i].fields[j].key && rows.rows[i].fields[j].value);
            set(&sheet, &rows.rows[i].fields[j]);
        }
        for (int key = 0; key < WORKSHEET_KEYS; key++)
            CHECK(isnan(sheet.value[key]) || (sheet.value[key] >= worksheet_entries[key].low &&
                                              sheet.value[key] <= worksheet_entries[key].high));
    }
    rows_done(&rows);
    return 0;
}
