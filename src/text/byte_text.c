/* byte_text.c -- bytes as printable characters, as GPT-2's files write them.
 *
 * Bytes that print stand for themselves; the others, in order, are U+0100 and on: a blank is U+0120.
 * Source: Radford et al. 2019, the code published with it. */
#include <pthread.h>
#include <string.h>

#include "text/tokenizer_file.h"
#include "text/unicode.h"

enum { CODES = 0x144 };

static int32_t code_of[256];
static int16_t byte_of[CODES]; /* -1: no byte is written so */

static bool prints(int byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

static void fill(void)
{
    int32_t next = 0x100;
    memset(byte_of, 0xFF, sizeof byte_of);
    for (int byte = 0; byte < 256; byte++) {
        code_of[byte] = prints(byte) ? byte : next++;
        byte_of[code_of[byte]] = (int16_t)byte;
    }
    CHECK(next == CODES);
}

static void prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, fill) == 0);
}

bool byte_text_read(struct text *out, const char *string, size_t size)
{
    const unsigned char *p = (const unsigned char *)string;
    prepare();
    for (size_t at = 0; at < size;) {
        int32_t code;
        at += unicode_read(&code, p + at, size - at);
        if (code < 0 || code >= CODES || byte_of[code] < 0) return false;
        text_add_char(out, (char)byte_of[code]);
    }
    return true;
}

void byte_text_write(struct text *out, const char *bytes, size_t size)
{
    prepare();
    for (size_t i = 0; i < size; i++) {
        char written[4];
        text_add_bytes(out, written, unicode_write(written, code_of[(unsigned char)bytes[i]]));
    }
}
