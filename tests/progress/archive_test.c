#include "progress/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <xxhash.h>

#include "base/json.h"
#include "base/rng.h"
#include "bench.h"
#include "progress/rating.h"
#include "progress/settings.h"

/* ---- a history worth keeping ---- */

static void submit_source(struct bench *bench, const char *sitting, const char *source, size_t size,
                          enum attempt_verdict verdict)
{
    char id[ID_SIZE];
    const struct attempt_start start = {.sitting = sitting,
                                        .kind = ATTEMPT_SUBMIT,
                                        .seed = 77,
                                        .source = source,
                                        .source_size = size};
    assert_int_equal(attempt_begin(id, bench->progress, &start, NULL), STATUS_OK);
    assert_int_equal(attempt_finish(bench->progress, id, verdict, "no-scale",
                                    "{\"secret\":\"MARKER-result\",\"x\":1.5}", NULL),
                     STATUS_OK);
}

#define PACKET "11111111-1111-4111-8111-111111111111"
#define ROUND "22222222-2222-4222-8222-222222222222"
#define PLANNED "33333333-3333-4333-8333-333333333333"
#define DRAFT "drafts/" ROUND "-0-1.md"
#define STORY "stories/01-hard-debug.md"

static void put(struct bench *bench, const char *name, const char *bytes)
{
    char *path = path_join(bench->folder, name);
    char *folder = text_printf("%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(folder_make(folder, 0700, NULL), STATUS_OK);
    assert_int_equal(file_write(path, bytes, strlen(bytes), 0600, NULL), STATUS_OK);
    free(folder);
    free(path);
}

/* A loop whose second round runs: one question answered, a drill begun, one answer being written. */
static void sit_a_loop(struct bench *bench, const char *drill_sitting)
{
    struct error err = {0};
    char *sql = text_printf(
        "INSERT INTO packet VALUES ('" PACKET "', 'engineer', 2, 'c', 0, 1.0, 9, 'es', %lld, 0,"
        " 'running');"
        "INSERT INTO round VALUES ('" ROUND "', '" PACKET "', 1, 'phone', 'question/01', 0, 1.0, 9,"
        " 'c', 'es', %lld, %lld, 0, 'running'), ('" PLANNED "', '" PACKET "', 2, 'systems', '', 0,"
        " 1.0, 9, 'c', 'es', %lld, 0, 0, 'planned');"
        "INSERT INTO step VALUES ('" ROUND "', 0, 'question', 'words', 'question/01', 30, %lld,"
        " %lld, 0, 0, NULL), ('" ROUND "', 1, 'drill', 'drill', 'drill/03', 30, 0, 0, 0, 0, '%s');"
        "INSERT INTO answer VALUES ('44444444-4444-4444-8444-444444444444', '" ROUND "', 0, 0,"
        " 'question/01/0', 'Why?', 'MARKER-answer \"ñ\" ' || char(27), %lld, %lld, 1, 0.25,"
        " '{\"items\":[]}', '{\"a\":\"found\"}'), ('55555555-5555-4555-8555-555555555555', '" ROUND
        "', 0, 1, 'drill/01', '?', '', 0, 0, 0, NULL, '{}', NULL)",
        (long long)bench->clock.now_ms, (long long)bench->clock.now_ms,
        (long long)bench->clock.now_ms, (long long)bench->clock.now_ms,
        (long long)bench->clock.now_ms, (long long)(bench->clock.now_ms + 30 * MINUTE),
        drill_sitting, (long long)bench->clock.now_ms, (long long)(bench->clock.now_ms + MINUTE));
    if (database_execute(bench->progress->database, sql, &err)) fail_msg("%s", err.message);
    free(sql);
    put(bench, DRAFT, "MARKER-draft\n");
    put(bench, STORY, "# MARKER-story\n");
    put(bench, "stories/.01.swp", "not ours\n");
}

static void live(struct bench *bench)
{
    static const char binary[] = "/* MARKER-source */ \0\x01\xff\xfe";
    static char sitting[ID_SIZE];
    int hints;
    assert_int_equal(settings_set(bench->progress, "language", "es", NULL), STATUS_OK);
    assert_int_equal(settings_set(bench->progress, "editor", "vi \"ñ\"", NULL), STATUS_OK);

    memcpy(sitting, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    bench->clock.now_ms += MINUTE;
    assert_int_equal(sitting_pause(bench->progress, sitting, NULL), STATUS_OK);
    bench->clock.now_ms += HOUR;
    assert_int_equal(sitting_resume(bench->progress, sitting, NULL), STATUS_OK);
    assert_int_equal(sitting_hint(bench->progress, sitting, &hints, NULL), STATUS_OK);
    submit_source(bench, sitting, binary, sizeof binary - 1, ATTEMPT_FAIL);
    bench->clock.now_ms += MINUTE;
    submit_source(bench, sitting, "", 0, ATTEMPT_PASS);
    bench->clock.now_ms += 3 * DAY;
    memcpy(sitting, bench_sit(bench, "01", true, 1.25), ID_SIZE);
    submit_source(bench, sitting, "int main;", 9, ATTEMPT_PASS);
    assert_int_equal(rating_lower(bench->progress, sitting, RATING_HARD, NULL), STATUS_OK);
    memcpy(sitting, bench_sit(bench, "02", false, 0.5), ID_SIZE); /* a rehearsal */
    submit_source(bench, sitting, "x", 1, ATTEMPT_ERROR);
    assert_int_equal(sitting_give_up(bench->progress, sitting, NULL), STATUS_OK);
    sit_a_loop(bench, bench_sit(bench, "03", false, 1.0)); /* both running */
}

/* Every row of every table as text; the grader that owns an attempt is left out. */
static char *dump_rows(struct bench *bench)
{
    static const char *const selects[] = {
        "SELECT name, value FROM setting ORDER BY 1",
        "SELECT id, drill, lane, mode, exam, path, seed, time_factor, minutes, started_ms,"
        " deadline_ms, paused_ms, pauses, hints, state, ended_ms FROM sitting ORDER BY 1",
        "SELECT id, sitting, drill, lane, mode, exam, kind, counts, rehearsal, overtime, seed,"
        " submitted_ms, elapsed_ms, state, verdict, diagnosis, source_size, hex(source), result"
        " FROM attempt ORDER BY 1",
        "SELECT id, item, sitting, reviewed_ms, day, rating, derived, algo, weights, elapsed_days,"
        " quote(stability_before), quote(difficulty_before), quote(stability_after),"
        " quote(difficulty_after) FROM review ORDER BY 1",
        "SELECT * FROM packet ORDER BY 1",
        "SELECT * FROM round ORDER BY 1",
        "SELECT * FROM step ORDER BY 1, 2",
        "SELECT * FROM answer ORDER BY 1"};
    static const int columns[] = {2, 16, 19, 14, 11, 14, 11, 13};
    struct text out = {0};
    for (int s = 0; s < 8; s++) {
        struct query query;
        query_open(&query, bench->progress->database, selects[s]);
        while (query_row(&query)) {
            for (int c = 0; c < columns[s]; c++) {
                const char *value = query_text(&query, c);
                text_format(&out, "%s|", value ? value : "NULL");
            }
            text_add(&out, "\n");
        }
        assert_int_equal(query_done(&query, NULL), STATUS_OK);
    }
    return text_take(&out);
}

/* The same, and the files. */
static char *dump(struct bench *bench)
{
    static const char *const names[] = {DRAFT, STORY};
    struct text out = {0};
    char *rows = dump_rows(bench);
    text_add(&out, rows);
    free(rows);
    for (size_t i = 0; i < 2; i++) {
        char *path = path_join(bench->folder, names[i]);
        if (file_exists(path)) assert_int_equal(file_read(&out, path, 1000, NULL), STATUS_OK);
        free(path);
    }
    return text_take(&out);
}

static char *path_of(struct bench *bench, const char *name)
{
    return path_join(bench->folder, name);
}

static char *exported(struct bench *bench)
{
    struct error err = {0};
    char *path = path_of(bench, "all.tar.gz");
    unlink(path);
    if (archive_export(bench->progress, path, NULL, &err)) fail_msg("%s", err.message);
    return path;
}

static void forget_all(struct bench *bench)
{
    struct error err = {0};
    if (archive_forget(bench->progress, NULL, NULL, &err)) fail_msg("%s", err.message);
}

/* ---- archives of the test's own ---- */

struct file {
    char *name;
    struct text bytes;
    int type; /* AE_IFREG, ... */
    const char *link;
};

struct files {
    struct file list[64];
    int n;
};

static struct file *files_add(struct files *files, const char *name, const void *bytes, size_t size)
{
    CHECK(files->n < 64);
    struct file *file = &files->list[files->n++];
    *file = (struct file){.name = text_copy(name), .type = AE_IFREG};
    text_add_bytes(&file->bytes, bytes, size);
    return file;
}

static struct file *files_find(struct files *files, const char *ending)
{
    for (int i = 0; i < files->n; i++)
        if (text_ends_with(files->list[i].name, ending)) return &files->list[i];
    fail_msg("no %s", ending);
    return NULL;
}

static void files_done(struct files *files)
{
    for (int i = 0; i < files->n; i++) {
        free(files->list[i].name);
        text_done(&files->list[i].bytes);
    }
    files->n = 0;
}

static void files_read(struct files *files, const char *path)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    files->n = 0;
    archive_read_support_filter_gzip(archive);
    archive_read_support_format_tar(archive);
    assert_int_equal(archive_read_open_filename(archive, path, 10240), ARCHIVE_OK);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        const size_t size = (size_t)archive_entry_size(entry);
        char *bytes = memory_new(size + 1, 1);
        assert_int_equal(archive_read_data(archive, bytes, size), size);
        files_add(files, archive_entry_pathname(entry), bytes, size);
        assert_int_equal(archive_entry_perm(entry), 0600);
        free(bytes);
    }
    archive_read_free(archive);
}

