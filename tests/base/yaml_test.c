#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

struct tree {
    char *name;
    int age;
    char **fruits;
    unsigned fruits_count;
};

struct garden {
    struct tree *trees;
    unsigned trees_count;
};

static const cyaml_schema_value_t fruit = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 20),
};
static const cyaml_schema_field_t tree_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct tree, name, 1, 50),
    CYAML_FIELD_INT("age", CYAML_FLAG_DEFAULT, struct tree, age),
    CYAML_FIELD_SEQUENCE("fruits", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct tree, fruits,
                         &fruit, 0, 3),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t tree = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct tree, tree_fields),
};
static const cyaml_schema_field_t garden_fields[] = {
    CYAML_FIELD_SEQUENCE("trees", CYAML_FLAG_POINTER, struct garden, trees, &tree, 1, 100),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct garden, garden_fields),
};

static void a_file_becomes_a_struct(void **state)
{
    (void)state;
    static const char yaml[] = "# a comment\n"
                               "trees:\n"
                               "  - {name: olivo, age: 90, fruits: [aceituna]}\n"
                               "  - name: \"peral\"\n"
                               "    age: 7\n";
    struct error err;
    void *value;
    assert_int_equal(yaml_parse(&value, &schema, yaml, strlen(yaml), "g.yaml", &err), STATUS_OK);
    const struct garden *garden = value;
    assert_int_equal(garden->trees_count, 2);
    assert_string_equal(garden->trees[0].name, "olivo");
    assert_int_equal(garden->trees[0].age, 90);
    assert_string_equal(garden->trees[0].fruits[0], "aceituna");
    assert_string_equal(garden->trees[1].name, "peral");
    assert_int_equal(garden->trees[1].fruits_count, 0);
    yaml_done(&schema, value);
}

static void expect(const char *yaml, enum status status, const char *message)
{
    struct error err = {0};
    void *value = &err;
    assert_int_equal(yaml_parse(&value, &schema, yaml, strlen(yaml), "g.yaml", &err), status);
    assert_null(value);
    assert_string_equal(err.message, message);
}

static void a_mistake_is_named_with_its_line(void **state)
{
    (void)state;
    expect("trees:\n  - name: a\n    age: 1\n    colour: red\n", STATUS_FORMAT,
           "g.yaml:4: unknown key \"colour\"");
    expect("trees:\n  - name: a\n    age: old\n", STATUS_FORMAT,
           "g.yaml:3: Invalid INT value: 'old' (in age)");
    expect("trees:\n  - name: a\n    age: 1\n    age: 2\n", STATUS_FORMAT,
           "g.yaml:4: key \"age\" a second time");
    expect("trees:\n  - name: a\n", STATUS_FORMAT,
           "g.yaml:2: Missing required mapping field: age (in name)");
    expect("trees:\n  - name: 'a\n", STATUS_FORMAT, "g.yaml:3: found unexpected end of stream");
    expect("", STATUS_FORMAT, "g.yaml:1: the file is empty");
    expect("trees:\n  - name: \xff\n", STATUS_FORMAT, "g.yaml:2: not UTF-8");
}

static void nothing_can_grow_beyond_its_file(void **state)
{
    (void)state;
    expect("trees:\n  - &a {name: a, age: 1}\n  - *a\n", STATUS_FORMAT,
           "g.yaml:2: anchors are not read (&a)");
    expect("trees:\n  - *a\n", STATUS_FORMAT,
           "g.yaml:2: aliases are not read; write the value again");
    expect("trees:\n  - !!map {name: a, age: 1}\n", STATUS_FORMAT,
           "g.yaml:2: tags are not read (tag:yaml.org,2002:map)");
    expect("trees: []\n---\ntrees: []\n", STATUS_FORMAT, "g.yaml:2: a second document in one file");

    struct text deep = {0};
    for (int i = 0; i < 10000; i++) text_add(&deep, "[");
    expect(text_string(&deep), STATUS_LIMIT, "g.yaml:1: nested more than 16 levels");

    text_clear(&deep);
    while (deep.size <= YAML_SIZE_LIMIT) text_add(&deep, "# long\n");
    expect(text_string(&deep), STATUS_LIMIT, "g.yaml: larger than 1048576 bytes");
    text_done(&deep);
}

static void a_missing_file_is_not_found(void **state)
{
    (void)state;
    struct error err;
    void *value;
    assert_int_equal(yaml_load(&value, &schema, "/nonexistent.yaml", &err), STATUS_NOT_FOUND);
    assert_null(value);
    yaml_done(&schema, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_a_struct),
        cmocka_unit_test(a_mistake_is_named_with_its_line),
        cmocka_unit_test(nothing_can_grow_beyond_its_file),
        cmocka_unit_test(a_missing_file_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
