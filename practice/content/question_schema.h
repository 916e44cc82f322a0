/* question_schema.h -- the form of a node, for every file that has nodes. */
#ifndef CONTENT_QUESTION_SCHEMA_H
#define CONTENT_QUESTION_SCHEMA_H

#include "base/yaml.h"
#include "content/question.h"

#define SCHEMA_TEXT(key, type, member, min, max) \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, min, max)
#define SCHEMA_WORDS(key, type, member) \
    CYAML_FIELD_MAPPING(key, CYAML_FLAG_DEFAULT, type, member, schema_words_fields)
#define SCHEMA_LISTS(key, type, member) \
    CYAML_FIELD_MAPPING(key, CYAML_FLAG_DEFAULT, type, member, schema_lists_fields)
#define SCHEMA_LIST(key, type, member, entry, max) \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER, type, member, &entry, 0, max)

extern const struct cyaml_schema_field schema_words_fields[]; /* struct words */
extern const struct cyaml_schema_value schema_words;          /* an entry of struct words */
extern const struct cyaml_schema_field schema_lists_fields[]; /* struct word_lists */
extern const struct cyaml_schema_value schema_word;           /* char * of 1 to 200 bytes */
extern const struct cyaml_schema_value schema_node;           /* struct question_node */

/* What the form cannot say: weights, names, exactly one of from and source. */
MUST_CHECK enum status question_nodes_check(const struct question_node *nodes, unsigned n,
                                            const char *path, struct error *err);

#endif
