#include "text/tokenizer_file.h"

#include "text/bpe_train.h"
#include "text_world.h"

static struct tokenizer *trained(enum split split)
{
    static const char *const specials[] = {"<|end|>", "<|\xC3\xA9|>"};
    const struct bpe_train_options options = {
        .V = 330, .split = split, .specials = specials, .n_specials = 2};
    struct bpe_trainer *trainer;
    struct tokenizer *tokenizer;
    struct error err;
    struct text text = {0};
    struct rng rng;
    rng_init(&rng, 51, 0);
    random_text(&text, &rng, 3000);
    assert_int_equal(bpe_trainer_open(&trainer, &options, &err), STATUS_OK);
    bpe_trainer_add(trainer, text.data, text.size);
    assert_int_equal(bpe_trainer_run(trainer, &tokenizer, NULL, &err), STATUS_OK);
    bpe_trainer_close(trainer);
    text_done(&text);
    return tokenizer;
}

static void tokenizer_json_comes_back(void **state)
{
    (void)state;
    for (int split = 0; split < SPLIT_COUNT; split++) {
        struct text json = {0};
        struct tokenizer *again, *tokenizer = trained((enum split)split);
        struct error err = {0};
        assert_int_equal(tokenizer_json_write(&json, tokenizer, &err), STATUS_OK);
        if (tokenizer_json_parse(&again, json.data, json.size, &err)) fail_msg("%s", err.message);
        assert_true(again->hash == tokenizer->hash);
        tokenizer_close(again);
        tokenizer_close(tokenizer);
        text_done(&json);
    }
}

static void vocabulary_and_merges_come_back(void **state)
{
    (void)state;
    struct text vocabulary = {0}, merges = {0};
    struct tokenizer *again, *tokenizer = trained(SPLIT_GPT2);
    struct error err = {0};
    assert_int_equal(tokenizer_gpt2_write(&vocabulary, &merges, tokenizer, &err), STATUS_OK);
    if (tokenizer_gpt2_parse(&again, vocabulary.data, vocabulary.size, merges.data, merges.size,
                             &err))
        fail_msg("%s", err.message);
    assert_true(again->hash == tokenizer->hash);
    tokenizer_close(again);
    tokenizer_close(tokenizer);

    tokenizer = trained(SPLIT_LLAMA3); /* the two files could not say how text is cut */
    assert_int_equal(tokenizer_gpt2_write(&vocabulary, &merges, tokenizer, &err), STATUS_USAGE);
    tokenizer_close(tokenizer);
    text_done(&vocabulary);
    text_done(&merges);
}

static void characters_come_back(void **state)
{
    (void)state;
    struct text json = {0};
    struct tokenizer *tokenizer, *again;
    struct error err = {0};
    const char text[] = "a\"\\\n\t\x01\xC3\xA9\xF0\x9F\x98\x80";
    assert_int_equal(tokenizer_of_characters(&tokenizer, text, sizeof text - 1, &err), 0);
    assert_int_equal(tokenizer_json_write(&json, tokenizer, &err), STATUS_OK);
    if (tokenizer_json_parse(&again, json.data, json.size, &err)) fail_msg("%s", err.message);
    assert_true(again->hash == tokenizer->hash);
    assert_int_equal(again->kind, TOKENIZER_CHARACTERS);
    tokenizer_close(again);
    tokenizer_close(tokenizer);
    text_done(&json);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
#define HEAD \
    "{\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false}, \"model\": "
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"", "JSON"},
        {"[]", "model"},
        {"{}", "model"},
        {HEAD "{\"type\": \"WordPiece\"}}", "WordPiece"},
        {HEAD "{\"vocab\": []}}", "vocab"},
        {HEAD "{\"vocab\": {\"a\": \"x\"}}}", "\"a\""},
        {HEAD "{\"vocab\": {\"a\": 0, \"b\": 0}}}", "id 0"},
        {HEAD "{\"vocab\": {\"a\": -1}}}", "-1"},
        {HEAD "{\"vocab\": {\"a\": 9999999999}}}", "9999999999"},
        {HEAD "{\"vocab\": {\"a\": 0}}}", "merges"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": [3]}}", "merges[0]"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": [\"aa\"]}}", "merges[0]"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}", "right part"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", \"a\"]]}}", "what it makes"},
        {HEAD "{\"vocab\": {}, \"merges\": []}}", "no tokens"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": []}, \"added_tokens\": [{\"id\": 0, "
              "\"content\": \"b\"}]}",
         "another token"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": []}, \"added_tokens\": [{\"id\": 1}]}",
         "content"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": []}, \"added_tokens\": [{\"id\": 1, "
              "\"content\": \"b\", \"lstrip\": true}]}",
         "lstrip"},
        {HEAD "{\"vocab\": {\"a\": 0}, \"merges\": [], \"dropout\": 0.1}}", "dropout"},
        {"{\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": true}, \"model\": "
         "{\"vocab\": {\"a\": 0}, \"merges\": []}}",
         "add_prefix_space"},
        {"{\"normalizer\": {\"type\": \"Lowercase\"}, \"model\": {\"vocab\": {\"a\": 0}}}",
         "Lowercase"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tokenizer *tokenizer;
        struct error err = {0};
        const enum status status =
            tokenizer_json_parse(&tokenizer, cases[i].json, strlen(cases[i].json), &err);
        if (!status || !strstr(err.message, cases[i].words))
            fail_msg("%s: %s", cases[i].json, err.message);
        assert_null(tokenizer);
    }
}

static void a_merge_list_says_its_line(void **state)
{
    (void)state;
    static const char vocabulary[] = "{\"a\": 0, \"b\": 1, \"ab\": 2}";
    static const struct {
        const char *merges, *words;
    } cases[] = {{"#version: 0.2\na b\nb a\n", "merge 2"},
                 {"a b\nab\n", "merge 2"},
                 {"a b c\n", "merge 1"},
                 {"a c\n", "right part"}};
    struct tokenizer *tokenizer;
    struct error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tokenizer_gpt2_parse(&tokenizer, vocabulary, sizeof vocabulary - 1,
                                              cases[i].merges, strlen(cases[i].merges), &err),
                         STATUS_FORMAT);
        if (!strstr(err.message, cases[i].words)) fail_msg("%s", err.message);
    }
    assert_int_equal(
        tokenizer_gpt2_parse(&tokenizer, vocabulary, sizeof vocabulary - 1, "a b", 3, &err),
        STATUS_OK);
    assert_int_equal(tokenizer->bpe.n_merges, 1);
    tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokenizer_json_comes_back),
        cmocka_unit_test(vocabulary_and_merges_come_back),
        cmocka_unit_test(characters_come_back),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_merge_list_says_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
