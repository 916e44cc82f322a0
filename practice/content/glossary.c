#include "content/glossary.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/yaml.h"

static const struct cyaml_schema_value avoid_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 80)};

static const struct cyaml_schema_field term_fields[] = {
    CYAML_FIELD_STRING_PTR("en", CYAML_FLAG_POINTER, struct glossary_term, en, 1, 80),
    CYAML_FIELD_STRING_PTR("es", CYAML_FLAG_POINTER, struct glossary_term, es, 1, 80),
    CYAML_FIELD_SEQUENCE("avoid", CYAML_FLAG_POINTER, struct glossary_term, avoid, &avoid_value, 0,
                         20),
    CYAML_FIELD_END};
static const struct cyaml_schema_value term_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct glossary_term, term_fields)};

static const struct cyaml_schema_field glossary_fields[] = {
    CYAML_FIELD_SEQUENCE("terms", CYAML_FLAG_POINTER, struct glossary, terms, &term_value, 0, 1000),
    CYAML_FIELD_END};
static const struct cyaml_schema_value glossary_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct glossary, glossary_fields)};

enum status glossary_load(struct glossary **out, const char *path, struct error *err)
{
    void *value = NULL;
    const enum status status = yaml_load(&value, &glossary_value, path, err);
    *out = value;
    return status;
}

void glossary_free(struct glossary *glossary) { yaml_done(&glossary_value, glossary); }

/* A byte of a word: a letter, a digit, or a part of one beyond ASCII. */
static bool in_word(char c) { return isalnum((unsigned char)c) || (unsigned char)c >= 0x80; }

static bool holds(const char *text, const char *word)
{
    const size_t size = strlen(word);
    for (const char *at = text; *at; at++) {
        if (strncasecmp(at, word, size) != 0 || (at > text && in_word(at[-1]))) continue;
        const char *end = at + size;
        if (!in_word(*end) || (*end == 's' && !in_word(end[1])) ||
            (strncmp(end, "es", 2) == 0 && !in_word(end[2])))
            return true;
    }
    return false;
}

bool glossary_avoids(const char **avoided, const char **better, const struct glossary *glossary,
                     const char *text)
{
    for (unsigned i = 0; i < glossary->terms_count; i++)
        for (unsigned j = 0; j < glossary->terms[i].avoid_count; j++)
            if (holds(text, glossary->terms[i].avoid[j])) {
                *avoided = glossary->terms[i].avoid[j];
                *better = glossary->terms[i].es;
                return true;
            }
    return false;
}
