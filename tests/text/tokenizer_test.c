#include "text/tokenizer.h"

#include "text/bpe_train.h"
#include "text_world.h"

static struct tokenizer *small(void)
{
    static const char *const specials[] = {"<|end|>", "<|endless|>", "<|pad|>"};
    const struct bpe_train_options options = {
        .V = 320, .split = SPLIT_GPT2, .specials = specials, .n_specials = 3};
    struct bpe_trainer *trainer;
    struct tokenizer *tokenizer;
    struct error err;
    const char text[] = "the cat and the dog and the bird saw the other cats and dogs; "
                        "the end of the tale is the end of the day and the dogs are there";
    assert_int_equal(bpe_trainer_open(&trainer, &options, &err), STATUS_OK);
    bpe_trainer_add(trainer, text, sizeof text - 1);
    assert_int_equal(bpe_trainer_run(trainer, &tokenizer, NULL, &err), STATUS_OK);
    bpe_trainer_close(trainer);
    return tokenizer;
}

static struct tokenizer *gpt2(void)
{
    struct tokenizer *tokenizer;
    struct error err;
    char *path = shared_path("tokenizers/gpt2");
    if (!path) return NULL;
    assert_int_equal(tokenizer_open(&tokenizer, path, &err), STATUS_OK);
    free(path);
    return tokenizer;
}

static void encode(struct tokens *out, const struct tokenizer *tokenizer,
                   const struct encode_options *options, const char *bytes, size_t size)
{
    struct error err;
    struct encoder *encoder = encoder_open(tokenizer, options);
    const enum status status = encoder_run(encoder, out, bytes, size, &err);
    if (status) fail_msg("%s", err.message);
    encoder_close(encoder);
}

static void decoding_gives_back_any_bytes(void **state)
{
    (void)state;
    struct rng rng;
    struct error err;
    struct tokenizer *tokenizer = small();
    struct encoder *encoder = encoder_open(tokenizer, NULL);
    rng_init(&rng, 41, 0);
    for (int round = 0; round < 3000; round++) {
        struct text text = {0}, again = {0};
        struct tokens tokens = {0};
        if (round % 2) random_text(&text, &rng, (int)rng_between(&rng, 0, 100));
        else
            for (int64_t n = rng_between(&rng, 0, 300); n > 0; n--)
                text_add_char(&text, (char)rng_below(&rng, 256));
        assert_int_equal(encoder_run(encoder, &tokens, text_string(&text), text.size, &err), 0);
        assert_int_equal(tokenizer_decode(tokenizer, &again, tokens.ids, tokens.n, true, &err), 0);
        assert_int_equal(again.size, text.size);
        if (text.size) assert_memory_equal(again.data, text.data, text.size);
        tokens_done(&tokens);
        text_done(&text);
        text_done(&again);
    }
    encoder_close(encoder);
    tokenizer_close(tokenizer);
}

/* The cache must not be seen: a fresh encoder gives what one gives that has seen much. */
static void an_encoder_that_has_seen_much_answers_as_a_fresh_one(void **state)
{
    (void)state;
    struct rng rng;
    struct error err;
    struct tokenizer *tokenizer = small();
    struct encoder *old = encoder_open(tokenizer, NULL);
    rng_init(&rng, 42, 0);
    for (int round = 0; round < 300; round++) {
        struct text text = {0};
        struct tokens first = {0}, second = {0};
        random_text(&text, &rng, 400);
        encode(&first, tokenizer, NULL, text.data, text.size);
        assert_int_equal(encoder_run(old, &second, text.data, text.size, &err), 0);
        assert_int_equal(first.n, second.n);
        assert_memory_equal(first.ids, second.ids, first.n * sizeof *first.ids);
        tokens_done(&first);
        tokens_done(&second);
        text_done(&text);
    }
    encoder_close(old);
    tokenizer_close(tokenizer);
}

