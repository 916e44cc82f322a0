#include "model/llama2c.h"

#include <string.h>

#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"

enum { HEADER_0 = 28, HEADER_1 = 256, HEADER_SIZES = 7 };
#define MAGIC 0x616b3432u /* "ak42", read as a number */
#define SIZE_LIMIT ((size_t)64 << 30)

static int32_t int_at(const uint8_t *bytes)
{
    int32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static struct model_config config_of(const int32_t sizes[HEADER_SIZES], bool tied)
{
    const int32_t C = sizes[0], H = sizes[3];
    return (struct model_config){.family = MODEL_FAMILY_LLAMA,
                                 .L = sizes[2],
                                 .C = C,
                                 .H = H,
                                 .KVH = sizes[4],
                                 .D = H > 0 && C > 0 ? C / H : 0,
                                 .F = sizes[1],
                                 .V = sizes[5],
                                 .T = sizes[6],
                                 .position = MODEL_POSITION_ROPE,
                                 .norm = MODEL_NORM_RMS,
                                 .norm_eps = 1e-5f,
                                 .activation = MODEL_ACTIVATION_SWIGLU,
                                 .tied = tied,
                                 .rope_base = 10000.0f,
                                 .rope_layout = ROPE_INTERLEAVED,
                                 .rope_factor = 1.0f};
}

static enum status read_header(struct model_config *config, int *version, const uint8_t *bytes,
                               size_t size, struct error *err)
{
    int32_t sizes[HEADER_SIZES];
    bool tied;
    if (size < HEADER_0)
        return error_set(err, STATUS_FORMAT, _("%zu bytes, shorter than its header"), size);
    *version = 0;
    if ((uint32_t)int_at(bytes) == MAGIC) {
        *version = int_at(bytes + 4);
        if (*version != 1)
            return error_set(err, STATUS_FORMAT,
                             _("version %d of llama2.c's files; versions 0 and 1 are read"),
                             *version);
        if (size < HEADER_1)
            return error_set(err, STATUS_FORMAT, _("%zu bytes, shorter than its header"), size);
    }
    for (int i = 0; i < HEADER_SIZES; i++) sizes[i] = int_at(bytes + (*version ? 8 : 0) + 4 * i);
    if (*version) {
        tied = bytes[8 + 4 * HEADER_SIZES] != 0;
    } else {
        tied = sizes[5] > 0;
        if (sizes[5] < 0 && sizes[5] != INT32_MIN) sizes[5] = -sizes[5];
    }
    *config = config_of(sizes, tied);
    if (config->H > 0 && config->C % config->H)
        return error_set(err, STATUS_FORMAT, _("width %d is no multiple of %d heads"), config->C,
                         config->H);
    return model_config_check(config, err) ? STATUS_FORMAT : STATUS_OK;
}

struct reading {
    const uint8_t *at;
    float *data;
};

static void take(struct reading *reading, size_t offset, size_t count)
{
    memcpy(reading->data + offset, reading->at, count * sizeof(float));
    reading->at += count * sizeof(float);
}

/* One group: `count` numbers of every layer, `behind` the start of a part (a field of block_offsets). */
static void take_layers(struct reading *reading, const struct parameters *parameters, size_t part,
                        size_t behind, size_t count)
{
    for (int l = 0; l < parameters->config.L; l++) {
        const char *block = (const char *)&parameters->blocks[l];
        size_t offset;
        memcpy(&offset, block + part, sizeof offset);
        take(reading, offset + behind, count);
    }
}
#define PART(name) offsetof(struct block_offsets, name)

static void take_attention(struct reading *reading, const struct parameters *parameters)
{
    const size_t C = (size_t)parameters->config.C;
    const size_t HD = (size_t)(parameters->config.H * parameters->config.D);
    const size_t KVD = (size_t)(parameters->config.KVH * parameters->config.D);
    take_layers(reading, parameters, PART(qkv), 0, HD * C);
    take_layers(reading, parameters, PART(qkv), HD * C, KVD * C);
    take_layers(reading, parameters, PART(qkv), (HD + KVD) * C, KVD * C);
    take_layers(reading, parameters, PART(projection), 0, HD * C);
}

static void take_feed_forward(struct reading *reading, const struct parameters *parameters)
{
    const size_t C = (size_t)parameters->config.C, F = (size_t)parameters->config.F;
    take_layers(reading, parameters, PART(up), 0, F * C);
    take_layers(reading, parameters, PART(down), 0, F * C);
    take_layers(reading, parameters, PART(up), F * C, F * C);
}

static void take_all(struct reading *reading, const struct parameters *parameters, int version)
{
    const struct model_config *config = &parameters->config;
    const size_t C = (size_t)config->C, table = (size_t)config->V * C;
    if (version == 0) take(reading, parameters->tokens, table);
    take_layers(reading, parameters, PART(norm_1), 0, C);
    if (version == 0) take_attention(reading, parameters);
    take_layers(reading, parameters, PART(norm_2), 0, C);
    if (version == 1) {
        take(reading, parameters->norm, C);
        take(reading, parameters->tokens, table);
        take_attention(reading, parameters);
    }
    take_feed_forward(reading, parameters);
    if (version == 0) {
        take(reading, parameters->norm, C);
        reading->at += (size_t)config->T * (size_t)(config->D / 2) * 2 * sizeof(float);
    }
    if (!config->tied) take(reading, parameters->head, table);
}

enum status llama2c_parse(struct parameters *parameters, const void *bytes, size_t size,
                          struct error *err)
{
    struct model_config config;
    int version = 0;
    *parameters = (struct parameters){0};
    enum status status = read_header(&config, &version, bytes, size, err);
    if (status) return status;

    uint64_t numbers = (uint64_t)model_config_parameters(&config);
    if (version == 0) numbers += (uint64_t)config.T * (uint64_t)(config.D / 2) * 2;
    const uint64_t header = version ? HEADER_1 : HEADER_0;
    if (size != header + numbers * sizeof(float))
        return error_set(err, STATUS_FORMAT,
                         _("its header says %llu bytes, the file has %llu: not whole, or no "
                           "llama2.c model"),
                         (unsigned long long)(header + numbers * sizeof(float)),
                         (unsigned long long)size);
    status = parameters_init(parameters, &config, err);
    if (status) return status;
    struct reading reading = {(const uint8_t *)bytes + header, parameters->data};
    take_all(&reading, parameters, version);
    return STATUS_OK;
}

enum status llama2c_load(struct parameters *parameters, const char *path, struct error *err)
{
    struct text bytes = {0};
    *parameters = (struct parameters){0};
    enum status status = file_read(&bytes, path, SIZE_LIMIT, err);
    if (!status) {
        status = llama2c_parse(parameters, bytes.data, bytes.size, err);
        if (status) error_prefix(err, "%s", path);
    }
    text_done(&bytes);
    return status;
}
