#include "text/unicode.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "text/unicode_runs.h"

struct unicode unicode;

const char *unicode_version(void) { return UNICODE_VERSION; }

/* Where the block with these classes is kept; a new one when there was none like it. */
static uint8_t place_of(const uint8_t classes[UNICODE_BLOCK], int *n_blocks)
{
    for (int i = *n_blocks - 1; i >= 0; i--)
        if (memcmp(unicode.classes[i], classes, UNICODE_BLOCK) == 0) return (uint8_t)i;
    CHECK(*n_blocks < UNICODE_BLOCKS_LIMIT);
    memcpy(unicode.classes[*n_blocks], classes, UNICODE_BLOCK);
    return (uint8_t)(*n_blocks)++;
}

static void fill(void)
{
    const int n_runs = sizeof unicode_runs / sizeof *unicode_runs;
    uint8_t classes[UNICODE_BLOCK];
    int run = 0, n_blocks = 0;
    for (int block = 0; block < 0x110000 / UNICODE_BLOCK; block++) {
        for (int i = 0; i < UNICODE_BLOCK; i++) {
            const uint32_t code = (uint32_t)(block * UNICODE_BLOCK + i);
            while (run + 1 < n_runs && unicode_runs[run + 1] >> 8 <= code) run++;
            classes[i] = (uint8_t)unicode_runs[run];
        }
        unicode.block[block] = place_of(classes, &n_blocks);
    }
}

void unicode_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, fill) == 0);
}
