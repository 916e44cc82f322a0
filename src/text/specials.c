#include "text/specials.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int by_first_byte(const void *a, const void *b)
{
    const struct special *x = a, *y = b;
    const unsigned char first = (unsigned char)x->bytes[0], other = (unsigned char)y->bytes[0];
    if (first != other) return first < other ? -1 : 1;
    if (x->size != y->size) return x->size > y->size ? -1 : 1;
    const int order = memcmp(x->bytes, y->bytes, x->size);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

void specials_prepare(struct specials *specials)
{
    int n_firsts = 0;
    specials->only = -1;
    for (int c = 0; c < 256; c++) {
        bool wanted = false;
        for (int i = specials->begin[c]; i < specials->begin[c + 1]; i++)
            wanted |= specials->list[i].wanted;
        if (wanted) specials->only = n_firsts++ ? -1 : c;
    }
    if (n_firsts == 0) specials->only = 256;
}

void specials_init(struct specials *specials, const struct special *list, int n)
{
    *specials = (struct specials){.list = memory_new((size_t)n, sizeof *list)};
    for (int i = 0; i < n; i++)
        if (list[i].size) specials->list[specials->n++] = list[i];
    if (specials->n) qsort(specials->list, (size_t)specials->n, sizeof *list, by_first_byte);
    int at = 0;
    for (int c = 0; c < 257; c++) {
        specials->begin[c] = at;
        while (at < specials->n && (unsigned char)specials->list[at].bytes[0] == c) at++;
    }
    specials_prepare(specials);
}

static const struct special *special_at(const struct specials *specials, const char *bytes,
                                        size_t size)
{
    const unsigned char first = (unsigned char)bytes[0];
    for (int i = specials->begin[first]; i < specials->begin[first + 1]; i++) {
        const struct special *special = &specials->list[i];
        if (special->wanted && special->size <= size &&
            memcmp(bytes, special->bytes, special->size) == 0)
            return special;
    }
    return NULL;
}

const struct special *specials_find(const struct specials *specials, const char *bytes, size_t size,
                                    size_t at, size_t *begin)
{
    if (specials->only == 256) return NULL;
    for (; at < size; at++) {
        if (specials->only >= 0) {
            const char *found = memchr(bytes + at, specials->only, size - at);
            if (!found) return NULL;
            at = (size_t)(found - bytes);
        }
        const struct special *special = special_at(specials, bytes + at, size - at);
        if (special) {
            *begin = at;
            return special;
        }
    }
    return NULL;
}

void specials_copy(struct specials *copy, const struct specials *specials)
{
    *copy = *specials;
    copy->list = memory_new((size_t)specials->n, sizeof *copy->list);
    if (specials->n) memcpy(copy->list, specials->list, (size_t)specials->n * sizeof *copy->list);
}

void specials_done(struct specials *specials)
{
    free(specials->list);
    *specials = (struct specials){0};
}