/* Replace the first `from` of the file that ends so; true when it was there. */
static bool edit(struct files *files, const char *ending, const char *from, const char *to)
{
    struct file *file = files_find(files, ending);
    char *at = strstr(file->bytes.data, from);
    if (!at) return false;
    struct text edited = {0};
    text_add_bytes(&edited, file->bytes.data, (size_t)(at - file->bytes.data));
    text_add(&edited, to);
    text_add(&edited, at + strlen(from));
    text_done(&file->bytes);
    file->bytes = edited;
    return true;
}

/* The manifest's sizes and sums again, as a forger would. */
static void files_seal(struct files *files)
{
    json_t *manifest, *list = json_object();
    struct file *file = files_find(files, "manifest.json");
    assert_int_equal(json_parse(&manifest, file->bytes.data, file->bytes.size, NULL), STATUS_OK);
    for (int i = 0; i < files->n; i++) {
        const struct file *each = &files->list[i];
        char hash[17];
        if (each == file || each->type != AE_IFREG) continue;
        snprintf(hash, sizeof hash, "%016llx",
                 (unsigned long long)XXH64(each->bytes.data, each->bytes.size, 0));
        json_object_set_new(
            list, each->name,
            json_pack("{s:I, s:s}", "size", (json_int_t)each->bytes.size, "xxh64", hash));
    }
    json_object_set_new(manifest, "files", list);
    char *line = json_line(manifest);
    text_clear(&file->bytes);
    text_add(&file->bytes, line);
    free(line);
    json_decref(manifest);
}

static void files_write(const struct files *files, const char *path, bool compressed)
{
    struct archive *archive = archive_write_new();
    archive_write_set_format_pax_restricted(archive);
    if (compressed) archive_write_add_filter_gzip(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (int i = 0; i < files->n; i++) {
        const struct file *file = &files->list[i];
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, file->name);
        archive_entry_set_filetype(entry, (unsigned)file->type);
        archive_entry_set_perm(entry, 0600);
        if (file->type == AE_IFLNK) archive_entry_set_symlink(entry, file->link);
        else if (file->link) archive_entry_set_hardlink(entry, file->link);
        const bool has_bytes = file->type == AE_IFREG && !file->link;
        archive_entry_set_size(entry, has_bytes ? (int64_t)file->bytes.size : 0);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        if (has_bytes && file->bytes.size)
            (void)!archive_write_data(archive, file->bytes.data, file->bytes.size);
        archive_entry_free(entry);
    }
    archive_write_free(archive);
}

/* The header of `name` in a plain tar claims another size than the one that follows. */
static void lie_about_size(const char *path, const char *name, int64_t declared)
{
    struct text tar = {0};
    assert_int_equal(file_read(&tar, path, 1 << 30, NULL), STATUS_OK);
    bool found = false;
    for (size_t at = 0; at + 512 <= tar.size && !found; at += 512) {
        char *header = tar.data + at;
        found = strcmp(header, name) == 0 && memcmp(header + 257, "ustar", 5) == 0;
        if (!found) continue;
        unsigned sum = 0;
        char octal[24];
        snprintf(octal, sizeof octal, "%011llo", (unsigned long long)declared);
        memcpy(header + 124, octal, 12);
        memset(header + 148, ' ', 8);
        for (int i = 0; i < 512; i++) sum += (unsigned char)header[i];
        snprintf(header + 148, 8, "%06o", sum);
    }
    assert_true(found);
    assert_int_equal(file_write(path, tar.data, tar.size, 0600, NULL), STATUS_OK);
    text_done(&tar);
}

