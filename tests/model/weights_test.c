#include "model/weights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/lcx-weights-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    struct error err;
    return folder_remove(folder, &err) ? -1 : 0;
}

static void open_small(struct parameters *parameters, const char *preset)
{
    struct model_config config;
    struct error err;
    CHECK(model_config_preset(&config, preset));
    config.L = 2;
    config.C = 12;
    config.H = 3;
    config.KVH = config.family == MODEL_FAMILY_GPT2 ? 3 : 1;
    config.D = 4;
    config.F = 7;
    config.V = 11;
    config.T = 5;
    assert_int_equal(parameters_init(parameters, &config, &err), STATUS_OK);
    parameters_randomize(parameters, 2, NULL);
}

static void weights_come_back_as_they_were(void **state)
{
    (void)state;
    static const char *const presets[] = {"gpt2-124m", "llama-1.1b", "stories260k"};
    char *path = path_join(folder, "model.safetensors");
    for (int i = 0; i < 3; i++) {
        struct parameters written, read;
        struct error err;
        open_small(&written, presets[i]);
        assert_int_equal(weights_save(&written, written.data, path, NULL, &err), STATUS_OK);
        assert_int_equal(weights_load(&read, path, &err), STATUS_OK);
        assert_int_equal(read.count, written.count);
        assert_memory_equal(read.data, written.data, read.count * sizeof(float));
        parameters_done(&written);
        parameters_done(&read);
    }
    free(path);
}

/* As GPT-2's own files are: [in,out], "transformer." before the names, masks carried along. */
static void gpt2s_own_form_is_read(void **state)
{
    (void)state;
    static const char config[] =
        "{\"model_type\":\"gpt2\",\"n_layer\":2,\"n_embd\":12,\"n_head\":3,"
        "\"vocab_size\":11,\"n_positions\":5,\"n_inner\":7}";
    struct parameters p, read;
    struct safetensors_item items[64];
    struct error err;
    const float mask[25] = {0};
    open_small(&p, "gpt2-124m");
    int n = weights_items(items, &p, p.data, "transformer.");
    const int named = n;
    items[n++] = (struct safetensors_item){.name = "transformer.h.0.attn.bias",
                                           .type = SAFETENSORS_F32,
                                           .ndim = 1,
                                           .shape = {25},
                                           .data = mask};
    const struct parameter *qkv = parameters_find(&p, "h.0.attn.c_attn.weight");
    assert_int_equal(qkv->rows, 36);
    for (int i = 0; i < named; i++)
        if (strcmp(items[i].name, "transformer.h.0.attn.c_attn.weight") == 0) {
            assert_int_equal(items[i].shape[0], 12); /* in */
            assert_int_equal(items[i].shape[1], 36); /* out */
        }
    char *path = path_join(folder, "pytorch.safetensors"),
         *beside = path_join(folder, "config.json");
    assert_int_equal(safetensors_write(path, items, n, NULL, &err), STATUS_OK);
    assert_int_equal(weights_load(&read, path, &err), STATUS_FORMAT); /* what model? */
    assert_int_equal(file_write(beside, config, strlen(config), 0600, &err), STATUS_OK);
    assert_int_equal(weights_load(&read, path, &err), STATUS_OK);
    assert_memory_equal(read.data, p.data, p.count * sizeof(float));
    parameters_done(&read);

    /* one tensor less, one more, another shape: refused by name */
    assert_int_equal(safetensors_write(path, items + 1, n - 1, NULL, &err), STATUS_OK);
    assert_int_equal(weights_load(&read, path, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "wte.weight"));
    items[n].name = "extra";
    items[n].type = SAFETENSORS_F32;
    items[n].ndim = 1;
    items[n].shape[0] = 1;
    items[n].data = mask;
    items[n].transposed = false;
    assert_int_equal(safetensors_write(path, items, n + 1, NULL, &err), STATUS_OK);
    assert_int_equal(weights_load(&read, path, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "extra"));
    items[0].shape[0] = 6;
    items[0].shape[1] = 22;
    assert_int_equal(safetensors_write(path, items, n, NULL, &err), STATUS_OK);
    assert_int_equal(weights_load(&read, path, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "[11,12]"));
    assert_non_null(strstr(err.message, "[6,22]"));
    assert_null(read.data);
    weights_items_done(items, named);
    parameters_done(&p);
    free(path);
    free(beside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_come_back_as_they_were),
        cmocka_unit_test(gpt2s_own_form_is_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
