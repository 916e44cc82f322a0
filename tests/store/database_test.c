#include "store/database.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/locale.h"
#include "base/rng.h"
#include "scratch.h"
#include "store/query.h"

/* Three schemas of an invented program: parts; parts with a price; prices in a table of their own,
 * whose migration copies enough rows to be caught in the middle. */
static const char *const steps[] = {
    "CREATE TABLE part (id INTEGER PRIMARY KEY, name TEXT NOT NULL, bytes BLOB) STRICT;"
    "CREATE TABLE pair (id INTEGER PRIMARY KEY, other INTEGER NOT NULL REFERENCES part (id)) STRICT",
    "ALTER TABLE part ADD COLUMN price INTEGER NOT NULL DEFAULT 7",
    "CREATE TABLE price (part INTEGER NOT NULL REFERENCES part (id), price INTEGER NOT NULL) STRICT;"
    "INSERT INTO price SELECT id, price FROM part;"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    " INSERT INTO price SELECT (SELECT min(id) FROM part), i FROM n, part WHERE part.id = 1;"
    "ALTER TABLE part DROP COLUMN price",
};

static struct database_schema schema_at(int version)
{
    return (struct database_schema){.program = "parts",
                                    .program_version = version == 1   ? "0.1.0"
                                                       : version == 2 ? "0.2.0"
                                                                      : "0.9.5",
                                    .folder_variable = "PARTS_HOME",
                                    .application_id = 0x50415254,
                                    .migrations = steps,
                                    .n_migrations = version};
}

struct place {
    char *folder, *path;
};

