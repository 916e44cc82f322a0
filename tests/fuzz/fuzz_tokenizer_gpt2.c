/* fuzz_tokenizer_gpt2.c -- any bytes as vocab.json, a line with nothing but "--", and merges.txt. */
#include "tokenizer_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct tokenizer *tokenizer;
    struct error err = {0};
    const uint8_t *middle = size ? memmem(bytes, size, "\n--\n", 4) : NULL;
    const size_t first = middle ? (size_t)(middle - bytes) : size;
    const size_t second = middle ? first + 4 : size;
    const enum status status = tokenizer_gpt2_parse(
        &tokenizer, (const char *)bytes, first, (const char *)bytes + second, size - second, &err);
    use_tokenizer(tokenizer, status, &err);
    tokenizer_close(tokenizer);
    return 0;
}
