#include "content/paper.h"

#include <string.h>

#include "content/question_schema.h"

static const struct cyaml_schema_field cite_fields[] = {
    SCHEMA_TEXT("where", struct paper_cite, where, 1, 200),
    SCHEMA_TEXT("en", struct paper_cite, en, 1, 2000),
    SCHEMA_TEXT("es", struct paper_cite, es, 1, 2000), CYAML_FIELD_END};
static const struct cyaml_schema_value cite_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct paper_cite, cite_fields)};

static const struct cyaml_schema_field paper_fields[] = {
    SCHEMA_TEXT("name", struct paper, name, 1, 40),
    SCHEMA_TEXT("title", struct paper, title, 1, 200),
    SCHEMA_TEXT("authors", struct paper, authors, 0, 200),
    CYAML_FIELD_INT("year", CYAML_FLAG_DEFAULT, struct paper, year),
    SCHEMA_TEXT("arxiv", struct paper, arxiv, 0, 20),
    SCHEMA_TEXT("version", struct paper, version, 0, 40),
    SCHEMA_TEXT("url", struct paper, url, 0, 200),
    SCHEMA_TEXT("sha256", struct paper, sha256, 0, 64),
    SCHEMA_WORDS("about", struct paper, about),
    SCHEMA_LIST("labs", struct paper, labs, schema_word, 8),
    SCHEMA_LIST("skills", struct paper, skills, schema_word, 12),
    SCHEMA_LIST("cites", struct paper, cites, cite_value, 60),
    SCHEMA_LIST("nodes", struct paper, nodes, schema_node, 12),
    CYAML_FIELD_END};
static const struct cyaml_schema_value paper_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct paper, paper_fields)};

static const char *const phases[] = {"claim",   "figures", "method", "experiment", "untested",
                                     "opinion", "oral-1",  "oral-2", "oral-3"};
enum { N_PHASES = sizeof phases / sizeof *phases };

enum status paper_load(struct paper **paper, const char *path, struct error *err)
{
    void *value = NULL;
    *paper = NULL;
    enum status status = yaml_load(&value, &paper_value, path, err);
    if (status) return status;

    struct paper *loaded = value;
    status = question_nodes_check(loaded->nodes, loaded->nodes_count, path, err);
    for (unsigned i = 0; !status && i < N_PHASES; i++)
        if (i >= loaded->nodes_count || strcmp(loaded->nodes[i].id, phases[i]) != 0)
            status =
                error_set(err, STATUS_FORMAT, "%s: node %u should be %s", path, i + 1, phases[i]);
    if (!status && *loaded->arxiv && (!*loaded->version || loaded->cites_count == 0))
        status = error_set(err, STATUS_FORMAT,
                           "%s: names no version that was read, or cites "
                           "nothing from it",
                           path);
    if (status) paper_free(loaded);
    else *paper = loaded;
    return status;
}

void paper_free(struct paper *paper) { yaml_done(&paper_value, paper); }
