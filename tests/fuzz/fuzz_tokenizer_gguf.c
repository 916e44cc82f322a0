/* fuzz_tokenizer_gguf.c -- any bytes as a GGUF file with a vocabulary. */
#include "text/gguf_read.h"
#include "tokenizer_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct tokenizer *tokenizer, *again;
    struct text written = {0};
    struct error err = {0};
    const enum status status = tokenizer_gguf_parse(&tokenizer, (const char *)bytes, size, &err);
    use_tokenizer(tokenizer, status, &err);
    if (!status && !tokenizer_gguf_write(&written, tokenizer, &err)) {
        const enum status read = tokenizer_gguf_parse(&again, written.data, written.size, &err);
        use_tokenizer(again, read, &err);
        tokenizer_close(again);
    }
    text_done(&written);
    tokenizer_close(tokenizer);
    return 0;
}
