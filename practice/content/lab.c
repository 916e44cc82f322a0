#include "content/lab.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/text.h"
#include "base/yaml.h"

/* ---- the form of labs.yaml ---- */

static const cyaml_strval_t round_names[] = {
    {"recruiter", INTERVIEW_RECRUITER},   {"phone", INTERVIEW_PHONE},
    {"systems", INTERVIEW_SYSTEMS},       {"coding", INTERVIEW_CODING},
    {"research", INTERVIEW_RESEARCH},     {"paper", INTERVIEW_PAPER},
    {"behavioral", INTERVIEW_BEHAVIORAL}, {"manager", INTERVIEW_MANAGER},
};
_Static_assert(sizeof round_names / sizeof round_names[0] == INTERVIEW_COUNT, "a name per round");

static const cyaml_schema_field_t words_fields[] = {
    CYAML_FIELD_STRING_PTR("en", CYAML_FLAG_POINTER, struct words, en, 1, 200),
    CYAML_FIELD_STRING_PTR("es", CYAML_FLAG_POINTER, struct words, es, 1, 200),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t preparation_fields[] = {
    CYAML_FIELD_ENUM("round", CYAML_FLAG_STRICT, struct lab_preparation, round, round_names,
                     INTERVIEW_COUNT),
    CYAML_FIELD_STRING_PTR("en", CYAML_FLAG_POINTER, struct lab_preparation, what.en, 1, 200),
    CYAML_FIELD_STRING_PTR("es", CYAML_FLAG_POINTER, struct lab_preparation, what.es, 1, 200),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t preparation = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct lab_preparation, preparation_fields),
};
static const cyaml_schema_value_t drill = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 2, 2),
};

static const cyaml_schema_field_t lab_fields[] = {
    CYAML_FIELD_STRING_PTR("number", CYAML_FLAG_POINTER, struct lab, number, 2, 2),
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct lab, name, 1, 40),
    CYAML_FIELD_MAPPING("title", CYAML_FLAG_DEFAULT, struct lab, title, words_fields),
    CYAML_FIELD_SEQUENCE("prepares", CYAML_FLAG_POINTER, struct lab, prepares, &preparation, 1, 8),
    CYAML_FIELD_SEQUENCE("drills", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct lab, drills,
                         &drill, 0, 8),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t lab_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct lab, lab_fields),
};
static const cyaml_schema_field_t labs_fields[] = {
    CYAML_FIELD_SEQUENCE("labs", CYAML_FLAG_POINTER, struct labs, labs, &lab_schema, 1, 99),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t labs_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct labs, labs_fields),
};

/* ---- what the schema cannot say ---- */

static bool is_number(const char *number)
{
    return (isdigit((unsigned char)number[0]) || number[0] == 'X') &&
           isdigit((unsigned char)number[1]) && !number[2];
}

static bool is_name(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static enum status check_lab(const struct labs *labs, unsigned at, const char *path,
                             struct error *err)
{
    const struct lab *lab = &labs->labs[at];
    if (!is_number(lab->number))
        return error_set(err, STATUS_FORMAT, "%s: lab \"%s\": a number is 15, or X3", path,
                         lab->number);
    if (!is_name(lab->name))
        return error_set(err, STATUS_FORMAT, "%s: lab %s: name \"%s\": only a-z, 0-9 and -", path,
                         lab->number, lab->name);
    for (unsigned i = 0; i < at; i++)
        if (!strcmp(labs->labs[i].number, lab->number) || !strcmp(labs->labs[i].name, lab->name))
            return error_set(err, STATUS_FORMAT, "%s: lab %s %s: there is a %s %s already", path,
                             lab->number, lab->name, labs->labs[i].number, labs->labs[i].name);
    for (unsigned i = 0; i < lab->drills_count; i++)
        if (!isdigit((unsigned char)lab->drills[i][0]) ||
            !isdigit((unsigned char)lab->drills[i][1]))
            return error_set(err, STATUS_FORMAT, "%s: lab %s: drill \"%s\": a number is 01", path,
                             lab->number, lab->drills[i]);
    return STATUS_OK;
}

/* ---- for the caller ---- */

const char *round_name(enum interview_round round)
{
    CHECK(round >= 0 && round < INTERVIEW_COUNT);
    return round_names[round].str;
}

enum status labs_load(struct labs **out, const char *root, struct error *err)
{
    *out = NULL;
    char *path = path_join(root, "labs/labs.yaml");
    void *value;
    enum status status = yaml_load(&value, &labs_schema, path, err);
    const struct labs *labs = value;
    for (unsigned i = 0; !status && i < labs->labs_count; i++)
        status = check_lab(labs, i, path, err);
    free(path);
    if (status) yaml_done(&labs_schema, value);
    else *out = value;
    return status;
}

void labs_free(struct labs *labs) { yaml_done(&labs_schema, labs); }

const struct lab *labs_find(const struct labs *labs, const char *number_or_name)
{
    char padded[3] = {'0', number_or_name[0], '\0'};
    const char *number = number_or_name[0] && !number_or_name[1] ? padded : number_or_name;
    for (unsigned i = 0; i < labs->labs_count; i++) {
        const struct lab *lab = &labs->labs[i];
        if (!strcasecmp(lab->number, number) || !strcasecmp(lab->name, number_or_name)) return lab;
    }
    return NULL;
}

char *lab_page(const char *root, const struct lab *lab, const char *language)
{
    char *path = text_printf("%s/labs/%s-%s/page.%s.md", root, lab->number, lab->name, language);
    if (file_exists(path)) return path;
    free(path);
    return NULL;
}
