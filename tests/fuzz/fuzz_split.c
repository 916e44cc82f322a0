/* fuzz_split.c -- any bytes through every scanner, cut by its safe places or not, and through the
 * pattern of each; where the text is UTF-8 they agree. */
#include "text/split.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "text/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool is_ascii(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] >= 0x80) return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct patterns patterns[SPLIT_COUNT];
    struct error err = {0};
    const size_t safe = split_safe(bytes, size);
    for (int i = 0; i < SPLIT_COUNT; i++) {
        split_next *const next = split_scanner((enum split)i);
        struct pattern_cuts cuts = {0};
        bool met = safe == 0 || i == SPLIT_NONE;
        if (i != SPLIT_NONE && !patterns[i].n)
            CHECK(!patterns_add(&patterns[i], split_pattern((enum split)i), &err));
        /* another release of Unicode may class other characters otherwise */
        const bool compares = i != SPLIT_NONE && is_ascii(bytes, size);
        if (compares) CHECK(!patterns_cut(&patterns[i], &cuts, bytes, size, &err));
        size_t n = 0;
        for (size_t at = 0, end; at < size; at = end, n++) {
            met |= at == safe;
            end = next(bytes, size, at);
            CHECK(end > at && end <= size);
            if (compares) CHECK(n < cuts.n && cuts.ends[n] == end);
        }
        CHECK(met && (!compares || n == cuts.n));
        pattern_cuts_done(&cuts);
    }
    return 0;
}
