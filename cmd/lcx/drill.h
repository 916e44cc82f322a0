/* drill.h -- what the files of `lcx drill` share: which drill, which file, which clock.
 *
 *   word "01" ----> drill
 *   FILE, or the running sitting's, or the last one's ----> source, lane, mode
 *   source --attempt_begin--> grade --attempt_finish--> shown
 */
#ifndef LCX_DRILL_H
#define LCX_DRILL_H

#include "arguments.h"
#include "content/plant.h"
#include "grader/grade.h"
#include "progress/attempt.h"
#include "progress/sitting.h"

#define DRILL_VERB(name) \
    extern const struct usage usage_drill_##name; \
    int drill_##name(struct app *app, int argc, char **argv)

DRILL_VERB(list);
DRILL_VERB(start);
DRILL_VERB(watch);
DRILL_VERB(check);
DRILL_VERB(submit);
DRILL_VERB(hint);
DRILL_VERB(show);
DRILL_VERB(notes);
DRILL_VERB(pause);
DRILL_VERB(resume);
DRILL_VERB(reset);
DRILL_VERB(history);
DRILL_VERB(prove);

/* What is worked on. */
struct work {
    const struct drill *drill;
    enum lane lane;
    const char *mode; /* "blank" or "bugs" */
    bool exam;
    bool has_sitting; /* `sitting` is the one the file belongs to; it may have ended */
    struct sitting sitting;
    char *path; /* absolute */
    struct text source;
    struct plant plant; /* of a bug hunt */
};

/* Open drills and progress, and find the drill. 0, or the exit status after saying why. */
MUST_CHECK int work_drill(struct app *app, const char *word, const struct drill **drill);

/* Find the file and read it. `file` and `lane` (names) may be NULL: then the sitting says. */
MUST_CHECK int work_open(struct work *work, struct app *app, const char *word, const char *file,
                         const char *lane);
/* Read the file again, as it is now. */
MUST_CHECK int work_read(struct work *work, const struct app *app);
void work_done(struct work *work);

/* What all gradings of this command share; close with grader_done(). */
struct grader work_grader(struct app *app);

/* Store the attempt, grade it, store the result. `result` is the caller's (result_done) when 0. */
MUST_CHECK int work_grade(struct app *app, struct work *work, struct grader *grader,
                          enum attempt_kind kind, uint64_t seed, struct result *result);

/* Grade the drill's submissions whose grader died, each with its own seed and source, and say so. */
MUST_CHECK int work_regrade(struct app *app, const struct drill *drill, struct grader *grader);

/* Verdict, words, checks and what to do next, for people. */
void work_show_result(const struct app *app, struct text *out, const struct work *work,
                      const struct result *result);

/* "12:31 left of 20:00", "3:10 over", "paused, ..."; "" when nothing runs. Caller frees. */
char *work_clock(const struct app *app, const struct sitting *sitting);

/* Count one more hint for the drill's running sitting and append it. 0, or the exit status after
 * saying why there is none (an exam, nothing running). */
MUST_CHECK int work_hint(struct app *app, const struct drill *drill, struct text *out);

/* 0 pass, 1 fail or limit, 3 unavailable or our fault. */
int work_exit_status(const struct result *result);

#endif
