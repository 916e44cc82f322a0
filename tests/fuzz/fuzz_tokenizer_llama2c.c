/* fuzz_tokenizer_llama2c.c -- any bytes as tok.bin. After '@' the 259 tokens that every such file begins
 * with are put before the bytes, so that short inputs get past them. */
#include <stdio.h>

#include "tokenizer_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void add(struct text *out, const char *token)
{
    const float score = 0;
    const int32_t length = (int32_t)strlen(token);
    text_add_bytes(out, &score, sizeof score);
    text_add_bytes(out, &length, sizeof length);
    text_add(out, token);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct tokenizer *tokenizer;
    struct text file = {0}, written = {0};
    struct error err = {0};
    const int32_t longest = 8;
    if (size && bytes[0] == '@') {
        char name[8];
        text_add_bytes(&file, &longest, sizeof longest);
        add(&file, "<unk>");
        add(&file, "<s>");
        add(&file, "</s>");
        for (int byte = 0; byte < 256; byte++) {
            snprintf(name, sizeof name, "<0x%02X>", byte);
            add(&file, name);
        }
        bytes++;
        size--;
    }
    text_add_bytes(&file, bytes, size);
    const enum status status = tokenizer_llama2c_parse(&tokenizer, file.data, file.size, &err);
    use_tokenizer(tokenizer, status, &err);
    if (!status &&
        !tokenizer_llama2c_write(&written, tokenizer, &err)) /* but for the first number */
        CHECK(written.size == file.size && !memcmp(written.data + 4, file.data + 4, file.size - 4));
    text_done(&file);
    text_done(&written);
    tokenizer_close(tokenizer);
    return 0;
}
