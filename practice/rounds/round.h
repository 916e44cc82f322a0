/* round.h -- one round that is sat: its steps, their clocks, what was answered.
 *
 *   planned --> running --> done              all its steps ended
 *                  \------> abandoned         the candidate left it
 *
 *   step    not begun --> running (--> paused --> running) --> ended
 *
 * A clock is stored as moments, never as a counter: begun, deadline, paused since. It runs on while
 * nothing runs; kill -9 and a restart change nothing. In an exam nothing is paused, and what is
 * answered after a step's deadline is marked overtime.
 *
 * An answer is stored in one transaction with its grade. While it is being written it is a draft:
 * a file below drafts/ in the data folder, saved line by line, found again by the next start.
 *
 * A time factor below 1 makes the round a rehearsal: kept, never counted.
 * Does not know: content, rubrics; it keeps what it is given.
 * Tests: tests/rounds/round_test.c
 */
#ifndef ROUNDS_ROUND_H
#define ROUNDS_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "progress/progress.h"

enum { ROUND_NAME_SIZE = 16, ROUND_STEP_LIMIT = 32, PHASE_SIZE = 32, STEP_ITEM_SIZE = 80 };

enum round_state { ROUND_PLANNED, ROUND_RUNNING, ROUND_DONE, ROUND_ABANDONED };
const char *round_state_name(enum round_state state); /* stored, not translated */

enum step_kind {
    STEP_WORDS,     /* nodes of a question, a brief, a paper or a story */
    STEP_DRILL,     /* a sitting of a drill */
    STEP_CARDS,     /* requirements, found by asking */
    STEP_WORKSHEET, /* an estimate, line by line */
};
const char *step_kind_name(enum step_kind kind);

struct round {
    char id[ID_SIZE];
    char packet[ID_SIZE]; /* "" when it is sat by itself */
    int place;            /* in its packet */
    char name[ROUND_NAME_SIZE];
    char content[STEP_ITEM_SIZE]; /* what was asked for: "question/01"; "" when drawn */
    bool exam;
    double time_factor;
    int64_t seed;
    char lane[LANE_SIZE];
    char language[3];
    int64_t started_ms, ended_ms; /* 0: not yet */
    enum round_state state;
};

struct step {
    int place;
    char phase[PHASE_SIZE]; /* "question", "clarify": stored, not translated */
    enum step_kind kind;
    char item[STEP_ITEM_SIZE]; /* "question/01", "drill/03", "brief/1/failures" */
    int minutes;               /* before the factor */
    int64_t started_ms, deadline_ms, paused_ms, ended_ms;
    char sitting[ID_SIZE]; /* STEP_DRILL: "" until it is begun */
};

struct step_time {
    int64_t budget_ms, elapsed_ms, left_ms, overtime_ms;
    bool begun, paused;
};

struct answer {
    char id[ID_SIZE];
    char round[ID_SIZE];
    int step, place;           /* place: 0, 1, ... within the step */
    char item[STEP_ITEM_SIZE]; /* "question/01/1-1" */
    char *ask;                 /* what was asked, as it was shown */
    char *text;                /* what was answered */
    int64_t started_ms, submitted_ms;
    bool overtime;
    double score;    /* 0 .. 1; -1: not scored */
    char *result;    /* JSON: the findings, with their sentences */
    char *confirmed; /* JSON: the candidate's own verdicts; NULL until given */
};

struct round_start {
    const char *packet; /* NULL when by itself */
    int place;
    const char *name, *content, *lane, *language;
    bool exam;
    double time_factor; /* 0.02 .. 3 */
    int64_t seed;       /* >= 0 */
};

/* Store a planned round; its clocks do not run yet. STATUS_USAGE for values out of range. */
MUST_CHECK enum status round_plan(struct round *round, struct progress *progress,
                                  const struct round_start *start, struct error *err);

/* Give a planned round its steps and let it run. STATUS_CONFLICT when another is running (named in
 * the message). */
MUST_CHECK enum status round_begin(struct round *round, struct progress *progress,
                                   const struct step *steps, int n_steps, struct error *err);

/* Forget a planned round of no packet that could not be begun. Harmless on one that was. */
MUST_CHECK enum status round_drop(struct round *round, struct progress *progress,
                                  struct error *err);

