#include "text/encode_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "text/bpe_train.h"
#include "text_world.h"

static enum status take(void *context, const int32_t *ids, size_t n, struct error *err)
{
    struct tokens *tokens = context;
    (void)err;
    for (size_t i = 0; i < n; i++) tokens_add(tokens, ids[i]);
    return STATUS_OK;
}

static enum status refuse(void *context, const int32_t *ids, size_t n, struct error *err)
{
    (void)context;
    (void)ids;
    (void)n;
    return error_set(err, STATUS_LIMIT, "full");
}

static void a_file_has_the_ids_of_its_bytes_with_any_number_of_threads(void **state)
{
    (void)state;
    static const char *const specials[] = {"END"}; /* it begins where a part may end */
    struct text text = {0};
    struct rng rng;
    struct error err;
    rng_init(&rng, 71, 0);
    while (text.size < 9 << 20) { /* more than one part */
        random_text(&text, &rng, 20);
        if (rng_below(&rng, 4) == 0) text_add(&text, " some words that come again\nand again\n");
        if (rng_below(&rng, 50) == 0) text_add(&text, " \n\nENDing and\n END \nEND");
    }
    char path[] = "/tmp/lcx-encode-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && descriptor_write(fd, text.data, text.size));
    close(fd);
    for (int split = 0; split < SPLIT_COUNT; split++) {
        const struct bpe_train_options options = {
            .V = 300, .split = (enum split)split, .specials = specials, .n_specials = 1};
        const struct encode_options allow = {.specials = SPECIALS_ALLOW};
        struct bpe_trainer *trainer;
        struct tokenizer *tokenizer;
        struct tokens expected = {0};
        assert_int_equal(bpe_trainer_open(&trainer, &options, &err), STATUS_OK);
        bpe_trainer_add(trainer, text.data, 100000);
        assert_int_equal(bpe_trainer_run(trainer, &tokenizer, NULL, &err), STATUS_OK);
        bpe_trainer_close(trainer);
        struct encoder *encoder = encoder_open(tokenizer, &allow);
        assert_int_equal(encoder_run(encoder, &expected, text.data, text.size, &err), STATUS_OK);
        encoder_close(encoder);
        for (int threads = 1; threads < 4; threads += 2) {
            struct pool *pool;
            struct tokens tokens = {0};
            assert_int_equal(pool_open(&pool, threads, &err), STATUS_OK);
            assert_int_equal(encode_file(tokenizer, &allow, pool, path, take, &tokens, &err), 0);
            assert_int_equal(tokens.n, expected.n);
            assert_memory_equal(tokens.ids, expected.ids, tokens.n * sizeof *tokens.ids);
            tokens_done(&tokens);
            pool_close(pool);
        }
        tokens_done(&expected);
        tokenizer_close(tokenizer);
    }
    unlink(path);
    text_done(&text);
}

static void what_goes_wrong_says_where_in_the_file(void **state)
{
    (void)state;
    struct tokenizer *tokenizer;
    struct text text = {0};
    struct error err;
    struct tokens tokens = {0};
    char path[] = "/tmp/lcx-encode-XXXXXX";
    const int fd = mkstemp(path);
    assert_int_equal(tokenizer_of_characters(&tokenizer, "ab\n", 3, &err), STATUS_OK);
    while (text.size < 10 << 20) text_add(&text, "ab\nab\n");
    const size_t place = text.size;
    text_add(&text, "abxab");
    assert_true(descriptor_write(fd, text.data, text.size));
    close(fd);
    assert_int_equal(encode_file(tokenizer, NULL, NULL, path, take, &tokens, &err), STATUS_FORMAT);
    char *words = text_printf("at byte %zu", place + 2);
    if (!strstr(err.message, words)) fail_msg("%s", err.message);
    assert_int_equal(encode_file(tokenizer, NULL, NULL, path, refuse, NULL, &err), STATUS_LIMIT);
    assert_int_equal(encode_file(tokenizer, NULL, NULL, "/nowhere", take, &tokens, &err),
                     STATUS_NOT_FOUND);
    free(words);
    unlink(path);
    tokens_done(&tokens);
    text_done(&text);
    tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_the_ids_of_its_bytes_with_any_number_of_threads),
        cmocka_unit_test(what_goes_wrong_says_where_in_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
