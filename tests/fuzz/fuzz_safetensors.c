/* fuzz_safetensors.c -- a file of weights from anyone.
 *
 * After '@' comes a header: its length is put before it, so that inputs get past that; the buffer is
 * whatever number of zeros its first byte says. Else the bytes are the file. */
#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void with_length(struct text *file, const uint8_t *bytes, size_t size)
{
    const size_t buffer = size > 1 ? bytes[1] : 0, header = size > 2 ? size - 2 : 0;
    for (int i = 0; i < 8; i++) text_add_char(file, (char)((uint64_t)header >> (8 * i) & 255));
    if (header) text_add_bytes(file, bytes + 2, header);
    for (size_t i = 0; i < buffer; i++) text_add_char(file, (char)i);
}

/* All that was let through can be read, and lies in the file. */
static void look(const struct safetensors *file)
{
    uint64_t at = 0;
    for (int i = 0; i < file->n; i++) {
        const struct safetensors_tensor *tensor = &file->tensors[i];
        struct error err;
        CHECK(tensor->begin == at && tensor->end >= at);
        CHECK(tensor->end <= file->size - file->buffer);
        CHECK(safetensors_find(file, tensor->name) == tensor);
        at = tensor->end;
        const int64_t count = safetensors_count(tensor);
        CHECK(count >= 0);
        float *numbers = memory_new((size_t)count + 1, sizeof *numbers);
        if (safetensors_read_f32(file, tensor, numbers, &err)) CHECK(err.message[0]);
        free(numbers);
    }
    CHECK(at == file->size - file->buffer && json_is_object(file->metadata));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text file = {0};
    struct safetensors opened;
    struct error err = {0};
    if (size && bytes[0] == '@') with_length(&file, bytes, size);
    else text_add_bytes(&file, bytes, size);
    const enum status status = safetensors_view(&opened, text_string(&file), file.size, &err);
    if (status) CHECK(err.status == status && err.message[0] && opened.n == 0);
    else look(&opened);
    safetensors_close(&opened);
    text_done(&file);
    return 0;
}