static int total(const struct archive_counts *counts)
{
    return counts->sittings + counts->attempts + counts->reviews + counts->settings +
           counts->packets + counts->rounds + counts->steps + counts->answers + counts->stories +
           counts->drafts;
}

/* Import must fail with `status`, words in its message, and leave the database as it was. */
static void refused(struct bench *bench, const char *path, enum status status, const char *words)
{
    struct error err = {0};
    struct archive_counts added;
    char *before = dump(bench);
    const enum status got = archive_import(bench->progress, path, &added, &err);
    if (got != status || (words && !strstr(err.message, words)))
        fail_msg("status %d, wanted %d with '%s': %s", got, status, words ? words : "",
                 err.message);
    assert_int_equal(err.status, status);
    assert_int_equal(total(&added), 0);
    char *after = dump(bench);
    assert_string_equal(before, after);
    assert_false(database_in_transaction(bench->progress->database));
    free(before);
    free(after);
}

/* ---- round trips ---- */

static void export_forget_import_gives_everything_back(void **state)
{
    struct bench *bench = *state;
    struct archive_counts counts;
    struct error err = {0};
    live(bench);
    char *before = dump(bench);
    char *path = exported(bench);
    assert_int_equal(scratch_mode(path), 0600);
    forget_all(bench);
    char *empty = dump(bench);
    assert_string_equal(empty, "");

    if (archive_import(bench->progress, path, &counts, &err)) fail_msg("%s", err.message);
    assert_int_equal(counts.sittings, 4);
    assert_int_equal(counts.attempts, 4);
    assert_int_equal(counts.reviews, 2);
    assert_int_equal(counts.settings, 2);
    assert_int_equal(counts.packets, 1);
    assert_int_equal(counts.rounds, 2);
    assert_int_equal(counts.steps, 2);
    assert_int_equal(counts.answers, 2);
    assert_int_equal(counts.stories, 1);
    assert_int_equal(counts.drafts, 1);
    char *after = dump(bench);
    assert_string_equal(after, before);
    assert_int_equal(review_verify(bench->progress, &err), STATUS_OK);

    /* a second time there is nothing to add */
    assert_int_equal(archive_import(bench->progress, path, &counts, &err), STATUS_OK);
    assert_int_equal(total(&counts), 0);
    char *again = dump(bench);
    assert_string_equal(again, before);
    free(again);
    free(after);
    free(empty);
    free(before);
    free(path);
}

static void an_empty_history_travels_too(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    char *path = exported(bench);
    if (archive_import(bench->progress, path, NULL, &err)) fail_msg("%s", err.message);
    free(path);
}

static void the_archive_holds_what_it_says(void **state)
{
    struct bench *bench = *state;
    struct files files;
    live(bench);
    char *path = exported(bench);
    files_read(&files, path);
    assert_int_equal(files.n, 9 + 4 + 4 + 2);
    json_t *manifest;
    const struct file *file = files_find(&files, "manifest.json");
    assert_int_equal(json_parse(&manifest, file->bytes.data, file->bytes.size, NULL), STATUS_OK);
    assert_string_equal(json_string_value(json_object_get(manifest, "format")), "lynx-cortex-data");
    assert_int_equal(json_integer_value(json_object_get(manifest, "schema")), progress_schema());
    assert_string_equal(json_string_value(json_object_get(manifest, "application")),
                        progress_version());
    assert_int_equal(json_object_size(json_object_get(manifest, "files")), 18);
    json_decref(manifest);
    (void)files_find(&files, "/solution.c");
    assert_string_equal(files_find(&files, "/result.json")->bytes.data,
                        "{\"secret\":\"MARKER-result\",\"x\":1.5}");
    assert_string_equal(files_find(&files, "settings.json")->bytes.data,
                        "{\"editor\":\"vi \\\"ñ\\\"\",\"language\":\"es\"}");
    files_done(&files);
    free(path);
}

static void tar_without_gzip_and_with_folders_is_read(void **state)
{
    struct bench *bench = *state;
    struct files files;
    struct error err = {0};
    live(bench);
    char *before = dump(bench);
    char *path = exported(bench), *plain = path_of(bench, "plain.tar");
    files_read(&files, path);
    char *dotted = text_printf("./%s", files.list[3].name); /* as `tar c .` writes it */
    free(files.list[3].name);
    files.list[3].name = dotted;
    files_add(&files, "attempts/", "", 0)->type = AE_IFDIR;
    files_add(&files, "./", "", 0)->type = AE_IFDIR;
    files_write(&files, plain, false);
    forget_all(bench);
    if (archive_import(bench->progress, plain, NULL, &err)) fail_msg("%s", err.message);
    char *after = dump(bench);
    assert_string_equal(after, before);
    free(after);
    free(before);
    files_done(&files);
    free(plain);
    free(path);
}

static void an_export_overwrites_nothing_and_leaves_nothing_half_done(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    live(bench);
    char *path = path_of(bench, "there.tar.gz"), *missing = path_of(bench, "no/such.tar.gz");
    assert_int_equal(file_write(path, "mine", 4, 0600, NULL), STATUS_OK);
    assert_int_equal(archive_export(bench->progress, path, NULL, &err), STATUS_CONFLICT);
    assert_true(scratch_holds(path, "mine"));
    assert_int_equal(archive_export(bench->progress, missing, NULL, &err), STATUS_IO);
    free(path);
    free(missing);
}

static int export_on_a_full_disk(void *context)
{
    struct bench *bench = context;
    struct progress *progress;
    struct error err = {0};
    if (progress_open(&progress, bench->folder, &bench->clock, NULL)) return 1;
    char *path = path_of(bench, "full.tar.gz");
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){300, 300})) return 2;
    if (archive_export(progress, path, NULL, &err) != STATUS_IO) return 3;
    if (!strstr(err.message, "full.tar.gz: not written")) return 4;
    return file_exists(path) ? 5 : 0;
}

