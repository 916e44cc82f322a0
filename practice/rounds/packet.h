/* packet.h -- a whole loop: which rounds, in which order, on which day.
 *
 *   engineer    day 1  recruiter, phone, systems, coding     day 2  paper, behavioral, manager
 *   scientist   day 1  recruiter, phone, systems             day 2  research, paper, behavioral, manager
 *
 * One packet runs at a time. Its rounds are planned when it starts; their content is drawn when each
 * begins, by the packet's seed.
 * Tests: tests/rounds/packet_test.c
 */
#ifndef ROUNDS_PACKET_H
#define ROUNDS_PACKET_H

#include "rounds/round.h"

enum packet_state { PACKET_RUNNING, PACKET_DONE, PACKET_ABANDONED };
const char *packet_state_name(enum packet_state state);

struct packet {
    char id[ID_SIZE];
    char track[ROUND_NAME_SIZE]; /* "engineer", "scientist" */
    int days;
    char phone_lane[LANE_SIZE];
    bool exam;
    double time_factor;
    int64_t seed;
    char language[3];
    int64_t started_ms, ended_ms;
    enum packet_state state;
};

/* One round as the field has it (PRACTICE's table). */
struct round_kind {
    const char *name;   /* "phone" */
    const char *number; /* "1", "3'" */
    const char *title;  /* N_() */
    const char *graded; /* N_(): what is graded, one line */
    int minutes;
};
extern const struct round_kind round_kinds[];          /* ends with a NULL name */
const struct round_kind *round_kind(const char *name); /* NULL when there is none */

/* The names of a track's rounds in order, ending in NULL; and the day (1, 2) of each. */
const char *const *packet_rounds(const char *track);
int packet_day(const struct packet *packet, int place);

struct packet_start {
    const char *track, *phone_lane, *coding_lane, *language;
    int days; /* 1 or 2 */
    bool exam;
    double time_factor;
    int64_t seed;
};

/* Store it with its planned rounds. STATUS_CONFLICT when one runs; STATUS_USAGE for wrong values. */
MUST_CHECK enum status packet_begin(struct packet *packet, struct progress *progress,
                                    const struct packet_start *start, struct error *err);

/* The running one; *found is false when there is none. */
MUST_CHECK enum status packet_running(struct packet *packet, bool *found, struct progress *progress,
                                      struct error *err);

/* The newest one in any state. */
MUST_CHECK enum status packet_latest(struct packet *packet, bool *found, struct progress *progress,
                                     struct error *err);
MUST_CHECK enum status packet_load(struct packet *packet, struct progress *progress, const char *id,
                                   struct error *err);

/* End it; planned rounds are abandoned with it. */
MUST_CHECK enum status packet_end(struct packet *packet, struct progress *progress,
                                  enum packet_state state, struct error *err);

#endif
