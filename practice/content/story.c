#include "content/story.h"

#include <string.h>

#include "content/question_schema.h"

static const struct cyaml_schema_field example_fields[] = {
    SCHEMA_TEXT("en", struct story_example, en, 0, 8000),
    SCHEMA_TEXT("es", struct story_example, es, 0, 8000),
    SCHEMA_LIST("evidence", struct story_example, evidence, schema_word, 8), CYAML_FIELD_END};

static const struct cyaml_schema_field story_fields[] = {
    SCHEMA_TEXT("number", struct story, number, 2, 2),
    SCHEMA_TEXT("name", struct story, name, 1, 40),
    SCHEMA_WORDS("title", struct story, title),
    CYAML_FIELD_INT("minutes", CYAML_FLAG_DEFAULT, struct story, minutes),
    SCHEMA_LIST("skills", struct story, skills, schema_word, 12),
    SCHEMA_WORDS("listens", struct story, listens),
    SCHEMA_WORDS("form", struct story, form),
    CYAML_FIELD_MAPPING("example", CYAML_FLAG_DEFAULT, struct story, example, example_fields),
    SCHEMA_LIST("nodes", struct story, nodes, schema_node, 8),
    CYAML_FIELD_END};
static const struct cyaml_schema_value story_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct story, story_fields)};

enum { N_NODES = 6 }; /* the story and five probes */

enum status story_load(struct story **story, const char *path, struct error *err)
{
    void *value = NULL;
    *story = NULL;
    enum status status = yaml_load(&value, &story_value, path, err);
    if (status) return status;

    struct story *loaded = value;
    status = question_nodes_check(loaded->nodes, loaded->nodes_count, path, err);
    for (unsigned i = 0; !status && i < N_NODES; i++) {
        const char id[2] = {(char)('0' + i), '\0'};
        if (i >= loaded->nodes_count || strcmp(loaded->nodes[i].id, id) != 0)
            status = error_set(err, STATUS_FORMAT, "%s: node %u should be \"%s\"", path, i + 1, id);
    }
    if (!status && (!*loaded->example.en != !*loaded->example.es ||
                    (*loaded->example.en && !loaded->example.evidence_count)))
        status = error_set(err, STATUS_FORMAT,
                           "%s: an example needs both languages and its evidence", path);
    if (status) story_free(loaded);
    else *story = loaded;
    return status;
}

void story_free(struct story *story) { yaml_done(&story_value, story); }
