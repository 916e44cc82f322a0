/* fuzz_llama2c.c -- a llama2.c model from anyone.
 *
 * After '@': the seven sizes as bytes, then 'v' for version 1; the file is made as long as they say,
 * so that inputs get past the check of the size. Else the bytes are the file. */
#include "model/llama2c.h"

#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void made_to_fit(struct text *file, const uint8_t *bytes, size_t size)
{
    int32_t sizes[7] = {0};
    const bool version = size > 8 && bytes[8] == 'v';
    for (size_t i = 0; i < 7 && i + 1 < size; i++) sizes[i] = (int8_t)bytes[i + 1];
    if (version) text_add_bytes(file, (const int32_t[]){0x616b3432, 1}, 8);
    text_add_bytes(file, sizes, sizeof sizes);
    if (version)
        while (file->size < 256) text_add_char(file, size & 1 ? 1 : 0);

    struct parameters parameters; /* the message says how many bytes it wants: try some */
    struct error err;
    for (int64_t numbers = 0; numbers < 4096; numbers++) {
        const enum status status = llama2c_parse(&parameters, file->data, file->size, &err);
        parameters_done(&parameters);
        if (!status) break;
        text_add_bytes(file, &(float){1}, sizeof(float));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text file = {0};
    struct parameters parameters;
    struct error err = {0};
    if (size && bytes[0] == '@') made_to_fit(&file, bytes, size);
    else text_add_bytes(&file, bytes, size);
    const enum status status = llama2c_parse(&parameters, text_string(&file), file.size, &err);
    if (status) CHECK(err.message[0] && !parameters.data);
    else CHECK(parameters.count > 0 && parameters.data);
    parameters_done(&parameters);
    text_done(&file);
    return 0;
}