static int set_up(void **state)
{
    struct place *place = memory_new(1, sizeof *place);
    place->folder = scratch_folder();
    place->path = text_printf("%s/data/parts.db", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    scratch_remove(place->folder);
    free(place->path);
    free(place);
    return 0;
}

static struct database *open_at(const char *path, int version)
{
    struct error err = {0};
    struct database *database;
    const struct database_schema schema = schema_at(version);
    if (database_open(&database, path, &schema, &err)) fail_msg("%s", err.message);
    return database;
}

static void run(struct database *database, const char *sql)
{
    struct error err = {0};
    if (database_execute(database, sql, &err)) fail_msg("%s: %s", sql, err.message);
}

static int64_t ask(struct database *database, const char *sql)
{
    struct error err = {0};
    struct query query;
    query_open(&query, database, sql);
    const int64_t answer = query_row(&query) ? query_int(&query, 0) : -1;
    if (query_done(&query, &err)) fail_msg("%s: %s", sql, err.message);
    return answer;
}

static void a_new_database_is_private_and_durable(void **state)
{
    struct place *place = *state;
    struct database *database = open_at(place->path, 1);
    struct query query;

    run(database, "INSERT INTO part (name) VALUES ('a')");
    char *folder = text_printf("%s/data", place->folder), *log = text_printf("%s-wal", place->path);
    assert_int_equal(scratch_mode(folder), 0700);
    assert_int_equal(scratch_mode(place->path), 0600);
    assert_int_equal(scratch_mode(log), 0600);
    free(folder);
    free(log);

    query_open(&query, database, "PRAGMA journal_mode");
    assert_true(query_row(&query));
    assert_string_equal(query_text(&query, 0), "wal");
    assert_int_equal(query_done(&query, NULL), STATUS_OK);
    assert_int_equal(ask(database, "PRAGMA synchronous"), 2);
    assert_int_equal(ask(database, "PRAGMA foreign_keys"), 1);
    database_close(database);

    /* opened to others by a restore, it is private again */
    assert_int_equal(chmod(place->path, 0644), 0);
    database = open_at(place->path, 1);
    assert_int_equal(scratch_mode(place->path), 0600);
    assert_int_equal(ask(database, "PRAGMA foreign_keys"), 1);
    assert_int_equal(ask(database, "PRAGMA synchronous"), 2);
    assert_int_equal(ask(database, "PRAGMA secure_delete"), 1);
    database_close(database);
}

static void what_is_bound_comes_back(void **state)
{
    struct place *place = *state;
    struct database *database = open_at(place->path, 1);
    struct query query;
    static const char bytes[] = {0, 1, 0, -1};
    size_t size;

    query_open(&query, database, "INSERT INTO part (id, name, bytes) VALUES (?1, ?2, ?3)");
    query_bind_int(&query, 1, INT64_MAX);
    query_bind_text(&query, 2, "'; DROP TABLE part; --");
    query_bind_bytes(&query, 3, bytes, sizeof bytes);
    assert_int_equal(query_run(&query, NULL), STATUS_OK);

    query_open(&query, database, "SELECT id, name, bytes, ?1, ?2, ?3 FROM part");
    query_bind_real(&query, 1, 0.1);
    query_bind_text(&query, 2, NULL);
    query_bind_null(&query, 3);
    assert_true(query_row(&query));
    assert_true(query_int(&query, 0) == INT64_MAX);
    assert_string_equal(query_text(&query, 1), "'; DROP TABLE part; --");
    assert_memory_equal(query_bytes(&query, 2, &size), bytes, sizeof bytes);
    assert_int_equal(size, sizeof bytes);
    assert_true(query_real(&query, 3) == 0.1);
    assert_true(query_is_null(&query, 4) && query_is_null(&query, 5) && !query_text(&query, 4));
    assert_false(query_row(&query));
    assert_int_equal(query_done(&query, NULL), STATUS_OK);

    /* one statement, many rows */
    query_open(&query, database, "INSERT INTO part (name) VALUES (?1)");
    (void)query_row(&query); /* name is NULL: refused, remembered */
    struct error err = {0};
    assert_int_equal(query_done(&query, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "NOT NULL"));
    query_open(&query, database, "INSERT INTO part (id, name) VALUES (?1, 'x')");
    for (int i = 0; i < 3; i++) {
        query_bind_int(&query, 1, i);
        assert_false(query_row(&query));
        query_reset(&query);
    }
    assert_int_equal(query_done(&query, NULL), STATUS_OK);
    assert_int_equal(ask(database, "SELECT count(*) FROM part WHERE name = 'x'"), 3);
    database_close(database);
}

static void a_failure_inside_a_query_is_told_at_its_end(void **state)
{
    struct place *place = *state;
    struct database *database = open_at(place->path, 1);
    struct query query;
    struct error err = {0};

    query_open(&query, database, "SELECT anything FROM nowhere");
    query_bind_int(&query, 1, 1);
    assert_false(query_row(&query));
    assert_int_equal(query_done(&query, &err), STATUS_IO);
    if (!strstr(err.message, "no such table")) fail_msg("%s", err.message);

    query_open(&query, database, "INSERT INTO pair (other) VALUES (99)");
    assert_int_equal(query_run(&query, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.message, "FOREIGN KEY"));
    database_close(database);
}

static void what_is_rolled_back_was_never_there(void **state)
{
    struct place *place = *state;
    struct database *database = open_at(place->path, 1);

    assert_int_equal(database_begin(database, NULL), STATUS_OK);
    run(database, "INSERT INTO part (name) VALUES ('kept')");
    assert_int_equal(database_end(database, STATUS_OK, NULL), STATUS_OK);
    assert_int_equal(database_begin(database, NULL), STATUS_OK);
    run(database, "INSERT INTO part (name) VALUES ('dropped')");
    assert_int_equal(database_end(database, STATUS_LIMIT, NULL), STATUS_LIMIT);
    assert_false(database_in_transaction(database));
    assert_int_equal(database_begin(database, NULL), STATUS_OK);
    run(database, "INSERT INTO part (name) VALUES ('dropped')");
    database_close(database); /* in the middle */

    database = open_at(place->path, 1);
    assert_int_equal(ask(database, "SELECT count(*) FROM part"), 1);
    database_close(database);
}

/* ---- migrations ---- */

static void every_older_schema_becomes_the_newest_and_is_copied_first(void **state)
{
    struct place *place = *state;
    for (int from = 1; from <= 2; from++) {
        char *path = text_printf("%s/from-%d/parts.db", place->folder, from);
        char *copy = text_printf("%s.before-3", path);
        struct database *database = open_at(path, from);
        run(database, "INSERT INTO part (name) VALUES ('a'), ('b')");
        database_close(database);

        database = open_at(path, 3);
        assert_int_equal(ask(database, "PRAGMA user_version"), 3);
        assert_int_equal(ask(database, "SELECT count(*) FROM part"), 2);
        assert_int_equal(ask(database, "SELECT count(*) FROM price WHERE price = 7"), 3);
        assert_int_equal(ask(database, "SELECT count(*) FROM schema_history"), 3);
        assert_int_equal(ask(database, "PRAGMA foreign_keys"), 1);
        struct database_facts facts;
        assert_int_equal(database_facts(database, &facts, NULL), STATUS_OK);
        assert_int_equal(facts.schema, 3);
        assert_int_equal(facts.n_copies, 1);
        assert_true(facts.copies_bytes > 0 && facts.size_bytes > 0);
        database_close(database);

        /* the copy is the old data, whole, private, and opens with the old program */
        assert_int_equal(scratch_mode(copy), 0600);
        database = open_at(copy, from);
        assert_int_equal(ask(database, "SELECT count(*) FROM part"), 2);
        assert_int_equal(database_verify(database, NULL), STATUS_OK);
        database_close(database);
        free(copy);
        free(path);
    }
}

static void a_new_database_needs_no_copy_and_the_three_newest_are_kept(void **state)
{
    struct place *place = *state;
    struct database_facts facts;
    struct database *database = open_at(place->path, 3);
    assert_int_equal(database_facts(database, &facts, NULL), STATUS_OK);
    assert_int_equal(facts.n_copies, 0);
    database_close(database);

    char *path = text_printf("%s/old/parts.db", place->folder);
    database_close(open_at(path, 1));
    const char *const names[] = {"before-1", "before-2", "before-10",
                                 "before-9", "before-x", "before-11.99.tmp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *copy = text_printf("%s.%s", path, names[i]);
        assert_int_equal(file_write(copy, "old", 3, 0600, NULL), STATUS_OK);
        free(copy);
    }
    database = open_at(path, 3);
    assert_int_equal(database_facts(database, &facts, NULL), STATUS_OK);
    assert_int_equal(facts.n_copies, 3); /* 10, 9 and the new 3; not a name that is not ours */
    const struct {
        const char *name;
        bool there;
    } expected[] = {{"before-10", true},        {"before-9", true},  {"before-3", true},
                    {"before-2", false},        {"before-1", false}, {"before-x", true},
                    {"before-11.99.tmp", false}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char *copy = text_printf("%s.%s", path, expected[i].name);
        assert_int_equal(file_exists(copy), expected[i].there);
        free(copy);
    }
    assert_int_equal(database_remove_copies(database, NULL), STATUS_OK);
    assert_int_equal(database_facts(database, &facts, NULL), STATUS_OK);
    assert_int_equal(facts.n_copies, 0);
    database_close(database);
    free(path);
}

static void a_failing_migration_changes_nothing(void **state)
{
    struct place *place = *state;
    static const char *const wrong[] = {
        NULL, "CREATE TABLE extra (x INTEGER); INSERT INTO part (name) VALUES ('half')",
        "CREATE TABLE part (again INTEGER)"};
    static const char *const dangling[] = {NULL, "INSERT INTO pair (other) VALUES (4711)"};
    struct database_schema schema = schema_at(3);
    struct database *database = open_at(place->path, 1);
    struct error err = {0};
    run(database, "INSERT INTO part (name) VALUES ('a')");
    database_close(database);

    schema.migrations = wrong;
    assert_int_equal(database_open(&database, place->path, &schema, &err), STATUS_IO);
    assert_null(database);
    assert_non_null(strstr(err.message, "schema 2 to 3"));
    schema.migrations = dangling;
    schema.n_migrations = 2;
    assert_int_equal(database_open(&database, place->path, &schema, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "pair"));

    database = open_at(place->path, 1);
    assert_int_equal(ask(database, "SELECT count(*) FROM part"), 1);
    assert_int_equal(ask(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0);
    database_close(database);
}

static void a_newer_schema_is_refused_with_the_version_needed(void **state)
{
    struct place *place = *state;
    const struct database_schema old = schema_at(1);
    struct database *database = open_at(place->path, 3);
    struct error err = {0};
    database_close(database);

    assert_int_equal(database_open(&database, place->path, &old, &err), STATUS_UNAVAILABLE);
    assert_non_null(strstr(err.message, "schema 3, this one knows 1"));
    assert_non_null(strstr(err.message, "install parts >= 0.9.5 or set PARTS_HOME"));
    database_close(open_at(place->path, 3)); /* untouched */
}

static void what_is_not_ours_is_left_alone(void **state)
{
    struct place *place = *state;
    const struct database_schema schema = schema_at(1);
    struct database_schema other = schema;
    struct database *database;
    struct error err = {0};
    struct text garbage = {0};
    for (int i = 0; i < 1000; i++) text_add(&garbage, "this is no database ");

    char *path = text_printf("%s/notes.txt", place->folder);
    assert_int_equal(file_write(path, garbage.data, garbage.size, 0600, NULL), STATUS_OK);
    assert_int_equal(database_open(&database, path, &schema, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "not a database"));
    assert_true(scratch_holds(path, "this is no database"));

    other.application_id = 1;
    assert_int_equal(database_open(&database, place->path, &other, &err), STATUS_OK);
    database_close(database);
    assert_int_equal(database_open(&database, place->path, &schema, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "another program"));

    /* a folder in its place */
    assert_int_equal(database_open(&database, place->folder, &schema, &err), STATUS_FORMAT);
    char *lock = text_printf("%s.lock", place->folder);
    unlink(lock);
    free(lock);
    free(path);
    text_done(&garbage);
}

/* ---- many processes ---- */

enum { WRITERS = 6, ROWS_EACH = 25 };

static int open_and_write(void *context)
{
    const struct database_schema schema = schema_at(3);
    struct database *database;
    struct error err = {0};
    if (database_open(&database, context, &schema, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (int i = 0; i < ROWS_EACH; i++) {
        struct query query;
        if (database_begin(database, &err)) return 2;
        query_open(&query, database, "INSERT INTO part (name) VALUES (?1)");
        query_bind_text(&query, 1, "from a child");
        enum status status = query_run(&query, &err);
        query_open(&query, database, "INSERT INTO pair (other) VALUES (last_insert_rowid())");
        if (!status) status = query_run(&query, &err);
        if (database_end(database, status, &err)) return 3;
    }
    database_close(database);
    return 0;
}

/* Start them all at once, from a database at `from` (0: none yet); all must succeed. */
static void race(const char *path, int from)
{
    pid_t pids[WRITERS];
    if (from) {
        struct database *database = open_at(path, from);
        run(database, "INSERT INTO part (name) VALUES ('first')");
        database_close(database);
    }
    fflush(NULL);
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) _exit(open_and_write((void *)path));
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    struct database *database = open_at(path, 3);
    assert_int_equal(ask(database, "SELECT count(*) FROM part"), WRITERS * ROWS_EACH + (from > 0));
    assert_int_equal(ask(database, "SELECT count(*) FROM pair"), WRITERS * ROWS_EACH);
    assert_int_equal(ask(database, "SELECT count(*) FROM schema_history"), 3);
    if (from) assert_int_equal(ask(database, "SELECT count(*) FROM price WHERE price = 7"), 2);
    assert_int_equal(database_verify(database, NULL), STATUS_OK);
    database_close(database);
}

static void processes_that_open_and_migrate_at_once_corrupt_nothing(void **state)
{
    struct place *place = *state;
    for (int from = 0; from <= 2; from++) {
        char *path = text_printf("%s/race-%d/parts.db", place->folder, from);
        race(path, from);
        free(path);
    }
}

struct victim {
    const char *path;
    volatile int64_t *acknowledged; /* shared memory: rows whose commit has returned */
};

static int write_until_killed(void *context)
{
    const struct victim *victim = context;
    const struct database_schema schema = schema_at(3);
    struct database *database;
    if (database_open(&database, victim->path, &schema, NULL)) return 1;
    for (;;) {
        if (database_begin(database, NULL)) return 2;
        if (database_execute(database,
                             "INSERT INTO part (name) VALUES ('row');"
                             "INSERT INTO pair (other) VALUES (last_insert_rowid())",
                             NULL))
            return 3;
        if (database_commit(database, NULL)) return 4;
        ++*victim->acknowledged;
    }
}

static void kill_9_at_any_moment_keeps_what_was_committed(void **state)
{
    struct place *place = *state;
    struct rng rng;
    const uint64_t seed = random_seed();
    volatile int64_t *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    print_message("seed %llu\n", (unsigned long long)seed);
    rng_init(&rng, seed, 0);

    for (int round = 0; round < 25; round++) {
        /* every round from schema 1, so that opening, copying and migrating are hit as well */
        char *path = text_printf("%s/kill-%d/parts.db", place->folder, round);
        struct database *database = open_at(path, 1);
        run(database, "INSERT INTO part (name) VALUES ('first')");
        database_close(database);

        struct victim victim = {path, shared};
        *shared = 0;
        scratch_run_and_kill(write_until_killed, &victim, rng_between(&rng, 0, 60000));

        database = open_at(path, 3);
        const int64_t parts = ask(database, "SELECT count(*) FROM part WHERE name = 'row'");
        assert_true(parts == *shared || parts == *shared + 1);
        assert_int_equal(ask(database, "SELECT count(*) FROM pair"), parts);
        assert_int_equal(ask(database, "SELECT count(*) FROM price WHERE price = 7"), 2);
        assert_int_equal(database_verify(database, NULL), STATUS_OK);
        database_close(database);
        char *half =
            text_printf("ls %s/kill-%d/*.tmp 2>/dev/null | grep -q .", place->folder, round);
        assert_int_not_equal(system(half), 0); /* no half copy is left */
        free(half);
        free(path);
    }
    munmap((void *)(uintptr_t)shared, sizeof *shared);
}

/* ---- the disk ---- */

static void a_full_disk_is_said_and_loses_nothing(void **state)
{
    struct place *place = *state;
    struct database *database = open_at(place->path, 1);
    struct error err = {0};
    run(database, "INSERT INTO part (name) VALUES ('kept')");
    run(database, "PRAGMA max_page_count = 8");

    assert_int_equal(database_begin(database, NULL), STATUS_OK);
    struct query query;
    query_open(&query, database,
               "INSERT INTO part (name, bytes) VALUES ('large', zeroblob(100000))");
    enum status status = query_run(&query, &err);
    assert_int_equal(status, STATUS_IO);
    assert_non_null(strstr(err.message, "disk is full"));
    assert_int_equal(database_end(database, status, &err), STATUS_IO);
    assert_false(database_in_transaction(database));

    run(database, "PRAGMA max_page_count = 100000");
    run(database, "INSERT INTO part (name) VALUES ('after')");
    assert_int_equal(ask(database, "SELECT count(*) FROM part"), 2);
    assert_int_equal(database_verify(database, NULL), STATUS_OK);
    database_close(database);
}

static int open_as_nobody(void *context)
{
    const char *const *paths = context;
    const struct database_schema schema = schema_at(1);
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 9;
    for (int i = 0; paths[i]; i++) {
        struct database *database;
        struct error err = {0};
        if (database_open(&database, paths[i], &schema, &err) != STATUS_IO) return 1;
        if (database || !strstr(err.message, paths[i])) return 2;
        if (!strstr(err.message, "ermission") && !strstr(err.message, "cannot be")) return 3;
    }
    return 0;
}

static void a_read_only_folder_is_said(void **state)
{
    struct place *place = *state;
    char *folder = text_printf("%s/data", place->folder);
    char *fresh = text_printf("%s/fresh.db", folder);
    database_close(open_at(place->path, 1));
    assert_int_equal(chmod(place->folder, 0755), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    const char *const paths[] = {place->path, fresh, NULL};
    assert_int_equal(scratch_run(open_as_nobody, (void *)(uintptr_t)paths), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    free(fresh);
    free(folder);
}

static void damage_is_found(void **state)
{
    struct place *place = *state;
    struct database *database = open_at(place->path, 1);
    struct error err = {0};
    for (int i = 0; i < 200; i++)
        run(database,
            "INSERT INTO part (name, bytes) VALUES ('a row of some length', zeroblob(200))");
    run(database, "CREATE INDEX by_name ON part (name)");
    assert_int_equal(database_verify(database, &err), STATUS_OK);
    assert_int_equal(database_compact(database, &err), STATUS_OK);
    database_close(database);

    struct text bytes = {0};
    assert_int_equal(file_read(&bytes, place->path, 1 << 30, NULL), STATUS_OK);
    memset(bytes.data + 5 * 4096 + 8, 0x5A, 2048);
    assert_int_equal(file_write(place->path, bytes.data, bytes.size, 0600, NULL), STATUS_OK);
    text_done(&bytes);
    database = open_at(place->path, 1);
    assert_int_equal(database_verify(database, &err), STATUS_FORMAT);
    assert_non_null(strstr(err.message, "damaged"));
    database_close(database);
}

static void compacting_leaves_no_deleted_bytes(void **state)
{
    struct place *place = *state;
    struct database *database = open_at(place->path, 1);
    char *log = text_printf("%s-wal", place->path);
    for (int i = 0; i < 50; i++)
        run(database, "INSERT INTO part (name, bytes) VALUES ('MARKER-to-forget',"
                      " CAST('MARKER-to-forget' || hex(zeroblob(3000)) AS BLOB))");
    assert_true(scratch_holds(log, "MARKER-to-forget"));
    run(database, "DELETE FROM part");
    assert_int_equal(database_compact(database, NULL), STATUS_OK);
    assert_false(scratch_holds(log, "MARKER-to-forget"));
    assert_false(scratch_holds(place->path, "MARKER-to-forget"));
    database_close(database);
    free(log);
}

int main(void)
{
    locale_init("en", "/nonexistent");
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_new_database_is_private_and_durable),
        TEST(what_is_bound_comes_back),
        TEST(a_failure_inside_a_query_is_told_at_its_end),
        TEST(what_is_rolled_back_was_never_there),
        TEST(every_older_schema_becomes_the_newest_and_is_copied_first),
        TEST(a_new_database_needs_no_copy_and_the_three_newest_are_kept),
        TEST(a_failing_migration_changes_nothing),
        TEST(a_newer_schema_is_refused_with_the_version_needed),
        TEST(what_is_not_ours_is_left_alone),
        TEST(processes_that_open_and_migrate_at_once_corrupt_nothing),
        TEST(kill_9_at_any_moment_keeps_what_was_committed),
        TEST(a_full_disk_is_said_and_loses_nothing),
        TEST(a_read_only_folder_is_said),
        TEST(damage_is_found),
        TEST(compacting_leaves_no_deleted_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
