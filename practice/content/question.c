#include "content/question.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "content/question_schema.h"

/* ---- the schema ---- */

const struct cyaml_schema_field schema_words_fields[] = {
    SCHEMA_TEXT("en", struct words, en, 1, 8000), SCHEMA_TEXT("es", struct words, es, 1, 8000),
    CYAML_FIELD_END};
const struct cyaml_schema_value schema_words = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct words, schema_words_fields)};

const struct cyaml_schema_value schema_word = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 200)};
static const struct cyaml_schema_value a_line = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 2000)};

const struct cyaml_schema_field schema_lists_fields[] = {
    SCHEMA_LIST("en", struct word_lists, en, a_line, 60),
    SCHEMA_LIST("es", struct word_lists, es, a_line, 60), CYAML_FIELD_END};

static const struct cyaml_schema_field item_fields[] = {
    SCHEMA_TEXT("name", struct rubric_item, name, 1, 40),
    CYAML_FIELD_INT("weight", CYAML_FLAG_DEFAULT, struct rubric_item, weight),
    SCHEMA_TEXT("en", struct rubric_item, en, 1, 400),
    SCHEMA_TEXT("es", struct rubric_item, es, 1, 400),
    SCHEMA_LISTS("found", struct rubric_item, found),
    CYAML_FIELD_END};
static const struct cyaml_schema_value item_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rubric_item, item_fields)};

static const struct cyaml_schema_field wrong_fields[] = {
    SCHEMA_TEXT("against", struct rubric_wrong, against, 1, 40),
    SCHEMA_WORDS("said", struct rubric_wrong, said),
    SCHEMA_WORDS("correction", struct rubric_wrong, correction),
    SCHEMA_LISTS("seen", struct rubric_wrong, seen), CYAML_FIELD_END};
static const struct cyaml_schema_value wrong_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rubric_wrong, wrong_fields)};

static const struct cyaml_schema_field number_fields[] = {
    SCHEMA_TEXT("en", struct question_number, en, 1, 400),
    SCHEMA_TEXT("es", struct question_number, es, 1, 400),
    CYAML_FIELD_FLOAT("value", CYAML_FLAG_DEFAULT, struct question_number, value),
    SCHEMA_TEXT("unit", struct question_number, unit, 0, 20),
    SCHEMA_TEXT("from", struct question_number, from, 0, 400),
    SCHEMA_TEXT("source", struct question_number, source, 0, 400),
    CYAML_FIELD_END};
static const struct cyaml_schema_value number_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct question_number, number_fields)};

static const struct cyaml_schema_field node_fields[] = {
    SCHEMA_TEXT("id", struct question_node, id, 1, 30),
    CYAML_FIELD_INT("minutes", CYAML_FLAG_DEFAULT, struct question_node, minutes),
    SCHEMA_TEXT("after", struct question_node, after, 0, 40),
    SCHEMA_TEXT("lab", struct question_node, lab, 0, 3),
    SCHEMA_WORDS("ask", struct question_node, ask),
    SCHEMA_WORDS("answer", struct question_node, answer),
    SCHEMA_LIST("items", struct question_node, rubric.items, item_value, 16),
    SCHEMA_LIST("numbers", struct question_node, numbers, number_value, 16),
    SCHEMA_LIST("wrong", struct question_node, rubric.wrong, wrong_value, 16),
    CYAML_FIELD_END};
const struct cyaml_schema_value schema_node = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct question_node, node_fields)};

static const struct cyaml_schema_field question_fields[] = {
    SCHEMA_TEXT("number", struct question, number, 1, 40),
    SCHEMA_TEXT("name", struct question, name, 1, 40),
    SCHEMA_TEXT("area", struct question, area, 1, 20),
    SCHEMA_WORDS("title", struct question, title),
    CYAML_FIELD_INT("minutes", CYAML_FLAG_DEFAULT, struct question, minutes),
    CYAML_FIELD_STRING_PTR("self_marked", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct question,
                           self_marked, 0, 400),
    SCHEMA_LIST("rounds", struct question, rounds, schema_word, 8),
    SCHEMA_LIST("skills", struct question, skills, schema_word, 12),
    SCHEMA_LIST("nodes", struct question, nodes, schema_node, 12),
    CYAML_FIELD_END};
static const struct cyaml_schema_value question_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct question, question_fields)};

static const struct cyaml_schema_field anchor_fields[] = {
    SCHEMA_TEXT("soup", struct anchor_set, soup, 1, 8000),
    SCHEMA_TEXT("wrong", struct anchor_set, wrong, 1, 8000),
    SCHEMA_TEXT("adequate", struct anchor_set, adequate, 1, 8000),
    SCHEMA_TEXT("excellent", struct anchor_set, excellent, 1, 8000), CYAML_FIELD_END};