MUST_CHECK enum status round_load(struct round *round, struct progress *progress, const char *id,
                                  struct error *err);

/* The running round; *found is false when there is none. */
MUST_CHECK enum status round_running(struct round *round, bool *found, struct progress *progress,
                                     struct error *err);

/* The rounds of a packet by place; with packet NULL all that were begun, newest first, at most
 * `limit` (0: all). The caller frees *out. */
MUST_CHECK enum status round_list(struct round **out, int *n, struct progress *progress,
                                  const char *packet, int limit, struct error *err);

/* End it; a step that runs ends with it. `state` is ROUND_DONE or ROUND_ABANDONED. STATUS_CONFLICT
 * when it has ended already. */
MUST_CHECK enum status round_end(struct round *round, struct progress *progress,
                                 enum round_state state, struct error *err);

bool round_is_rehearsal(const struct round *round);

/* ---- steps ----
 *
 * What changes a step: STATUS_CONFLICT when another process changed it since the caller read it, or
 * its round runs no more; nothing is overwritten then. */

/* The steps by place; the caller frees *out. */
MUST_CHECK enum status step_list(struct step **out, int *n, struct progress *progress,
                                 const char *round, struct error *err);

/* Let the step's clock run; nothing changes when it runs already. A drill's step is given its
 * sitting (else NULL). */
MUST_CHECK enum status step_begin(struct step *step, struct progress *progress,
                                  const struct round *round, const char *sitting,
                                  struct error *err);
MUST_CHECK enum status step_end(struct step *step, struct progress *progress,
                                const struct round *round, struct error *err);

/* STATUS_USAGE in an exam, or when it does not run, or already so. */
MUST_CHECK enum status step_pause(struct step *step, struct progress *progress,
                                  const struct round *round, struct error *err);
MUST_CHECK enum status step_resume(struct step *step, struct progress *progress,
                                   const struct round *round, struct error *err);

/* Take time off a running step's clock: what asking costs. It cannot be given back. */
MUST_CHECK enum status step_spend(struct step *step, struct progress *progress,
                                  const struct round *round, int64_t ms, struct error *err);

/* The moment at which what is there now is handed in: now, or in an exam the deadline that took it. */
int64_t step_submitted_ms(const struct step *step, const struct progress *progress,
                          const struct round *round);

struct step_time step_time(const struct step *step, const struct round *round, int64_t now_ms);

/* ---- answers ---- */

/* Store one; id, place and submitted_ms are filled in, overtime is found from the step's clock at
 * `submitted_ms` (0: now). Its draft is removed afterwards. `result` NULL stores {}.
 * STATUS_CONFLICT when the round runs no more: the draft stays. */
MUST_CHECK enum status answer_add(struct answer *answer, struct progress *progress,
                                  const struct round *round, const struct step *step,
                                  struct error *err);

/* The answers of a round in order (step -1: of all its steps). answer_list_done() releases them. */
MUST_CHECK enum status answer_list(struct answer **out, int *n, struct progress *progress,
                                   const char *round, int step, struct error *err);
void answer_list_done(struct answer *answers, int n);

/* The share of a round's answers, 0 .. 1: the mean of those that are scored; where the halves count
 * equally (concept and code of the phone round, presentation and probing of a project) the mean of the
 * steps' means. *n_scored: how many are scored; none gives 0. */
double answer_share(int *n_scored, const struct answer *answers, int n, const char *round_name);
void answer_done(struct answer *answer);

/* Keep what the candidate says of the findings, beside them; and the score that follows. */
MUST_CHECK enum status answer_confirm(struct answer *answer, struct progress *progress,
                                      const char *confirmed, double score, struct error *err);

/* The file in which answer `place` of the step is being written; the caller frees it. The folder is
 * made. Each answer has its own, so a draft that a crash left behind is never taken for another's. */
MUST_CHECK enum status answer_draft(char **path, struct progress *progress,
                                    const struct round *round, const struct step *step, int place,
                                    struct error *err);

/* Remove the drafts of rounds that ended before `before_ms`, and of rounds that do not exist. *n
 * (may be NULL) is how many. A draft of a round that runs is never touched. */
MUST_CHECK enum status drafts_sweep(int *n, struct progress *progress, int64_t before_ms,
                                    struct error *err);

#endif
