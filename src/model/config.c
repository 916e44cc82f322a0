#include "model/config.h"

#include <math.h>
#include <string.h>

#include "base/locale.h"

const char *const model_family_names[] = {"gpt2", "llama", NULL};
const char *const model_position_names[] = {"learned", "sinusoidal", "rope", "alibi", "none", NULL};
const char *const model_norm_names[] = {"layer", "rms", NULL};
const char *const model_activation_names[] = {"gelu", "gelu_exact", "silu", "relu", "swiglu", NULL};
const char *const model_scaling_names[] = {"none", "linear", "ntk", "dynamic",
                                           "yarn", "llama3", NULL};
const char *const model_layout_names[] = {"half", "interleaved", NULL};

int model_name_find(const char *const *names, const char *word)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], word) == 0) return i;
    return -1;
}

/* ---- presets ---- */

static struct model_config gpt2(int L, int C, int H)
{
    return (struct model_config){
        .family = MODEL_FAMILY_GPT2,
        .L = L,
        .C = C,
        .H = H,
        .KVH = H,
        .D = C / H,
        .F = 4 * C,
        .V = 50257,
        .T = 1024,
        .position = MODEL_POSITION_LEARNED,
        .norm = MODEL_NORM_LAYER,
        .norm_eps = 1e-5f,
        .activation = MODEL_ACTIVATION_GELU,
        .bias = true,
        .tied = true,
        .rope_base = 10000.0f,
        .rope_factor = 1.0f,
    };
}

static struct model_config llama(int L, int C, int H, int KVH, int F, int V, int T)
{
    return (struct model_config){
        .family = MODEL_FAMILY_LLAMA,
        .L = L,
        .C = C,
        .H = H,
        .KVH = KVH,
        .D = C / H,
        .F = F,
        .V = V,
        .T = T,
        .position = MODEL_POSITION_ROPE,
        .norm = MODEL_NORM_RMS,
        .norm_eps = 1e-5f,
        .activation = MODEL_ACTIVATION_SWIGLU,
        .rope_base = 10000.0f,
        .rope_factor = 1.0f,
    };
}

const char *const model_preset_names[] = {"gpt2-124m",   "gpt2-355m",  "gpt2-774m",
                                          "gpt2-1.5b",   "llama-1.1b", "shakespeare-char",
                                          "stories260k", NULL};

bool model_config_preset(struct model_config *config, const char *name)
{
    switch (model_name_find(model_preset_names, name)) {
    case 0: *config = gpt2(12, 768, 12); break;
    case 1: *config = gpt2(24, 1024, 16); break;
    case 2: *config = gpt2(36, 1280, 20); break;
    case 3: *config = gpt2(48, 1600, 25); break;
    case 4: *config = llama(22, 2048, 32, 4, 5632, 32000, 2048); break;
    case 5: /* nanoGPT's configuration for a CPU */
        *config = gpt2(4, 128, 4);
        config->V = 65;
        config->T = 64;
        config->bias = false;
        break;
    case 6:
        *config = llama(5, 64, 8, 4, 172, 512, 512);
        config->tied = true;
        config->rope_layout = ROPE_INTERLEAVED;
        break;
    default: return false;
    }
    return true;
}

/* ---- the check ---- */

static enum status within(const char *name, int64_t value, int64_t low, int64_t high,
                          struct error *err)
{
    if (value >= low && value <= high) return STATUS_OK;
    return error_set(err, STATUS_USAGE, _("model: %s is %lld, it must be %lld to %lld"), name,
                     (long long)value, (long long)low, (long long)high);
}

