/* encode_file.h -- a file to ids, in parts and by several threads, so that it may be larger than memory.
 *
 * Promises: the ids are those of the whole text, whatever the number of threads. Memory: some parts of
 * text_parts.h, unless the text cannot be cut: patterns through PCRE2, SentencePiece, NFC, no split at
 * all, special tokens that hold an end of line. Then it is read whole.
 * Tests: tests/text/encode_file_test.c
 */
#ifndef TEXT_ENCODE_FILE_H
#define TEXT_ENCODE_FILE_H

#include "base/pool.h"
#include "text/tokenizer.h"

/* Is given the ids in order; what it returns ends the work when it is not STATUS_OK. */
typedef enum status encode_take(void *context, const int32_t *ids, size_t n, struct error *err);

/* `path` "-" is standard input; the pool may be NULL. As encoder_run(), and STATUS_NOT_FOUND, STATUS_IO
 * and what `take` says. */
MUST_CHECK enum status encode_file(const struct tokenizer *tokenizer,
                                   const struct encode_options *options, struct pool *pool,
                                   const char *path, encode_take *take, void *context,
                                   struct error *err);

#endif
