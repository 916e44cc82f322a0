#include "rounds/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/locale.h"
#include "store/query.h"

const struct round_kind round_kinds[] = {
    {"recruiter", "0", N_("Recruiter screen"),
     N_("résumé signal, fit with the role and the team; pay is only answered or deferred"), 30},
    {"phone", "1", N_("Phone screen"),
     N_("one concept question and one coding question, with equal weight"), 60},
    {"systems", "2", N_("ML systems"),
     N_("requirements found by asking, capacity math, failure modes, cost discipline"), 60},
    {"coding", "3", N_("Coding"), N_("a primitive from a blank file, one or two of them"), 60},
    {"research", "3'", N_("Research-project deep dive"),
     N_("45 minutes of presenting, 45 of being probed"), 90},
    {"paper", "4", N_("Paper and depth"), N_("claim, method, evidence, and what is not tested"),
     50},
    {"behavioral", "5", N_("Behavioral and values"),
     N_("stories with the trade-offs that were made; the view on AI safety"), 45},
    {"manager", "6", N_("Hiring manager"),
     N_("the packet's three weakest points, with evidence; your questions count too"), 45},
    {0},
};

const struct round_kind *round_kind(const char *name)
{
    for (const struct round_kind *kind = round_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}

static const char *const engineer[] = {"recruiter", "phone",      "systems", "coding",
                                       "paper",     "behavioral", "manager", NULL};
static const char *const scientist[] = {"recruiter", "phone",      "systems", "research",
                                        "paper",     "behavioral", "manager", NULL};
enum { ENGINEER_FIRST_DAY = 4, SCIENTIST_FIRST_DAY = 3 };

const char *const *packet_rounds(const char *track)
{
    return strcmp(track, "scientist") == 0 ? scientist : engineer;
}

int packet_day(const struct packet *packet, int place)
{
    if (packet->days < 2) return 1;
    const int first =
        strcmp(packet->track, "scientist") == 0 ? SCIENTIST_FIRST_DAY : ENGINEER_FIRST_DAY;
    return place < first ? 1 : 2;
}

static const char *const state_names[] = {"running", "done", "abandoned"};

const char *packet_state_name(enum packet_state state)
{
    CHECK((unsigned)state < 3);
    return state_names[state];
}

#define COLUMNS \
    "id, track, days, phone_lane, exam, time_factor, seed, language, started_ms, ended_ms, state"

static void copy_into(char *out, size_t size, const char *text) { snprintf(out, size, "%s", text); }

static enum status one(struct packet *packet, bool *found, struct query *query, struct error *err)
{
    *packet = (struct packet){0};
    *found = query_row(query);
    if (*found) {
        copy_into(packet->id, sizeof packet->id, query_text(query, 0));
        copy_into(packet->track, sizeof packet->track, query_text(query, 1));
        packet->days = (int)query_int(query, 2);
        copy_into(packet->phone_lane, sizeof packet->phone_lane, query_text(query, 3));
        packet->exam = query_int(query, 4) != 0;
        packet->time_factor = query_real(query, 5);
        packet->seed = query_int(query, 6);
        copy_into(packet->language, sizeof packet->language, query_text(query, 7));
        packet->started_ms = query_int(query, 8);
        packet->ended_ms = query_int(query, 9);
        const char *state = query_text(query, 10);
        while (strcmp(state_names[packet->state], state) != 0) packet->state++;
    }
    return query_done(query, err);
}

enum status packet_running(struct packet *packet, bool *found, struct progress *progress,
                           struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM packet WHERE state = 'running'");
    return one(packet, found, &query, err);
}

enum status packet_latest(struct packet *packet, bool *found, struct progress *progress,
                          struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "SELECT " COLUMNS " FROM packet ORDER BY started_ms DESC, id LIMIT 1");
    return one(packet, found, &query, err);
}

enum status packet_load(struct packet *packet, struct progress *progress, const char *id,
                        struct error *err)
{
    struct query query;
    bool found;
    query_open(&query, progress->database, "SELECT " COLUMNS " FROM packet WHERE id = ?1");
    query_bind_text(&query, 1, id);
    const enum status status = one(packet, &found, &query, err);
    if (!status && !found) return error_set(err, STATUS_NOT_FOUND, _("there is no packet %s"), id);
    return status;
}

