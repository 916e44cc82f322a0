#include "text/pieces.h"

#include "text/tokenizer.h"
#include "text_world.h"

static const char *const words[] = {"a",   "b",  " ",  "c",        "ab", " a",
                                    "abc", "ca", "aa", "\xC3\xA9", "aab"};
enum { WORDS = sizeof words / sizeof *words, BYTES = WORDS, UNKNOWN = BYTES + 256 };

/* The scores of the words, in their order; byte tokens when asked for. */
static struct tokenizer *made_of(const float *scores, bool bytes, bool blank_first)
{
    struct tokenizer *tokenizer = tokenizer_new(TOKENIZER_PIECES);
    struct vocabulary *vocabulary = &tokenizer->vocabulary;
    struct error err;
    for (int i = 0; i < WORDS; i++)
        assert_int_equal(
            vocabulary_set(vocabulary, i, words[i], strlen(words[i]), TOKEN_NORMAL, &err), 0);
    for (int c = 0; c < 256 && bytes; c++)
        assert_int_equal(
            vocabulary_set(vocabulary, BYTES + c, &(char){(char)c}, 1, TOKEN_BYTE, &err), 0);
    assert_int_equal(vocabulary_set(vocabulary, UNKNOWN, "<unk>", 5, TOKEN_UNKNOWN, &err), 0);
    vocabulary_index(vocabulary);
    tokenizer->unknown = UNKNOWN;
    tokenizer->pieces.blank_first = blank_first;
    tokenizer->pieces.scores = memory_new((size_t)vocabulary->size, sizeof(float));
    memcpy(tokenizer->pieces.scores, scores, WORDS * sizeof *scores);
    assert_int_equal(tokenizer_finish(tokenizer, &err), STATUS_OK);
    return tokenizer;
}

/* The definition: the pair whose token has the best score, the leftmost of them. */
static size_t naive(int32_t *ids, const struct tokenizer *tokenizer, const char *text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++)
        ids[n++] = vocabulary_find(&tokenizer->vocabulary, text + i, 1);
    for (;;) {
        int32_t made = -1;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            char pair[64] = "";
            strcat(strcpy(pair, words[ids[i]]), words[ids[i + 1]]);
            const int32_t id = vocabulary_find(&tokenizer->vocabulary, pair, strlen(pair));
            if (id < 0 ||
                (made >= 0 && tokenizer->pieces.scores[id] <= tokenizer->pieces.scores[made]))
                continue;
            made = id;
            at = i;
        }
        if (made < 0) return n;
        ids[at] = made;
        for (size_t i = at + 1; i + 1 < n; i++) ids[i] = ids[i + 1];
        n--;
    }
}

/* Few different scores, so that many pairs are equal and the place decides. */
static void the_best_score_goes_first_and_the_leftmost_of_equals(void **state)
{
    (void)state;
    struct rng rng;
    struct error err;
    rng_init(&rng, 101, 0);
    for (int round = 0; round < 2000; round++) {
        float scores[WORDS];
        for (int i = 0; i < WORDS; i++) scores[i] = (float)-rng_below(&rng, 3);
        struct tokenizer *tokenizer = made_of(scores, false, false);
        struct encoder *encoder = encoder_open(tokenizer, NULL);
        for (int k = 0; k < 5; k++) {
            struct tokens tokens = {0};
            char text[64];
            int32_t ids[64];
            const size_t size = (size_t)rng_between(&rng, 1, 60);
            for (size_t i = 0; i < size; i++) text[i] = "aabc "[rng_below(&rng, 5)];
            assert_int_equal(encoder_run(encoder, &tokens, text, size, &err), STATUS_OK);
            const size_t n = naive(ids, tokenizer, text, size);
            assert_int_equal(tokens.n, n);
            assert_memory_equal(tokens.ids, ids, n * sizeof *ids);
            tokens_done(&tokens);
        }
        encoder_close(encoder);
        tokenizer_close(tokenizer);
    }
}

static void encode(struct tokens *tokens, const struct tokenizer *tokenizer, const char *text)
{
    struct error err;
    struct encoder *encoder = encoder_open(tokenizer, NULL);
    tokens->n = 0;
    assert_int_equal(encoder_run(encoder, tokens, text, strlen(text), &err), STATUS_OK);
    encoder_close(encoder);
}

static void what_no_token_writes_falls_back_to_bytes(void **state)
{
    (void)state;
    const float scores[WORDS] = {0};
    struct tokens tokens = {0};
    struct tokenizer *tokenizer = made_of(scores, true, false);
    encode(&tokens, tokenizer, "a\xE4\xB8\xAD\xC3\xA9");
    const int32_t expected[] = {0, BYTES + 0xE4, BYTES + 0xB8, BYTES + 0xAD, 9};
    assert_int_equal(tokens.n, 5);
    assert_memory_equal(tokens.ids, expected, sizeof expected);
    tokenizer_close(tokenizer);

    tokenizer = made_of(scores, false, false); /* without tokens for bytes: one for the character */
    encode(&tokens, tokenizer, "a\xE4\xB8\xAD");
    assert_int_equal(tokens.n, 2);
    assert_int_equal(tokens.ids[1], UNKNOWN);
    tokenizer_close(tokenizer);
    tokens_done(&tokens);
}

static void the_blank_before_a_text_is_dropped_again(void **state)
{
    (void)state;
    const float scores[WORDS] = {0};
    struct tokens tokens = {0};
    struct text text = {0};
    struct error err;
    struct decoder decoder;
    size_t offsets[8];
    struct tokenizer *tokenizer = made_of(scores, true, true);
    encode(&tokens, tokenizer, "a a");
    assert_int_equal(tokens.n, 2);
    assert_int_equal(tokens.ids[0], 5); /* " a" */
    assert_int_equal(tokenizer_decode(tokenizer, &text, tokens.ids, 2, false, &err), STATUS_OK);
    assert_string_equal(text.data, "a a");
    assert_int_equal(tokenizer_offsets(tokenizer, offsets, tokens.ids, 2, false, &err), STATUS_OK);
    assert_int_equal(offsets[1], 1);
    assert_int_equal(offsets[2], 3);
    text_clear(&text);
    decoder_init(&decoder, tokenizer, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(decoder_add(&decoder, &text, tokens.ids[i], &err), STATUS_OK);
    decoder_end(&decoder, &text);
    assert_string_equal(text.data, "a a");
    encode(&tokens, tokenizer, "");
    assert_int_equal(tokens.n, 0);
    encode(&tokens, tokenizer,
           "\xE2\x96\x81"
           "a"); /* U+2581 is a blank */
    text_clear(&text);
    assert_int_equal(tokenizer_decode(tokenizer, &text, tokens.ids, tokens.n, false, &err),
                     STATUS_OK);
    assert_string_equal(text.data, " a");
    tokenizer_close(tokenizer);
    tokens_done(&tokens);
    text_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_score_goes_first_and_the_leftmost_of_equals),
        cmocka_unit_test(what_no_token_writes_falls_back_to_bytes),
        cmocka_unit_test(the_blank_before_a_text_is_dropped_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
