#include "plan/shape.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"

static const char content[] = SOURCE_ROOT "/content";

static void parameters_are_those_that_the_shape_has(void **state)
{
    (void)state;
    struct shapes shapes;
    struct error err = {0};
    if (shapes_load(&shapes, content, NULL, &err)) fail_msg("%s", err.message);
    assert_true(shapes.n_models >= 6 && shapes.n_gpus >= 8);
    for (int i = 0; i < shapes.n_models; i++) {
        const struct model_shape *m = &shapes.models[i];
        if (model_parameters(m, false) != m->parameters || model_parameters(m, true) != m->active)
            fail_msg("%s: %.0f, active %.0f", m->name, model_parameters(m, false),
                     model_parameters(m, true));
        assert_true(m->heads * m->head_dim == m->d_model && *m->source);
    }
    shapes_done(&shapes);
}

/* What would be a slip in a datasheet's figure: sparse for dense, GB for TB. */
static void gpus_are_within_what_exists(void **state)
{
    (void)state;
    struct shapes shapes;
    assert_int_equal(shapes_load(&shapes, content, NULL, NULL), STATUS_OK);
    for (int i = 0; i < shapes.n_gpus; i++) {
        const struct gpu_shape *g = &shapes.gpus[i];
        const double intensity = g->bf16 / g->bandwidth; /* FLOP a byte */
        if (intensity < 100 || intensity > 450) fail_msg("%s: %g", g->name, intensity);
        assert_true(g->fp8 == 0 || fabs(g->fp8 / g->bf16 - 2) < 0.03);
        assert_true(g->memory >= 24e9 && g->memory <= 200e9);
        assert_string_equal(g->price_source, "assumption");
    }
    assert_non_null(shapes_gpu(&shapes, "H100"));
    assert_null(shapes_gpu(&shapes, "abacus"));
    shapes_done(&shapes);
}

static char folder[64];

static void write_table(const char *name, const char *words)
{
    char *path = path_join(folder, name);
    assert_int_equal(file_scratch(path, words, strlen(words), 0600, NULL), STATUS_OK);
    free(path);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/lcx-shape-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return folder_remove(folder, NULL) ? -1 : 0;
}

static void a_users_table_replaces_keys_and_adds_rows(void **state)
{
    (void)state;
    struct shapes shapes;
    struct error err = {0};
    write_table("gpus.yaml", "- name: H100\n  price: 1.99 USD/h\n"
                             "- name: mine\n  memory: 32 GB\n  bandwidth: 1 TB/s\n"
                             "  bf16: 200 TFLOPS\n  source: me\n  price: 0 USD/h\n"
                             "  price_source: my own\n");
    assert_int_equal(shapes_load(&shapes, content, folder, &err), STATUS_FORMAT);
    if (!strstr(err.message, "gpus.yaml:8: price: must be more than 0"))
        fail_msg("%s", err.message);
    write_table("gpus.yaml", "- name: H100\n  price: 1.99 USD/h\n");
    if (shapes_load(&shapes, content, folder, &err)) fail_msg("%s", err.message);
    const struct gpu_shape *gpu = shapes_gpu(&shapes, "h100");
    assert_true(fabs(gpu->price * 3600 - 1.99) < 1e-12 && gpu->memory == 80e9);
    shapes_done(&shapes);
}

static void a_wrong_row_has_a_line(void **state)
{
    (void)state;
    static const char *const tables[][2] = {
        {"- name: x\n  layers: many\n", ":2: layers: \"many\" is not a number"},
        {"- name: x\n  layers: 3 GB\n", ":2: layers: expected a plain number, got 3 GB"},
        {"- name: x\n  colour: red\n", ":2: unknown key \"colour\""},
        {"- layers: 3\n", ":1: the row has no name"},
        {"- name: x\n  layers: 3\n", ":1: the row has no source"},
        {"- name: llama-3.1-8b\n  active: 9B\n", ":1: llama-3.1-8b: a part is larger"},
        {"- name: llama-3.1-8b\n  active: 1B\n", "needs experts"},
        {"- name: [a]\n", ":1: a value is one word"},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct shapes shapes;
        struct error err = {0};
        write_table("models.yaml", tables[i][0]);
        assert_int_equal(shapes_load(&shapes, content, folder, &err), STATUS_FORMAT);
        if (!strstr(err.message, tables[i][1])) fail_msg("%zu: %s", i, err.message);
        assert_int_equal(shapes.n_models, 0);
    }
}

int main(void)
{
    locale_init("en", "/nonexistent");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_those_that_the_shape_has),
        cmocka_unit_test(gpus_are_within_what_exists),
        cmocka_unit_test_setup_teardown(a_users_table_replaces_keys_and_adds_rows, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_wrong_row_has_a_line, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