static enum status check_sizes(const struct model_config *config, struct error *err)
{
    enum status status = within("L", config->L, 1, MODEL_LAYER_LIMIT, err);
    if (!status) status = within("C", config->C, 1, MODEL_WIDTH_LIMIT, err);
    if (!status) status = within("H", config->H, 1, MODEL_WIDTH_LIMIT, err);
    if (!status) status = within("KVH", config->KVH, 1, config->H, err);
    if (!status) status = within("D", config->D, 1, 1024, err);
    if (!status) status = within("F", config->F, 1, 4 * MODEL_WIDTH_LIMIT, err);
    if (!status) status = within("V", config->V, 1, MODEL_VOCABULARY_LIMIT, err);
    if (!status) status = within("T", config->T, 1, MODEL_CONTEXT_LIMIT, err);
    if (!status)
        status = within("H * D", (int64_t)config->H * config->D, 1, MODEL_WIDTH_LIMIT, err);
    return status;
}

enum status model_config_check(const struct model_config *config, struct error *err)
{
    const enum status status = check_sizes(config, err);
    if (status) return status;
    if (config->H % config->KVH)
        return error_set(err, STATUS_USAGE,
                         _("model: H is %d, it must be a multiple of KVH, which is %d"), config->H,
                         config->KVH);
    if (config->position == MODEL_POSITION_ROPE && config->D % 2)
        return error_set(err, STATUS_USAGE, _("model: D is %d, RoPE turns pairs: it must be even"),
                         config->D);
    if (!(config->norm_eps > 0 && config->norm_eps < 1))
        return error_set(err, STATUS_USAGE, _("model: norm_eps is %g, it must be in (0, 1)"),
                         (double)config->norm_eps);
    if (!(config->dropout >= 0 && config->dropout < 1))
        return error_set(err, STATUS_USAGE, _("model: dropout is %g, it must be in [0, 1)"),
                         (double)config->dropout);
    if (!(config->rope_base > 1 && config->rope_base < 1e12f))
        return error_set(err, STATUS_USAGE, _("model: rope_base is %g, it must be above 1"),
                         (double)config->rope_base);
    if (!(config->rope_factor >= 1 && config->rope_factor <= 4096))
        return error_set(err, STATUS_USAGE, _("model: rope_factor is %g, it must be 1 to 4096"),
                         (double)config->rope_factor);
    if (config->norm == MODEL_NORM_RMS && config->bias && config->family == MODEL_FAMILY_LLAMA)
        return error_set(err, STATUS_USAGE,
                         _("model: family llama has no biases; take family gpt2 or bias=false"));
    return STATUS_OK;
}

/* ---- what it costs ---- */

static int64_t feed_forward_rows(const struct model_config *config)
{
    return config->activation == MODEL_ACTIVATION_SWIGLU ? 2 * (int64_t)config->F : config->F;
}

/* Weights of the matrix products of one block. */
static int64_t block_weights(const struct model_config *config)
{
    const int64_t C = config->C, D = config->D;
    return C * (config->H + 2 * (int64_t)config->KVH) * D + C * config->H * D +
           C * feed_forward_rows(config) + C * config->F;
}

int64_t model_config_parameters(const struct model_config *config)
{
    const int64_t C = config->C;
    const bool has_norm_bias = config->bias && config->norm == MODEL_NORM_LAYER;
    const int64_t norm = C * (has_norm_bias ? 2 : 1);
    int64_t block = block_weights(config) + 2 * norm;
    if (config->bias)
        block +=
            (config->H + 2 * (int64_t)config->KVH) * config->D + C + feed_forward_rows(config) + C;
    int64_t all = (int64_t)config->V * C + config->L * block;
    if (!config->norm_after) all += norm;
    if (config->position == MODEL_POSITION_LEARNED) all += (int64_t)config->T * C;
    if (!config->tied) all += (int64_t)config->V * C;
    return all;
}

double model_config_flops(const struct model_config *config, int S)
{
    const double products =
        (double)config->L * (double)block_weights(config) + (double)config->V * config->C;
    return 2 * products + 4.0 * config->L * S * config->H * config->D;
}

int64_t model_config_cache_bytes(const struct model_config *config)
{
    return 2 * (int64_t)sizeof(float) * config->L * config->KVH * config->D;
}

/* ---- as text ---- */

