/* sitting.h -- one start of a drill, with a clock that survives everything.
 *
 *             submit: pass
 *   running ------------------------------> passed
 *      |  \_ give up ---------------------> given-up
 *      |  \_ its time ends, last submission failed -> failed
 *      \____ its time ends, nothing submitted ------> expired
 *
 * The clock is stored as moments, never as a counter: started, deadline, pauses. It runs on while
 * nothing runs; kill -9 and a restart change nothing.
 *
 *   exam       no pause, no hint; its time ends at zero. Work after zero is kept, and not rated.
 *   practice   pause, hints; at zero overtime begins (a pass is then Hard), and 24 hours of overtime
 *              later its time ends.
 *
 * At zero the work is snapshotted: a running watcher takes the file then, otherwise whoever comes
 * next takes it, if it was last written before zero. Nothing is ended before that was tried:
 *
 *   sitting_overdue ---> file last written before zero ---> attempt_begin(ATTEMPT_SNAPSHOT)
 *                   \--> written later, or gone -----------> sitting_no_snapshot
 *
 * Without one, what was submitted last before zero stands. Attempts being graded at the end are
 * waited for, interrupted ones too: they count from when they were submitted.
 * When a sitting ends it is rated (rating.h) and its review logged (review.h), in the same
 * transaction. A time factor below 1 makes it a rehearsal: kept, never rated, never counted.
 * One sitting per drill runs at a time.
 *
 * Tests: tests/progress/sitting_test.c
 */
#ifndef PROGRESS_SITTING_H
#define PROGRESS_SITTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"

#define SITTING_OVERTIME_MS (INT64_C(24) * 3600 * 1000)

/* After zero the snapshot is left this long to a watcher, who has seen the file then. */
enum { SITTING_GRACE_MS = 5000 };

enum sitting_state {
    SITTING_RUNNING,
    SITTING_PASSED,
    SITTING_FAILED,
    SITTING_GIVEN_UP,
    SITTING_EXPIRED,
};

struct sitting {
    char id[ID_SIZE];
    char drill[DRILL_SIZE]; /* "01" */
    char lane[LANE_SIZE];   /* "c", "numpy", "torch" */
    char mode[MODE_SIZE];   /* "blank", "bugs" */
    bool exam;
    char *path;          /* the candidate's file, absolute */
    int64_t seed;        /* of the planted mistakes; -1 when none */
    double time_factor;  /* 0.02 .. 3; below 1: a rehearsal */
    int minutes;         /* the drill's, before the factor */
    int64_t started_ms;  /* wall time */
    int64_t deadline_ms; /* zero; moves on by each pause when it ends */
    int64_t paused_ms;   /* since when it is paused, 0 when it is not */
    int64_t pauses_ms;   /* all finished pauses together */
    int hints;
    enum sitting_state state;
    int64_t ended_ms; /* 0 while running */
};

/* Where its clock stands. */
struct sitting_time {
    int64_t budget_ms;   /* minutes * time_factor */
    int64_t elapsed_ms;  /* without pauses; stands still once ended */
    int64_t left_ms;     /* never below 0 */
    int64_t overtime_ms; /* never below 0 */
    bool paused;
};

struct sitting_start {
    const char *drill, *lane, *mode;
    bool exam;
    const char *path;
    int64_t seed; /* -1 when none */
    double time_factor;
    int minutes; /* 1 .. 600 */
};

/* Start one: stored, its clock running from now. STATUS_CONFLICT when one of this drill is running
 * (its lane and id are in the message); STATUS_USAGE for values out of range. */
MUST_CHECK enum status sitting_begin(struct sitting *sitting, struct progress *progress,
                                     const struct sitting_start *start, struct error *err);

/* Read one; sitting_done() releases it. STATUS_NOT_FOUND. */
MUST_CHECK enum status sitting_load(struct sitting *sitting, struct progress *progress,
                                    const char *id, struct error *err);

/* The running sitting of `drill` (NULL: of any drill, the one started last). When there is none,
 * *found is false and `sitting` is empty. */
MUST_CHECK enum status sitting_running(struct sitting *sitting, bool *found,
                                       struct progress *progress, const char *drill,
                                       struct error *err);

/* The newest sitting of `drill` in any state. */
MUST_CHECK enum status sitting_latest(struct sitting *sitting, bool *found,
                                      struct progress *progress, const char *drill,
                                      struct error *err);

/* All sittings of `drill` (NULL: of all), newest first; at most `limit` (0: all).
 * sitting_list_done() releases them. */
MUST_CHECK enum status sitting_list(struct sitting **out, int *n, struct progress *progress,
                                    const char *drill, int limit, struct error *err);
void sitting_list_done(struct sitting *sittings, int n);

void sitting_done(struct sitting *sitting);

struct sitting_time sitting_time(const struct sitting *sitting, int64_t now_ms);
bool sitting_is_rehearsal(const struct sitting *sitting);

/* Stop and restart the clock. STATUS_USAGE in an exam, or when it is not running, or already so. */
MUST_CHECK enum status sitting_pause(struct progress *progress, const char *id, struct error *err);
MUST_CHECK enum status sitting_resume(struct progress *progress, const char *id, struct error *err);

/* Count one more hint; *hints is how many were used now. STATUS_USAGE in an exam or when ended. */
MUST_CHECK enum status sitting_hint(struct progress *progress, const char *id, int *hints,
                                    struct error *err);

/* End it without a pass. STATUS_USAGE when it is not running. */
MUST_CHECK enum status sitting_give_up(struct progress *progress, const char *id,
                                       struct error *err);

/* The running sittings whose time is over, a watcher's five seconds too, and whose work at zero was
 * never stored; oldest first. sitting_list_done() releases them. */
MUST_CHECK enum status sitting_overdue(struct sitting **out, int *n, struct progress *progress,
                                       struct error *err);

/* The work at zero cannot be had: end and rate it if its time is over (an exam), and leave it to its
 * overtime if not. *ended says which. Harmless on one that has ended, or whose snapshot was taken. */
MUST_CHECK enum status sitting_no_snapshot(struct progress *progress, const char *id, bool *ended,
                                           struct error *err);

/* The id of the last submission before zero into `attempt`, "" when there is none. */
MUST_CHECK enum status sitting_snapshot(char attempt[ID_SIZE], struct progress *progress,
                                        const char *id, struct error *err);

/* Sittings ended since Monday that were rated: what weekly-sittings is a goal for. */
MUST_CHECK enum status sitting_week_count(int *n, struct progress *progress, struct error *err);

const char *sitting_state_name(enum sitting_state state); /* "given-up": stored, not translated */

#endif