static void a_full_disk_leaves_no_archive(void **state)
{
    struct bench *bench = *state;
    live(bench);
    assert_int_equal(scratch_run(export_on_a_full_disk, bench), 0);
    char *listing = text_printf("ls %s | grep -c full", bench->folder);
    assert_int_not_equal(system(listing), 0); /* nothing of that name, temporary or not */
    free(listing);
}

/* ---- merging ---- */

static void existing_rows_win_and_memory_is_replayed(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    struct archive_counts counts;
    char first[ID_SIZE];
    memcpy(first, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    char *running = exported(bench); /* while it runs */
    char *kept = path_of(bench, "running.tar.gz");
    assert_int_equal(rename(running, kept), 0);
    bench->clock.now_ms += 5 * MINUTE;
    bench_submit(bench, first, ATTEMPT_PASS);
    assert_int_equal(settings_set(bench->progress, "language", "en", NULL), STATUS_OK);
    char *passed = exported(bench);
    char *before = dump(bench);

    /* An older state of the same sitting changes nothing. */
    assert_int_equal(archive_import(bench->progress, kept, &counts, &err), STATUS_OK);
    assert_int_equal(counts.sittings, 0);
    char *after = dump(bench);
    assert_string_equal(after, before);

    /* Another machine went on from there: a later sitting, and its own language. */
    bench->clock.now_ms += 4 * DAY;
    char second[ID_SIZE];
    memcpy(second, bench_sit(bench, "01", false, 1.0), ID_SIZE);
    bench_submit(bench, second, ATTEMPT_PASS);
    assert_int_equal(settings_set(bench->progress, "language", "es", NULL), STATUS_OK);
    struct review_memory both, merged;
    assert_int_equal(review_memory(&both, bench->progress, "drill/01", 0.9, NULL), STATUS_OK);
    char *later = path_of(bench, "later.tar.gz");
    assert_int_equal(archive_export(bench->progress, later, NULL, &err), STATUS_OK);

    /* The later one is imported first, over the sitting as it was: the order does not matter. */
    forget_all(bench);
    assert_int_equal(archive_import(bench->progress, passed, &counts, &err), STATUS_OK);
    assert_int_equal(archive_import(bench->progress, later, &counts, &err), STATUS_OK);
    assert_int_equal(counts.sittings, 1);
    assert_int_equal(counts.settings, 0); /* language stays en */
    assert_int_equal(bench_ask(bench, "SELECT value = 'en' FROM setting"), 1);
    assert_int_equal(review_memory(&merged, bench->progress, "drill/01", 0.9, NULL), STATUS_OK);
    assert_memory_equal(&merged, &both, sizeof both);

    /* Still running here: rated when it ends here, not by the archive. */
    forget_all(bench);
    bench->clock.now_ms = NOON + MINUTE;
    assert_int_equal(archive_import(bench->progress, kept, &counts, &err), STATUS_OK);
    assert_int_equal(archive_import(bench->progress, passed, &counts, &err), STATUS_OK);
    assert_int_equal(counts.reviews, 0);
    assert_int_equal(bench_state(bench, first), SITTING_RUNNING);
    bench_submit(bench, first, ATTEMPT_PASS);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 1);
    free(later);
    free(after);
    free(before);
    free(passed);
    free(kept);
    free(running);
}

static void an_attempt_being_graded_travels_as_interrupted(void **state)
{
    struct bench *bench = *state;
    char id[ID_SIZE];
    memcpy(id, bench_begin(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_SUBMIT), ID_SIZE);
    char *path = exported(bench);
    forget_all(bench);
    assert_int_equal(archive_import(bench->progress, path, NULL, NULL), STATUS_OK);
    assert_int_equal(attempt_resume(bench->progress, id, NULL), STATUS_OK);
    bench_finish(bench, id, ATTEMPT_PASS);
    free(path);
}

/* A loop runs here: what ran there comes as abandoned, and its clock stands. */
static void what_runs_there_is_abandoned_when_another_runs_here(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    live(bench);
    char *path = exported(bench);
    forget_all(bench);
    assert_int_equal(
        database_execute(
            bench->progress->database,
            "INSERT INTO packet VALUES ('99999999-9999-4999-8999-999999999999',"
            " 'scientist', 1, 'c', 0, 1.0, 1, 'en', 5, 0, 'running');"
            "INSERT INTO round VALUES ('88888888-8888-4888-8888-888888888888', NULL, 0,"
            " 'ask', '', 0, 1.0, 1, 'c', 'en', 5, 5, 0, 'running')",
            NULL),
        STATUS_OK);
    if (archive_import(bench->progress, path, NULL, &err)) fail_msg("%s", err.message);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM packet WHERE state = 'running'"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM round WHERE state = 'running'"), 1);
    assert_int_equal(bench_ask(bench,
                               "SELECT count(*) FROM round WHERE packet = '" PACKET "' AND state ="
                               " 'abandoned' AND ended_ms > 0"),
                     2);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM step WHERE round = '" ROUND "' AND"
                                      " started_ms > 0 AND ended_ms = 0"),
                     0);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM answer"), 2);
    free(path);
}

/* The round is here in another state: its own steps, answers and draft stay. */
static void a_round_that_is_here_keeps_what_is_its_own(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    struct archive_counts counts;
    live(bench);
    char *path = exported(bench);
    assert_int_equal(database_execute(bench->progress->database,
                                      "DELETE FROM answer WHERE place = 1;"
                                      "DELETE FROM step WHERE place = 1",
                                      NULL),
                     STATUS_OK);
    put(bench, DRAFT, "written since\n");
    put(bench, STORY, "# told better since\n");
    char *before = dump(bench);
    if (archive_import(bench->progress, path, &counts, &err)) fail_msg("%s", err.message);
    char *after = dump(bench);
    assert_string_equal(after, before);
    assert_int_equal(total(&counts), 0);
    free(after);
    free(before);
    free(path);
}

