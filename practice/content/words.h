/* words.h -- one text, or a list of them, in both languages. */
#ifndef CONTENT_WORDS_H
#define CONTENT_WORDS_H

struct words {
    char *en, *es;
};

struct word_lists {
    char **en;
    unsigned en_count;
    char **es;
    unsigned es_count;
};

/* The text in "en" or "es". */
const char *words_in(const struct words *words, const char *language);

/* The list in "en" or "es", and its length. */
char *const *word_lists_in(const struct word_lists *lists, const char *language, unsigned *n);

#endif
