/* file_parts.h -- what the readers and writers of tokenizer files share. */
#ifndef TEXT_FILE_PARTS_H
#define TEXT_FILE_PARTS_H

#include "text/tokenizer_file.h"

/* Add the merge of two tokens written as byte text. The vocabulary is indexed. STATUS_FORMAT. */
MUST_CHECK enum status byte_merge_add(struct tokenizer *tokenizer, const char *left,
                                      size_t left_size, const char *right, size_t right_size,
                                      struct error *err);

/* Append a JSON string; the bytes must be UTF-8. */
void json_string_write(struct text *out, const char *string, size_t size);

/* Append a token as its file has it: byte text for bytes, U+2581 for the blanks of SentencePiece. */
void token_write(struct text *out, const struct tokenizer *tokenizer, int32_t id);

#endif