/* As format version 1 wrote it: neither loops nor files. */
static void an_archive_of_the_first_format_is_still_read(void **state)
{
    static const char *const later[] = {"packets.jsonl", "rounds.jsonl", "steps.jsonl",
                                        "answers.jsonl", STORY,          DRAFT};
    struct bench *bench = *state;
    struct error err = {0};
    struct archive_counts counts;
    struct files files;
    live(bench);
    char *path = exported(bench), *old = path_of(bench, "old.tar.gz");
    files_read(&files, path);
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        struct file *file = files_find(&files, later[i]);
        free(file->name);
        text_done(&file->bytes);
        *file = files.list[--files.n];
    }
    assert_true(
        edit(&files, "manifest.json", "\"version\":2,\"schema\":2", "\"version\":1,\"schema\":1"));
    assert_true(edit(&files, "manifest.json",
                     ",\"packets\":1,\"rounds\":2,\"steps\":2,\"answers\":2,\"stories\":1,"
                     "\"drafts\":1",
                     ""));
    files_seal(&files);
    files_write(&files, old, true);
    forget_all(bench);
    if (archive_import(bench->progress, old, &counts, &err)) fail_msg("%s", err.message);
    assert_int_equal(counts.sittings, 4);
    assert_int_equal(counts.attempts, 4);
    assert_int_equal(total(&counts), 4 + 4 + 2 + 2);

    /* but not with files that it did not have yet */
    static const char *const strange[] = {"rounds.jsonl", STORY};
    for (size_t i = 0; i < 2; i++) {
        struct file *file = files_add(&files, strange[i], "", 0);
        files_seal(&files);
        files_write(&files, old, true);
        refused(bench, old, STATUS_FORMAT, i ? "stories" : "no place");
        free(file->name);
        text_done(&file->bytes);
        files.n--;
    }
    files_done(&files);
    free(old);
    free(path);
}

/* ---- what comes from outside ---- */

static void a_cut_archive_is_refused_at_every_length(void **state)
{
    struct bench *bench = *state;
    struct text bytes = {0};
    live(bench);
    char *path = exported(bench), *cut = path_of(bench, "cut.tar.gz");
    assert_int_equal(file_read(&bytes, path, 1 << 30, NULL), STATUS_OK);
    forget_all(bench);
    assert_true(bytes.size > 1000);
    for (size_t size = 0; size < bytes.size; size += 1 + size / 60) {
        assert_int_equal(file_write(cut, bytes.data, size, 0600, NULL), STATUS_OK);
        refused(bench, cut, STATUS_FORMAT, "cut.tar.gz");
    }
    for (size_t size = bytes.size - 12; size < bytes.size; size++) { /* within gzip's own tail */
        assert_int_equal(file_write(cut, bytes.data, size, 0600, NULL), STATUS_OK);
        refused(bench, cut, STATUS_FORMAT, "cut.tar.gz");
    }
    text_done(&bytes);
    free(cut);
    free(path);
}

static void a_flipped_byte_is_noticed_or_harmless(void **state)
{
    struct bench *bench = *state;
    struct text bytes = {0};
    struct rng rng;
    live(bench);
    char *before = dump(bench);
    char *path = exported(bench), *bad = path_of(bench, "bad.tar.gz");
    assert_int_equal(file_read(&bytes, path, 1 << 30, NULL), STATUS_OK);
    rng_init(&rng, 11, 0);
    forget_all(bench);
    int noticed = 0;
    for (int round = 0; round < 150; round++) {
        const size_t at = (size_t)rng_below(&rng, (int64_t)bytes.size);
        const char mask = (char)(1 << rng_below(&rng, 8));
        bytes.data[at] = (char)(bytes.data[at] ^ mask);
        assert_int_equal(file_write(bad, bytes.data, bytes.size, 0600, NULL), STATUS_OK);
        bytes.data[at] = (char)(bytes.data[at] ^ mask);
        struct error err = {0};
        if (archive_import(bench->progress, bad, NULL, &err)) {
            noticed++;
            continue;
        }
        char *after = dump(bench); /* a time stamp or a checksum nobody reads */
        assert_string_equal(after, before);
        free(after);
        forget_all(bench);
    }
    assert_true(noticed > 100);
    char *empty = dump(bench);
    assert_string_equal(empty, "");
    free(empty);
    text_done(&bytes);
    free(bad);
    free(path);
    free(before);
}

