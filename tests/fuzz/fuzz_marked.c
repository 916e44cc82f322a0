/* fuzz_marked.c -- a reference with marked mistakes: every one of them can be made, alone and
 * with those of other blocks, and without any the file is its own lines less the markers. */
#include "content/marked.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { PAIRS = 6 };

static bool is_marker(const char *line)
{
    line += strspn(line, " ");
    if (line[0] == '#') return line[1] == ':' || line[1] == '|';
    return line[0] == '/' && line[1] == '/' && (line[2] == ':' || line[2] == '|');
}

/* The lines of `source` that are no marker. */
static void add_code(struct text *out, const char *source)
{
    text_add(out, "");
    while (*source) {
        const char *newline = strchr(source, '\n');
        const size_t size = newline ? (size_t)(newline - source) + 1 : strlen(source);
        if (!is_marker(source)) text_add_bytes(out, source, size);
        source += size;
    }
}

static void expand(const struct marked *marked, const char *source)
{
    struct text right = {0}, wrong = {0}, code = {0}, same = {0};
    struct marked none;
    struct error err = {0};

    CHECK(!marked_expand(&right, marked, source, 0, &err));
    add_code(&code, source);
    for (int i = 0; i < marked->n_names; i++) {
        CHECK(marked_find(marked, marked->names[i]) == i && !(marked->apart[i] & 1u << i));
        text_clear(&wrong);
        CHECK(!marked_expand(&wrong, marked, source, 1u << i, &err));
        CHECK(wrong.size <= strlen(source) + 1);
        for (int j = 0; j < i && i < PAIRS; j++) {
            const bool apart = marked->apart[i] >> j & 1u;
            CHECK(apart == (marked->apart[j] >> i & 1u));
            text_clear(&wrong);
            const enum status status =
                marked_expand(&wrong, marked, source, 1u << i | 1u << j, &err);
            CHECK(status == (apart ? STATUS_USAGE : STATUS_OK));
        }
    }
    CHECK(strcmp(right.data, code.data) == 0);
    CHECK(!marked_init(&none, right.data, &err) && none.n_names == 0);
    CHECK(!marked_expand(&same, &none, right.data, 0, &err) && strcmp(same.data, right.data) == 0);
    marked_done(&none);
    text_done(&right);
    text_done(&wrong);
    text_done(&code);
    text_done(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct text source = {0};
    struct marked marked;
    struct error err = {0};
    text_add_bytes(&source, bytes, size);
    const enum status status = marked_init(&marked, text_string(&source), &err);
    CHECK(status == STATUS_OK || (err.status == status && err.message[0]));
    if (!status) expand(&marked, text_string(&source));
    marked_done(&marked);
    text_done(&source);
    return 0;
}
