#include "progress/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"
#include "progress/home.h"
#include "progress/progress_internal.h"
#include "store/query.h"

/* The tables say themselves what they accept, so that an archive is held to the same rules as we
 * are. A change is a new entry at the end; entries that were released never change. */
#define MOMENT "BETWEEN 0 AND 253402300799999" /* to the end of 9999 */
#define DRILL "CHECK (length(drill) BETWEEN 1 AND 15 AND drill NOT GLOB '*[^a-z0-9-]*')"
#define LANE "CHECK (lane IN ('c', 'numpy', 'torch'))"
#define MODE "CHECK (mode IN ('blank', 'bugs'))"
#define ID "CHECK (length(id) = 36 AND id NOT GLOB '*[^a-f0-9-]*')"
#define ITEM "CHECK (length(item) BETWEEN 1 AND 79 AND item NOT GLOB '*[^a-z0-9/.-]*')"

static const char *const migrations[] = {
    "CREATE TABLE setting ("
    " name TEXT PRIMARY KEY,"
    " value TEXT NOT NULL CHECK (length(value) BETWEEN 1 AND 4096)"
    ") STRICT;"

    "CREATE TABLE sitting ("
    " id TEXT PRIMARY KEY " ID ","
    " drill TEXT NOT NULL " DRILL ","
    " lane TEXT NOT NULL " LANE ","
    " mode TEXT NOT NULL " MODE ","
    " exam INTEGER NOT NULL CHECK (exam IN (0, 1)),"
    " path TEXT NOT NULL CHECK (length(path) BETWEEN 1 AND 4096),"
    " seed INTEGER NOT NULL CHECK (seed >= -1),"
    " time_factor REAL NOT NULL CHECK (time_factor BETWEEN 0.02 AND 3),"
    " minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 600),"
    " started_ms INTEGER NOT NULL CHECK (started_ms " MOMENT "),"
    " deadline_ms INTEGER NOT NULL CHECK (deadline_ms " MOMENT "),"
    " paused_ms INTEGER NOT NULL CHECK (paused_ms " MOMENT "),"
    " pauses TEXT NOT NULL,"
    " hints INTEGER NOT NULL CHECK (hints BETWEEN 0 AND 1000),"
    " state TEXT NOT NULL"
    "  CHECK (state IN ('running', 'passed', 'failed', 'given-up', 'expired')),"
    " ended_ms INTEGER NOT NULL CHECK (ended_ms " MOMENT "),"
    " CHECK ((state = 'running') = (ended_ms = 0)),"
    " CHECK (exam = 0 OR (paused_ms = 0 AND hints = 0 AND pauses = '[]'))"
    ") STRICT;"
    "CREATE INDEX sitting_of_drill ON sitting (drill, started_ms);"
    "CREATE INDEX sitting_open ON sitting (state) WHERE state = 'running';"

    "CREATE TABLE attempt ("
    " id TEXT PRIMARY KEY " ID ","
    " sitting TEXT REFERENCES sitting (id) ON DELETE CASCADE,"
    " drill TEXT NOT NULL " DRILL ","
    " lane TEXT NOT NULL " LANE ","
    " mode TEXT NOT NULL " MODE ","
    " exam INTEGER NOT NULL CHECK (exam IN (0, 1)),"
    " kind TEXT NOT NULL CHECK (kind IN ('check', 'submit', 'snapshot')),"
    " counts INTEGER NOT NULL CHECK (counts IN (0, 1)),"
    " rehearsal INTEGER NOT NULL CHECK (rehearsal IN (0, 1)),"
    " overtime INTEGER NOT NULL CHECK (overtime IN (0, 1)),"
    " seed INTEGER NOT NULL CHECK (seed >= -1),"
    " submitted_ms INTEGER NOT NULL CHECK (submitted_ms " MOMENT "),"
    " elapsed_ms INTEGER NOT NULL CHECK (elapsed_ms " MOMENT "),"
    " state TEXT NOT NULL CHECK (state IN ('grading', 'interrupted', 'done')),"
    " verdict TEXT CHECK (verdict IN ('pass', 'fail', 'limit', 'unavailable', 'error')),"
    " diagnosis TEXT CHECK (length(diagnosis) <= 1000),"
    " owner TEXT,"
    " source_size INTEGER NOT NULL CHECK (source_size BETWEEN 0 AND 1048576),"
    " source BLOB NOT NULL CHECK (length(source) = source_size),"
    " result TEXT CHECK (length(CAST(result AS BLOB)) <= 4194304),"
    " CHECK ((state = 'done') = (verdict IS NOT NULL)),"
    " CHECK ((verdict IS NULL) = (result IS NULL)),"
    " CHECK (counts = 0 OR (kind <> 'check' AND rehearsal = 0 AND sitting IS NOT NULL)),"
    " CHECK (counts = 0 OR exam = 0 OR overtime = 0)"
    ") STRICT;"
    "CREATE INDEX attempt_of_drill ON attempt (drill, submitted_ms);"
    "CREATE INDEX attempt_of_sitting ON attempt (sitting, submitted_ms);"
    "CREATE INDEX attempt_open ON attempt (state) WHERE state <> 'done';"

    "CREATE TABLE review ("
    " id TEXT PRIMARY KEY " ID ","
    " item TEXT NOT NULL CHECK (length(item) BETWEEN 1 AND 47 AND item NOT GLOB '*[^a-z0-9/-]*'),"
    " sitting TEXT UNIQUE REFERENCES sitting (id) ON DELETE CASCADE,"
    " reviewed_ms INTEGER NOT NULL CHECK (reviewed_ms " MOMENT "),"
    " day INTEGER NOT NULL CHECK (day BETWEEN 0 AND 2932896),"
    " rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND derived),"
    " derived INTEGER NOT NULL CHECK (derived BETWEEN 1 AND 4),"
    " algo TEXT NOT NULL CHECK (algo = 'fsrs-6'),"
    " weights TEXT NOT NULL,"
    " elapsed_days INTEGER CHECK (elapsed_days >= 0),"
    " stability_before REAL,"
    " difficulty_before REAL,"
    " stability_after REAL NOT NULL,"
    " difficulty_after REAL NOT NULL,"
    " CHECK ((elapsed_days IS NULL) = (stability_before IS NULL)),"
    " CHECK ((elapsed_days IS NULL) = (difficulty_before IS NULL))"
    ") STRICT;"
    "CREATE INDEX review_of_item ON review (item, reviewed_ms, id);",

    /* 2: rounds, alone or in a packet; their steps and answers (practice/rounds) */
    "CREATE TABLE packet ("
    " id TEXT PRIMARY KEY " ID ","
    " track TEXT NOT NULL CHECK (track IN ('engineer', 'scientist')),"
    " days INTEGER NOT NULL CHECK (days BETWEEN 1 AND 5),"
    " phone_lane TEXT NOT NULL CHECK (phone_lane IN ('c', 'numpy', 'torch')),"
    " exam INTEGER NOT NULL CHECK (exam IN (0, 1)),"
    " time_factor REAL NOT NULL CHECK (time_factor BETWEEN 0.02 AND 3),"
    " seed INTEGER NOT NULL CHECK (seed >= 0),"
    " language TEXT NOT NULL CHECK (language IN ('en', 'es')),"
    " started_ms INTEGER NOT NULL CHECK (started_ms " MOMENT "),"
    " ended_ms INTEGER NOT NULL CHECK (ended_ms " MOMENT "),"
    " state TEXT NOT NULL CHECK (state IN ('running', 'done', 'abandoned')),"
    " CHECK ((state = 'running') = (ended_ms = 0))"
    ") STRICT;"
    "CREATE UNIQUE INDEX packet_open ON packet (state) WHERE state = 'running';"

    "CREATE TABLE round ("
    " id TEXT PRIMARY KEY " ID ","
    " packet TEXT REFERENCES packet (id) ON DELETE CASCADE,"
    " place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 31),"
    " name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 15 AND name NOT GLOB '*[^a-z]*'),"
    " content TEXT NOT NULL"
    "  CHECK (length(content) <= 79 AND content NOT GLOB '*[^a-zA-Z0-9/._-]*'),"
    " exam INTEGER NOT NULL CHECK (exam IN (0, 1)),"
    " time_factor REAL NOT NULL CHECK (time_factor BETWEEN 0.02 AND 3),"
    " seed INTEGER NOT NULL CHECK (seed >= 0),"
    " lane TEXT NOT NULL " LANE ","
    " language TEXT NOT NULL CHECK (language IN ('en', 'es')),"
    " created_ms INTEGER NOT NULL CHECK (created_ms " MOMENT "),"
    " started_ms INTEGER NOT NULL CHECK (started_ms " MOMENT "),"
    " ended_ms INTEGER NOT NULL CHECK (ended_ms " MOMENT "),"
    " state TEXT NOT NULL CHECK (state IN ('planned', 'running', 'done', 'abandoned')),"
    " CHECK ((state IN ('planned', 'running')) = (ended_ms = 0)),"
    " CHECK (state = 'abandoned' OR (state = 'planned') = (started_ms = 0))"
    ") STRICT;"
    "CREATE UNIQUE INDEX round_open ON round (state) WHERE state = 'running';"
    "CREATE INDEX round_of_packet ON round (packet, place);"

    "CREATE TABLE step ("
    " round TEXT NOT NULL REFERENCES round (id) ON DELETE CASCADE,"
    " place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 31),"
    " phase TEXT NOT NULL"
    "  CHECK (length(phase) BETWEEN 1 AND 31 AND phase NOT GLOB '*[^a-z0-9.-]*'),"
    " kind TEXT NOT NULL CHECK (kind IN ('words', 'drill', 'cards', 'worksheet')),"
    " item TEXT NOT NULL " ITEM ","
    " minutes INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 600),"
    " started_ms INTEGER NOT NULL CHECK (started_ms " MOMENT "),"
    " deadline_ms INTEGER NOT NULL CHECK (deadline_ms " MOMENT "),"
    " paused_ms INTEGER NOT NULL CHECK (paused_ms " MOMENT "),"
    " ended_ms INTEGER NOT NULL CHECK (ended_ms " MOMENT "),"
    " sitting TEXT REFERENCES sitting (id) ON DELETE SET NULL,"
    " PRIMARY KEY (round, place),"
    " CHECK (started_ms > 0 OR (deadline_ms = 0 AND paused_ms = 0 AND ended_ms = 0)),"
    " CHECK (paused_ms = 0 OR ended_ms = 0)"
    ") STRICT;"

    "CREATE TABLE answer ("
    " id TEXT PRIMARY KEY " ID ","
    " round TEXT NOT NULL,"
    " step INTEGER NOT NULL,"
    " place INTEGER NOT NULL CHECK (place BETWEEN 0 AND 999),"
    " item TEXT NOT NULL " ITEM ","
    " ask TEXT NOT NULL CHECK (length(ask) <= 65536),"
    " text TEXT NOT NULL CHECK (length(text) <= 65536),"
    " started_ms INTEGER NOT NULL CHECK (started_ms " MOMENT "),"
    " submitted_ms INTEGER NOT NULL CHECK (submitted_ms " MOMENT "),"
    " overtime INTEGER NOT NULL CHECK (overtime IN (0, 1)),"
    " score REAL CHECK (score BETWEEN 0 AND 1),"
    " result TEXT NOT NULL CHECK (length(result) <= 262144),"
    " confirmed TEXT CHECK (length(confirmed) <= 65536),"
    " UNIQUE (round, step, place),"
    " FOREIGN KEY (round, step) REFERENCES step (round, place) ON DELETE CASCADE"
    ") STRICT;",
};

