/* tokenizer_file.h -- the forms in which tokenizers are kept.
 *
 *   tokenizer.json                   Hugging Face; BPE models
 *   vocab.json and merges.txt,       GPT-2's own names are encoder.json and vocab.bpe
 *   in one folder
 *   a GGUF file                      of a model, or of a vocabulary alone
 *   tok.bin                          llama2.c
 *   NAME.tiktoken                    tiktoken; read only
 *
 * Promises: a file is checked whole before any of it counts; a message says which token, line or
 * field is wrong. At most 256 MiB are read; of a GGUF file, at most the first 256 MiB.
 * Tests: tests/text/tokenizer_file_test.c, tests/fuzz/fuzz_tokenizer_*.c
 */
#ifndef TEXT_TOKENIZER_FILE_H
#define TEXT_TOKENIZER_FILE_H

#include "base/error.h"
#include "text/tokenizer.h"

enum { TOKENIZER_FILE_LIMIT = 1 << 28 };

/* tokenizer_json.c, tokenizer_json_write.c. SentencePiece's scores are not kept: merges are in their
 * order, and one that begins a text is put before it by whoever reads the file. */
MUST_CHECK enum status tokenizer_json_parse(struct tokenizer **out, const char *bytes, size_t size,
                                            struct error *err);
MUST_CHECK enum status tokenizer_json_write(struct text *out, const struct tokenizer *tokenizer,
                                            struct error *err);

/* tokenizer_gpt2.c: the text of vocab.json, the text of merges.txt */
MUST_CHECK enum status tokenizer_gpt2_parse(struct tokenizer **out, const char *vocabulary,
                                            size_t vocabulary_size, const char *merges,
                                            size_t merges_size, struct error *err);
MUST_CHECK enum status tokenizer_gpt2_write(struct text *vocabulary, struct text *merges,
                                            const struct tokenizer *tokenizer, struct error *err);

/* tokenizer_gguf.c; `bytes` may be the beginning of a file, if all its values are in it */
MUST_CHECK enum status tokenizer_gguf_parse(struct tokenizer **out, const char *bytes, size_t size,
                                            struct error *err);
MUST_CHECK enum status tokenizer_gguf_write(struct text *out, const struct tokenizer *tokenizer,
                                            struct error *err);

/* tokenizer_llama2c.c */
MUST_CHECK enum status tokenizer_llama2c_parse(struct tokenizer **out, const char *bytes,
                                               size_t size, struct error *err);
MUST_CHECK enum status tokenizer_llama2c_write(struct text *out, const struct tokenizer *tokenizer,
                                               struct error *err);

/* tokenizer_tiktoken.c; the name says how text is cut */
MUST_CHECK enum status tokenizer_tiktoken_parse(struct tokenizer **out, const char *bytes,
                                                size_t size, const char *name, struct error *err);

enum tokenizer_format { TOKENIZER_JSON, TOKENIZER_GPT2, TOKENIZER_GGUF, TOKENIZER_LLAMA2C };

/* Write the file `path`, or vocab.json and merges.txt into the folder `path`. STATUS_USAGE: the form
 * cannot hold this tokenizer. */
MUST_CHECK enum status tokenizer_save(const struct tokenizer *tokenizer, const char *path,
                                      enum tokenizer_format format, struct error *err);

/* ---- byte_text.c: GPT-2 writes bytes as printable characters, a blank as U+0120 ---- */

/* Append the bytes that a string of those characters stands for; false when it has another. */
MUST_CHECK bool byte_text_read(struct text *out, const char *string, size_t size);
void byte_text_write(struct text *out, const char *bytes, size_t size);

#endif
