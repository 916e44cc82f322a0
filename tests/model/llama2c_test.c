#include "model/llama2c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "infer/generate.h"

/* ---- files written here, from the description of the format ---- */

static void put(struct text *out, const void *bytes, size_t size)
{
    text_add_bytes(out, bytes, size);
}

static void put_layers(struct text *out, const struct parameters *p, size_t part, size_t behind,
                       size_t count)
{
    for (int l = 0; l < p->config.L; l++) {
        size_t at;
        memcpy(&at, (const char *)&p->blocks[l] + part, sizeof at);
        put(out, p->data + at + behind, count * sizeof(float));
    }
}

static void write_file(struct text *out, const struct parameters *p, int version)
{
    const struct model_config *c = &p->config;
    const int32_t sizes[] = {c->C, c->F, c->L, c->H, c->KVH, c->tied || version ? c->V : -c->V,
                             c->T};
    const size_t C = (size_t)c->C, F = (size_t)c->F, HD = (size_t)(c->H * c->D);
    const size_t KVD = (size_t)(c->KVH * c->D), table = (size_t)c->V * C;
    const uint32_t magic = 0x616b3432;
    const int32_t one = 1;
    if (version) {
        put(out, &magic, 4);
        put(out, &one, 4);
    }
    put(out, sizes, sizeof sizes);
    if (version) {
        text_add_char(out, c->tied ? 1 : 0);
        while (out->size < 256) text_add_char(out, 0);
    }
#define PART(name) offsetof(struct block_offsets, name)
    if (!version) put(out, p->data + p->tokens, table * 4);
    put_layers(out, p, PART(norm_1), 0, C);
    if (version) {
        put_layers(out, p, PART(norm_2), 0, C);
        put(out, p->data + p->norm, C * 4);
        put(out, p->data + p->tokens, table * 4);
    }
    put_layers(out, p, PART(qkv), 0, HD * C);
    put_layers(out, p, PART(qkv), HD * C, KVD * C);
    put_layers(out, p, PART(qkv), (HD + KVD) * C, KVD * C);
    put_layers(out, p, PART(projection), 0, HD * C);
    if (!version) put_layers(out, p, PART(norm_2), 0, C);
    put_layers(out, p, PART(up), 0, F * C);
    put_layers(out, p, PART(down), 0, F * C);
    put_layers(out, p, PART(up), F * C, F * C);
    if (!version) {
        put(out, p->data + p->norm, C * 4);
        const float unused = 7;
        for (int i = 0; i < c->T * (c->D / 2) * 2; i++) put(out, &unused, 4);
    }
    if (!c->tied) put(out, p->data + p->head, table * 4);
}

static struct model_config odd(bool tied)
{
    struct model_config config;
    CHECK(model_config_preset(&config, "stories260k"));
    config.L = 3;
    config.C = 24;
    config.H = 4;
    config.KVH = 2;
    config.D = 6;
    config.F = 17;
    config.V = 31;
    config.T = 9;
    config.tied = tied;
    return config;
}

static void both_versions_are_read(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const struct model_config config = odd(i & 1);
        struct parameters written, read;
        struct text file = {0};
        struct error err;
        assert_int_equal(parameters_init(&written, &config, &err), STATUS_OK);
        parameters_randomize(&written, 3, NULL);
        write_file(&file, &written, i / 2);
        assert_int_equal(llama2c_parse(&read, file.data, file.size, &err), STATUS_OK);
        assert_int_equal(read.config.KVH, 2);
        assert_int_equal(read.config.tied, config.tied);
        assert_int_equal(read.count, written.count);
        assert_memory_equal(read.data, written.data, read.count * sizeof(float));
        parameters_done(&read);

        /* a file that is cut, or goes on, is refused whole */
        assert_int_equal(llama2c_parse(&read, file.data, file.size - 1, &err), STATUS_FORMAT);
        assert_null(read.data);
        text_add_char(&file, 0);
        assert_int_equal(llama2c_parse(&read, file.data, file.size, &err), STATUS_FORMAT);
        parameters_done(&written);
        text_done(&file);
    }
}

static void sizes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct parameters read;
    struct error err;
    const int32_t huge[7] = {1 << 30, 1 << 30, 1 << 30, 1, 1, 1 << 30, 1 << 30};
    const int32_t no_heads[7] = {8, 8, 1, 0, 0, 8, 8};
    const int32_t version_2[64] = {0x616b3432, 2, 8, 8, 1, 2, 2, 8, 8};
    assert_int_equal(llama2c_parse(&read, huge, sizeof huge, &err), STATUS_FORMAT);
    assert_int_equal(llama2c_parse(&read, no_heads, sizeof no_heads, &err), STATUS_FORMAT);
    assert_int_equal(llama2c_parse(&read, version_2, sizeof version_2, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "2"));
    assert_int_equal(llama2c_parse(&read, huge, 5, &err), STATUS_FORMAT);
}

/* ---- a real model, where it is here: what it writes greedily is published ---- */

static bool shared(struct text *out, const char *name)
{
    struct error err;
    char *path = text_printf("%s/../shared/data/stories260K/%s", SOURCE_ROOT, name);
    const enum status status = file_read(out, path, 1 << 24, &err);
    if (status) print_message("skipped: %s is not here\n", path);
    free(path);
    return status == STATUS_OK;
}

/* The piece of a token in llama2.c's tokenizer: i32 longest, then f32 score, i32 size, bytes each. */
static const char *piece_of(const struct text *tokenizer, int32_t token, int32_t *size)
{
    const char *at = tokenizer->data + 4;
    for (int32_t i = 0;; i++) {
        memcpy(size, at + 4, sizeof *size);
        if (i == token) return at + 8;
        at += 8 + *size;
    }
}

static void stories260k_writes_its_published_text(void **state)
{
    (void)state;
    struct text model = {0}, tokenizer = {0}, expected = {0}, written = {0};
    struct parameters parameters;
    struct generator generator;
    struct error err;
    if (!shared(&model, "stories260K.bin") || !shared(&tokenizer, "tok512.bin") ||
        !shared(&expected, "greedy_200.txt"))
        return;
    assert_int_equal(llama2c_parse(&parameters, model.data, model.size, &err), STATUS_OK);
    const struct sampler_settings greedy = {.temperature = 0, .top_p = 1};
    assert_int_equal(generator_init(&generator, &parameters, &greedy, NULL, &err), STATUS_OK);
    int32_t token = 1; /* the beginning */
    generator_feed(&generator, &token, 1);
    for (int i = 0; i < 200; i++) {
        int32_t size;
        unsigned byte;
        token = generator_next(&generator);
        if (token == 1) break;
        const char *piece = piece_of(&tokenizer, token, &size);
        if (size == 6 && sscanf(piece, "<0x%02X>", &byte) == 1) text_add_char(&written, (char)byte);
        else if (i == 0 && size && *piece == ' ')
            text_add_bytes(&written, piece + 1, (size_t)size - 1);
        else text_add_bytes(&written, piece, (size_t)size);
    }
    assert_int_equal(written.size, expected.size);
    assert_memory_equal(written.data, expected.data, expected.size);
    generator_done(&generator);
    parameters_done(&parameters);
    text_done(&model);
    text_done(&tokenizer);
    text_done(&expected);
    text_done(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_versions_are_read),
        cmocka_unit_test(sizes_that_cannot_be_are_refused),
        cmocka_unit_test(stories260k_writes_its_published_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
