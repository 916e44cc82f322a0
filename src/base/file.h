/* file.h -- whole files and folders; no write is lost.
 *
 * Promises: a file written here appears whole or not at all (temporary file,
 * fsync, rename, fsync of the folder). Reading stops at the stated limit.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

/* Append the whole regular file to `out`. STATUS_NOT_FOUND, STATUS_LIMIT when it
 * is larger than `limit_bytes`, STATUS_IO otherwise. */
MUST_CHECK enum status file_read(struct text *out, const char *path, size_t limit_bytes,
                                 struct error *err);

/* Replace `path` by these bytes, atomically. The folder must exist. */
MUST_CHECK enum status file_write(const char *path, const void *bytes, size_t size, mode_t mode,
                                  struct error *err);

/* Write a file that nobody will miss after a crash: no rename, no fsync. */
MUST_CHECK enum status file_scratch(const char *path, const void *bytes, size_t size, mode_t mode,
                                    struct error *err);

/* The same as file_write(), but STATUS_CONFLICT when `path` exists; never overwrites. */
MUST_CHECK enum status file_create(const char *path, const void *bytes, size_t size, mode_t mode,
                                   struct error *err);

bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* mkdir -p. New folders get `mode`. */
MUST_CHECK enum status folder_make(const char *path, mode_t mode, struct error *err);

/* rm -r, without following links. What is already gone is no error. */
MUST_CHECK enum status folder_remove(const char *path, struct error *err);

/* "a/b"; the caller frees it. */
char *path_join(const char *folder, const char *name);

/* Write all bytes to a descriptor, through EINTR and short writes. */
MUST_CHECK bool descriptor_write(int fd, const void *bytes, size_t size);

#endif
