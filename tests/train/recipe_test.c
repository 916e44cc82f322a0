#include "train/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

static void words_are_read_and_refused(void **state)
{
    (void)state;
    static const struct {
        const char *word, *said; /* said NULL: it is taken */
    } words[] = {
        {"steps=12", NULL},        {"rate=3e-4", NULL},     {"bias=true", NULL},
        {"norm=rms", NULL},        {"prompt=a=b", NULL},    {"optimizer=lion", NULL},
        {"steps", "name=value"},   {"=3", "name=value"},    {"stesp=3", "steps"},
        {"steps=1.5", "whole"},    {"steps=0", "steps: 0"}, {"rate=fast", "rate: fast"},
        {"rate=nan", "rate: nan"}, {"bias=maybe", "true"},  {"norm=batch", "layer, rms"},
        {"batch=1e9", "65536"},    {"rate=", "number"},     {"preset=huge", "shakespeare-char"},
    };
    struct recipe recipe;
    recipe_init(&recipe);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct error err = {0};
        const enum status status = recipe_word(&recipe, words[i].word, &err);
        assert_int_equal(status, words[i].said ? STATUS_USAGE : STATUS_OK);
        if (words[i].said && !strstr(err.message, words[i].said))
            fail_msg("%s: %s", words[i].word, err.message);
    }
    assert_int_equal(recipe.steps, 12);
    assert_true(recipe.rate == 3e-4 && recipe.bias);
    assert_int_equal(recipe.norm, MODEL_NORM_RMS);
    assert_int_equal(recipe.optimizer, OPTIMIZER_LION);
    assert_string_equal(recipe.prompt, "a=b");
    recipe_done(&recipe);
}

static void every_preset_is_whole(void **state)
{
    (void)state;
    for (int i = 0; recipe_preset_names[i]; i++) {
        struct recipe recipe;
        struct model_config config;
        struct error err;
        recipe_init(&recipe);
        assert_int_equal(recipe_preset(&recipe, recipe_preset_names[i], &err), STATUS_OK);
        assert_int_equal(recipe_model(&config, &recipe, 50257, &err), STATUS_OK);
        if (strcmp(recipe_preset_names[i], "gpt2-124m") == 0)
            assert_int_equal(model_config_parameters(&config), 124439808);
        recipe_done(&recipe);
    }
}

static void a_file_sets_what_it_names(void **state)
{
    (void)state;
    char folder[] = "/tmp/lcx-recipe-XXXXXX";
    static const char yaml[] = "steps: 77\npreset: llama-tiny\nprompt: \"\"\nrate: 0.5\n";
    static const char unknown[] = "stepps: 77\n", wrong[] = "steps: none\n";
    struct recipe recipe;
    struct error err;
    assert_non_null(mkdtemp(folder));
    char *path = path_join(folder, "a.yaml");
    recipe_init(&recipe);
    assert_int_equal(file_write(path, yaml, strlen(yaml), 0600, &err), STATUS_OK);
    assert_int_equal(recipe_file(&recipe, path, &err), STATUS_OK);
    assert_int_equal(recipe.steps, 77); /* the preset says 2000, but comes first */
    assert_int_equal(recipe.norm, MODEL_NORM_RMS);
    assert_string_equal(recipe.prompt, "");
    assert_int_equal(file_write(path, unknown, strlen(unknown), 0600, &err), STATUS_OK);
    assert_int_not_equal(recipe_file(&recipe, path, &err), STATUS_OK);
    assert_int_equal(file_write(path, wrong, strlen(wrong), 0600, &err), STATUS_OK);
    assert_int_equal(recipe_file(&recipe, path, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "a.yaml"));
    recipe_done(&recipe);
    free(path);
    assert_int_equal(folder_remove(folder, &err), STATUS_OK);
}

static void its_json_reads_back_and_differences_are_named(void **state)
{
    (void)state;
    struct recipe one, other;
    struct text differences = {0};
    struct error err;
    recipe_init(&one);
    recipe_init(&other);
    assert_int_equal(recipe_word(&one, "rate=0.1234567890123456789", &err), STATUS_OK);
    assert_int_equal(recipe_word(&one, "data=/tmp/\xc3\xa9", &err), STATUS_OK);
    json_t *object = recipe_json(&one);
    assert_int_equal(recipe_from_json(&other, object, &err), STATUS_OK);
    recipe_differences(&differences, &one, &other);
    assert_string_equal(text_string(&differences), "");
    assert_true(one.rate == other.rate);
    assert_int_equal(recipe_word(&other, "threads=7", &err), STATUS_OK); /* free to change */
    assert_int_equal(recipe_word(&other, "steps=7", &err), STATUS_OK);
    assert_int_equal(recipe_word(&other, "dropout=0.5", &err), STATUS_OK);
    recipe_differences(&differences, &one, &other);
    assert_string_equal(text_string(&differences), "dropout, steps");
    text_done(&differences);
    json_decref(object);
    recipe_done(&one);
    recipe_done(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_read_and_refused),
        cmocka_unit_test(every_preset_is_whole),
        cmocka_unit_test(a_file_sets_what_it_names),
        cmocka_unit_test(its_json_reads_back_and_differences_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
