/* glossary.h -- how a term is written in Spanish, and what must not stand there instead.
 *
 *   content/glossary.yaml
 *
 * Tests: tests/content/page_test.c
 */
#ifndef CONTENT_GLOSSARY_H
#define CONTENT_GLOSSARY_H

#include <stdbool.h>

#include "base/error.h"

struct glossary_term {
    char *en, *es;
    char **avoid;
    unsigned avoid_count;
};

struct glossary {
    struct glossary_term *terms;
    unsigned terms_count;
};

MUST_CHECK enum status glossary_load(struct glossary **out, const char *path, struct error *err);
void glossary_free(struct glossary *glossary); /* harmless on NULL */

/* Whether a Spanish text holds a word that is to be avoided, as a whole word or its plural in -s or
 * -es; which one, and what it should say. Both are borrowed from the glossary. */
bool glossary_avoids(const char **avoided, const char **better, const struct glossary *glossary,
                     const char *text);

#endif
