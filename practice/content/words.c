#include "content/words.h"

#include <string.h>

const char *words_in(const struct words *words, const char *language)
{
    return strcmp(language, "es") == 0 ? words->es : words->en;
}

char *const *word_lists_in(const struct word_lists *lists, const char *language, unsigned *n)
{
    const int spanish = strcmp(language, "es") == 0;
    *n = spanish ? lists->es_count : lists->en_count;
    return spanish ? lists->es : lists->en;
}