json_t *model_config_json(const struct model_config *config)
{
    json_t *object = json_pack(
        "{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:s, s:b, s:f, s:s, s:b, s:b}",
        "family", model_family_names[config->family], "L", config->L, "C", config->C, "H",
        config->H, "KVH", config->KVH, "D", config->D, "F", config->F, "V", config->V, "T",
        config->T, "position", model_position_names[config->position], "norm",
        model_norm_names[config->norm], "norm_after", config->norm_after, "norm_eps",
        (double)config->norm_eps, "activation", model_activation_names[config->activation], "bias",
        config->bias, "tied", config->tied);
    json_t *rest =
        json_pack("{s:f, s:s, s:s, s:f, s:i, s:f}", "rope_base", (double)config->rope_base,
                  "rope_layout", model_layout_names[config->rope_layout], "rope_scaling",
                  model_scaling_names[config->rope_scaling], "rope_factor",
                  (double)config->rope_factor, "rope_trained_positions",
                  config->rope_trained_positions, "dropout", (double)config->dropout);
    CHECK(object && rest && json_object_update(object, rest) == 0);
    json_decref(rest);
    return object;
}

static int take_int(const json_t *object, const char *key, bool *good)
{
    const json_t *value = json_object_get(object, key);
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || number > INT32_MAX) *good = false;
    return *good ? (int)number : 0;
}

static float take_float(const json_t *object, const char *key, bool *good)
{
    const json_t *value = json_object_get(object, key);
    const double number = json_number_value(value);
    if (!json_is_number(value) || !(fabs(number) < 1e30)) *good = false;
    return *good ? (float)number : 0;
}

static bool take_bool(const json_t *object, const char *key, bool *good)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value)) *good = false;
    return json_is_true(value);
}

static int take_name(const json_t *object, const char *key, const char *const *names, bool *good)
{
    const char *word = json_string_value(json_object_get(object, key));
    const int i = word ? model_name_find(names, word) : -1;
    if (i < 0) *good = false;
    return i < 0 ? 0 : i;
}

enum status model_config_from_json(struct model_config *config, const json_t *object,
                                   struct error *err)
{
    bool good = true;
    struct model_config read = {0};
#define TAKE(kind, key) read.key = take_##kind(object, #key, &good)
#define TAKE_NAME(type, key, names) read.key = (enum type)take_name(object, #key, names, &good)
    *config = read;
    TAKE_NAME(model_family, family, model_family_names);
    TAKE(int, L);
    TAKE(int, C);
    TAKE(int, H);
    TAKE(int, KVH);
    TAKE(int, D);
    TAKE(int, F);
    TAKE(int, V);
    TAKE(int, T);
    TAKE_NAME(model_position, position, model_position_names);
    TAKE_NAME(model_norm, norm, model_norm_names);
    TAKE(bool, norm_after);
    TAKE(float, norm_eps);
    TAKE_NAME(model_activation, activation, model_activation_names);
    TAKE(bool, bias);
    TAKE(bool, tied);
    TAKE(float, rope_base);
    TAKE_NAME(rope_layout, rope_layout, model_layout_names);
    TAKE_NAME(rope_scaling, rope_scaling, model_scaling_names);
    TAKE(float, rope_factor);
    TAKE(int, rope_trained_positions);
    TAKE(float, dropout);
#undef TAKE
#undef TAKE_NAME
    json_t *again = model_config_json(&read);
    const size_t n_fields = json_object_size(again);
    json_decref(again);
    if (!good || json_object_size(object) != n_fields)
        return error_set(err, STATUS_FORMAT,
                         _("model: its description lacks a field, has an unknown one, or a value "
                           "that cannot be"));
    const enum status status = model_config_check(&read, err);
    if (status) return err ? err->status = STATUS_FORMAT : STATUS_FORMAT;
    *config = read;
    return STATUS_OK;
}

/* ---- as others write it ---- */

static int int_or(const json_t *object, const char *key, int otherwise)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value)) return otherwise;
    const json_int_t number = json_integer_value(value);
    return number > 0 && number <= INT32_MAX ? (int)number : -1;
}

static float float_or(const json_t *object, const char *key, float otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? (float)json_number_value(value) : otherwise;
}

