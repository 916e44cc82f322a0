/* attempt.h -- every check and every submission, written down before it is graded.
 *
 *   attempt_begin   source, file, clock: on the disk      state grading
 *   ... the grader runs; it may die ...                   state interrupted, at the next open
 *   attempt_finish  verdict, diagnosis, result.json       state done
 *
 * Promises:
 *   1. What was submitted is on the disk before the first line of it runs.
 *   2. A dead grader's attempt is marked interrupted and keeps its source, its moment and its place
 *      on the clock: attempt_resume() takes it up again and grades it as if nothing had been.
 *   3. `counts` is true for submissions of a running sitting that is not a rehearsal and, in an exam,
 *      not after zero. Only those decide the sitting.
 *   4. A sitting has one snapshot at most, and it is the work at zero: taken within five seconds of
 *      it, or later from a file that was last written before it.
 *
 * Tests: tests/progress/attempt_test.c
 */
#ifndef PROGRESS_ATTEMPT_H
#define PROGRESS_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"

enum { ATTEMPT_SOURCE_LIMIT = 1 << 20, ATTEMPT_RESULT_LIMIT = 4 << 20 };

enum attempt_kind {
    ATTEMPT_CHECK,    /* visible cases, never counts */
    ATTEMPT_SUBMIT,   /* hidden cases */
    ATTEMPT_SNAPSHOT, /* a submission made for the candidate, at zero */
};

enum attempt_state { ATTEMPT_GRADING, ATTEMPT_INTERRUPTED, ATTEMPT_DONE };

enum attempt_verdict {
    ATTEMPT_NO_VERDICT, /* not graded yet */
    ATTEMPT_PASS,
    ATTEMPT_FAIL,
    ATTEMPT_LIMIT,
    ATTEMPT_UNAVAILABLE,
    ATTEMPT_ERROR, /* our fault */
};

struct attempt {
    char id[ID_SIZE];
    char sitting[ID_SIZE]; /* "" when there was none */
    char drill[DRILL_SIZE];
    char lane[LANE_SIZE];
    char mode[MODE_SIZE];
    bool exam;
    enum attempt_kind kind;
    bool counts;
    bool rehearsal;
    bool overtime;
    int64_t seed;         /* of the cases it was graded with */
    int64_t submitted_ms; /* wall time; a snapshot's is zero, whenever it was taken */
    int64_t elapsed_ms;   /* on the sitting's clock */
    enum attempt_state state;
    enum attempt_verdict verdict;
    char *diagnosis; /* the named mistake, NULL when none */
    char *result;    /* result.json, NULL until graded and in lists */
    char *source;    /* bytes, NULL in lists */
    size_t source_size;
};

struct attempt_start {
    const char *sitting; /* NULL: outside any sitting; then drill, lane and mode are used */
    const char *drill, *lane, *mode;
    enum attempt_kind kind;
    int64_t written_ms; /* of a snapshot: when its file was last written */
    int64_t seed;
    const void *source;
    size_t source_size;
};

/* Write it down. A paused clock is resumed: the work goes on. STATUS_LIMIT for a source above
 * ATTEMPT_SOURCE_LIMIT, STATUS_NOT_FOUND for an unknown sitting, STATUS_CONFLICT for a snapshot
 * that would not be the work at zero, or was taken already. `id` is filled. */
MUST_CHECK enum status attempt_begin(char id[ID_SIZE], struct progress *progress,
                                     const struct attempt_start *start, struct error *err);

/* Complete it; a counting pass ends its sitting. `diagnosis` may be NULL; `result` is JSON.
 * STATUS_CONFLICT when it was completed already: the first result stays. */
MUST_CHECK enum status attempt_finish(struct progress *progress, const char *id,
                                      enum attempt_verdict verdict, const char *diagnosis,
                                      const char *result, struct error *err);

/* Take up an interrupted attempt: grading again, by this process. STATUS_CONFLICT when it is not
 * interrupted. Read it with attempt_load(), grade, finish. */
MUST_CHECK enum status attempt_resume(struct progress *progress, const char *id, struct error *err);

/* The opposite: what this process was grading becomes interrupted, to be graded another time. */
MUST_CHECK enum status attempt_put_back(struct progress *progress, const char *id,
                                        struct error *err);

/* Read one whole; attempt_done() releases it. STATUS_NOT_FOUND. */
MUST_CHECK enum status attempt_load(struct attempt *attempt, struct progress *progress,
                                    const char *id, struct error *err);
void attempt_done(struct attempt *attempt);

/* Without source and result, newest first; NULLs do not filter; at most `limit` (0: all). */
MUST_CHECK enum status attempt_list(struct attempt **out, int *n, struct progress *progress,
                                    const char *drill, const char *sitting, int limit,
                                    struct error *err);
void attempt_list_done(struct attempt *attempts, int n);

/* The attempts that were interrupted and never graded, newest first, as attempt_list(). */
MUST_CHECK enum status attempt_interrupted(struct attempt **out, int *n, struct progress *progress,
                                           struct error *err);

/* One drill at a glance, for lists: rehearsals and checks left out. */
struct attempt_summary {
    int submissions, passes;
    enum attempt_verdict best; /* ATTEMPT_PASS, else the last verdict, else ATTEMPT_NO_VERDICT */
    int64_t best_elapsed_ms;   /* of the fastest pass; -1 when none */
    int64_t last_ms;           /* of the last submission; 0 when none */
};
MUST_CHECK enum status attempt_summarize(struct attempt_summary *summary, struct progress *progress,
                                         const char *drill, struct error *err);

const char *attempt_kind_name(enum attempt_kind kind);
const char *attempt_state_name(enum attempt_state state);
const char *attempt_verdict_name(enum attempt_verdict verdict); /* "pass"; NULL for none */
bool attempt_verdict_parse(const char *name, enum attempt_verdict *verdict);

#endif
