/* fuzz_token_file.c -- any bytes as a token file; after '@' the magic and the version that fit are put
 * before them. What opens can be read whole, and its ids are below its V. */
#include "text/token_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct token_file file;
    struct text input = {0};
    struct error err = {0};
    if (size && bytes[0] == '@') {
        const uint32_t version = TOKEN_FILE_VERSION;
        text_add(&input, "LCXTOKEN");
        text_add_bytes(&input, &version, sizeof version);
        bytes++;
        size--;
    }
    text_add_bytes(&input, bytes, size);
    const enum status status = token_file_view(&file, input.data, input.size, "fuzz", &err);
    if (status) CHECK(err.status == status && err.message[0] && file.n == 0);
    for (uint64_t i = 0; i < file.n; i++)
        CHECK(token_file_id(&file, i) >= 0 && (uint64_t)token_file_id(&file, i) < file.V);
    token_file_close(&file);
    text_done(&input);
    return 0;
}
