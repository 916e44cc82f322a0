/* story_card.h -- a candidate's own story, as their Markdown file tells it.
 *
 *   stories/01-hard-debug.md in the data folder
 *
 *   # title
 *   ## Situation | Situación      ## Task | Tarea         ## Action | Acción     ## Result | Resultado
 *   ## Trade-off | Renuncia       ## Today | Hoy          ## Evidence | Evidencia
 *
 *   evidence, one a line:   attempt ID     run FOLDER     commit FOLDER HASH     https://...
 *
 * The file is the user's: it is written once, from the archetype's form, and only read afterwards.
 * Tests: tests/rounds/story_card_test.c
 */
#ifndef ROUNDS_STORY_CARD_H
#define ROUNDS_STORY_CARD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "content/story.h"
#include "progress/progress.h"

enum story_part {
    STORY_SITUATION,
    STORY_TASK,
    STORY_ACTION,
    STORY_RESULT,
    STORY_TRADE_OFF,
    STORY_TODAY,
    STORY_EVIDENCE,
    STORY_PARTS
};

struct story_card {
    char *title;
    char *parts[STORY_PARTS]; /* "" when absent; comments of the form are left out */
};

/* A finding about a card: N_() words with at most one %s. */
struct story_check {
    bool good;
    char *words; /* in the user's language; the caller's, by story_checks_done() */
};

/* The file of an archetype; the caller frees it. The folder is made. */
MUST_CHECK enum status story_card_path(char **path, struct progress *progress,
                                       const struct story *story, struct error *err);

/* Append the empty form in a language, each part with a comment on what belongs there. */
void story_card_form(struct text *out, const struct story *story, const char *language);

/* Read a card; story_card_done() releases it. Errors of file_read(). */
MUST_CHECK enum status story_card_read(struct story_card *card, const char *path,
                                       struct error *err);
void story_card_done(struct story_card *card);

/* What is said aloud: situation to result, then the trade-off and today. */
void story_card_spoken(struct text *out, const struct story_card *card);

/* Completeness, trade-off, two numbers, spoken length, evidence that exists. */
MUST_CHECK enum status story_card_check(struct story_check **checks, int *n,
                                        const struct story_card *card, struct progress *progress,
                                        struct error *err);
void story_checks_done(struct story_check *checks, int n);

#endif
