/* tokenizer_world.h -- what every fuzz target of a tokenizer's file does with what came out. */
#ifndef TESTS_FUZZ_TOKENIZER_WORLD_H
#define TESTS_FUZZ_TOKENIZER_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "text/tokenizer.h"
#include "text/tokenizer_file.h"

/* A tokenizer that was read can be used and looked at; bytes come back where it has a token for each. */
static inline void use_tokenizer(const struct tokenizer *tokenizer, enum status status,
                                 const struct error *err)
{
    static const char text[] =
        "a b\n the <unk>\xC3\xA9\xF0\x9F\x98\x80\xFF 12 ab abab aaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct tokens tokens = {0};
    struct text again = {0};
    struct error why = {0};
    if (status) {
        CHECK(!tokenizer && err->status == status && err->message[0]);
        return;
    }
    struct encoder *encoder =
        encoder_open(tokenizer, &(struct encode_options){.specials = SPECIALS_TEXT});
    const enum status encoded = encoder_run(encoder, &tokens, text, sizeof text - 1, &why);
    encoder_close(encoder);
    for (size_t i = 0; i < tokens.n; i++)
        CHECK(tokens.ids[i] >= 0 && tokens.ids[i] < tokenizer_size(tokenizer));
    CHECK(!tokenizer_decode(tokenizer, &again, tokens.ids, tokens.n, true, &why));
    bool whole = !encoded && tokenizer->kind == TOKENIZER_BYTES && !tokenizer->composes;
    for (int c = 0; c < 256; c++) whole &= tokenizer->byte_ids[c] >= 0;
    for (int i = 0; i < tokenizer->bpe.n_merges && whole;
         i++) { /* merges that make what they say */
        const struct bpe_merge *merge = &tokenizer->bpe.merges[i];
        whole = tokenizer->vocabulary.tokens[merge->left].size +
                    tokenizer->vocabulary.tokens[merge->right].size ==
                tokenizer->vocabulary.tokens[merge->made].size;
    }
    if (whole) CHECK(again.size == sizeof text - 1 && !memcmp(again.data, text, again.size));
    tokens_done(&tokens);
    text_done(&again);
}

#endif
