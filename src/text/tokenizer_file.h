/* tokenizer_file.h -- the forms in which tokenizers are kept.
 *
 *   tokenizer.json                     Hugging Face; read and written. BPE only
 *   vocab.json and merges.txt,         GPT-2's own names are encoder.json and vocab.bpe;
 *   in one folder                      read and written
 *
 * Promises: a file is checked whole before any of it counts; a message says which token, line or
 * field is wrong. At most 256 MiB are read.
 * Tests: tests/text/tokenizer_file_test.c, tests/fuzz/fuzz_tokenizer_*.c
 */
#ifndef TEXT_TOKENIZER_FILE_H
#define TEXT_TOKENIZER_FILE_H

#include "base/error.h"
#include "text/tokenizer.h"

enum { TOKENIZER_FILE_LIMIT = 1 << 28 };

/* tokenizer_json.c */
MUST_CHECK enum status tokenizer_json_parse(struct tokenizer **out, const char *bytes, size_t size,
                                            struct error *err);
void tokenizer_json_write(struct text *out, const struct tokenizer *tokenizer);

/* tokenizer_gpt2.c: the text of vocab.json, the text of merges.txt */
MUST_CHECK enum status tokenizer_gpt2_parse(struct tokenizer **out, const char *vocabulary,
                                            size_t vocabulary_size, const char *merges,
                                            size_t merges_size, struct error *err);
MUST_CHECK enum status tokenizer_gpt2_write(struct text *vocabulary, struct text *merges,
                                            const struct tokenizer *tokenizer, struct error *err);

enum tokenizer_format { TOKENIZER_JSON, TOKENIZER_GPT2 };

/* Write tokenizer.json to the file `path`, or vocab.json and merges.txt into the folder `path`. */
MUST_CHECK enum status tokenizer_save(const struct tokenizer *tokenizer, const char *path,
                                      enum tokenizer_format format, struct error *err);

/* ---- byte_text.c: GPT-2 writes bytes as printable characters, a blank as U+0120 ---- */

/* Append the bytes that a string of those characters stands for; false when it has another. */
MUST_CHECK bool byte_text_read(struct text *out, const char *string, size_t size);
void byte_text_write(struct text *out, const char *bytes, size_t size);

#endif
