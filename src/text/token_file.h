/* token_file.h -- a text as token ids, in a file that is mapped into memory.
 *
 *   64 bytes   "LCXTOKEN" | u32 version 1 | u32 bytes an id: 2 or 4 | u64 V | u64 n ids
 *              | u64 hash of the tokenizer | u64 hash of ids and header | zeros
 *   then       n ids, little-endian
 *
 * Promises: a file is opened only if its size is what its header says, every id is below V and
 * nothing in it has changed since it was written. It appears whole or not at all. Nobody may
 * shorten it while it is open.
 * Tests: tests/text/token_file_test.c, tests/fuzz/fuzz_token_file.c
 */
#ifndef TEXT_TOKEN_FILE_H
#define TEXT_TOKEN_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { TOKEN_FILE_HEADER = 64, TOKEN_FILE_VERSION = 1 };

struct token_file {
    int width; /* bytes an id: 2 or 4 */
    uint64_t V;
    uint64_t n;
    uint64_t tokenizer_hash;
    const void *ids; /* uint16_t or uint32_t [n] */
    void *map;
    size_t map_size;
};

/* STATUS_NOT_FOUND, STATUS_IO, STATUS_FORMAT. */
MUST_CHECK enum status token_file_open(struct token_file *file, const char *path,
                                       struct error *err);

/* The same of bytes in memory, which must outlive it and be aligned to 4; `path` is for messages. */
MUST_CHECK enum status token_file_view(struct token_file *file, const void *bytes, size_t size,
                                       const char *path, struct error *err);
void token_file_close(struct token_file *file); /* harmless on a zeroed one */

static inline int32_t token_file_id(const struct token_file *file, uint64_t i)
{
    return file->width == 2 ? ((const uint16_t *)file->ids)[i]
                            : (int32_t)((const uint32_t *)file->ids)[i];
}

/* Copy ids [from, from + n) to `ids`; they must be there. */
void token_file_read(const struct token_file *file, int32_t *ids, uint64_t from, size_t n);

/* Write ids in parts, so that they need not fit into memory. */
struct token_writer;
MUST_CHECK enum status token_writer_open(struct token_writer **out, const char *path, uint64_t V,
                                         uint64_t tokenizer_hash, struct error *err);
MUST_CHECK enum status token_writer_add(struct token_writer *writer, const int32_t *ids, size_t n,
                                        struct error *err);
/* Put the file in its place; the writer is closed whatever happens. */
MUST_CHECK enum status token_writer_end(struct token_writer *writer, struct error *err);
void token_writer_drop(struct token_writer *writer); /* give up; harmless on NULL */

#endif
