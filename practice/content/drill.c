#include "content/drill.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"

enum { SOURCE_LIMIT = 1 << 20 };

static const char *const names[LANE_COUNT] = {"c", "numpy", "torch"};
static const char *const titles[LANE_COUNT] = {"C", "NumPy", "PyTorch"};
static const char *const suffixes[LANE_COUNT] = {"c", "numpy.py", "torch.py"};

const char *lane_name(enum lane lane) { return names[lane]; }

const char *lane_title(enum lane lane) { return titles[lane]; }

bool lane_parse(enum lane *lane, const char *name)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *lane = (enum lane)i;
        return true;
    }
    return false;
}

/* ---- the schema of drill.yaml ---- */

#define TEXT(key, type, member, max) \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, max)

static const struct cyaml_schema_value a_word = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 200)};

#define LIST(key, type, member, entry, max) \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER, type, member, &entry, 0, max)

static const struct cyaml_schema_field words_fields[] = {
    TEXT("en", struct words, en, 2000), TEXT("es", struct words, es, 2000), CYAML_FIELD_END};
static const struct cyaml_schema_value words_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct words, words_fields)};

static const struct cyaml_schema_field mistake_fields[] = {
    TEXT("name", struct drill_mistake, name, 31), TEXT("en", struct drill_mistake, en, 500),
    TEXT("es", struct drill_mistake, es, 500), CYAML_FIELD_END};
static const struct cyaml_schema_value mistake_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct drill_mistake, mistake_fields)};

static const struct cyaml_schema_field forbidden_fields[] = {
    TEXT("lane", struct drill_forbidden, lane, 10),
    LIST("names", struct drill_forbidden, names, a_word, 100), CYAML_FIELD_END};
static const struct cyaml_schema_value forbidden_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct drill_forbidden, forbidden_fields)};

static const struct cyaml_schema_value pair_value = {
    CYAML_VALUE_SEQUENCE_FIXED(CYAML_FLAG_POINTER, char *, &a_word, 2)};

static const struct cyaml_schema_field step_fields[] = {
    CYAML_FIELD_INT("level", CYAML_FLAG_DEFAULT, struct drill_step, level),
    TEXT("en", struct drill_step, en, 500), TEXT("es", struct drill_step, es, 500),
    CYAML_FIELD_END};
static const struct cyaml_schema_value step_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct drill_step, step_fields)};

static const struct cyaml_schema_field drill_fields[] = {
    TEXT("number", struct drill, number, 3),
    TEXT("name", struct drill, name, 40),
    CYAML_FIELD_MAPPING("title", CYAML_FLAG_DEFAULT, struct drill, title, words_fields),
    CYAML_FIELD_INT("minutes", CYAML_FLAG_DEFAULT, struct drill, minutes),
    TEXT("lab", struct drill, lab, 3),
    LIST("rounds", struct drill, rounds, a_word, 8),
    LIST("skills", struct drill, skills, a_word, 12),
    TEXT("file", struct drill, file, 40),
    LIST("forbidden", struct drill, forbidden, forbidden_value, 3),
    LIST("hints", struct drill, hints, words_value, 10),
    LIST("mistakes", struct drill, mistakes, mistake_value, 32),
    LIST("never_together", struct drill, never_together, pair_value, 100),
    LIST("ladder", struct drill, ladder, step_value, 5),
    CYAML_FIELD_END};
static const struct cyaml_schema_value drill_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct drill, drill_fields)};

/* ---- loading ---- */

static enum status check_drill(const struct drill *drill, const char *folder, struct error *err)
{
    const char *base = strrchr(folder, '/');
    char *expected = text_printf("drill-%s-%s", drill->number, drill->name);
    enum status status = STATUS_OK;

    if (strcmp(base ? base + 1 : folder, expected) != 0)
        status = error_set(err, STATUS_FORMAT,
                           "%s: drill.yaml says number %s and name %s, so the "
                           "folder should be %s",
                           folder, drill->number, drill->name, expected);
    if (!status && (drill->minutes < 1 || drill->minutes > 240))
        status = error_set(err, STATUS_FORMAT, "%s: minutes is %d, expected 1 to 240", folder,
                           drill->minutes);
    if (!status && strchr(drill->file, '/'))
        status = error_set(err, STATUS_FORMAT, "%s: file is a base name, not a path", folder);
    for (unsigned i = 0; !status && i < drill->forbidden_count; i++) {
        enum lane lane;
        if (!lane_parse(&lane, drill->forbidden[i].lane))
            status = error_set(err, STATUS_FORMAT,
                               "%s: forbidden for lane %s: expected c, numpy "
                               "or torch",
                               folder, drill->forbidden[i].lane);
    }
    for (unsigned i = 0; !status && i < drill->never_together_count; i++)
        for (unsigned j = 0; !status && j < 2; j++)
            if (!drill_mistake_words(drill, drill->never_together[i].names[j], "en"))
                status = error_set(err, STATUS_FORMAT, "%s: never_together: no mistake %s", folder,
                                   drill->never_together[i].names[j]);
    free(expected);
    return status;
}

