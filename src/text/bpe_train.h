/* bpe_train.h -- learn merges from text: the most frequent pair of neighbours, again and again.
 *
 *   text --split--> pieces --count--> different pieces --merge--> vocabulary
 *
 * The pair with the highest count is merged; on a tie, the one whose (left, right) byte strings are
 * lexicographically greatest. Counts are of all pieces, in 64 bits. Where a pair stands is kept in a
 * list, so a merge costs what it changes.
 *
 * Promises: exact, and the same whatever the number of threads and the sizes in which the text is
 * added. Memory: 16 to 20 bytes for each byte of a different piece; at most 4 GiB of those bytes. Ids: the 256 bytes, the merges in order, then the special tokens.
 * Source: Sennrich et al. 2016 (arXiv:1508.07909). Lab: 11 BPE. Tests: tests/text/bpe_train_test.c
 */
#ifndef TEXT_BPE_TRAIN_H
#define TEXT_BPE_TRAIN_H

#include "base/error.h"
#include "base/pool.h"
#include "text/tokenizer.h"

struct bpe_train_options {
    int V; /* tokens in all: 256 bytes, merges, special tokens; fewer when pairs run out */
    enum split split;            /* SPLIT_NONE: the text is not cut */
    uint64_t least;              /* a pair must occur so often; 0: 2 */
    const char *const *specials; /* cut out of the text, and given ids at the end */
    int n_specials;
    struct pool *pool; /* threads that count; borrowed; NULL: this one */
};

struct bpe_trainer;

/* The options are copied. STATUS_USAGE: V too small or too large, special tokens that cannot be. */
MUST_CHECK enum status bpe_trainer_open(struct bpe_trainer **out,
                                        const struct bpe_train_options *options, struct error *err);
void bpe_trainer_close(struct bpe_trainer *trainer); /* harmless on NULL */

/* Count a text that is whole: it begins and ends here. */
void bpe_trainer_add(struct bpe_trainer *trainer, const char *bytes, size_t size);

/* Count a file ("-": standard input), read in parts. STATUS_NOT_FOUND, STATUS_IO. */
MUST_CHECK enum status bpe_trainer_add_file(struct bpe_trainer *trainer, const char *path,
                                            struct error *err);

struct bpe_train_report {
    uint64_t n_bytes, n_pieces, n_different;
    int n_merges;
    uint64_t last_count; /* of the pair that was merged last */
};

/* Learn; what was counted is used up. `report` may be NULL. STATUS_LIMIT: too many different pieces. */
MUST_CHECK enum status bpe_trainer_run(struct bpe_trainer *trainer, struct tokenizer **out,
                                       struct bpe_train_report *report, struct error *err);

#endif
