/* fuzz_tokenizer_json.c -- any bytes as tokenizer.json: refused with the reason, or usable, and the same
 * once written and read again. */
#include "tokenizer_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct tokenizer *tokenizer, *again;
    struct text json = {0};
    struct error err = {0};
    const enum status status = tokenizer_json_parse(&tokenizer, (const char *)bytes, size, &err);
    use_tokenizer(tokenizer, status, &err);
    if (!status && !tokenizer_json_write(&json, tokenizer, &err)) {
        const enum status read = tokenizer_json_parse(&again, json.data, json.size, &err);
        use_tokenizer(again, read, &err);
        tokenizer_close(again);
    }
    text_done(&json);
    tokenizer_close(tokenizer);
    return 0;
}
