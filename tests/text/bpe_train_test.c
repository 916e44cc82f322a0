#include "text/bpe_train.h"

#include "text/tokenizer_file.h"
#include <unistd.h>

#include "text_world.h"

/* ---- the definition, word for word ---- */

struct naive_word {
    int32_t *symbols;
    size_t n;
};

struct naive_trainer {
    struct naive_word *words; /* every piece of the text, also when it occurs again */
    size_t n_words;
    struct text *symbols; /* their bytes */
    int n_symbols;
};

static int compare(const struct text *a, const struct text *b)
{
    const size_t least = a->size < b->size ? a->size : b->size;
    const int order = memcmp(a->data, b->data, least);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static void naive_cut(struct naive_trainer *naive, const struct text *text, enum split split)
{
    naive->words = memory_new(text->size, sizeof *naive->words);
    for (size_t at = 0, end; at < text->size; at = end) {
        end = split_scanner(split)((const unsigned char *)text->data, text->size, at);
        struct naive_word *word = &naive->words[naive->n_words++];
        word->n = end - at;
        word->symbols = memory_new(word->n, sizeof *word->symbols);
        for (size_t i = 0; i < word->n; i++) word->symbols[i] = (unsigned char)text->data[at + i];
    }
    naive->symbols = memory_new(2000, sizeof *naive->symbols);
    for (int c = 0; c < 256; c++) text_add_char(&naive->symbols[c], (char)c);
    naive->n_symbols = 256;
}

static bool naive_merge(struct naive_trainer *naive, uint64_t least)
{
    const size_t n = (size_t)naive->n_symbols;
    uint64_t *counts = memory_new(n * n, sizeof *counts), best = 0;
    size_t pair = 0;
    for (size_t w = 0; w < naive->n_words; w++)
        for (size_t i = 0; i + 1 < naive->words[w].n; i++)
            counts[(size_t)naive->words[w].symbols[i] * n +
                   (size_t)naive->words[w].symbols[i + 1]]++;
    for (size_t k = 0; k < n * n; k++) {
        if (!counts[k] || counts[k] < best) continue;
        int order = compare(&naive->symbols[k / n], &naive->symbols[pair / n]);
        if (!order) order = compare(&naive->symbols[k % n], &naive->symbols[pair % n]);
        if (counts[k] == best && order <= 0) continue;
        best = counts[k];
        pair = k;
    }
    free(counts);
    if (best < least) return false;
    const int32_t left = (int32_t)(pair / n), right = (int32_t)(pair % n);
    struct text *made = &naive->symbols[naive->n_symbols];
    text_add_bytes(made, naive->symbols[left].data, naive->symbols[left].size);
    text_add_bytes(made, naive->symbols[right].data, naive->symbols[right].size);
    for (size_t w = 0; w < naive->n_words; w++) {
        struct naive_word *word = &naive->words[w];
        size_t to = 0;
        for (size_t i = 0; i < word->n; to++) {
            const bool here =
                i + 1 < word->n && word->symbols[i] == left && word->symbols[i + 1] == right;
            word->symbols[to] = here ? naive->n_symbols : word->symbols[i];
            i += here ? 2 : 1;
        }
        word->n = to;
    }
    naive->n_symbols++;
    return true;
}

static void naive_done(struct naive_trainer *naive)
{
    for (size_t w = 0; w < naive->n_words; w++) free(naive->words[w].symbols);
    for (int i = 0; i < naive->n_symbols; i++) text_done(&naive->symbols[i]);
    free(naive->words);
    free(naive->symbols);
}

/* ---- tests ---- */

static struct tokenizer *train(const struct text *text, int V, enum split split, uint64_t least)
{
    const struct bpe_train_options options = {.V = V, .split = split, .least = least};
    struct bpe_trainer *trainer;
    struct tokenizer *tokenizer;
    struct error err;
    assert_int_equal(bpe_trainer_open(&trainer, &options, &err), STATUS_OK);
    bpe_trainer_add(trainer, text_string(text), text->size);
    assert_int_equal(bpe_trainer_run(trainer, &tokenizer, NULL, &err), STATUS_OK);
    bpe_trainer_close(trainer);
    return tokenizer;
}

static void merges_are_those_of_the_definition(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 31, 0);
    for (int round = 0; round < 120; round++) {
        struct text text = {0};
        struct naive_trainer naive = {0};
        const enum split split = round % 3 ? SPLIT_GPT2 : SPLIT_NONE;
        const int V = 256 + (int)rng_between(&rng, 1, 60);
        if (round % 4 == 0) /* few letters: ties, and runs of one letter */
            for (int i = 0; i < 200; i++) text_add_char(&text, "aab "[rng_below(&rng, 4)]);
        else random_text(&text, &rng, 150);
        naive_cut(&naive, &text, split);
        while (naive.n_symbols < V && naive_merge(&naive, 1)) {}
        struct tokenizer *tokenizer = train(&text, V, split, 1);
        assert_int_equal(tokenizer_size(tokenizer), naive.n_symbols);
        for (int id = 0; id < naive.n_symbols; id++) {
            size_t size;
            const char *bytes = vocabulary_bytes(&tokenizer->vocabulary, id, &size);
            assert_int_equal(size, naive.symbols[id].size);
            assert_memory_equal(bytes, naive.symbols[id].data, size);
        }
        tokenizer_close(tokenizer);
        naive_done(&naive);
        text_done(&text);
    }
}

