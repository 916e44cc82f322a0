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
    bool given; /* the path was named on the command line */
    struct text source;
    int64_t written_ms; /* when the file was last written, as of reading it */
    struct plant plant; /* of a bug hunt */
};

/* Begin a blank file in `folder` for a round: its clock, its task on the screen. 0 and the sitting
 * (the caller's), or the exit status after saying why. */
struct work_start {
    const struct drill *drill;
    enum lane lane;
    bool exam;
    double time_factor;
    int minutes;
    const char *folder; /* made when it is not there */
};
MUST_CHECK int work_begin(struct app *app, const struct work_start *start, struct sitting *sitting);

/* Open drills and progress, find the drill, settle what its clock left behind (work_settle).
 * 0, or the exit status after saying why. */
MUST_CHECK int work_drill(struct app *app, const char *word, const struct drill **drill);

/* Find the file and read it. `file` and `lane` (names) may be NULL: then the sitting says. */
MUST_CHECK int work_open(struct work *work, struct app *app, const char *word, const char *file,
                         const char *lane);
/* Read the file again, as it is now. */
MUST_CHECK int work_read(struct work *work, const struct app *app);
/* The same for any file: its bytes replace those of `source`. Errors of file_read(), and
 * STATUS_FORMAT when it is no text. */
MUST_CHECK enum status work_read_file(struct text *source, int64_t *written_ms, const char *path,
                                      struct error *err);
void work_done(struct work *work);

/* What all gradings of this command share; close with grader_done(). */
struct grader work_grader(struct app *app);

/* Store the attempt, grade it, store the result. `result` is the caller's (result_done) when 0. */
MUST_CHECK int work_grade(struct app *app, struct work *work, struct grader *grader,
                          enum attempt_kind kind, uint64_t seed, struct result *result);

/* Store what the grading of attempt `id` found. 0, or the exit status after saying why; then the
 * result is released. */
MUST_CHECK int work_store(struct app *app, const struct grade_request *request, const char *id,
                          struct result *result);

/* ---- drill_late.c: what is graded later than it was handed in ---- */

/* Grade the drill's submissions whose grader died, each with its own seed and source, and say so. */
MUST_CHECK int work_regrade(struct app *app, const struct drill *drill, struct grader *grader);

/* The clocks of this drill (NULL: of all) that reached zero while nobody watched: store the work at
 * zero, if it still is there, grade it, or end the sitting without it. Each is said on standard
 * error; what cannot be done now is left for the next time. Needs app_open_progress(). */
void work_settle(struct app *app, const struct drill *drill);

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