static void special_tokens_follow_the_rule(void **state)
{
    (void)state;
    struct tokenizer *tokenizer = small();
    struct tokens tokens = {0};
    struct error err;
    const char text[] = "the<|endless|><|end|>";
    const int32_t end = tokenizer_find(tokenizer, "<|end|>", 7);
    const int32_t endless = tokenizer_find(tokenizer, "<|endless|>", 11);

    struct encoder *encoder = encoder_open(tokenizer, NULL);
    assert_int_equal(encoder_run(encoder, &tokens, text, sizeof text - 1, &err), STATUS_USAGE);
    assert_non_null(strstr(err.message, "byte 3"));
    assert_non_null(strstr(err.message, "<|endless|>"));
    assert_int_equal(tokens.n, 0);
    encoder_close(encoder);

    encode(&tokens, tokenizer, &(struct encode_options){.specials = SPECIALS_ALLOW}, text,
           sizeof text - 1);
    assert_int_equal(tokens.n, 3);
    assert_int_equal(tokens.ids[1], endless);
    assert_int_equal(tokens.ids[2], end);

    tokens.n = 0;
    encode(&tokens, tokenizer, &(struct encode_options){.specials = SPECIALS_TEXT}, text,
           sizeof text - 1);
    for (size_t i = 0; i < tokens.n; i++) assert_true(tokens.ids[i] < end);

    tokens.n = 0; /* one is allowed, the other stays text */
    const int32_t allowed[] = {end};
    encode(&tokens, tokenizer,
           &(struct encode_options){.specials = SPECIALS_TEXT, .allowed = allowed, .n_allowed = 1},
           text, sizeof text - 1);
    assert_int_equal(tokens.ids[tokens.n - 1], end);
    for (size_t i = 0; i + 1 < tokens.n; i++) assert_true(tokens.ids[i] < end);

    encoder = encoder_open(
        tokenizer,
        &(struct encode_options){.specials = SPECIALS_REFUSE, .allowed = allowed, .n_allowed = 1});
    assert_int_equal(encoder_run(encoder, &tokens, text, sizeof text - 1, &err), STATUS_USAGE);
    assert_int_equal(encoder_run(encoder, &tokens, "a<|end|>", 8, &err), STATUS_OK);
    encoder_close(encoder);
    tokens_done(&tokens);
    tokenizer_close(tokenizer);
}

static void offsets_say_where_each_token_begins(void **state)
{
    (void)state;
    struct tokenizer *tokenizer = small();
    struct tokens tokens = {0};
    struct error err;
    const char text[] = "the dogs saw \xC3\xA9<|pad|>!";
    encode(&tokens, tokenizer, &(struct encode_options){.specials = SPECIALS_ALLOW}, text,
           sizeof text - 1);
    size_t *offsets = memory_new(tokens.n + 1, sizeof *offsets);
    assert_int_equal(tokenizer_offsets(tokenizer, offsets, tokens.ids, tokens.n, true, &err), 0);
    assert_int_equal(offsets[tokens.n], sizeof text - 1);
    for (size_t i = 0; i < tokens.n; i++) {
        size_t size;
        const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, tokens.ids[i], &size);
        assert_int_equal(offsets[i + 1] - offsets[i], size);
        assert_memory_equal(text + offsets[i], bytes, size);
    }
    free(offsets);
    tokens_done(&tokens);
    tokenizer_close(tokenizer);
}

/* A stream never holds half a character, and says in all what the whole text says. */
static void a_stream_holds_whole_characters_only(void **state)
{
    (void)state;
    struct rng rng;
    struct error err;
    struct tokenizer *tokenizer = small();
    rng_init(&rng, 43, 0);
    for (int round = 0; round < 3000; round++) {
        struct text whole = {0}, stream = {0}, clean = {0};
        struct decoder decoder;
        decoder_init(&decoder, tokenizer, false);
        const int n = (int)rng_between(&rng, 0, 40);
        for (int i = 0; i < n; i++) {
            /* mostly bytes above 127, so that characters begin, break and end */
            const int32_t id = rng_below(&rng, 3) ? (int32_t)rng_between(&rng, 0x80, 0xFF)
                                                  : (int32_t)rng_below(&rng, 270);
            assert_int_equal(tokenizer_decode(tokenizer, &whole, &id, 1, false, &err), 0);
            assert_int_equal(decoder_add(&decoder, &stream, id, &err), 0);
            assert_int_equal(text_utf8_valid(stream.data, stream.size), stream.size);
        }
        decoder_end(&decoder, &stream);
        for (size_t at = 0; at < whole.size;) { /* maximal parts, as Unicode recommends */
            const size_t good = text_utf8_valid(whole.data + at, whole.size - at);
            text_add_bytes(&clean, whole.data + at, good);
            at += good;
            if (at == whole.size) break;
            text_add(&clean, "\xEF\xBF\xBD");
            size_t bad = 1;
            while (at + bad < whole.size && bad < 3) {
                /* does a longer part begin some character? then it is one mistake */
                unsigned char trial[4];
                bool begins = false;
                memcpy(trial, whole.data + at, bad + 1);
                for (int a = 0x80; a <= 0xBF && !begins; a++) {
                    trial[bad + 1] = (unsigned char)a;
                    begins = text_utf8_valid(trial, bad + 2) == bad + 2;
                    for (int b = 0x80; b <= 0xBF && !begins && bad == 1; b++) {
                        trial[3] = (unsigned char)b;
                        begins = text_utf8_valid(trial, 4) == 4;
                    }
                }
                if (!begins) break;
                bad++;
            }
            at += bad;
        }
        assert_string_equal(text_string(&stream), text_string(&clean));
        text_done(&whole);
        text_done(&stream);
        text_done(&clean);
    }
    tokenizer_close(tokenizer);
}