static void names_links_and_sizes_that_do_not_belong_are_refused(void **state)
{
    struct bench *bench = *state;
    live(bench);
    char *path = exported(bench), *bad = path_of(bench, "bad.tar.gz");
    char *secret = path_of(bench, "secret");
    assert_int_equal(file_write(secret, "s", 1, 0600, NULL), STATUS_OK);
    static const char id[] = "01234567-89ab-4def-8123-456789abcdef";
    const struct {
        const char *name;
        int type;
        const char *link;
        int64_t declared;
        enum status status;
        const char *words;
    } rows[] = {
        {"../escape", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"/etc/cron.d/x", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"attempts/../../x", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"attempts/ID/../result.json", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"attempts/ID/solution.sh", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"attempts/ID/result.json.x", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"attempts/short/result.json", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"notes.txt", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"", AE_IFREG, NULL, -1, STATUS_FORMAT, NULL},
        {"attempts/ID/solution.c", AE_IFLNK, "/etc/passwd", -1, STATUS_FORMAT, "no place"},
        {"attempts/ID/solution.c", AE_IFREG, "settings.json", -1, STATUS_FORMAT, "no place"},
        {"attempts", AE_IFLNK, "/etc", -1, STATUS_FORMAT, "no place"},
        {"attempts/..", AE_IFDIR, NULL, -1, STATUS_FORMAT, "no place"},
        {"../x", AE_IFDIR, NULL, -1, STATUS_FORMAT, "no place"},
        {"attempts/ID/solution.c", AE_IFIFO, NULL, -1, STATUS_FORMAT, "no place"},
        {"attempts/ID/solution.c", AE_IFCHR, NULL, -1, STATUS_FORMAT, "no place"},
        {"settings.json", AE_IFREG, NULL, -1, STATUS_FORMAT, "twice"},
        {"./settings.json", AE_IFREG, NULL, -1, STATUS_FORMAT, "twice"},
        {"attempts/ID/solution.c", AE_IFREG, NULL, -1, STATUS_FORMAT, "its manifest"},
        {"attempts/ID/solution.c", AE_IFREG, NULL, INT64_C(077777777777), STATUS_LIMIT,
         "larger than"},
        {"attempts/ID/result.json", AE_IFREG, NULL, (4 << 20) + 1, STATUS_LIMIT, "larger than"},
        {"stories/../x.md", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"stories/a/b.md", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"stories/.hidden.md", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"stories/x.sh", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"stories/a\nb.md", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"stories/x.md", AE_IFLNK, "/etc/passwd", -1, STATUS_FORMAT, "no place"},
        {"stories", AE_IFLNK, "/etc", -1, STATUS_FORMAT, "no place"},
        {"stories/x.md", AE_IFREG, NULL, (1 << 20) + 1, STATUS_LIMIT, "larger than"},
        {"drafts/x.md", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"drafts/ID-0-0.md.md", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"drafts/ID-0-0/x.md", AE_IFREG, NULL, -1, STATUS_FORMAT, "no place"},
        {"reviews.jsonl", AE_IFREG, NULL, INT64_C(077777777777), STATUS_LIMIT, "larger than"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files files;
        files_read(&files, path);
        char *name = text_copy(rows[i].name), *mark = strstr(name, "ID");
        if (mark) {
            char *full = text_printf("%.*s%s%s", (int)(mark - name), name, id, mark + 2);
            free(name);
            name = full;
        }
        struct file *file = files_add(&files, name, "{}", 2);
        file->type = rows[i].type;
        file->link = rows[i].link;
        files_write(&files, bad, false);
        if (rows[i].declared >= 0) lie_about_size(bad, name, rows[i].declared);
        refused(bench, bad, rows[i].status, rows[i].words);
        files_done(&files);
        free(name);
    }
    /* and nothing was written beside the database */
    assert_false(file_exists("/etc/cron.d/x"));
    assert_true(scratch_holds(secret, "s"));
    char *escape = path_of(bench, "../escape");
    assert_false(file_exists(escape));
    free(escape);
    free(secret);
    free(bad);
    free(path);
}

static void forged_rows_are_refused_with_their_line(void **state)
{
    struct bench *bench = *state;
    live(bench);
    char *path = exported(bench), *bad = path_of(bench, "bad.tar.gz");
    static const struct {
        const char *file, *from, *to, *words;
        enum status status;
    } rows[] = {
        {"sittings.jsonl", "\"lane\":\"c\"", "\"lane\":\"rust\"", "sittings.jsonl line 1", 0},
        {"sittings.jsonl", "\"drill\":\"01\"", "\"drill\":\"../1\"", "line 1", 0},
        {"sittings.jsonl", "\"drill\":\"01\"", "\"drill\":1", "drill: missing, or of the wrong", 0},
        {"sittings.jsonl", "\"drill\":\"01\"", "\"drill\":null", "drill: missing", 0},
        {"sittings.jsonl", "\"drill\":\"01\"", "\"dril\":\"01\"", "drill: missing", 0},
        {"sittings.jsonl", "\"drill\":\"01\"", "\"drill\":\"01\",\"extra\":1", "16 values", 0},
        {"sittings.jsonl", "\"drill\":\"01\"", "\"drill\":\"01\",\"drill\":\"02\"", "line 1", 0},
        {"sittings.jsonl", "\"drill\":\"01\"", "\"drill\":\"07\"", "another drill", 0},
        {"sittings.jsonl", "\"exam\":false", "\"exam\":0", "exam: missing", 0},
        {"sittings.jsonl", "\"hints\":1", "\"hints\":-1", "line 1", 0},
        {"sittings.jsonl", "\"hints\":1", "\"hints\":99999999999999999999", "line 1", 0},
        {"sittings.jsonl", "\"hints\":1", "\"hints\":1.5", "hints: missing", 0},
        {"sittings.jsonl", "\"minutes\":20", "\"minutes\":30", "does not add up", 0},
        {"sittings.jsonl", "\"pauses\":[[", "\"pauses\":[[9,8],[", "does not add up", 0},
        {"sittings.jsonl", "\"pauses\":[[", "\"pauses\":[{},[", "does not add up", 0},
        {"sittings.jsonl", "\"state\":\"passed\"", "\"state\":\"running\"", "line 1", 0},
        {"sittings.jsonl", "{", "\n{", "line 1", 0},
        {"sittings.jsonl", "{", "[]\n{", "line 1", 0},
        {"sittings.jsonl", "\"time_factor\":1.0", "\"time_factor\":1e400", "line 1", 0},
        {"attempts.jsonl", "\"verdict\":\"fail\"", "\"verdict\":\"maybe\"", "attempts.jsonl line",
         0},
        {"attempts.jsonl", "\"verdict\":\"fail\"", "\"verdict\":null", "do not go together", 0},
        {"attempts.jsonl", "\"state\":\"done\"", "\"state\":\"grading\"", "nobody is grading", 0},
        {"attempts.jsonl", "\"kind\":\"submit\"", "\"kind\":\"check\"", "attempts.jsonl line", 0},
        {"attempts.jsonl", "\"source_size\":", "\"source_size\":1", "attempts.jsonl line", 0},
        {"attempts.jsonl", "\"lane\":\"c\"", "\"lane\":\"numpy\"", "solution.py is missing", 0},
        {"attempts.jsonl", "\"sitting\":\"", "\"sitting\":\"f", NULL, 0},
        {"reviews.jsonl", "\"rating\":2", "\"rating\":5", "reviews.jsonl line", 0},
        {"reviews.jsonl", "\"algo\":\"fsrs-6\"", "\"algo\":\"sm-2\"", "reviews.jsonl line", 0},
        {"reviews.jsonl", "\"weights\":[0.", "\"weights\":[1e300,0.", "weights", 0},
        {"reviews.jsonl", "\"weights\":[", "\"weights\":[[[[", NULL, 0},
        {"reviews.jsonl", "\"item\":\"drill/01\"", "\"item\":\"drill/02\"", "another drill", 0},
        {"reviews.jsonl", "\"day\":", "\"day\":-", "reviews.jsonl line", 0},
        {"packets.jsonl", "\"track\":\"engineer\"", "\"track\":\"doctor\"", "packets.jsonl line 1",
         0},
        {"packets.jsonl", "\"state\":\"running\"", "\"state\":\"done\"", "packets.jsonl line 1", 0},
        {"rounds.jsonl", "\"language\":\"es\"", "\"language\":\"..\"", "rounds.jsonl line 1", 0},
        {"rounds.jsonl", "\"content\":\"question/01\"", "\"content\":\"$(x)\"", "line 1", 0},
        {"rounds.jsonl", "\"packet\":\"1", "\"packet\":\"2", "rounds.jsonl line", 0},
        {"rounds.jsonl", "\"state\":\"planned\"", "\"state\":\"done\"", "rounds.jsonl line", 0},
        {"steps.jsonl", "\"round\":\"2", "\"round\":\"9", "steps.jsonl line", 0},
        {"steps.jsonl", "\"place\":1", "\"place\":0", "twice", 0},
        {"steps.jsonl", "\"place\":1", "\"place\":32", "steps.jsonl line 2", 0},
        {"steps.jsonl", "\"kind\":\"words\"", "\"kind\":\"song\"", "steps.jsonl line 1", 0},
        {"steps.jsonl", "\"item\":\"drill/03\"", "\"item\":\"drill/04\"", "do not fit", 0},
        {"steps.jsonl", "\"item\":\"question/01\"", "\"item\":\"`x`\"", "steps.jsonl line 1", 0},
        {"steps.jsonl", "\"ended_ms\":0", "\"ended_ms\":-1", "steps.jsonl line 1", 0},
        {"steps.jsonl", "\"round\":\"22222222", "\"round\":\"33333333", "steps.jsonl line 1", 0},
        {"answers.jsonl", "\"score\":0.25", "\"score\":2.5", "answers.jsonl line 1", 0},
        {"answers.jsonl", "\"step\":0", "\"step\":7", "answers.jsonl line 1", 0},
        {"answers.jsonl", "\"place\":1", "\"place\":0", "answers.jsonl line 2", 0},
        {"answers.jsonl", "\"result\":\"{", "\"result\":\"{{", "result: ", 0},
        {"answers.jsonl", "\"result\":\"{}", "\"result\":\"[]", "result: ", 0},
        {"answers.jsonl", "\"confirmed\":\"{", "\"confirmed\":\"", "confirmed: ", 0},
        {"answers.jsonl", "\"overtime\":true", "\"overtime\":1", "overtime: missing", 0},
        {"manifest.json", "\"stories\":1", "\"stories\":2", "its manifest says 2", 0},
        {"manifest.json", "\"drafts\":1", "\"drafts\":0", "drafts, its manifest", 0},
        {"manifest.json", "\"answers\":2,", "", "not one of lynx-cortex", 0},
        {"manifest.json", "\"version\":2", "\"version\":1", "not one of lynx-cortex", 0},
        {"settings.json", "\"es\"", "\"de\"", "settings.json: language: 'de'", 0},
        {"settings.json", "\"es\"", "7", "settings.json", 0},
        {"settings.json", "\"language\"", "\"colour\"", "no such setting", 0},
        {"settings.json", "{", "[", "settings.json", 0},
        {"result.json", "{", "{{", "result.json", 0},
        {"manifest.json", "\"attempts\":4", "\"attempts\":3", "4 lines, its manifest says 3", 0},
        {"manifest.json", "lynx-cortex-data", "other-data", "not one of lynx-cortex", 0},
        {"manifest.json", "\"schema\":2", "\"schema\":\"2\"", "not one of lynx-cortex", 0},
        {"manifest.json", "\"schema\":2", "\"schema\":0", "not one of lynx-cortex", 0},
        {"manifest.json", "\"schema\":2", "\"schema\":99", "schema 99, this one knows 2",
         STATUS_UNAVAILABLE},
        {"manifest.json", "\"version\":2", "\"version\":3", "newer lcx", STATUS_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct files files;
        files_read(&files, path);
        if (!edit(&files, rows[i].file, rows[i].from, rows[i].to))
            fail_msg("row %zu: nothing to edit", i);
        files_seal(&files);
        files_write(&files, bad, true);
        /* into a database without them, where they would be added */
        struct bench other = {.folder = path_of(bench, "other"), .clock = bench->clock};
        bench_open(&other);
        refused(&other, bad, rows[i].status ? rows[i].status : STATUS_FORMAT, rows[i].words);
        progress_close(other.progress);
        free(other.folder);
        files_done(&files);
    }

    /* unsealed, the manifest notices by itself; so do a lost and a doubled line */
    struct files files;
    files_read(&files, path);
    assert_true(edit(&files, "sittings.jsonl", "\"hints\":1", "\"hints\":2"));
    files_write(&files, bad, true);
    refused(bench, bad, STATUS_FORMAT, "sittings.jsonl is not what its manifest says");
    files_done(&files);

    files_read(&files, path);
    struct file *file = files_find(&files, "reviews.jsonl");
    char *line = strndup(file->bytes.data, strcspn(file->bytes.data, "\n") + 1);
    text_add(&file->bytes, line);
    free(line);
    assert_true(edit(&files, "manifest.json", "\"reviews\":2", "\"reviews\":3"));
    files_seal(&files);
    files_write(&files, bad, true);
    refused(bench, bad, STATUS_FORMAT, "twice");
    files_done(&files);

    files_read(&files, path);
    file = files_find(&files, "/solution.c");
    files.n--; /* the manifest is last: take another instead */
    struct file last = files.list[files.n];
    free(file->name);
    text_done(&file->bytes);
    *file = last;
    files_seal(&files);
    files_write(&files, bad, true);
    refused(bench, bad, STATUS_FORMAT, "missing");
    files_done(&files);
    free(bad);
    free(path);
}

static void what_is_no_archive_is_said(void **state)
{
    struct bench *bench = *state;
    char *path = path_of(bench, "x"), *missing = path_of(bench, "nothing");
    assert_int_equal(file_write(path, "", 0, 0600, NULL), STATUS_OK);
    refused(bench, path, STATUS_FORMAT, NULL);
    assert_int_equal(file_write(path, "hello, this is a letter\n", 24, 0600, NULL), STATUS_OK);
    refused(bench, path, STATUS_FORMAT, NULL);
    refused(bench, missing, STATUS_NOT_FOUND, "No such file");
    refused(bench, bench->folder, STATUS_FORMAT, NULL);
    refused(bench, "/dev/null", STATUS_FORMAT, NULL);
    free(missing);
    free(path);
}

static void a_small_file_that_unpacks_to_gigabytes_is_refused(void **state)
{
    struct bench *bench = *state;
    /* gzip members one after another are one stream: 64 MiB of zeros, 21 times */
    enum { MEMBER = 64 << 20, TIMES = 21 };
    char *member = path_of(bench, "member.gz"), *bomb = path_of(bench, "bomb.tar.gz");
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    char *zeros = memory_new(1 << 20, 1);
    archive_write_set_format_raw(archive);
    archive_write_add_filter_gzip(archive);
    archive_write_set_filter_option(archive, "gzip", "compression-level", "1");
    assert_int_equal(archive_write_open_filename(archive, member), ARCHIVE_OK);
    archive_entry_set_pathname(entry, "zeros");
    archive_entry_set_filetype(entry, AE_IFREG);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    for (int i = 0; i < MEMBER >> 20; i++)
        assert_int_equal(archive_write_data(archive, zeros, 1 << 20), 1 << 20);
    archive_entry_free(entry);
    archive_write_free(archive);
    free(zeros);

    struct text one = {0}, all = {0};
    assert_int_equal(file_read(&one, member, 1 << 30, NULL), STATUS_OK);
    for (int i = 0; i < TIMES; i++) text_add_bytes(&all, one.data, one.size);
    assert_true(all.size < 16 << 20);
    assert_int_equal(file_write(bomb, all.data, all.size, 0600, NULL), STATUS_OK);
    refused(bench, bomb, STATUS_LIMIT, "1073741824");
    text_done(&one);
    text_done(&all);
    free(member);
    free(bomb);
}

struct victim {
    struct bench *bench;
    const char *path;
};

static int import_it(void *context)
{
    struct victim *victim = context;
    struct progress *progress;
    if (progress_open(&progress, victim->bench->folder, &victim->bench->clock, NULL)) return 1;
    return archive_import(progress, victim->path, NULL, NULL);
}

static void kill_9_during_an_import_is_all_or_nothing(void **state)
{
    struct bench *bench = *state;
    struct rng rng;
    const uint64_t seed = random_seed();
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed, 0);
    live(bench);
    for (int i = 0; i < 200; i++) { /* long enough to be caught in the middle */
        char id[ID_SIZE];
        const struct attempt_start start = {.drill = "01",
                                            .lane = "numpy",
                                            .mode = "bugs",
                                            .kind = ATTEMPT_CHECK,
                                            .seed = i,
                                            .source = "x = 1\n",
                                            .source_size = 6};
        assert_int_equal(attempt_begin(id, bench->progress, &start, NULL), STATUS_OK);
        bench_finish(bench, id, ATTEMPT_PASS);
    }
    char *before = dump_rows(bench), *all = dump(bench), *path = exported(bench);
    struct victim victim = {bench, path};
    int none = 0, whole = 0;
    forget_all(bench);
    const int64_t began = clock_steady_ns();
    assert_int_equal(scratch_run(import_it, &victim), 0);
    const int64_t takes_us = (clock_steady_ns() - began) / 1000;
    for (int round = 0; round < 15; round++) {
        forget_all(bench);
        progress_close(bench->progress);
        scratch_run_and_kill(import_it, &victim, rng_between(&rng, 0, takes_us + takes_us / 2));
        bench_open(bench);
        char *after = dump_rows(bench);
        none += !*after;
        whole += strcmp(after, before) == 0;
        free(after);
        /* files may stand there before their rows: once more, and all of it is there */
        assert_int_equal(archive_import(bench->progress, path, NULL, NULL), STATUS_OK);
        after = dump(bench);
        assert_string_equal(after, all);
        free(after);
    }
    print_message("%d times nothing, %d times everything\n", none, whole);
    assert_int_equal(none + whole, 15);
    free(all);
    free(path);
    free(before);
}

/* ---- forgetting ---- */

static bool any_file_holds(struct bench *bench, const char *needle)
{
    char *command = text_printf("grep -raqF -- '%s' '%s'", needle, bench->folder);
    const int found = system(command);
    free(command);
    return found == 0;
}

static void what_is_forgotten_is_gone_from_every_file(void **state)
{
    struct bench *bench = *state;
    struct archive_counts removed;
    struct error err = {0};
    live(bench);
    char *copy = text_printf("%s.before-1", database_path(bench->progress->database));
    assert_int_equal(database_copy(bench->progress->database, copy, &err), STATUS_OK);
    assert_true(any_file_holds(bench, "MARKER-source"));
    assert_true(any_file_holds(bench, "MARKER-result"));
    assert_true(any_file_holds(bench, "MARKER-answer"));
    assert_true(any_file_holds(bench, "/home/x/attention.c"));

    assert_int_equal(archive_forget(bench->progress, NULL, &removed, &err), STATUS_OK);
    assert_int_equal(removed.sittings, 4);
    assert_int_equal(removed.attempts, 4);
    assert_int_equal(removed.reviews, 2);
    assert_int_equal(removed.settings, 2);
    assert_int_equal(removed.packets, 1);
    assert_int_equal(removed.rounds, 2);
    assert_int_equal(removed.answers, 2);
    assert_int_equal(removed.stories, 1);
    assert_int_equal(removed.drafts, 1);
    assert_false(any_file_holds(bench, "MARKER"));
    assert_false(any_file_holds(bench, "/home/x/attention.c"));
    assert_false(file_exists(copy));
    bench_reopen(bench); /* and it works on */
    bench_submit(bench, bench_sit(bench, "01", false, 1.0), ATTEMPT_PASS);
    free(copy);
}

static void one_drill_can_be_forgotten_alone(void **state)
{
    struct bench *bench = *state;
    struct archive_counts removed;
    struct error err = {0};
    live(bench);
    bench_submit(bench, bench_sit(bench, "04", false, 1.0), ATTEMPT_PASS);
    assert_int_equal(archive_forget(bench->progress, "01", &removed, &err), STATUS_OK);
    assert_int_equal(removed.sittings, 2);
    assert_int_equal(removed.attempts, 3);
    assert_int_equal(removed.reviews, 2);
    assert_int_equal(removed.settings, 0);
    assert_false(any_file_holds(bench, "MARKER-source"));
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM sitting"), 3);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM review"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM setting"), 2);
    assert_int_equal(removed.answers, 1); /* the one about that drill */
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM answer"), 1);
    assert_int_equal(bench_ask(bench, "SELECT count(*) FROM step"), 2);
    assert_true(any_file_holds(bench, "MARKER-story"));
    assert_int_equal(archive_forget(bench->progress, "x y", &removed, &err), STATUS_USAGE);
}

int main(void)
{
    bench_main();
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(export_forget_import_gives_everything_back),
        TEST(an_empty_history_travels_too),
        TEST(the_archive_holds_what_it_says),
        TEST(tar_without_gzip_and_with_folders_is_read),
        TEST(an_export_overwrites_nothing_and_leaves_nothing_half_done),
        TEST(a_full_disk_leaves_no_archive),
        TEST(existing_rows_win_and_memory_is_replayed),
        TEST(an_attempt_being_graded_travels_as_interrupted),
        TEST(what_runs_there_is_abandoned_when_another_runs_here),
        TEST(a_round_that_is_here_keeps_what_is_its_own),
        TEST(an_archive_of_the_first_format_is_still_read),
        TEST(a_cut_archive_is_refused_at_every_length),
        TEST(a_flipped_byte_is_noticed_or_harmless),
        TEST(names_links_and_sizes_that_do_not_belong_are_refused),
        TEST(forged_rows_are_refused_with_their_line),
        TEST(what_is_no_archive_is_said),
        TEST(a_small_file_that_unpacks_to_gigabytes_is_refused),
        TEST(kill_9_during_an_import_is_all_or_nothing),
        TEST(what_is_forgotten_is_gone_from_every_file),
        TEST(one_drill_can_be_forgotten_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