/* train-bpe-reference-merges.txt: 243 merges of corpus.en, from an independent implementation. */
static void the_reference_corpus_gives_the_reference_merges(void **state)
{
    (void)state;
    struct text corpus = {0}, expected = {0}, vocabulary = {0}, merges = {0};
    struct error err;
    static const char *const specials[] = {"<|endoftext|>"};
    const struct bpe_train_options options = {
        .V = 500, .split = SPLIT_GPT2, .specials = specials, .n_specials = 1};
    if (!shared_data(&corpus, "bpe-reference/corpus.en") ||
        !shared_data(&expected, "bpe-reference/train-bpe-reference-merges.txt"))
        skip();
    struct bpe_trainer *trainer;
    struct tokenizer *tokenizer;
    assert_int_equal(bpe_trainer_open(&trainer, &options, &err), STATUS_OK);
    bpe_trainer_add(trainer, corpus.data, corpus.size);
    assert_int_equal(bpe_trainer_run(trainer, &tokenizer, NULL, &err), STATUS_OK);
    assert_int_equal(tokenizer_gpt2_write(&vocabulary, &merges, tokenizer, &err), STATUS_OK);
    const char *const ours = strchr(merges.data, '\n') + 1; /* past "#version" */
    while (expected.size && expected.data[expected.size - 1] == '\n')
        expected.data[--expected.size] = '\0';
    merges.data[merges.size - 1] = '\0';
    assert_string_equal(ours, expected.data);
    assert_int_equal(tokenizer_size(tokenizer), 500);
    assert_int_equal(tokenizer_find(tokenizer, "<|endoftext|>", 13), 499);
    tokenizer_close(tokenizer);
    bpe_trainer_close(trainer);
    text_done(&corpus);
    text_done(&expected);
    text_done(&vocabulary);
    text_done(&merges);
}

static void special_tokens_are_cut_out_of_the_text(void **state)
{
    (void)state;
    static const char *const specials[] = {"<|end|>"};
    const struct bpe_train_options options = {
        .V = 300, .split = SPLIT_GPT2, .specials = specials, .n_specials = 1};
    struct bpe_trainer *trainer;
    struct tokenizer *tokenizer;
    struct error err;
    const char text[] = "<|end|><|end|><|end|>ab<|end|>ab";
    assert_int_equal(bpe_trainer_open(&trainer, &options, &err), STATUS_OK);
    bpe_trainer_add(trainer, text, sizeof text - 1);
    struct bpe_train_report report;
    assert_int_equal(bpe_trainer_run(trainer, &tokenizer, &report, &err), STATUS_OK);
    assert_int_equal(report.n_merges, 1);
    assert_int_equal(report.n_pieces, 2);
    assert_int_equal(report.last_count, 2);
    assert_int_equal(tokenizer_find(tokenizer, "ab", 2), 256);
    assert_int_equal(tokenizer_find(tokenizer, "<|end|>", 7), 257);
    tokenizer_close(tokenizer);
    bpe_trainer_close(trainer);
}

static void a_file_gives_what_its_bytes_give_with_any_number_of_threads(void **state)
{
    (void)state;
    struct rng rng;
    struct text text = {0};
    struct error err;
    rng_init(&rng, 33, 0);
    while (text.size < 9 << 20) { /* more than one of the parts in which it is read */
        random_text(&text, &rng, 20);
        if (rng_below(&rng, 4) == 0) text_add(&text, " some words that come again\nand again\n");
        if (rng_below(&rng, 50) == 0) text_add(&text, " \n\nENDing and\n END \nEND");
    }
    char path[] = "/tmp/lcx-train-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && descriptor_write(fd, text.data, text.size));
    close(fd);
    static const char *const specials[] = {"END"}; /* it begins where a part may end */
    struct bpe_train_options options = {
        .V = 400, .split = SPLIT_GPT2, .specials = specials, .n_specials = 1};
    uint64_t hashes[4], n_pieces[4];
    for (int way = 0; way < 4; way++) { /* in memory; a file with 1, 2 and 3 threads */
        struct bpe_trainer *trainer;
        struct bpe_train_report report;
        struct tokenizer *tokenizer;
        if (way > 1) assert_int_equal(pool_open(&options.pool, way, &err), STATUS_OK);
        assert_int_equal(bpe_trainer_open(&trainer, &options, &err), STATUS_OK);
        if (way == 0) bpe_trainer_add(trainer, text.data, text.size);
        else assert_int_equal(bpe_trainer_add_file(trainer, path, &err), STATUS_OK);
        assert_int_equal(bpe_trainer_run(trainer, &tokenizer, &report, &err), STATUS_OK);
        assert_int_equal(report.n_bytes, text.size);
        hashes[way] = tokenizer->hash;
        n_pieces[way] = report.n_pieces;
        assert_int_equal(n_pieces[way], n_pieces[0]);
        assert_true(hashes[way] == hashes[0]);
        tokenizer_close(tokenizer);
        bpe_trainer_close(trainer);
        pool_close(options.pool);
        options.pool = NULL;
    }
    unlink(path);
    text_done(&text);
}

static void wrong_options_are_refused_with_the_reason(void **state)
{
    (void)state;
    struct bpe_trainer *trainer;
    struct error err;
    static const char *const twice[] = {"<a>", "<a>"};
    const struct bpe_train_options wrong[] = {
        {.V = 255}, {.V = VOCABULARY_LIMIT + 1}, {.V = 300, .specials = twice, .n_specials = 2}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(bpe_trainer_open(&trainer, &wrong[i], &err), STATUS_USAGE);
        assert_null(trainer);
    }
    assert_non_null(strstr(err.message, "<a>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_are_those_of_the_definition),
        cmocka_unit_test(the_reference_corpus_gives_the_reference_merges),
        cmocka_unit_test(special_tokens_are_cut_out_of_the_text),
        cmocka_unit_test(a_file_gives_what_its_bytes_give_with_any_number_of_threads),
        cmocka_unit_test(wrong_options_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
