/* tokenizer.h -- text to tokens and back, whatever kind of tokenizer it is.
 *
 *   text --special tokens--> stretches --split--> pieces --merges--> ids
 *   ids  --look up--> bytes
 *
 *   bytes        byte-level BPE: GPT-2, Llama 3, Qwen. The alphabet is the 256 bytes
 *   pieces       SentencePiece BPE: Llama 1 and 2, Mistral. The alphabet is characters; what is
 *                missing falls back to bytes
 *   characters   one token a character: the smallest thing that works
 *
 * Promises: a tokenizer does not change once it is made, so any number of threads may share it; each
 * has its own encoder. decode(encode(x)) == x for any bytes, unless the file asks for a normal form
 * (Qwen 2: NFC) or the kind is `pieces`, whose texts begin with a blank that is dropped again.
 *
 * Does not know: models; chat templates.
 * Lab: 11 BPE. Tests: tests/text/tokenizer_test.c
 */
#ifndef TEXT_TOKENIZER_H
#define TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "text/bpe.h"
#include "text/pattern.h"
#include "text/pieces.h"
#include "text/specials.h"
#include "text/split.h"
#include "text/tokens.h"
#include "text/vocabulary.h"

enum tokenizer_kind { TOKENIZER_BYTES, TOKENIZER_PIECES, TOKENIZER_CHARACTERS };

struct tokenizer {
    enum tokenizer_kind kind;
    struct vocabulary vocabulary;
    struct bpe bpe;
    enum split split;
    struct patterns patterns; /* when there are some, they cut the text, and `split` does not */
    bool composes;            /* text is brought to the normal form NFC first */
    struct pieces pieces;
    int32_t byte_ids[256]; /* the tokens of single bytes; -1: there is none */
    bool whole_first;      /* a piece that is a token is that token, whatever the merges make */
    struct specials specials;
    int32_t begin, end, unknown; /* special ids that files name; -1: none */
    uint64_t hash;               /* of all that decides ids: token files remember it */
};

/* Read a tokenizer, whatever it is: see tokenizer_file.h. */
MUST_CHECK enum status tokenizer_open(struct tokenizer **out, const char *path, struct error *err);
void tokenizer_close(struct tokenizer *tokenizer); /* harmless on NULL */

/* One token for each character of the text, ids in the order of code points. STATUS_FORMAT when it
 * is not UTF-8; STATUS_USAGE when it is empty. */
MUST_CHECK enum status tokenizer_of_characters(struct tokenizer **out, const char *bytes,
                                               size_t size, struct error *err);

/* V: ids are below it. */
static inline int tokenizer_size(const struct tokenizer *tokenizer)
{
    return tokenizer->vocabulary.size;
}

/* The id of a token by its bytes, a special one by its name; -1: none. */
int32_t tokenizer_find(const struct tokenizer *tokenizer, const char *bytes, size_t size);

/* ---- for those who make a tokenizer: the fields are filled, now finish it ---- */

struct tokenizer *tokenizer_new(enum tokenizer_kind kind);

/* Build what look-ups need from vocabulary, merges and types. STATUS_FORMAT: nothing to encode with. */
MUST_CHECK enum status tokenizer_finish(struct tokenizer *tokenizer, struct error *err);

/* ---- text to ids ---- */

enum special_rule {
    SPECIALS_REFUSE, /* text that looks like a special token is an error: it may be an attack */
    SPECIALS_TEXT,   /* it is text like any other */
    SPECIALS_ALLOW,  /* it becomes the token */
};

struct encode_options {
    enum special_rule specials;
    const int32_t *allowed; /* these become tokens whatever the rule says */
    int n_allowed;
    bool begin, end; /* put the tokens that files name for it around the text */
};

struct encoder;

/* NULL options: text that looks like a special token is refused, nothing is put around. The
 * tokenizer must outlive the encoder. */
struct encoder *encoder_open(const struct tokenizer *tokenizer,
                             const struct encode_options *options);
void encoder_close(struct encoder *encoder);

/* Append the ids of this text. STATUS_USAGE: a special token that is not allowed; STATUS_FORMAT: a
 * byte or character that this vocabulary cannot write. On failure `out` is as it was. */
MUST_CHECK enum status encoder_run(struct encoder *encoder, struct tokens *out, const char *bytes,
                                   size_t size, struct error *err);

/* Can a text be encoded in parts that end where split_safe() says? */
bool encoder_cuts(const struct encoder *encoder);

/* The ids of [0, stop) of a text that goes on to `size`, `stop` being such a place or the end. Nothing
 * is put around. `origin`: where the part begins, for messages. */
MUST_CHECK enum status encoder_run_part(struct encoder *encoder, struct tokens *out,
                                        const char *bytes, size_t stop, size_t size,
                                        uint64_t origin, struct error *err);

/* ---- ids to text ---- */

/* The bytes of one token, as they stand in text; "" for a special one. */
const char *tokenizer_bytes(const struct tokenizer *tokenizer, int32_t id, size_t *size);

/* Append the text. `specials`: with the names of special tokens. STATUS_USAGE: an id that is not in
 * the vocabulary. */
MUST_CHECK enum status tokenizer_decode(const struct tokenizer *tokenizer, struct text *out,
                                        const int32_t *ids, size_t n, bool specials,
                                        struct error *err);

/* Where each token begins in the decoded text: offsets[i] for ids[i], offsets[n] its size. */
MUST_CHECK enum status tokenizer_offsets(const struct tokenizer *tokenizer, size_t *offsets,
                                         const int32_t *ids, size_t n, bool specials,
                                         struct error *err);

/* One token at a time, for streams: only whole characters come out, and what cannot become one is
 * U+FFFD. All that comes out is the decoded text with its invalid bytes replaced. */
struct decoder {
    const struct tokenizer *tokenizer;
    bool specials;
    bool begun;
    unsigned char held[4]; /* the beginning of a character */
    size_t n_held;
};
void decoder_init(struct decoder *decoder, const struct tokenizer *tokenizer, bool specials);
MUST_CHECK enum status decoder_add(struct decoder *decoder, struct text *out, int32_t id,
                                   struct error *err);
void decoder_end(struct decoder *decoder, struct text *out); /* what is held is not a character */

#endif