enum status drill_load(struct drill **drill, const char *folder, struct error *err)
{
    *drill = NULL;
    char *path = path_join(folder, "drill.yaml");
    void *value = NULL;
    enum status status = yaml_load(&value, &drill_value, path, err);
    free(path);
    if (status) return status;

    struct drill *loaded = value;
    status = check_drill(loaded, folder, err);
    if (status) {
        drill_free(loaded);
        return status;
    }
    loaded->folder = text_copy(folder);
    *drill = loaded;
    return STATUS_OK;
}

void drill_free(struct drill *drill)
{
    if (!drill) return;
    free(drill->folder);
    drill->folder = NULL;
    yaml_done(&drill_value, drill);
}

static int by_number(const void *a, const void *b)
{
    const struct drill *const *x = a, *const *y = b;
    return strcmp((*x)->number, (*y)->number);
}

static enum status load_lab(struct drills *drills, const char *lab, struct error *err)
{
    enum status status = STATUS_OK;
    DIR *folder = opendir(lab);
    if (!folder) return STATUS_OK; /* a file between the folders */

    for (struct dirent *entry; !status && (entry = readdir(folder));) {
        if (!text_starts_with(entry->d_name, "drill-")) continue;
        char *path = path_join(lab, entry->d_name);
        struct drill *drill;
        status = drill_load(&drill, path, err);
        if (!status) {
            drills->drills =
                memory_grow(drills->drills, (size_t)drills->n_drills + 1, sizeof *drills->drills);
            drills->drills[drills->n_drills++] = drill;
        }
        free(path);
    }
    closedir(folder);
    return status;
}

enum status drills_load(struct drills *drills, const char *labs, struct error *err)
{
    enum status status = STATUS_OK;
    *drills = (struct drills){0};
    DIR *folder = opendir(labs);
    if (!folder) return error_set_errno(err, STATUS_NOT_FOUND, "%s", labs);

    for (struct dirent *entry; !status && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.') continue;
        char *lab = path_join(labs, entry->d_name);
        status = load_lab(drills, lab, err);
        free(lab);
    }
    closedir(folder);
    if (drills->n_drills)
        qsort(drills->drills, (size_t)drills->n_drills, sizeof *drills->drills, by_number);
    for (int i = 1; !status && i < drills->n_drills; i++)
        if (strcmp(drills->drills[i]->number, drills->drills[i - 1]->number) == 0)
            status = error_set(err, STATUS_FORMAT, "%s and %s have the same number",
                               drills->drills[i - 1]->folder, drills->drills[i]->folder);
    if (status) drills_done(drills);
    return status;
}

void drills_done(struct drills *drills)
{
    for (int i = 0; i < drills->n_drills; i++) drill_free(drills->drills[i]);
    free(drills->drills);
    *drills = (struct drills){0};
}

enum status drills_find(const struct drill **drill, const struct drills *drills, const char *word,
                        struct error *err)
{
    struct text known = {0};
    for (int i = 0; i < drills->n_drills; i++) {
        const struct drill *d = drills->drills[i];
        const bool one_digit = strlen(word) == 1 && d->number[0] == '0' && d->number[1] == *word;
        if (strcmp(word, d->number) == 0 || strcmp(word, d->name) == 0 || one_digit) {
            *drill = d;
            text_done(&known);
            return STATUS_OK;
        }
        text_format(&known, "%s%s", i ? ", " : "", d->number);
    }
    *drill = NULL;
    enum status status = error_set(err, STATUS_NOT_FOUND, "there is no drill %s: there are %s",
                                   word, text_string(&known));
    text_done(&known);
    return status;
}

const char *drill_mistake_words(const struct drill *drill, const char *name, const char *language)
{
    for (unsigned i = 0; i < drill->mistakes_count; i++) {
        const struct drill_mistake *mistake = &drill->mistakes[i];
        if (strcmp(mistake->name, name) == 0)
            return strcmp(language, "es") == 0 ? mistake->es : mistake->en;
    }
    return NULL;
}

char *drill_file_name(const struct drill *drill, enum lane lane)
{
    return text_printf("%s.%s", drill->file, lane == LANE_C ? "c" : "py");
}

enum status drill_read(struct text *out, const struct drill *drill, const char *what,
                       enum lane lane, struct error *err)
{
    const bool is_call = strcmp(what, "call") == 0; /* one call.py serves both Python lanes */
    char *path = text_printf("%s/%s.%s", drill->folder, what,
                             is_call && lane != LANE_C ? "py" : suffixes[lane]);
    if (!file_exists(path) && lane != LANE_C) {
        free(path);
        path = text_printf("%s/%s.py", drill->folder, what);
    }
    enum status status = file_read(out, path, SOURCE_LIMIT, err);
    free(path);
    return status;
}

enum status drill_read_page(struct text *out, const struct drill *drill, const char *what,
                            const char *language, struct error *err)
{
    char *path = text_printf("%s/%s.%s.md", drill->folder, what, language);
    enum status status = file_read(out, path, SOURCE_LIMIT, err);
    free(path);
    return status;
}
