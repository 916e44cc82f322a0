/* text_world.h -- what the tests of this room share: random texts, and where shared data lies. */
#ifndef TESTS_TEXT_WORLD_H
#define TESTS_TEXT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/text.h"
#include "text/unicode.h"

/* Append n characters that are good at finding mistakes: letters of several scripts and cases, marks,
 * digits, punctuation, apostrophes, all kinds of white space; sometimes any code point. */
static inline void random_text(struct text *out, struct rng *rng, int n)
{
    static const int32_t likely[] = {
        'a',     'b',    'c',    's',    't',    'l',     'e',     'r',     'v',   'd',    'm',
        'S',     'T',    'L',    'E',    'A',    'Z',     'D',     ' ',     ' ',   ' ',    ' ',
        '\n',    '\n',   '\r',   '\t',   '\'',   '\'',    '\'',    '.',     ',',   '!',    '-',
        '/',     '/',    '0',    '1',    '9',    '_',     '<',     '|',     '>',   0xA0,   0x85,
        0x2028,  0x3000, 0x200B, 0x17F,  0x130,  0xDF,    0xE9,    0xC9,    0x301, 0x308,  0x1C5,
        0x2B0,   0xAA,   0x4E2D, 0x6587, 0x3042, 0x30A2,  0x5D0,   0x627,   0x915, 0x93F,  0x1F600,
        0x1F468, 0x200D, 0x660,  0xBD,   0x2160, 0x10400, 0x10428, 0x1D400, 0xAD,  0xFEFF, 0x180E,
        0x378,   0xE000, 0x0,    0x7F,   0x600};
    const int n_likely = sizeof likely / sizeof *likely;
    for (int i = 0; i < n; i++) {
        int32_t code = likely[rng_below(rng, n_likely)];
        const int64_t kind = rng_below(rng, 40);
        if (kind == 0) do
                code = (int32_t)rng_below(rng, 0x110000);
            while (code >= 0xD800 && code < 0xE000);
        char written[4];
        const int64_t times = kind < 4 ? rng_between(rng, 1, 6) : 1;
        for (int64_t k = 0; k < times; k++)
            text_add_bytes(out, written, unicode_write(written, code));
    }
}

/* A file of the test data that is not part of the sources; false, with a line, where it is absent. */
static inline bool shared_data(struct text *out, const char *name)
{
    struct error err;
    char *path = text_printf("%s/../shared/data/%s", SOURCE_ROOT, name);
    const enum status status = file_read(out, path, 1 << 28, &err);
    if (status) print_message("skipped: %s is not here\n", path);
    free(path);
    return status == STATUS_OK;
}

static inline char *shared_path(const char *name)
{
    char *path = text_printf("%s/../shared/data/%s", SOURCE_ROOT, name);
    if (file_exists(path)) return path;
    print_message("skipped: %s is not here\n", path);
    free(path);
    return NULL;
}

#endif
