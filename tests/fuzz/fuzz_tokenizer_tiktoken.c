/* fuzz_tokenizer_tiktoken.c -- any bytes as a .tiktoken file. */
#include "tokenizer_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct tokenizer *tokenizer;
    struct error err = {0};
    const enum status status =
        tokenizer_tiktoken_parse(&tokenizer, (const char *)bytes, size, "r50k_base.tiktoken", &err);
    use_tokenizer(tokenizer, status, &err);
    tokenizer_close(tokenizer);
    return 0;
}
