/* fuzz_archive.c -- any file offered for import: no crash, all or nothing, a log that replays.
 *
 *   @NAME\n bytes @NAME\n bytes ...   files, put into a tar with a manifest that seals them, so that
 *                                    what is inside is reached and not only the checksum
 *   anything else                    the archive itself
 */
#include "progress/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/json.h"
#include "progress/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct progress *progress;
static struct clock standing;
static char folder[] = "/tmp/lcx-fuzz-XXXXXX";
static pid_t owner;

static void clean_up(void)
{
    if (getpid() != owner) return;
    progress_close(progress);
    (void)!folder_remove(folder, NULL);
}

static void start(void)
{
    struct error err = {0};
    setenv("TZ", "UTC", 1);
    CHECK(mkdtemp(folder));
    owner = getpid();
    standing = clock_fixed(1795435200000);
    CHECK(!progress_open(&progress, folder, &standing, &err));
    /* what is fuzzed is the reading; nothing here has to survive a power cut */
    CHECK(!database_execute(progress->database, "PRAGMA synchronous = OFF", &err));
    atexit(clean_up);
}

static void add(struct archive *archive, const char *name, const void *bytes, size_t size)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, (int64_t)size);
    if (archive_write_header(archive, entry) == ARCHIVE_OK && size)
        (void)!archive_write_data(archive, bytes, size);
    archive_entry_free(entry);
}

static int count_lines(const char *bytes, size_t size)
{
    int n = size > 0 && bytes[size - 1] != '\n';
    for (size_t i = 0; i < size; i++) n += bytes[i] == '\n';
    return n;
}

/* The sections as a tar into `fd`. */
static void build(int fd, const char *bytes, size_t size)
{
    struct archive *archive = archive_write_new();
    json_t *files = json_object();
    int sittings = 0, attempts = 0, reviews = 0, settings = 0;
    const char *end = bytes + size;

    archive_write_set_format_pax_restricted(archive);
    CHECK(archive_write_open_fd(archive, fd) == ARCHIVE_OK);
    while (bytes < end && *bytes == '@') {
        char name[128], hash[17];
        const char *line = memchr(bytes, '\n', (size_t)(end - bytes));
        if (!line) break;
        snprintf(name, sizeof name, "%.*s", (int)(line - bytes - 1), bytes + 1);
        const char *body = line + 1;
        const char *next = memmem(body, (size_t)(end - body), "\n@", 2);
        const size_t length = (size_t)((next ? next + 1 : end) - body);
        add(archive, name, body, length);
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)XXH64(body, length, 0));
        json_t *file = json_pack("{s:I, s:s}", "size", (json_int_t)length, "xxh64", hash);
        if (json_object_set_new(files, name, file)) break; /* not UTF-8 */
        if (strcmp(name, "sittings.jsonl") == 0) sittings = count_lines(body, length);
        if (strcmp(name, "attempts.jsonl") == 0) attempts = count_lines(body, length);
        if (strcmp(name, "reviews.jsonl") == 0) reviews = count_lines(body, length);
        json_t *object = NULL;
        if (strcmp(name, "settings.json") == 0 && !json_parse(&object, body, length, NULL))
            settings = (int)json_object_size(object);
        json_decref(object);
        bytes = body + length;
    }
    json_t *manifest =
        json_pack("{s:s, s:i, s:i, s:s, s:s, s:{s:i, s:i, s:i, s:i}, s:o}", "format",
                  "lynx-cortex-data", "version", 1, "schema", progress_schema(), "application", "0",
                  "created", "", "counts", "sittings", sittings, "attempts", attempts, "reviews",
                  reviews, "settings", settings, "files", files);
    CHECK(manifest);
    char *line = json_line(manifest);
    add(archive, "manifest.json", line, strlen(line));
    free(line);
    json_decref(manifest);
    archive_write_free(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct error err = {0};
    if (!progress) start();
    const int fd = memfd_create("archive", MFD_CLOEXEC);
    CHECK(fd >= 0);
    if (size && bytes[0] == '@') build(fd, (const char *)bytes, size);
    else CHECK(descriptor_write(fd, bytes, size));

    struct archive_counts added;
    const enum status status = archive_import_from(progress, fd, "archive", &added, &err);
    CHECK(!database_in_transaction(progress->database));
    CHECK(status == STATUS_OK || (err.status == status && err.message[0]));
    CHECK(status != STATUS_OK || !review_verify(progress, &err));
    CHECK(!database_execute(progress->database,
                            "DELETE FROM review; DELETE FROM attempt; DELETE FROM sitting;"
                            "DELETE FROM setting",
                            &err));
    close(fd);
    return 0;
}
