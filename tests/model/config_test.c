#include "model/config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/parameters.h"

static void presets_have_their_published_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t parameters;
    } known[] = {{"gpt2-124m", 124439808},  {"gpt2-355m", 354823168},   {"gpt2-774m", 774030080},
                 {"gpt2-1.5b", 1557611200}, {"llama-1.1b", 1100048384}, {"stories260k", 260032}};
    struct model_config config;
    struct error err;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(model_config_preset(&config, known[i].name));
        assert_int_equal(model_config_check(&config, &err), STATUS_OK);
        assert_int_equal(model_config_parameters(&config), known[i].parameters);
    }
    assert_false(model_config_preset(&config, "gpt5"));
}

/* GPT-2 124M at B = 4, T = 64: 191 GFLOP a step, as peers count them. */
static void operations_are_counted(void **state)
{
    (void)state;
    struct model_config config;
    assert_true(model_config_preset(&config, "gpt2-124m"));
    const double step = 3.0 * 256 * model_config_flops(&config, 32) / 1e9;
    assert_true(fabs(step - 191) < 1);
    assert_int_equal(model_config_cache_bytes(&config), 2 * 4 * 12 * 768);
}

static void it_reads_its_own_description_and_nothing_else(void **state)
{
    (void)state;
    struct model_config config, read;
    struct error err;
    assert_true(model_config_preset(&config, "llama-1.1b"));
    json_t *object = model_config_json(&config);
    assert_int_equal(model_config_from_json(&read, object, &err), STATUS_OK);
    json_t *again = model_config_json(&read);
    assert_true(json_equal(object, again));
    json_object_set_new(object, "other", json_true());
    assert_int_equal(model_config_from_json(&read, object, &err), STATUS_FORMAT);
    json_object_del(object, "other");
    json_object_set_new(object, "KVH", json_integer(5)); /* 32 heads */
    assert_int_equal(model_config_from_json(&read, object, &err), STATUS_FORMAT);
    json_object_del(object, "KVH");
    assert_int_equal(model_config_from_json(&read, object, &err), STATUS_FORMAT);
    json_decref(object);
    json_decref(again);
}

static void what_others_write_is_read(void **state)
{
    (void)state;
    static const char gpt2[] =
        "{\"model_type\":\"gpt2\",\"n_layer\":12,\"n_embd\":768,\"n_head\":12,"
        "\"vocab_size\":50257,\"n_positions\":1024,"
        "\"activation_function\":\"gelu_new\",\"layer_norm_epsilon\":1e-05}";
    static const char llama[] =
        "{\"model_type\":\"llama\",\"num_hidden_layers\":22,\"hidden_size\":2048,"
        "\"num_attention_heads\":32,\"num_key_value_heads\":4,\"intermediate_size\":5632,"
        "\"vocab_size\":32000,\"max_position_embeddings\":2048,\"rms_norm_eps\":1e-05,"
        "\"hidden_act\":\"silu\",\"tie_word_embeddings\":false,\"rope_scaling\":"
        "{\"rope_type\":\"llama3\",\"factor\":8.0,\"original_max_position_embeddings\":8192}}";
    struct model_config config;
    struct error err;
    json_t *object;
    assert_int_equal(json_parse(&object, gpt2, strlen(gpt2), &err), STATUS_OK);
    assert_int_equal(model_config_from_huggingface(&config, object, &err), STATUS_OK);
    assert_int_equal(model_config_parameters(&config), 124439808);
    json_object_set_new(object, "activation_function", json_string("relu"));
    assert_int_equal(model_config_from_huggingface(&config, object, &err), STATUS_FORMAT);
    json_decref(object);
    assert_int_equal(json_parse(&object, llama, strlen(llama), &err), STATUS_OK);
    assert_int_equal(model_config_from_huggingface(&config, object, &err), STATUS_OK);
    assert_int_equal(model_config_parameters(&config), 1100048384);
    assert_int_equal(config.rope_scaling, ROPE_LLAMA3);
    assert_int_equal(config.rope_trained_positions, 8192);
    json_decref(object);
    object = json_object();
    assert_int_equal(model_config_from_huggingface(&config, object, &err), STATUS_FORMAT);
    json_decref(object);
}

static void the_table_of_parameters_has_no_holes(void **state)
{
    (void)state;
    for (int i = 0; model_preset_names[i]; i++) {
        struct model_config config;
        struct parameters parameters;
        size_t at = 0;
        assert_true(model_config_preset(&config, model_preset_names[i]));
        parameters_plan(&parameters, &config);
        for (int k = 0; k < parameters.n; k++) {
            const struct parameter *p = &parameters.table[k];
            assert_int_equal(p->offset, at);
            assert_ptr_equal(parameters_find(&parameters, p->name), p);
            at += p->count;
        }
        assert_int_equal(at, parameters.count);
        parameters_done(&parameters);
    }
}

static void it_begins_as_gpt2_does(void **state)
{
    (void)state;
    struct model_config config;
    struct parameters parameters, again;
    struct pool *pool;
    struct error err;
    assert_true(model_config_preset(&config, "shakespeare-char"));
    assert_int_equal(pool_open(&pool, 3, &err), STATUS_OK);
    assert_int_equal(parameters_init(&parameters, &config, &err), STATUS_OK);
    assert_int_equal(parameters_init(&again, &config, &err), STATUS_OK);
    parameters_randomize(&parameters, 9, NULL);
    parameters_randomize(&again, 9, pool);
    assert_memory_equal(parameters.data, again.data, again.count * sizeof(float));
    for (int k = 0; k < parameters.n; k++) {
        const struct parameter *p = &parameters.table[k];
        double sum = 0, square = 0;
        for (size_t i = 0; i < p->count; i++) {
            sum += (double)parameters.data[p->offset + i];
            square += pow((double)parameters.data[p->offset + i], 2);
        }
        const double deviation = sqrt(square / (double)p->count);
        if (p->kind == PARAMETER_GAIN) assert_true(sum == (double)p->count);
        else if (p->kind == PARAMETER_PROJECTION)
            assert_true(fabs(deviation - 0.02 / sqrt(8)) < 0.0004);
        else assert_true(fabs(deviation - 0.02) < 0.001);
    }
    parameters_done(&parameters);
    parameters_done(&again);
    pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_have_their_published_numbers),
        cmocka_unit_test(operations_are_counted),
        cmocka_unit_test(it_reads_its_own_description_and_nothing_else),
        cmocka_unit_test(what_others_write_is_read),
        cmocka_unit_test(the_table_of_parameters_has_no_holes),
        cmocka_unit_test(it_begins_as_gpt2_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