/* The number that tiktoken, gpt-tokenizer, llama.cpp and Hugging Face's tokenizers give. */
static void tiny_shakespeare_has_338025_gpt2_tokens(void **state)
{
    (void)state;
    struct text text = {0}, again = {0};
    struct tokens tokens = {0};
    struct error err;
    struct tokenizer *tokenizer = gpt2();
    if (!tokenizer || !shared_data(&text, "text/tinyshakespeare.txt")) {
        tokenizer_close(tokenizer);
        skip();
    }
    assert_int_equal(tokenizer_size(tokenizer), 50257);
    encode(&tokens, tokenizer, NULL, text.data, text.size);
    assert_int_equal(tokens.n, 338025);
    assert_int_equal(tokenizer_decode(tokenizer, &again, tokens.ids, tokens.n, false, &err), 0);
    assert_string_equal(again.data, text.data);
    tokens_done(&tokens);
    text_done(&text);
    text_done(&again);
    tokenizer_close(tokenizer);
}

static void known_gpt2_ids(void **state)
{
    (void)state;
    struct tokens tokens = {0};
    struct tokenizer *tokenizer = gpt2();
    if (!tokenizer) skip();
    encode(&tokens, tokenizer, NULL, "Hello world", 11);
    assert_int_equal(tokens.n, 2);
    assert_int_equal(tokens.ids[0], 15496);
    assert_int_equal(tokens.ids[1], 995);
    assert_int_equal(tokenizer_find(tokenizer, "<|endoftext|>", 13), 50256);
    tokens_done(&tokens);
    tokenizer_close(tokenizer);
}

static void characters_are_numbered_in_order(void **state)
{
    (void)state;
    struct tokenizer *tokenizer;
    struct tokens tokens = {0};
    struct text again = {0};
    struct error err;
    const char text[] = "se\xC3\xB1or\n";
    assert_int_equal(tokenizer_of_characters(&tokenizer, text, sizeof text - 1, &err), 0);
    assert_int_equal(tokenizer_size(tokenizer), 6); /* \n e o r s ñ */
    encode(&tokens, tokenizer, NULL, text, sizeof text - 1);
    const int32_t expected[] = {4, 1, 5, 2, 3, 0};
    assert_int_equal(tokens.n, 6);
    assert_memory_equal(tokens.ids, expected, sizeof expected);
    assert_int_equal(tokenizer_decode(tokenizer, &again, tokens.ids, tokens.n, false, &err), 0);
    assert_string_equal(again.data, text);

    struct encoder *encoder = encoder_open(tokenizer, NULL);
    assert_int_equal(encoder_run(encoder, &tokens, "sex", 3, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "U+0078 at byte 2"));
    assert_int_equal(tokens.n, 6);
    encoder_close(encoder);
    tokens_done(&tokens);
    text_done(&again);
    tokenizer_close(tokenizer);
}

static void tiny_shakespeare_has_65_characters(void **state)
{
    (void)state;
    struct text text = {0};
    struct tokenizer *tokenizer;
    struct error err;
    if (!shared_data(&text, "text/tinyshakespeare.txt")) skip();
    assert_int_equal(tokenizer_of_characters(&tokenizer, text.data, text.size, &err), 0);
    assert_int_equal(tokenizer_size(tokenizer), 65);
    assert_int_equal(tokenizer_find(tokenizer, "\n", 1), 0);
    assert_int_equal(tokenizer_find(tokenizer, "z", 1), 64);
    tokenizer_close(tokenizer);
    text_done(&text);
}

static void an_id_outside_the_vocabulary_is_refused(void **state)
{
    (void)state;
    struct tokenizer *tokenizer = small();
    struct text text = {0};
    struct error err;
    const int32_t wrong[] = {-1, tokenizer_size(tokenizer)};
    for (int i = 0; i < 2; i++)
        assert_int_equal(tokenizer_decode(tokenizer, &text, &wrong[i], 1, false, &err),
                         STATUS_USAGE);
    tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_gives_back_any_bytes),
        cmocka_unit_test(an_encoder_that_has_seen_much_answers_as_a_fresh_one),
        cmocka_unit_test(special_tokens_follow_the_rule),
        cmocka_unit_test(offsets_say_where_each_token_begins),
        cmocka_unit_test(a_stream_holds_whole_characters_only),
        cmocka_unit_test(tiny_shakespeare_has_338025_gpt2_tokens),
        cmocka_unit_test(known_gpt2_ids),
        cmocka_unit_test(characters_are_numbered_in_order),
        cmocka_unit_test(tiny_shakespeare_has_65_characters),
        cmocka_unit_test(an_id_outside_the_vocabulary_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
