/* specials.h -- strings that are tokens by themselves, found in text: <|endoftext|>.
 *
 * The leftmost one counts; of those that begin at one place, the longest.
 * Tests: tests/text/specials_test.c
 */
#ifndef TEXT_SPECIALS_H
#define TEXT_SPECIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct special {
    const char *bytes; /* borrowed: they outlive the list */
    size_t size;
    int32_t id;
    bool wanted; /* others are passed over */
};

struct specials {
    struct special *list; /* by first byte, the longer one first */
    int n;
    int begin[257]; /* where those with a first byte are */
    int only;       /* the first byte that all wanted ones share; -1: several */
};

/* Copy the list and put it in order; empty strings are left out. */
void specials_init(struct specials *specials, const struct special *list, int n);

/* After `wanted` was changed. */
void specials_prepare(struct specials *specials);

/* The first wanted one at or after `at`; NULL when there is none. *begin is where it is. */
const struct special *specials_find(const struct specials *specials, const char *bytes, size_t size,
                                    size_t at, size_t *begin);

void specials_copy(struct specials *copy, const struct specials *specials);
void specials_done(struct specials *specials);

#endif