static const struct database_schema schema = {
    .program = "lcx",
    .program_version = PROGRESS_VERSION,
    .folder_variable = "LCX_HOME",
    .application_id = 0x4C435831, /* "LCX1" */
    .migrations = migrations,
    .n_migrations = sizeof migrations / sizeof migrations[0],
};

const struct database_schema *progress_database_schema(void) { return &schema; }
int progress_schema(void) { return schema.n_migrations; }
const char *progress_version(void) { return schema.program_version; }

enum status progress_settle(struct progress *progress, struct error *err)
{
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = attempt_mark_interrupted(progress, err);
    if (!status) status = sitting_end_overdue(progress, err);
    return database_end(progress->database, status, err);
}

enum status progress_open(struct progress **out, const char *folder, const struct clock *clock,
                          struct error *err)
{
    struct progress *progress = memory_new(1, sizeof *progress);
    enum status status = STATUS_OK;

    *out = NULL;
    progress->clock = clock;
    if (folder) progress->folder = text_copy(folder);
    else status = home_data_folder(&progress->folder, err);

    if (!status) {
        char *path = path_join(progress->folder, "lynx-cortex.db");
        status = database_open(&progress->database, path, &schema, err);
        free(path);
    }
    if (!status) status = progress_settle(progress, err);
    if (status) {
        progress_close(progress);
        return status;
    }
    *out = progress;
    return STATUS_OK;
}

void progress_close(struct progress *progress)
{
    if (!progress) return;
    database_close(progress->database);
    free(progress->folder);
    free(progress);
}

const char *progress_id(char out[ID_SIZE])
{
    unsigned char b[16];
    CHECK(getrandom(b, sizeof b, 0) == (ssize_t)sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40); /* version 4, RFC 4122 */
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    snprintf(out, ID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
    return out;
}

bool progress_id_valid(const char *id)
{
    return strlen(id) == ID_SIZE - 1 && strspn(id, "abcdef0123456789-") == ID_SIZE - 1;
}

bool progress_drill_valid(const char *drill)
{
    const size_t size = strlen(drill);
    return size >= 1 && size < DRILL_SIZE &&
           strspn(drill, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}
