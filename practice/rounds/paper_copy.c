#include "rounds/paper_copy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/file.h"
#include "base/locale.h"
#include "base/text.h"

enum { FETCH_TIMEOUT_S = 300 };

static enum status path_of(char **path, struct progress *progress, const struct paper *paper,
                           const char *suffix, struct error *err)
{
    char *folder = path_join(progress->folder, "papers");
    const enum status status = folder_make(folder, 0700, err);
    *path = status ? NULL : text_printf("%s/%s.%s", folder, paper->name, suffix);
    free(folder);
    return status;
}

enum status paper_copy_path(char **path, bool *there, struct progress *progress,
                            const struct paper *paper, struct error *err)
{
    const enum status status = path_of(path, progress, paper, "pdf", err);
    *there = !status && file_exists(*path);
    return status;
}

enum status paper_copy_bring(struct progress *progress, const struct paper *paper, const char *file,
                             struct error *err)
{
    struct text bytes = {0};
    char *path = NULL;
    enum status status = file_read(&bytes, file, PAPER_SIZE_LIMIT, err);
    if (!status && bytes.size == 0) status = error_set(err, STATUS_FORMAT, _("%s: empty"), file);
    if (!status) status = path_of(&path, progress, paper, "pdf", err);
    if (!status) status = file_write(path, bytes.data, bytes.size, 0600, err);
    text_done(&bytes);
    free(path);
    return status;
}

/* What the copy's hash has to be: pinned, else recorded, else "" . */
static enum status known_hash(char hash[SHA256_TEXT], struct progress *progress,
                              const struct paper *paper, struct error *err)
{
    struct text bytes = {0};
    char *path;
    hash[0] = '\0';
    if (strlen(paper->sha256) == SHA256_TEXT - 1) {
        memcpy(hash, paper->sha256, SHA256_TEXT);
        return STATUS_OK;
    }
    enum status status = path_of(&path, progress, paper, "sha256", err);
    if (!status && file_exists(path)) status = file_read(&bytes, path, 200, err);
    if (!status && bytes.size >= SHA256_TEXT - 1) {
        memcpy(hash, bytes.data, SHA256_TEXT - 1);
        hash[SHA256_TEXT - 1] = '\0';
    }
    text_done(&bytes);
    free(path);
    return status;
}

enum status paper_copy_fetch(char hash[SHA256_TEXT], bool *first, struct progress *progress,
                             const struct paper *paper, struct error *err)
{
    struct text bytes = {0};
    char known[SHA256_TEXT], *path = NULL, *record = NULL;
    unsigned char digest[crypto_hash_sha256_BYTES];
    hash[0] = '\0';
    *first = false;
    if (!*paper->url)
        return error_set(err, STATUS_NOT_FOUND, _("%s has no address: bring it with --file"),
                         paper->name);

    enum status status = known_hash(known, progress, paper, err);
    if (!status)
        status = fetch_run(&bytes,
                           &(struct fetch){.url = paper->url,
                                           .timeout_s = FETCH_TIMEOUT_S,
                                           .limit_bytes = PAPER_SIZE_LIMIT},
                           err);
    if (!status && (bytes.size < 5 || memcmp(bytes.data, "%PDF-", 5) != 0))
        status = error_set(err, STATUS_FORMAT, _("%s: what came is no PDF (%zu bytes)"), paper->url,
                           bytes.size);
    if (!status) {
        crypto_hash_sha256(digest, (const unsigned char *)bytes.data, bytes.size);
        sodium_bin2hex(hash, SHA256_TEXT, digest, sizeof digest);
        *first = !*known;
        if (*known && strcmp(known, hash) != 0)
            status = error_set(err, STATUS_CONFLICT,
                               _("%s: its sha256 is %s, expected %s: not taken; check the address, "
                                 "or bring your copy with --file"),
                               paper->url, hash, known);
    }
    if (!status) status = path_of(&path, progress, paper, "pdf", err);
    if (!status) status = file_write(path, bytes.data, bytes.size, 0600, err);
    if (!status && *first) {
        status = path_of(&record, progress, paper, "sha256", err);
        if (!status) status = file_write(record, hash, strlen(hash), 0600, err);
    }
    text_done(&bytes);
    free(path);
    free(record);
    return status;
}