static enum status from_gpt2(struct model_config *read, const json_t *object, struct error *err)
{
    const char *activation = json_string_value(json_object_get(object, "activation_function"));
    if (activation && strcmp(activation, "gelu_new") != 0)
        return error_set(err, STATUS_FORMAT,
                         _("config.json: activation_function %s: only gelu_new"), activation);
    const int L = int_or(object, "n_layer", -1), C = int_or(object, "n_embd", -1);
    const int H = int_or(object, "n_head", -1);
    if (L < 1 || C < 1 || H < 1 || C % H)
        return error_set(err, STATUS_FORMAT,
                         _("config.json: n_layer, n_embd and n_head must be there and fit"));
    *read = gpt2(L, C, H);
    read->V = int_or(object, "vocab_size", read->V);
    read->T = int_or(object, "n_positions", read->T);
    read->F = int_or(object, "n_inner", read->F);
    read->norm_eps = float_or(object, "layer_norm_epsilon", read->norm_eps);
    return STATUS_OK;
}

static enum status from_llama(struct model_config *read, const json_t *object, struct error *err)
{
    const int L = int_or(object, "num_hidden_layers", -1), C = int_or(object, "hidden_size", -1);
    const int H = int_or(object, "num_attention_heads", -1);
    const int F = int_or(object, "intermediate_size", -1), V = int_or(object, "vocab_size", -1);
    const char *activation = json_string_value(json_object_get(object, "hidden_act"));
    const json_t *scaling = json_object_get(object, "rope_scaling");
    if (L < 1 || C < 1 || H < 1 || F < 1 || V < 1)
        return error_set(err, STATUS_FORMAT,
                         _("config.json: num_hidden_layers, hidden_size, num_attention_heads, "
                           "intermediate_size and vocab_size must be there"));
    if (activation && strcmp(activation, "silu") != 0)
        return error_set(err, STATUS_FORMAT, _("config.json: hidden_act %s: only silu"),
                         activation);
    if (json_is_true(json_object_get(object, "attention_bias")))
        return error_set(err, STATUS_FORMAT, _("config.json: attention_bias is not supported"));
    *read = llama(L, C, H, int_or(object, "num_key_value_heads", H), F, V,
                  int_or(object, "max_position_embeddings", 2048));
    read->D = int_or(object, "head_dim", read->D);
    read->norm_eps = float_or(object, "rms_norm_eps", 1e-6f);
    read->rope_base = float_or(object, "rope_theta", 10000.0f);
    read->tied = json_is_true(json_object_get(object, "tie_word_embeddings"));
    if (json_is_object(scaling)) {
        const char *kind = json_string_value(json_object_get(scaling, "rope_type"));
        if (!kind) kind = json_string_value(json_object_get(scaling, "type"));
        const int i = kind ? model_name_find(model_scaling_names, kind) : -1;
        if (i < 0 && !(kind && strcmp(kind, "default") == 0))
            return error_set(err, STATUS_FORMAT, _("config.json: rope_scaling %s is not known"),
                             kind ? kind : "?");
        if (i >= 0) read->rope_scaling = (enum rope_scaling)i;
        read->rope_factor = float_or(scaling, "factor", 1.0f);
        read->rope_trained_positions = int_or(scaling, "original_max_position_embeddings", 0);
    }
    return STATUS_OK;
}

enum status model_config_from_huggingface(struct model_config *config, const json_t *object,
                                          struct error *err)
{
    const char *type = json_string_value(json_object_get(object, "model_type"));
    struct model_config read = {0};
    enum status status;
    *config = read;
    if (type && strcmp(type, "gpt2") == 0) status = from_gpt2(&read, object, err);
    else if (type && strcmp(type, "llama") == 0) status = from_llama(&read, object, err);
    else
        status = error_set(err, STATUS_FORMAT, _("config.json: model_type %s: only gpt2 and llama"),
                           type ? type : "?");
    if (!status && model_config_check(&read, err))
        status = err ? err->status = STATUS_FORMAT : STATUS_FORMAT;
    if (!status) *config = read;
    return status;
}