static const struct cyaml_schema_field anchors_fields[] = {
    CYAML_FIELD_MAPPING("en", CYAML_FLAG_DEFAULT, struct anchors, en, anchor_fields),
    CYAML_FIELD_MAPPING("es", CYAML_FLAG_DEFAULT, struct anchors, es, anchor_fields),
    CYAML_FIELD_END};
static const struct cyaml_schema_value anchors_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct anchors, anchors_fields)};

/* ---- checks ---- */

static const struct rubric_item *find_item(const struct rubric *rubric, const char *name)
{
    for (unsigned i = 0; i < rubric->items_count; i++)
        if (strcmp(rubric->items[i].name, name) == 0) return &rubric->items[i];
    return NULL;
}

static enum status check_node(const struct question_node *node, const char *path, struct error *err)
{
    const struct rubric *rubric = &node->rubric;

    if (node->minutes < 1 || node->minutes > 90)
        return error_set(err, STATUS_FORMAT, "%s: node %s: minutes is %d, expected 1 to 90", path,
                         node->id, node->minutes);
    if (rubric->items_count == 0)
        return error_set(err, STATUS_FORMAT, "%s: node %s: no items", path, node->id);
    for (unsigned i = 0; i < rubric->items_count; i++) {
        const struct rubric_item *item = &rubric->items[i];
        if (item->weight < 1 || item->weight > 3)
            return error_set(err, STATUS_FORMAT,
                             "%s: node %s: item %s has weight %d, expected 1 to 3", path, node->id,
                             item->name, item->weight);
        if (find_item(rubric, item->name) != item)
            return error_set(err, STATUS_FORMAT, "%s: node %s: two items are called %s", path,
                             node->id, item->name);
        if (item->found.en_count == 0 || item->found.es_count == 0)
            return error_set(err, STATUS_FORMAT,
                             "%s: node %s: item %s has no line in one of the languages", path,
                             node->id, item->name);
    }
    for (unsigned i = 0; i < rubric->wrong_count; i++)
        if (!find_item(rubric, rubric->wrong[i].against))
            return error_set(err, STATUS_FORMAT,
                             "%s: node %s: a wrong answer is against %s, which is no item", path,
                             node->id, rubric->wrong[i].against);
    for (unsigned i = 0; i < node->numbers_count; i++)
        if (!*node->numbers[i].from == !*node->numbers[i].source)
            return error_set(err, STATUS_FORMAT, "%s: node %s: \"%s\" needs either from or source",
                             path, node->id, node->numbers[i].en);
    return STATUS_OK;
}

enum status question_nodes_check(const struct question_node *nodes, unsigned n, const char *path,
                                 struct error *err)
{
    if (n == 0) return error_set(err, STATUS_FORMAT, "%s: no nodes", path);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = 0; j < i; j++)
            if (strcmp(nodes[i].id, nodes[j].id) == 0)
                return error_set(err, STATUS_FORMAT, "%s: two nodes are called %s", path,
                                 nodes[i].id);
        const enum status status = check_node(&nodes[i], path, err);
        if (status) return status;
    }
    return STATUS_OK;
}

static enum status check_tree(const struct question *question, const char *path, struct error *err)
{
    const struct question_node *nodes = question->nodes;

    if (strcmp(nodes[0].id, "0") != 0)
        return error_set(err, STATUS_FORMAT, "%s: the first node is %s, expected 0", path,
                         nodes[0].id);
    for (unsigned i = 1; i < question->nodes_count; i++) {
        bool has_parent = false;
        for (unsigned j = 0; j < i; j++)
            if (question_is_child(nodes[i].id, nodes[j].id)) has_parent = true;
        if (!has_parent)
            return error_set(err, STATUS_FORMAT, "%s: node %s has no parent before it", path,
                             nodes[i].id);
        if (*nodes[i].after && !find_item(&nodes[0].rubric, nodes[i].after))
            return error_set(err, STATUS_FORMAT, "%s: node %s comes after %s, which the root lacks",
                             path, nodes[i].id, nodes[i].after);
    }
    return STATUS_OK;
}

static enum status check_question(const struct question *question, const char *path,
                                  struct error *err)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    char *numbered = text_printf("%s-%s.yaml", question->number, question->name);
    char *named = text_printf("%s.yaml", question->number);
    enum status status = STATUS_OK;

    if (strcmp(base, numbered) != 0 && strcmp(base, named) != 0)
        status = error_set(err, STATUS_FORMAT,
                           "%s: number is %s and name %s, so the file should "
                           "be %s",
                           path, question->number, question->name, numbered);
    if (!status && (question->minutes < 1 || question->minutes > 240))
        status = error_set(err, STATUS_FORMAT, "%s: minutes is %d, expected 1 to 240", path,
                           question->minutes);
    free(numbered);
    free(named);
    if (!status) status = question_nodes_check(question->nodes, question->nodes_count, path, err);
    if (!status) status = check_tree(question, path, err);
    return status;
}