static enum status insert(const struct packet *packet, struct progress *progress, struct error *err)
{
    struct query query;
    query_open(&query, progress->database,
               "INSERT INTO packet (" COLUMNS ")"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 'running')");
    query_bind_text(&query, 1, packet->id);
    query_bind_text(&query, 2, packet->track);
    query_bind_int(&query, 3, packet->days);
    query_bind_text(&query, 4, packet->phone_lane);
    query_bind_int(&query, 5, packet->exam);
    query_bind_real(&query, 6, packet->time_factor);
    query_bind_int(&query, 7, packet->seed);
    query_bind_text(&query, 8, packet->language);
    query_bind_int(&query, 9, packet->started_ms);
    return query_run(&query, err);
}

enum status packet_begin(struct packet *packet, struct progress *progress,
                         const struct packet_start *start, struct error *err)
{
    struct packet begun = {.days = start->days,
                           .exam = start->exam,
                           .time_factor = start->time_factor,
                           .seed = start->seed,
                           .started_ms = clock_wall_ms(progress->clock)};
    *packet = (struct packet){0};
    if (strcmp(start->track, "engineer") != 0 && strcmp(start->track, "scientist") != 0)
        return error_set(err, STATUS_USAGE, _("track %s: expected engineer or scientist"),
                         start->track);
    if (start->days < 1 || start->days > 2)
        return error_set(err, STATUS_USAGE, _("%d days: expected 1 or 2"), start->days);

    progress_id(begun.id);
    copy_into(begun.track, sizeof begun.track, start->track);
    copy_into(begun.phone_lane, sizeof begun.phone_lane, start->phone_lane);
    copy_into(begun.language, sizeof begun.language, start->language);

    struct packet running;
    bool found;
    enum status status = database_begin(progress->database, err);
    if (status) return status;
    status = packet_running(&running, &found, progress, err);
    if (!status && found)
        status = error_set(err, STATUS_CONFLICT,
                           _("a loop is running already: go on with it (lcx loop next), or leave "
                             "it (lcx loop leave)"));
    if (!status) status = insert(&begun, progress, err);
    const char *const *names = packet_rounds(begun.track);
    for (int i = 0; !status && names[i]; i++) {
        const bool is_phone = strcmp(names[i], "phone") == 0;
        struct round round;
        status = round_plan(
            &round, progress,
            &(struct round_start){.packet = begun.id,
                                  .place = i,
                                  .name = names[i],
                                  .content = "",
                                  .lane = is_phone ? begun.phone_lane : start->coding_lane,
                                  .language = begun.language,
                                  .exam = begun.exam,
                                  .time_factor = begun.time_factor,
                                  .seed = begun.seed},
            err);
    }
    status = database_end(progress->database, status, err);
    if (!status) *packet = begun;
    return status;
}

enum status packet_end(struct packet *packet, struct progress *progress, enum packet_state state,
                       struct error *err)
{
    struct query query;
    const int64_t now = clock_wall_ms(progress->clock);

    enum status status = database_begin(progress->database, err);
    if (status) return status;
    query_open(&query, progress->database,
               "UPDATE step SET ended_ms = ?2, paused_ms = 0,"
               " deadline_ms = deadline_ms + iif(paused_ms > 0 AND ?2 > paused_ms,"
               " ?2 - paused_ms, 0) WHERE started_ms > 0 AND ended_ms = 0"
               " AND round IN (SELECT id FROM round WHERE packet = ?1)");
    query_bind_text(&query, 1, packet->id);
    query_bind_int(&query, 2, now);
    status = query_run(&query, err);
    if (status) return database_end(progress->database, status, err);
    query_open(&query, progress->database,
               "UPDATE round SET state = 'abandoned', ended_ms = ?2"
               " WHERE packet = ?1 AND state IN ('planned', 'running')");
    query_bind_text(&query, 1, packet->id);
    query_bind_int(&query, 2, now);
    status = query_run(&query, err);
    if (!status) {
        query_open(&query, progress->database,
                   "UPDATE packet SET state = ?3, ended_ms = ?2"
                   " WHERE id = ?1 AND state = 'running'");
        query_bind_text(&query, 1, packet->id);
        query_bind_int(&query, 2, now);
        query_bind_text(&query, 3, packet_state_name(state));
        status = query_run(&query, err);
    }
    status = database_end(progress->database, status, err);
    if (!status) {
        packet->state = state;
        packet->ended_ms = now;
    }
    return status;
}
