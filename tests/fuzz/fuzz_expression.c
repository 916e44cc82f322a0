/* fuzz_expression.c -- any bytes as an expression: a finite value, or 0 and the reason. */
#include "content/expression.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct expression_value values[] = {{"users", 2e7}, {"x", 3}};
    char *text = memory_new(size + 1, 1);
    struct error err;
    double value, again;
    memcpy(text, bytes, size);
    const enum status status = expression_evaluate(&value, text, values, 2, &err);
    CHECK(isfinite(value));
    if (status) CHECK(value == 0 && err.status == status && err.message[0]);
    else CHECK(!expression_evaluate(&again, text, values, 2, &err) && again == value);
    free(text);
    return 0;
}
