/* fuzz_markdown.c -- any bytes, any width: no crash, no escape from the page.
 *
 * The first byte chooses width and colours, the rest is the page. */
#include "base/markdown.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool ready;
    if (!ready) setlocale(LC_ALL, "C.UTF-8");
    ready = true;
    if (size == 0) return 0;

    const struct terminal terminal = {
        .width = 20 + bytes[0] % 81, .colour = bytes[0] & 1, .plain = bytes[0] & 2};
    struct text out = {0};
    struct error err;
    CHECK(!markdown_render(&out, (const char *)bytes + 1, size - 1, &terminal, &err));
    CHECK(text_utf8_valid(text_string(&out), out.size) == out.size);
    CHECK(terminal.colour || !memchr(text_string(&out), '\033', out.size));
    CHECK(out.size == 0 || out.data[out.size - 1] == '\n');
    text_done(&out);
    return 0;
}
