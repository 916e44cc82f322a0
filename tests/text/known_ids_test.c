/* Ids that other programs have given to the same texts: llama.cpp's vocabularies with their .inp and .out
 * files, and the tokenizer of stories260K. The data is not part of the sources. */
#include "text/tokenizer.h"
#include "text/tokenizer_file.h"
#include "text_world.h"

static struct tokenizer *opened(const char *name)
{
    struct tokenizer *tokenizer;
    struct error err = {0};
    char *path = shared_path(name);
    if (!path) return NULL;
    if (tokenizer_open(&tokenizer, path, &err)) fail_msg("%s", err.message);
    free(path);
    return tokenizer;
}

static const char between[] = "\n__ggml_vocab_test__\n";

/* One text, and the line of ids that is expected. */
static int check_text(const struct tokenizer *tokenizer, const char *text, size_t size,
                      const char **line)
{
    struct tokens tokens = {0};
    struct text again = {0};
    struct error err;
    struct encoder *encoder =
        encoder_open(tokenizer, &(struct encode_options){.specials = SPECIALS_TEXT});
    assert_int_equal(encoder_run(encoder, &tokens, text, size, &err), STATUS_OK);
    encoder_close(encoder);
    const char *at = *line;
    int differ = 0;
    size_t i = 0;
    for (;; i++) {
        while (*at == ' ') at++;
        if (*at == '\n' || !*at) break;
        const long id = strtol(at, (char **)&at, 10);
        differ |= i >= tokens.n || tokens.ids[i] != id;
    }
    differ |= i != tokens.n;
    if (differ)
        print_message("\"%.*s\": expected %.*s\n", (int)size, text, (int)(at - *line), *line);
    for (i = 0; i < tokens.n && differ; i++)
        print_message("%d%c", tokens.ids[i], i + 1 < tokens.n ? ' ' : '\n');
    *line = *at ? at + 1 : at;
    assert_int_equal(tokenizer_decode(tokenizer, &again, tokens.ids, tokens.n, false, &err), 0);
    assert_int_equal(again.size, size);
    if (size) assert_memory_equal(again.data, text, size);
    tokens_done(&tokens);
    text_done(&again);
    return differ;
}

static void check_vocabulary(const char *name)
{
    struct text inputs = {0}, outputs = {0};
    char *file = text_printf("tokenizers/ggml-vocab/ggml-vocab-%s.gguf", name);
    char *inp = text_printf("%s.inp", file), *out = text_printf("%s.out", file);
    struct tokenizer *tokenizer = opened(file);
    if (!tokenizer || !shared_data(&inputs, inp) || !shared_data(&outputs, out)) {
        tokenizer_close(tokenizer);
        text_done(&inputs);
        text_done(&outputs);
        free(file);
        free(inp);
        free(out);
        skip();
    }
    const char *line = outputs.data;
    int n = 0, differ = 0;
    for (char *at = inputs.data; at; n++) {
        char *end = strstr(at, between);
        const size_t size = end ? (size_t)(end - at) : 0;
        if (!end) break; /* what follows the last line is no text */
        differ += check_text(tokenizer, at, size, &line);
        at = end + sizeof between - 1;
    }
    assert_int_equal(differ, 0);
    assert_true(n > 40);
    text_done(&inputs);
    text_done(&outputs);
    tokenizer_close(tokenizer);
    free(file);
    free(inp);
    free(out);
}

static void gpt2_gives_the_ids_of_its_file(void **state)
{
    (void)state;
    check_vocabulary("gpt-2");
}

static void llama_gives_the_ids_of_its_file(void **state)
{
    (void)state;
    check_vocabulary("llama-spm");
}

static void deepseek_coder_gives_the_ids_of_its_file(void **state)
{
    (void)state;
    check_vocabulary("deepseek-coder");
}

/* llama2.c's encoder, its rule followed word for word: the best score anywhere, the leftmost. */
static size_t naive_encode(int32_t *ids, const struct tokenizer *tokenizer, const char *text)
{
    const struct vocabulary *vocabulary = &tokenizer->vocabulary;
    size_t n = 0;
    ids[n++] = vocabulary_find(vocabulary, " ", 1);
    for (size_t at = 0, step; text[at]; at += step) {
        int32_t code;
        step = unicode_read(&code, (const unsigned char *)text + at, strlen(text + at));
        const int32_t id = vocabulary_find(vocabulary, text + at, step);
        if (id >= 0) ids[n++] = id;
        for (size_t i = 0; id < 0 && i < step; i++) ids[n++] = (unsigned char)text[at + i] + 3;
    }
    for (;;) {
        float best = -1e10f;
        int32_t made = -1;
        size_t place = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            char pair[256];
            size_t a, b;
            const char *left = vocabulary_bytes(vocabulary, ids[i], &a);
            const char *right = vocabulary_bytes(vocabulary, ids[i + 1], &b);
            if (vocabulary_type(vocabulary, ids[i]) == TOKEN_BYTE ||
                vocabulary_type(vocabulary, ids[i + 1]) == TOKEN_BYTE)
                continue;
            memcpy(pair, left, a);
            memcpy(pair + a, right, b);
            const int32_t id = vocabulary_find(vocabulary, pair, a + b);
            if (id < 0 || tokenizer->pieces.scores[id] <= best) continue;
            best = tokenizer->pieces.scores[id];
            made = id;
            place = i;
        }
        if (made < 0) return n;
        ids[place] = made;
        memmove(ids + place + 1, ids + place + 2, (n - place - 2) * sizeof *ids);
        n--;
    }
}