/* ---- loading ---- */

enum status question_load(struct question **question, const char *path, struct error *err)
{
    void *value = NULL;
    *question = NULL;
    enum status status = yaml_load(&value, &question_value, path, err);
    if (status) return status;

    struct question *loaded = value;
    status = check_question(loaded, path, err);
    if (status) {
        question_free(loaded);
        return status;
    }
    loaded->path = text_copy(path);
    *question = loaded;
    return STATUS_OK;
}

void question_free(struct question *question)
{
    if (!question) return;
    free(question->path);
    question->path = NULL;
    yaml_done(&question_value, question);
}

static int by_number(const void *a, const void *b)
{
    const struct question *const *x = a, *const *y = b;
    return strcmp((*x)->number, (*y)->number);
}

enum status questions_load(struct questions *questions, const char *folder, struct error *err)
{
    enum status status = STATUS_OK;
    *questions = (struct questions){0};
    DIR *directory = opendir(folder);
    if (!directory) return error_set_errno(err, STATUS_NOT_FOUND, "%s", folder);

    for (struct dirent *entry; !status && (entry = readdir(directory));) {
        const char *name = entry->d_name;
        if (*name == '.' || !text_ends_with(name, ".yaml") || text_ends_with(name, ".anchors.yaml"))
            continue;
        char *path = path_join(folder, name);
        struct question *question;
        status = question_load(&question, path, err);
        if (!status) {
            questions->questions =
                memory_grow(questions->questions, (size_t)questions->n_questions + 1,
                            sizeof *questions->questions);
            questions->questions[questions->n_questions++] = question;
        }
        free(path);
    }
    closedir(directory);
    if (questions->n_questions)
        qsort(questions->questions, (size_t)questions->n_questions, sizeof *questions->questions,
              by_number);
    for (int i = 1; !status && i < questions->n_questions; i++)
        if (strcmp(questions->questions[i]->number, questions->questions[i - 1]->number) == 0)
            status = error_set(err, STATUS_FORMAT, "%s and %s have the same number",
                               questions->questions[i - 1]->path, questions->questions[i]->path);
    if (status) questions_done(questions);
    return status;
}

void questions_done(struct questions *questions)
{
    for (int i = 0; i < questions->n_questions; i++) question_free(questions->questions[i]);
    free(questions->questions);
    *questions = (struct questions){0};
}

enum status questions_find(const struct question **question, const struct questions *questions,
                           const char *word, struct error *err)
{
    struct text known = {0};
    *question = NULL;
    for (int i = 0; i < questions->n_questions && !*question; i++) {
        const struct question *q = questions->questions[i];
        const bool one_digit = strlen(word) == 1 && q->number[0] == '0' && q->number[1] == *word;
        if (strcmp(word, q->number) == 0 || strcmp(word, q->name) == 0 || one_digit) *question = q;
        text_format(&known, "%s%s", i ? ", " : "", q->number);
    }
    const enum status status =
        *question ? STATUS_OK
                  : error_set(err, STATUS_NOT_FOUND, "there is no question %s: there are %s", word,
                              text_string(&known));
    text_done(&known);
    return status;
}

const struct question_node *question_node(const struct question *question, const char *id)
{
    for (unsigned i = 0; i < question->nodes_count; i++)
        if (strcmp(question->nodes[i].id, id) == 0) return &question->nodes[i];
    return NULL;
}

int question_level(const char *id)
{
    if (strcmp(id, "0") == 0) return 0;
    int level = 1;
    for (const char *c = id; *c; c++)
        if (*c == '.') level++;
    return level;
}

bool question_is_child(const char *child, const char *parent)
{
    if (strcmp(parent, "0") == 0) return strcmp(child, "0") != 0 && !strchr(child, '.');
    const size_t size = strlen(parent);
    return strncmp(child, parent, size) == 0 && child[size] == '.' &&
           !strchr(child + size + 1, '.');
}

enum status anchors_load(struct anchors **anchors, const struct question *question,
                         struct error *err)
{
    const size_t stem = strlen(question->path) - strlen(".yaml");
    char *path = text_printf("%.*s.anchors.yaml", (int)stem, question->path);
    void *value = NULL;
    const enum status status = yaml_load(&value, &anchors_value, path, err);
    *anchors = value;
    free(path);
    return status;
}

void anchors_free(struct anchors *anchors) { yaml_done(&anchors_value, anchors); }
