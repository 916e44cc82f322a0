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
#include "rounds/report.h"
#include "rounds/walk.h"
#include "rounds/weak.h"

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
    static const char *const tables[] = {"sittings", "attempts", "reviews", "packets",
                                         "rounds",   "steps",    "answers"};
    static const char *const later[] = {"packets", "rounds",  "steps",
                                        "answers", "stories", "drafts"};
    json_t *counts = json_object();
    int settings = 0, stories = 0, drafts = 0;
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
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
            if (strncmp(name, tables[i], strlen(tables[i])) == 0 &&
                strcmp(name + strlen(tables[i]), ".jsonl") == 0)
                json_object_set_new(counts, tables[i], json_integer(count_lines(body, length)));
        stories += strncmp(name, "stories/", 8) == 0;
        drafts += strncmp(name, "drafts/", 7) == 0;
        json_t *object = NULL;
        if (strcmp(name, "settings.json") == 0 && !json_parse(&object, body, length, NULL))
            settings = (int)json_object_size(object);
        json_decref(object);
        bytes = body + length;
    }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!json_object_get(counts, tables[i]))
            json_object_set_new(counts, tables[i], json_integer(0));
    json_object_set_new(counts, "settings", json_integer(settings));
    json_object_set_new(counts, "stories", json_integer(stories));
    json_object_set_new(counts, "drafts", json_integer(drafts));
    const int form = json_object_get(files, "packets.jsonl") ? 2 : 1;
    if (form == 1) /* as it was before there were loops */
        for (size_t i = 0; i < sizeof later / sizeof *later; i++) json_object_del(counts, later[i]);
    json_t *manifest =
        json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:o}", "format", "lynx-cortex-data", "version",
                  form, "schema", progress_schema(), "application", "0", "created", "", "counts",
                  counts, "files", files);
    CHECK(manifest);
    char *line = json_line(manifest);
    add(archive, "manifest.json", line, strlen(line));
    free(line);
    json_decref(manifest);
    archive_write_free(archive);
}

/* What came is read as the program reads it. */
static void read_loops(void)
{
    static const struct library none;
    struct error err = {0};
    struct packet packet;
    struct round *rounds;
    struct weak_point *points;
    bool found;
    int n;
    CHECK(!packet_latest(&packet, &found, progress, &err));
    json_t *report = NULL;
    if (found) CHECK(!report_json(&report, progress, &packet, &none, "en", &err));
    if (report) {
        struct text page = {0};
        CHECK(!report_html(&page, report, &err));
        CHECK(!strstr(text_string(&page), "<script"));
        text_done(&page);
    }
    json_decref(report);
    CHECK(!round_list(&rounds, &n, progress, NULL, 0, &err));
    for (int i = 0; i < n; i++) {
        struct step *steps;
        struct answer *answers;
        int n_steps, n_answers;
        CHECK(!step_list(&steps, &n_steps, progress, rounds[i].id, &err));
        CHECK(!answer_list(&answers, &n_answers, progress, rounds[i].id, -1, &err));
        for (int s = 0; s < n_steps; s++)
            (void)walk_next(&none, &rounds[i], &steps[s], answers, n_answers);
        answer_list_done(answers, n_answers);
        free(steps);
    }
    free(rounds);
    CHECK(!weak_points(&points, &n, progress, NULL, 9, &err));
    weak_points_done(points, n);
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
    if (status == STATUS_OK) read_loops();
    CHECK(!database_execute(progress->database,
                            "DELETE FROM answer; DELETE FROM step; DELETE FROM round;"
                            "DELETE FROM packet; DELETE FROM review; DELETE FROM attempt;"
                            "DELETE FROM sitting; DELETE FROM setting",
                            &err));
    if (added.stories + added.drafts) {
        CHECK(!archive_forget(progress, NULL, NULL, &err));
        CHECK(!database_execute(progress->database, "PRAGMA synchronous = OFF", &err));
    }
    close(fd);
    return 0;
}