static void the_tokenizer_of_stories260k_follows_its_rule(void **state)
{
    (void)state;
    struct text story = {0};
    struct rng rng;
    struct error err;
    struct tokenizer *tokenizer = opened("stories260K/tok512.bin");
    if (!tokenizer) skip();
    assert_int_equal(tokenizer_size(tokenizer), 512);
    assert_int_equal(tokenizer->begin, 1);
    struct encoder *encoder = encoder_open(tokenizer, NULL);
    if (!shared_data(&story, "stories260K/greedy_200.txt")) text_add(&story, "Once upon a time");
    rng_init(&rng, 91, 0);
    for (int round = 0; round < 300; round++) {
        struct text text = {0};
        struct tokens tokens = {0};
        int32_t ids[4096];
        for (int k = 0; k < 4; k++) {
            const size_t at = (size_t)rng_below(&rng, (int64_t)story.size - 20);
            text_add_bytes(&text, story.data + at, (size_t)rng_between(&rng, 1, 20));
            if (k == 2) random_text(&text, &rng, 3);
        }
        if (strlen(text.data) < text.size ||
            strstr(text.data, "\xE2\x96\x81")) { /* llama2.c ends at NUL */
            text_done(&text);
            continue;
        }
        assert_int_equal(encoder_run(encoder, &tokens, text.data, text.size, &err), STATUS_OK);
        const size_t n = naive_encode(ids, tokenizer, text.data);
        assert_int_equal(tokens.n, n);
        assert_memory_equal(tokens.ids, ids, n * sizeof *ids);
        tokens_done(&tokens);
        text_done(&text);
    }
    encoder_close(encoder);
    tokenizer_close(tokenizer);
    text_done(&story);
}

/* Every form that can hold one of these vocabularies gives back the same ids. */
static void written_and_read_again_they_give_the_same_ids(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum tokenizer_format formats[3];
        int n;
    } cases[] = {
        {"tokenizers/gpt2", {TOKENIZER_JSON, TOKENIZER_GPT2, TOKENIZER_GGUF}, 3},
        {"tokenizers/ggml-vocab/ggml-vocab-gpt-2.gguf",
         {TOKENIZER_JSON, TOKENIZER_GPT2, TOKENIZER_GGUF},
         3},
        {"tokenizers/ggml-vocab/ggml-vocab-llama-spm.gguf",
         {TOKENIZER_JSON, TOKENIZER_GGUF, TOKENIZER_LLAMA2C},
         3},
        {"tokenizers/ggml-vocab/ggml-vocab-deepseek-coder.gguf",
         {TOKENIZER_JSON, TOKENIZER_GGUF},
         2},
        {"stories260K/tok512.bin", {TOKENIZER_LLAMA2C, TOKENIZER_GGUF, TOKENIZER_JSON}, 3},
    };
    static const char *const names[] = {"t.json", "folder", "t.gguf", "t.bin"};
    struct error err = {0};
    char folder[] = "/tmp/lcx-forms-XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tokenizer *tokenizer = opened(cases[i].name);
        if (!tokenizer) break;
        for (int k = 0; k < cases[i].n; k++) {
            const enum tokenizer_format format = cases[i].formats[k];
            char *path = path_join(folder, names[format]);
            struct tokenizer *again;
            struct rng rng;
            if (tokenizer_save(tokenizer, path, format, &err))
                fail_msg("%s: %s", cases[i].name, err.message);
            if (tokenizer_open(&again, path, &err)) fail_msg("%s: %s", cases[i].name, err.message);
            struct encoder *one =
                encoder_open(tokenizer, &(struct encode_options){.specials = SPECIALS_TEXT});
            struct encoder *two =
                encoder_open(again, &(struct encode_options){.specials = SPECIALS_TEXT});
            rng_init(&rng, 92, 0);
            for (int round = 0; round < 200; round++) {
                struct text text = {0}, decoded = {0};
                struct tokens a = {0}, b = {0};
                random_text(&text, &rng, 100);
                text_add(&text, " the quick brown fox, and 12345 others");
                assert_int_equal(encoder_run(one, &a, text.data, text.size, &err), STATUS_OK);
                assert_int_equal(encoder_run(two, &b, text.data, text.size, &err), STATUS_OK);
                assert_int_equal(a.n, b.n);
                assert_memory_equal(a.ids, b.ids, a.n * sizeof *a.ids);
                assert_int_equal(tokenizer_decode(again, &decoded, b.ids, b.n, false, &err), 0);
                assert_int_equal(decoded.size, text.size);
                tokens_done(&a);
                tokens_done(&b);
                text_done(&text);
                text_done(&decoded);
            }
            if (format != TOKENIZER_JSON || tokenizer->kind != TOKENIZER_PIECES)
                if (!tokenizer->bpe.levels) assert_true(again->hash == tokenizer->hash);
            encoder_close(one);
            encoder_close(two);
            tokenizer_close(again);
            free(path);
        }
        tokenizer_close(tokenizer);
    }
    assert_int_equal(folder_remove(folder, &err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpt2_gives_the_ids_of_its_file),
        cmocka_unit_test(llama_gives_the_ids_of_its_file),
        cmocka_unit_test(deepseek_coder_gives_the_ids_of_its_file),
        cmocka_unit_test(the_tokenizer_of_stories260k_follows_its_rule),
        cmocka_unit_test(written_and_read_again_they_give_the_same_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
