/* sit.h -- sitting a round in the terminal: what is shown, what is typed, what is kept.
 *
 *   sit_round   its steps in order, from where it stands
 *     sit_words      node after node: ask, answer, grade, confirm
 *     sit_cards      questions until the clock or the candidate ends it
 *     sit_worksheet  lines of estimates
 *     sit_drill      a sitting of a drill
 *   sit_answer  one answer: line by line, or in the editor; every line is in its draft at once
 *
 * Lines that begin with a colon are commands (":?" lists them). A round that is left goes on where
 * it was: nothing here is state, all of it is read from the store.
 */
#ifndef LCX_SIT_H
#define LCX_SIT_H

#include "app.h"
#include "content/library.h"
#include "grader/examiner.h"
#include "rounds/draw.h"
#include "rounds/round.h"

/* How a step, or reading an answer, came to its end. */
enum sit_end {
    SIT_DONE,    /* go on */
    SIT_SKIPPED, /* the candidate passed over it */
    SIT_LEFT,    /* the candidate leaves; the round goes on another time */
    SIT_TROUBLE, /* it was said why */
};

struct sit {
    struct app *app;
    const struct library *library;
    struct round *round;
    struct step *steps;
    int n_steps;
    struct expression_value
        *figures; /* of the brief, drawn by the round's seed; NULL without one */
    int n_figures;
    bool reference_told;
};

/* Go on with the round until it ends or is left. The exit status. */
int sit_round(struct app *app, const struct library *library, struct round *round);

/* Plan, draw and begin a round by itself, then sit it. `content` is "" or an item. */
struct sit_wish {
    const char *name, *content, *lane;
    bool exam;
    double time_factor;
    int64_t seed;
};
int sit_new(struct app *app, const struct sit_wish *wish);

/* STATUS_CONFLICT, saying which, when a round runs. */
MUST_CHECK enum status sit_none_runs(struct app *app, struct error *err);

/* Only one terminal sits a round: a descriptor that holds it, or -1 (STATUS_CONFLICT, STATUS_IO). */
MUST_CHECK int sit_hold(struct app *app, const struct round *round, struct error *err);
void sit_release(const struct app *app, const struct round *round, int held);

/* Draw the steps of a planned round and let it run. 0, or the exit status after saying why. */
MUST_CHECK int sit_begin(struct app *app, const struct library *library, struct round *round);

/* ---- the parts ---- */

enum sit_end sit_words(struct sit *sit, struct step *step);
enum sit_end sit_cards(struct sit *sit, struct step *step);
enum sit_end sit_worksheet(struct sit *sit, struct step *step);

/* Tell, once, the figures with which the texts behind the estimate reckon: the middle choices, for every seed. */
void sit_reference(struct sit *sit, const struct brief *brief);
enum sit_end sit_drill(struct sit *sit, struct step *step);

/* What to answer, and what came of it. */
struct sit_reply {
    struct text text;
    int64_t started_ms, submitted_ms; /* submitted_ms: the deadline when an exam's zero took it */
};

/* Read answer `place` of the step. `is_long`: the editor is opened when there is one. */
enum sit_end sit_answer(struct sit *sit, struct step *step, int place, const char *ask,
                        bool is_long, struct sit_reply *reply);

/* On a terminal, wait for Enter; what is typed instead is kept for the next prompt. SIT_LEFT at the end
 * of input. */
enum sit_end sit_wait(struct sit *sit, const char *words);

/* Read one short line, through commands; SIT_SKIPPED on ":s" and ":d", SIT_LEFT at the end of input
 * and on Ctrl-C.
 * When the deadline of an exam passes: SIT_SKIPPED. */
enum sit_end sit_line(struct sit *sit, struct step *step, const char *prompt, struct text *line);

/* Ctrl-C was typed: the sitting is left as by ":q". */
bool sit_was_stopped(void);
void sit_forget_stop(void); /* it was meant for the editor */

/* Print a paragraph, indented. */
void sit_say(const struct sit *sit, int indent, const char *words);

/* Text of a brief, with its figures. */
char *sit_fill(const struct sit *sit, const char *words);

/* The findings of a graded answer; and ask whether they are right, which is stored. */
void sit_show_result(const struct sit *sit, const struct answer *answer, bool numbered);
enum sit_end sit_confirm(struct sit *sit, struct step *step, struct answer *answer);

/* The model answer of a node with its figures; `is_example`: it answers the same question about something
 * else. */
void sit_show_model(const struct sit *sit, const struct question_node *node, bool is_example);

/* The whole debrief of a round that has ended. */
int sit_debrief(struct sit *sit);

/* "12:31", or "1:10 over". */
void sit_clock(const struct sit *sit, const struct step *step, char out[48]);

/* ---- what the verbs share ---- */

/* The second reader that is set, and whether its verdicts count; false when there is none.
 * (verb_examiner.c) */
bool app_examiner(const struct app *app, struct examiner *examiner, bool *counts);

/* Open the library below the content folder. 0, or the exit status after saying why. */
MUST_CHECK int sit_library(struct app *app, struct library *library);

#endif
